//! [`Commits`]: which transactions have committed, and when. The version layer's side of every commit.
//!
//! A transaction is *active* from its first write until its commit is published or it is rolled back. When published, it is in the map with its timestamp. Transactions below
//! the *floor* have ended long ago and are visible to every snapshot that can still be taken: they are in no map at all.

use crate::engine::Timestamp;
use godb_txn::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use godb_txn::sync::{Mutex, RwLock};
use godb_txn::{Clock, CommitHook, Lsn, TxnId};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

/// How many parts the map has.
const PARTS: usize = 16;

/// When a transaction committed: its timestamp, and the wall clock then in microseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Commit {
    /// Its place in the order of commits.
    pub at: Timestamp,
    /// The wall clock, never earlier than the commit before.
    pub wall_micros: i64,
}

/// How a transaction stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Status {
    /// Committed so long ago that everybody sees it.
    BelowFloor,
    /// Committed.
    Committed(Timestamp),
    /// It runs, or is being rolled back.
    Running,
}

/// Commits by transaction and in order.
#[derive(Default)]
struct Recent {
    /// In order of commit.
    by_time: BTreeMap<Timestamp, (TxnId, i64)>,
    /// Those that the timeline tree does not hold yet.
    unpersisted: BTreeMap<TxnId, Commit>,
}

/// Which transactions have committed, and when.
pub struct Commits {
    clock: Arc<dyn Clock>,
    parts: Box<[RwLock<HashMap<TxnId, Timestamp>>]>,
    recent: Mutex<Recent>,
    /// Running writers.
    active: Mutex<BTreeSet<TxnId>>,
    /// The wall clock of commits that are logged and not yet published.
    noted: Mutex<HashMap<TxnId, i64>>,
    floor: AtomicU64,
    newest: AtomicU64,
    last_wall: AtomicI64,
}

impl Commits {
    /// Nothing has committed yet.
    #[must_use]
    pub fn new(clock: Arc<dyn Clock>) -> Arc<Self> {
        Arc::new(Self {
            clock,
            parts: (0..PARTS).map(|_| RwLock::new(HashMap::new())).collect(),
            recent: Mutex::new(Recent::default()),
            active: Mutex::new(BTreeSet::new()),
            noted: Mutex::new(HashMap::new()),
            floor: AtomicU64::new(0),
            newest: AtomicU64::new(0),
            last_wall: AtomicI64::new(i64::MIN),
        })
    }

    fn part(&self, id: TxnId) -> &RwLock<HashMap<TxnId, Timestamp>> {
        &self.parts[usize::try_from(id.raw() % PARTS as u64).unwrap_or(0)]
    }

    /// The newest published commit.
    pub(super) fn newest(&self) -> Timestamp {
        Timestamp(self.newest.load(Ordering::Acquire))
    }

    /// Ids below this are visible to everybody.
    pub(super) fn floor(&self) -> TxnId {
        TxnId::from_raw(self.floor.load(Ordering::Acquire))
    }

    /// Raises the floor.
    pub(super) fn raise_floor(&self, to: TxnId) {
        self.floor.fetch_max(to.raw(), Ordering::AcqRel);
    }

    /// How a transaction stands.
    pub(super) fn status(&self, id: TxnId) -> Status {
        if id < self.floor() {
            return Status::BelowFloor;
        }
        match self.part(id).read().get(&id) {
            Some(at) => Status::Committed(*at),
            // Forgotten between the two looks: the floor is raised before the map forgets.
            None if id < self.floor() => Status::BelowFloor,
            // One that was rolled back has left nothing behind, so whoever is met here is still at it.
            None => Status::Running,
        }
    }

    /// A transaction writes for the first time; `give` gives its id. Under the lock, so that the floor cannot pass it.
    pub(super) fn begin(&self, give: impl FnOnce() -> TxnId) -> TxnId {
        let mut active = self.active.lock();
        let id = give();
        active.insert(id);
        id
    }

    /// A transaction was rolled back: nothing of it is left anywhere.
    pub(super) fn rolled_back(&self, id: TxnId) {
        self.active.lock().remove(&id);
    }

