//! A tree's life, told by its statistics.

use super::*;
use crate::NoJournal;
use godb_buffer::{PageKind, header};

fn put(tree: &BTree<MemoryPages>, id: TreeId, numbers: impl Iterator<Item = u32>) {
    for n in numbers {
        tree.put(ME, id, &n.to_be_bytes(), Value::inline(&[b'v'; 86]))
            .unwrap();
    }
}

fn shape(tree: &BTree<MemoryPages>, id: TreeId) -> (u32, u32, u32, u64) {
    let check = assert_sound(tree);
    let one = check.trees.iter().find(|one| one.tree == id).unwrap();
    (one.height, one.inner_pages, one.leaf_pages, one.rows)
}

#[test]
fn a_tree_grows_from_its_root_and_shrinks_back_into_it() {
    let tree = new_tree(4096, Arc::new(NoJournal::default()));
    let id = tree.create(ME).unwrap();
    let root = tree.spot(id).unwrap().root;
    assert_eq!(shape(&tree, id), (1, 0, 1, 0), "a new tree is one empty leaf");

    // A row takes 92 bytes and a slot of 8; 4000 bytes are usable.
    put(&tree, id, 0..40);
    assert_eq!(shape(&tree, id), (1, 0, 1, 40), "one leaf, full to the last byte");

    put(&tree, id, 40..41);
    assert_eq!(
        shape(&tree, id),
        (2, 1, 2, 41),
        "the root became an inner page with two leaves"
    );
    assert_eq!(tree.spot(id).unwrap().root, root, "and it is where it was");

    put(&tree, id, 41..4000);
    assert_eq!(
        shape(&tree, id),
        (2, 1, 100, 4000),
        "rows that come in order fill every leaf"
    );

    for n in 0..4000_u32 {
        assert!(tree.remove(ME, id, &n.to_be_bytes()).unwrap());
    }
    assert_eq!(shape(&tree, id), (1, 0, 1, 0), "merges took all of it back");
    let page = tree.pages.read(root).unwrap();
    assert_eq!(header::kind(&page), Some(PageKind::Leaf));
    drop(page);

    let before = tree.check().unwrap().allocated_pages;
    put(&tree, id, 0..4000);
    tree.destroy(id).unwrap();
    assert_eq!(
        tree.check().unwrap().allocated_pages,
        before - 1,
        "a destroyed tree gives everything back"
    );
}

#[test]
fn rows_in_any_order_leave_leaves_two_thirds_full() {
    let tree = new_tree(4096, Arc::new(NoJournal::default()));
    let id = tree.create(ME).unwrap();
    put(&tree, id, (0..20_000).map(|n: u32| n.wrapping_mul(2_654_435_761)));
    let check = assert_sound(&tree);
    let one = check.trees[1];
    let fill = one.leaf_bytes * 100 / (u64::from(one.leaf_pages) * 4000);
    assert!((60..80).contains(&fill), "{fill} per cent");
}

#[test]
fn a_file_grows_beyond_its_first_map() {
    let tree = new_tree(4096, Arc::new(NoJournal::default()));
    let id = tree.create(ME).unwrap();
    let len = 33_000 * 4000_u64;
    let mut zeros = Read::take(std::io::repeat(0), len);
    let chain = tree.write_chain(ME, id, &mut zeros, len).unwrap();
    let value = Value {
        inline: b"",
        chain: Some(chain),
    };
    tree.put(ME, id, b"huge", value).unwrap();
    let check = assert_sound(&tree);
    assert_eq!(check.trees[1].overflow_pages, 33_000);
    let map = tree.pages.read(PageId::from_raw(32_000)).unwrap();
    assert_eq!(
        header::kind(&map),
        Some(PageKind::FreeMap),
        "the second map begins the second group"
    );
    drop(map);
    assert!(tree.release(id, b"huge").unwrap());
    assert_eq!(assert_sound(&tree).allocated_pages, 7);
    assert_eq!(tree.pages_in_use().unwrap(), 32_001, "the second map stays");
}
