//! Pages that are given out, given back and linked into trees by two at once, under every interleaving: the product's own [`BTree`] and [`Pool`], over a store in memory.
//!
//! ```text
//! RUSTFLAGS="--cfg godb_loom" cargo test -p godb-btree --test loom --release
//! ```
//!
//! The planted bugs, each of which must make a model fail (`cargo xtask loom --plant` tries them all): `take-looks-first` (two look for a free page before either takes it), `uncoupled` (a reader lets the parent go before it has the child), `trust-glance` (a writer latches the leaf that a glance led to,
//! and does not look whether it still leads there), `trust-spot` (somebody looked up where a tree begins, and does not look whether its root has moved since).
#![cfg(godb_loom)]

use godb_btree::sync::{Arc, explore, thread};
use godb_btree::{BTree, Chain, Compaction, DatabaseId, NoJournal, Tree, TreeId, TxnId, Value};
use godb_buffer::{EvictionKind, MemoryPageStore, NoLog, Pool};

const ME: TxnId = TxnId::from_raw(1);
const PAGE: usize = 512;

type Small = BTree<Pool<MemoryPageStore>>;

/// A tree with the given keys, each with a value as long as can be: five fill a leaf.
fn tree(keys: &[u8]) -> (Arc<Small>, TreeId) {
    let store = MemoryPageStore::new(PAGE, DatabaseId::from_bytes([7; 16]));
    let pool = Pool::new(store, Arc::new(NoLog), 16, EvictionKind::Clock);
    let tree = BTree::create(Arc::new(pool), Arc::new(NoJournal::default())).expect("memory does not fail");
    let id = tree.create(ME).expect("memory does not fail");
    for key in keys {
        put(&tree, id, *key);
    }
    (Arc::new(tree), id)
}

fn put(tree: &Small, id: TreeId, key: u8) {
    let value = vec![key; tree.max_inline()];
    tree.put(ME, id, &[key], Value::inline(&value))
        .expect("memory does not fail");
}

fn has(tree: &Small, id: TreeId, key: u8) -> bool {
    let right = |value: Value<'_>| value.inline.iter().all(|byte| *byte == key);
    tree.get(id, &[key], right)
        .expect("memory does not fail")
        .is_some_and(|right| right)
}

/// A chain of two pages, all of one byte.
fn write_chain(tree: &Small, id: TreeId, byte: u8) -> Chain {
    let bytes = vec![byte; PAGE];
    let chain = tree.write_chain(ME, id, &mut bytes.as_slice(), 10_000);
    chain.expect("memory does not fail")
}

fn holds(tree: &Small, chain: Chain, byte: u8) -> bool {
    let mut bytes = vec![0; PAGE];
    let (mut at, mut hint) = (0, None);
    while at < PAGE {
        let got = tree.read_chain(chain, at as u64, &mut hint, &mut bytes[at..]);
        at += got.expect("memory does not fail");
    }
    bytes.iter().all(|found| *found == byte)
}

fn sound(tree: &Small) {
    let check = tree.check().expect("memory does not fail");
    assert_eq!(check.findings, []);
}

fn spawn<R: Send + 'static>(
    tree: &Arc<Small>,
    body: impl FnOnce(&Small) -> R + Send + 'static,
) -> thread::JoinHandle<R> {
    let tree = tree.clone();
    thread::spawn(move || body(&tree))
}

#[test]
fn two_are_never_given_the_same_page() {
    explore("allocation", 2, || {
        let (tree, id) = tree(&[]);
        let other = spawn(&tree, move |tree| write_chain(tree, id, 1));
        let mine = write_chain(&tree, id, 2);
        let other = other.join().expect("nobody panics");
        assert!(holds(&tree, other, 1) && holds(&tree, mine, 2));
    });
}

