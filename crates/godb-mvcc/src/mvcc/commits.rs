//! [`Commits`]: which transactions have committed, and when. The version layer's side of every commit.
//!
//! A version names its writer, and what a reader must know is whether that writer committed before the reader's snapshot. Three kinds of ids answer
//! differently:
//!
//! - *running*: in the map as such, from the first write until the commit is published or all is taken back. Nobody else sees its versions.
//! - *recent*: committed, and in the map with its timestamp.
//! - *old*: in no map any more. It committed no later than `floor_at`, so a snapshot from there or later sees it. One that is older (a reader of the past, or a very
//!   long transaction) asks the [timeline](super::timeline). An id that was rolled back is in no map either, but it has left no version: who
//!   asks for an id under the latch of the page where he found it never asks for such a one.
//!
//! Most rows were written long ago. For them there is the *floor*: every id below it has ended, and committed no later than `floor_at` if it did. One comparison, no map.
//!
//! So the map holds what ran or committed since the oldest ordinary snapshot in use began, whatever retention asks for; and when that is too much,
//! the timeline takes the older part.
//!
//! Publishing has an order: first into the map, then `newest` moves on, so a snapshot never counts a commit in that it cannot look up; then it is no longer among the
//! running, so that the floor never passes one that is in neither place.

use super::counts::{Counts, Difference};
use super::note;
use super::recent::{Commit, Recent};
use crate::engine::Timestamp;
use godb_txn::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use godb_txn::sync::{Mutex, RwLock, planted};
use godb_txn::{ById, Clock, CommitHook, Lsn, TxnId};
use std::collections::{BTreeSet, HashMap, HashSet};
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
    /// It committed long ago, and the snapshot is old too: only the timeline knows.
    Old,
}

/// When a writer committed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum When {
    /// It has not.
    Running,
    /// Then.
    At(Timestamp),
    /// Long ago.
    Old,
}

/// What the map says of a transaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Known {
    Running,
    Committed(Timestamp),
}

/// Transactions that may have written and have not ended.
#[derive(Default)]
struct Writers {
    running: BTreeSet<TxnId>,
    /// Those that write no versions, whose commits nobody will ask for.
    quiet: HashSet<TxnId, ById>,
    /// Above every id that was given.
    next: TxnId,
}

/// A commit that is under way.
#[derive(Default)]
struct Noted {
    /// Its wall clock, once it is logged.
    wall_micros: Option<i64>,
    /// What it does to the numbers of rows.
    difference: Difference,
}

/// Which transactions have committed, and when.
pub struct Commits {
    clock: Arc<dyn Clock>,
    parts: Box<[RwLock<Map>]>,
    recent: Mutex<Recent>,
    writers: Mutex<Writers>,
    /// What is known of commits that are under way and not yet published.
    noted: Mutex<HashMap<TxnId, Noted, ById>>,
    /// How many rows there are.
    pub(super) counts: Counts,
    floor: AtomicU64,
    floor_at: AtomicU64,
    newest: AtomicU64,
    last_wall: AtomicI64,
}

type Map = HashMap<TxnId, Known, ById>;

