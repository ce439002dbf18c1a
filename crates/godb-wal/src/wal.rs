//! [`Wal`]: a tree whose changes are logged, and the log itself.

use crate::record::Record;
use godb_btree::{Fault, Lsn, Tree, TxnId};

/// A transaction that has logged something and has neither committed nor been rolled back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ActiveTransaction {
    /// Who.
    pub id: TxnId,
    /// Its first record: the log cannot be recycled past it.
    pub first: Lsn,
    /// Its newest record: undo begins there.
    pub last: Lsn,
}

/// A log and the tree that journals into it.
pub trait Wal: Send + Sync + 'static {
    /// The tree under the log.
    type Tree: Tree;

    /// The tree.
    fn tree(&self) -> &Self::Tree;
    /// Appends a record that is not a page change (those come through the tree's journal). A `Commit` or `RolledBack` ends
    /// its transaction; `previous` fields are filled in by the log.
    fn append(&self, record: Record) -> Result<Lsn, Fault>;
    /// Returns when a commit at `upto` may be acknowledged under the configured sync mode. An error means
    /// that the outcome of the commit is unknown.
    fn acknowledge(&self, upto: Lsn) -> Result<(), Fault>;
    /// Returns when everything up to `upto` is on the medium, whatever the sync mode.
    fn wait_durable(&self, upto: Lsn) -> Result<(), Fault>;
    /// The records from `from` on, in order, as far as the log reaches. `from` is zero or a position that this log gave out.
    fn read(&self, from: Lsn) -> impl Iterator<Item = Result<(Lsn, Record), Fault>> + Send;
    /// Where the next record will go.
    fn end(&self) -> Lsn;
    /// The newest record of a transaction, or zero.
    fn last_of(&self, by: TxnId) -> Lsn;
    /// Every transaction that has logged something and has not ended.
    fn active(&self) -> Vec<ActiveTransaction>;
    /// Tells the log of a transaction found active by analysis, so that undo can go on logging for it.
    fn adopt(&self, found: ActiveTransaction);
    /// The oldest floor of any open reservation, or the end of the log.
    fn floor(&self) -> Lsn;
    /// The position of the last completed checkpoint record, or zero.
    fn last_checkpoint(&self) -> Lsn;
    /// Makes `checkpoint`, a durable record, the one that recovery starts from, and gives back the log before `keep`.
    fn checkpointed(&self, checkpoint: Lsn, keep: Lsn) -> Result<(), Fault>;
}
