//! [`Commits`]: which transactions have committed, and when. The version layer's side of every commit.
//!
//! A version names its writer, and what a reader must know is whether that writer committed before the reader's snapshot. Three kinds of ids answer
//! differently:
//!
//! - *running*: from the first write until the commit is published or all is taken back. Nobody else sees its versions.
//! - *recent*: committed, and in the map with its timestamp.
//! - below the *floor*: committed no later than `floor_at`, which no ordinary snapshot is older than. Whoever looks from there or later sees it without any
//!   look-up; only a reader of the past must ask the timeline tree. An id that was rolled back has left no version, so nobody asks for it.
//!
//! So the map is as long as the oldest snapshot in use is old, whatever retention asks for.
//!
//! Publishing has an order: first into the map, then `newest` moves on, so a snapshot never counts a commit in that it cannot look up; then it is no longer running, so that
//! the floor never passes one that is in neither place.

use super::recent::{Commit, Recent};
use crate::engine::Timestamp;
use godb_txn::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use godb_txn::sync::{Mutex, RwLock};
use godb_txn::{Clock, CommitHook, Lsn, TxnId};
use std::collections::{BTreeSet, HashMap, HashSet};
use std::hash::{BuildHasherDefault, Hasher};
use std::sync::Arc;

/// How many parts the map has; few in a model.
const PARTS: usize = if cfg!(godb_loom) { 2 } else { 64 };

/// How many commits are forgotten at once: a bound on how long others wait meanwhile.
const FORGOTTEN_AT_ONCE: usize = 10_000;

/// How a writer stands to a snapshot.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sight {
    /// The snapshot sees it.
    Seen,
    /// It runs, or committed later.
    Unseen,
    /// It committed before the floor, and the snapshot is older than that: only the timeline knows.
    Old,
}

/// When a writer committed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum When {
    /// It has not.
    Running,
    /// Then.
    At(Timestamp),
    /// Before the floor.
    Old,
}

/// Transactions that may have written and have not ended.
#[derive(Default)]
struct Writers {
    running: BTreeSet<TxnId>,
    /// Those that write no versions, whose commits nobody will ask for.
    quiet: HashSet<TxnId>,
    /// Above every id that was given.
    next: TxnId,
    /// From what the floor was computed last.
    floor_of: (Timestamp, Option<TxnId>),
}

/// Which transactions have committed, and when.
pub struct Commits {
    clock: Arc<dyn Clock>,
    parts: Box<[RwLock<Map>]>,
    recent: Mutex<Recent>,
    writers: Mutex<Writers>,
    /// The wall clock of commits that are logged and not yet published.
    noted: Mutex<HashMap<TxnId, i64>>,
    floor: AtomicU64,
    floor_at: AtomicU64,
    newest: AtomicU64,
    last_wall: AtomicI64,
}

type Map = HashMap<TxnId, Timestamp, BuildHasherDefault<Spread>>;

/// Ids are given in order; one multiplication spreads them.
#[derive(Default)]
struct Spread(u64);

impl Hasher for Spread {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.write_u64(self.0 ^ u64::from(*byte));
        }
    }

    fn write_u64(&mut self, number: u64) {
        self.0 = number.wrapping_mul(0x9E37_79B9_7F4A_7C15);
    }
}

impl Commits {
    /// Nothing has committed yet.
    #[must_use]
    pub fn new(clock: Arc<dyn Clock>) -> Arc<Self> {
        Arc::new(Self {
            clock,
            parts: (0..PARTS).map(|_| RwLock::new(Map::default())).collect(),
            recent: Mutex::new(Recent::default()),
            writers: Mutex::new(Writers::default()),
            noted: Mutex::new(HashMap::new()),
            floor: AtomicU64::new(0),
            floor_at: AtomicU64::new(0),
            newest: AtomicU64::new(0),
            last_wall: AtomicI64::new(i64::MIN),
        })
    }

    fn part(&self, id: TxnId) -> &RwLock<Map> {
        &self.parts[usize::try_from(id.raw() % PARTS as u64).unwrap_or(0)]
    }

    /// The newest published commit.
    pub(super) fn newest(&self) -> Timestamp {
        Timestamp(self.newest.load(Ordering::Acquire))
    }

    /// Ids below this have committed no later than the floor's time, or left nothing.
    pub(super) fn floor(&self) -> TxnId {
        TxnId::from_raw(self.floor.load(Ordering::Acquire))
    }

    /// Below this id a snapshot at `at` sees everything.
    #[inline]
    pub(super) fn seen_below(&self, at: Timestamp) -> TxnId {
        // The floor's time is raised before the floor: the one read here is at least the one that belongs to the floor read.
        let floor = self.floor();
        if at.0 >= self.floor_at.load(Ordering::Acquire) {
            floor
        } else {
            TxnId::default()
        }
    }

