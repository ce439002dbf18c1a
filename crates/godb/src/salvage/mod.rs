//! Salvage: copying every row out of a broken file into a new database.
//!
//! Nothing has to be whole but the pages with the rows. What is known is put together from whoever can tell:
//!
//! | what | from |
//! | --- | --- |
//! | size and identity of pages | a copy of the header, else what most pages say (`FileHeader::guess`) |
//! | pages that a crash tore | their safe copies |
//! | changes that are in no page yet | the log, as far as it can be read; pages that missed a change are given up |
//! | which leaves count | free maps, inner pages, neighbours (`Wreck`) |
//! | what a tree holds | the catalog; rows of a tree that no description is left of go to a table of keys and values |
//! | indexes | their tables |
//!
//! A row is taken in the state of the last durable commit. Of a transaction that was at work when the database ended the log tells that it did not commit; its rows are put back
//! to the version before, which lies in the history. Where the log itself is damaged and does not tell, rows are taken as they stand, and the report says that their
//! transactions may not have committed. Old versions, for reading the past, are left behind.
//!
//! The broken file is opened for reading only, and through an overlay; it stays as it is.

mod read;
mod write;

use crate::config::Config;
use crate::error::Result;
use crate::repair::refusal;
use crate::storage::Place;
use godb_page::{Environment, Fault, FileSystem};
use godb_sql::IndexMended;
use std::fmt;
use std::path::Path;
use std::sync::Arc;

/// Rows that were copied.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Salvaged {
    /// The table they are in.
    pub table: String,
    /// How many.
    pub rows: u64,
}

/// What was saved, and what was not.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SalvageReport {
    /// The tables, with their rows.
    pub tables: Vec<Salvaged>,
    /// Pairs of the key-value API.
    pub pairs: u64,
    /// Tables of keys and values, for trees of which no description was left.
    pub unnamed: Vec<Salvaged>,
    /// Views.
    pub views: u64,
    /// Pages that may have held something and cannot be read.
    pub damaged_pages: Vec<u32>,
    /// Rows whose leaf is whole, but not the pages with the rest of their value.
    pub torn_values: u64,
    /// Rows that were put back to the version before, since their transaction did not commit.
    pub taken_back: u64,
    /// Rows of transactions that did not commit, whose version before is lost.
    pub without_before: u64,
    /// Where the log is damaged: rows of transactions of which it does not tell whether they committed.
    pub undecided: bool,
    /// What of the log could not be read.
    pub log_damage: Option<String>,
    /// Rows that another row keeps out of a unique index, by index.
    pub duplicates: Vec<IndexMended>,
    /// What else is to be said.
    pub notes: Vec<String>,
}

impl SalvageReport {
    /// Whether everything was there: then the new database is the old one, apart from its past.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        self.torn_values + self.without_before == 0
            && !self.undecided
            && self.damaged_pages.is_empty()
            && self.unnamed.is_empty()
            && self.duplicates.is_empty()
            && self.log_damage.is_none()
    }
}

impl fmt::Display for SalvageReport {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        for Salvaged { table, rows } in &self.tables {
            writeln!(to, "table \"{table}\": {rows} rows")?;
        }
        for Salvaged { table, rows } in &self.unnamed {
            writeln!(
                to,
                "table \"{table}\", of keys and values whose description is lost: {rows} rows"
            )?;
        }
        if self.pairs > 0 {
            writeln!(to, "key-value pairs: {}", self.pairs)?;
        }
        if self.views > 0 {
            writeln!(to, "views: {}", self.views)?;
        }
        for page in &self.damaged_pages {
            writeln!(to, "lost: what page {page} held")?;
        }
        let counts = [
            (self.torn_values, "rows lost with a part of their value"),
            (
                self.taken_back,
                "rows put back to what they were before transactions that did not commit",
            ),
            (
                self.without_before,
                "rows of transactions that did not commit, left out: what they were before is lost",
            ),
        ];
        for (count, what) in counts.iter().filter(|(count, _)| *count > 0) {
            writeln!(to, "{count} {what}")?;
        }
        if let Some(damage) = &self.log_damage {
            writeln!(to, "the log could not be read to its end: {damage}")?;
        }
        if self.undecided {
            writeln!(
                to,
                "some rows may be of transactions that did not commit: the log that would tell is damaged"
            )?;
        }
        for mended in &self.duplicates {
            let IndexMended {
                table,
                index,
                duplicates,
                ..
            } = mended;
            writeln!(
                to,
                "{duplicates} rows of table \"{table}\" are not in its unique index \"{index}\""
            )?;
        }
        self.notes.iter().try_for_each(|note| writeln!(to, "{note}"))
    }
}

/// Copies every row out of the file at `path` into a new database at `output`.
pub(crate) fn salvage(
    files: &Arc<dyn FileSystem>,
    environment: &Environment,
    path: &Path,
    output: &Path,
    config: &Config,
) -> Result<SalvageReport> {
    let (place, target) = (Place::new(path)?, Place::new(output)?);
    if files.exists(&target.file)? || files.exists(&format!("{}/control", target.log_dir))? {
        let why = "there is a file of that name already, and salvage makes a new one";
        return Err(Fault::Unusable {
            file: target.file.into(),
            why: why.into(),
        }
        .into());
    }
    let source = read::Source::open(files, &place)?;
    let mut report = source.report();
    write::Target::create(files, environment, output, &source, config)?.fill(&source, &mut report)?;
    Ok(report)
}

/// The same where no row is lost by it, and that can be proved; refused otherwise.
pub(crate) fn salvage_proved(
    files: &Arc<dyn FileSystem>,
    environment: &Environment,
    path: &Path,
    output: &Path,
    config: &Config,
) -> Result<SalvageReport> {
    let source = read::Source::open(files, &Place::new(path)?)?;
    if !source.has_header || !source.wreck.knows_all_trees() {
        return Err(refusal(
            path,
            "neither copy of its header, or not its directory of trees, can be read",
        ));
    }
    let mut report = source.report();
    let target = write::Target::create(files, environment, output, &source, config)?;
    let derived = target.fill(&source, &mut report)?;
    if let Some(page) = source
        .wreck
        .may_have_held_rows(|tree| derived.contains(&tree))
        .first()
    {
        return Err(refusal(
            path,
            &format!("page {page} cannot be read, and may have held rows"),
        ));
    }
    let whole = SalvageReport {
        damaged_pages: Vec::new(),
        ..report.clone()
    };
    match whole.is_complete() {
        true => Ok(report),
        false => Err(refusal(path, "rows, or what the log says of them, are lost")),
    }
}

#[cfg(test)]
mod tests;
