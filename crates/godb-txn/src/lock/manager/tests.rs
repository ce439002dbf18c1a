//! Who gets a lock, who waits, who gives way.

use super::*;
use crate::transactions::Mode::{Exclusive, IntentExclusive, Shared};
use std::sync::mpsc;

const T1: TxnId = TxnId::from_raw(1);
const T2: TxnId = TxnId::from_raw(2);
const TREE: TreeId = TreeId::from_raw(7);
const A: Resource<'_> = Resource::Key(TREE, b"a");
const B: Resource<'_> = Resource::Key(TREE, b"b");

fn manager(timeout: Duration) -> Arc<LockManager> {
    Arc::new(LockManager::new(LockOptions {
        timeout,
        ..LockOptions::default()
    }))
}

const LONG: Duration = Duration::from_secs(20);

#[test]
fn readers_share_and_a_writer_waits_for_them() {
    let locks = manager(LONG);
    locks.lock(T1, A, Shared).unwrap();
    locks.lock(T2, A, Shared).unwrap();
    assert!(!locks.try_lock(TxnId::from_raw(3), A, Exclusive));
    locks.release_all(T1);
    assert!(locks.try_lock(T2, A, Exclusive), "the last reader may upgrade");
}

#[test]
fn a_table_lock_is_kept_off_by_a_key_lock() {
    let locks = manager(LONG);
    locks.lock(T1, A, Exclusive).unwrap();
    assert!(!locks.try_lock(T2, Resource::Table(TREE), Shared));
    assert!(locks.try_lock(T2, Resource::Table(TREE), IntentExclusive));
    assert!(locks.try_lock(T2, B, Exclusive));
    assert_eq!(locks.count_held(T1), 3, "database, table, key");
}

#[test]
fn waiting_ends_with_the_holder() {
    let locks = manager(LONG);
    locks.lock(T1, A, Exclusive).unwrap();
    let (told, tell) = mpsc::channel();
    let waiter = {
        let locks = locks.clone();
        std::thread::spawn(move || {
            locks.lock(T2, A, Exclusive).unwrap();
            told.send(()).unwrap();
        })
    };
    while locks.stats().waits == 0 {
        std::thread::yield_now();
    }
    assert!(tell.try_recv().is_err());
    locks.release_all(T1);
    tell.recv().unwrap();
    waiter.join().unwrap();
}

#[test]
fn a_wait_that_takes_too_long_is_given_up() {
    let locks = manager(Duration::from_millis(20));
    locks.lock(T1, A, Exclusive).unwrap();
    assert!(matches!(
        locks.lock(T2, A, Shared),
        Err(Error::LockTimeout { .. })
    ));
    locks.release_all(T1);
    assert!(locks.try_lock(T2, A, Shared), "nobody stands in line any more");
}

#[test]
fn the_youngest_of_a_cycle_gives_way() {
    let locks = manager(LONG);
    locks.lock(T1, A, Exclusive).unwrap();
    locks.lock(T2, B, Exclusive).unwrap();
    let younger = {
        let locks = locks.clone();
        std::thread::spawn(move || {
            let result = locks.lock(T2, A, Exclusive);
            locks.release_all(T2);
            result
        })
    };
    while locks.stats().waits == 0 {
        std::thread::yield_now();
    }
    locks.lock(T1, B, Exclusive).unwrap();
    match younger.join().unwrap() {
        Err(Error::Deadlock { cycle }) => assert_eq!(cycle, [T2, T1]),
        other => panic!("{other:?}"),
    }
    assert_eq!(locks.stats().deadlocks, 1);
}

#[test]
fn two_upgrades_of_one_lock_are_a_cycle() {
    let locks = manager(LONG);
    locks.lock(T1, A, Shared).unwrap();
    locks.lock(T2, A, Shared).unwrap();
    let younger = {
        let locks = locks.clone();
        std::thread::spawn(move || {
            let result = locks.lock(T2, A, Exclusive);
            locks.release_all(T2);
            result
        })
    };
    while locks.stats().waits == 0 {
        std::thread::yield_now();
    }
    locks.lock(T1, A, Exclusive).unwrap();
    assert!(younger.join().unwrap().is_err());
}

