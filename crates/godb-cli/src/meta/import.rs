//! `.import FILE TABLE [NULL]`: loads a CSV file whose first line names the columns.
//!
//! The rows go in by `COPY`, which is one statement: all of them or none. When the table is not there it is made first, with the narrowest types that hold
//! what the file says, in the same transaction.

use std::collections::HashSet;
use std::fs;

use crate::console::{Console, Flow};
use crate::engine::TransactionState;
use crate::problem::Problem;
use crate::schema::quoted;

/// What a column of the file can be, from narrow to wide: each of these holds everything that fits those before it, except that only
/// numbers widen into numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Guess {
    /// No value was seen.
    Nothing,
    BigInt,
    Double,
    Date,
    Timestamp,
    Boolean,
    Text,
}

/// `.import`
pub(super) fn import(console: &mut Console, words: &[String]) -> Result<Flow, Problem> {
    let (file, table) = (&words[0], &words[1]);
    let null = words.get(2).map_or("", String::as_str);
    let text = |error: csv::Error| Problem::Command(format!("{file}: {error}"));
    let mut reader = csv::Reader::from_path(file).map_err(text)?;
    let names: Vec<String> = reader
        .headers()
        .map_err(text)?
        .iter()
        .map(str::to_owned)
        .collect();
    check_names(file, &names)?;
    let table_known = console.engine.tables()?.iter().any(|known| known.name == *table);
    let mut statements = Vec::new();
    if !table_known {
        let mut guesses = vec![Guess::Nothing; names.len()];
        for record in reader.records() {
            let record = record.map_err(text)?;
            for (guess, field) in guesses.iter_mut().zip(&record) {
                *guess = if field == null { *guess } else { guess.with(field) };
            }
        }
        statements.push(create(table, &names, &guesses));
    }
    statements.push(copy(file, table, &names, null)?);
    together(console, &statements)?;
    Ok(Flow::Next)
}

fn check_names(file: &str, names: &[String]) -> Result<(), Problem> {
    let mut seen = HashSet::new();
    match names.iter().find(|name| name.is_empty() || !seen.insert(*name)) {
        Some(name) => Err(Problem::Command(format!(
            "{file}: the first line must name the columns, and {name:?} is empty or there twice"
        ))),
        None => Ok(()),
    }
}

/// Runs the statements in one transaction: the user's, where one is open.
fn together(console: &mut Console, statements: &[String]) -> Result<(), Problem> {
    let own = console.engine.transaction() == TransactionState::None && statements.len() > 1;
    if !own {
        return statements.iter().try_for_each(|sql| console.statement(sql));
    }
    quietly(console, "BEGIN")?;
    let result = statements.iter().try_for_each(|sql| console.statement(sql));
    match result {
        Ok(()) => quietly(console, "COMMIT"),
        Err(problem) => quietly(console, "ROLLBACK").and(Err(problem)),
    }
}

fn quietly(console: &mut Console, sql: &str) -> Result<(), Problem> {
    let mut reply = console.engine.run(sql)?;
    Ok(reply.rows.try_for_each(|row| row.map(drop))?)
}

/// The statement that makes a table for the file.
pub(super) fn create(table: &str, names: &[String], guesses: &[Guess]) -> String {
    let columns: Vec<String> = names
        .iter()
        .zip(guesses)
        .map(|(name, guess)| format!("{} {}", quoted(name), guess.type_name()))
        .collect();
    format!("CREATE TABLE {} ({})", quoted(table), columns.join(", "))
}

/// The statement that loads the file.
fn copy(file: &str, table: &str, names: &[String], null: &str) -> Result<String, Problem> {
    // The engine has a working directory of its own.
    let path = fs::canonicalize(file).map_err(Problem::io(file.to_owned()))?;
    let columns: Vec<String> = names.iter().map(|name| quoted(name)).collect();
    Ok(format!(
        "COPY {} ({}) FROM {} WITH (FORMAT csv, HEADER true, NULL {})",
        quoted(table),
        columns.join(", "),
        literal(&path.to_string_lossy()),
        literal(null)
    ))
}

fn literal(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

impl Guess {
    /// What holds both this and `field`.
    pub(super) fn with(self, field: &str) -> Self {
        let one = Self::of(field);
        match (self, one) {
            (Self::Nothing, one) => one,
            (old, one) if old == one => old,
            (Self::BigInt, Self::Double) | (Self::Double, Self::BigInt) => Self::Double,
            (Self::Date, Self::Timestamp) | (Self::Timestamp, Self::Date) => Self::Timestamp,
            _ => Self::Text,
        }
    }

    /// The narrowest that holds `field`.
    fn of(field: &str) -> Self {
        // Codes like 007 lose their zeros as numbers.
        let code =
            field.len() > 1 && field.starts_with('0') && field.bytes().all(|byte| byte.is_ascii_digit());
        if code {
            Self::Text
        } else if field.parse::<i64>().is_ok() {
            Self::BigInt
        } else if field.bytes().all(|byte| b"+-.eE0123456789".contains(&byte)) && field.parse::<f64>().is_ok()
        {
            Self::Double
        } else if is_date(field) {
            Self::Date
        } else if is_timestamp(field) {
            Self::Timestamp
        } else if ["true", "false"].contains(&field.to_ascii_lowercase().as_str()) {
            Self::Boolean
        } else {
            Self::Text
        }
    }

    fn type_name(self) -> &'static str {
        match self {
            Self::BigInt => "bigint",
            Self::Double => "double precision",
            Self::Date => "date",
            Self::Timestamp => "timestamp",
            Self::Boolean => "boolean",
            Self::Nothing | Self::Text => "text",
        }
    }
}

/// `2013-01-31`; the calendar is the engine's business.
fn is_date(field: &str) -> bool {
    shaped(field, "dddd-dd-dd")
}

/// `2013-01-31 05:00:00` or `2013-01-31T05:00:00Z`, with or without fractions.
fn is_timestamp(field: &str) -> bool {
    let Some((date, time)) = field.split_once([' ', 'T']) else {
        return false;
    };
    let time = time.strip_suffix('Z').unwrap_or(time);
    let (whole, fraction) = time.split_once('.').unwrap_or((time, "0"));
    is_date(date) && shaped(whole, "dd:dd:dd") && fraction.bytes().all(|byte| byte.is_ascii_digit())
}

/// Whether `field` has a digit wherever `shape` has a `d`, and is equal elsewhere.
fn shaped(field: &str, shape: &str) -> bool {
    let fits = |(byte, wanted): (u8, u8)| {
        if wanted == b'd' {
            byte.is_ascii_digit()
        } else {
            byte == wanted
        }
    };
    field.len() == shape.len() && field.bytes().zip(shape.bytes()).all(fits)
}
