//! Trees that come and go.

use super::*;

pub(super) const LESSONS: &[Lesson] = &[
    a_tree_is_made_with_its_transaction,
    a_dropped_tree_is_there_for_those_who_saw_it,
    a_drop_can_be_taken_back,
    one_who_does_not_see_the_drop_cannot_write_into_it,
    trees_do_not_mix,
];

fn make(engine: &Engine) -> TreeId {
    let mut tx = begin(engine);
    let tree = tx.create_tree().expect("a tree can be made");
    tx.put(tree, b"a", b"1").expect("it can be put");
    commit(tx);
    tree
}

fn is_gone(result: &Result<bool, Error>) -> bool {
    matches!(result, Err(Error::NoSuchTree))
}

fn a_tree_is_made_with_its_transaction(engine: &Engine) {
    let tree = make(engine);
    assert_eq!(rows_in(&begin(engine), tree, Range::ALL), ["a=1"]);
    let mut tx = begin(engine);
    let other = tx.create_tree().expect("a tree can be made");
    tx.put(other, b"a", b"1").expect("it can be put");
    assert_ne!(tree, other);
    drop(tx);
    assert!(is_gone(&begin(engine).get(other, b"a", &mut |_| {})));
    assert!(begin(engine).scan(other, Range::ALL).is_err());
    assert!(matches!(
        begin(engine).put(other, b"a", b"1"),
        Err(Error::NoSuchTree)
    ));
}

fn a_dropped_tree_is_there_for_those_who_saw_it(engine: &Engine) {
    let tree = make(engine);
    let reader = begin(engine);
    let mut tx = begin(engine);
    tx.drop_tree(tree).expect("it can be dropped");
    assert!(is_gone(&tx.get(tree, b"a", &mut |_| {})));
    commit(tx);
    collect(engine);
    assert_eq!(rows_in(&reader, tree, Range::ALL), ["a=1"]);
    assert!(is_gone(&begin(engine).get(tree, b"a", &mut |_| {})));
    drop(reader);
    collect(engine);
    assert!(is_gone(&begin(engine).get(tree, b"a", &mut |_| {})));
}

fn a_drop_can_be_taken_back(engine: &Engine) {
    let tree = make(engine);
    let mut tx = begin(engine);
    let point = tx.savepoint().expect("a point to return to");
    tx.drop_tree(tree).expect("it can be dropped");
    tx.roll_back_to(point).expect("it goes back");
    assert_eq!(rows_in(&tx, tree, Range::ALL), ["a=1"]);
    tx.drop_tree(tree).expect("it can be dropped");
    tx.roll_back().expect("it rolls back");
    collect(engine);
    let mut tx = begin(engine);
    tx.put(tree, b"a", b"2").expect("it can be put");
    commit(tx);
    assert_eq!(rows_in(&begin(engine), tree, Range::ALL), ["a=2"]);
}

fn one_who_does_not_see_the_drop_cannot_write_into_it(engine: &Engine) {
    let tree = make(engine);
    let mut bob = begin(engine);
    let mut tx = begin(engine);
    tx.drop_tree(tree).expect("it can be dropped");
    commit(tx);
    assert_eq!(get_in(&bob, tree, b"a").as_deref(), Some(&b"1"[..]));
    let refused = bob.put(tree, b"a", b"2");
    assert!(matches!(refused, Err(Error::Conflict)), "{refused:?}");
}

fn trees_do_not_mix(engine: &Engine) {
    let (one, other) = (make(engine), make(engine));
    let mut tx = begin(engine);
    tx.put(one, b"b", b"one").expect("it can be put");
    tx.put(other, b"b", b"other").expect("it can be put");
    commit(tx);
    let tx = begin(engine);
    assert_eq!(rows_in(&tx, one, Range::ALL), ["a=1", "b=one"]);
    assert_eq!(rows_in(&tx, other, Range::ALL), ["a=1", "b=other"]);
    assert!(rows(&tx, engine).is_empty());
}
