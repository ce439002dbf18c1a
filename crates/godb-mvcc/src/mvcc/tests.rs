//! The engine on the simplest tree and log: the same answers as the engine in memory, through crashes and collection.

use super::{Commits, MvccEngine, MvccOptions, RecoveredCommits};
use crate::engine::{Begin, EngineTransaction, Moment, StorageEngine, Strength, Timestamp};
use crate::error::Error;
use godb_txn::{
    CHECKPOINT_EVERY, Clock, Environment, LockOptions, MemoryLog, MemoryTree, MemoryWal, Range, Recovered,
    RecoveryOptions, Resume, TransactionManager, Transactions, TreeId, recover,
};
use std::io::Read;
use std::ops::ControlFlow;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

mod bounds;
mod deletions;
mod model;

type Engine = MvccEngine<TransactionManager<Recovered<MemoryWal<MemoryTree>>>>;

/// The whole stack below, on whatever is in `log`.
fn open(log: &Arc<MemoryLog>, environment: &Environment, retention: Duration) -> Arc<Engine> {
    let options = MvccOptions {
        retention,
        ..MvccOptions::default()
    };
    open_with(log, environment, options)
}

fn open_with(log: &Arc<MemoryLog>, environment: &Environment, options: MvccOptions) -> Arc<Engine> {
    let tree = MemoryTree::new(log.clone());
    let recovery = RecoveryOptions {
        clock: None,
        resume: Resume::default(),
        checkpoint_every: CHECKPOINT_EVERY,
        batch: 1 << 20,
        helpers: 0,
        observe: &mut |_| {},
    };
    let (recovered, report) = recover(MemoryWal::new(log.clone(), tree), recovery).unwrap();
    let commits = Commits::new(environment.clock.clone());
    let locks = LockOptions {
        timeout: Duration::from_millis(30),
        ..LockOptions::default()
    };
    let below = TransactionManager::new(recovered, commits.clone(), locks);
    let found = RecoveredCommits {
        note: report.note,
        commits: report
            .committed
            .into_iter()
            .map(|one| (one.by, one.at, one.note))
            .collect(),
    };
    MvccEngine::open(below, commits, environment.clock.clone(), options, &found).unwrap()
}

fn fresh(retention: Duration) -> (Arc<Engine>, Arc<MemoryLog>, Environment) {
    let (log, environment) = (MemoryLog::new(), Environment::simulated(1));
    (open(&log, &environment, retention), log, environment)
}

/// A clock that goes when it is told to.
#[derive(Default)]
struct HandClock(AtomicU64);

impl HandClock {
    fn advance(&self, by: Duration) {
        self.0
            .fetch_add(u64::try_from(by.as_micros()).unwrap(), Ordering::SeqCst);
    }
}

impl Clock for HandClock {
    fn wall_micros(&self) -> i64 {
        1_577_836_800_000_000 + i64::try_from(self.0.load(Ordering::SeqCst)).unwrap()
    }

    fn monotonic(&self) -> Duration {
        Duration::from_micros(self.0.load(Ordering::SeqCst))
    }
}

/// An environment with such a clock.
fn by_hand() -> (Environment, Arc<HandClock>) {
    let clock = Arc::new(HandClock::default());
    let environment = Environment {
        clock: clock.clone(),
        ..Environment::simulated(1)
    };
    (environment, clock)
}

const HOUR: Duration = Duration::from_secs(3600);

fn begin(engine: &Arc<Engine>) -> Box<dyn EngineTransaction> {
    engine.clone().begin(Begin::default()).unwrap()
}

fn get(tx: &dyn EngineTransaction, tree: TreeId, key: &[u8]) -> Option<Vec<u8>> {
    let mut value = None;
    tx.get(tree, key, &mut |bytes| value = Some(bytes.to_vec()))
        .unwrap();
    value
}

