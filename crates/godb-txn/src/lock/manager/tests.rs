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
    Arc::new(LockManager::new(LockOptions { timeout }))
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
