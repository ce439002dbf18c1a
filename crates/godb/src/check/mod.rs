//! What a check finds: [`CheckReport`] and its [`Finding`]s.
//!
//! A check looks at everything twice over where it can: the bytes of every page (checksum, place, identity), what the pages say of each other (trees, chains, free
//! maps), and what the layers above say of the rows (versions, index = table). Damage found on the way down is not reported again by the layers that meet it later: one
//! damaged page is one finding. `live` checks an open database, beside its writers; `offline` a file that nobody has open, without changing it.

mod live;
mod offline;

pub(crate) use live::{Parts, check};
pub(crate) use offline::check_file;

use crate::error::Error;
use godb_page::Fault;
use godb_sql::EngineError;
use std::collections::HashSet;
use std::fmt;

/// What kind of thing is wrong, and so what can mend it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Wrong {
    /// A copy of the file's header; the other one serves.
    Header,
    /// The bytes of a page are not what was written.
    Page,
    /// A page is whole, and contradicts itself or others.
    Structure,
    /// The free maps and the trees disagree about who uses a page.
    Space,
    /// A counter.
    Count,
    /// A version of a row.
    Version,
    /// An index does not fit its table.
    Index,
    /// The log.
    Log,
    /// Something else that keeps a part of the database from being read.
    Other,
}

/// One thing that is wrong, and where, as far as that is known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// What kind of thing.
    pub wrong: Wrong,
    /// The file.
    pub file: String,
    /// The page of the file.
    pub page: Option<u32>,
    /// The tree.
    pub tree: Option<u32>,
    /// What the tree is for: a table, an index, the catalog.
    pub part: Option<String>,
    /// The position in the log.
    pub lsn: Option<u64>,
    /// What is wrong, in words.
    pub what: String,
}

impl Finding {
    /// A finding about a whole file.
    pub(crate) fn of_file(wrong: Wrong, file: &str, what: impl Into<String>) -> Self {
        Self {
            wrong,
            file: file.to_owned(),
            page: None,
            tree: None,
            part: None,
            lsn: None,
            what: what.into(),
        }
    }

    /// Damage that a layer met; `None` for other failures.
    pub(crate) fn of_fault(wrong: Wrong, fault: &Fault) -> Option<Self> {
        let Fault::Corrupt {
            file,
            page,
            tree,
            lsn,
            what,
        } = fault
        else {
            return None;
        };
        Some(Self {
            wrong,
            file: file.to_string(),
            page: page.map(godb_page::PageId::raw),
            tree: tree.map(godb_page::TreeId::raw),
            part: None,
            lsn: lsn.map(godb_page::Lsn::raw),
            what: what.to_string(),
        })
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(to, "{}", self.file)?;
        if let Some(page) = self.page {
            write!(to, ", page {page}")?;
        }
        match (&self.part, self.tree) {
            (Some(part), _) => write!(to, ", {part}")?,
            (None, Some(tree)) => write!(to, ", tree {tree}")?,
            (None, None) => {}
        }
        if let Some(lsn) = self.lsn {
            write!(to, ", log position {lsn}")?;
        }
        write!(to, ": {}", self.what)
    }
}

/// What a check looked at and found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CheckReport {
    /// What is wrong; empty when all is well.
    pub findings: Vec<Finding>,
    /// Damage that was mended on the way: pages whose bytes on disk had rotted and that memory still had.
    pub mended: Vec<Finding>,
    /// Pages whose bytes were read and verified.
    pub pages: u64,
    /// Pages that are free.
    pub free_pages: u64,
    /// Trees.
    pub trees: u64,
    /// Versions of rows.
    pub versions: u64,
    /// Tables.
    pub tables: u64,
    /// Rows of tables.
    pub rows: u64,
    /// Entries of indexes.
    pub entries: u64,
    /// Bytes of log that a recovery would read.
    pub log_bytes: u64,
}

impl CheckReport {
    /// Whether nothing is wrong.
    #[must_use]
    pub fn is_sound(&self) -> bool {
        self.findings.is_empty()
    }

    /// Adds what is not known yet: each page is reported once.
    fn add(&mut self, finding: Finding) {
        let known = self.findings.iter().any(|old| {
            old == &finding
                || (old.page.is_some()
                    && old.page == finding.page
                    && old.file == finding.file
                    && (finding.wrong == Wrong::Page || old.what == finding.what))
        });
        if !known {
            self.findings.push(finding);
        }
    }

    /// Adds damage; gives other failures back.
    fn add_fault(&mut self, wrong: Wrong, fault: Fault) -> Result<(), Error> {
        match Finding::of_fault(wrong, &fault) {
            Some(finding) => {
                self.add(finding);
                Ok(())
            }
            None => Err(fault.into()),
        }
    }

    /// Adds the damage behind an error; gives other errors back.
    fn add_error(&mut self, wrong: Wrong, file: &str, error: Error) -> Result<(), Error> {
        match fault_of(&error) {
            Some(fault @ Fault::Corrupt { .. }) => {
                let fault = fault.clone();
                self.add_fault(wrong, fault)
            }
            None if error.sqlstate() == godb_sql::state::DATA_CORRUPTED.0 => {
                self.add(Finding::of_file(wrong, file, error.to_string()));
                Ok(())
            }
            _ => Err(error),
        }
    }

    /// The pages that are named.
    fn pages_named(&self) -> HashSet<u32> {
        self.findings.iter().filter_map(|finding| finding.page).collect()
    }
}

/// The failure of the medium behind an error.
pub(crate) fn fault_of(error: &Error) -> Option<&Fault> {
    match error {
        Error::Fault(fault) | Error::Engine(EngineError::Fault(fault)) => Some(fault),
        Error::Sql(error) => match &error.engine {
            Some(EngineError::Fault(fault)) => Some(fault),
            _ => None,
        },
        _ => None,
    }
}

#[cfg(test)]
mod tests;
