//! Asking both: what came of a statement, in a form that can be compared.

use super::Server;
use godb::{Error, Session, params};
use std::collections::HashMap;
use std::io;

/// What psql writes for NULL: no value of a test looks so.
const NULL: &str = "<null>";

/// What came of a statement.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Answer {
    /// The names of the types of its columns, and its rows.
    Rows(Vec<String>, Vec<Vec<Option<String>>>),
    /// A statement without rows, and its command tag.
    Done(String),
    /// The SQLSTATE and the message.
    Failed(String, String),
}

impl Answer {
    /// Whether two answers are the same; messages may differ.
    pub(super) fn agrees(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Failed(one, _), Self::Failed(other, _)) => one == other,
            (one, other) => one == other,
        }
    }

    /// With its rows sorted.
    pub(super) fn sorted(mut self) -> Self {
        if let Self::Rows(_, rows) = &mut self {
            rows.sort();
        }
        self
    }
}

/// What godb says.
pub(super) fn ask_godb(session: &mut Session, sql: &str) -> Answer {
    let failed = |error: Error| Answer::Failed(error.sqlstate().to_owned(), error.to_string());
    let outcome = match session.run(sql, params![]) {
        Ok(outcome) => outcome,
        Err(error) => return failed(error),
    };
    let types: Vec<String> = outcome
        .rows
        .columns()
        .iter()
        .map(|column| column.ty.to_string())
        .collect();
    let mut rows = Vec::new();
    for row in outcome.rows {
        match row {
            Ok(row) => rows.push((0..types.len()).map(|at| row.text(at)).collect()),
            Err(error) => return failed(error),
        }
    }
    if types.is_empty() && outcome.tag != "SELECT" {
        return Answer::Done(outcome.tag);
    }
    Answer::Rows(types, rows)
}

/// What PostgreSQL says to each statement, one after the other in one session.
pub(super) fn ask_postgres(server: &Server, statements: &[String]) -> io::Result<Vec<Answer>> {
    let mut script = format!(
        "\\pset format csv\n\\pset tuples_only on\n\\pset null '{NULL}'\n\\set VERBOSITY verbose\n\\set ON_ERROR_ROLLBACK off\n"
    );
    for (at, sql) in statements.iter().enumerate() {
        let sql = sql.trim().trim_end_matches(';');
        if is_query(sql) {
            script += &format!("\\echo @types {at}\n\\warn @types {at}\n{sql}\n\\gdesc\n");
        }
        script += &format!("\\echo @rows {at}\n\\warn @rows {at}\n{sql}\n;\n");
    }
    let (out, errors) = server.psql(&script)?;
    let (out, errors) = (sections(&out), sections(&errors));
    let answer = |at: usize| {
        let part = |all: &HashMap<(bool, usize), String>, types: bool| {
            all.get(&(types, at)).cloned().unwrap_or_default()
        };
        // A query fails first when its types are asked for; in a transaction what follows fails for that alone.
        let said = error_in(&part(&errors, true)).or_else(|| error_in(&part(&errors, false)));
        if let Some((state, message)) = said {
            return Answer::Failed(state, message);
        }
        let rows = part(&out, false);
        if is_query(&statements[at]) {
            let types = table(&part(&out, true))
                .into_iter()
                .filter_map(|mut row| row.pop()?);
            return Answer::Rows(types.collect(), table(&without_tag(&rows)));
        }
        Answer::Done(rows.trim().to_owned())
    };
    Ok((0..statements.len()).map(answer).collect())
}

/// A changing statement with RETURNING shows its rows, then its tag.
fn without_tag(text: &str) -> String {
    let tag = |line: &&str| {
        ["INSERT 0 ", "UPDATE ", "DELETE "]
            .iter()
            .any(|tag| line.starts_with(tag))
    };
    let mut lines: Vec<&str> = text.lines().collect();
    if lines.last().is_some_and(tag) {
        lines.pop();
    }
    lines.iter().map(|line| format!("{line}\n")).collect()
}

/// Whether a statement gives rows.
pub(super) fn is_query(sql: &str) -> bool {
    let sql = sql
        .trim_start()
        .trim_start_matches('(')
        .trim_start()
        .to_ascii_lowercase();
    [
        "select", "values", "with", "table", "show", "explain", "fetch", "execute",
    ]
    .iter()
    .any(|word| sql.starts_with(word))
        || sql.contains(" returning ")
}

/// What stands behind each marker.
fn sections(text: &str) -> HashMap<(bool, usize), String> {
    let mut found: HashMap<(bool, usize), String> = HashMap::new();
    let mut current = None;
    for line in text.split_inclusive('\n') {
        let mut words = line.split_whitespace();
        let marker = match (words.next(), words.next().map(str::parse::<usize>)) {
            (Some("@types"), Some(Ok(at))) => Some((true, at)),
            (Some("@rows"), Some(Ok(at))) => Some((false, at)),
            _ => None,
        };
        if marker.is_some() {
            current = marker;
        } else if let Some(key) = current {
            found.entry(key).or_default().push_str(line);
        }
    }
    found
}

/// `ERROR:  22012: division by zero`, behind where psql reads from.
fn error_in(text: &str) -> Option<(String, String)> {
    text.lines().find_map(|line| {
        let (_, error) = line.split_once("ERROR:  ")?;
        let (state, message) = error.split_once(": ")?;
        Some((state.to_owned(), message.to_owned()))
    })
}

/// Rows of CSV as psql writes it: an empty line is a row of one empty string.
fn table(text: &str) -> Vec<Vec<Option<String>>> {
    let mut rows = Vec::new();
    let (mut row, mut field) = (Vec::new(), String::new());
    let (mut quoted, mut was_quoted) = (false, false);
    let mut characters = text.chars().peekable();
    let finish = |field: &mut String, quoted: bool| {
        let text = std::mem::take(field);
        (quoted || text != NULL).then_some(text)
    };
    while let Some(c) = characters.next() {
        match c {
            '"' if quoted && characters.next_if_eq(&'"').is_some() => field.push('"'),
            '"' => (quoted, was_quoted) = (!quoted, true),
            ',' if !quoted => row.push(finish(&mut field, std::mem::take(&mut was_quoted))),
            '\n' if !quoted => {
                row.push(finish(&mut field, std::mem::take(&mut was_quoted)));
                rows.push(std::mem::take(&mut row));
            }
            c => field.push(c),
        }
    }
    rows
}
