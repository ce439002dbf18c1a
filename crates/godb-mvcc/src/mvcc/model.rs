//! [`Publication`]: what the models of concurrency need of commits and snapshots, which nobody else sees.

use super::commits::{Commits, Sight};
use super::snapshots::{Place, Snapshots};
use crate::engine::Timestamp;
use godb_txn::{Clock, CommitHook, Lsn, TxnId};
use std::sync::Arc;

/// The commits of an engine and the snapshots taken of them, without rows.
pub struct Publication {
    commits: Arc<Commits>,
    snapshots: Snapshots,
}

/// A snapshot of it.
#[derive(Clone, Copy)]
pub struct Taken(Place);

impl Publication {
    /// Nothing has committed, nobody looks.
    #[must_use]
    pub fn new(clock: Arc<dyn Clock>) -> Self {
        Self {
            commits: Commits::new(clock),
            snapshots: Snapshots::default(),
        }
    }

    /// A transaction begins to write.
    pub fn begin(&self, id: TxnId) {
        self.commits.begin(|| id);
    }

    /// It commits.
    pub fn commit(&self, id: TxnId, at: Lsn) {
        self.commits.note(id);
        self.commits.committed(id, at);
    }

    /// A snapshot of what is committed.
    pub fn take(&self) -> Taken {
        Taken(self.snapshots.take(&self.commits))
    }

    /// It is not looked at any more.
    pub fn release(&self, snapshot: Taken) {
        self.snapshots.release(snapshot.0);
    }

    /// Which commit a snapshot is of.
    pub fn moment(&self, snapshot: Taken) -> u64 {
        snapshot.0.at.raw()
    }

    /// Whether it sees what `id` wrote.
    pub fn sees(&self, snapshot: Taken, id: TxnId) -> bool {
        self.commits.sight(id, snapshot.0.at) == Sight::Seen
    }

    /// Forgets what nobody asks for. Whether a version current from `begin` until `end` could be dropped now.
    pub fn collect(&self, begin: u64, end: u64) -> bool {
        let newest = self.commits.newest();
        let in_use = self.snapshots.advance(newest, newest);
        self.commits.forget(in_use.current, in_use.horizon);
        let (begin, end) = (Timestamp(begin), Timestamp(end));
        end <= in_use.frontier && in_use.holder(begin, end).is_none()
    }
}
