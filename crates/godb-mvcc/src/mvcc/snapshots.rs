//! [`Snapshots`]: which moments somebody looks at, so that nothing they show is collected.
//!
//! The register has parts, and a thread uses the part that its id falls on, so that transactions on different threads seldom meet. Two numbers are got from it. The *current* moment:
//! no ordinary snapshot in use, or taken later, is older. And the *horizon*: nobody at all can look at anything older; it follows the current moment
//! at the distance that retention asks for.

use super::MvccEngine;
use super::commits::Commits;
use crate::engine::Timestamp;
use godb_txn::Transactions;
use godb_txn::sync::Mutex;
use godb_txn::sync::atomic::{AtomicU64, Ordering};
use std::collections::BTreeMap;
use std::hash::{BuildHasher, BuildHasherDefault};
use std::sync::Arc;

/// How many parts the register has; few in a model.
const PARTS: usize = if cfg!(godb_loom) { 1 } else { 16 };

/// How many use each moment.
type Users = BTreeMap<Timestamp, usize>;

/// The moments in use.
pub(super) struct Snapshots {
    parts: Box<[Mutex<Users>]>,
    horizon: AtomicU64,
}

/// A place in the register.
#[derive(Clone, Copy)]
pub(super) struct Place {
    at: Timestamp,
    part: usize,
}

impl Snapshots {
    pub(super) fn new() -> Self {
        Self {
            parts: (0..PARTS).map(|_| Mutex::new(Users::new())).collect(),
            horizon: AtomicU64::new(0),
        }
    }

    /// Registers the newest commit. It is read under the part's lock: whoever looks through the parts either finds it or has read `newest` before.
    pub(super) fn take(&self, commits: &Commits) -> Place {
        let part = own_part();
        let mut users = self.parts[part].lock();
        let at = commits.newest();
        *users.entry(at).or_default() += 1;
        Place { at, part }
    }

    /// Registers a moment of the past; `None` when it is older than the horizon.
    pub(super) fn take_at(&self, at: Timestamp) -> Option<Place> {
        let part = own_part();
        let mut users = self.parts[part].lock();
        if at < self.horizon() {
            return None;
        }
        *users.entry(at).or_default() += 1;
        Some(Place { at, part })
    }

    /// Gives a place back.
    pub(super) fn release(&self, place: Place) {
        let mut users = self.parts[place.part].lock();
        if let Some(count) = users.get_mut(&place.at) {
            *count -= 1;
            if *count == 0 {
                users.remove(&place.at);
            }
        }
    }

    /// No ordinary snapshot in use is older than this, nor will one be.
    pub(super) fn current(&self, commits: &Commits) -> Timestamp {
        // Read first: what is registered while the parts are looked through is not older.
        let newest = commits.newest();
        self.parts
            .iter()
            .filter_map(|users| users.lock().keys().next().copied())
            .fold(newest, Timestamp::min)
    }

    /// Nobody can look at anything older.
    pub(super) fn horizon(&self) -> Timestamp {
        Timestamp(self.horizon.load(Ordering::Acquire))
    }

    /// Moves the horizon forward to `to`, but not past a moment in use; returns it.
    pub(super) fn advance(&self, to: Timestamp) -> Timestamp {
        // With every part locked nobody registers a moment that is being passed.
        let parts: Vec<_> = self.parts.iter().map(Mutex::lock).collect();
        let oldest = parts.iter().filter_map(|users| users.keys().next().copied());
        let to = oldest.fold(to, Timestamp::min).max(self.horizon());
        self.horizon.store(to.raw(), Ordering::Release);
        to
    }
}

/// The part of the register that this thread uses.
fn own_part() -> usize {
    if PARTS == 1 {
        return 0;
    }
    let spread = BuildHasherDefault::<std::hash::DefaultHasher>::default();
    let hash = spread.hash_one(std::thread::current().id());
    usize::try_from(hash % PARTS as u64).unwrap_or(0)
}

/// A moment in use; nothing it shows is collected while this lives.
pub(super) struct Snapshot<T: Transactions> {
    pub(super) engine: Arc<MvccEngine<T>>,
    place: Place,
}

impl<T: Transactions> Snapshot<T> {
    pub(super) fn new(engine: Arc<MvccEngine<T>>, place: Place) -> Arc<Self> {
        Arc::new(Self { engine, place })
    }

    /// It sees what was committed at or before this.
    pub(super) fn at(&self) -> Timestamp {
        self.place.at
    }
}

impl<T: Transactions> Drop for Snapshot<T> {
    fn drop(&mut self) {
        self.engine.snapshots.release(self.place);
    }
}
