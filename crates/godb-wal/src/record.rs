//! [`Record`]: what the log holds, as owned values.

use godb_btree::{Lsn, PageId, TxnId};

/// How a logged change is taken back; the owned twin of [`godb_btree::Undo`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum UndoRecord {
    /// Never.
    Never,
    /// By a logical operation on the tree.
    Logical(Vec<u8>),
    /// It is itself a compensation; undo goes on at `next`.
    Compensates {
        /// The next record to undo, or zero.
        next: Lsn,
    },
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
