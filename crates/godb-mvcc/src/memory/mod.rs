//! [`MemoryEngine`]: the smallest correct [`StorageEngine`], and the specification of the real one.
//!
//! One lock around a sorted map from (tree, key) to a [`Row`]: all committed versions, oldest first, at most one uncommitted one, and who
//! holds the row's lock. Everything the real engine does with pages, logs and lock queues is here a few lines:
//!
//! - a reader at snapshot `s` sees the newest version committed at or before `s`, or its own uncommitted one;
//! - a writer locks the row first, then is refused when a version newer than its snapshot is there (first updater wins);
//! - commit gives all of a transaction's versions the next timestamp at once;
//! - roll back drops them; a savepoint remembers how long the list of changes was;
//! - a serializable transaction that writes remembers what it read, and when it commits all of that must still be as it was ("backward validation", Kung and Robinson, 1981). So it
//!   stands in the order at its commit, and one that only reads at its snapshot. Every snapshot is safe.
//!
//! Left out: durability, waiting in order, finding deadlocks (a wait that lasts too long is given up).

mod cursor;
mod row;
mod transaction;

use crate::engine::{Begin, EngineTransaction, Moment, StorageEngine, Timestamp};
use crate::error::Error;
use godb_txn::sync::{Condvar, Mutex};
use godb_txn::{Environment, TreeId};
use row::Row;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;
use transaction::MemoryTransaction;

/// The tree that always exists.
const ROOT: TreeId = TreeId::from_raw(1);

/// How many bytes a key may have: what the real engine allows with its default pages, roughly.
const MAX_KEY: usize = 2000;

/// A tree and a key in it.
type Place = (TreeId, Vec<u8>);

/// What the lock protects.
struct State {
    rows: BTreeMap<Place, Row>,
    /// When each tree was made and dropped: the commit, or zero while the transaction runs.
    trees: BTreeMap<TreeId, Option<u64>>,
    next_tree: u32,
    /// The last commit.
    now: u64,
    /// The wall time of each commit that retention covers.
    timeline: BTreeMap<u64, i64>,
    /// The commit of each of their transactions.
    commits: BTreeMap<u64, u64>,
    /// Snapshots in use, with how many use each.
    snapshots: BTreeMap<u64, usize>,
    /// Everything older may have been collected.
    horizon: u64,
    next_owner: u64,
    /// Rows that collection has something to do with.
    garbage: BTreeSet<Place>,
}

/// An engine that keeps everything in memory.
pub struct MemoryEngine {
    state: Mutex<State>,
    /// A transaction has ended, and with it its locks.
    ended: Condvar,
    environment: Environment,
    retention: Duration,
    lock_timeout: Duration,
}

impl MemoryEngine {
    /// An empty engine that keeps no past beyond what transactions need.
    #[must_use]
    pub fn new(environment: Environment) -> Arc<Self> {
        Self::with(environment, Duration::ZERO, Duration::from_secs(5))
    }

    /// An empty engine that keeps `retention` of the past and waits up to `lock_timeout` for a lock.
    #[must_use]
    pub fn with(environment: Environment, retention: Duration, lock_timeout: Duration) -> Arc<Self> {
        let state = State {
            rows: BTreeMap::new(),
            trees: BTreeMap::from([(ROOT, None)]),
            next_tree: ROOT.raw() + 1,
            now: 1,
            commits: BTreeMap::new(),
            timeline: BTreeMap::from([(1, environment.clock.wall_micros())]),
            snapshots: BTreeMap::new(),
            horizon: 0,
            next_owner: 1,
            garbage: BTreeSet::new(),
        };
        Arc::new(Self {
            state: Mutex::new(state),
            ended: Condvar::new(),
            environment,
            retention,
            lock_timeout,
        })
    }

    /// The oldest wall time that can be read.
    fn oldest_wall(&self) -> i64 {
        let kept = i64::try_from(self.retention.as_micros()).unwrap_or(i64::MAX);
        self.environment.clock.wall_micros().saturating_sub(kept)
    }

