//! What may be expected of an engine whose transactions lock what they read and write.

use super::*;
use std::ops::Bound;

pub(super) const LESSONS: &[Lesson] = &[
    a_writer_keeps_readers_off,
    a_reader_keeps_writers_off,
    readers_do_not_mind_each_other,
    a_range_that_was_read_stays_as_it_is,
    a_key_that_was_not_there_stays_away,
    a_number_of_rows_stays_as_it_is,
    what_is_rolled_back_never_was,
    savepoints_take_back_what_came_after,
    rows_that_are_deleted_are_gone,
    many_puts_in_a_row_are_locked,
    the_past_cannot_be_read,
];

#[expect(
    clippy::needless_pass_by_value,
    reason = "it is asked of results as they come"
)]
fn is_late<R>(result: Result<R, Error>) -> bool {
    matches!(result, Err(Error::LockTimeout { .. }))
}

fn look(tx: &Tx, engine: &Engine, key: &str) -> Result<bool, Error> {
    tx.get(engine.root(), key.as_bytes(), &mut |_| {})
}

fn a_writer_keeps_readers_off(engine: &Engine) {
    store(engine, "a", "1");
    let mut alice = begin(engine);
    put(&mut alice, engine, "a", "2");
    let bob = begin(engine);
    assert!(is_late(look(&bob, engine, "a")));
    assert_eq!(look(&bob, engine, "b").ok(), Some(false), "others are free");
    commit(alice);
    assert_eq!(
        get(&bob, engine, "a").as_deref(),
        Some("2"),
        "there is no snapshot"
    );
}

fn a_reader_keeps_writers_off(engine: &Engine) {
    store(engine, "a", "1");
    let alice = begin(engine);
    assert_eq!(get(&alice, engine, "a").as_deref(), Some("1"));
    let mut bob = begin(engine);
    assert!(is_late(try_put(&mut bob, engine, "a", "2")));
    commit(alice);
    put(&mut bob, engine, "a", "2");
    commit(bob);
}

fn readers_do_not_mind_each_other(engine: &Engine) {
    store(engine, "a", "1");
    let (alice, bob) = (begin(engine), begin(engine));
    assert_eq!(rows(&alice, engine), rows(&bob, engine));
    assert_eq!(get(&alice, engine, "a"), get(&bob, engine, "a"));
}

fn a_range_that_was_read_stays_as_it_is(engine: &Engine) {
    for key in ["b", "d", "f"] {
        store(engine, key, "1");
    }
    let alice = begin(engine);
    let range = Range {
        from: Bound::Excluded(b"b"),
        to: Bound::Included(b"d"),
        backward: false,
    };
    assert_eq!(rows_in(&alice, engine.root(), range), ["d=1"]);
    for (key, inside) in [("b", false), ("c", true), ("d", true), ("e", false)] {
        let mut bob = begin(engine);
        assert_eq!(is_late(try_put(&mut bob, engine, key, "2")), inside, "{key}");
    }
    let mut bob = begin(engine);
    assert!(is_late(bob.delete(engine.root(), b"d")));
}

fn a_key_that_was_not_there_stays_away(engine: &Engine) {
    let alice = begin(engine);
    assert_eq!(get(&alice, engine, "a"), None);
    let mut bob = begin(engine);
    assert!(is_late(try_put(&mut bob, engine, "a", "1")));
}

fn a_number_of_rows_stays_as_it_is(engine: &Engine) {
    store(engine, "a", "1");
    let alice = begin(engine);
    assert_eq!(alice.count(engine.root()).ok(), Some(1));
    let mut bob = begin(engine);
    assert!(is_late(try_put(&mut bob, engine, "b", "1")));
    drop(alice);
    put(&mut bob, engine, "b", "1");
    assert_eq!(bob.count(engine.root()).ok(), Some(2));
}

fn what_is_rolled_back_never_was(engine: &Engine) {
    store(engine, "a", "1");
    let mut tx = begin(engine);
    put(&mut tx, engine, "a", "2");
    put(&mut tx, engine, "b", "2");
    assert!(delete(&mut tx, engine, "a"));
    tx.roll_back().expect("it rolls back");
    let tx = begin(engine);
    assert_eq!(
        (rows(&tx, engine), tx.count(engine.root()).ok()),
        (vec!["a=1".to_owned()], Some(1))
    );
}

fn savepoints_take_back_what_came_after(engine: &Engine) {
    store(engine, "a", "0");
    let mut tx = begin(engine);
    put(&mut tx, engine, "a", "1");
    let point = tx.savepoint().expect("a point to return to");
    put(&mut tx, engine, "a", "2");
    put(&mut tx, engine, "b", "2");
    tx.roll_back_to(point).expect("it goes back");
    assert_eq!(rows(&tx, engine), ["a=1"]);
    commit(tx);
}

fn rows_that_are_deleted_are_gone(engine: &Engine) {
    let long = "x".repeat(100_000);
    for round in 0..3 {
        store(engine, "a", &long);
        store(engine, "a", &format!("{round}{long}"));
        store(engine, "b", "1");
        assert_eq!(begin(engine).count(engine.root()).ok(), Some(2));
        remove(engine, "a");
        let mut again = begin(engine);
        assert!(!delete(&mut again, engine, "a"));
        commit(again);
        collect(engine);
        assert_eq!(rows(&begin(engine), engine), ["b=1"]);
    }
}

fn many_puts_in_a_row_are_locked(engine: &Engine) {
    let reader = begin(engine);
    assert_eq!(get(&reader, engine, "k050"), None);
    let mut writer = begin(engine);
    let puts = (0..100).try_for_each(|number| try_put(&mut writer, engine, &format!("k{number:03}"), "1"));
    assert!(is_late(puts.and_then(|()| writer.commit().map(drop))));
}

fn the_past_cannot_be_read(engine: &Engine) {
    let at = store(engine, "a", "1");
    let as_of = Some(crate::Moment::At(at));
    let begin = Begin {
        as_of,
        ..Begin::default()
    };
    assert!(matches!(
        engine.clone().begin(begin),
        Err(Error::Unsupported { .. })
    ));
}
