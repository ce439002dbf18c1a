//! Rows that are deleted in their places: who still sees them, how they go, and what the books say meanwhile.

use super::bounds::{collect, history};
use super::*;
use crate::mvcc::counts::dead;
use godb_txn::Tree;
use std::ops::Bound;

/// Rows that everybody sees.
fn settled(keys: &[&[u8]]) -> (Arc<Engine>, Arc<MemoryLog>, Environment) {
    let (engine, log, environment) = fresh(Duration::ZERO);
    for key in keys {
        put(&engine, key, b"value");
    }
    collect(&engine);
    (engine, log, environment)
}

fn delete(engine: &Arc<Engine>, key: &[u8]) {
    let mut tx = begin(engine);
    assert!(tx.delete(engine.root(), key).unwrap());
    tx.commit().unwrap();
}

/// Rows in the tree, whoever sees them.
fn stored(engine: &Engine) -> usize {
    let mut count = 0;
    let mut cursor = engine.tree().seek(engine.root(), Range::ALL).unwrap();
    while engine
        .tree()
        .next(&mut cursor, |_, _| {
            count += 1;
            ControlFlow::Continue(())
        })
        .unwrap()
    {}
    count
}

fn is_kept(engine: &Engine, key: &[u8]) -> bool {
    let newest = engine.newest_when(engine.root(), key).unwrap();
    newest.is_some_and(|(version, _)| version.header.kept)
}

/// How many dead rows the books speak of.
fn booked(engine: &Engine) -> Option<u64> {
    engine
        .commits
        .counts
        .at(dead(engine.root()), engine.commits.newest())
}

fn assert_sound(engine: &Arc<Engine>) {
    let check = engine.clone().check_versions(true).unwrap();
    assert_eq!((check.findings, check.unread.len()), (Vec::new(), 0));
}

#[test]
fn a_row_stays_for_those_who_do_not_see_that_it_is_deleted() {
    let (engine, ..) = settled(&[b"a", b"b"]);
    let before = begin(&engine);
    delete(&engine, b"a");
    assert!(is_kept(&engine, b"a"));
    assert_eq!(history(&engine).0, 0, "nothing was copied");
    let after = begin(&engine);
    let root = engine.root();
    assert_eq!(get(&*before, root, b"a").unwrap(), b"value");
    assert_eq!(
        (all(&*before, root, false).len(), before.count(root).unwrap()),
        (2, 2)
    );
    assert_eq!(get(&*after, root, b"a"), None);
    assert_eq!(
        (all(&*after, root, true).len(), after.count(root).unwrap()),
        (1, 1)
    );
    collect(&engine);
    assert_eq!(
        (stored(&engine), booked(&engine)),
        (2, Some(1)),
        "somebody looks at it"
    );
    drop((before, after));
    collect(&engine);
    assert_eq!((stored(&engine), booked(&engine)), (1, Some(0)));
    assert_sound(&engine);
}

#[test]
fn what_not_everybody_sees_is_deleted_the_usual_way() {
    let (engine, ..) = settled(&[b"a"]);
    let reader = begin(&engine);
    put(&engine, b"a", b"newer");
    delete(&engine, b"a");
    assert!(!is_kept(&engine, b"a"));
    assert_eq!(get(&*reader, engine.root(), b"a").unwrap(), b"value");
    drop(reader);
    collect(&engine);
    assert_eq!(stored(&engine), 0);
}

