//! Operations written, read back and made.

use super::*;
use godb_buffer::slotted::Slots;
use godb_buffer::{header, slotted};

fn cell(key: &[u8]) -> Vec<u8> {
    let mut cell = u16::try_from(key.len()).unwrap().to_le_bytes().to_vec();
    cell.extend_from_slice(key);
    cell
}

#[test]
fn a_whole_change_makes_the_page_from_nothing() {
    let mut record = Vec::new();
    let mut operations = Operations::whole(&mut record);
    operations.format(Shape {
        tree: TreeId::from_raw(2),
        level: 1,
        right: PageId::from_raw(0),
        first: PageId::from_raw(9),
    });
    operations.append(&cell(b"a"));
    operations.append(&cell(b"c"));
    operations.insert(1, &cell(b"b"));
    operations.remove(0);
    let mut page = vec![0xAA; 4096];
    let (basis, operations) = basis(&record).unwrap();
    assert_eq!(basis, Basis::Whole);
    apply(PageId::from_raw(7), &mut page, operations).unwrap();
    assert_eq!(header::kind(&page), Some(PageKind::Inner));
    assert_eq!(slotted::link(&page), PageId::from_raw(9));
    let slots = Slots::of(&page).unwrap();
    assert_eq!(
        (slots.key(0).unwrap(), slots.key(1).unwrap()),
        (&b"b"[..], &b"c"[..])
    );
}

#[test]
fn a_cut_record_is_refused() {
    let mut record = Vec::new();
    let mut operations = Operations::step(&mut record, Lsn::from_raw(5));
    operations.insert(0, &cell(b"a"));
    let (basis, operations) = basis(&record).unwrap();
    assert_eq!(basis, Basis::At(Lsn::from_raw(5)));
    for cut in 1..operations.len() {
        let mut page = vec![0; 4096];
        slotted::format(&mut page, PageKind::Leaf, 0, TreeId::from_raw(2));
        assert!(apply(PageId::from_raw(7), &mut page, &operations[..cut]).is_err());
    }
}
