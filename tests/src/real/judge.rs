//! Opens what a process left, and looks for what it was told.

use super::process::{Told, text};
use super::worker::{config, key, value};
use godb::{Database, Transaction};
use std::collections::HashMap;
use std::path::Path;

/// Judges the work of a worker of role `one`: what it acknowledged is there and right; what else is there goes on without a hole; the full check finds nothing; opening a second
/// time changes nothing; it takes writes.
pub(super) fn one(file: &Path, told: &Told) -> Result<(), String> {
    if told.said("unreadable") {
        return Err(format!(
            "after an error acknowledged rows could not be read: {:?}",
            tail(told)
        ));
    }
    let acknowledged = told.acknowledged();
    if acknowledged == 0 && !file.exists() {
        return Ok(());
    }
    let first = rows_of(file).map_err(|error| format!("{error}; {acknowledged} rows were acknowledged"))?;
    if first < acknowledged || first > acknowledged + 1 {
        return Err(format!(
            "{acknowledged} rows were acknowledged, {first} are there; it said {:?}",
            tail(told)
        ));
    }
    let second = rows_of(file)?;
    if second != first {
        return Err(format!(
            "{first} rows at the first opening, {second} at the second"
        ));
    }
    Ok(())
}

/// The last lines, for a report.
fn tail(told: &Told) -> &[String] {
    &told.lines[told.lines.len().saturating_sub(4)..]
}

/// Opens it, checks it, counts the rows, which must be without a hole, and writes something.
fn rows_of(file: &Path) -> Result<u64, String> {
    let db = Database::open_with(file, config()).map_err(|error| format!("it does not open: {error}"))?;
    let wrong = db.check().map_err(text)?;
    if !wrong.is_empty() {
        return Err(format!("the check finds {wrong:?}"));
    }
    let tx = db.begin().map_err(text)?;
    let mut rows = 0;
    while let Some(found) = tx.get(&key(rows)).map_err(text)? {
        if found != value(rows) {
            return Err(format!("row {rows} is wrong"));
        }
        rows += 1;
    }
    for beyond in rows..rows + 100 {
        if tx.get(&key(beyond)).map_err(text)?.is_some() {
            return Err(format!("row {beyond} is there and row {rows} is not"));
        }
    }
    drop(tx);
    db.put(b"afterwards", b"it takes writes").map_err(text)?;
    db.close().map_err(text)?;
    Ok(rows)
}

/// What each thread of each round of role `many` was told: its last row.
pub(super) type Acknowledged = HashMap<(usize, usize), usize>;

/// Adds what a worker of role `many` said in this round.
pub(super) fn note(told: &Told, round: usize, all: &mut Acknowledged) -> Result<(), String> {
    if let Some(error) = told.errors().next() {
        return Err(format!("the writer failed: {error}"));
    }
    for line in &told.lines {
        let numbers = line.split_once(' ').map(|(a, b)| (a.parse(), b.parse()));
        if let Some((Ok(thread), Ok(n))) = numbers {
            all.insert((round, thread), n);
        }
    }
    Ok(())
}

/// Judges the work of workers of role `many`.
pub(super) fn many(file: &Path, all: &Acknowledged) -> Result<(), String> {
    let db = Database::open_with(file, config()).map_err(|error| format!("it does not open: {error}"))?;
    let wrong = db.check().map_err(text)?;
    if !wrong.is_empty() {
        return Err(format!("the check finds {wrong:?}"));
    }
    let tx = db.begin().map_err(text)?;
    for (&(round, thread), &last) in all {
        for n in 0..=last {
            row(&tx, round, thread, n, last)?;
        }
        all_or_nothing(&tx, round, thread, last + 1)?;
    }
    drop(tx);
    db.close().map_err(text)
}

/// Row `n` is there as it was written; or gone, when it is one that a later transaction deleted.
fn row(tx: &Transaction, round: usize, thread: usize, n: usize, last: usize) -> Result<(), String> {
    let name = format!("{round}/{thread}/{n}/0");
    let (gone, may_be_gone) = (n % 7 == 2 && last > n, n % 7 == 2);
    match tx.get(name.as_bytes()).map_err(text)? {
        Some(value) if gone || value.len() != 20 + (n * 37) % 400 => Err(format!("row {name} is wrong")),
        None if !may_be_gone => Err(format!("row {name} was acknowledged and is lost")),
        _ => Ok(()),
    }
}

/// The first transaction that was not acknowledged is there whole, or not at all.
fn all_or_nothing(tx: &Transaction, round: usize, thread: usize, n: usize) -> Result<(), String> {
    let parts = if n % 10 == 9 { 41 } else { 1 };
    let mut found = 0;
    for part in 0..parts {
        let key = format!("{round}/{thread}/{n}/{part}");
        found += usize::from(tx.get(key.as_bytes()).map_err(text)?.is_some());
    }
    match found == 0 || found == parts {
        true => Ok(()),
        false => Err(format!(
            "{found} of {parts} rows of {round}/{thread}/{n} survived"
        )),
    }
}
