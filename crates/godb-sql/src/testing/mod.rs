//! Golden scripts: SQL statements with what they must answer, to be run on any engine.
//!
//! ```text
//! # A comment.
//! statement ok
//! CREATE TABLE t (a int PRIMARY KEY)
//!
//! statement INSERT 0 2
//! INSERT INTO t VALUES (1), (2)
//!
//! statement error 23505 t_pkey
//! INSERT INTO t VALUES (1)
//!
//! query sorted
//! SELECT a FROM t
//! ----
//! 1
//! 2
//! ```
//!
//! A record ends at an empty line. After `statement` stands `ok`, a command tag, or `error`, its SQLSTATE and a part of its message,
//! detail or hint. Rows are written with `|` between their values, NULL as `NULL`, an empty string as `(empty)`; with
//! `sorted` both sides are sorted. `session b` goes on in another session. `$DIR` stands for an empty directory, `$then` after
//! `moment then` for the time of that record.

#[cfg(test)]
mod concurrency;
#[cfg(test)]
mod model;
#[cfg(test)]
mod tests;

use crate::error::SqlError;
use crate::session::{Session, Sql, StatementResult};
use crate::text::to_text;
use crate::types::DataType;
use crate::value::Value;
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

/// The scripts of this crate, by name.
pub const SCRIPTS: &[(&str, &str)] = &[
    ("aggregates", include_str!("scripts/aggregates.slt")),
    ("alter", include_str!("scripts/alter.slt")),
    ("constraints", include_str!("scripts/constraints.slt")),
    ("copy", include_str!("scripts/copy.slt")),
    ("ddl", include_str!("scripts/ddl.slt")),
    ("dml", include_str!("scripts/dml.slt")),
    ("indexes", include_str!("scripts/indexes.slt")),
    ("joins", include_str!("scripts/joins.slt")),
    ("queries", include_str!("scripts/queries.slt")),
    ("sessions", include_str!("scripts/sessions.slt")),
    ("settings", include_str!("scripts/settings.slt")),
    ("subqueries", include_str!("scripts/subqueries.slt")),
    ("time_travel", include_str!("scripts/time_travel.slt")),
    ("transactions", include_str!("scripts/transactions.slt")),
    ("types", include_str!("scripts/types.slt")),
    ("upsert", include_str!("scripts/upsert.slt")),
    ("views", include_str!("scripts/views.slt")),
];

/// Runs a script. `directory` is an empty one that it may use for files.
///
/// # Panics
/// At the first record that is answered otherwise than it says, naming the line.
pub fn run(name: &str, script: &str, sql: &Arc<Sql>, directory: &Path) {
    let mut runner = Runner {
        sql,
        sessions: BTreeMap::new(),
        current: "main".to_owned(),
        moments: BTreeMap::new(),
    };
    let script = script.replace("$DIR", &directory.display().to_string());
    let mut lines = script
        .lines()
        .enumerate()
        .map(|(at, line)| (at + 1, line))
        .peekable();
    while let Some((number, line)) = lines.next() {
        if line.trim().is_empty() || line.starts_with('#') {
            continue;
        }
        let mut body = Vec::new();
        while let Some((_, line)) = lines.next_if(|(_, line)| !line.trim().is_empty()) {
            body.push(line);
        }
        if let Err(problem) = runner.record(line, &body) {
            panic!(
                "{name}.slt, line {number}: {problem}\n    {line}\n    {}",
                body.join("\n    ")
            );
        }
    }
    drop(runner);
    let report = sql.check().expect("the check runs");
    assert!(report.problems.is_empty(), "{name}.slt: {:?}", report.problems);
}

struct Runner<'a> {
    sql: &'a Arc<Sql>,
    sessions: BTreeMap<String, Session>,
    current: String,
    moments: BTreeMap<String, String>,
}

