//! The conformance suite of [`Transactions`]. Run it on an implementation of your own:
//!
//! ```ignore
//! godb_txn::testing::conforms(|hook| my_transactions(hook));
//! ```
//!
//! Locks must be waited for at most a few seconds, or the tests of time-outs take long.

use crate::error::Error;
use crate::transactions::{CommitHook, Mode, Resource, Transactions};
use godb_recovery::sync::{Arc, Mutex};
use godb_recovery::{Lsn, Tree, TreeId, TxnId, Value};
use std::sync::mpsc;

/// What a [`CommitHook`] was told.
#[derive(Debug, Default)]
pub struct Told {
    /// Commits, in the order in which they were told.
    pub committed: Mutex<Vec<(TxnId, Lsn)>>,
    /// Those of which nothing is left.
    pub rolled_back: Mutex<Vec<TxnId>>,
}

impl CommitHook for Told {
    fn note(&self, by: TxnId) -> Vec<u8> {
        by.raw().to_le_bytes().to_vec()
    }

    fn committed(&self, by: TxnId, at: Lsn) {
        self.committed.lock().push((by, at));
    }

    fn rolled_back(&self, by: TxnId) {
        self.rolled_back.lock().push(by);
    }
}

/// Runs every test, each on fresh, empty transactions that tell the hook they are given.
///
/// # Panics
/// When the implementation does not conform.
pub fn conforms<T: Transactions>(make: impl Fn(Arc<dyn CommitHook>) -> T) {
    let fresh = || {
        let told = Arc::new(Told::default());
        Bank::new(make(told.clone()), told)
    };
    a_commit_is_told_once_and_in_order(&fresh());
    nothing_changed_is_no_commit(&fresh());
    a_rollback_is_told_and_frees_the_locks(&fresh());
    a_savepoint_takes_back_what_came_after(&fresh());
    locks_last_until_the_end(&fresh());
    intentions_are_taken_on_the_way(&fresh());
    everyone_holds_his_own_name(&fresh());
    a_cycle_is_broken_at_its_youngest(&fresh());
    a_wait_ends_with_the_holder(&fresh());
    a_wait_has_an_end(&fresh());
    commits_from_many_threads_come_in_one_order(&fresh());
    a_checkpoint_knows_every_commit_before_it(&fresh());
}

/// Transactions, what was told of them, and a tree to change.
struct Bank<T> {
    db: T,
    told: Arc<Told>,
    tree: TreeId,
}

impl<T: Transactions> Bank<T> {
    fn new(db: T, told: Arc<Told>) -> Self {
        let by = db.begin();
        let tree = db.tree().create(by).expect("a tree can be made");
        db.commit(by).expect("that can be committed");
        told.committed.lock().clear();
        Self { db, told, tree }
    }

    fn key<'k>(&self, key: &'k str) -> Resource<'k> {
        Resource::Key(self.tree, key.as_bytes())
    }

    fn put(&self, by: TxnId, key: &str, value: &str) {
        self.db
            .lock(by, self.key(key), Mode::Exclusive)
            .expect("it is free");
        let value = Value::inline(value.as_bytes());
        self.db
            .tree()
            .put(by, self.tree, key.as_bytes(), value)
            .expect("a row can be put");
    }

    fn get(&self, key: &str) -> Option<String> {
        let show = |value: Value<'_>| String::from_utf8_lossy(value.inline).into_owned();
        self.db
            .tree()
            .get(self.tree, key.as_bytes(), show)
            .expect("it can be read")
    }

    fn try_lock(&self, by: TxnId, what: Resource<'_>, mode: Mode) -> bool {
        self.db.try_lock(by, what, mode).expect("nothing has failed")
    }
}

