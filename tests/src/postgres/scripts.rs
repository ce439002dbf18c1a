//! The golden scripts, asked of PostgreSQL.

use super::Server;
use super::ask::{Answer, ask_postgres};
use godb_sql::testing::script::{Expected, Item, ValueLine, items, value_text};
use std::io;

/// What a script expects otherwise than PostgreSQL answers, one line each.
///
/// # Errors
/// The server does not answer, or the script makes no sense.
pub fn check_script(server: &Server, name: &str, text: &str) -> io::Result<Vec<String>> {
    if text
        .lines()
        .next()
        .is_some_and(|line| line.contains("Not for PostgreSQL"))
    {
        return Ok(Vec::new());
    }
    let items = items(text).map_err(io::Error::other)?;
    let answers = ask_all(server, &items)?;
    let mut wrong = Vec::new();
    for (item, answers) in items.iter().zip(answers) {
        if item.unlike_postgres {
            continue;
        }
        for (sql, problem) in compare(item, &answers) {
            wrong.push(format!(
                "{name}.slt:{}\t{problem}\t{}",
                item.line,
                sql.replace('\n', " ")
            ));
        }
    }
    Ok(wrong)
}

/// The script with PostgreSQL's answers in its `values` records.
///
/// # Errors
/// As [`check_script`].
pub fn fill_script(server: &Server, text: &str) -> io::Result<String> {
    let items = items(text).map_err(io::Error::other)?;
    let answers = ask_all(server, &items)?;
    let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
    for (item, answers) in items.iter().zip(answers) {
        let Expected::Values(values) = &item.expected else {
            continue;
        };
        if item.unlike_postgres {
            continue;
        }
        for (value, answer) in values.iter().zip(&answers) {
            lines[value.line - 1] = format!("{}  -- {}", value.expression, described(answer));
        }
    }
    lines.push(String::new());
    Ok(lines.join("\n"))
}

fn ask_all(server: &Server, items: &[Item]) -> io::Result<Vec<Vec<Answer>>> {
    let directory = server.directory().display().to_string();
    let of = |item: &Item| {
        if item.unlike_postgres {
            Vec::new()
        } else {
            item.statements(&directory)
        }
    };
    let statements: Vec<Vec<String>> = items.iter().map(of).collect();
    let mut answers = ask_postgres(server, &statements.concat())?.into_iter();
    Ok(statements
        .iter()
        .map(|of| answers.by_ref().take(of.len()).collect())
        .collect())
}

/// What differs in one record: the statement, and how.
fn compare(item: &Item, answers: &[Answer]) -> Vec<(String, String)> {
    let mut wrong = Vec::new();
    match (&item.expected, answers) {
        (Expected::Values(lines), answers) => {
            for (
                ValueLine {
                    expression, expected, ..
                },
                answer,
            ) in lines.iter().zip(answers)
            {
                let described = described(answer);
                if described != *expected {
                    wrong.push((
                        expression.clone(),
                        format!("PostgreSQL: {described}; here: {expected}"),
                    ));
                }
            }
        }
        (expected, [answer]) => {
            if let Some(problem) = differs(expected, answer) {
                wrong.push((item.body.clone(), problem));
            }
        }
        _ => {}
    }
    wrong
}

/// A value's type and text, or an error's state.
fn described(answer: &Answer) -> String {
    match answer {
        Answer::Rows(types, rows) => match (types.as_slice(), rows.as_slice()) {
            ([ty], [row]) => format!("{ty}: {}", value_text(row[0].as_deref())),
            _ => format!("{} rows", rows.len()),
        },
        Answer::Done(tag) => tag.clone(),
        Answer::Failed(state, _) => format!("error {state}"),
    }
}

fn differs(expected: &Expected, answer: &Answer) -> Option<String> {
    match (expected, answer) {
        (Expected::Error(wanted, _), Answer::Failed(state, message)) => {
            (wanted != state).then(|| format!("PostgreSQL: {state} {message}"))
        }
        (Expected::Success, Answer::Done(_) | Answer::Rows(..)) => None,
        (Expected::Tag(wanted), Answer::Done(tag)) => {
            // It ends the tag of a query with the number of its rows.
            (wanted != tag).then(|| format!("PostgreSQL: {tag}"))
        }
        (Expected::Tag(_), Answer::Rows(..)) => None,
        (Expected::Rows { sorted, lines }, Answer::Rows(_, rows)) => {
            let mut rows: Vec<String> = rows.iter().map(|row| line(row)).collect();
            let mut lines = lines.clone();
            if *sorted {
                rows.sort_unstable();
                lines.sort_unstable();
            }
            (rows != lines).then(|| format!("PostgreSQL: {}", rows.join(" ⏎ ")))
        }
        (_, other) => Some(format!("PostgreSQL: {other:?}")),
    }
}

fn line(row: &[Option<String>]) -> String {
    let values = row.iter().map(|value| match value.as_deref() {
        None => "NULL".to_owned(),
        Some("") => "(empty)".to_owned(),
        Some(text) => text.to_owned(),
    });
    values.collect::<Vec<_>>().join("|")
}