fn all(tx: &dyn EngineTransaction, tree: TreeId, backward: bool) -> Vec<(Vec<u8>, Vec<u8>)> {
    let mut rows = Vec::new();
    let mut cursor = tx
        .scan(
            tree,
            Range {
                backward,
                ..Range::ALL
            },
        )
        .unwrap();
    while cursor
        .next(&mut |key, value| {
            rows.push((key.to_vec(), value.to_vec()));
            ControlFlow::Continue(())
        })
        .unwrap()
    {}
    rows
}

fn put(engine: &Arc<Engine>, key: &[u8], value: &[u8]) -> Timestamp {
    let mut tx = begin(engine);
    tx.put(engine.root(), key, value).unwrap();
    tx.commit().unwrap()
}

/// An engine without versions, on whatever is in `log`.
fn open_without_versions(log: &Arc<MemoryLog>, environment: &Environment) -> Arc<Engine> {
    let options = MvccOptions {
        versions: false,
        ..MvccOptions::default()
    };
    open_with(log, environment, options)
}

#[test]
fn without_versions_it_conforms_by_locks() {
    crate::testing::conforms_by_locks(|| {
        open_without_versions(&MemoryLog::new(), &Environment::simulated(1))
    });
}

#[test]
fn a_database_can_be_opened_with_versions_and_without() {
    let (log, environment) = (MemoryLog::new(), Environment::simulated(1));
    for round in 0_u8..6 {
        let engine = match round % 2 {
            0 => open(&log, &environment, Duration::ZERO),
            _ => open_without_versions(&log, &environment),
        };
        let root = engine.root();
        let mut tx = engine.clone().begin(Begin::default()).unwrap();
        for key in 0_u8..9 {
            let expected = (round > 0 && (round + key) % 3 != 1).then(|| vec![round - 1; 3]);
            let mut found = None;
            tx.get(root, &[key], &mut |bytes| found = Some(bytes.to_vec()))
                .unwrap();
            assert_eq!(found, expected, "round {round}, key {key}");
        }
        for key in 0_u8..9 {
            match (round + key) % 3 {
                0 => drop(tx.delete(root, &[key]).unwrap()),
                _ => tx.put(root, &[key], &[round; 3]).unwrap(),
            }
        }
        tx.commit().unwrap();
        let tx = engine.clone().begin(Begin::default()).unwrap();
        assert_eq!(tx.count(root).unwrap(), 6);
    }
}

#[test]
fn it_conforms() {
    crate::testing::conforms(|retention| fresh(retention).0);
}

#[test]
fn a_long_value_goes_through_history_and_collection() {
    let (engine, ..) = fresh(Duration::ZERO);
    let root = engine.root();
    let (old, new) = (vec![1; 300_000], vec![2; 200_000]);
    put(&engine, b"film", &old);
    let reader = begin(&engine);
    let mut stream = reader.get_reader(root, b"film").unwrap().unwrap();
    put(&engine, b"film", &new);
    while engine.collect().unwrap() {}
    let mut bytes = Vec::new();
    stream.read_to_end(&mut bytes).unwrap();
    assert!(bytes == old, "the reader's snapshot keeps the chain");
    drop((stream, reader));
    while engine.collect().unwrap() {}
    assert!(get(&*begin(&engine), root, b"film").unwrap() == new);
    assert_eq!(
        Transactions::tree(engine.below()).chain_count(),
        1,
        "the old chain was freed"
    );
}

#[test]
fn a_deleted_key_leaves_nothing_behind() {
    let (engine, ..) = fresh(Duration::ZERO);
    put(&engine, b"a", b"1");
    put(&engine, b"a", b"2");
    let mut tx = begin(&engine);
    assert!(tx.delete(engine.root(), b"a").unwrap());
    assert!(!tx.delete(engine.root(), b"a").unwrap());
    tx.commit().unwrap();
    for _ in 0..4 {
        engine.collect().unwrap();
    }
    assert_eq!(
        engine
            .newest_when(engine.root(), b"a")
            .unwrap()
            .map(|(version, _)| version.header),
        None
    );
}

