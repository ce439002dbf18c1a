//! What transactions see of each other.

use super::*;

pub(super) const LESSONS: &[Lesson] = &[
    nobody_sees_what_is_not_committed,
    a_snapshot_does_not_change,
    what_is_rolled_back_never_was,
    the_first_to_update_wins,
    after_a_conflict_one_can_only_roll_back,
    read_committed_looks_again_each_statement,
    read_committed_updates_what_it_sees_now,
    savepoints_take_back_what_came_after,
    a_savepoint_can_be_used_again,
    nothing_changed_commits_at_its_snapshot,
    commits_are_numbered_in_order,
    a_key_made_and_unmade_meanwhile_conflicts,
    who_only_reads_cannot_write,
    a_dropped_transaction_is_rolled_back,
];

fn nobody_sees_what_is_not_committed(engine: &Engine) {
    let mut alice = begin(engine);
    put(&mut alice, engine, "a", "1");
    assert_eq!(get(&alice, engine, "a").as_deref(), Some("1"), "she sees her own");
    assert_eq!(get(&begin(engine), engine, "a"), None);
    assert!(rows(&begin(engine), engine).is_empty());
    commit(alice);
    assert_eq!(get(&begin(engine), engine, "a").as_deref(), Some("1"));
}

fn a_snapshot_does_not_change(engine: &Engine) {
    store(engine, "a", "1");
    store(engine, "b", "1");
    let reader = begin(engine);
    store(engine, "a", "2");
    remove(engine, "b");
    store(engine, "c", "2");
    for _ in 0..3 {
        store(engine, "a", "3");
        collect(engine);
        assert_eq!(rows(&reader, engine), ["a=1", "b=1"]);
        assert_eq!(get(&reader, engine, "c"), None);
    }
    assert_eq!(rows(&begin(engine), engine), ["a=3", "c=2"]);
}

fn what_is_rolled_back_never_was(engine: &Engine) {
    store(engine, "a", "1");
    let mut tx = begin(engine);
    put(&mut tx, engine, "a", "2");
    put(&mut tx, engine, "b", "2");
    assert!(delete(&mut tx, engine, "a"));
    tx.roll_back().expect("it rolls back");
    assert_eq!(rows(&begin(engine), engine), ["a=1"]);
    store(engine, "b", "3");
}

fn the_first_to_update_wins(engine: &Engine) {
    store(engine, "a", "1");
    let (mut alice, mut bob) = (begin(engine), begin(engine));
    put(&mut alice, engine, "a", "2");
    commit(alice);
    assert_eq!(get(&bob, engine, "a").as_deref(), Some("1"));
    let refused = try_put(&mut bob, engine, "a", "3");
    assert!(matches!(refused, Err(Error::Conflict)), "{refused:?}");
}

fn after_a_conflict_one_can_only_roll_back(engine: &Engine) {
    let mut bob = begin(engine);
    put(&mut bob, engine, "b", "1");
    store(engine, "a", "1");
    let refused = bob.delete(engine.root(), b"a");
    assert!(matches!(refused, Err(Error::Conflict)), "{refused:?}");
    assert!(bob.get(engine.root(), b"a", &mut |_| {}).is_err());
    assert!(bob.commit().is_err());
    assert_eq!(rows(&begin(engine), engine), ["a=1"]);
}

fn read_committed_looks_again_each_statement(engine: &Engine) {
    let mut tx = begin_committed(engine);
    store(engine, "a", "1");
    assert_eq!(get(&tx, engine, "a"), None, "the statement goes on");
    tx.next_statement().expect("the next begins");
    assert_eq!(get(&tx, engine, "a").as_deref(), Some("1"));
    let mut other = begin(engine);
    store(engine, "a", "2");
    other.next_statement().expect("nothing happens");
    assert_eq!(get(&other, engine, "a").as_deref(), Some("1"), "repeatable read");
}

