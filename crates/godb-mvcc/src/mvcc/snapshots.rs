//! [`Snapshots`]: which moments somebody looks at.

use super::commits::Commits;
use crate::engine::Timestamp;
use godb_txn::sync::Mutex;
use std::collections::BTreeMap;
use std::sync::Arc;

/// What is registered.
#[derive(Default)]
struct Registry {
    users: BTreeMap<Timestamp, usize>,
    /// Versions that only older snapshots would see may have been dropped.
    horizon: Timestamp,
}

/// The snapshots in use.
pub(super) struct Snapshots {
    commits: Arc<Commits>,
    registry: Mutex<Registry>,
}

/// A snapshot in use; nothing it sees is collected while it lives.
pub(super) struct Snapshot {
    at: Timestamp,
    of: Arc<Snapshots>,
}

impl Snapshot {
    /// It sees what was committed at or before this.
    pub(super) fn at(&self) -> Timestamp {
        self.at
    }
}

impl Drop for Snapshot {
    fn drop(&mut self) {
        let mut registry = self.of.registry.lock();
        if let Some(users) = registry.users.get_mut(&self.at) {
            *users -= 1;
            if *users == 0 {
                registry.users.remove(&self.at);
            }
        }
    }
}

impl Snapshots {
    pub(super) fn new(commits: Arc<Commits>, horizon: Timestamp) -> Arc<Self> {
        Arc::new(Self {
            commits,
            registry: Mutex::new(Registry {
                users: BTreeMap::new(),
                horizon,
            }),
        })
    }

    /// A snapshot of now. The newest commit is read under the lock, so that the horizon cannot pass it unseen.
    pub(super) fn take(self: &Arc<Self>) -> Arc<Snapshot> {
        let mut registry = self.registry.lock();
        let at = self.commits.newest();
        *registry.users.entry(at).or_default() += 1;
        Arc::new(Snapshot { at, of: self.clone() })
    }

    /// A snapshot of the past; `None` when it is older than what is kept.
    pub(super) fn take_at(self: &Arc<Self>, at: Timestamp) -> Option<Arc<Snapshot>> {
        let mut registry = self.registry.lock();
        if at < registry.horizon {
            return None;
        }
        *registry.users.entry(at).or_default() += 1;
        Some(Arc::new(Snapshot { at, of: self.clone() }))
    }

    /// The oldest moment that can be looked at.
    pub(super) fn horizon(&self) -> Timestamp {
        self.registry.lock().horizon
    }

    /// Moves the horizon up to `retained`, or to the oldest snapshot in use where that is older; returns it.
    pub(super) fn advance(&self, retained: Option<Timestamp>) -> Timestamp {
        let mut registry = self.registry.lock();
        let oldest = registry.users.keys().next().copied();
        let newest = self.commits.newest();
        let to = oldest.into_iter().chain(retained).fold(newest, Timestamp::min);
        registry.horizon = registry.horizon.max(to);
        registry.horizon
    }
}
