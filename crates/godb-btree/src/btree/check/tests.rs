//! Every kind of damage, planted and found.

use super::*;
use crate::NoJournal;
use crate::tree::{Tree, Value};
use godb_buffer::slotted::{self, Slots};
use godb_buffer::{DatabaseId, MemoryPages, PageWrite, TxnId, header};
use std::sync::Arc;

const ME: TxnId = TxnId::from_raw(1);

/// Some leaves, an inner page and a chain of three pages.
fn sound() -> (BTree<MemoryPages>, Spot, PageId) {
    let pages = Arc::new(MemoryPages::new(4096, DatabaseId::default()));
    let tree = BTree::create(pages, Arc::new(NoJournal::default())).unwrap();
    let id = tree.create(ME).unwrap();
    for n in 0..300_u32 {
        tree.put(ME, id, &n.to_be_bytes(), Value::inline(&[1; 60]))
            .unwrap();
    }
    let chain = tree
        .write_chain(ME, id, &mut &[1_u8; 10_000][..], 1 << 20)
        .unwrap();
    let value = Value {
        inline: b"",
        chain: Some(chain),
    };
    tree.put(ME, id, b"chained", value).unwrap();
    assert_eq!(tree.check().unwrap().findings, []);
    let spot = tree.spot(id).unwrap();
    (tree, spot, chain.head)
}

fn damage(tree: &BTree<MemoryPages>, page: PageId, how: impl FnOnce(&mut [u8])) {
    let mut guard = tree.pages.write(page).unwrap();
    let lsn = header::lsn(&guard);
    how(guard.stamp(lsn, lsn));
}

fn child(tree: &BTree<MemoryPages>, spot: Spot, index: usize) -> PageId {
    crate::node::child(&tree.pages.read(spot.root).unwrap(), index).unwrap()
}

/// That some finding names the page and says the words.
fn found(tree: &BTree<MemoryPages>, page: PageId, words: &str) {
    let findings = tree.check().unwrap().findings;
    let hit = findings
        .iter()
        .any(|finding| finding.page == Some(page) && finding.what.contains(words));
    assert!(hit, "{words:?} on page {page} is not among {findings:#?}");
}

#[test]
fn keys_out_of_order() {
    let (tree, spot, _) = sound();
    let leaf = child(&tree, spot, 1);
    damage(&tree, leaf, |page| {
        let (a, b) = (header::LEN, header::LEN + 8);
        let first: Vec<u8> = page[a..b].to_vec();
        page.copy_within(b..b + 8, a);
        page[b..b + 8].copy_from_slice(&first);
    });
    found(&tree, leaf, "not in order");
}

#[test]
fn a_key_that_belongs_elsewhere() {
    let (tree, spot, _) = sound();
    let leaf = child(&tree, spot, 1);
    damage(&tree, leaf, |page| {
        let cell = crate::node::leaf_cell(&[0, 0, 0, 1], Value::inline(b""));
        slotted::remove(page, 5).unwrap();
        slotted::insert(page, 0, &cell).unwrap();
    });
    found(&tree, leaf, "belongs elsewhere");
}

#[test]
fn a_wrong_count_of_free_bytes() {
    let (tree, spot, _) = sound();
    let leaf = child(&tree, spot, 2);
    damage(&tree, leaf, |page| {
        let free = header::free_space(page);
        header::set_free_space(page, free + 1);
    });
    found(&tree, leaf, "count of free bytes");
}

#[test]
fn a_wrong_right_link() {
    let (tree, spot, _) = sound();
    let (leaf, other) = (child(&tree, spot, 1), child(&tree, spot, 4));
    damage(&tree, leaf, |page| header::set_right_link(page, other));
    found(&tree, leaf, "it links to");
}

#[test]
fn a_last_leaf_that_goes_on() {
    let (tree, spot, _) = sound();
    let count = Slots::of(&tree.pages.read(spot.root).unwrap()).unwrap().len();
    let (leaf, other) = (child(&tree, spot, count), child(&tree, spot, 0));
    damage(&tree, leaf, |page| header::set_right_link(page, other));
    found(&tree, leaf, "the last leaf links to");
}

#[test]
fn a_page_at_the_wrong_level_or_of_another_tree() {
    let (tree, spot, _) = sound();
    let leaf = child(&tree, spot, 3);
    damage(&tree, leaf, |page| {
        header::set_tree_id(page, TreeId::from_raw(77));
    });
    found(&tree, leaf, "belongs to tree 77");
    let other = child(&tree, spot, 2);
    damage(&tree, other, |page| {
        header::set_level(page, 1);
        header::set_kind(page, godb_buffer::PageKind::Inner);
    });
    found(&tree, other, "another level");
}

#[test]
fn a_page_used_twice() {
    let (tree, spot, _) = sound();
    let twice = child(&tree, spot, 2);
    damage(&tree, spot.root, |page| {
        let key = Slots::of(page).unwrap().key(2).unwrap().to_vec();
        slotted::replace(page, 2, &crate::node::inner_cell(&key, twice)).unwrap();
    });
    found(&tree, twice, "used twice");
}

#[test]
fn a_page_in_use_and_marked_free() {
    let (tree, spot, _) = sound();
    let leaf = child(&tree, spot, 1);
    damage(&tree, map::FIRST, |page| {
        map::set(map::FIRST, page, leaf, false).unwrap();
    });
    found(&tree, leaf, "marked free");
}

#[test]
fn a_lost_page() {
    let (tree, _, _) = sound();
    let lost = PageId::from_raw(500);
    damage(&tree, map::FIRST, |page| {
        map::set(map::FIRST, page, lost, true).unwrap();
    });
    found(&tree, lost, "nothing leads to it");
}

#[test]
fn a_broken_chain() {
    let (tree, _, head) = sound();
    let next = header::right_link(&tree.pages.read(head).unwrap());
    damage(&tree, next, |page| page[56] ^= 1);
    found(&tree, next, "not the part of a value");
    let (tree, _, head) = sound();
    damage(&tree, head, |page| {
        header::set_right_link(page, PageId::default());
    });
    let findings = tree.check().unwrap().findings;
    assert!(
        findings
            .iter()
            .any(|finding| finding.what.contains("does not hold the 10000 bytes"))
    );
    assert!(
        findings
            .iter()
            .any(|finding| finding.what.contains("nothing leads to it"))
    );
}

#[test]
fn a_wrong_count_of_trees() {
    let (tree, _, _) = sound();
    damage(&tree, meta::PAGE, |page| {
        meta::count(page, TreeId::default(), 0, 1);
    });
    found(&tree, meta::PAGE, "counts 2 trees");
}

#[test]
fn a_directory_that_is_none() {
    let (tree, _, _) = sound();
    damage(&tree, meta::DIRECTORY_ROOT, |page| {
        header::set_kind_byte(page, 99);
    });
    found(&tree, meta::DIRECTORY_ROOT, "not a page of a tree");
}

#[test]
fn a_map_that_is_none() {
    let (tree, _, _) = sound();
    damage(&tree, map::FIRST, |page| header::set_kind_byte(page, 99));
    found(&tree, map::FIRST, "not a free map");
}
