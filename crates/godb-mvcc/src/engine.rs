//! [`StorageEngine`]: everything SQL and the key-value API need of storage. A whole other engine plugs in here.

use crate::compaction::{CompactionPhase, CompactionProgress, Heed};
use crate::error::Error;
use godb_txn::{Patience, Range, TreeId, TxnId};
use std::io::Read;
use std::ops::ControlFlow;
use std::sync::Arc;

/// The largest value, in bytes.
pub(crate) const MAX_VALUE: u64 = 1 << 30;

/// A commit's place in the order of all commits: the log position of its commit record.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(pub(crate) u64);

impl Timestamp {
    /// Wraps a stored number.
    #[must_use]
    pub const fn from_raw(raw: u64) -> Self {
        Self(raw)
    }

    /// The number as it is stored.
    #[must_use]
    pub const fn raw(self) -> u64 {
        self.0
    }

    /// Whether a log gets so far, as [`Lsn::is_possible`](godb_txn::Lsn::is_possible) has it. What is not possible is damage.
    #[must_use]
    pub(crate) const fn is_possible(self) -> bool {
        self.0 < 1 << 60
    }
}

/// What a transaction sees of the others.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Isolation {
    /// Each statement sees what was committed when it began.
    ReadCommitted,
    /// The whole transaction sees what was committed when it began.
    #[default]
    RepeatableRead,
    /// As if transactions ran one after another.
    Serializable,
}

/// A moment of the past, for reading as of then.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Moment {
    /// Right after this commit.
    At(Timestamp),
    /// At this wall-clock time, in microseconds since 1970-01-01 UTC.
    Wall(i64),
    /// This many microseconds ago.
    Ago(i64),
    /// Right after this transaction committed.
    After(TxnId),
}

impl Moment {
    /// Right after the transaction that somebody names by this number.
    #[must_use]
    pub const fn after_transaction(number: u64) -> Self {
        Self::After(TxnId::from_raw(number))
    }

    /// Right after the commit that somebody names by its place in the order of commits.
    #[must_use]
    pub const fn at_commit(number: u64) -> Self {
        Self::At(Timestamp(number))
    }
}

/// How a transaction begins.
#[derive(Clone, Copy, Debug, Default)]
pub struct Begin {
    /// What it sees of the others.
    pub isolation: Isolation,
    /// It will not write.
    pub read_only: bool,
    /// It reads the past; implies `read_only`.
    pub as_of: Option<Moment>,
    /// It is the next try of what failed, and this was the id of the first: where age decides who gives way it counts as old as that.
    pub first_try: Option<TxnId>,
    /// Serializable and read-only, it waits when it begins until its snapshot is known to need no watching: then it is never refused, and makes nobody else fail. Of no effect
    /// otherwise.
    pub deferrable: bool,
}

/// How strongly a key is locked by [`EngineTransaction::lock`].
///
/// ```text
///                    SharedKey  Shared  ExclusiveButKey  Exclusive     held by somebody else
///   SharedKey           yes       yes         yes            ·
///   Shared              yes       yes          ·             ·
///   ExclusiveButKey     yes        ·           ·             ·
///   Exclusive            ·         ·           ·             ·
/// ```
///
/// These are PostgreSQL's four. A write counts as `Exclusive`, whatever it changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Strength {
    /// Nobody may delete it or change its key until the transaction ends.
    SharedKey,
    /// Nobody may change it until the transaction ends.
    Shared,
    /// Nobody else may change it, or lock it but as `SharedKey`.
    ExclusiveButKey,
    /// Nobody else may lock or change it.
    Exclusive,
}

impl Strength {
    /// Whether two transactions may hold these on one key at once.
    #[must_use]
    pub fn is_compatible_with(self, other: Self) -> bool {
        match (self.min(other), self.max(other)) {
            (_, Self::Exclusive) => false,
            (Self::SharedKey, _) | (Self::Shared, Self::Shared) => true,
            _ => false,
        }
    }
}

/// A point within a transaction to return to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EngineSavepoint(pub(crate) u64);

impl EngineSavepoint {
    /// For implementors of [`EngineTransaction::savepoint`].
    #[must_use]
    pub const fn from_raw(raw: u64) -> Self {
        Self(raw)
    }

    /// The number it was made from.
    #[must_use]
    pub const fn raw(self) -> u64 {
        self.0
    }
}

/// Versioned ordered trees under transactions.
pub trait StorageEngine: Send + Sync {
    /// Begins a transaction.
    fn begin(self: Arc<Self>, how: Begin) -> Result<Box<dyn EngineTransaction>, Error>;
    /// A tree that always exists; the layer above keeps there what it needs to find everything else.
    fn root(&self) -> TreeId;
    /// The longest key, in bytes.
    fn max_key(&self) -> usize;
    /// The commit that a transaction begun now would see.
    fn now(&self) -> Timestamp;
    /// Drops versions that nobody can see, up to a bounded amount of work; tells whether there is more to do.
    fn collect(&self) -> Result<bool, Error>;
    /// Gives space back: drops versions that nobody can see, packs the rows of these trees, or of all, into fewer pages, and gives the end of the file to the file
    /// system. Others read and write meanwhile. `heed` is told after each bounded part and may end it; what was done until then stays. Returns by how many bytes the
    /// file became shorter: none in an engine without a file, which only drops versions.
    fn compact(self: Arc<Self>, _trees: Option<&[TreeId]>, heed: &mut Heed<'_>) -> Result<u64, Error> {
        let progress = CompactionProgress {
            phase: CompactionPhase::Collecting,
            done: 0,
            total: 0,
        };
        while self.collect()? && heed(progress).is_continue() {}
        Ok(0)
    }
    /// Takes a checkpoint, where the engine has a log.
    fn checkpoint(&self) -> Result<(), Error>;
    /// Bytes of log since the last checkpoint.
    fn log_since_checkpoint(&self) -> u64;
}