#[test]
fn a_page_that_was_given_back_belongs_to_its_next_owner() {
    explore("allocation", 2, || {
        let (tree, id) = tree(&[]);
        let old = write_chain(&tree, id, 1);
        let value = Value {
            inline: b"",
            chain: Some(old),
        };
        tree.put(ME, id, b"old", value).expect("memory does not fail");
        let other = spawn(&tree, move |tree| {
            tree.release(id, b"old").expect("memory does not fail")
        });
        let mine = write_chain(&tree, id, 2);
        assert!(other.join().expect("nobody panics"), "it was there");
        assert!(holds(&tree, mine, 2));
        let value = Value {
            inline: b"",
            chain: Some(mine),
        };
        tree.put(ME, id, b"new", value).expect("memory does not fail");
        sound(&tree);
    });
}

/// A root that is a leaf, and full.
const FULL_ROOT: [u8; 5] = [10, 20, 30, 40, 50];
/// A root over two leaves, of which the left one is full.
const FULL_LEAF: [u8; 6] = [10, 20, 30, 40, 50, 60];

#[test]
#[ignore = "takes a minute or more; `cargo xtask loom --full` runs it"]
fn a_reader_finds_its_row_while_the_root_splits() {
    explore("split and read", 2, || {
        let (tree, id) = tree(&FULL_ROOT);
        let other = spawn(&tree, move |tree| put(tree, id, 35));
        assert!(has(&tree, id, 10) && has(&tree, id, 50));
        other.join().expect("nobody panics");
        assert!(has(&tree, id, 35));
        sound(&tree);
    });
}

#[test]
fn a_reader_finds_its_row_while_it_moves_to_another_leaf() {
    explore("split and read", 2, || {
        let (tree, id) = tree(&FULL_LEAF);
        let other = spawn(&tree, move |tree| put(tree, id, 35));
        assert!(has(&tree, id, 50));
        other.join().expect("nobody panics");
        assert!(has(&tree, id, 35));
        sound(&tree);
    });
}

#[test]
#[ignore = "takes a minute or more; `cargo xtask loom --full` runs it"]
fn two_writers_split_one_root() {
    explore("split and split", 2, || {
        let (tree, id) = tree(&FULL_ROOT);
        let other = spawn(&tree, move |tree| put(tree, id, 35));
        put(&tree, id, 45);
        other.join().expect("nobody panics");
        assert!(has(&tree, id, 35) && has(&tree, id, 45));
        sound(&tree);
    });
}

#[test]
#[ignore = "takes a minute or more; `cargo xtask loom --full` runs it"]
fn a_row_is_not_written_into_a_leaf_that_has_lost_its_place() {
    explore("split and split", 2, || {
        let (tree, id) = tree(&FULL_LEAF);
        let other = spawn(&tree, move |tree| put(tree, id, 35));
        put(&tree, id, 50);
        put(&tree, id, 45);
        other.join().expect("nobody panics");
        assert!([35, 45, 50].iter().all(|key| has(&tree, id, *key)));
        sound(&tree);
    });
}

/// Moves pages to the beginning of the file, and packs nothing.
fn move_pages(tree: &Small) {
    let mut compaction = Compaction::of(Vec::new());
    while tree.compact_some(&mut compaction).expect("memory does not fail") {}
}

/// A tree with one row whose root lies behind a free page.
fn behind_a_free_page() -> (Arc<Small>, TreeId) {
    let (tree, before) = tree(&[]);
    let id = tree.create(ME).expect("memory does not fail");
    put(&tree, id, 10);
    tree.destroy(before).expect("memory does not fail");
    (tree, id)
}

#[test]
fn a_reader_finds_its_row_while_the_root_moves() {
    explore("root moves", 2, || {
        let (tree, id) = behind_a_free_page();
        let other = spawn(&tree, move_pages);
        assert!(has(&tree, id, 10));
        other.join().expect("nobody panics");
        assert!(has(&tree, id, 10));
        sound(&tree);
    });
}

#[test]
fn a_row_is_written_to_where_the_root_has_moved() {
    explore("root moves", 2, || {
        let (tree, id) = behind_a_free_page();
        let other = spawn(&tree, move_pages);
        put(&tree, id, 20);
        other.join().expect("nobody panics");
        assert!(has(&tree, id, 10) && has(&tree, id, 20));
        sound(&tree);
    });
}