#[test]
fn dropped_trees_are_there_for_old_snapshots_and_then_gone() {
    let (engine, ..) = fresh(Duration::ZERO);
    let mut tx = begin(&engine);
    let tree = tx.create_tree().unwrap();
    tx.put(tree, b"a", b"1").unwrap();
    tx.commit().unwrap();
    let reader = begin(&engine);
    let mut tx = begin(&engine);
    tx.drop_tree(tree).unwrap();
    tx.commit().unwrap();
    engine.collect().unwrap();
    assert_eq!(get(&*reader, tree, b"a").unwrap(), b"1");
    drop(reader);
    while engine.collect().unwrap() {}
    assert!(begin(&engine).get(tree, b"a", &mut |_| {}).is_err());
}

#[test]
fn the_second_writer_waits_and_is_refused() {
    let (engine, ..) = fresh(Duration::ZERO);
    let (mut alice, mut bob) = (begin(&engine), begin(&engine));
    alice.put(engine.root(), b"a", b"1").unwrap();
    assert!(matches!(
        bob.put(engine.root(), b"a", b"2"),
        Err(Error::LockTimeout { .. })
    ));
    alice.commit().unwrap();
    assert!(matches!(bob.put(engine.root(), b"a", b"2"), Err(Error::Conflict)));
}

#[test]
fn a_shared_lock_keeps_writers_off() {
    let (engine, ..) = fresh(Duration::ZERO);
    put(&engine, b"a", b"1");
    let (mut alice, mut bob) = (begin(&engine), begin(&engine));
    alice.lock(engine.root(), b"a", Strength::Shared).unwrap();
    bob.lock(engine.root(), b"a", Strength::Shared).unwrap();
    assert!(matches!(
        bob.put(engine.root(), b"a", b"2"),
        Err(Error::LockTimeout { .. })
    ));
    drop(alice);
    bob.put(engine.root(), b"a", b"2").unwrap();
    bob.commit().unwrap();
    put(&engine, b"a", b"3");
}

#[test]
fn what_was_committed_and_what_was_then_survive_a_crash() {
    let (engine, log, environment) = fresh(HOUR);
    let root = engine.root();
    let then = put(&engine, b"a", b"old");
    put(&engine, b"a", b"new");
    engine.checkpoint().unwrap();
    put(&engine, b"b", b"after");
    let mut lost = begin(&engine);
    lost.put(root, b"c", b"uncommitted").unwrap();
    let survivors = log.cut(log.end());
    let engine = open(&survivors, &environment, HOUR);
    let now = begin(&engine);
    assert_eq!(all(&*now, root, false).len(), 2);
    assert_eq!(get(&*now, root, b"a").unwrap(), b"new");
    let past = engine
        .clone()
        .begin(Begin {
            as_of: Some(Moment::At(then)),
            ..Begin::default()
        })
        .unwrap();
    assert_eq!(all(&*past, root, true), [(b"a".to_vec(), b"old".to_vec())]);
}

#[test]
fn the_past_beyond_retention_is_an_error() {
    let (engine, ..) = fresh(Duration::ZERO);
    let then = put(&engine, b"a", b"old");
    put(&engine, b"a", b"new");
    while engine.collect().unwrap() {}
    let asked = |moment| {
        engine.clone().begin(Begin {
            as_of: Some(moment),
            ..Begin::default()
        })
    };
    assert!(matches!(asked(Moment::At(then)), Err(Error::TooOld { .. })));
    assert!(matches!(
        asked(Moment::At(Timestamp::from_raw(u64::MAX))),
        Err(Error::InFuture { .. })
    ));
    assert!(matches!(
        asked(Moment::Ago(-1_000_000)),
        Err(Error::InFuture { .. })
    ));
}

