//! [`Snapshots`]: which moments somebody looks at, so that nothing they show is collected.
//!
//! The register has parts, and a thread uses the part that its id falls on, so that transactions on different threads seldom meet. What collection must know is got by looking
//! through all of them at once ([`InUse`]):
//!
//! - the *moments* in use, each of which may hold some versions;
//! - the *frontier*: nobody will begin to look at anything older, though somebody may still be looking;
//! - the *horizon*: nobody looks at anything older, nor will; the smaller of the frontier and the oldest moment in use;
//! - the *current* moment: no ordinary snapshot, which is one of what was newest when it was taken, is older.

use super::MvccEngine;
use super::commits::Commits;
use super::locking::NOW;
use crate::engine::Timestamp;
use godb_txn::Transactions;
use godb_txn::sync::atomic::{AtomicU64, Ordering};
use godb_txn::sync::{Mutex, planted};
use std::collections::BTreeMap;
use std::hash::{BuildHasher, BuildHasherDefault};
use std::sync::Arc;

/// How many parts the register has; few in a model.
const PARTS: usize = if cfg!(godb_loom) { 1 } else { 16 };

/// How many use each moment.
#[derive(Default)]
struct Users {
    /// Of what was newest then.
    ordinary: BTreeMap<Timestamp, usize>,
    /// Of the past.
    past: BTreeMap<Timestamp, usize>,
}

/// The moments in use.
pub(super) struct Snapshots {
    parts: Box<[Mutex<Users>]>,
    frontier: AtomicU64,
    horizon: AtomicU64,
}

/// A place in the register.
#[derive(Clone, Copy, Debug)]
pub(super) struct Place {
    pub(super) at: Timestamp,
    past: bool,
    part: usize,
}

/// What is in use at some time.
#[derive(Clone, Debug)]
pub(super) struct InUse {
    /// In order.
    moments: Vec<Timestamp>,
    pub(super) frontier: Timestamp,
    pub(super) horizon: Timestamp,
    pub(super) current: Timestamp,
}

impl InUse {
    /// One who looks at a moment from `begin` on, before `end`.
    pub(super) fn holder(&self, begin: Timestamp, end: Timestamp) -> Option<Timestamp> {
        let first = self.moments.partition_point(|moment| *moment < begin);
        self.moments.get(first).copied().filter(|moment| *moment < end)
    }

    /// Whether nobody looks at any moment.
    pub(super) fn is_empty(&self) -> bool {
        self.moments.is_empty()
    }

    /// Whether somebody looks at this very moment.
    pub(super) fn has(&self, moment: Timestamp) -> bool {
        self.moments.binary_search(&moment).is_ok()
    }
}

impl Default for Snapshots {
    fn default() -> Self {
        Self {
            parts: (0..PARTS).map(|_| Mutex::new(Users::default())).collect(),
            frontier: AtomicU64::new(0),
            horizon: AtomicU64::new(0),
        }
    }
}

impl Snapshots {
    /// Registers the newest commit. It is read under the part's lock: whoever looks through the parts either finds it or has read `newest` before.
    pub(super) fn take(&self, commits: &Commits) -> Place {
        let part = own_part();
        #[cfg(godb_plant = "take-unregistered")]
        let at = commits.newest();
        let mut users = self.parts[part].lock();
        #[cfg(not(godb_plant = "take-unregistered"))]
        let at = commits.newest();
        *users.ordinary.entry(at).or_default() += 1;
        let past = false;
        Place { at, past, part }
    }

    /// Registers a moment of the past; `None` when it is older than the frontier. With `recorded`, the timeline knows of every commit since then.
    pub(super) fn take_at(&self, at: Timestamp, recorded: bool) -> Option<Place> {
        let part = own_part();
        let mut users = self.parts[part].lock();
        if at < Timestamp(self.frontier.load(Ordering::Acquire)) {
            return None;
        }
        let moments = match recorded {
            true => &mut users.past,
            false => &mut users.ordinary,
        };
        *moments.entry(at).or_default() += 1;
        let past = recorded;
        Some(Place { at, past, part })
    }

    /// Gives a place back.
    pub(super) fn release(&self, place: Place) {
        let mut users = self.parts[place.part].lock();
        let moments = match place.past {
            true => &mut users.past,
            false => &mut users.ordinary,
        };
        if let Some(count) = moments.get_mut(&place.at) {
            *count -= 1;
            if *count == 0 {
                moments.remove(&place.at);
            }
        }
    }

    /// Nobody looks at anything older.
    pub(super) fn horizon(&self) -> Timestamp {
        Timestamp(self.horizon.load(Ordering::Acquire))
    }

    /// Nobody will begin to look at anything older.
    pub(super) fn frontier(&self) -> Timestamp {
        Timestamp(self.frontier.load(Ordering::Acquire))
    }

    /// Moves the frontier forward to `to`, and tells what is in use; `newest` was the newest commit when this began.
    pub(super) fn advance(&self, newest: Timestamp, to: Timestamp) -> InUse {
        // With every part locked nobody registers a moment that is being passed.
        let parts: Vec<_> = self.parts.iter().map(Mutex::lock).collect();
        self.frontier.fetch_max(to.raw(), Ordering::AcqRel);
        let ordinary = parts.iter().flat_map(|users| users.ordinary.keys().copied());
        let current = ordinary.clone().fold(newest, Timestamp::min);
        let past = parts.iter().flat_map(|users| users.past.keys().copied());
        let mut moments: Vec<_> = ordinary.chain(past).collect();
        // Read while nobody registers: between this frontier and a later one somebody may, and is not among the moments.
        let frontier = self.frontier();
        drop(parts);
        moments.sort_unstable();
        moments.dedup();
        let horizon = moments.first().copied().unwrap_or(frontier).min(frontier);
        self.horizon.fetch_max(horizon.raw(), Ordering::AcqRel);
        InUse {
            moments,
            frontier,
            horizon,
            current,
        }
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

    /// What one who looks now sees: as much as there is, where there are no versions, for it has locked what it looks at.
    pub(super) fn view_at(&self) -> Timestamp {
        match self.engine.keeps_versions() {
            true => self.at(),
            false => NOW,
        }
    }

    /// It sees what was committed at or before this.
    pub(super) fn at(&self) -> Timestamp {
        if planted("snapshot-moves") {
            return self.engine.commits.newest();
        }
        self.place.at
    }
}

impl<T: Transactions> Drop for Snapshot<T> {
    fn drop(&mut self) {
        self.engine.snapshots.release(self.place);
    }
}
