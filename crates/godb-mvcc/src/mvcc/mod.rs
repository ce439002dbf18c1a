//! [`MvccEngine`]: versions over locked, recoverable transactions.

mod batch;
mod check;
mod claims;
mod collect;
mod commits;
mod compact;
mod counted;
mod counts;
mod cursor;
mod deletions;
mod dropped;
mod history;
mod horizon;
mod keys;
mod locking;
#[cfg(godb_loom)]
mod model;
mod moments;
mod note;
mod open;
mod reader;
mod reading;
mod recent;
mod rows;
mod snapshots;
mod source;
mod ssi;
mod stored;
mod sweep;
mod timeline;
mod transaction;
mod version;
mod waiting;
mod watched;
mod write;

pub use check::{VersionCheck, VersionFinding};
pub use commits::Commits;
pub use history::{Committed, KeptVersions};
#[cfg(godb_loom)]
pub use model::{Publication, Taken};
pub use note::RecoveredCommits;
pub use stored::{StoredVersion, history_key};

use crate::compaction::Heed;
use crate::engine::{Begin, EngineTransaction, Isolation, StorageEngine, Timestamp};
use crate::error::Error;
use batch::Budget;
use claims::Claims;
use collect::Queue;
use deletions::Walk;
use dropped::DroppedTrees;
use godb_txn::sync::atomic::{AtomicBool, Ordering};
use godb_txn::sync::{Mutex, MutexGuard, RwLock};
use godb_txn::{Clock, Fault, Transactions, Tree, TreeId};
use note::Note;
use rows::Kept;
use snapshots::{Place, Snapshot, Snapshots};
use ssi::{Entry, Serial, Ticket};
use std::sync::Arc;
use std::time::Duration;
use sweep::Sweep;
use transaction::MvccTransaction;

/// With more commits than this a checkpoint's note would be long, so they go to the timeline first.
const LONG_NOTE: usize = 64;

/// How often collection is called when the database closes: some tens of thousands of entries.
const CLOSING_ROUNDS: u32 = 100;

/// How the engine behaves.
#[derive(Clone, Copy, Debug)]
pub struct MvccOptions {
    /// How far back reads of the past reach. Zero keeps old versions only as long as a transaction needs them.
    pub retention: Duration,
    /// Writers keep old versions, so that readers need no locks. Without, every transaction locks what it reads and writes; the retention must be zero then.
    pub versions: bool,
    /// How many bytes all transactions together may take for gathering puts that they make in the order of their keys. With zero each put is made at once.
    pub batch_memory: usize,
    /// How many bytes the marks of serializable transactions may take, roughly. With more of them they become coarser, and refuse more than they must.
    pub marks_memory: usize,
}

impl Default for MvccOptions {
    fn default() -> Self {
        Self {
            retention: Duration::ZERO,
            versions: true,
            batch_memory: 1 << 20,
            marks_memory: 4 << 20,
        }
    }
}

impl MvccOptions {
    fn retention_micros(&self) -> i64 {
        i64::try_from(self.retention.as_micros()).unwrap_or(i64::MAX)
    }
}

/// The trees that the version layer keeps for itself, and the one it gives to the layer above.
#[derive(Clone, Copy, Debug)]
struct SystemTrees {
    root: TreeId,
    history: TreeId,
}

/// The engine with everything below it. Made by [`MvccEngine::open`].
pub struct MvccEngine<T: Transactions> {
    below: T,
    commits: Arc<Commits>,
    snapshots: Snapshots,
    trees: SystemTrees,
    options: MvccOptions,
    clock: Arc<dyn Clock>,
    claims: Claims,
    /// The last keys that were put had rows before.
    meets_rows: AtomicBool,
    budget: Budget,
    serial: Serial,
    dropped: DroppedTrees,
    kept: RwLock<Kept>,
    /// Whether the timeline may have rows.
    has_timeline: AtomicBool,
    /// When the frontier was last moved forward, by the monotonic clock; none yet.
    advanced: Mutex<Option<Duration>>,
    /// Held by whoever tends the timeline.
    tending: Mutex<()>,
    queue: Mutex<Queue>,
    sweep: Mutex<Sweep>,
    walk: Mutex<Walk>,
    /// The queue does not know of all rows that were deleted in their places.
    deletions_lost: AtomicBool,
}