fn read_committed_updates_what_it_sees_now(engine: &Engine) {
    store(engine, "a", "1");
    let mut tx = begin_committed(engine);
    store(engine, "a", "2");
    let refused = try_put(&mut tx, engine, "a", "3");
    assert!(matches!(refused, Err(Error::Conflict)), "{refused:?}");
    tx.next_statement().expect("it sees what it conflicted with");
    put(&mut tx, engine, "a", "3");
    commit(tx);
    assert_eq!(rows(&begin(engine), engine), ["a=3"]);
}

fn savepoints_take_back_what_came_after(engine: &Engine) {
    store(engine, "a", "0");
    let mut tx = begin(engine);
    let empty = tx.savepoint().expect("before the first change");
    put(&mut tx, engine, "a", "1");
    put(&mut tx, engine, "b", "1");
    let point = tx.savepoint().expect("a point to return to");
    put(&mut tx, engine, "a", "2");
    assert!(delete(&mut tx, engine, "b"));
    put(&mut tx, engine, "c", "2");
    tx.roll_back_to(point).expect("it goes back");
    assert_eq!(rows(&tx, engine), ["a=1", "b=1"]);
    tx.roll_back_to(empty).expect("further back");
    assert_eq!(rows(&tx, engine), ["a=0"]);
    put(&mut tx, engine, "d", "3");
    commit(tx);
    assert_eq!(rows(&begin(engine), engine), ["a=0", "d=3"]);
}

fn a_savepoint_can_be_used_again(engine: &Engine) {
    let mut tx = begin(engine);
    put(&mut tx, engine, "a", "1");
    let point = tx.savepoint().expect("a point to return to");
    for value in ["2", "3"] {
        put(&mut tx, engine, "a", value);
        tx.roll_back_to(point).expect("it goes back");
        assert_eq!(rows(&tx, engine), ["a=1"]);
    }
    commit(tx);
}

fn nothing_changed_commits_at_its_snapshot(engine: &Engine) {
    let at = store(engine, "a", "1");
    let tx = begin(engine);
    assert_eq!(tx.snapshot(), at);
    assert_eq!(commit(tx), at);
    let mut tx = begin(engine);
    let point = tx.savepoint().expect("a point to return to");
    put(&mut tx, engine, "b", "1");
    tx.roll_back_to(point).expect("it goes back");
    commit(tx);
    assert_eq!(rows(&begin(engine), engine), ["a=1"]);
}

fn commits_are_numbered_in_order(engine: &Engine) {
    let before = engine.now();
    let first = store(engine, "a", "1");
    let second = store(engine, "a", "2");
    assert!(before < first && first < second);
    assert_eq!(engine.now(), second);
    assert_eq!(begin(engine).snapshot(), second);
}

fn a_key_made_and_unmade_meanwhile_conflicts(engine: &Engine) {
    let mut bob = begin(engine);
    store(engine, "a", "1");
    remove(engine, "a");
    collect(engine);
    assert_eq!(get(&bob, engine, "a"), None);
    let refused = try_put(&mut bob, engine, "a", "2");
    assert!(matches!(refused, Err(Error::Conflict)), "{refused:?}");
    drop(bob);
    collect(engine);
    store(engine, "a", "3");
}

fn who_only_reads_cannot_write(engine: &Engine) {
    let mut tx = begin_as(
        engine,
        Begin {
            read_only: true,
            ..Begin::default()
        },
    );
    let refused = try_put(&mut tx, engine, "a", "1");
    assert!(matches!(refused, Err(Error::ReadOnlyTransaction)), "{refused:?}");
    assert!(matches!(tx.create_tree(), Err(Error::ReadOnlyTransaction)));
    assert_eq!(get(&tx, engine, "a"), None, "reading goes on");
}

fn a_dropped_transaction_is_rolled_back(engine: &Engine) {
    let mut tx = begin(engine);
    put(&mut tx, engine, "a", "1");
    drop(tx);
    store(engine, "a", "2");
}
