//! Trees out of files of which parts are gone.

use super::{Redone, Wreck};
use crate::btree::BTree;
use crate::testing::{Recorder, Rows, rows};
use crate::tree::{Range, Tree, Value};
use godb_buffer::{
    DatabaseId, Lsn, MemoryPageStore, MemoryPages, PageId, PageKind, PageStore, Pages, TreeId, TxnId, header,
};
use std::collections::BTreeMap;
use std::io::Read;
use std::sync::Arc;

const SIZE: usize = 4096;
const DATABASE: DatabaseId = DatabaseId::from_bytes([7; 16]);
const ME: TxnId = TxnId::from_raw(1);

type Images = BTreeMap<PageId, Vec<u8>>;

/// A life with two trees, a chain, splits and merges: the log, the pages as they were in the middle and at the end, and what the trees held then.
struct History {
    journal: Arc<Recorder>,
    middle: Images,
    end: Images,
    rows: BTreeMap<TreeId, Rows>,
}

fn key(n: u32) -> Vec<u8> {
    format!("key {n:05}").into_bytes()
}

fn images(tree: &BTree<MemoryPages>) -> Images {
    let pages = tree.pages();
    (2..pages.capacity())
        .map(PageId::from_raw)
        .filter_map(|id| Some((id, pages.read(id).ok()?.to_vec())))
        .collect()
}

fn live() -> History {
    let journal = Arc::new(Recorder::default());
    let tree = BTree::create(Arc::new(MemoryPages::new(SIZE, DATABASE)), journal.clone()).unwrap();
    let trees = [tree.create(ME).unwrap(), tree.create(ME).unwrap()];
    for id in trees {
        for n in 0..400 {
            tree.put(ME, id, &key(n), Value::inline(&[1; 60])).unwrap();
        }
    }
    let chain = tree
        .write_chain(ME, trees[0], &mut &[5; 10_000][..], 1 << 20)
        .unwrap();
    let chained = Value {
        inline: b"and more",
        chain: Some(chain),
    };
    tree.put(ME, trees[0], b"long", chained).unwrap();
    let middle = images(&tree);
    for n in 100..300 {
        tree.remove(ME, trees[0], &key(n)).unwrap();
    }
    tree.put(ME, trees[1], &key(7), Value::inline(b"changed"))
        .unwrap();
    assert_eq!(tree.check().unwrap().findings, []);
    History {
        middle,
        end: images(&tree),
        rows: trees.map(|id| (id, rows(&tree, id, Range::ALL))).into(),
        journal,
    }
}

fn store(images: &Images) -> MemoryPageStore {
    let store = MemoryPageStore::new(SIZE, DATABASE);
    store
        .resize(images.keys().last().map_or(0, |id| id.raw() + 1))
        .unwrap();
    for (id, bytes) in images {
        store.write(&mut [(*id, &mut bytes.clone())]).unwrap();
    }
    store
}

/// The keys of a tree, with whether the value is whole.
fn keys(wreck: &Wreck<MemoryPageStore>, tree: TreeId) -> Vec<(Vec<u8>, bool)> {
    let mut found = Vec::new();
    let read = wreck.rows(tree, |key, value| {
        let whole = match value.chain {
            Some(mut chain) => {
                chain.is_whole()? && {
                    let mut bytes = Vec::new();
                    chain.read_to_end(&mut bytes).unwrap();
                    bytes == [5; 10_000]
                }
            }
            None => true,
        };
        found.push((key.to_vec(), whole));
        Ok::<_, godb_buffer::Fault>(())
    });
    read.unwrap();
    found
}

/// That every row is there.
fn has_all(wreck: &Wreck<MemoryPageStore>, history: &History) {
    for (tree, rows) in &history.rows {
        let wanted: Vec<(Vec<u8>, bool)> = rows.iter().map(|(key, _)| (key.clone(), true)).collect();
        assert_eq!(keys(wreck, *tree), wanted);
    }
    assert_eq!(
        wreck.trees().collect::<Vec<_>>(),
        history.rows.keys().copied().collect::<Vec<_>>()
    );
}

fn redone(store: MemoryPageStore, history: &History, from: Lsn) -> Redone<MemoryPageStore> {
    let mut pages = Redone::new(store);
    for entry in history.journal.entries().iter().filter(|entry| entry.lsn >= from) {
        for (page, change) in &entry.pages {
            pages.redo(entry.lsn, *page, change).unwrap();
        }
    }
    pages
}

#[test]
fn the_log_alone_gives_every_row_back() {
    let history = live();
    for images in [Images::new(), history.middle.clone(), history.end.clone()] {
        let wreck = Wreck::survey(redone(store(&images), &history, Lsn::default())).unwrap();
        has_all(&wreck, &history);
        assert_eq!(wreck.damaged(), []);
        assert!(history.rows.keys().all(|tree| wreck.is_complete(*tree)) && wreck.knows_all_trees());
    }
}

#[test]
fn leaves_are_found_without_maps_and_inner_pages_and_stale_ones_do_not_count() {
    let history = live();
    // Pages that were freed keep what they held.
    let mut all = history.middle.clone();
    all.extend(history.end.clone());
    has_all(&Wreck::survey(Redone::new(store(&all))).unwrap(), &history);
    for lost in [PageKind::FreeMap, PageKind::Inner] {
        let mut images = all.clone();
        images.retain(|_, bytes| header::kind(bytes) != Some(lost));
        let wreck = Wreck::survey(Redone::new(store(&images))).unwrap();
        has_all(&wreck, &history);
        assert!(!wreck.damaged().is_empty());
        assert_eq!(wreck.may_have_held_rows(|_| false), []);
    }
}

#[test]
fn a_lost_leaf_takes_its_own_rows_only_and_is_told() {
    let history = live();
    let (&tree, rows) = history.rows.last_key_value().unwrap();
    let is_leaf =
        |bytes: &&Vec<u8>| header::kind(bytes) == Some(PageKind::Leaf) && header::tree_id(bytes) == tree;
    let leaves: Vec<PageId> = history
        .end
        .iter()
        .filter(|(_, bytes)| is_leaf(bytes))
        .map(|(id, _)| *id)
        .collect();
    let mut images = history.end.clone();
    images.remove(&leaves[2]);
    let wreck = Wreck::survey(Redone::new(store(&images))).unwrap();
    let found = keys(&wreck, tree);
    assert!(
        found.len() < rows.len() && found.len() + 100 > rows.len(),
        "{}",
        found.len()
    );
    assert_eq!(wreck.damaged(), [leaves[2]]);
    assert_eq!(wreck.may_have_held_rows(|_| false), [leaves[2]]);
    assert_eq!(wreck.may_have_held_rows(|id| id == tree), []);
}

#[test]
fn a_torn_value_is_told_and_a_page_that_missed_a_change_given_up() {
    let history = live();
    let mut images = history.end.clone();
    images.retain(|_, bytes| header::kind(bytes) != Some(PageKind::Overflow));
    let wreck = Wreck::survey(Redone::new(store(&images))).unwrap();
    let tree = *history.rows.first_key_value().unwrap().0;
    assert!(keys(&wreck, tree).contains(&(b"long".to_vec(), false)));
    // The log begins in the middle of what the old pages missed.
    let entries = history.journal.entries();
    let from = entries[entries.len() - 3].lsn;
    let pages = redone(store(&history.middle), &history, from);
    let changed = entries[entries.len() - 3..].iter().flat_map(|entry| &entry.pages);
    let lost = changed
        .filter(|(page, _)| pages.page(*page).unwrap().is_none())
        .count();
    assert!(lost > 0);
}
