//! The conformance suite of [`Wal`]: what every log with a tree must do. Run it on an implementation of your own:
//!
//! ```ignore
//! godb_wal::testing::conforms(|| my_wal());
//! ```

use crate::record::{Record, UndoRecord};
use crate::wal::{ActiveTransaction, Wal};
use godb_btree::{Lsn, Tree, TreeId, TxnId, UndoNext, Value};

/// Runs every test, each on a fresh, empty log and tree.
///
/// # Panics
/// When the implementation does not conform.
pub fn conforms<W: Wal>(make: impl Fn() -> W) {
    records_are_read_back_in_order(&make());
    changes_of_the_tree_are_chained(&make());
    an_end_takes_a_transaction_off_the_list(&make());
    a_transaction_can_be_adopted(&make());
    readers_see_what_is_appended_meanwhile(&make());
    a_checkpoint_gives_back_what_lies_before(&make());
    undo_logs_compensations(&make());
    threads_share_the_log(&make());
}

fn txn(raw: u64) -> TxnId {
    TxnId::from_raw(raw)
}

fn all<W: Wal>(wal: &W, from: Lsn) -> Vec<(Lsn, Record)> {
    wal.read(from)
        .map(|entry| entry.expect("the log is readable"))
        .collect()
}

fn commit<W: Wal>(wal: &W, by: u64) -> Lsn {
    let record = Record::Commit {
        by: txn(by),
        previous: Lsn::default(),
        note: by.to_le_bytes().to_vec(),
    };
    wal.append(record).expect("there is room")
}

fn new_tree<W: Wal>(wal: &W, by: u64) -> TreeId {
    wal.tree().create(txn(by)).expect("a tree can be made")
}

fn put<W: Wal>(wal: &W, by: u64, tree: TreeId, key: &[u8], value: &[u8]) {
    let value = Value::inline(value);
    wal.tree()
        .put(txn(by), tree, key, value)
        .expect("a row can be put");
}

fn get<W: Wal>(wal: &W, tree: TreeId, key: &[u8]) -> Option<Vec<u8>> {
    let got = wal.tree().get(tree, key, |value| value.inline.to_vec());
    got.expect("a row can be read")
}

fn records_are_read_back_in_order<W: Wal>(wal: &W) {
    assert_eq!(wal.last_checkpoint(), Lsn::default());
    let mut expected = Vec::new();
    for number in 1..50 {
        let record = match number % 3 {
            0 => Record::Checkpoint(vec![1; 700]),
            1 => Record::RolledBack { by: txn(number) },
            _ => Record::Commit {
                by: txn(number),
                previous: Lsn::default(),
                note: vec![2; 30],
            },
        };
        let before = wal.end();
        let at = wal.append(record.clone()).expect("there is room");
        assert!(
            at >= before && at > Lsn::default() && at < wal.end(),
            "positions grow"
        );
        if number % 10 == 0 {
            wal.acknowledge(at).expect("it can be acknowledged");
            wal.wait_durable(at).expect("it can be made durable");
        }
        expected.push((at, record));
    }
    assert_eq!(all(wal, Lsn::default()), expected);
    for (index, (at, _)) in expected.iter().enumerate() {
        assert_eq!(all(wal, *at), expected[index..], "reading starts at any record");
    }
    assert_eq!(all(wal, wal.end()), vec![]);
}

fn changes_of_the_tree_are_chained<W: Wal>(wal: &W) {
    let start = wal.end();
    let tree = new_tree(wal, 1);
    for number in 0..20_u8 {
        put(wal, 1 + u64::from(number % 2), tree, &[number], b"value");
    }
    for by in [1, 2] {
        let mut at = wal.last_of(txn(by));
        let active = wal
            .active()
            .into_iter()
            .find(|a| a.id == txn(by))
            .expect("it is active");
        assert_eq!(active.last, at);
        let mut oldest = at;
        let mut undoable = 0;
        while at != Lsn::default() {
            assert!(at >= start);
            let (found, record) = all(wal, at).swap_remove(0);
            assert_eq!(found, at);
            let Record::Change {
                by: whose,
                previous,
                undo,
                ..
            } = record
            else {
                panic!("a chain holds changes only");
            };
            assert_eq!(whose, Some(txn(by)));
            undoable += usize::from(matches!(undo, UndoRecord::Logical(_)));
            oldest = at;
            at = previous;
        }
        assert_eq!(active.first, oldest);
        assert!(undoable >= 10, "each row can be taken back");
    }
    assert_eq!(wal.last_of(txn(3)), Lsn::default());
}