    /// Takes in a commit that recovery or the timeline tells of.
    pub(super) fn learn(&self, id: TxnId, commit: Commit, persisted: bool) {
        self.part(id).write().insert(id, commit.at);
        let mut recent = self.recent.lock();
        recent.by_time.insert(commit.at, (id, commit.wall_micros));
        if !persisted {
            recent.unpersisted.insert(id, commit);
        }
        drop(recent);
        self.newest.fetch_max(commit.at.raw(), Ordering::AcqRel);
        self.last_wall.fetch_max(commit.wall_micros, Ordering::AcqRel);
    }

    /// The database's newest commit is at least this one, and the clock has shown at least this.
    pub(super) fn learn_newest(&self, commit: Commit) {
        self.newest.fetch_max(commit.at.raw(), Ordering::AcqRel);
        self.last_wall.fetch_max(commit.wall_micros, Ordering::AcqRel);
    }

    /// The wall clock of the newest commit.
    pub(super) fn last_wall(&self) -> i64 {
        self.last_wall.load(Ordering::Acquire)
    }

    /// The newest commit known here that was made at `wall_micros` or before.
    pub(super) fn before_wall(&self, wall_micros: i64) -> Option<Timestamp> {
        let recent = self.recent.lock();
        recent
            .by_time
            .iter()
            .rev()
            .find(|(_, (_, wall))| *wall <= wall_micros)
            .map(|(at, _)| *at)
    }

    /// The wall clock at a commit known here, or at the one before it.
    pub(super) fn wall_of(&self, at: Timestamp) -> Option<i64> {
        let recent = self.recent.lock();
        recent
            .by_time
            .range(..=at)
            .next_back()
            .map(|(_, (_, wall))| *wall)
    }

    /// Commits that the timeline tree does not hold yet, oldest transaction first.
    pub(super) fn unpersisted(&self) -> Vec<(TxnId, Commit)> {
        self.recent
            .lock()
            .unpersisted
            .iter()
            .map(|(id, commit)| (*id, *commit))
            .collect()
    }

    /// The timeline tree holds these now.
    pub(super) fn persisted(&self, ids: &[(TxnId, Commit)]) {
        let mut recent = self.recent.lock();
        for (id, _) in ids {
            recent.unpersisted.remove(id);
        }
    }

    /// Forgets what no snapshot at `horizon` or later asks for; returns the new floor.
    pub(super) fn forget_before(&self, horizon: Timestamp) -> TxnId {
        let active = self.active.lock();
        let mut recent = self.recent.lock();
        let newer = recent
            .by_time
            .range(horizon..)
            .filter(|(at, _)| **at > horizon)
            .map(|(_, (id, _))| *id)
            .min();
        // Everything below both the oldest running and the oldest later commit has ended at the horizon or before.
        let floor = active
            .first()
            .copied()
            .into_iter()
            .chain(newer)
            .min()
            .unwrap_or_else(|| {
                let last = recent.by_time.values().map(|(id, _)| id.raw()).max().unwrap_or(0);
                TxnId::from_raw(last + 1)
            });
        let old: Vec<(Timestamp, TxnId)> = recent
            .by_time
            .range(..horizon)
            .filter(|(_, (id, _))| *id < floor)
            .map(|(at, (id, _))| (*at, *id))
            .collect();
        self.raise_floor(floor);
        for (at, id) in old {
            recent.by_time.remove(&at);
            recent.unpersisted.remove(&id);
            self.part(id).write().remove(&id);
        }
        floor
    }
}

impl CommitHook for Commits {
    /// The wall clock, made monotone. Called in commit order.
    fn note(&self, by: TxnId) -> Vec<u8> {
        let wall = self.clock.wall_micros().max(self.last_wall().saturating_add(1));
        self.last_wall.store(wall, Ordering::Release);
        self.noted.lock().insert(by, wall);
        wall.to_le_bytes().to_vec()
    }

    fn committed(&self, by: TxnId, at: Lsn) {
        let wall_micros = self.noted.lock().remove(&by).unwrap_or_else(|| self.last_wall());
        // First into the map, then visible as the newest, then no longer active: a reader finds it in one of the places at any time.
        self.learn(
            by,
            Commit {
                at: Timestamp(at.raw()),
                wall_micros,
            },
            false,
        );
        self.active.lock().remove(&by);
    }
}

/// The wall clock that a commit's note tells.
pub(super) fn wall_of_note(note: &[u8]) -> Option<i64> {
    Some(i64::from_le_bytes(note.try_into().ok()?))
}
