//! What is encoded is read back; what is not an encoding is refused without a panic.

use super::*;
use godb_btree::{Change, size_of_change};
use proptest::prelude::*;

/// No number that a log holds gets here.
const LAST: u64 = 1 << 60;

fn bytes() -> impl Strategy<Value = Vec<u8>> {
    proptest::collection::vec(any::<u8>(), 0..300)
}

fn undo() -> impl Strategy<Value = UndoRecord> {
    prop_oneof![
        Just(UndoRecord::Never),
        bytes().prop_map(UndoRecord::Logical),
        (0..LAST, any::<u16>()).prop_map(|(next, done)| UndoRecord::Compensates(UndoNext {
            next: Lsn::from_raw(next),
            done
        })),
    ]
}

fn record() -> impl Strategy<Value = Record> {
    let pages = proptest::collection::vec((any::<u32>().prop_map(PageId::from_raw), bytes()), 0..5);
    let txn = || (1..LAST).prop_map(TxnId::from_raw);
    let lsn = || (0..LAST).prop_map(Lsn::from_raw);
    prop_oneof![
        (proptest::option::of(txn()), lsn(), pages, undo()).prop_map(|(by, previous, pages, undo)| {
            Record::Change {
                by,
                previous,
                pages,
                undo,
            }
        }),
        (txn(), lsn(), bytes()).prop_map(|(by, previous, note)| Record::Commit { by, previous, note }),
        txn().prop_map(|by| Record::RolledBack { by }),
        bytes().prop_map(Record::Checkpoint),
    ]
}

/// Encodes an owned record, as the log would have.
fn encode(record: &Record) -> Vec<u8> {
    let mut out = Vec::new();
    record.with_entry(|entry| {
        entry.encode(&mut out);
        assert_eq!(out.len(), entry.size(), "size() tells what encode() writes");
    });
    out
}

proptest! {
    #[test]
    fn a_record_survives_the_round_trip(record in record()) {
        let frame = encode(&record);
        let length = u32::from_le_bytes(frame[..FRAME].try_into().unwrap());
        prop_assert_eq!(usize::try_from(length).unwrap(), frame.len() - FRAME);
        prop_assert_eq!(decode(&frame[FRAME..]), Some(record));
    }

    #[test]
    fn arbitrary_bytes_are_decoded_or_refused_but_never_panic(body in bytes()) {
        if let Some(record) = decode(&body) {
            prop_assert_eq!(&encode(&record)[FRAME..], &body[..], "what is accepted is exactly what is encoded");
        }
    }

    #[test]
    fn a_change_never_takes_more_than_the_tree_reserves_for_it(record in record()) {
        if let Record::Change { by, pages, undo, .. } = &record {
            let borrowed: Vec<_> = pages.iter().map(|(id, b)| (*id, b.as_slice())).collect();
            let change = Change { by: *by, pages: &borrowed, undo: undo.borrowed() };
            prop_assert!(encode(&record).len() <= size_of_change(&change));
        }
    }
}

#[test]
fn every_truncation_of_a_change_is_refused() {
    let record = Record::Change {
        by: Some(TxnId::from_raw(7)),
        previous: Lsn::from_raw(3),
        pages: vec![
            (PageId::from_raw(1), vec![1, 2, 3]),
            (PageId::from_raw(2), vec![]),
        ],
        undo: UndoRecord::Logical(vec![9; 5]),
    };
    let frame = encode(&record);
    for cut in FRAME..frame.len() {
        assert_eq!(decode(&frame[FRAME..cut]), None, "cut at {cut}");
    }
    let mut longer = frame[FRAME..].to_vec();
    longer.push(0);
    assert_eq!(decode(&longer), None, "nothing may follow");
}

#[test]
fn numbers_that_no_database_reaches_are_refused() {
    for number in [LAST, u64::MAX] {
        let (by, at) = (TxnId::from_raw(number), Lsn::from_raw(number));
        let (possible, start) = (TxnId::from_raw(1), Lsn::default());
        let change = |by, previous, next| Record::Change {
            by: Some(by),
            previous,
            pages: Vec::new(),
            undo: UndoRecord::Compensates(UndoNext { next, done: 0 }),
        };
        let records = [
            Record::RolledBack { by },
            change(by, start, start),
            change(possible, at, start),
            change(possible, start, at),
        ];
        for record in records {
            assert_eq!(decode(&encode(&record)[FRAME..]), None, "{record:?}");
        }
    }
}
