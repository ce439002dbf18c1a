//! Compaction: what it makes of a tree, and what others see of it meanwhile.

use super::*;
use crate::testing::{Recorder, rows};
use crate::{CompactionPhase, NoJournal};
use godb_buffer::PageStore;
use godb_buffer::sync::atomic::{AtomicBool, Ordering};

fn key(n: u32) -> Vec<u8> {
    format!("a key of some length {n:08}").into_bytes()
}

/// Compacts from beginning to end, and cuts the end off.
pub(super) fn compact<T: Tree>(tree: &T) -> Compaction {
    let mut compaction = Compaction::new();
    while tree.compact_some(&mut compaction).unwrap() {}
    tree.free_end().unwrap();
    tree.flush().unwrap();
    assert!(tree.cut_free_end().unwrap().is_some());
    compaction
}

/// Compacts again and again, and cuts the end off, until the others are done.
pub(super) fn go_on_compacting<P: Pages>(tree: &BTree<P>, over: &AtomicBool) {
    while !over.load(Ordering::Acquire) {
        let mut compaction = Compaction::new();
        while tree.compact_some(&mut compaction).unwrap() && !over.load(Ordering::Acquire) {}
        tree.free_end().unwrap();
        tree.flush().unwrap();
        tree.cut_free_end().unwrap();
    }
}

/// Rows in random order, of which half go again.
fn half_empty<P: Pages>(tree: &BTree<P>, rows: u32) -> TreeId {
    let id = tree.create(ME).unwrap();
    for n in 0..rows {
        let n = n.wrapping_mul(7919) % rows;
        tree.put(ME, id, &key(n), Value::inline(&[7; 100])).unwrap();
    }
    for n in (0..rows).step_by(2) {
        tree.remove(ME, id, &key(n)).unwrap();
    }
    id
}

#[test]
fn leaves_are_full_and_the_file_is_as_long_as_what_is_in_it() {
    let store = MemoryPageStore::new(8192, DATABASE);
    let pool = Arc::new(Pool::new(store, Arc::new(NoLog), 256, EvictionKind::Lru));
    let tree = BTree::create(pool.clone(), Arc::new(NoJournal::default())).unwrap();
    let id = half_empty(&tree, 60_001);
    let (before, rows_before) = (assert_sound(&tree), rows(&tree, id, Range::ALL));
    let compaction = compact(&tree);
    let after = assert_sound(&tree);
    assert_eq!(compaction.progress().phase, CompactionPhase::Done);
    assert_eq!(rows(&tree, id, Range::ALL), rows_before);
    let (of, was) = (after.trees[1], before.trees[1]);
    let capacity = u64::from(of.leaf_pages) * (8192 - 96);
    assert!(of.leaf_bytes * 100 >= capacity * 98, "{of:?}");
    assert!(of.leaf_pages * 10 < was.leaf_pages * 9, "{was:?} became {of:?}");
    assert_eq!(pool.store().page_count(), after.allocated_pages);
    let progress = compaction.progress();
    assert!(progress.freed > 100 && progress.moved > 100, "{progress:?}");
    // What is compact already is left alone, but for what lies at the border of two looks.
    let again = compact(&tree).progress();
    assert!(again.freed + again.moved <= 2, "{again:?}");
}