fn a_commit_is_told_once_and_in_order<T: Transactions>(bank: &Bank<T>) {
    let mut expected = Vec::new();
    for number in 0..5 {
        let by = bank.db.begin();
        bank.put(by, "a", &number.to_string());
        expected.push((by, bank.db.commit(by).expect("it commits")));
    }
    assert_eq!(*bank.told.committed.lock(), expected);
    assert!(expected.is_sorted_by(|a, b| a.1 < b.1));
    assert_eq!(bank.get("a").as_deref(), Some("4"));
}

fn nothing_changed_is_no_commit<T: Transactions>(bank: &Bank<T>) {
    let by = bank.db.begin();
    assert!(bank.try_lock(by, bank.key("a"), Mode::Shared));
    assert_eq!(bank.db.commit(by).expect("it ends"), Lsn::default());
    assert!(bank.told.committed.lock().is_empty());
    assert_eq!(*bank.told.rolled_back.lock(), [by]);
    let next = bank.db.begin();
    assert!(bank.try_lock(next, bank.key("a"), Mode::Exclusive));
}

fn a_rollback_is_told_and_frees_the_locks<T: Transactions>(bank: &Bank<T>) {
    let by = bank.db.begin();
    bank.put(by, "a", "1");
    bank.db.roll_back(by).expect("it rolls back");
    assert_eq!(bank.get("a"), None);
    assert_eq!(*bank.told.rolled_back.lock(), [by]);
    assert!(bank.told.committed.lock().is_empty());
    let next = bank.db.begin();
    assert!(bank.try_lock(next, bank.key("a"), Mode::Exclusive));
}

fn a_savepoint_takes_back_what_came_after<T: Transactions>(bank: &Bank<T>) {
    let by = bank.db.begin();
    let empty = bank.db.savepoint(by);
    bank.put(by, "a", "1");
    let point = bank.db.savepoint(by);
    bank.put(by, "a", "2");
    bank.put(by, "b", "2");
    bank.db.roll_back_to(by, point).expect("it goes back");
    assert_eq!((bank.get("a").as_deref(), bank.get("b")), (Some("1"), None));
    let other = bank.db.begin();
    assert!(
        !bank.try_lock(other, bank.key("b"), Mode::Exclusive),
        "locks stay"
    );
    bank.db
        .roll_back_to(by, empty)
        .expect("it goes back to the beginning");
    assert_eq!(bank.get("a"), None);
    bank.put(by, "c", "3");
    bank.db.commit(by).expect("it commits what is left");
    assert_eq!(bank.get("c").as_deref(), Some("3"));
    assert_eq!(bank.told.committed.lock().len(), 1);
}

fn locks_last_until_the_end<T: Transactions>(bank: &Bank<T>) {
    let (alice, bob) = (bank.db.begin(), bank.db.begin());
    assert!(bank.try_lock(alice, bank.key("a"), Mode::Shared));
    assert!(bank.try_lock(bob, bank.key("a"), Mode::Shared));
    assert!(!bank.try_lock(bob, bank.key("a"), Mode::Exclusive));
    bank.db.commit(alice).expect("it ends");
    assert!(
        bank.try_lock(bob, bank.key("a"), Mode::Exclusive),
        "the last reader may become the writer"
    );
}

fn intentions_are_taken_on_the_way<T: Transactions>(bank: &Bank<T>) {
    let (alice, bob) = (bank.db.begin(), bank.db.begin());
    assert!(bank.try_lock(alice, bank.key("a"), Mode::Exclusive));
    let table = Resource::Table(bank.tree);
    assert!(!bank.try_lock(bob, table, Mode::Shared));
    assert!(!bank.try_lock(bob, Resource::Database, Mode::Exclusive));
    assert!(bank.try_lock(bob, table, Mode::IntentExclusive));
    assert!(bank.try_lock(bob, bank.key("b"), Mode::Exclusive));
    bank.db.commit(alice).expect("it ends");
    assert!(bank.try_lock(bob, table, Mode::Exclusive));
}

