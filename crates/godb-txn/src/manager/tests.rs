//! The transaction manager on the simplest log and tree, and what it does when the log fails.

use super::*;
use crate::DeadlockPolicy;
use crate::error::Error;
use crate::testing::{Told, conforms};
use godb_recovery::sync::atomic::AtomicUsize;
use godb_recovery::{
    CHECKPOINT_EVERY, MemoryLog, MemoryTree, MemoryWal, Recovered, RecoveryOptions, Resume, Tree, Value,
    recover,
};
use std::time::Duration;

const LOCKS: LockOptions = LockOptions {
    timeout: Duration::from_millis(200),
    policy: DeadlockPolicy::WaitForGraph,
    clock: None,
};

fn below() -> Recovered<MemoryWal<MemoryTree>> {
    let log = MemoryLog::new();
    let tree = MemoryTree::new(log.clone());
    let options = RecoveryOptions {
        clock: None,
        resume: Resume::default(),
        checkpoint_every: CHECKPOINT_EVERY,
        batch: 1 << 20,
        helpers: 0,
        observe: &mut |_| {},
    };
    recover(MemoryWal::new(log, tree), options).unwrap().0
}

#[test]
fn it_conforms() {
    conforms(|hook| TransactionManager::new(below(), hook, LOCKS));
}

/// What fails, from the moment it is told to.
#[derive(Default)]
struct Failing {
    append: AtomicUsize,
    acknowledge: AtomicUsize,
    roll_back: AtomicUsize,
}

impl Failing {
    fn check(one: &AtomicUsize, what: &'static str) -> Result<(), Fault> {
        match one.load(Ordering::SeqCst) {
            0 => Ok(()),
            _ => Err(Fault::Full {
                file: "the log".into(),
                what: what.into(),
            }),
        }
    }
}

/// Transactions whose log fails on command.
struct Fragile(Recovered<MemoryWal<MemoryTree>>, Arc<Failing>);

impl Recoverable for Fragile {
    type Tree = MemoryTree;

    fn tree(&self) -> &MemoryTree {
        self.0.tree()
    }

    fn begin(&self) -> TxnId {
        self.0.begin()
    }

    fn mark(&self, by: TxnId) -> Lsn {
        self.0.mark(by)
    }

    fn roll_back(&self, by: TxnId, to: Lsn) -> Result<(), Fault> {
        Failing::check(&self.1.roll_back, "cannot roll back")?;
        self.0.roll_back(by, to)
    }

    fn commit(&self, by: TxnId, note: &[u8]) -> Result<Lsn, Fault> {
        Failing::check(&self.1.append, "cannot append")?;
        self.0.commit(by, note)
    }

    fn acknowledge(&self, commit: Lsn) -> Result<(), Fault> {
        Failing::check(&self.1.acknowledge, "cannot sync")?;
        self.0.acknowledge(commit)
    }

    fn checkpoint(&self, note: &dyn Fn() -> Vec<u8>) -> Result<(), Fault> {
        self.0.checkpoint(note)
    }

    fn log_since_checkpoint(&self) -> u64 {
        self.0.log_since_checkpoint()
    }
}

fn fragile() -> (TransactionManager<Fragile>, Arc<Failing>, Arc<Told>) {
    let (failing, told) = (Arc::new(Failing::default()), Arc::new(Told::default()));
    let manager = TransactionManager::new(Fragile(below(), failing.clone()), told.clone(), LOCKS);
    (manager, failing, told)
}

#[test]
fn a_commit_that_cannot_be_logged_is_taken_back() {
    let (db, failing, told) = fragile();
    let by = db.begin();
    let tree = db.tree().create(by).unwrap();
    failing.append.store(1, Ordering::SeqCst);
    assert!(matches!(db.commit(by), Err(Error::Fault(Fault::Full { .. }))));
    assert_eq!(*told.rolled_back.lock(), [by]);
    assert!(db.failed_rollback(by).is_none());
    assert!(!db.tree().trees().unwrap().contains(&tree));
    failing.append.store(0, Ordering::SeqCst);
    let by = db.begin();
    db.tree().create(by).unwrap();
    db.commit(by).unwrap();
}