#[test]
fn the_deletion_is_taken_back_with_its_transaction() {
    let (engine, log, environment) = settled(&[b"a", b"b"]);
    let root = engine.root();
    let mut tx = begin(&engine);
    let point = tx.savepoint().unwrap();
    assert!(tx.delete(root, b"a").unwrap());
    assert!(!tx.delete(root, b"a").unwrap(), "it is gone already");
    assert_eq!(get(&*tx, root, b"a"), None);
    tx.roll_back_to(point).unwrap();
    assert_eq!(get(&*tx, root, b"a").unwrap(), b"value");
    assert!(tx.delete(root, b"b").unwrap());
    tx.roll_back().unwrap();
    assert_eq!(all(&*begin(&engine), root, false).len(), 2);
    let mut lost = begin(&engine);
    assert!(lost.delete(root, b"a").unwrap());
    let log = log.cut(log.end());
    let again = open(&log, &environment, Duration::ZERO);
    assert_eq!(all(&*begin(&again), root, false).len(), 2);
    assert_eq!(booked(&again), Some(0));
    assert_sound(&again);
}

#[test]
fn a_deleted_key_can_be_put_again_and_each_sees_its_own() {
    let (engine, ..) = settled(&[b"a"]);
    let root = engine.root();
    let value = begin(&engine);
    delete(&engine, b"a");
    let nothing = begin(&engine);
    assert!(is_kept(&engine, b"a"));
    put(&engine, b"a", b"again");
    let again = begin(&engine);
    for _ in 0..2 {
        assert_eq!(get(&*value, root, b"a").unwrap(), b"value");
        assert_eq!(get(&*nothing, root, b"a"), None);
        assert_eq!(get(&*again, root, b"a").unwrap(), b"again");
        assert_eq!(booked(&engine), Some(0), "it is no dead row any more");
        collect(&engine);
    }
    drop((value, nothing, again));
    collect(&engine);
    assert_eq!((history(&engine).0, stored(&engine)), (0, 1));
    assert_sound(&engine);
}

#[test]
fn one_may_delete_and_put_in_one_transaction() {
    let (engine, ..) = settled(&[b"a"]);
    let root = engine.root();
    let before = begin(&engine);
    let mut tx = begin(&engine);
    assert!(tx.delete(root, b"a").unwrap());
    tx.put(root, b"a", b"mine").unwrap();
    assert_eq!(get(&*before, root, b"a").unwrap(), b"value");
    assert!(tx.delete(root, b"a").unwrap());
    tx.put(root, b"a", b"last").unwrap();
    assert_eq!(get(&*tx, root, b"a").unwrap(), b"last");
    tx.commit().unwrap();
    assert_eq!(get(&*before, root, b"a").unwrap(), b"value");
    drop(before);
    collect(&engine);
    assert_eq!(
        (history(&engine).0, stored(&engine), booked(&engine)),
        (0, 1, Some(0))
    );
    assert_eq!(get(&*begin(&engine), root, b"a").unwrap(), b"last");
    assert_sound(&engine);
}

#[test]
fn a_writer_who_does_not_see_the_deletion_is_refused() {
    let (engine, ..) = settled(&[b"a"]);
    let mut late = begin(&engine);
    delete(&engine, b"a");
    collect(&engine);
    let refused = late.put(engine.root(), b"a", b"mine");
    assert!(matches!(refused, Err(Error::Conflict)), "{refused:?}");
}

#[test]
fn the_books_mind_rows_that_a_rollback_may_bring_back() {
    let (engine, log, environment) = settled(&[b"a"]);
    delete(&engine, b"a");
    let mut running = begin(&engine);
    running.put(engine.root(), b"a", b"again").unwrap();
    // The walk that follows an opening finds no dead row now.
    collect(&engine);
    assert_eq!(booked(&engine), Some(1));
    let log = log.cut(log.end());
    let again = open(&log, &environment, Duration::ZERO);
    assert!(is_kept(&again, b"a"));
    assert_sound(&again);
    collect(&again);
    assert_eq!((stored(&again), booked(&again)), (0, Some(0)));
    running.commit().unwrap();
    assert_eq!((stored(&engine), booked(&engine)), (1, Some(0)));
}

