//! What can go wrong below the level of transactions, carried unchanged from the bottom to the top.
//!
//! A [`Fault`] is about the medium or the machine; a refusal (conflict, duplicate key …) is about the request and
//! belongs to the layer that refuses. Faults are `Clone`: one failed flush is the answer to every waiting commit.

use crate::ids::{Lsn, PageId, TreeId};
use std::borrow::Cow;
use std::sync::Arc;

/// What layers that know no file names call the main file.
pub const DATABASE_FILE: &str = "the database file";

/// A failure of the medium or the machine.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Fault {
    /// The operating system refused an operation.
    #[error("cannot {doing} {file}: {source}")]
    Io {
        /// What was tried, as a verb: "read", "sync".
        doing: &'static str,
        /// The file, by name.
        file: Arc<str>,
        /// The operating system's own error.
        source: Arc<std::io::Error>,
    },
    /// Stored bytes are not what was written.
    #[error("{file} is damaged{}{}{}: {what}", At("page", .page.map(|p| u64::from(p.raw()))), At("tree", .tree.map(|t| u64::from(t.raw()))), At("log position", .lsn.map(Lsn::raw)))]
    Corrupt {
        /// The file, by name.
        file: Arc<str>,
        /// The damaged page, where one is known.
        page: Option<PageId>,
        /// The tree that was being read, where one is known.
        tree: Option<TreeId>,
        /// The log position concerned, where one is known.
        lsn: Option<Lsn>,
        /// What is wrong with it.
        what: Cow<'static, str>,
    },
    /// There is no room: the disk is full, or a configured limit is reached.
    #[error("no room in {file}: {what}")]
    Full {
        /// The file, by name.
        file: Arc<str>,
        /// Which limit was met.
        what: Cow<'static, str>,
    },
    /// Another process, or another handle of this process, has the database open.
    #[error("{file} is in use{}", At("by process", .owner.map(u64::from)))]
    InUse {
        /// The file, by name.
        file: Arc<str>,
        /// The process that has it, where the system tells.
        owner: Option<u32>,
    },
    /// The file is not a godb database, or one that this version cannot open.
    #[error("cannot open {file}: {why}")]
    Unusable {
        /// The file, by name.
        file: Arc<str>,
        /// Why, and what to do about it.
        why: Cow<'static, str>,
    },
    /// A size beyond what the format can hold.
    #[error("{what} of {got} bytes is over the limit of {limit}")]
    TooLarge {
        /// What is too large: "a key", "a value".
        what: &'static str,
        /// Its size in bytes.
        got: u64,
        /// The limit in bytes.
        limit: u64,
    },
    /// A write to a database that was opened for reading only.
    #[error("{file} is open for reading only")]
    ReadOnly {
        /// The file, by name.
        file: Arc<str>,
    },
    /// An earlier failure left the database in a state that only reopening repairs.
    #[error("the database must be reopened, because an earlier operation failed: {why}")]
    Poisoned {
        /// The first failure, in words.
        why: Arc<str>,
    },
}

impl Fault {
    /// Wraps an operating-system error; a full disk or an exceeded quota becomes [`Fault::Full`].
    #[must_use]
    pub fn io(doing: &'static str, file: &str, source: std::io::Error) -> Self {
        use std::io::ErrorKind::{FileTooLarge, QuotaExceeded, StorageFull};
        match source.kind() {
            StorageFull | QuotaExceeded | FileTooLarge => Self::Full {
                file: file.into(),
                what: format!("cannot {doing}: {source}").into(),
            },
            _ => Self::Io {
                doing,
                file: file.into(),
                source: Arc::new(source),
            },
        }
    }

    /// Damage found in `page` of `file`.
    #[must_use]
    pub fn corrupt_page(file: &str, page: PageId, what: impl Into<Cow<'static, str>>) -> Self {
        Self::Corrupt {
            file: file.into(),
            page: Some(page),
            tree: None,
            lsn: None,
            what: what.into(),
        }
    }

    /// Adds what a layer further up knows of damage: in which tree it was met, unless that is known already.
    #[must_use]
    pub fn in_tree(mut self, met_in: TreeId) -> Self {
        if let Self::Corrupt { tree, .. } = &mut self {
            tree.get_or_insert(met_in);
        }
        self
    }

    /// Names the file of damage that a layer found which knows pages and not files.
    #[must_use]
    pub fn in_file(mut self, name: &str) -> Self {
        if let Self::Corrupt { file, .. } = &mut self
            && **file == *DATABASE_FILE
        {
            *file = name.into();
        }
        self
    }

    /// Damage found in the log at `lsn`.
    #[must_use]
    pub fn corrupt_log(file: &str, lsn: Lsn, what: impl Into<Cow<'static, str>>) -> Self {
        Self::Corrupt {
            file: file.into(),
            page: None,
            tree: None,
            lsn: Some(lsn),
            what: what.into(),
        }
    }
}

/// Prints "`, label value`" when there is a value.
struct At(&'static str, Option<u64>);

impl std::fmt::Display for At {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.1 {
            Some(value) => write!(f, ", {} {value}", self.0),
            None => Ok(()),
        }
    }
}