impl Runner<'_> {
    fn session(&mut self) -> &mut Session {
        let sql = self.sql;
        self.sessions
            .entry(self.current.clone())
            .or_insert_with(|| sql.session())
    }

    fn record(&mut self, line: &str, body: &[&str]) -> Result<(), String> {
        let (kind, expected) = line.split_once(' ').unwrap_or((line, ""));
        match kind {
            "session" => expected.clone_into(&mut self.current),
            "moment" => self.moment(expected)?,
            "statement" => return self.statement(expected.trim(), &self.filled_in(body)),
            "query" => return self.query(expected.trim(), body),
            other => return Err(format!("no such record: {other}")),
        }
        Ok(())
    }

    /// Remembers the time of now, with nothing committed near it.
    fn moment(&mut self, name: &str) -> Result<(), String> {
        let pause = || std::thread::sleep(std::time::Duration::from_millis(5));
        pause();
        let asked = self.session().execute("SELECT clock_timestamp()", &[]);
        let now = asked.and_then(rows).map_err(|error| shown(&error))?;
        self.moments.insert(format!("${name}"), now.concat());
        pause();
        Ok(())
    }

    fn filled_in(&self, body: &[&str]) -> String {
        let fill = |text: String, (name, time): (&String, &String)| text.replace(name, time);
        self.moments.iter().fold(body.join("\n"), fill)
    }

    fn statement(&mut self, expected: &str, sql: &str) -> Result<(), String> {
        let outcome = self.session().execute(sql, &[]).and_then(|result| {
            let tag = result.tag.clone();
            result.finish().map(|_| tag)
        });
        match (expected.split_once(' '), outcome) {
            (None, Ok(_)) if expected == "ok" => Ok(()),
            (Some(("error", wanted)), Err(error)) => same_error(wanted, &error),
            (_, Ok(tag)) if tag == expected => Ok(()),
            (_, Ok(tag)) => Err(format!("answered {tag}")),
            (_, Err(error)) => Err(format!("failed: {}", shown(&error))),
        }
    }

    fn query(&mut self, options: &str, body: &[&str]) -> Result<(), String> {
        let split = body
            .iter()
            .position(|line| *line == "----")
            .ok_or("there is no ----")?;
        let sql = self.filled_in(&body[..split]);
        let result = self
            .session()
            .execute(&sql, &[])
            .map_err(|error| format!("failed: {}", shown(&error)))?;
        let mut got = rows(result).map_err(|error| format!("failed: {}", shown(&error)))?;
        let mut expected: Vec<String> = body[split + 1..].iter().map(|line| (*line).to_owned()).collect();
        if options == "sorted" {
            got.sort_unstable();
            expected.sort_unstable();
        }
        if got == expected {
            Ok(())
        } else {
            Err(format!("answered\n{}\n", got.join("\n")))
        }
    }
}

fn rows(result: StatementResult) -> Result<Vec<String>, SqlError> {
    let columns = result.rows.columns().clone();
    let line = |row: Vec<Value>| {
        let values = row
            .iter()
            .zip(&*columns)
            .map(|(value, column)| value_text(value, column.ty));
        values.collect::<Vec<_>>().join("|")
    };
    result.rows.map(|row| row.map(line)).collect()
}

fn value_text(value: &Value, ty: DataType) -> String {
    match value {
        Value::Null => "NULL".to_owned(),
        value => {
            let text = to_text(value, ty);
            if text.is_empty() {
                "(empty)".to_owned()
            } else {
                text
            }
        }
    }
}

fn same_error(wanted: &str, error: &SqlError) -> Result<(), String> {
    let (code, part) = wanted.split_once(' ').unwrap_or((wanted, ""));
    let all = shown(error);
    if error.state.0 == code && all.contains(part) {
        Ok(())
    } else {
        Err(format!("failed otherwise: {all}"))
    }
}

fn shown(error: &SqlError) -> String {
    let more = [&error.detail, &error.hint, &error.context];
    let more: Vec<_> = more.into_iter().flatten().map(String::as_str).collect();
    format!("{} {} {}", error.state.0, error.message, more.join(" "))
}
