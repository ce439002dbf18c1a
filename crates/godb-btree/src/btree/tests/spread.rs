//! Leaves that share with their neighbours before they are split.

use super::*;
use crate::journal::NoJournal;

fn key(number: usize) -> [u8; 8] {
    (number as u64).to_be_bytes()
}

/// Percent of the space in leaves that is in use.
fn fill(check: &Check) -> u64 {
    let tree = check.trees[1];
    tree.leaf_bytes * 100 / (u64::from(tree.leaf_pages) * (4096 - 96))
}

#[test]
fn rows_that_come_in_any_order_fill_their_leaves_better_than_halves_would() {
    let tree = new_tree(4096, Arc::new(NoJournal::default()));
    let id = tree.create(ME).unwrap();
    let mut dice = Dice(5);
    for _ in 0..20_000 {
        let key = key(dice.roll(1 << 30));
        tree.put(ME, id, &key, Value::inline(&[7; 100])).unwrap();
    }
    let check = assert_sound(&tree);
    assert!(fill(&check) >= 74, "{} percent", fill(&check));
}

#[test]
fn rows_in_order_are_left_where_they_are() {
    let tree = new_tree(4096, Arc::new(NoJournal::default()));
    let id = tree.create(ME).unwrap();
    for n in 0..20_000 {
        tree.put(ME, id, &key(n), Value::inline(&[7; 100])).unwrap();
    }
    assert!(fill(&assert_sound(&tree)) >= 95);
}

/// Rows of all sizes, which grow and shrink where they are, too.
#[test]
fn nothing_is_lost_whatever_the_rows_are_like() {
    let tree = new_tree(4096, Arc::new(NoJournal::default()));
    let id = tree.create(ME).unwrap();
    let mut dice = Dice(11);
    let mut model = BTreeMap::new();
    for _ in 0..20_000 {
        let key = key(dice.roll(3000))[..].repeat(1 + dice.roll(2));
        let value = vec![7; dice.roll(tree.max_inline() / 2)];
        tree.put(ME, id, &key, Value::inline(&value)).unwrap();
        model.insert(key, value);
    }
    assert_eq!(assert_sound(&tree).trees[1].rows, model.len() as u64);
    for (key, value) in &model {
        let found = tree
            .get(id, key, |found| found.inline == value.as_slice())
            .unwrap();
        assert_eq!(found, Some(true));
    }
}