#[test]
fn money_moves_between_threads_while_old_versions_go() {
    let (engine, ..) = fresh(Duration::ZERO);
    let root = engine.root();
    for account in 0..8_u8 {
        put(&engine, &[account], &[100]);
    }
    godb_txn::sync::thread::scope(|scope| {
        for seed in 0..4_u8 {
            let engine = engine.clone();
            scope.spawn(move || {
                for n in 0..100_u8 {
                    let (from, to) = (n.wrapping_mul(seed + 3) % 8, n.wrapping_add(seed) % 8);
                    while from != to && transfer(&engine, from, to).is_err() {}
                }
            });
        }
        for _ in 0..100 {
            engine.collect().unwrap();
            let total: u32 = all(&*begin(&engine), root, false)
                .iter()
                .map(|(_, value)| u32::from(value[0]))
                .sum();
            assert_eq!(total, 800);
        }
    });
}

fn transfer(engine: &Arc<Engine>, from: u8, to: u8) -> Result<(), Error> {
    let mut tx = begin(engine);
    let (a, b) = (
        get(&*tx, engine.root(), &[from]).unwrap()[0],
        get(&*tx, engine.root(), &[to]).unwrap()[0],
    );
    if a > 0 && b < 255 {
        tx.put(engine.root(), &[from], &[a - 1])?;
        tx.put(engine.root(), &[to], &[b + 1])?;
    }
    tx.commit().map(drop)
}

/// Puts many keys in a row, so that the later ones are gathered.
fn put_many(tx: &mut dyn EngineTransaction, root: TreeId, keys: std::ops::Range<u8>, value: u8) {
    keys.for_each(|key| tx.put(root, &[key], &[value]).unwrap());
}

#[test]
fn a_conflict_of_gathered_puts_is_told_at_the_latest_by_commit() {
    let (engine, ..) = fresh(Duration::ZERO);
    let root = engine.root();
    let mut early = engine.clone().begin(Begin::default()).unwrap();
    put_many(&mut *early, root, 0..10, 1);
    let mut other = engine.clone().begin(Begin::default()).unwrap();
    other.put(root, &[8], &[2]).unwrap();
    other.commit().unwrap();
    assert!(matches!(early.commit(), Err(Error::Conflict)));
    let after = engine.clone().begin(Begin::default()).unwrap();
    assert_eq!(all(&*after, root, false), [(vec![8], vec![2])]);
}

#[test]
fn a_savepoint_stands_behind_what_was_gathered() {
    let (engine, ..) = fresh(Duration::ZERO);
    let root = engine.root();
    let mut tx = engine.clone().begin(Begin::default()).unwrap();
    put_many(&mut *tx, root, 0..10, 1);
    let point = tx.savepoint().unwrap();
    put_many(&mut *tx, root, 5..15, 2);
    tx.roll_back_to(point).unwrap();
    let expected: Vec<_> = (0..10).map(|key| (vec![key], vec![1])).collect();
    assert_eq!(all(&*tx, root, false), expected);
}

#[test]
fn of_gathered_puts_of_one_key_the_last_counts() {
    let (engine, ..) = fresh(Duration::ZERO);
    let root = engine.root();
    let mut tx = engine.clone().begin(Begin::default()).unwrap();
    put_many(&mut *tx, root, 0..10, 1);
    put_many(&mut *tx, root, 0..10, 2);
    tx.commit().unwrap();
    let after = engine.clone().begin(Begin::default()).unwrap();
    let expected: Vec<_> = (0..10).map(|key| (vec![key], vec![2])).collect();
    assert_eq!(all(&*after, root, false), expected);
}

#[test]
fn the_memory_of_a_batch_comes_back() {
    let (engine, ..) = fresh(Duration::ZERO);
    let root = engine.root();
    let free = engine.budget.left();
    for commit in [true, false] {
        let mut tx = engine.clone().begin(Begin::default()).unwrap();
        put_many(&mut *tx, root, 0..100, 1);
        assert!(engine.budget.left() < free);
        match commit {
            true => drop(tx.commit().unwrap()),
            false => drop(tx),
        }
        assert_eq!(engine.budget.left(), free);
    }
}
