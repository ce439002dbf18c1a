//! [`Record`]: what the log holds, as owned values.

use crate::codec::Entry;
use godb_btree::{Lsn, PageId, TxnId, Undo, UndoNext};

/// How a logged change is taken back; the owned twin of [`godb_btree::Undo`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum UndoRecord {
    /// Never.
    Never,
    /// By a logical operation on the tree, or one for each of its rows.
    Logical(Vec<u8>),
    /// It is itself a compensation; undo goes on there.
    Compensates(UndoNext),
}

/// One entry of the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Record {
    /// An atomic change of pages.
    Change {
        /// Who made it; none for housekeeping.
        by: Option<TxnId>,
        /// The transaction's record before this one, or zero.
        previous: Lsn,
        /// The pages and what to apply to each.
        pages: Vec<(PageId, Vec<u8>)>,
        /// How it is taken back.
        undo: UndoRecord,
    },
    /// A transaction committed. Its position is the commit's place in the order of all commits.
    Commit {
        /// Who.
        by: TxnId,
        /// Its record before this one, or zero.
        previous: Lsn,
        /// Bytes of the version layer, handed back by recovery.
        note: Vec<u8>,
    },
    /// A transaction is rolled back to its beginning, and every change of it compensated.
    RolledBack {
        /// Who.
        by: TxnId,
    },
    /// A checkpoint; the bytes are recovery's.
    Checkpoint(Vec<u8>),
}

impl UndoRecord {
    /// The same, borrowed.
    #[must_use]
    pub fn borrowed(&self) -> Undo<'_> {
        match self {
            Self::Never => Undo::Never,
            Self::Logical(bytes) => Undo::Logical(bytes),
            Self::Compensates(resume) => Undo::Compensates(*resume),
        }
    }
}

impl Record {
    /// The transaction that the record belongs to.
    #[must_use]
    pub fn by(&self) -> Option<TxnId> {
        match self {
            Self::Change { by, .. } => *by,
            Self::Commit { by, .. } | Self::RolledBack { by } => Some(*by),
            Self::Checkpoint(_) => None,
        }
    }

    /// Shows the record as the borrowed form that the encoder takes.
    pub(crate) fn with_entry<R>(&self, show: impl FnOnce(Entry<'_>) -> R) -> R {
        match self {
            Self::Change {
                by,
                previous,
                pages,
                undo,
            } => {
                let pages: Vec<_> = pages.iter().map(|(id, bytes)| (*id, bytes.as_slice())).collect();
                show(Entry::Change {
                    by: *by,
                    previous: *previous,
                    pages: &pages,
                    undo: undo.borrowed(),
                })
            }
            Self::Commit { by, previous, note } => show(Entry::Commit {
                by: *by,
                previous: *previous,
                note,
            }),
            Self::RolledBack { by } => show(Entry::RolledBack { by: *by }),
            Self::Checkpoint(bytes) => show(Entry::Checkpoint(bytes)),
        }
    }
}
