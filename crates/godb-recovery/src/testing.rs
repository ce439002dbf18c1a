//! The conformance suite of [`Recoverable`]: what transactions must do while nothing crashes. Run it on an implementation of your own:
//!
//! ```ignore
//! godb_recovery::testing::conforms(|| my_transactions());
//! ```

use crate::recoverable::Recoverable;
use godb_wal::{Lsn, Range, Tree, TreeId, TxnId, Value};
use std::cell::Cell;
use std::collections::BTreeMap;
use std::ops::ControlFlow;

/// Rows of a tree.
pub type Rows = BTreeMap<Vec<u8>, Vec<u8>>;

/// Runs every test, each on a fresh, empty database.
///
/// # Panics
/// When the implementation does not conform.
pub fn conforms<R: Recoverable>(make: impl Fn() -> R) {
    ids_and_commits_are_in_order(&make());
    a_rollback_leaves_no_trace(&make());
    a_rollback_to_a_mark_keeps_what_came_before(&make());
    a_mark_before_the_first_change_takes_everything_back(&make());
    rollbacks_of_many_do_not_disturb_each_other(&make());
    a_long_transaction_is_rolled_back(&make());
    a_tree_made_by_a_transaction_goes_with_it(&make());
    a_checkpoint_disturbs_nobody(&make());
    threads_commit_side_by_side(&make());
}

/// Everything in a tree.
///
/// # Panics
/// When it cannot be read.
pub fn rows<T: Tree>(tree: &T, id: TreeId) -> Rows {
    let mut rows = Rows::new();
    let mut cursor = tree.seek(id, Range::ALL).expect("a scan can begin");
    let mut show = |key: &[u8], value: Value<'_>| {
        rows.insert(key.to_vec(), value.inline.to_vec());
        ControlFlow::Continue(())
    };
    while tree.next(&mut cursor, &mut show).expect("a scan goes on") {}
    rows
}

/// A committed, empty tree.
fn new_tree<R: Recoverable>(db: &R) -> TreeId {
    let by = db.begin();
    let tree = db.tree().create(by).expect("a tree can be made");
    commit(db, by);
    tree
}

fn put<R: Recoverable>(db: &R, by: TxnId, tree: TreeId, key: &str, value: &str) {
    let value = Value::inline(value.as_bytes());
    db.tree()
        .put(by, tree, key.as_bytes(), value)
        .expect("a row can be put");
}

fn commit<R: Recoverable>(db: &R, by: TxnId) -> Lsn {
    let at = db.commit(by, b"note").expect("it can be committed");
    db.acknowledge(at).expect("it can be acknowledged");
    at
}

fn roll_back<R: Recoverable>(db: &R, by: TxnId, to: Lsn) {
    db.roll_back(by, to).expect("it can be rolled back");
}

fn ids_and_commits_are_in_order<R: Recoverable>(db: &R) {
    let tree = new_tree(db);
    let mut ids = Vec::new();
    let mut commits = Vec::new();
    for number in 0..10 {
        let by = db.begin();
        put(db, by, tree, &format!("k{number}"), "v");
        ids.push(by);
        commits.push(commit(db, by));
    }
    assert!(ids.is_sorted_by(|a, b| a < b));
    assert!(commits.is_sorted_by(|a, b| a < b));
    assert_eq!(rows(db.tree(), tree).len(), 10);
}

fn a_rollback_leaves_no_trace<R: Recoverable>(db: &R) {
    let tree = new_tree(db);
    let by = db.begin();
    put(db, by, tree, "stays", "old");
    put(db, by, tree, "goes", "old");
    commit(db, by);
    let before = rows(db.tree(), tree);
    let by = db.begin();
    put(db, by, tree, "stays", "new");
    put(db, by, tree, "stays", "newer");
    put(db, by, tree, "fresh", "new");
    assert!(db.tree().remove(by, tree, b"goes").expect("a row can be removed"));
    roll_back(db, by, Lsn::default());
    assert_eq!(rows(db.tree(), tree), before);
    assert_eq!(db.mark(by), Lsn::default(), "it has ended");
    roll_back(db, by, Lsn::default());
    assert_eq!(
        rows(db.tree(), tree),
        before,
        "there is nothing left to take back"
    );
}

