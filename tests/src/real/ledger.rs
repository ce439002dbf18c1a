//! [`Ledger`]: what the child was told is durable, and whether that is so.

use super::child::{deletes, key_of, length_of, parts_of};
use godb::{Config, Database, Transaction};
use std::collections::BTreeMap;
use std::path::Path;

/// The last row that was acknowledged, for each round and thread.
#[derive(Debug, Default)]
pub(super) struct Ledger {
    last: BTreeMap<(String, usize), usize>,
    /// What the child could not do.
    pub(super) errors: Vec<String>,
}

impl Ledger {
    /// Notes what a child of this round has said.
    pub(super) fn note(&mut self, round: &str, lines: &[String]) {
        for line in lines {
            if let Some(error) = line.strip_prefix("error ") {
                self.errors.push(error.to_owned());
            } else if let Some((thread, n)) = line.split_once(' ')
                && let (Ok(thread), Ok(n)) = (thread.parse(), n.parse())
            {
                self.last.insert((round.to_owned(), thread), n);
            }
        }
    }

    /// How many rows were acknowledged.
    pub(super) fn acknowledged(&self) -> usize {
        self.last.values().map(|last| last + 1).sum()
    }

    /// Opens the database and looks for every row that must be there, and for none that must not.
    pub(super) fn judge(&self, file: &Path) -> Result<(), String> {
        let words = |error: godb::Error| error.to_string();
        let db = Database::open_with(file, Config::default()).map_err(words)?;
        let problems = db.check().map_err(words)?;
        if !problems.is_empty() {
            return Err(format!("the check finds {problems:?}"));
        }
        let tx = db.begin().map_err(words)?;
        for ((round, thread), last) in &self.last {
            judge_thread(&tx, round, *thread, *last)?;
        }
        drop(tx);
        db.close().map_err(words)
    }
}

fn judge_thread(tx: &Transaction, round: &str, thread: usize, last: usize) -> Result<(), String> {
    let get = |n, part| {
        let found = tx.get(&key_of(round, thread, n, part));
        found.map_err(|error| error.to_string())
    };
    for n in 0..=last {
        // The transaction that deletes it may have been committed without that being heard.
        let (gone, may_be_gone) = (deletes(n + 1) && last > n, deletes(n + 1));
        match get(n, 0)? {
            Some(_) if gone => return Err(format!("row {round}/{thread}/{n} was deleted and is there")),
            Some(value) if value.len() != length_of(n, 0) => {
                return Err(format!("row {round}/{thread}/{n} is not what was written"));
            }
            None if !may_be_gone => {
                return Err(format!("row {round}/{thread}/{n} was acknowledged and is lost"));
            }
            _ => {}
        }
    }
    let next = last + 1;
    let first = get(next, 0)?.is_some();
    let mut found = usize::from(first);
    for part in 1..parts_of(next) {
        found += usize::from(get(next, part)?.is_some());
    }
    // More may have been committed than was heard: the one after it, which deletes its first row, too.
    let but_the_first = !first && deletes(next + 1) && found + 1 == parts_of(next);
    match found == 0 || found == parts_of(next) || but_the_first {
        true => Ok(()),
        false => Err(format!(
            "{found} of {} rows of {round}/{thread}/{next} are there",
            parts_of(next)
        )),
    }
}