impl Commits {
    /// Nothing has committed yet.
    #[must_use]
    pub fn new(clock: Arc<dyn Clock>) -> Arc<Self> {
        Arc::new(Self {
            clock,
            parts: (0..PARTS).map(|_| RwLock::new(Map::default())).collect(),
            recent: Mutex::new(Recent::default()),
            writers: Mutex::new(Writers::default()),
            noted: Mutex::default(),
            counts: Counts::default(),
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

    /// Every transaction below this has ended.
    pub(super) fn floor(&self) -> TxnId {
        TxnId::from_raw(self.floor.load(Ordering::Acquire))
    }

    /// Below this id a snapshot at `at` sees everything.
    #[inline]
    pub(super) fn seen_below(&self, at: Timestamp) -> TxnId {
        // The floor's time is raised before the floor: the one read here is at least the one that belongs to the floor read.
        let floor = self.floor();
        match self.is_below(at) {
            true => TxnId::default(),
            false => floor,
        }
    }

    /// Whether a snapshot at `at` is so old that it must ask when an old transaction committed.
    fn is_below(&self, at: Timestamp) -> bool {
        at.0 < self.floor_at.load(Ordering::Acquire)
    }

    /// Whether a snapshot at `at` sees what `id` wrote. Asked while the page is latched on which it stands.
    pub(super) fn sight(&self, id: TxnId, at: Timestamp) -> Sight {
        if id < self.seen_below(at) {
            return Sight::Seen;
        }
        match self.when(id) {
            When::At(committed) if committed <= at => Sight::Seen,
            When::Running if planted("running-seen") => Sight::Seen,
            When::At(_) | When::Running => Sight::Unseen,
            // The floor's time is raised before the map forgets.
            When::Old if self.is_below(at) => Sight::Old,
            When::Old => Sight::Seen,
        }
    }

    /// When the transaction committed that wrote what stands on a latched page.
    pub(super) fn when(&self, id: TxnId) -> When {
        match self.part(id).read().get(&id) {
            Some(Known::Committed(at)) => When::At(*at),
            Some(Known::Running) => When::Running,
            None => When::Old,
        }
    }

    /// A transaction is about to write for the first time; `give` gives its id. Under the lock, so that the floor cannot pass it.
    pub(super) fn begin(&self, give: impl FnOnce() -> TxnId) -> TxnId {
        let mut writers = self.writers.lock();
        let id = give();
        self.part(id).write().insert(id, Known::Running);
        writers.running.insert(id);
        writers.next = writers.next.max(TxnId::from_raw(id.raw() + 1));
        id
    }

    /// The same for one that writes no versions.
    pub(super) fn begin_quiet(&self, give: impl FnOnce() -> TxnId) -> TxnId {
        let mut writers = self.writers.lock();
        let id = give();
        writers.quiet.insert(id);
        writers.next = writers.next.max(TxnId::from_raw(id.raw() + 1));
        id
    }

    /// Above every id that was given.
    pub(super) fn next_id(&self) -> TxnId {
        self.writers.lock().next
    }

    /// Takes in a commit.
    pub(super) fn learn(&self, commit: Commit) {
        if cfg!(godb_plant = "newest-before-map") {
            self.learn_newest(commit.at, commit.wall_micros);
        }
        if self.recent.lock().push(commit) {
            let mut part = self.part(commit.id).write();
            part.insert(commit.id, Known::Committed(commit.at));
        }
        self.learn_newest(commit.at, commit.wall_micros);
    }

    /// The newest commit is at least this one, and the clock has shown at least this.
    pub(super) fn learn_newest(&self, at: Timestamp, wall_micros: i64) {
        self.newest.fetch_max(at.raw(), Ordering::AcqRel);
        self.last_wall.fetch_max(wall_micros, Ordering::AcqRel);
    }

    /// A transaction is about to commit, and changes the numbers of rows by this.
    pub(super) fn announce(&self, by: TxnId, difference: Difference) {
        let noted = Noted {
            difference,
            ..Noted::default()
        };
        self.noted.lock().insert(by, noted);
    }

    /// Everything known so far has ended, before there are any snapshots: ids below `next` are below the floor.
    pub(super) fn settle(&self, next: TxnId) {
        self.writers.lock().next = next;
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

    /// No ordinary snapshot older than `current` is in use or will be, and nobody looks at anything older than `horizon`: raises the floor, and forgets
    /// some commits before that. Tells whether there are more.
    pub(super) fn forget(&self, current: Timestamp, horizon: Timestamp) -> bool {
        self.counts.forget(current);
        let writers = self.writers.lock();
        let mut recent = self.recent.lock();
        let limit = recent
            .crowded_before()
            .map_or(current, |crowded| crowded.max(current));
        let oldest = writers.running.first().copied();
        let later = recent.first_id_after(limit);
        let floor = oldest.into_iter().chain(later).fold(writers.next, TxnId::min);
        let raise_time = || self.floor_at.fetch_max(limit.raw(), Ordering::AcqRel);
        if !cfg!(godb_plant = "floor-before-its-time") {
            raise_time();
        }
        self.floor.fetch_max(floor.raw(), Ordering::AcqRel);
        if cfg!(godb_plant = "floor-before-its-time") {
            raise_time();
        }
        drop(writers);
        for _ in 0..FORGOTTEN_AT_ONCE {
            let Some(old) = recent.pop_before(limit, horizon) else {
                return false;
            };
            self.part(old.id).write().remove(&old.id);
        }
        true
    }

    /// A transaction has ended and its versions are committed or gone.
    fn end(&self, by: TxnId) {
        let mut writers = self.writers.lock();
        writers.running.remove(&by);
        writers.quiet.remove(&by);
    }
}

impl CommitHook for Commits {
    /// The wall clock, made monotone, and what the commit does to the numbers of rows. Called in commit order.
    fn note(&self, by: TxnId) -> Vec<u8> {
        if self.writers.lock().quiet.contains(&by) {
            return Vec::new();
        }
        let wall = self.clock.wall_micros().max(self.last_wall().saturating_add(1));
        self.last_wall.store(wall, Ordering::Release);
        let mut noted = self.noted.lock();
        let noted = noted.entry(by).or_default();
        noted.wall_micros = Some(wall);
        note::of_commit(wall, &noted.difference)
    }

    fn committed(&self, by: TxnId, at: Lsn) {
        let noted = self.noted.lock().remove(&by);
        if cfg!(godb_plant = "ended-before-map") {
            self.end(by);
        }
        if let Some(Noted {
            wall_micros: Some(wall_micros),
            difference,
        }) = noted
        {
            let at = Timestamp(at.raw());
            self.counts.add(at, difference);
            self.learn(Commit {
                id: by,
                at,
                wall_micros,
            });
        }
        self.end(by);
    }

    fn rolled_back(&self, by: TxnId) {
        self.noted.lock().remove(&by);
        self.part(by).write().remove(&by);
        self.end(by);
    }
}
