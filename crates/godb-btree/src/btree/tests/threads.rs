//! Many threads on one tree.

use super::*;
use crate::NoJournal;
use godb_buffer::sync::atomic::{AtomicBool, Ordering};

const THREADS: usize = 4;

/// Every thread has keys of its own among the others' keys, so that they meet in every leaf.
fn key(thread: usize, n: usize) -> Vec<u8> {
    format!("key {n:06} of {thread}").into_bytes()
}

/// One writer: puts, replaces and removes its own keys; its own model says what must be there at the end.
fn write<P: Pages>(tree: &BTree<P>, id: TreeId, thread: usize, acts: usize) -> BTreeMap<Vec<u8>, Vec<u8>> {
    let mut dice = Dice(thread as u64 + 1);
    let mut model = BTreeMap::new();
    for _ in 0..acts {
        let key = key(thread, 1 + dice.roll(400));
        if dice.roll(3) == 0 {
            assert_eq!(tree.remove(ME, id, &key).unwrap(), model.remove(&key).is_some());
        } else {
            let value = vec![7; dice.roll(400)];
            tree.put(ME, id, &key, Value::inline(&value)).unwrap();
            model.insert(key.clone(), value);
        }
        let found = tree.get(id, &key, |value| value.inline.to_vec()).unwrap();
        assert_eq!(found.as_ref(), model.get(&key));
    }
    model
}

/// A reader: rows that nobody touches must be there in every scan, in order and once.
fn scan<P: Pages>(tree: &BTree<P>, id: TreeId, fixed: usize, backward: bool) {
    let mut cursor = tree
        .seek(
            id,
            Range {
                backward,
                ..Range::ALL
            },
        )
        .unwrap();
    let mut last: Option<Vec<u8>> = None;
    let mut seen = 0;
    while tree
        .next(&mut cursor, |key, _| {
            if let Some(last) = &last {
                assert_eq!(key > last.as_slice(), !backward, "in order and none twice");
            }
            seen += usize::from(key.ends_with(b"of fixed"));
            last = Some(key.to_vec());
            ControlFlow::Continue(())
        })
        .unwrap()
    {}
    assert_eq!(seen, fixed, "backward: {backward}");
}

fn storm<P: Pages>(tree: &BTree<P>, acts: usize) {
    let id = tree.create(ME).unwrap();
    let fixed = 100;
    for n in 0..fixed {
        let key = format!("key {:06} of fixed", n * 4);
        tree.put(ME, id, key.as_bytes(), Value::inline(&[9; 50])).unwrap();
    }
    let over = AtomicBool::new(false);
    let models: Vec<_> = std::thread::scope(|scope| {
        scope.spawn(|| compact::go_on_compacting(tree, &over));
        for backward in [false, true] {
            let over = &over;
            scope.spawn(move || {
                while !over.load(Ordering::Acquire) {
                    scan(tree, id, fixed, backward);
                }
            });
        }
        let writers: Vec<_> = (0..THREADS)
            .map(|thread| scope.spawn(move || write(tree, id, thread, acts)))
            .collect();
        let models: Vec<_> = writers
            .into_iter()
            .map(std::thread::ScopedJoinHandle::join)
            .collect();
        over.store(true, Ordering::Release);
        models
    });
    let mut expected: BTreeMap<Vec<u8>, Vec<u8>> =
        models.into_iter().flat_map(|model| model.unwrap()).collect();
    for n in 0..fixed {
        expected.insert(format!("key {:06} of fixed", n * 4).into_bytes(), vec![9; 50]);
    }
    let found = crate::testing::rows(tree, id, Range::ALL);
    assert_eq!(found, expected.into_iter().collect::<Vec<_>>());
    assert_sound(tree);
}

#[test]
fn writers_and_scans_do_not_disturb_each_other() {
    storm(&new_tree(4096, Arc::new(NoJournal::default())), 4000);
}

