//! Grants, upgrades, time-outs and victims under every interleaving: the product's own [`LockManager`].
//!
//! ```text
//! RUSTFLAGS="--cfg godb_loom" cargo test -p godb-txn --test loom --release
//! RUSTFLAGS='--cfg godb_loom --cfg godb_plant="settle-quietly"' cargo test -p godb-txn --test loom --release     # must fail
//! ```
//!
//! The planted bugs, each of which must make a model fail: `grant-regardless` (one who gave up is given the lock all the same), `leave-line-quietly` (whoever stood
//! behind one who gave up is not looked at), `settle-quietly` (a sleeper is not woken), `upgrade-last` (an upgrade stands behind those who wait
//! for it), `upgrade-unnoted` (an upgrade's new way of being in somebody's way is not noted), `wake-before-graph` (one who was woken is taken out
//! of the graph after it has gone to wait elsewhere). `cargo xtask loom --plant` tries them all.
//!
//! Nothing bounds the models but preemptions, and each counts its executions, so that one cut short would be noticed.
#![cfg(godb_loom)]

use godb_txn::sync::{Arc, thread};
use godb_txn::{Error, LockManager, LockOptions, Mode, Resource, TreeId, TxnId};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

const A: Resource<'_> = Resource::Key(TreeId::from_raw(1), b"a");
const B: Resource<'_> = Resource::Key(TreeId::from_raw(1), b"b");
const T1: TxnId = TxnId::from_raw(1);
const T2: TxnId = TxnId::from_raw(2);
const T3: TxnId = TxnId::from_raw(3);

/// Runs a model under every interleaving with up to two preemptions; each execution starts from a new manager.
fn model(timeout: Duration, run: impl Fn(Arc<LockManager>) + Sync + Send + 'static) {
    let runs = Arc::new(AtomicU64::new(0));
    let counted = runs.clone();
    let mut builder = loom::model::Builder::new();
    builder.preemption_bound = Some(2);
    builder.max_duration = None;
    builder.max_permutations = None;
    builder.check(move || {
        counted.fetch_add(1, Ordering::Relaxed);
        run(Arc::new(LockManager::new(LockOptions { timeout })));
    });
    assert!(
        runs.load(Ordering::Relaxed) > 1,
        "there was more than one way to go"
    );
}

const FOREVER: Duration = Duration::from_secs(1_000_000);

fn is_deadlock(result: &Result<(), Error>) -> bool {
    matches!(result, Err(Error::Deadlock { .. }))
}

#[test]
fn who_waits_gets_the_lock_when_it_is_free() {
    model(FOREVER, |locks| {
        locks.lock(T1, A, Mode::Exclusive).expect("it is free");
        let waiter = {
            let locks = locks.clone();
            thread::spawn(move || {
                locks.lock(T2, A, Mode::Exclusive).expect("nothing else happens");
                assert!(!locks.try_lock(T3, A, Mode::Shared), "it is held alone");
                locks.release_all(T2);
            })
        };
        locks.release_all(T1);
        waiter.join().expect("no panic");
        assert!(locks.try_lock(T3, A, Mode::Exclusive));
    });
}

#[test]
fn a_time_out_and_a_grant_exclude_each_other() {
    model(Duration::ZERO, |locks| {
        locks.lock(T1, A, Mode::Exclusive).expect("it is free");
        let waiter = {
            let locks = locks.clone();
            thread::spawn(move || locks.lock(T2, A, Mode::Exclusive).is_ok())
        };
        locks.release_all(T1);
        let granted = waiter.join().expect("no panic");
        assert_eq!(locks.try_lock(T3, A, Mode::Exclusive), !granted);
        locks.release_all(T2);
        assert!(locks.try_lock(T3, A, Mode::Exclusive), "nothing is left behind");
    });
}

#[test]
fn who_stands_behind_one_who_gives_up_moves_on() {
    model(FOREVER, |locks| {
        // T1 reads A; T3 wants it alone and holds B, for which T1 will wait: T3 is the victim. T2, a reader, stands behind T3.
        locks.lock(T1, A, Mode::Shared).expect("it is free");
        locks.lock(T3, B, Mode::Exclusive).expect("it is free");
        let victim = {
            let locks = locks.clone();
            thread::spawn(move || {
                let result = locks.lock(T3, A, Mode::Exclusive);
                let gave_way = is_deadlock(&result);
                if gave_way {
                    // It takes its time with rolling back. T2 must get through meanwhile.
                    locks.lock(T2, A, Mode::Shared).expect("readers share");
                }
                locks.release_all(T3);
            })
        };
        locks.lock(T1, B, Mode::Exclusive).expect("the older goes on");
        locks.release_all(T1);
        victim.join().expect("no panic");
    });
}