/// Counts the rows of a tree one by one.
pub(crate) fn count_by_walking<T: EngineTransaction + ?Sized>(tx: &T, tree: TreeId) -> Result<u64, Error> {
    let mut cursor = tx.scan(tree, Range::ALL)?;
    let mut rows = 0;
    while cursor.next(&mut |_, _| {
        rows += 1;
        ControlFlow::Continue(())
    })? {}
    Ok(rows)
}

/// A transaction of an engine. Dropping it rolls it back.
///
/// After an error with [`Error::is_fatal_to_transaction`] everything but rolling back fails.
pub trait EngineTransaction: Send {
    /// Shows the value that `key` has for this transaction; `false` when it has none. `show` calls nothing of the engine.
    fn get(&self, tree: TreeId, key: &[u8], show: &mut dyn FnMut(&[u8])) -> Result<bool, Error>;
    /// The value as a stream, in bounded memory.
    fn get_reader(&self, tree: TreeId, key: &[u8]) -> Result<Option<Box<dyn Read + Send>>, Error>;
    /// Sets a value. Fails with a conflict when a commit that this transaction does not see has changed the key. An engine may put off what
    /// many puts in a row ask for until the transaction asks for something else; then that call fails, and the transaction with it.
    fn put(&mut self, tree: TreeId, key: &[u8], value: &[u8]) -> Result<(), Error>;
    /// Sets a value from a stream, in bounded memory. Returns its length.
    fn put_reader(&mut self, tree: TreeId, key: &[u8], value: &mut dyn Read) -> Result<u64, Error>;
    /// Removes a key; tells whether this transaction saw it. Conflicts as [`put`](Self::put) does.
    fn delete(&mut self, tree: TreeId, key: &[u8]) -> Result<bool, Error>;
    /// Locks a key until the end. Fails with a conflict when its newest committed version is not the one seen.
    fn lock(&mut self, tree: TreeId, key: &[u8], strength: Strength) -> Result<(), Error>;
    /// The same, if that needs no waiting; `false` when somebody else holds the key or has changed it and not ended.
    fn try_lock(&mut self, tree: TreeId, key: &[u8], strength: Strength) -> Result<bool, Error>;
    /// Begins a scan. It sees what this transaction sees, its own changes included, and those it makes meanwhile
    /// where the scan has not passed yet.
    fn scan(&self, tree: TreeId, range: Range<'_>) -> Result<Box<dyn EngineCursor>, Error>;
    /// How many keys have a value for this transaction. An engine that keeps no account walks over them.
    fn count(&self, tree: TreeId) -> Result<u64, Error> {
        count_by_walking(self, tree)
    }
    /// Makes a new, empty tree; gone again when the transaction rolls back.
    fn create_tree(&mut self) -> Result<TreeId, Error>;
    /// Gives a tree up at commit. Its pages come back when no snapshot and no retention needs them.
    fn drop_tree(&mut self, tree: TreeId) -> Result<(), Error>;
    /// A point to return to.
    fn savepoint(&mut self) -> Result<EngineSavepoint, Error>;
    /// Undoes what was done since.
    fn roll_back_to(&mut self, to: EngineSavepoint) -> Result<(), Error>;
    /// From now on it waits for others like this.
    fn set_patience(&mut self, patience: Patience);
    /// Under read committed: a new statement begins and sees what is committed by now. Otherwise nothing.
    fn next_statement(&mut self) -> Result<(), Error>;
    /// The number by which others know it, once it has written; one that only reads has none. [`Moment::After`] takes it when it has committed.
    fn id(&self) -> Option<TxnId>;
    /// The commit whose state this transaction sees.
    fn snapshot(&self) -> Timestamp;
    /// When it began, by the wall clock, in microseconds; for a read of the past, that moment.
    fn wall_micros(&self) -> i64;
    /// Commits durably. Returns when, or the snapshot's commit if nothing was changed.
    fn commit(self: Box<Self>) -> Result<Timestamp, Error>;
    /// Undoes everything.
    fn roll_back(self: Box<Self>) -> Result<(), Error>;
}

/// What a cursor shows rows to: key and value.
pub type ShowRow<'a> = dyn FnMut(&[u8], &[u8]) -> ControlFlow<()> + 'a;

/// A position in a scan; holds nothing between calls.
pub trait EngineCursor: Send {
    /// Shows the next rows, up to a page of them, until `show` breaks. `false` when the scan is over.
    fn next(&mut self, show: &mut ShowRow<'_>) -> Result<bool, Error>;
}
