//! Grants, upgrades, time-outs and victims, and the publication of commits, under every interleaving: the product's own [`LockManager`] and
//! [`TransactionManager`].
//!
//! ```text
//! RUSTFLAGS="--cfg godb_loom" cargo test -p godb-txn --test loom --release
//! RUSTFLAGS='--cfg godb_loom --cfg godb_plant="settle-quietly"' cargo test -p godb-txn --test loom --release     # must fail
//! ```
//!
//! The planted bugs, each of which must make a model fail (`cargo xtask loom --plant` tries them all). Of locks: `grant-regardless` (one who gave up is given the lock all
//! the same), `leave-line-quietly` (whoever stood behind one who gave up is not looked at), `settle-quietly` (a sleeper is not woken), `upgrade-last` (an
//! upgrade stands behind those who wait for it), `upgrade-unnoted` (an upgrade's new way of being in somebody's way is not noted), `wake-before-graph` (one who
//! was woken is taken out of the graph after it has gone to wait elsewhere), `escalate-regardless` (locks on keys are given up for one on their table that was not granted), `refuse-newcomers-only` and `refuse-waiters-only` (after a failed sync somebody goes on waiting for a lock). Of commits: `line-after-log` (the line of commits is not in the log's order),
//! `publish-all-at-once` (two publish, and overtake each other), `publish-before-durable`, `free-before-publish` (who gets a lock next does not find what it protected),
//! `checkpoint-unsettled` and `checkpoint-overtakes` (a checkpoint forgets a commit that recovery will not hand back, because nobody
//! saw to it, or because its publisher was already under way).
//!
//! Nothing bounds the models but preemptions ([`explore`] sees to it), so that one cut short would be noticed.
#![cfg(godb_loom)]

use godb_txn::sync::atomic::AtomicU64 as Shared;
use godb_txn::sync::{Arc, Mutex, explore, thread};
use godb_txn::{
    CommitHook, Error, Fault, LockManager, LockOptions, Lsn, MemoryLog, MemoryTree, Mode, Recoverable,
    Resource, TransactionManager, Transactions, TreeId, TxnId,
};
use std::sync::atomic::Ordering;
use std::time::Duration;

const A: Resource<'_> = Resource::Key(TreeId::from_raw(1), b"a");
const B: Resource<'_> = Resource::Key(TreeId::from_raw(1), b"b");
const T1: TxnId = TxnId::from_raw(1);
const T2: TxnId = TxnId::from_raw(2);
const T3: TxnId = TxnId::from_raw(3);
const T4: TxnId = TxnId::from_raw(4);

/// Runs a model of locks; each execution starts from a new manager.
fn model(protocol: &str, timeout: Duration, run: impl Fn(Arc<LockManager>) + Sync + Send + 'static) {
    explore(protocol, 2, move || {
        run(Arc::new(LockManager::new(LockOptions {
            timeout,
            ..LockOptions::default()
        })))
    });
}

const FOREVER: Duration = Duration::from_secs(1_000_000);

fn is_deadlock(result: &Result<(), Error>) -> bool {
    matches!(result, Err(Error::Deadlock { .. }))
}