/// Random transactions over few keys: each wait ends, and no two hold what excludes each other.
#[test]
fn no_schedule_hangs_or_lets_two_in() {
    let locks = manager(LONG);
    let inside: Arc<Vec<AtomicU64>> = Arc::new((0..5).map(|_| AtomicU64::new(0)).collect());
    let threads: Vec<_> = (0..6_u64)
        .map(|thread| {
            let (locks, inside) = (locks.clone(), inside.clone());
            std::thread::spawn(move || {
                for n in 0..300 {
                    transact(&locks, &inside, thread * 1000 + n + 1);
                }
            })
        })
        .collect();
    threads.into_iter().for_each(|thread| thread.join().unwrap());
    assert!(inside.iter().all(|count| count.load(Ordering::SeqCst) == 0));
}

fn transact(locks: &LockManager, inside: &[AtomicU64], id: u64) {
    let by = TxnId::from_raw(id);
    let mut mine = Vec::new();
    for step in 0..3_u64 {
        let key = (id
            .wrapping_mul(0x9E37_79B9)
            .rotate_left(u32::try_from(step * 11).unwrap())
            % 5) as usize;
        if mine.contains(&key) {
            continue;
        }
        let name = [u8::try_from(key).unwrap()];
        if locks.lock(by, Resource::Key(TREE, &name), Exclusive).is_err() {
            break;
        }
        assert_eq!(
            inside[key].fetch_add(1, Ordering::SeqCst),
            0,
            "two are in at once"
        );
        mine.push(key);
    }
    for key in mine {
        inside[key].fetch_sub(1, Ordering::SeqCst);
    }
    locks.release_all(by);
}

fn key_of(number: u32) -> [u8; 4] {
    number.to_be_bytes()
}

#[test]
fn very_many_locks_on_keys_become_one_on_the_table() {
    let locks = manager(LONG);
    for number in 0..100_000 {
        locks
            .lock(T1, Resource::Key(TREE, &key_of(number)), Shared)
            .unwrap();
    }
    assert_eq!(locks.stats().escalations, 1);
    assert_eq!(locks.count_held(T1), 2, "database and table");
    let other = Resource::Key(TREE, b"another");
    assert!(locks.try_lock(T2, other, Shared), "readers share");
    assert!(!locks.try_lock(T2, other, Exclusive), "the table is locked");
    let elsewhere = Resource::Key(TreeId::from_raw(8), b"a");
    assert!(locks.try_lock(T2, elsewhere, Exclusive));
    locks.release_all(T1);
    assert!(locks.try_lock(T2, other, Exclusive), "nothing is left behind");
}

#[test]
fn while_others_are_in_the_table_keys_stay_keys_up_to_a_bound() {
    let locks = manager(Duration::from_millis(50));
    locks.lock(T2, Resource::Key(TREE, b"theirs"), Exclusive).unwrap();
    let mut refused = 0;
    for number in 0..200_000 {
        let key = key_of(number);
        let key = Resource::Key(TREE, &key);
        if !locks.try_lock(T1, key, Exclusive) {
            assert!(matches!(
                locks.lock(T1, key, Exclusive),
                Err(Error::LockTimeout { .. })
            ));
            refused += 1;
            break;
        }
    }
    assert_eq!(refused, 1, "at some number the table is waited for");
    let most = locks.count_held(T1);
    assert!((60_000..70_000).contains(&most), "{most}");
    assert!(
        !locks.try_lock(T2, Resource::Key(TREE, &key_of(1)), Shared),
        "each is held"
    );
    locks.release_all(T2);
    locks
        .lock(T1, Resource::Key(TREE, b"one more"), Exclusive)
        .unwrap();
    assert_eq!(locks.count_held(T1), 2);
    assert!(
        !locks.try_lock(T2, Resource::Key(TREE, &key_of(1)), Shared),
        "they are still held"
    );
    assert!(!locks.try_lock(T2, Resource::Key(TREE, b"theirs"), Shared));
}