    /// The snapshot of a moment, and its wall time.
    fn resolve(&self, state: &State, moment: Moment) -> Result<(u64, i64), Error> {
        let now = self.environment.clock.wall_micros();
        let wall = match moment {
            Moment::At(timestamp) => return self.resolve_timestamp(state, timestamp),
            Moment::After(id) if id.raw() >= state.next_owner => {
                return Err(Error::InFuture {
                    asked: format!("{moment:?}"),
                });
            }
            Moment::After(id) => {
                let at = state.commits.get(&id.raw());
                let at = at.ok_or_else(|| self.too_old(moment))?;
                return self.resolve_timestamp(state, Timestamp(*at));
            }
            Moment::Wall(micros) => micros,
            Moment::Ago(micros) => now.saturating_sub(micros),
        };
        if wall > now {
            return Err(Error::InFuture {
                asked: format!("{moment:?}"),
            });
        }
        let at = state
            .timeline
            .iter()
            .rev()
            .find(|(_, committed)| **committed <= wall)
            .map(|(at, _)| *at);
        match at {
            Some(at) if at >= state.horizon && wall >= self.oldest_wall() => Ok((at, wall)),
            Some(at) if at == state.now => Ok((at, wall)),
            _ => Err(self.too_old(moment)),
        }
    }

    fn resolve_timestamp(&self, state: &State, timestamp: Timestamp) -> Result<(u64, i64), Error> {
        let at = timestamp.raw();
        if at > state.now {
            return Err(Error::InFuture {
                asked: format!("commit {at}"),
            });
        }
        match state.timeline.range(..=at).next_back() {
            Some((_, wall)) if at >= state.horizon => Ok((at, *wall)),
            _ => Err(self.too_old(Moment::At(timestamp))),
        }
    }

    fn too_old(&self, moment: Moment) -> Error {
        Error::TooOld {
            asked: format!("{moment:?}"),
            oldest: format!("{} microseconds since 1970", self.oldest_wall()),
        }
    }
}

impl State {
    /// What no snapshot in use and no retained moment is older than.
    fn keep_from(&self, oldest_wall: i64) -> u64 {
        let retained = self
            .timeline
            .iter()
            .rev()
            .find(|(_, wall)| **wall <= oldest_wall)
            .map(|(at, _)| *at);
        let used = self.snapshots.keys().next().copied().unwrap_or(self.now);
        // With no commit that old, everything since the beginning is within retention.
        retained.unwrap_or(0).min(used).max(self.horizon)
    }

    fn use_snapshot(&mut self, at: u64) {
        *self.snapshots.entry(at).or_default() += 1;
    }

    fn release_snapshot(&mut self, at: u64) {
        if let Some(users) = self.snapshots.get_mut(&at) {
            *users -= 1;
            if *users == 0 {
                self.snapshots.remove(&at);
            }
        }
    }
}

impl StorageEngine for MemoryEngine {
    fn begin(self: Arc<Self>, how: Begin) -> Result<Box<dyn EngineTransaction>, Error> {
        let mut state = self.state.lock();
        let (snapshot, wall) = match how.as_of {
            Some(moment) => self.resolve(&state, moment)?,
            None => (state.now, self.environment.clock.wall_micros()),
        };
        state.use_snapshot(snapshot);
        let owner = state.next_owner;
        state.next_owner += 1;
        drop(state);
        Ok(Box::new(MemoryTransaction::new(self, how, owner, snapshot, wall)))
    }

    fn root(&self) -> TreeId {
        ROOT
    }

    fn max_key(&self) -> usize {
        MAX_KEY
    }

    fn now(&self) -> Timestamp {
        Timestamp(self.state.lock().now)
    }

    fn collect(&self) -> Result<bool, Error> {
        let oldest = self.oldest_wall();
        let mut state = self.state.lock();
        let horizon = state.keep_from(oldest);
        state.horizon = horizon;
        let keep = state
            .timeline
            .range(..horizon)
            .next_back()
            .map(|(at, _)| *at)
            .unwrap_or(0);
        state.timeline = state.timeline.split_off(&keep);
        state.commits.retain(|_, at| *at >= keep);
        for place in std::mem::take(&mut state.garbage) {
            let Some(row) = state.rows.get_mut(&place) else {
                continue;
            };
            if row.collect(horizon) {
                state.rows.remove(&place);
            } else if row.has_garbage() {
                state.garbage.insert(place);
            }
        }
        let gone: Vec<TreeId> = state
            .trees
            .iter()
            .filter(|(_, dropped)| dropped.is_some_and(|at| at <= horizon))
            .map(|(tree, _)| *tree)
            .collect();
        for tree in gone {
            state.trees.remove(&tree);
            state.rows.retain(|(of, _), _| *of != tree);
        }
        Ok(false)
    }

    fn checkpoint(&self) -> Result<(), Error> {
        Ok(())
    }

    fn log_since_checkpoint(&self) -> u64 {
        0
    }
}

#[cfg(test)]
mod tests;
