//! [`Transactions`]: recoverable transactions kept apart by locks.

use crate::error::Error;
use crate::lock::Patience;
use godb_recovery::{Fault, Lsn, Tree, TreeId, TxnId};

/// How strongly something is locked. The intention modes announce locks further down (Gray, 1976).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Mode {
    /// Will lock parts of it shared.
    IntentShared,
    /// Will lock parts of it exclusively.
    IntentExclusive,
    /// Nobody may change it.
    Shared,
    /// Shared, and will lock parts of it exclusively.
    SharedIntentExclusive,
    /// Nobody else may touch it.
    Exclusive,
}

/// What can be locked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Resource<'a> {
    /// Everything.
    Database,
    /// One tree.
    Table(TreeId),
    /// One key of a tree, whether it is there or not.
    Key(TreeId, &'a [u8]),
    /// The keys of a tree from the first on, up to and without the second, or to the end; whether they are there or not.
    KeyRange(TreeId, &'a [u8], Option<&'a [u8]>),
    /// A transaction itself. Each holds its own exclusively from the beginning, so that whoever must wait for its end asks for
    /// a shared lock on it.
    Transaction(TxnId),
}

/// A point within a transaction to return to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Savepoint(pub(crate) Lsn);

impl Savepoint {
    /// Before everything.
    #[must_use]
    pub fn beginning() -> Self {
        Self(Lsn::default())
    }
}

/// What the layer above adds to a commit.
pub trait CommitHook: Send + Sync {
    /// The bytes for the commit record. Called in commit order, one at a time.
    fn note(&self, by: TxnId) -> Vec<u8>;
    /// The commit is durable. Called in commit order, one at a time, before the transaction's locks are freed.
    fn committed(&self, by: TxnId, at: Lsn);
    /// It ended without having changed anything, or everything was taken back: nothing of it is left. Called before its locks are freed.
    fn rolled_back(&self, by: TxnId);
}

/// Atomic, durable transactions that lock what they touch.
pub trait Transactions: Send + Sync + 'static {
    /// The tree under it.
    type Tree: Tree;

    /// The tree. Change it only under an id from [`begin`](Self::begin), with the key locked.
    fn tree(&self) -> &Self::Tree;
    /// A new transaction.
    fn begin(&self) -> TxnId;
    /// A new transaction that is the next try of one that failed, whose first try had this id: as old as that one where age decides who gives way, or it might give way for ever.
    fn begin_again(&self, first: TxnId) -> TxnId;
    /// Fails when the transaction has to give way to another. To be asked before each write that needs no lock; cheap.
    ///
    /// # Errors
    /// [`Error::GaveWay`].
    fn check(&self, by: TxnId) -> Result<(), Error>;
    /// Goes on with rollbacks that failed earlier. To be called before a transaction begins, where nothing is held that the version layer needs when it is
    /// told that a transaction has ended.
    fn finish_rollbacks(&self) {}
    /// What keeps the rollback of a transaction from coming to its end: nobody need wait for that.
    fn failed_rollback(&self, _by: TxnId) -> Option<Fault> {
        None
    }
    /// Waits for a lock, as long as the configured time-out; it is held until the transaction ends. A key lock takes the
    /// intention locks above it by itself.
    ///
    /// # Errors
    /// [`Error::Deadlock`] or [`Error::GaveWay`] when this transaction is to give way, [`Error::LockTimeout`], and [`Fault::Poisoned`] once a commit's outcome
    /// is unknown: what the lock protects may then be half done.
    fn lock(&self, by: TxnId, what: Resource<'_>, mode: Mode) -> Result<(), Error> {
        self.lock_patiently(by, what, mode, &Patience::default())
    }
    /// The same with a limit of the caller's own to each wait.
    ///
    /// # Errors
    /// As for [`lock`](Self::lock); [`Error::Interrupted`].
    fn lock_patiently(
        &self,
        by: TxnId,
        what: Resource<'_>,
        mode: Mode,
        patience: &Patience,
    ) -> Result<(), Error>;
    /// Takes a lock if that needs no waiting.
    fn try_lock(&self, by: TxnId, what: Resource<'_>, mode: Mode) -> Result<bool, Error>;
    /// A point to return to.
    fn savepoint(&self, by: TxnId) -> Savepoint;
    /// Undoes what was done since `to`; locks stay.
    fn roll_back_to(&self, by: TxnId, to: Savepoint) -> Result<(), Error>;
    /// Undoes everything, frees the locks, ends the transaction. An error means that it could not do so now: the transaction keeps its locks, and the
    /// rollback is gone on with in the background of later calls. There is nothing left for the caller to do.
    fn roll_back(&self, by: TxnId) -> Result<(), Error>;
    /// Commits, waits until that may be acknowledged, frees the locks. Returns the place in commit order, or zero when the
    /// transaction changed nothing and there is nothing to commit.
    ///
    /// # Errors
    /// The caller is done with the transaction in any case. When the commit record could not be appended everything is undone as by
    /// [`roll_back`](Self::roll_back); when
    /// the log failed to make it durable the outcome is unknown until the database is opened again, and nobody can write until then.
    fn commit(&self, by: TxnId) -> Result<Lsn, Error>;
    /// Takes a fuzzy checkpoint with the version layer's bytes.
    fn checkpoint(&self, note: &dyn Fn() -> Vec<u8>) -> Result<(), Fault>;
    /// Bytes of log since the last checkpoint.
    fn log_since_checkpoint(&self) -> u64;
}