fn a_rollback_to_a_mark_keeps_what_came_before<R: Recoverable>(db: &R) {
    let tree = new_tree(db);
    let by = db.begin();
    put(db, by, tree, "a", "1");
    let outer = db.mark(by);
    put(db, by, tree, "a", "2");
    let inner = db.mark(by);
    put(db, by, tree, "b", "3");
    roll_back(db, by, inner);
    put(db, by, tree, "c", "4");
    let kept = rows(db.tree(), tree);
    assert_eq!(kept.keys().map(Vec::as_slice).collect::<Vec<_>>(), [b"a", b"c"]);
    assert_eq!(kept[&b"a"[..]], b"2");
    roll_back(db, by, outer);
    roll_back(db, by, outer);
    put(db, by, tree, "d", "5");
    commit(db, by);
    let kept = rows(db.tree(), tree);
    assert_eq!(kept.keys().map(Vec::as_slice).collect::<Vec<_>>(), [b"a", b"d"]);
    assert_eq!(kept[&b"a"[..]], b"1");
}

fn a_mark_before_the_first_change_takes_everything_back<R: Recoverable>(db: &R) {
    let tree = new_tree(db);
    let by = db.begin();
    let start = db.mark(by);
    put(db, by, tree, "a", "1");
    roll_back(db, by, start);
    assert!(rows(db.tree(), tree).is_empty());
    put(db, by, tree, "b", "2");
    commit(db, by);
    assert_eq!(rows(db.tree(), tree).len(), 1, "the transaction can go on");
}

fn rollbacks_of_many_do_not_disturb_each_other<R: Recoverable>(db: &R) {
    let tree = new_tree(db);
    let ids: Vec<TxnId> = (0..6).map(|_| db.begin()).collect();
    for round in 0..30 {
        for by in &ids {
            put(db, *by, tree, &format!("{by}-{}", round % 7), &format!("{round}"));
        }
        if round == 15 {
            roll_back(db, ids[0], Lsn::default());
            roll_back(db, ids[1], Lsn::default());
        }
    }
    for by in &ids[..5] {
        roll_back(db, *by, Lsn::default());
    }
    commit(db, ids[5]);
    let left = rows(db.tree(), tree);
    assert_eq!(left.len(), 7);
    assert!(
        left.keys()
            .all(|key| key.starts_with(ids[5].to_string().as_bytes()))
    );
}

fn a_long_transaction_is_rolled_back<R: Recoverable>(db: &R) {
    let tree = new_tree(db);
    let by = db.begin();
    put(db, by, tree, "base", "value");
    commit(db, by);
    let by = db.begin();
    for number in 0..3000 {
        put(
            db,
            by,
            tree,
            &format!("key {:04}", number * 7919 % 3000),
            &"x".repeat(100),
        );
    }
    for number in 0..1000 {
        let key = format!("key {number:04}");
        db.tree()
            .remove(by, tree, key.as_bytes())
            .expect("a row can be removed");
    }
    roll_back(db, by, Lsn::default());
    assert_eq!(rows(db.tree(), tree).len(), 1);
}

fn a_tree_made_by_a_transaction_goes_with_it<R: Recoverable>(db: &R) {
    let before = db.tree().trees().expect("trees can be listed");
    let by = db.begin();
    let tree = db.tree().create(by).expect("a tree can be made");
    put(db, by, tree, "a", "1");
    roll_back(db, by, Lsn::default());
    assert_eq!(db.tree().trees().expect("trees can be listed"), before);
}

fn a_checkpoint_disturbs_nobody<R: Recoverable>(db: &R) {
    let tree = new_tree(db);
    let (first, second) = (db.begin(), db.begin());
    put(db, first, tree, "a", "1");
    put(db, second, tree, "b", "2");
    let logged = db.log_since_checkpoint();
    let calls = Cell::new(0);
    let note = || {
        calls.set(calls.get() + 1);
        b"note".to_vec()
    };
    db.checkpoint(&note).expect("a checkpoint can be taken");
    assert!(calls.get() <= 1, "the note is asked for once");
    assert!(db.log_since_checkpoint() <= logged);
    put(db, first, tree, "c", "3");
    put(db, second, tree, "d", "4");
    roll_back(db, first, Lsn::default());
    commit(db, second);
    let left = rows(db.tree(), tree);
    assert_eq!(left.keys().map(Vec::as_slice).collect::<Vec<_>>(), [b"b", b"d"]);
}

fn threads_commit_side_by_side<R: Recoverable>(db: &R) {
    let tree = new_tree(db);
    godb_wal::sync::thread::scope(|scope| {
        for thread in 0..4 {
            scope.spawn(move || {
                for number in 0..50 {
                    let by = db.begin();
                    put(db, by, tree, &format!("{thread}-{number}"), "v");
                    match number % 3 {
                        0 => roll_back(db, by, Lsn::default()),
                        _ => drop(commit(db, by)),
                    }
                }
            });
        }
        scope.spawn(move || {
            for _ in 0..5 {
                db.checkpoint(&Vec::new).expect("a checkpoint can be taken");
            }
        });
    });
    assert_eq!(rows(db.tree(), tree).len(), 4 * 33);
}
