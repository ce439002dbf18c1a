//! A tree in memory, lost and rebuilt from its journal.

use super::*;
use crate::testing::{Recorder, conform};

const ME: TxnId = TxnId::from_raw(1);

#[test]
fn it_is_a_tree() {
    conform(MemoryTree::new);
}

#[test]
fn undo_takes_back_newest_first() {
    let journal = Arc::new(Recorder::default());
    let tree = MemoryTree::new(journal.clone());
    let id = tree.create(ME).unwrap();
    tree.put(ME, id, b"a", Value::inline(b"1")).unwrap();
    let mark = journal.len();
    tree.put(ME, id, b"a", Value::inline(b"2")).unwrap();
    tree.remove(ME, id, b"a").unwrap();
    tree.write_chain(ME, id, &mut &b"long"[..], 10).unwrap();
    assert_eq!(tree.chain_count(), 1);
    for back in journal.backs(ME, mark) {
        tree.undo(ME, &back, UndoNext::default(), Lsn::default()).unwrap();
    }
    let one = tree.get(id, b"a", |value| value.inline.to_vec()).unwrap();
    assert_eq!(one.as_deref(), Some(&b"1"[..]));
    assert_eq!(tree.chain_count(), 0);
}

#[test]
fn what_is_too_large_is_refused() {
    let tree = MemoryTree::new(Arc::new(Recorder::default()));
    let id = tree.create(ME).unwrap();
    let refused = tree.put(ME, id, &[0; 4000], Value::inline(b""));
    assert!(matches!(refused, Err(Fault::TooLarge { .. })));
    let refused = tree.write_chain(ME, id, &mut &[0_u8; 11][..], 10);
    assert!(matches!(
        refused,
        Err(Fault::TooLarge {
            got: 11,
            limit: 10,
            ..
        })
    ));
}
