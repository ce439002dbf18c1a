//! What is shown: holders, waiters, and how much was waited for what.

use super::*;
use crate::lock::LockedResource;
use crate::lock::status::LockStatus;

#[test]
fn holders_and_waiters_are_listed_and_waits_counted_by_table() {
    let locks = manager(LONG);
    locks.lock(T1, A, Exclusive).unwrap();
    let waiter = {
        let locks = locks.clone();
        std::thread::spawn(move || locks.lock(T2, A, Shared))
    };
    while locks.transactions().iter().all(|one| one.waits_for.is_empty()) {
        std::thread::yield_now();
    }
    let on_key = |list: Vec<LockStatus>| {
        let key = |one: &LockStatus| matches!(one.resource, LockedResource::Key(..));
        let shown = |one: LockStatus| (one.by, one.mode, one.granted);
        list.into_iter().filter(key).map(shown).collect::<Vec<_>>()
    };
    assert_eq!(
        on_key(locks.locks()),
        [(T1, Exclusive, true), (T2, Shared, false)]
    );
    let waiting: Vec<_> = locks
        .transactions()
        .into_iter()
        .map(|one| one.waits_for)
        .collect();
    assert_eq!(waiting, [vec![], vec![T1]]);
    locks.release_all(T1);
    waiter.join().unwrap().unwrap();
    assert_eq!(on_key(locks.locks()), [(T2, Shared, true)]);
    let waits = locks.waits();
    assert_eq!(waits.len(), 1);
    assert_eq!(
        (
            waits[&WaitPlace::Tree(TREE)].waits,
            waits[&WaitPlace::Tree(TREE)].failed
        ),
        (1, 0)
    );
}
