//! A lock and its release, beside an insert into a sharded map and its removal: the least that a table of locks has to do.
//!
//! Nobody contends: each thread has keys of its own. The map's keys are what a lock's name is, a tree and the bytes of a key, and its values transactions.

use super::median;
use super::options::Options;
use super::scores::{Goal, Scores};
use crate::Result;
use godb_txn::{LockManager, LockOptions, Mode, Resource, TreeId, TxnId};
use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};
use std::sync::{Barrier, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Shards of the map; the lock manager has as many parts.
const SHARDS: usize = 64;
/// Keys of each thread.
const KEYS: u64 = 100_000;
/// Locks that a transaction takes before it releases them all.
const LOCKS: u64 = 10;

/// What a lock's name comes to.
type Name = (TreeId, Box<[u8]>);

/// A map in shards with a latch each.
struct ShardedMap {
    hasher: RandomState,
    shards: Vec<Mutex<HashMap<Name, TxnId>>>,
}

impl ShardedMap {
    fn new() -> Self {
        let hasher = RandomState::new();
        let shard = || Mutex::new(HashMap::with_hasher(hasher.clone()));
        Self {
            shards: (0..SHARDS).map(|_| shard()).collect(),
            hasher,
        }
    }

    fn with<R>(&self, name: &Name, run: impl FnOnce(&mut HashMap<Name, TxnId>) -> R) -> R {
        let hash = self.hasher.hash_one(name);
        let shard = usize::try_from(hash >> 48).unwrap_or(0) % SHARDS;
        run(&mut self.shards[shard].lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn insert(&self, name: &Name, by: TxnId) {
        self.with(name, |shard| shard.insert(name.clone(), by));
    }

    fn remove(&self, name: &Name) -> Option<TxnId> {
        self.with(name, |shard| shard.remove(name))
    }
}

/// A key of 24 bytes.
fn key(number: u64) -> [u8; 24] {
    let mut key = *b"account of the bank     ";
    key[16..].copy_from_slice(&number.to_be_bytes());
    key
}

/// Both, on one thread and on four.
pub(super) fn measure(options: &Options, scores: &mut Scores) -> Result<()> {
    for threads in [1, 4] {
        let mut times = [(); 3].map(|()| Vec::new());
        for _ in 0..options.rounds * 3 {
            let map = ShardedMap::new();
            times[0].push(nanoseconds(threads, |numbers| use_map(&map, numbers)));
            let locks = manager();
            times[1].push(nanoseconds(threads, |numbers| lock_keys(&locks, numbers, LOCKS)));
            let locks = manager();
            times[2].push(nanoseconds(threads, |numbers| lock_keys(&locks, numbers, 1)));
        }
        let [map, many, one] = times.map(median);
        let on = if threads == 1 { "1 thread" } else { "4 threads" };
        let against = ("insert and remove in a sharded map", map);
        scores.note(
            (
                &format!("lock and unlock a key, {LOCKS} of a table a transaction, {on}"),
                "ns",
            ),
            many,
            against,
            Goal::AtMost(2.0),
        );
        // Three locks, on the database, the table and the key.
        scores.note(
            (
                &format!("lock and unlock, one key a transaction with what lies above it, {on}"),
                "ns a lock",
            ),
            one / 3.0,
            against,
            Goal::AtMost(2.0),
        );
    }
    Ok(())
}

fn manager() -> LockManager {
    LockManager::new(LockOptions {
        timeout: Duration::from_secs(1),
        ..LockOptions::default()
    })
}

/// Inserts keys and removes them, in groups as large as a transaction's.
fn use_map(map: &ShardedMap, numbers: std::ops::Range<u64>) {
    let tree = TreeId::from_raw(7);
    let by = TxnId::from_raw(numbers.start);
    for first in numbers.step_by(usize::try_from(LOCKS).unwrap_or(1)) {
        let names: [Name; LOCKS as usize] =
            std::array::from_fn(|at| (tree, Box::from(key(first + at as u64))));
        names.iter().for_each(|name| map.insert(name, by));
        for name in &names {
            assert!(map.remove(name).is_some(), "it was inserted");
        }
    }
}

/// Locks keys and releases them, so many in a transaction.
fn lock_keys(locks: &LockManager, numbers: std::ops::Range<u64>, each: u64) {
    let tree = TreeId::from_raw(7);
    for first in numbers.step_by(usize::try_from(each).unwrap_or(1)) {
        let by = TxnId::from_raw(first + 1);
        for number in first..first + each {
            let locked = locks.lock(by, Resource::Key(tree, &key(number)), Mode::Exclusive);
            locked.expect("nobody else wants it");
        }
        locks.release_all(by);
    }
}

/// What one key takes, when each thread works through keys of its own.
fn nanoseconds(threads: u64, work: impl Fn(std::ops::Range<u64>) + Sync) -> f64 {
    let barrier = Barrier::new(usize::try_from(threads).unwrap_or(1));
    let run = |thread: u64| {
        let first = thread * KEYS;
        work(first..first + KEYS / 10);
        barrier.wait();
        let begun = Instant::now();
        work(first..first + KEYS);
        begun.elapsed()
    };
    let longest = std::thread::scope(|scope| {
        let run = &run;
        let threads: Vec<_> = (0..threads)
            .map(|thread| scope.spawn(move || run(thread)))
            .collect();
        let times = threads
            .into_iter()
            .map(|thread| thread.join().expect("a thread ended"));
        times.max().unwrap_or_default()
    });
    longest.as_secs_f64() * 1e9 / KEYS as f64
}