#[test]
fn a_long_value_goes_with_its_row() {
    let (engine, ..) = fresh(Duration::ZERO);
    put(&engine, b"long", &vec![7; 100_000]);
    collect(&engine);
    let before = begin(&engine);
    delete(&engine, b"long");
    assert!(is_kept(&engine, b"long"));
    assert_eq!(get(&*before, engine.root(), b"long").unwrap().len(), 100_000);
    let mut read = Vec::new();
    let mut reader = before.get_reader(engine.root(), b"long").unwrap().unwrap();
    reader.read_to_end(&mut read).unwrap();
    assert_eq!(read.len(), 100_000);
    drop((reader, before));
    collect(&engine);
    assert_eq!((stored(&engine), engine.tree().chain_count()), (0, 0));
    assert_sound(&engine);
}

#[test]
fn a_row_with_older_versions_goes_with_the_last_of_them() {
    let (engine, ..) = settled(&[b"a"]);
    let old = begin(&engine);
    put(&engine, b"a", b"newer");
    let newer = begin(&engine);
    drop(old);
    // The version that `old` saw is not collected yet, and everybody sees the newer one.
    engine.look_around().unwrap();
    delete(&engine, b"a");
    assert!(is_kept(&engine, b"a"));
    assert_eq!(get(&*newer, engine.root(), b"a").unwrap(), b"newer");
    drop(newer);
    collect(&engine);
    assert_eq!(
        (history(&engine).0, stored(&engine), booked(&engine)),
        (0, 0, Some(0))
    );
    assert_sound(&engine);
}

#[test]
fn more_deletions_than_are_remembered_are_found_by_a_walk() {
    let (engine, log, environment) = fresh(Duration::ZERO);
    let root = engine.root();
    let keys: Vec<[u8; 2]> = (0..300_u16).map(u16::to_be_bytes).collect();
    let mut tx = begin(&engine);
    keys.iter().for_each(|key| tx.put(root, key, b"value").unwrap());
    tx.commit().unwrap();
    collect(&engine);
    let mut tx = begin(&engine);
    for key in keys.iter().filter(|key| key[1] % 3 > 0) {
        assert!(tx.delete(root, key).unwrap());
    }
    tx.commit().unwrap();
    let living = keys.iter().filter(|key| key[1].is_multiple_of(3)).count();
    assert_eq!(booked(&engine), Some((300 - living) as u64));
    // After a crash nothing but the books tells of them.
    let log = log.cut(log.end());
    let again = open(&log, &environment, Duration::ZERO);
    for engine in [engine, again] {
        assert_eq!(stored(&engine), 300);
        assert_sound(&engine);
        collect(&engine);
        assert_eq!((stored(&engine), booked(&engine)), (living, Some(0)));
        assert_eq!(all(&*begin(&engine), root, false).len(), living);
        assert_sound(&engine);
    }
}

#[test]
fn a_walk_comes_again_for_what_could_not_go() {
    let (environment, clock) = by_hand();
    let log = MemoryLog::new();
    let engine = open(&log, &environment, Duration::ZERO);
    for n in 0..60_u8 {
        put(&engine, &[n], b"value");
    }
    collect(&engine);
    let reader = begin(&engine);
    let mut tx = begin(&engine);
    (0..60_u8).for_each(|n| assert!(tx.delete(engine.root(), &[n]).unwrap()));
    tx.commit().unwrap();
    collect(&engine);
    assert_eq!(
        (stored(&engine), all(&*reader, engine.root(), false).len()),
        (60, 60)
    );
    drop(reader);
    clock.advance(Duration::from_secs(2));
    collect(&engine);
    assert_eq!((stored(&engine), booked(&engine)), (0, Some(0)));
}

#[test]
fn with_a_retention_nothing_is_deleted_in_its_place() {
    let (engine, ..) = fresh(HOUR);
    put(&engine, b"a", b"value");
    collect(&engine);
    delete(&engine, b"a");
    assert!(!is_kept(&engine, b"a"));
    let range = Range {
        from: Bound::Unbounded,
        ..Range::ALL
    };
    assert!(
        engine
            .first_in(engine.trees.history, range, |_, _| ())
            .unwrap()
            .is_some()
    );
}
