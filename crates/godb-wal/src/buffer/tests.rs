//! The buffer against a plain list of records.

use super::*;
use crate::record::Record;
use godb_btree::{DatabaseId, TxnId};
use proptest::prelude::*;

const SIZE: usize = 512;

fn commit(by: u64, len: usize) -> Record {
    Record::Commit {
        by: TxnId::from_raw(by),
        previous: Lsn::default(),
        note: vec![by.to_le_bytes()[0]; len],
    }
}

fn read_all(buffer: &mut Buffer, mut at: u64) -> Vec<(Lsn, Record)> {
    let mut all = Vec::new();
    while let Found::Record(lsn, record, next) = buffer.record_at(at).unwrap() {
        all.push((lsn, record));
        at = next;
    }
    all
}

#[test]
fn what_waits_is_counted_until_it_has_landed() {
    let mut buffer = Buffer::new(SIZE, 1024);
    assert_eq!((buffer.len(), buffer.unsealed()), (0, 0));
    commit(1, 10).with_entry(|e| buffer.append(&e));
    let first = buffer.unsealed();
    assert!(first > HEADER + 10);
    assert_eq!(buffer.len(), first);
    let batch = buffer.seal().unwrap();
    assert_eq!((buffer.len(), buffer.unsealed()), (first, 0));
    commit(2, 20).with_entry(|e| buffer.append(&e));
    assert_eq!(buffer.len(), first + buffer.unsealed());
    buffer.landed(batch);
    assert_eq!(buffer.len(), buffer.unsealed());
}

#[test]
fn a_seal_moves_the_next_record_to_a_new_block() {
    let mut buffer = Buffer::new(SIZE, 1024);
    let first = commit(1, 10).with_entry(|e| buffer.append(&e));
    assert_eq!(first.raw(), 1024 + HEADER as u64);
    let batch = buffer.seal().unwrap();
    assert!(buffer.seal().is_none());
    let second = commit(2, 10).with_entry(|e| buffer.append(&e));
    assert_eq!(second.raw(), 1536 + HEADER as u64);
    assert_eq!(buffer.first(), 1024, "what is in flight can still be read");
    buffer.landed(batch);
    assert_eq!(buffer.first(), 1536);
}

proptest! {
    #[test]
    fn records_are_where_append_said(steps in proptest::collection::vec((0..3u8, 0..2000usize), 1..60)) {
        let mut buffer = Buffer::new(SIZE, 0);
        let mut model = Vec::new();
        for (number, (what, len)) in (1u64..).zip(steps) {
            match what {
                0 => { buffer.seal(); }
                _ => {
                    let expected = buffer.end();
                    let record = commit(number, len);
                    let lsn = record.with_entry(|e| buffer.append(&e));
                    prop_assert_eq!(lsn.raw(), expected, "end() told where it would go");
                    model.push((lsn, record));
                }
            }
        }
        prop_assert_eq!(read_all(&mut buffer, 0), model.clone());
        for (lsn, record) in &model {
            let Found::Record(at, found, _) = buffer.record_at(lsn.raw()).unwrap() else {
                panic!("nothing at {lsn}");
            };
            prop_assert_eq!((at, &found), (*lsn, record));
        }
    }

    #[test]
    fn the_image_of_a_batch_is_whole_blocks(lens in proptest::collection::vec(0..1500usize, 1..20)) {
        let mut buffer = Buffer::new(SIZE, 0);
        for (number, len) in (1u64..).zip(lens) {
            commit(number, len).with_entry(|e| buffer.append(&e));
        }
        let stamp = Stamp { database: DatabaseId::default(), epoch: 1, durable: 0, allocated: 0 };
        let batch = buffer.seal().unwrap();
        let mut image = Vec::new();
        batch.image(SIZE, &stamp, &mut image);
        prop_assert_eq!(image.len() as u64, batch.next(SIZE as u64));
        let mut used = 0;
        for (index, bytes) in image.chunks(SIZE).enumerate() {
            let header = block::open(bytes, (index * SIZE) as u64, DatabaseId::default());
            used += header.expect("every block is whole").end;
        }
        prop_assert_eq!(used, batch.bytes.len());
    }
}
