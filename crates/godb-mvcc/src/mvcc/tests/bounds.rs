//! What is kept in memory, and in the history, is bounded by what is in use.

use super::*;
use godb_txn::{Tree, Value};
use std::ops::Bound;

/// How many entries the history has: old versions and the like, and rows of the timeline.
pub(super) fn history(engine: &Engine) -> (usize, usize) {
    let count = |from: &[u8], to: Bound<&[u8]>| {
        let range = Range {
            from: Bound::Included(from),
            to,
            backward: false,
        };
        let mut count = 0;
        let mut cursor = engine.tree().seek(engine.trees.history, range).unwrap();
        let mut show = |_: &[u8], _: Value<'_>| {
            count += 1;
            ControlFlow::Continue(())
        };
        while engine.tree().next(&mut cursor, &mut show).unwrap() {}
        count
    };
    let timeline = super::super::keys::timeline();
    (
        count(b"", Bound::Excluded(&timeline)),
        count(&timeline, Bound::Unbounded),
    )
}

pub(super) fn collect(engine: &Engine) {
    while engine.collect().unwrap() {}
}

/// How many commits are in memory.
fn remembered(engine: &Engine) -> usize {
    engine.commits.recent(|recent| recent.len())
}

#[test]
fn versions_between_an_old_snapshot_and_the_present_are_dropped() {
    let (engine, ..) = fresh(Duration::ZERO);
    put(&engine, b"a", b"first");
    let reader = begin(&engine);
    for n in 0..40_u8 {
        put(&engine, b"a", &[n]);
        collect(&engine);
    }
    assert_eq!(history(&engine).0, 1, "only the one that the reader sees");
    assert_eq!(get(&*reader, engine.root(), b"a").unwrap(), b"first");
    drop(reader);
    put(&engine, b"a", b"last");
    collect(&engine);
    assert_eq!(history(&engine).0, 0);
}

#[test]
fn a_key_that_came_and_went_between_two_snapshots_leaves_nothing() {
    let (engine, ..) = fresh(Duration::ZERO);
    let reader = begin(&engine);
    put(&engine, b"a", b"1");
    put(&engine, b"a", b"2");
    let mut tx = begin(&engine);
    tx.delete(engine.root(), b"a").unwrap();
    tx.commit().unwrap();
    collect(&engine);
    // The deletion must be there for the reader's writes to meet; so must one version, that somebody come back for both.
    assert_eq!(history(&engine).0, 1);
    drop(reader);
    collect(&engine);
    assert_eq!(history(&engine).0, 0);
    assert!(engine.newest_when(engine.root(), b"a").unwrap().is_none());
}

#[test]
fn under_a_long_transaction_commits_move_to_the_timeline_and_back_to_nothing() {
    let (engine, ..) = fresh(Duration::ZERO);
    put(&engine, b"a", b"old");
    put(&engine, b"b", b"old");
    let reader = begin(&engine);
    for n in 0..200_u8 {
        put(&engine, &[b'x', n % 50], &[n]);
        engine.collect().unwrap();
        assert!(remembered(&engine) <= 40, "{}", remembered(&engine));
    }
    put(&engine, b"a", b"new");
    collect(&engine);
    assert!(history(&engine).1 > 0, "somebody may ask");
    let rows = all(&*reader, engine.root(), false);
    assert_eq!(rows.len(), 2, "of all that was committed it sees what was there");
    assert_eq!(get(&*reader, engine.root(), b"a").unwrap(), b"old");
    drop(reader);
    put(&engine, b"b", b"new");
    collect(&engine);
    assert!(remembered(&engine) <= 2 && history(&engine).1 <= 2, "nobody asks");
}

#[test]
fn without_anybody_who_collects_committers_keep_the_books() {
    let (engine, ..) = fresh(Duration::ZERO);
    for n in 0..500_u16 {
        put(&engine, &n.to_be_bytes(), b"1");
    }
    assert!(remembered(&engine) <= 41);
}

#[test]
fn a_long_writer_does_not_keep_others_commits_in_memory() {
    let (engine, ..) = fresh(Duration::ZERO);
    let mut writer = begin(&engine);
    writer.put(engine.root(), b"mine", b"1").unwrap();
    for n in 0..100_u8 {
        put(&engine, &[n], b"1");
        collect(&engine);
    }
    assert!(remembered(&engine) <= 41);
    let fresh = begin(&engine);
    assert_eq!(all(&*fresh, engine.root(), false).len(), 100);
    writer.commit().unwrap();
    assert_eq!(all(&*fresh, engine.root(), false).len(), 100);
    assert_eq!(all(&*begin(&engine), engine.root(), false).len(), 101);
}

#[test]
fn what_a_writing_transaction_remembers_does_not_grow_with_what_it_writes() {
    let (engine, ..) = fresh(Duration::ZERO);
    let root = engine.root();
    let fill = |value: &[u8]| {
        let mut tx = begin(&engine);
        for n in 0..300_u16 {
            tx.put(root, &n.to_be_bytes(), value).unwrap();
        }
        tx.commit().unwrap();
    };
    fill(b"1");
    fill(b"2");
    assert_eq!(history(&engine).0, 300);
    collect(&engine);
    assert_eq!(history(&engine).0, 0, "the sweep finds what nobody remembered");
}

#[test]
fn the_timeline_is_as_long_as_retention() {
    let (environment, clock) = by_hand();
    let log = MemoryLog::new();
    let minute = Duration::from_secs(60);
    let engine = open(&log, &environment, minute);
    let mut most = 0;
    for n in 0..2000_u16 {
        put(&engine, &[n.to_be_bytes()[1] % 3], b"x");
        clock.advance(Duration::from_millis(300));
        collect(&engine);
        most = most.max(history(&engine).0);
    }
    assert!(most < 250, "{most} versions for 200 commits a minute");
    let note = engine.closing_note().unwrap();
    assert!(note.len() <= 64, "everything is in the timeline: {}", note.len());
    let (_, rows) = history(&engine);
    assert!(rows < 20, "{rows} rows, some dozens of commits each");
}
