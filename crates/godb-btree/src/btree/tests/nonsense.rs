//! Pages whose checksum is right and whose content is not: errors, never a panic, never an endless loop.

use super::*;
use crate::NoJournal;
use godb_buffer::{PageWrite, header};

fn grown() -> (BTree<MemoryPages>, TreeId, u32) {
    let tree = new_tree(4096, Arc::new(NoJournal::default()));
    let id = tree.create(ME).unwrap();
    for n in 0..900_u32 {
        let value = [1; 90];
        tree.put(ME, id, &n.to_be_bytes(), Value::inline(&value)).unwrap();
    }
    let chain = tree
        .write_chain(ME, id, &mut &[5_u8; 20_000][..], 1 << 20)
        .unwrap();
    tree.put(
        ME,
        id,
        b"chained",
        Value {
            inline: b"",
            chain: Some(chain),
        },
    )
    .unwrap();
    let pages = tree.check().unwrap().allocated_pages;
    (tree, id, pages)
}

/// Everything a user may do; what comes out does not matter, that it comes out does.
fn use_it(tree: &BTree<MemoryPages>, id: TreeId) {
    for n in (0..900_u32).step_by(31) {
        let key = n.to_be_bytes();
        let _found = tree.get(id, &key, |value| value.inline.len());
        let _put = tree.put(ME, id, &key, Value::inline(&[2; 200]));
        let _removed = tree.remove(ME, id, &(n + 1).to_be_bytes());
    }
    for backward in [false, true] {
        if let Ok(mut cursor) = tree.seek(
            id,
            Range {
                backward,
                ..Range::ALL
            },
        ) {
            while let Ok(true) = tree.next(&mut cursor, |_, _| ControlFlow::Continue(())) {}
        }
    }
    let _released = tree.release(id, b"chained");
    let _checked = tree.check();
    let _made = tree.create(ME);
    let _destroyed = tree.destroy(id);
}

#[test]
fn damaged_pages_give_errors() {
    let mut dice = Dice(5);
    for round in 0..400 {
        let (tree, id, pages) = grown();
        for _ in 0..1 + dice.roll(3) {
            let page = PageId::from_raw(u32::try_from(2 + dice.roll(pages as usize - 2)).unwrap());
            let Ok(mut guard) = tree.pages.write(page) else {
                continue;
            };
            let lsn = header::lsn(&guard);
            let bytes = guard.stamp(lsn, lsn);
            for _ in 0..1 + dice.roll(12) {
                // Half of the noise goes where the structure is.
                let at = if dice.roll(2) == 0 {
                    32 + dice.roll(160)
                } else {
                    32 + dice.roll(4064)
                };
                bytes[at] = u8::try_from(dice.roll(256)).unwrap();
            }
        }
        if round % 2 == 0 {
            tree.redone().ok();
        }
        use_it(&tree, id);
    }
}

#[test]
fn a_missing_tree_is_an_error() {
    let (tree, _, _) = grown();
    let missing = TreeId::from_raw(99);
    assert!(tree.get(missing, b"", |_| ()).is_err());
    assert!(tree.put(ME, missing, b"", Value::inline(b"")).is_err());
    assert!(tree.seek(missing, Range::ALL).is_err());
    assert!(tree.write_chain(ME, missing, &mut &b"x"[..], 10).is_err());
}