    /// Whether a snapshot at `at` sees what `id` wrote.
    pub(super) fn sight(&self, id: TxnId, at: Timestamp) -> Sight {
        if id < self.seen_below(at) {
            return Sight::Seen;
        }
        match self.when(id) {
            When::At(committed) if committed <= at => Sight::Seen,
            When::At(_) | When::Running => Sight::Unseen,
            When::Old if id < self.seen_below(at) => Sight::Seen,
            When::Old => Sight::Old,
        }
    }

    /// When a transaction committed.
    pub(super) fn when(&self, id: TxnId) -> When {
        match self.part(id).read().get(&id) {
            Some(at) => When::At(*at),
            // The floor is raised before the map forgets, so one that is missing there and here has not committed.
            None if id < self.floor() => When::Old,
            None => When::Running,
        }
    }

    /// A transaction is about to write for the first time; `give` gives its id. Under the lock, so that the floor cannot pass it.
    pub(super) fn begin(&self, give: impl FnOnce() -> TxnId) -> TxnId {
        let mut writers = self.writers.lock();
        let id = give();
        writers.running.insert(id);
        writers.next = writers.next.max(TxnId::from_raw(id.raw() + 1));
        id
    }

    /// The same for one that writes no versions.
    pub(super) fn begin_quiet(&self, give: impl FnOnce() -> TxnId) -> TxnId {
        let mut writers = self.writers.lock();
        let id = give();
        writers.running.insert(id);
        writers.quiet.insert(id);
        writers.next = writers.next.max(TxnId::from_raw(id.raw() + 1));
        id
    }

    /// Takes in a commit.
    pub(super) fn learn(&self, commit: Commit) {
        if self.recent.lock().push(commit) {
            self.part(commit.id).write().insert(commit.id, commit.at);
        }
        self.learn_newest(commit.at, commit.wall_micros);
    }

    /// The newest commit is at least this one, and the clock has shown at least this.
    pub(super) fn learn_newest(&self, at: Timestamp, wall_micros: i64) {
        self.newest.fetch_max(at.raw(), Ordering::AcqRel);
        self.last_wall.fetch_max(wall_micros, Ordering::AcqRel);
    }

    /// Everything known so far has ended, before there are any snapshots: ids below `next` are below the floor.
    pub(super) fn settle(&self, next: TxnId) {
        self.floor_at.store(self.newest().raw(), Ordering::Release);
        self.floor.store(next.raw(), Ordering::Release);
    }

    /// The latest wall clock that a commit was given.
    pub(super) fn last_wall(&self) -> i64 {
        self.last_wall.load(Ordering::Acquire)
    }

    /// The wall clock now, but not before that of the last commit.
    pub(super) fn wall_now(&self) -> i64 {
        self.clock.wall_micros().max(self.last_wall())
    }

    /// Looks into the latest commits.
    pub(super) fn recent<R>(&self, look: impl FnOnce(&mut Recent) -> R) -> R {
        look(&mut self.recent.lock())
    }

    /// No ordinary snapshot older than `current` is in use or will be: raises the floor, and forgets commits before that, if the timeline tree
    /// holds them or they need not be `kept`.
    pub(super) fn forget_before(&self, current: Timestamp, kept: bool) {
        let mut writers = self.writers.lock();
        let mut recent = self.recent.lock();
        let oldest = writers.running.first().copied();
        if writers.floor_of != (current, oldest) {
            let later = recent.first_id_after(current);
            let floor = oldest.into_iter().chain(later).fold(writers.next, TxnId::min);
            self.floor_at.fetch_max(current.raw(), Ordering::AcqRel);
            self.floor.fetch_max(floor.raw(), Ordering::AcqRel);
            writers.floor_of = (current, oldest);
        }
        let floor = self.floor();
        for _ in 0..FORGOTTEN_AT_ONCE {
            let Some(old) = recent.pop_before(current, floor, kept) else {
                break;
            };
            self.part(old.id).write().remove(&old.id);
        }
    }
}

impl CommitHook for Commits {
    /// The wall clock, made monotone. Called in commit order.
    fn note(&self, by: TxnId) -> Vec<u8> {
        if self.writers.lock().quiet.contains(&by) {
            return Vec::new();
        }
        let wall = self
            .clock
            .wall_micros()
            .max(self.last_wall().saturating_add(1));
        self.last_wall.store(wall, Ordering::Release);
        self.noted.lock().insert(by, wall);
        wall.to_le_bytes().to_vec()
    }

    fn committed(&self, by: TxnId, at: Lsn) {
        let noted = self.noted.lock().remove(&by);
        if let Some(wall_micros) = noted {
            self.learn(Commit {
                id: by,
                at: Timestamp(at.raw()),
                wall_micros,
            });
        }
        let mut writers = self.writers.lock();
        writers.running.remove(&by);
        writers.quiet.remove(&by);
    }

    fn rolled_back(&self, by: TxnId) {
        self.noted.lock().remove(&by);
        let mut writers = self.writers.lock();
        writers.running.remove(&by);
        writers.quiet.remove(&by);
    }
}
