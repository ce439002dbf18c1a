//! Each deadlock policy, live: whoever tries again gets through.

use super::*;
use crate::lock::DeadlockPolicy::{Timeout, WaitDie, WaitForGraph, WoundWait};
use crate::transactions::Mode::SharedIntentExclusive;
use proptest::prelude::*;

fn with(policy: DeadlockPolicy, timeout: Duration) -> Arc<LockManager> {
    Arc::new(LockManager::new(LockOptions {
        timeout,
        policy,
        clock: None,
    }))
}

/// A lock that a random transaction takes.
#[derive(Clone, Copy, Debug)]
enum Step {
    Key(u8, Mode),
    Range(u8, u8, Mode),
    Table(Mode),
    /// Nothing: what is not in the lock manager is written, so it only asks whether it has to give way.
    Write,
}

fn take(locks: &LockManager, by: TxnId, step: Step) -> Result<(), Error> {
    match step {
        Step::Key(key, mode) => locks.lock(by, Resource::Key(TREE, &[key]), mode),
        Step::Range(from, len, mode) => {
            let to = [from.saturating_add(len)];
            locks.lock(by, Resource::KeyRange(TREE, &[from], Some(&to)), mode)
        }
        Step::Table(mode) => locks.lock(by, Resource::Table(TREE), mode),
        Step::Write => locks.check(by),
    }
}

/// Tries until it gets through; the first id is kept over the tries.
fn run(locks: &LockManager, ids: &AtomicU64, steps: &[Step]) {
    let mut first = None;
    loop {
        let by = TxnId::from_raw(ids.fetch_add(1, Ordering::SeqCst));
        let first = *first.get_or_insert(by);
        if first != by {
            locks.set_first_try(by, first);
        }
        let result = steps.iter().try_for_each(|step| {
            let taken = take(locks, by, *step);
            std::thread::yield_now();
            taken
        });
        let result = result.and_then(|()| locks.check(by));
        locks.release_all(by);
        match result {
            Ok(()) => return,
            Err(error) => assert!(error.is_retryable(), "{error}"),
        }
    }
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let mode = || prop_oneof![3 => Just(Shared), 3 => Just(Exclusive)];
    let step = prop_oneof![
        8 => (0..4u8, mode()).prop_map(|(key, mode)| Step::Key(key, mode)),
        2 => (0..4u8, 1..3u8, mode()).prop_map(|(from, len, mode)| Step::Range(from, len, mode)),
        1 => prop_oneof![Just(IntentExclusive), Just(Shared), Just(SharedIntentExclusive)].prop_map(Step::Table),
        1 => Just(Step::Write),
    ];
    prop::collection::vec(step, 1..6)
}

/// Runs the transactions of each thread; tells whether all ended in time.
fn all_end(policy: DeadlockPolicy, timeout: Duration, threads: Vec<Vec<Vec<Step>>>) -> bool {
    let locks = with(policy, timeout);
    let ids = Arc::new(AtomicU64::new(1));
    let (told, tell) = mpsc::channel();
    let count = threads.len();
    for transactions in threads {
        let (locks, ids, told) = (locks.clone(), ids.clone(), told.clone());
        std::thread::spawn(move || {
            transactions.iter().for_each(|steps| run(&locks, &ids, steps));
            let _ = told.send(());
        });
    }
    let ended = (0..count).all(|_| tell.recv_timeout(Duration::from_secs(60)).is_ok());
    ended && locks.locks().is_empty() && locks.count_marks() == 0
}

fn workload() -> impl Strategy<Value = Vec<Vec<Vec<Step>>>> {
    prop::collection::vec(prop::collection::vec(steps(), 1..12), 2..5)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]

    #[test]
    fn everyone_gets_through_under_wait_die(threads in workload()) {
        prop_assert!(all_end(WaitDie, LONG * 10, threads));
    }

    #[test]
    fn everyone_gets_through_under_wound_wait(threads in workload()) {
        prop_assert!(all_end(WoundWait, LONG * 10, threads));
    }

    #[test]
    fn everyone_gets_through_by_the_graph(threads in workload()) {
        prop_assert!(all_end(WaitForGraph, LONG * 10, threads));
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(8))]

    #[test]
    fn everyone_gets_through_by_time_out_alone(threads in workload()) {
        prop_assert!(all_end(Timeout, Duration::from_millis(3), threads));
    }
}

#[test]
fn under_wait_die_a_younger_one_gives_way_at_once_and_an_older_one_waits() {
    let locks = with(WaitDie, LONG);
    locks.lock(T1, A, Exclusive).unwrap();
    match locks.lock(T2, A, Shared) {
        Err(Error::GaveWay { victim, to }) => assert_eq!((victim, to), (T2, T1)),
        other => panic!("{other:?}"),
    }
    locks.lock(T2, B, Exclusive).unwrap();
    let older = {
        let locks = locks.clone();
        std::thread::spawn(move || locks.lock(T1, B, Exclusive))
    };
    while locks.stats().waits < 2 {
        std::thread::yield_now();
    }
    assert!(!older.is_finished());
    locks.release_all(T2);
    older.join().unwrap().unwrap();
}

#[test]
fn one_that_is_wounded_while_it_runs_hears_of_it_at_its_next_step() {
    let locks = with(WoundWait, LONG);
    locks.lock(T2, A, Exclusive).unwrap();
    let older = {
        let locks = locks.clone();
        std::thread::spawn(move || locks.lock(T1, A, Exclusive))
    };
    while locks.check(T2).is_ok() {
        std::thread::yield_now();
    }
    assert!(!older.is_finished(), "it still has to let go");
    for refused in [locks.check(T2), locks.lock(T2, B, Shared)] {
        assert!(matches!(refused, Err(Error::GaveWay { victim, to }) if (victim, to) == (T2, T1)));
    }
    locks.release_all(T2);
    older.join().unwrap().unwrap();
    assert_eq!((locks.stats().deadlocks, locks.count_marks()), (1, 0));
}

#[test]
fn one_that_is_tried_again_keeps_its_age() {
    let locks = with(WaitDie, LONG);
    let (again, newer) = (TxnId::from_raw(9), TxnId::from_raw(5));
    locks.set_first_try(again, T1);
    locks.lock(again, A, Exclusive).unwrap();
    assert!(
        locks.lock(newer, A, Exclusive).is_err(),
        "it is younger than the first try"
    );
    locks.release_all(again);
    assert_eq!(locks.count_marks(), 0);
}