#[test]
fn one_exclusive_key_makes_the_table_exclusive() {
    let locks = manager(LONG);
    locks.lock(T1, A, Exclusive).unwrap();
    for number in 0..5000 {
        locks
            .lock(T1, Resource::Key(TREE, &key_of(number)), Shared)
            .unwrap();
    }
    assert_eq!(locks.stats().escalations, 1);
    assert!(!locks.try_lock(T2, A, Shared));
    assert!(!locks.try_lock(T2, Resource::Table(TREE), Mode::IntentShared));
}

#[test]
fn an_upgrade_waits_only_for_those_who_hold_and_goes_before_those_who_wait() {
    let locks = manager(LONG);
    locks.lock(T1, A, Shared).unwrap();
    locks.lock(T2, A, Shared).unwrap();
    let order = Arc::new(Mutex::new(Vec::new()));
    let wait = |by: TxnId, mode| {
        let (locks, order) = (locks.clone(), order.clone());
        let before = locks.stats().waits;
        let thread = {
            let locks = locks.clone();
            std::thread::spawn(move || {
                locks.lock(by, A, mode).unwrap();
                order.lock().push(by);
                locks.release_all(by);
            })
        };
        while locks.stats().waits == before {
            std::thread::yield_now();
        }
        thread
    };
    let newcomers = [
        wait(TxnId::from_raw(3), Exclusive),
        wait(TxnId::from_raw(4), Shared),
    ];
    let upgrade = wait(T1, Exclusive);
    locks.release_all(T2);
    upgrade.join().unwrap();
    newcomers.into_iter().for_each(|thread| thread.join().unwrap());
    assert_eq!(
        *order.lock(),
        [1, 3, 4].map(TxnId::from_raw),
        "then first come, first served"
    );
    assert_eq!(locks.stats().waits, 3);
}

#[test]
fn a_newcomer_does_not_overtake_one_who_waits() {
    let locks = manager(Duration::from_secs(2));
    locks.lock(T1, A, Shared).unwrap();
    let writer = {
        let locks = locks.clone();
        std::thread::spawn(move || locks.lock(T2, A, Exclusive))
    };
    while locks.stats().waits == 0 {
        std::thread::yield_now();
    }
    assert!(
        !locks.try_lock(TxnId::from_raw(3), A, Shared),
        "a reader stands behind the writer"
    );
    assert!(locks.try_lock(T1, A, Shared), "who holds it holds it");
    locks.release_all(T1);
    writer.join().unwrap().unwrap();
}

#[test]
fn a_cycle_of_three_costs_one_victim_and_names_all() {
    let locks = manager(LONG);
    let names = [b"x", b"y", b"z"];
    for (by, name) in (1..).zip(names) {
        locks
            .lock(TxnId::from_raw(by), Resource::Key(TREE, name), Exclusive)
            .unwrap();
    }
    let wait = |by: u64, name: &'static [u8]| {
        let locks = locks.clone();
        std::thread::spawn(move || {
            let result = locks.lock(TxnId::from_raw(by), Resource::Key(TREE, name), Exclusive);
            locks.release_all(TxnId::from_raw(by));
            result
        })
    };
    let mut threads = Vec::new();
    for (n, (by, name)) in (1_u64..).zip([(3, b"x"), (1, b"y"), (2, b"z")]) {
        threads.push(wait(by, name));
        while locks.stats().waits < n {
            std::thread::yield_now();
        }
    }
    let results: Vec<_> = threads.into_iter().map(|thread| thread.join().unwrap()).collect();
    let Err(Error::Deadlock { cycle }) = &results[0] else {
        panic!("the youngest gives way: {results:?}");
    };
    assert_eq!(cycle[0], TxnId::from_raw(3), "the victim comes first");
    assert_eq!(cycle.len(), 3);
    assert!(results[1].is_ok() && results[2].is_ok());
    assert_eq!((locks.stats().deadlocks, locks.stats().timeouts), (1, 0));
}

mod policies;
mod ranges;
mod shown;