#[test]
fn who_waits_gets_the_lock_when_it_is_free() {
    model("lock grant", FOREVER, |locks| {
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
    model("lock time-out", Duration::ZERO, |locks| {
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
    model("lock victim", FOREVER, |locks| {
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
    model("lock victim", FOREVER, |locks| {
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
    model("lock upgrade", FOREVER, |locks| {
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
    model("lock victim", FOREVER, |locks| {
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
    model("lock upgrade", FOREVER, |locks| {
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
    model("lock victim", FOREVER, |locks| {
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

#[test]
fn keys_that_become_a_table_are_held_all_the_time() {
    model("lock escalation", FOREVER, |locks| {
        let key = |name: &'static [u8]| Resource::Key(TreeId::from_raw(1), name);
        locks
            .lock(T2, key(b"theirs"), Mode::Exclusive)
            .expect("it is free");
        for name in [b"a", b"b", b"c"] {
            locks.lock(T1, key(name), Mode::Exclusive).expect("it is free");
        }
        let many = {
            let locks = locks.clone();
            // One more than the table is asked for at; a model counts to three.
            thread::spawn(move || locks.lock(T1, key(b"d"), Mode::Exclusive).expect("it is free"))
        };
        assert!(!locks.try_lock(T2, A, Mode::Shared), "it is held");
        locks.release_all(T2);
        assert!(!locks.try_lock(T3, A, Mode::Shared), "it is held");
        many.join().expect("no panic");
        assert!(!locks.try_lock(T3, A, Mode::Shared), "it is held");
        locks.release_all(T1);
        assert!(
            locks.try_lock(T4, key(b"d"), Mode::Exclusive) || locks.count_held(T3) > 0,
            "nothing is left behind"
        );
    });
}

/// A log that knows how far it is durable, and what a checkpoint must know.
struct Log {
    tree: MemoryTree,
    appended: Mutex<u64>,
    durable: Arc<Shared>,
    /// Whether the next sync fails, and all after it.
    fails: bool,
    told: Arc<Told>,
}

/// Hears of commits, and finds fault.
struct Told {
    durable: Arc<Shared>,
    /// The last commit told, and who have been told.
    last: Mutex<(u64, Vec<TxnId>)>,
}

impl CommitHook for Told {
    fn note(&self, _by: TxnId) -> Vec<u8> {
        Vec::new()
    }

    fn committed(&self, by: TxnId, at: Lsn) {
        assert!(
            self.durable.load(Ordering::SeqCst) >= at.raw(),
            "published before it was durable"
        );
        let mut last = self.last.lock();
        assert!(last.0 < at.raw(), "published out of order");
        last.0 = at.raw();
        last.1.push(by);
    }

    fn rolled_back(&self, _by: TxnId) {}
}

impl Recoverable for Log {
    type Tree = MemoryTree;

    fn tree(&self) -> &MemoryTree {
        &self.tree
    }

    fn begin(&self) -> TxnId {
        unreachable!("the models name their transactions")
    }

    fn mark(&self, _by: TxnId) -> Lsn {
        Lsn::from_raw(1)
    }

    fn roll_back(&self, _by: TxnId, _to: Lsn) -> Result<(), Fault> {
        Ok(())
    }

    fn commit(&self, _by: TxnId, _note: &[u8]) -> Result<Lsn, Fault> {
        let mut appended = self.appended.lock();
        *appended += 1;
        Ok(Lsn::from_raw(*appended))
    }

    fn acknowledge(&self, _commit: Lsn) -> Result<(), Fault> {
        if self.fails {
            return Err(Fault::Full {
                file: "the log".into(),
                what: "planted by the test".into(),
            });
        }
        // One sync makes durable whatever is appended by then.
        let appended = *self.appended.lock();
        self.durable.fetch_max(appended, Ordering::SeqCst);
        Ok(())
    }

    fn checkpoint(&self, note: &dyn Fn() -> Vec<u8>) -> Result<(), Fault> {
        let appended = *self.appended.lock();
        note();
        assert!(
            self.told.last.lock().0 >= appended,
            "a commit before the note is not in it"
        );
        Ok(())
    }

    fn log_since_checkpoint(&self) -> u64 {
        0
    }
}

/// Runs a model of commits, with a manager and what is told of it.
fn commits(
    protocol: &str,
    fails: bool,
    run: impl Fn(Arc<TransactionManager<Log>>, Arc<Told>) + Sync + Send + 'static,
) {
    explore(protocol, 2, move || {
        let durable = Arc::new(Shared::new(0));
        let told = Arc::new(Told {
            durable: durable.clone(),
            last: Mutex::default(),
        });
        let log = Log {
            tree: MemoryTree::new(MemoryLog::new()),
            appended: Mutex::default(),
            durable,
            fails,
            told: told.clone(),
        };
        let manager = TransactionManager::new(
            log,
            told.clone(),
            LockOptions {
                timeout: FOREVER,
                ..LockOptions::default()
            },
        );
        run(Arc::new(manager), told);
    });
}

#[test]
fn commits_are_published_in_the_order_of_the_log() {
    commits("status publish", false, |manager, told| {
        let others: Vec<_> = [T1, T2]
            .into_iter()
            .map(|by| {
                let (manager, told) = (manager.clone(), told.clone());
                thread::spawn(move || {
                    manager.commit(by).expect("it commits");
                    assert!(told.last.lock().1.contains(&by), "published when it returns");
                })
            })
            .collect();
        for other in others {
            other.join().expect("no panic");
        }
    });
}

#[test]
fn who_gets_the_lock_finds_the_commit_published() {
    commits("status publish", false, |manager, told| {
        manager.lock(T1, A, Mode::Exclusive).expect("it is free");
        let next = {
            let manager = manager.clone();
            thread::spawn(move || {
                manager.lock(T2, A, Mode::Exclusive).expect("it gets it");
                assert!(told.last.lock().1.contains(&T1));
            })
        };
        manager.commit(T1).expect("it commits");
        next.join().expect("no panic");
    });
}

#[test]
fn a_checkpoint_knows_what_was_logged_before_it() {
    commits("checkpoint", false, |manager, _| {
        let other = {
            let manager = manager.clone();
            thread::spawn(move || manager.commit(T1).map(drop).expect("it commits"))
        };
        manager.checkpoint(&Vec::new).expect("it is taken");
        other.join().expect("no panic");
    });
}

#[test]
fn after_a_failed_sync_everybody_who_waits_for_a_lock_is_told() {
    commits("group commit", true, |manager, told| {
        // T1 is a session that does nothing: only the failure can end the wait for what it has locked.
        manager.lock(T1, A, Mode::Exclusive).expect("it is free");
        let waiter = {
            let manager = manager.clone();
            thread::spawn(move || manager.lock(T2, A, Mode::Shared))
        };
        let other = {
            let manager = manager.clone();
            thread::spawn(move || manager.lock(T4, A, Mode::Shared))
        };
        assert!(manager.commit(T3).is_err());
        for wait in [waiter, other] {
            let result = wait.join().expect("no panic");
            assert!(
                matches!(result, Err(Error::Fault(Fault::Poisoned { .. }))),
                "{result:?}"
            );
        }
        assert!(told.last.lock().1.is_empty(), "nothing was published");
        assert!(manager.commit(T4).is_err(), "and nothing will be");
    });
}