fn everyone_holds_his_own_name<T: Transactions>(bank: &Bank<T>) {
    let (alice, bob) = (bank.db.begin(), bank.db.begin());
    assert!(!bank.try_lock(bob, Resource::Transaction(alice), Mode::Shared));
    bank.db.roll_back(alice).expect("it ends");
    assert!(bank.try_lock(bob, Resource::Transaction(alice), Mode::Shared));
}

fn a_cycle_is_broken_at_its_youngest<T: Transactions>(bank: &Bank<T>) {
    let (old, young) = (bank.db.begin(), bank.db.begin());
    assert!(bank.try_lock(old, bank.key("a"), Mode::Exclusive));
    assert!(bank.try_lock(young, bank.key("b"), Mode::Exclusive));
    std::thread::scope(|scope| {
        let younger = scope.spawn(|| {
            let result = bank.db.lock(young, bank.key("a"), Mode::Exclusive);
            bank.db.roll_back(young).expect("it ends");
            result
        });
        bank.db
            .lock(old, bank.key("b"), Mode::Exclusive)
            .expect("the older goes on");
        match younger.join().expect("it did not panic") {
            Err(Error::Deadlock { cycle }) => assert_eq!(cycle, [young, old]),
            other => panic!("{other:?}"),
        }
    });
}

fn a_wait_ends_with_the_holder<T: Transactions>(bank: &Bank<T>) {
    let (alice, bob) = (bank.db.begin(), bank.db.begin());
    bank.put(alice, "a", "1");
    let (told, tell) = mpsc::channel();
    godb_recovery::sync::thread::scope(|scope| {
        scope.spawn(move || {
            bank.db
                .lock(bob, bank.key("a"), Mode::Exclusive)
                .expect("it gets it");
            told.send(bank.get("a")).expect("somebody listens");
        });
        assert!(tell.recv_timeout(std::time::Duration::from_millis(5)).is_err());
        bank.db.commit(alice).expect("it commits");
        assert_eq!(tell.recv().expect("it is told").as_deref(), Some("1"));
    });
    assert_eq!(
        bank.told.committed.lock().len(),
        1,
        "told before the lock was free"
    );
}

fn a_wait_has_an_end<T: Transactions>(bank: &Bank<T>) {
    let (alice, bob) = (bank.db.begin(), bank.db.begin());
    assert!(bank.try_lock(alice, bank.key("a"), Mode::Exclusive));
    let result = bank.db.lock(bob, bank.key("a"), Mode::Shared);
    assert!(matches!(result, Err(Error::LockTimeout { .. })), "{result:?}");
    bank.db.commit(alice).expect("it ends");
    let third = bank.db.begin();
    assert!(
        bank.try_lock(third, bank.key("a"), Mode::Exclusive),
        "nobody stands in line"
    );
}

fn commits_from_many_threads_come_in_one_order<T: Transactions>(bank: &Bank<T>) {
    godb_recovery::sync::thread::scope(|scope| {
        for thread in 0..4 {
            scope.spawn(move || {
                for number in 0..50 {
                    let by = bank.db.begin();
                    bank.put(by, &format!("{thread}"), &number.to_string());
                    bank.db.commit(by).expect("it commits");
                }
            });
        }
    });
    let told = bank.told.committed.lock();
    assert_eq!(told.len(), 200);
    assert!(told.is_sorted_by(|a, b| a.1 < b.1), "as the log has them");
}

fn a_checkpoint_knows_every_commit_before_it<T: Transactions>(bank: &Bank<T>) {
    let by = bank.db.begin();
    bank.put(by, "a", "1");
    bank.db.commit(by).expect("it commits");
    let before = bank.db.log_since_checkpoint();
    let known = Mutex::new(0);
    bank.db
        .checkpoint(&|| {
            *known.lock() = bank.told.committed.lock().len();
            Vec::new()
        })
        .expect("it is taken");
    assert_eq!(*known.lock(), 1);
    assert!(bank.db.log_since_checkpoint() <= before);
}