#[test]
fn a_reader_behind_a_victim_is_let_in() {
    model(FOREVER, |locks| {
        locks.lock(T1, A, Mode::Shared).expect("it is free");
        locks.lock(T3, B, Mode::Exclusive).expect("it is free");
        let victim = {
            let locks = locks.clone();
            thread::spawn(move || {
                let result = locks.lock(T3, A, Mode::Exclusive);
                if result.is_ok() {
                    locks.release_all(T3);
                }
                // A victim still holds B here.
                is_deadlock(&result)
            })
        };
        let reader = {
            let locks = locks.clone();
            thread::spawn(move || locks.lock(T2, A, Mode::Shared).expect("readers share"))
        };
        if locks.try_lock(T1, B, Mode::Exclusive) {
            locks.release_all(T1);
            reader.join().expect("no panic");
            locks.release_all(T2);
            victim.join().expect("no panic");
        } else {
            let waits = {
                let locks = locks.clone();
                thread::spawn(move || locks.lock(T1, B, Mode::Exclusive).expect("the older goes on"))
            };
            reader
                .join()
                .expect("the reader gets in though T1 and T3 still hold what they hold");
            locks.release_all(T2);
            let gave_way = victim.join().expect("no panic");
            if gave_way {
                locks.release_all(T3);
            }
            waits.join().expect("no panic");
        }
    });
}

#[test]
fn an_upgrade_goes_before_those_who_wait_for_it() {
    model(FOREVER, |locks| {
        locks.lock(T1, A, Mode::Shared).expect("it is free");
        locks.lock(T2, A, Mode::Shared).expect("readers share");
        let writer = {
            let locks = locks.clone();
            thread::spawn(move || {
                locks.lock(T3, A, Mode::Exclusive).expect("it gets its turn");
                locks.release_all(T3);
            })
        };
        let reader = {
            let locks = locks.clone();
            thread::spawn(move || locks.release_all(T2))
        };
        locks
            .lock(T1, A, Mode::Exclusive)
            .expect("it holds the lock already and must not wait for T3");
        locks.release_all(T1);
        writer.join().expect("no panic");
        reader.join().expect("no panic");
    });
}

#[test]
fn of_two_in_a_cycle_one_gives_way() {
    model(FOREVER, |locks| {
        locks.lock(T1, A, Mode::Exclusive).expect("it is free");
        locks.lock(T2, B, Mode::Exclusive).expect("it is free");
        let younger = {
            let locks = locks.clone();
            thread::spawn(move || {
                let result = locks.lock(T2, A, Mode::Exclusive);
                locks.release_all(T2);
                result
            })
        };
        locks.lock(T1, B, Mode::Exclusive).expect("the older goes on");
        locks.release_all(T1);
        let result = younger.join().expect("no panic");
        assert!(result.is_ok() || is_deadlock(&result));
    });
}

#[test]
fn an_upgrade_that_is_in_the_way_is_noted() {
    model(FOREVER, |locks| {
        // T1 will read, T2 reads, T3 will write: it waits for T2. Then T1 reads too, and so stands in T3's way.
        locks.lock(T1, A, Mode::IntentShared).expect("it is free");
        locks.lock(T2, A, Mode::Shared).expect("they go together");
        locks.lock(T3, B, Mode::Exclusive).expect("it is free");
        let writer = {
            let locks = locks.clone();
            thread::spawn(move || {
                let result = locks.lock(T3, A, Mode::IntentExclusive);
                locks.release_all(T3);
                result
            })
        };
        let reader = {
            let locks = locks.clone();
            thread::spawn(move || locks.release_all(T2))
        };
        locks.lock(T1, A, Mode::Shared).expect("readers share");
        locks.lock(T1, B, Mode::Exclusive).expect("the older goes on");
        locks.release_all(T1);
        reader.join().expect("no panic");
        let result = writer.join().expect("no panic");
        assert!(result.is_ok() || is_deadlock(&result));
    });
}

#[test]
fn who_is_woken_and_waits_again_stays_in_the_graph() {
    model(FOREVER, |locks| {
        // T2 waits for T3's A, then at once for T1's B, while T1 waits for T2's A: a cycle that must be seen.
        locks.lock(T3, A, Mode::Exclusive).expect("it is free");
        locks.lock(T1, B, Mode::Exclusive).expect("it is free");
        let second = {
            let locks = locks.clone();
            thread::spawn(move || {
                let mut result = locks.lock(T2, A, Mode::Exclusive);
                if result.is_ok() {
                    result = locks.lock(T2, B, Mode::Exclusive);
                }
                locks.release_all(T2);
                result
            })
        };
        let third = {
            let locks = locks.clone();
            thread::spawn(move || locks.release_all(T3))
        };
        locks.lock(T1, A, Mode::Exclusive).expect("the older goes on");
        locks.release_all(T1);
        third.join().expect("no panic");
        let result = second.join().expect("no panic");
        assert!(result.is_ok() || is_deadlock(&result));
    });
}