#[test]
fn after_a_failed_sync_nobody_writes_and_nothing_is_published() {
    let (db, failing, told) = fragile();
    let (by, other) = (db.begin(), db.begin());
    let tree = db.tree().create(by).unwrap();
    db.lock(by, Resource::Key(tree, b"a"), Mode::Exclusive).unwrap();
    failing.acknowledge.store(1, Ordering::SeqCst);
    assert!(matches!(
        db.commit(by),
        Err(Error::OutcomeUnknown(Fault::Full { .. }))
    ));
    failing.acknowledge.store(0, Ordering::SeqCst);
    assert!(told.committed.lock().is_empty() && told.rolled_back.lock().is_empty());
    let poisoned = |result: Result<(), Error>| matches!(result, Err(Error::Fault(Fault::Poisoned { .. })));
    assert!(poisoned(db.lock(other, Resource::Database, Mode::Shared)));
    db.tree().put(other, tree, b"b", Value::inline(b"1")).unwrap();
    assert!(poisoned(db.commit(other).map(drop)));
    assert!(db.checkpoint(&Vec::new).is_err());
}

#[test]
fn a_rollback_that_fails_holds_up_nobody_but_those_who_want_its_rows() {
    let (db, failing, told) = fragile();
    let (by, waiter) = (db.begin(), db.begin());
    let tree = db.tree().create(by).unwrap();
    db.lock(by, Resource::Key(tree, b"a"), Mode::Exclusive).unwrap();
    failing.roll_back.store(1, Ordering::SeqCst);
    assert!(db.roll_back(by).is_err());
    assert!(told.rolled_back.lock().is_empty());
    assert!(db.failed_rollback(by).is_some() && db.failed_rollback(waiter).is_none());
    let wanted = db.lock(waiter, Resource::Key(tree, b"a"), Mode::Exclusive);
    assert!(matches!(wanted, Err(Error::LockTimeout { .. })), "{wanted:?}");
    // Somebody who wants other rows goes on, though the rollback, tried again, fails again.
    db.finish_rollbacks();
    let other = db.begin();
    db.lock(other, Resource::Key(tree, b"b"), Mode::Exclusive)
        .unwrap();
    let theirs = db.tree().create(other).unwrap();
    db.commit(other).unwrap();
    failing.roll_back.store(0, Ordering::SeqCst);
    db.finish_rollbacks();
    assert_eq!(*told.rolled_back.lock(), [by]);
    assert_eq!(db.tree().trees().unwrap(), [theirs]);
    db.lock(waiter, Resource::Key(tree, b"a"), Mode::Exclusive)
        .unwrap();
}

#[test]
fn who_waits_for_a_session_that_does_nothing_is_told_of_a_failed_sync_at_once() {
    let (failing, told) = (Arc::new(Failing::default()), Arc::new(Told::default()));
    let patient = LockOptions {
        timeout: Duration::from_secs(3600),
        ..LOCKS
    };
    let db = Arc::new(TransactionManager::new(
        Fragile(below(), failing.clone()),
        told,
        patient,
    ));
    let (idle, committer) = (db.begin(), db.begin());
    let tree = db.tree().create(committer).unwrap();
    db.lock(idle, Resource::Key(tree, b"a"), Mode::Exclusive).unwrap();
    let waiters: Vec<_> = (0..3)
        .map(|_| {
            let db = db.clone();
            let by = db.begin();
            std::thread::spawn(move || db.lock(by, Resource::Key(tree, b"a"), Mode::Exclusive))
        })
        .collect();
    while db.locks().stats().waits < 3 {
        std::thread::yield_now();
    }
    failing.acknowledge.store(1, Ordering::SeqCst);
    assert!(db.commit(committer).is_err());
    for waiter in waiters {
        let told = waiter.join().unwrap();
        assert!(
            matches!(told, Err(Error::Fault(Fault::Poisoned { .. }))),
            "{told:?}"
        );
    }
    let late = db.begin();
    assert!(db.lock(late, Resource::Key(tree, b"a"), Mode::Shared).is_err());
}
