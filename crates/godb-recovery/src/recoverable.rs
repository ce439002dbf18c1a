//! [`Recoverable`]: a tree whose transactions survive a crash, whole or not at all.

use godb_wal::sync::Arc;
use godb_wal::{Fault, Lsn, Tree, TxnId};

/// Transactions without isolation: atomic and durable, nothing more.
pub trait Recoverable: Send + Sync + 'static {
    /// The tree under it.
    type Tree: Tree;

    /// The tree. Change it only under an id from [`begin`](Self::begin).
    fn tree(&self) -> &Self::Tree;
    /// A new transaction id. Costs no log record until something is changed under it.
    fn begin(&self) -> TxnId;
    /// The position to which [`roll_back`](Self::roll_back) would return to undo only what comes after now.
    fn mark(&self, by: TxnId) -> Lsn;
    /// Undoes the changes of `by` made after the mark `to`; zero undoes all of them and ends the transaction.
    fn roll_back(&self, by: TxnId, to: Lsn) -> Result<(), Fault>;
    /// Logs the commit and ends the transaction. The position returned is its place in commit order. Not durable yet.
    fn commit(&self, by: TxnId, note: &[u8]) -> Result<Lsn, Fault>;
    /// Returns when a commit may be acknowledged; an error means that its outcome is unknown.
    fn acknowledge(&self, commit: Lsn) -> Result<(), Fault>;
    /// Takes a fuzzy checkpoint: nobody waits for it. `note` is called once, for the version layer's bytes: they must cover every
    /// commit that was logged before the call. Those logged after it are handed back one by one by recovery, and some that the
    /// note covers may be too.
    fn checkpoint(&self, note: &dyn Fn() -> Vec<u8>) -> Result<(), Fault>;
    /// Bytes of log since the last checkpoint.
    fn log_since_checkpoint(&self) -> u64;
}

/// Shared transactions are transactions: whoever wires the layers keeps a handle for closing.
impl<R: Recoverable> Recoverable for Arc<R> {
    type Tree = R::Tree;

    fn tree(&self) -> &R::Tree {
        (**self).tree()
    }

    fn begin(&self) -> TxnId {
        (**self).begin()
    }

    fn mark(&self, by: TxnId) -> Lsn {
        (**self).mark(by)
    }

    fn roll_back(&self, by: TxnId, to: Lsn) -> Result<(), Fault> {
        (**self).roll_back(by, to)
    }

    fn commit(&self, by: TxnId, note: &[u8]) -> Result<Lsn, Fault> {
        (**self).commit(by, note)
    }

    fn acknowledge(&self, commit: Lsn) -> Result<(), Fault> {
        (**self).acknowledge(commit)
    }

    fn checkpoint(&self, note: &dyn Fn() -> Vec<u8>) -> Result<(), Fault> {
        (**self).checkpoint(note)
    }

    fn log_since_checkpoint(&self) -> u64 {
        (**self).log_since_checkpoint()
    }
}
