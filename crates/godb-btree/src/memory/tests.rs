//! A tree in memory, lost and rebuilt from its journal.

use super::*;
use std::sync::Mutex;

/// One journaled change, owned.
struct Entry {
    lsn: Lsn,
    pages: Vec<(PageId, Vec<u8>)>,
    back: Option<Vec<u8>>,
}

#[derive(Default)]
struct Recording(Mutex<Vec<Entry>>);

impl Journal for Recording {
    fn reserve(&self, bytes: usize) -> Result<Room<'_>, Fault> {
        Ok(Room::new(self, Lsn::from_raw(1), bytes))
    }
    fn append(&self, _floor: Lsn, change: &Change<'_>) -> Lsn {
        let mut entries = self.0.lock().unwrap();
        let lsn = Lsn::from_raw(entries.len() as u64 + 1);
        let pages = change
            .pages
            .iter()
            .map(|&(page, bytes)| (page, bytes.to_vec()))
            .collect();
        let back = match change.undo {
            Undo::Logical(bytes) => Some(bytes.to_vec()),
            _ => None,
        };
        entries.push(Entry { lsn, pages, back });
        lsn
    }
    fn close(&self, _floor: Lsn, _unused: usize) {}
}

const ME: TxnId = TxnId::from_raw(1);

fn rows(tree: &MemoryTree, id: TreeId, backward: bool) -> Vec<Vec<u8>> {
    let mut cursor = tree
        .seek(
            id,
            Range {
                backward,
                ..Range::ALL
            },
        )
        .unwrap();
    let mut keys = Vec::new();
    while tree
        .next(&mut cursor, |key, _| {
            keys.push(key.to_vec());
            ControlFlow::Continue(())
        })
        .unwrap()
    {}
    keys
}

#[test]
fn the_journal_alone_brings_everything_back() {
    let journal = Arc::new(Recording::default());
    let tree = MemoryTree::new(journal.clone());
    let id = tree.create(ME).unwrap();
    for n in 0..200_u8 {
        tree.put(ME, id, &[n], Value::inline(&[n, n])).unwrap();
    }
    tree.remove(ME, id, &[7]).unwrap();
    let chain = tree
        .write_chain(ME, id, &mut &[5_u8; 100_000][..], 1 << 20)
        .unwrap();
    tree.put(
        ME,
        id,
        &[7],
        Value {
            inline: b"",
            chain: Some(chain),
        },
    )
    .unwrap();

    let again = MemoryTree::new(Arc::new(NoJournalOf));
    for _twice in 0..2 {
        for entry in journal.0.lock().unwrap().iter() {
            for (page, bytes) in &entry.pages {
                again.redo(entry.lsn, *page, bytes).unwrap();
            }
        }
    }
    assert_eq!(rows(&again, id, false), rows(&tree, id, false));
    let mut backward = rows(&again, id, true);
    backward.reverse();
    assert_eq!(backward, rows(&tree, id, false));
    let mut into = [0; 10];
    assert_eq!(again.read_chain(chain, 99_995, &mut None, &mut into).unwrap(), 5);
    assert_eq!(again.redo_from(), Some(Lsn::from_raw(1)));
}

/// The rebuilt tree journals nowhere.
struct NoJournalOf;

impl Journal for NoJournalOf {
    fn reserve(&self, bytes: usize) -> Result<Room<'_>, Fault> {
        Ok(Room::new(self, Lsn::from_raw(1), bytes))
    }
    fn append(&self, _floor: Lsn, _change: &Change<'_>) -> Lsn {
        unreachable!("redo journals nothing")
    }
    fn close(&self, _floor: Lsn, _unused: usize) {}
}

#[test]
fn undo_takes_back_newest_first() {
    let journal = Arc::new(Recording::default());
    let tree = MemoryTree::new(journal.clone());
    let id = tree.create(ME).unwrap();
    tree.put(ME, id, b"a", Value::inline(b"1")).unwrap();
    let mark = journal.0.lock().unwrap().len();
    tree.put(ME, id, b"a", Value::inline(b"2")).unwrap();
    tree.remove(ME, id, b"a").unwrap();
    tree.write_chain(ME, id, &mut &b"long"[..], 10).unwrap();
    assert_eq!(tree.chain_count(), 1);
    let backs: Vec<_> = journal.0.lock().unwrap()[mark..]
        .iter()
        .map(|e| e.back.clone().unwrap())
        .collect();
    for back in backs.iter().rev() {
        tree.undo(ME, back, Lsn::default()).unwrap();
    }
    let one = tree.get(id, b"a", |value| value.inline.to_vec()).unwrap();
    assert_eq!(one.as_deref(), Some(&b"1"[..]));
    assert_eq!(tree.chain_count(), 0);
}

#[test]
fn what_is_too_large_is_refused() {
    let tree = MemoryTree::new(Arc::new(Recording::default()));
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