impl<T: Transactions> MvccEngine<T> {
    /// What lies below.
    pub fn below(&self) -> &T {
        &self.below
    }

    fn tree(&self) -> &T::Tree {
        self.below.tree()
    }

    fn kept(&self) -> Kept {
        *self.kept.read()
    }

    /// Whether more of the past is kept than somebody looks at.
    fn keeps_past(&self) -> bool {
        !self.options.retention.is_zero()
    }

    fn stripe(&self, tree: TreeId, key: &[u8]) -> MutexGuard<'_, ()> {
        self.claims.stripe(tree, key)
    }

    /// The newest moment, and for a serializable transaction its part in the watching.
    fn take_snapshot(&self, how: Begin) -> (Place, Option<Arc<Ticket>>) {
        let take = || self.snapshots.take(&self.commits);
        if how.isolation != Isolation::Serializable || !self.keeps_versions() {
            return (take(), None);
        }
        let entry = Entry {
            read_only: how.read_only,
            deferrable: how.deferrable,
        };
        let release = |place| self.snapshots.release(place);
        let (place, ticket) = self.serial.begin(entry, take, release);
        (place, Some(ticket))
    }

    /// The longest key: its history key must fit too.
    fn longest_key(&self) -> usize {
        self.tree().max_key().saturating_sub(keys::OVERHEAD)
    }

    /// What must be kept in the file while there is no log: handed back as [`RecoveredCommits::note`] by the next opening. Called when no transaction is open any
    /// more. Collects some of what can be collected; the rest is found after the next opening.
    pub fn closing_note(&self) -> Result<Vec<u8>, Error> {
        for _ in 0..CLOSING_ROUNDS {
            if !self.collect()? {
                break;
            }
        }
        while self.keeps_past() && self.commits.recent(|recent| recent.unpersisted_count()) > 0 {
            self.tend_timeline()?;
        }
        let mut note = Note::of(&self.commits, self.keeps_past());
        self.put_counts_apart(&mut note)?;
        Ok(note.encode())
    }

    /// An error from below about a tree: one that is not there is the caller's mistake, not damage.
    fn about_tree(&self, tree: TreeId, error: Error) -> Error {
        let missing = matches!(error, Error::Fault(Fault::Corrupt { .. }))
            && self.tree().trees().is_ok_and(|trees| !trees.contains(&tree));
        if missing { Error::NoSuchTree } else { error }
    }
}

impl<T: Transactions> StorageEngine for MvccEngine<T> {
    fn begin(self: Arc<Self>, how: Begin) -> Result<Box<dyn EngineTransaction>, Error> {
        if let Some(moment) = how.as_of {
            if !self.keeps_versions() {
                return Err(Error::Unsupported {
                    what: "reading the past of a database without versions",
                });
            }
            let (snapshot, wall) = self.past(moment)?;
            return Ok(Box::new(MvccTransaction::new(how, snapshot, wall, None)));
        }
        let (place, ticket) = self.take_snapshot(how);
        let wall = self.clock.wall_micros();
        let snapshot = Snapshot::new(self, place);
        Ok(Box::new(MvccTransaction::new(how, snapshot, wall, ticket)))
    }

    fn root(&self) -> TreeId {
        self.trees.root
    }

    fn max_key(&self) -> usize {
        self.longest_key()
    }

    fn now(&self) -> Timestamp {
        self.commits.newest()
    }

    fn collect(&self) -> Result<bool, Error> {
        self.collect_some()
    }

    fn compact(self: Arc<Self>, trees: Option<&[TreeId]>, heed: &mut Heed<'_>) -> Result<u64, Error> {
        self.compact_all(trees, heed)
    }

    fn checkpoint(&self) -> Result<(), Error> {
        let many = || self.commits.recent(|recent| recent.unpersisted_count()) > LONG_NOTE;
        while self.keeps_past() && many() {
            self.tend_timeline()?;
        }
        let note = || Note::of(&self.commits, self.keeps_past()).encode();
        Ok(self.below.checkpoint(&note)?)
    }

    fn log_since_checkpoint(&self) -> u64 {
        self.below.log_since_checkpoint()
    }
}

#[cfg(test)]
mod tests;