fn an_end_takes_a_transaction_off_the_list<W: Wal>(wal: &W) {
    let tree = new_tree(wal, 1);
    commit(wal, 1);
    put(wal, 2, tree, b"a", b"1");
    put(wal, 3, tree, b"b", b"2");
    let last = wal.last_of(txn(2));
    let at = commit(wal, 2);
    let (_, record) = all(wal, at).swap_remove(0);
    assert!(
        matches!(record, Record::Commit { previous, .. } if previous == last),
        "the commit is chained"
    );
    let active: Vec<_> = wal.active().iter().map(|a| a.id).collect();
    assert_eq!(active, vec![txn(3)]);
    wal.append(Record::RolledBack { by: txn(3) })
        .expect("there is room");
    assert!(wal.active().is_empty());
    assert_eq!(wal.last_of(txn(2)), Lsn::default());
}

fn a_transaction_can_be_adopted<W: Wal>(wal: &W) {
    let tree = new_tree(wal, 1);
    let first = commit(wal, 1);
    let found = ActiveTransaction {
        id: txn(7),
        first,
        last: first,
    };
    wal.adopt(found);
    assert_eq!(wal.active(), vec![found]);
    put(wal, 7, tree, b"a", b"1");
    let (_, record) = all(wal, wal.last_of(txn(7))).swap_remove(0);
    assert!(
        matches!(record, Record::Change { previous, .. } if previous == first),
        "its chain goes on"
    );
}

fn readers_see_what_is_appended_meanwhile<W: Wal>(wal: &W) {
    let first = commit(wal, 1);
    let mut reader = wal.read(first);
    assert_eq!(reader.next().expect("a record").expect("readable").0, first);
    let second = commit(wal, 2);
    assert_eq!(reader.next().expect("a record").expect("readable").0, second);
    wal.wait_durable(second).expect("it can be made durable");
    let third = commit(wal, 3);
    assert_eq!(reader.next().expect("a record").expect("readable").0, third);
    assert!(reader.next().is_none());
}

fn a_checkpoint_gives_back_what_lies_before<W: Wal>(wal: &W) {
    for number in 1..300 {
        commit(wal, number);
    }
    let keep = commit(wal, 300);
    commit(wal, 301);
    let checkpoint = wal
        .append(Record::Checkpoint(b"here".to_vec()))
        .expect("there is room");
    wal.wait_durable(checkpoint).expect("it can be made durable");
    wal.checkpointed(checkpoint, keep).expect("it can be completed");
    assert_eq!(wal.last_checkpoint(), checkpoint);
    let left = all(wal, Lsn::default());
    assert_eq!(left.first().map(|(at, _)| *at), Some(keep));
    assert_eq!(left.len(), 3);
    assert_eq!(all(wal, checkpoint).len(), 1);
    assert_eq!(wal.floor(), wal.end(), "no reservation is open");
}

fn undo_logs_compensations<W: Wal>(wal: &W) {
    let tree = new_tree(wal, 1);
    put(wal, 1, tree, b"a", b"old");
    commit(wal, 1);
    put(wal, 2, tree, b"a", b"new");
    let at = wal.last_of(txn(2));
    let (_, record) = all(wal, at).swap_remove(0);
    let Record::Change {
        undo: UndoRecord::Logical(change),
        previous,
        ..
    } = record
    else {
        panic!("a row change is undone logically");
    };
    wal.tree()
        .undo(txn(2), &change, UndoNext::at(at), previous)
        .expect("it can be taken back");
    assert_eq!(get(wal, tree, b"a").as_deref(), Some(&b"old"[..]));
    let (_, record) = all(wal, wal.last_of(txn(2))).swap_remove(0);
    let Record::Change {
        undo,
        previous: chained,
        ..
    } = record
    else {
        panic!("a compensation is a change");
    };
    assert_eq!(undo, UndoRecord::Compensates(UndoNext::at(previous)));
    assert_eq!(chained, at);
}

fn threads_share_the_log<W: Wal>(wal: &W) {
    godb_btree::sync::thread::scope(|scope| {
        for thread in 0..4_u64 {
            scope.spawn(move || {
                for number in 0..200 {
                    let at = commit(wal, 1 + thread * 1000 + number);
                    wal.acknowledge(at).expect("it can be acknowledged");
                    if number % 50 == 0 {
                        wal.wait_durable(at).expect("it can be made durable");
                    }
                }
            });
        }
    });
    let found = all(wal, Lsn::default());
    assert_eq!(found.len(), 800);
    assert!(found.is_sorted_by_key(|(at, _)| *at));
    for thread in 0..4_u64 {
        let own = found.iter().filter_map(|(_, record)| record.by().map(TxnId::raw));
        let own: Vec<u64> = own.filter(|by| by / 1000 == thread).collect();
        assert!(own.is_sorted(), "each thread's records are in its own order");
    }
}
