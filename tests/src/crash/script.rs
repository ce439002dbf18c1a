//! The language of workloads: what transactions do, one step at a time, on one thread.
//!
//! Transactions live in numbered slots, so that several can be open at once and their steps interleave in the order of the script. A script says
//! everything; the same script always does the same. A tester can therefore run it again up to any moment, and leave steps out until a failure is small.

use std::fmt;

/// Keys are small numbers; their order is that of the numbers.
pub type Key = u16;

/// One change within a transaction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// Set a key to a value of this many bytes.
    Put(Key, usize),
    /// Remove a key.
    Delete(Key),
    /// Remember this point.
    Savepoint,
    /// Go back to the last point remembered; nothing when there is none.
    RollBackToSavepoint,
    /// A statement that succeeds.
    Sql(String),
    /// A statement that must be refused, and leaves nothing behind.
    Refused(String),
}

/// One step of a workload.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// Changes within the transaction of a slot; the first begin it.
    Do(usize, Vec<Change>),
    /// The transaction of a slot commits. Nothing when there is none.
    Commit(usize),
    /// The transaction of a slot rolls back. Nothing when there is none.
    RollBack(usize),
    /// One step of background work: dirty pages are written, old versions dropped.
    Background,
    /// Take a checkpoint.
    Checkpoint,
    /// Make the file as short as what is in it.
    Compact,
    /// Roll back what is open, close cleanly and open again.
    Reopen,
}

/// A named script, and how the database is opened for it.
#[derive(Clone, Debug)]
pub struct Workload {
    /// What it is called.
    pub name: String,
    /// What it does.
    pub steps: Vec<Step>,
    /// Bytes in a segment of the log: small ones are recycled often.
    pub segment: u64,
    /// Whether the past is kept, and read `AS OF` after a crash.
    pub past: bool,
    /// Commits are acknowledged before they are durable: the last ones may be lost, in order.
    pub relaxed: bool,
}

impl Workload {
    /// A script with segments of 16 MiB and no past.
    #[must_use]
    pub fn new(name: impl Into<String>, steps: Vec<Step>) -> Self {
        Self {
            name: name.into(),
            steps,
            segment: 16 << 20,
            past: false,
            relaxed: false,
        }
    }

    /// The same in small segments of the log.
    #[must_use]
    pub fn small_segments(mut self) -> Self {
        self.segment = 32 << 10;
        self
    }

    /// The same with its past kept.
    #[must_use]
    pub fn with_past(mut self) -> Self {
        self.past = true;
        self
    }

    /// The same with commits that do not wait for the disk.
    #[must_use]
    pub fn relaxed(mut self) -> Self {
        self.relaxed = true;
        self
    }
}

/// A transaction that does some changes and commits.
pub(super) fn commit(changes: Vec<Change>) -> Vec<Step> {
    vec![Step::Do(0, changes), Step::Commit(0)]
}

/// One that rolls back.
pub(super) fn roll_back(changes: Vec<Change>) -> Vec<Step> {
    vec![Step::Do(0, changes), Step::RollBack(0)]
}

/// Sets keys to values of one length.
pub(super) fn puts(keys: impl IntoIterator<Item = Key>, length: usize) -> Vec<Change> {
    keys.into_iter().map(|key| Change::Put(key, length)).collect()
}

/// Removes keys.
pub(super) fn deletes(keys: impl IntoIterator<Item = Key>) -> Vec<Change> {
    keys.into_iter().map(Change::Delete).collect()
}

/// A transaction that sets one key.
pub(super) fn put(key: Key, length: usize) -> Vec<Step> {
    commit(vec![Change::Put(key, length)])
}

/// One statement in a transaction of its own.
pub(super) fn sql(statement: &str) -> Vec<Step> {
    commit(vec![Change::Sql(statement.to_owned())])
}

impl fmt::Display for Workload {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "workload {} (segments of {} KiB{}{})",
            self.name,
            self.segment >> 10,
            if self.past { ", past kept" } else { "" },
            if self.relaxed { ", relaxed" } else { "" },
        )?;
        self.steps.iter().try_for_each(|step| writeln!(f, "  {step:?}"))
    }
}