/// A root that was made late lies behind a tree that is gone; cursors and spots from before find the new one.
#[test]
fn roots_move_and_cursors_go_on() {
    let tree = new_tree(4096, Arc::new(NoJournal::default()));
    let large = tree.create(ME).unwrap();
    for n in 0..20_000 {
        tree.put(ME, large, &key(n), Value::inline(&[7; 100])).unwrap();
    }
    let (one, many) = (tree.create(ME).unwrap(), half_empty(&tree, 2000));
    tree.put(ME, one, b"k", Value::inline(b"v")).unwrap();
    let (expected, stale) = (rows(&tree, many, Range::ALL), tree.spot(one).unwrap());
    let mut cursors = [false, true].map(|backward| {
        let range = Range {
            backward,
            ..Range::ALL
        };
        (tree.seek(many, range).unwrap(), Vec::new())
    });
    tree.destroy(large).unwrap();
    let mut compaction = Compaction::new();
    let mut more = true;
    while more {
        more = tree.compact_some(&mut compaction).unwrap();
        for (cursor, seen) in &mut cursors {
            let note = |key: &[u8], value: Value<'_>| {
                seen.push((key.to_vec(), value.inline.to_vec()));
                ControlFlow::Break(())
            };
            tree.next(cursor, note).unwrap();
        }
    }
    assert_ne!(tree.spot(one).unwrap().root, stale.root);
    assert_eq!(
        tree.get_row(stale, b"k", |value| value.inline.to_vec()).unwrap(),
        Some(b"v".to_vec())
    );
    tree.put_row(Author::Nobody, stale, b"l", Value::inline(b"w"))
        .unwrap();
    for (cursor, seen) in &mut cursors {
        let note = |key: &[u8], value: Value<'_>| {
            seen.push((key.to_vec(), value.inline.to_vec()));
            ControlFlow::Continue(())
        };
        let mut note = note;
        while tree.next(cursor, &mut note).unwrap() {}
    }
    let [(_, forward), (_, mut backward)] = cursors;
    backward.reverse();
    assert_eq!(forward, expected);
    assert_eq!(backward, expected);
    compact(&tree);
    let check = assert_sound(&tree);
    assert_eq!(tree.pages().capacity(), check.allocated_pages);
}

/// A file that had several free maps gets along with one again, and may grow anew.
#[test]
fn free_maps_go_with_their_groups() {
    let journal = Arc::new(Recorder::default());
    let tree = new_tree(4096, journal.clone());
    let id = tree.create(ME).unwrap();
    let bytes = vec![1; 140_000_000];
    let chain = tree.write_chain(ME, id, &mut &bytes[..], 1 << 30).unwrap();
    tree.put(
        ME,
        id,
        b"k",
        Value {
            inline: b"",
            chain: Some(chain),
        },
    )
    .unwrap();
    let late = tree.create(ME).unwrap();
    assert_eq!(tree.counts().unwrap().maps, 2);
    tree.release(id, b"k").unwrap();
    compact(&tree);
    assert_eq!(tree.counts().unwrap().maps, 1);
    let check = assert_sound(&tree);
    assert_eq!(tree.pages().capacity(), check.allocated_pages);
    let chain = tree.write_chain(ME, late, &mut &bytes[..], 1 << 30).unwrap();
    tree.put(
        ME,
        late,
        b"k",
        Value {
            inline: b"",
            chain: Some(chain),
        },
    )
    .unwrap();
    assert_eq!(tree.counts().unwrap().maps, 2);
    assert_sound(&tree);
}

/// What is handed out after the end was noted stays, even when it is free again: the log may not be durable that says so.
#[test]
fn only_what_was_free_all_the_time_is_cut_off() {
    let tree = new_tree(4096, Arc::new(NoJournal::default()));
    let id = half_empty(&tree, 5000);
    let mut compaction = Compaction::new();
    while tree.compact_some(&mut compaction).unwrap() {}
    tree.free_end().unwrap();
    let end = tree.pages_in_use().unwrap();
    let chain = tree.write_chain(ME, id, &mut &[1; 10_000][..], 1 << 20).unwrap();
    tree.put(
        ME,
        id,
        b"k",
        Value {
            inline: b"",
            chain: Some(chain),
        },
    )
    .unwrap();
    tree.release(id, b"k").unwrap();
    assert_eq!(tree.pages_in_use().unwrap(), end);
    assert!(tree.cut_free_end().unwrap().unwrap() > 0);
    assert!(tree.pages().capacity() > end);
    tree.free_end().unwrap();
    tree.cut_free_end().unwrap();
    assert_eq!(tree.pages().capacity(), end);
}
