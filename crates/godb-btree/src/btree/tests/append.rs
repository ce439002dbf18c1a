//! Rows that come in order, and begin new leaves.

use super::*;
use crate::journal::{NoJournal, UndoNext};
use crate::testing::Recorder;
use godb_buffer::Lsn;

fn key(number: usize) -> [u8; 8] {
    (number as u64).to_be_bytes()
}

/// Adds these rows as runs of so many.
fn add(tree: &BTree<MemoryPages>, by: TxnId, id: TreeId, numbers: &[usize], run: usize) {
    for numbers in numbers.chunks(run) {
        let keys: Vec<_> = numbers.iter().map(|number| key(*number)).collect();
        let value = Value::inline(&[7; 150]);
        let rows: Vec<_> = keys.iter().map(|key| Row { key, value }).collect();
        tree.add(by, id, &rows, &mut |_| panic!("all keys are new"))
            .unwrap();
    }
}

fn shown(tree: &BTree<MemoryPages>, id: TreeId) -> Vec<Vec<u8>> {
    let mut cursor = tree.seek(id, Range::ALL).unwrap();
    let mut keys = Vec::new();
    let mut show = |key: &[u8], _: Value<'_>| {
        keys.push(key.to_vec());
        ControlFlow::Continue(())
    };
    while tree.next(&mut cursor, &mut show).unwrap() {}
    keys
}

#[test]
fn rows_in_order_fill_one_leaf_after_another_with_one_record_each() {
    let journal = Arc::new(Recorder::default());
    let tree = new_tree(4096, journal.clone());
    let id = tree.create(ME).unwrap();
    let numbers: Vec<_> = (0..5000).collect();
    add(&tree, ME, id, &numbers, 1000);
    let check = assert_sound(&tree);
    let leaves = check.trees[1].leaf_pages as usize;
    assert_eq!(check.trees[1].rows, 5000);
    assert!(leaves <= 5000 / 22, "{leaves} leaves; a full one has 23 rows");
    let records = journal.entries().len();
    assert!(records < leaves + leaves / 4, "{records} records");
}

/// Other rows lie before, between and behind those of the runs, and some runs begin in the middle of a leaf.
#[test]
fn runs_among_other_rows_are_where_they_belong() {
    let tree = new_tree(4096, Arc::new(NoJournal::default()));
    let id = tree.create(ME).unwrap();
    let mut dice = Dice(3);
    let mut expected = std::collections::BTreeSet::new();
    for _ in 0..300 {
        let start = dice.roll(1 << 20);
        let step = 1 + dice.roll(50);
        let mut numbers: Vec<_> = (0..1 + dice.roll(200)).map(|n| start + n * step).collect();
        numbers.retain(|number| expected.insert(*number));
        add(&tree, ME, id, &numbers, 1 + dice.roll(150));
    }
    assert_sound(&tree);
    let expected: Vec<_> = expected.into_iter().map(|number| key(number).to_vec()).collect();
    assert_eq!(shown(&tree, id), expected);
}

/// Whoever comes behind the rows of a transaction keeps his leaf's rows when that one is rolled back.
#[test]
fn appended_rows_are_taken_back_and_those_behind_them_stay() {
    let loser = TxnId::from_raw(2);
    let journal = Arc::new(Recorder::default());
    let tree = new_tree(4096, journal.clone());
    let id = tree.create(ME).unwrap();
    add(&tree, ME, id, &(0..200).collect::<Vec<_>>(), 100);
    let mark = journal.entries().len();
    add(&tree, loser, id, &(200..400).collect::<Vec<_>>(), 100);
    add(&tree, ME, id, &(400..500).collect::<Vec<_>>(), 100);
    for back in journal.backs(loser, mark) {
        tree.undo(loser, &back, UndoNext::default(), Lsn::default())
            .unwrap();
    }
    assert_sound(&tree);
    let expected: Vec<_> = (0..200).chain(400..500).map(|n| key(n).to_vec()).collect();
    assert_eq!(shown(&tree, id), expected);
}
