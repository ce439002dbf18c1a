//! The number of rows is the number of rows that are shown, whoever asks and whenever.

use super::*;
use crate::engine::count_by_walking;

pub(super) const LESSONS: &[Lesson] = &[
    everybody_has_a_number_of_his_own,
    what_is_taken_back_is_not_counted,
    many_puts_in_a_row_are_counted_once_a_key,
    a_dropped_tree_takes_its_number_with_it,
];

fn count(tx: &Tx, engine: &Engine) -> u64 {
    let rows = tx.count(engine.root()).expect("the tree is there");
    let walked = count_by_walking(&**tx, engine.root()).expect("it can be walked over");
    assert_eq!(rows, walked, "the books and the rows differ");
    rows
}

fn everybody_has_a_number_of_his_own(engine: &Engine) {
    let before = begin(engine);
    store(engine, "a", "1");
    store(engine, "b", "1");
    let between = begin(engine);
    let mut writer = begin(engine);
    assert!(delete(&mut writer, engine, "a"));
    put(&mut writer, engine, "b", "2");
    put(&mut writer, engine, "c", "2");
    put(&mut writer, engine, "d", "2");
    assert_eq!(count(&writer, engine), 3);
    assert_eq!(count(&between, engine), 2);
    commit(writer);
    assert_eq!(count(&begin(engine), engine), 3);
    remove(engine, "c");
    collect(engine);
    assert_eq!(count(&before, engine), 0);
    assert_eq!(count(&between, engine), 2);
    assert_eq!(count(&begin(engine), engine), 2);
}

fn what_is_taken_back_is_not_counted(engine: &Engine) {
    store(engine, "a", "1");
    let mut tx = begin(engine);
    put(&mut tx, engine, "b", "1");
    let point = tx.savepoint().expect("a point to return to");
    assert!(delete(&mut tx, engine, "a"));
    put(&mut tx, engine, "c", "1");
    assert!(!delete(&mut tx, engine, "nobody"));
    tx.roll_back_to(point).expect("it goes back");
    assert_eq!(count(&tx, engine), 2);
    assert!(delete(&mut tx, engine, "b"));
    put(&mut tx, engine, "b", "2");
    assert_eq!(count(&tx, engine), 2);
    tx.roll_back().expect("it is taken back");
    assert_eq!(count(&begin(engine), engine), 1);
}

fn many_puts_in_a_row_are_counted_once_a_key(engine: &Engine) {
    store(engine, "7", "old");
    let mut tx = begin(engine);
    for number in (0..500).rev().chain(100..200) {
        put(&mut tx, engine, &number.to_string(), "new");
    }
    assert_eq!(count(&tx, engine), 500);
    for number in 0..50 {
        assert!(delete(&mut tx, engine, &number.to_string()));
    }
    commit(tx);
    assert_eq!(count(&begin(engine), engine), 450);
}

fn a_dropped_tree_takes_its_number_with_it(engine: &Engine) {
    let mut tx = begin(engine);
    let tree = tx.create_tree().expect("a tree can be made");
    tx.put(tree, b"key", b"value").expect("it can be put");
    assert_eq!(tx.count(tree).expect("the tree is there"), 1);
    commit(tx);
    let mut tx = begin(engine);
    assert_eq!(tx.count(tree).expect("the tree is there"), 1);
    tx.drop_tree(tree).expect("it can go");
    assert!(tx.count(tree).is_err());
    commit(tx);
    collect(engine);
    assert!(begin(engine).count(tree).is_err());
}