#[test]
fn nor_do_they_in_sixteen_frames() {
    storm(
        &BTree::create(small_pool(), Arc::new(NoJournal::default())).unwrap(),
        1500,
    );
}

/// Trees come and go, with chains in them, while others work.
#[test]
fn trees_come_and_go_side_by_side() {
    let tree = BTree::create(small_pool(), Arc::new(NoJournal::default())).unwrap();
    godb_buffer::sync::thread::scope(|scope| {
        for thread in 0..THREADS {
            let tree = &tree;
            scope.spawn(move || {
                for round in 0..6 {
                    let id = tree.create(ME).unwrap();
                    let bytes = vec![1; 20_000 * (thread + 1)];
                    let chain = tree.write_chain(ME, id, &mut &bytes[..], 1 << 20).unwrap();
                    for n in 0..200 {
                        tree.put(ME, id, &key(thread, n), Value::inline(&[1; 100]))
                            .unwrap();
                    }
                    let value = Value {
                        inline: b"",
                        chain: Some(chain),
                    };
                    tree.put(ME, id, b"chained", value).unwrap();
                    if round % 2 == 0 {
                        tree.destroy(id).unwrap();
                    } else {
                        tree.release(id, b"chained").unwrap();
                    }
                }
            });
        }
    });
    let check = assert_sound(&tree);
    assert_eq!(check.trees.len(), 1 + THREADS * 3);
}

/// One writer with values in chains: it writes them, moves them by their head from one tree to another as an old version moves, frees them, and makes
/// and destroys trees.
fn move_chains<P: Pages>(tree: &BTree<P>, (rows, old): (TreeId, TreeId), thread: usize, acts: usize) {
    let mut dice = Dice(thread as u64 + 70);
    for _ in 0..acts {
        let key = key(thread, dice.roll(8));
        let before = tree.get(rows, &key, |value| value.chain).unwrap();
        match (dice.roll(5), before) {
            (0, _) => {
                let id = tree.create(ME).unwrap();
                tree.put(ME, id, &key, Value::inline(&[1; 500])).unwrap();
                tree.destroy(id).unwrap();
            }
            (1, Some(_)) => assert!(tree.release(rows, &key).unwrap()),
            (_, before) => {
                let bytes = vec![1; dice.roll(30_000)];
                let chain = tree.write_chain(ME, rows, &mut &bytes[..], 1 << 20).unwrap();
                let value = |chain| Value { inline: b"", chain };
                tree.put(ME, rows, &key, value(Some(chain))).unwrap();
                if let Some(Some(chain)) = before {
                    tree.put(ME, old, &key, value(Some(chain))).unwrap();
                    tree.release(old, &key).unwrap();
                }
            }
        }
    }
}

#[test]
fn a_check_finds_nothing_while_everything_moves() {
    let tree = BTree::create(small_pool(), Arc::new(NoJournal::default())).unwrap();
    let trees = (tree.create(ME).unwrap(), tree.create(ME).unwrap());
    let plain = tree.create(ME).unwrap();
    let over = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let (compacted, ended) = (&tree, &over);
        scope.spawn(move || compact::go_on_compacting(compacted, ended));
        let writers: Vec<_> = (0..THREADS)
            .map(|thread| {
                let tree = &tree;
                scope.spawn(move || match thread % 2 {
                    0 => move_chains(tree, trees, thread, 150),
                    _ => drop(write(tree, plain, thread, 1500)),
                })
            })
            .collect();
        let checker = scope.spawn(|| {
            let mut checks = 0;
            while !over.load(Ordering::Acquire) || checks < 3 {
                assert_eq!(tree.check().unwrap().findings, []);
                checks += 1;
            }
            checks
        });
        let ended: Vec<_> = writers
            .into_iter()
            .map(std::thread::ScopedJoinHandle::join)
            .collect();
        over.store(true, Ordering::Release);
        assert!(ended.iter().all(Result::is_ok));
        assert!(checker.join().unwrap() >= 3);
    });
    assert_eq!(assert_sound(&tree).moved, 0);
}
