//! The conformance suite of [`Tree`]: what every implementation owes.
//!
//! Call [`conform`] with a constructor. Transactions are only names here: nothing is rolled back but through [`Tree::undo`], with the descriptions that the
//! [`Recorder`] kept from the journal.

#![expect(clippy::unwrap_used, reason = "a test reports by panicking")]

use crate::journal::{Change, Journal, Room, Undo, UndoNext};
use crate::tree::{Amended, MAX_HEAD, NewHead, Range, Row, Tree, Value};
use godb_buffer::sync::Mutex;
use godb_buffer::{Fault, Lsn, PageId, TreeId, TxnId};
use std::collections::BTreeMap;
use std::ops::{Bound, ControlFlow};
use std::sync::Arc;

/// One journaled change, owned.
#[derive(Clone, Debug)]
pub struct Recorded {
    /// Where it stands in the log.
    pub lsn: Lsn,
    /// Who made it.
    pub by: Option<TxnId>,
    /// The pages and their changes.
    pub pages: Vec<(PageId, Vec<u8>)>,
    /// How it is taken back, if it can be.
    pub back: Option<Vec<u8>>,
    /// Where undo goes on, if it takes something back itself.
    pub next: Option<UndoNext>,
}

/// A journal that keeps everything in memory.
#[derive(Default)]
pub struct Recorder {
    entries: Mutex<Vec<Recorded>>,
}

impl Recorder {
    /// Everything recorded so far.
    pub fn entries(&self) -> Vec<Recorded> {
        self.entries.lock().clone()
    }

    /// How many changes there are.
    pub fn len(&self) -> usize {
        self.entries.lock().len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// What takes back the changes of `by` from number `mark` on, newest first.
    pub fn backs(&self, by: TxnId, mark: usize) -> Vec<Vec<u8>> {
        let entries = self.entries.lock();
        let mine = entries[mark..].iter().rev().filter(|entry| entry.by == Some(by));
        mine.filter_map(|entry| entry.back.clone()).collect()
    }
}

impl Journal for Recorder {
    fn reserve(&self, bytes: usize) -> Result<Room<'_>, Fault> {
        Ok(Room::new(self, Lsn::from_raw(1), bytes))
    }

    fn append(&self, _floor: Lsn, change: &Change<'_>) -> Lsn {
        let mut entries = self.entries.lock();
        let lsn = Lsn::from_raw(entries.len() as u64 + 1);
        let back = match change.undo {
            Undo::Logical(bytes) | Undo::Run(bytes, _) => Some(bytes.to_vec()),
            Undo::Never | Undo::Compensates(_) => None,
        };
        let next = match change.undo {
            Undo::Compensates(next) => Some(next),
            _ => None,
        };
        entries.push(Recorded {
            lsn,
            next,
            by: change.by,
            pages: change
                .pages
                .iter()
                .map(|&(page, bytes)| (page, bytes.to_vec()))
                .collect(),
            back,
        });
        lsn
    }

    fn close(&self, _floor: Lsn, _unused: usize) {}
}

/// A row as the suite remembers it.
pub type Rows = Vec<(Vec<u8>, Vec<u8>)>;

/// All rows of a range, in the order they were shown.
pub fn rows<T: Tree>(tree: &T, id: TreeId, range: Range<'_>) -> Rows {
    let mut cursor = tree.seek(id, range).expect("the tree exists");
    let mut found = Vec::new();
    while tree
        .next(&mut cursor, |key, value| {
            found.push((key.to_vec(), value.inline.to_vec()));
            ControlFlow::Continue(())
        })
        .expect("scans succeed")
    {}
    found
}

const ME: TxnId = TxnId::from_raw(7);

fn key(n: u32) -> Vec<u8> {
    format!("key {:08}", n.wrapping_mul(2_654_435_761) % 100_000).into_bytes()
}

/// Runs the whole suite on trees that `new` makes.
pub fn conform<T: Tree>(new: impl Fn(Arc<dyn Journal>) -> T) {
    rows_come_back(&new(Arc::new(Recorder::default())));
    runs_fill_the_gaps(&new(Arc::new(Recorder::default())));
    heads_change_and_bodies_stay(&new(Arc::new(Recorder::default())));
    purging_takes_what_is_dead(&new(Arc::new(Recorder::default())));
    ranges_end_where_they_say(&new(Arc::new(Recorder::default())));
    scans_survive_changes(&new(Arc::new(Recorder::default())));
    trees_are_apart(&new(Arc::new(Recorder::default())));
    limits_are_kept(&new(Arc::new(Recorder::default())));
    chains_come_back(&new(Arc::new(Recorder::default())));
    let recorder = Arc::new(Recorder::default());
    undo_restores(&new(recorder.clone()), &recorder);
    let recorder = Arc::new(Recorder::default());
    redo_rebuilds(&new, &new(recorder.clone()), &recorder);
}

fn rows_come_back<T: Tree>(tree: &T) {
    let id = tree.create(ME).unwrap();
    let mut model = BTreeMap::new();
    for n in 0..3000_u32 {
        let value = vec![u8::try_from(n % 251).unwrap(); (n % 60) as usize];
        tree.put(ME, id, &key(n), Value::inline(&value)).unwrap();
        model.insert(key(n), value);
        if n % 3 == 0 {
            let gone = key(n / 2);
            assert_eq!(tree.remove(ME, id, &gone).unwrap(), model.remove(&gone).is_some());
        }
    }
    for n in 0..3000 {
        let found = tree.get(id, &key(n), |value| value.inline.to_vec()).unwrap();
        assert_eq!(found.as_ref(), model.get(&key(n)));
    }
    let forward: Rows = model.clone().into_iter().collect();
    let backward: Rows = model.into_iter().rev().collect();
    assert_eq!(rows(tree, id, Range::ALL), forward);
    assert_eq!(
        rows(
            tree,
            id,
            Range {
                backward: true,
                ..Range::ALL
            }
        ),
        backward
    );
}

/// A run adds what is not there, says what is, and is taken back row by row.
fn runs_fill_the_gaps<T: Tree>(tree: &T) {
    let id = tree.create(ME).unwrap();
    let keys: Vec<[u8; 4]> = (0..2000_u32).map(u32::to_be_bytes).collect();
    for key in keys.iter().step_by(7) {
        tree.put(ME, id, key, Value::inline(b"before")).unwrap();
    }
    let value = Value::inline(b"added");
    let run: Vec<_> = keys.iter().map(|key| Row { key, value }).collect();
    let mut present = Vec::new();
    tree.add(ME, id, &run, &mut |row| present.push(row)).unwrap();
    let expected: Vec<usize> = (0..2000).step_by(7).collect();
    assert_eq!(present, expected);
    for (number, (key, value)) in rows(tree, id, Range::ALL).iter().enumerate() {
        assert_eq!(key, &keys[number]);
        let was_there = number.is_multiple_of(7);
        assert_eq!(value, if was_there { b"before".as_slice() } else { b"added" });
    }
}

/// Another beginning for a value: `with` for its first `cut` bytes.
fn head(cut: u16, with: &[u8]) -> NewHead {
    NewHead {
        cut,
        with: with.into(),
    }
}

fn heads_change_and_bodies_stay<T: Tree>(tree: &T) {
    let id = tree.create(ME).unwrap();
    let value = |key: &[u8]| tree.get(id, key, |value| value.inline.to_vec()).unwrap();
    tree.put(ME, id, b"key", Value::inline(b"old body")).unwrap();
    let amend = |key: &[u8], new: Option<NewHead>| {
        let mut seen = None;
        let done = tree.amend(ME, id, key, |value| {
            seen = Some(value.inline.to_vec());
            new
        });
        (done, seen)
    };
    let (done, seen) = amend(b"key", None);
    assert_eq!((done.unwrap(), seen), (Amended::Left, Some(b"old body".to_vec())));
    assert_eq!(amend(b"other", None).0.unwrap(), Amended::Absent);
    for (cut, with, expected) in [
        (3, &b"new"[..], &b"new body"[..]),
        (0, b"a ", b"a new body"),
        (6, b"", b"body"),
        (4, b"", b""),
        (0, b"again", b"again"),
    ] {
        let (done, _) = amend(b"key", Some(head(cut, with)));
        assert_eq!(
            (done.unwrap(), value(b"key").unwrap()),
            (Amended::Done, expected.to_vec())
        );
    }
    assert!(amend(b"key", Some(head(6, b""))).0.is_err(), "it is not so long");
    let long = amend(b"key", Some(head(0, &[0; MAX_HEAD + 1]))).0;
    assert!(matches!(long, Err(Fault::TooLarge { .. })));
    let chain = tree.write_chain(ME, id, &mut &[7_u8; 9000][..], 1 << 20).unwrap();
    let chained = Value {
        inline: b"head",
        chain: Some(chain),
    };
    tree.put(ME, id, b"big", chained).unwrap();
    assert_eq!(amend(b"big", Some(head(1, b"l"))).0.unwrap(), Amended::Done);
    let kept = tree
        .get(id, b"big", |value| (value.inline.to_vec(), value.chain))
        .unwrap();
    assert_eq!(kept, Some((b"lead".to_vec(), Some(chain))));
}

fn purging_takes_what_is_dead<T: Tree>(tree: &T) {
    let id = tree.create(ME).unwrap();
    let keys: Vec<[u8; 4]> = (0..2000_u32).map(u32::to_be_bytes).collect();
    let is_dead = |key: &[u8]| !key[3].is_multiple_of(8);
    for key in &keys {
        tree.put(ME, id, key, Value::inline(&[5; 40])).unwrap();
    }
    let chain = tree.write_chain(ME, id, &mut &[7_u8; 9000][..], 1 << 20).unwrap();
    let chained = Value {
        inline: b"",
        chain: Some(chain),
    };
    tree.put(ME, id, &keys[9], chained).unwrap();
    let (mut last, mut calls): (Option<Vec<u8>>, _) = (None, 0);
    for key in &keys {
        if last.as_ref().is_some_and(|last| key[..] <= last[..]) {
            continue;
        }
        let looked = tree.purge(id, key, |key, _| is_dead(key));
        last = looked.unwrap();
        assert!(
            last.as_ref().is_some_and(|last| key[..] <= last[..]),
            "it was there"
        );
        calls += 1;
    }
    assert!(calls < 500, "many go at once");
    let left: Vec<Vec<u8>> = rows(tree, id, Range::ALL)
        .into_iter()
        .map(|(key, _)| key)
        .collect();
    let expected = keys.iter().filter(|key| !is_dead(*key) || **key == keys[9]);
    assert_eq!(left, expected.map(|key| key.to_vec()).collect::<Vec<_>>());
}

fn ranges_end_where_they_say<T: Tree>(tree: &T) {
    let id = tree.create(ME).unwrap();
    let mut model = BTreeMap::new();
    for n in 0..500_u16 {
        let key = (n * 2).to_be_bytes();
        tree.put(ME, id, &key, Value::inline(b"x")).unwrap();
        model.insert(key.to_vec(), b"x".to_vec());
    }
    let ends = [0_u16, 1, 2, 499, 500, 501, 997, 998, 999].map(|n| n.to_be_bytes().to_vec());
    let bounds = |end: &Vec<u8>| {
        [
            Bound::Included(end.clone()),
            Bound::Excluded(end.clone()),
            Bound::Unbounded,
        ]
    };
    for (from, to) in ends.iter().flat_map(|from| ends.iter().map(move |to| (from, to))) {
        for (from, to) in bounds(from)
            .iter()
            .flat_map(|from| bounds(to).map(|to| (from.clone(), to)))
        {
            let inside =
                |key: &Vec<u8>| std::ops::RangeBounds::<Vec<u8>>::contains(&(from.clone(), to.clone()), key);
            let expected: Rows = model
                .iter()
                .filter(|(key, _)| inside(key))
                .map(|(k, v)| (k.clone(), v.clone()))
                .collect();
            let range = Range {
                from: from.as_ref().map(Vec::as_slice),
                to: to.as_ref().map(Vec::as_slice),
                backward: false,
            };
            assert_eq!(rows(tree, id, range), expected, "{range:?}");
            let mut backward = rows(
                tree,
                id,
                Range {
                    backward: true,
                    ..range
                },
            );
            backward.reverse();
            assert_eq!(backward, expected, "backward {range:?}");
        }
    }
}

/// Between two calls of `next` a page may split, merge or vanish; rows that stay are shown once.
fn scans_survive_changes<T: Tree>(tree: &T) {
    for backward in [false, true] {
        let id = tree.create(ME).unwrap();
        let stays = |n: u32| n.is_multiple_of(5);
        for n in 0..2000_u32 {
            tree.put(ME, id, &n.to_be_bytes(), Value::inline(&[1; 20]))
                .unwrap();
        }
        let mut cursor = tree
            .seek(
                id,
                Range {
                    backward,
                    ..Range::ALL
                },
            )
            .unwrap();
        let mut seen = Vec::new();
        let mut round = 0_u32;
        let mut show_some = |cursor: &mut T::Cursor, most: usize| {
            let mut count = 0;
            tree.next(cursor, |key, _| {
                seen.push(u32::from_be_bytes(key.try_into().unwrap()));
                count += 1;
                if count == most {
                    ControlFlow::Break(())
                } else {
                    ControlFlow::Continue(())
                }
            })
            .unwrap()
        };
        while show_some(&mut cursor, 7 + (round % 50) as usize) {
            for n in (round * 97..round * 97 + 300)
                .map(|n| n % 2000)
                .filter(|n| !stays(*n))
            {
                if round.is_multiple_of(2) {
                    tree.remove(ME, id, &n.to_be_bytes()).unwrap();
                } else {
                    tree.put(ME, id, &n.to_be_bytes(), Value::inline(&[2; 200]))
                        .unwrap();
                }
            }
            round += 1;
        }
        let staying: Vec<u32> = seen.iter().copied().filter(|n| stays(*n)).collect();
        let mut expected: Vec<u32> = (0..2000).filter(|n| stays(*n)).collect();
        if backward {
            expected.reverse();
        }
        assert_eq!(staying, expected, "backward: {backward}");
        let in_order = |pair: &[u32]| {
            if backward {
                pair[0] > pair[1]
            } else {
                pair[0] < pair[1]
            }
        };
        assert!(seen.windows(2).all(in_order), "no row twice");
    }
}

fn trees_are_apart<T: Tree>(tree: &T) {
    let one = tree.create(ME).unwrap();
    let two = tree.create(ME).unwrap();
    assert_eq!(tree.trees().unwrap(), [one, two]);
    tree.put(ME, one, b"key", Value::inline(b"one")).unwrap();
    tree.put(ME, two, b"key", Value::inline(b"two")).unwrap();
    let value = |id| {
        tree.get(id, b"key", |value| value.inline.to_vec())
            .unwrap()
            .unwrap()
    };
    assert_eq!((value(one), value(two)), (b"one".to_vec(), b"two".to_vec()));
    tree.destroy(one).unwrap();
    tree.destroy(one).expect("destroying again is no error");
    assert_eq!(tree.trees().unwrap(), [two]);
    assert!(tree.get(one, b"key", |_| ()).is_err());
    assert_eq!(value(two), b"two");
    let three = tree.create(ME).unwrap();
    assert!(three > two, "ids are never given out twice");
}

fn limits_are_kept<T: Tree>(tree: &T) {
    let id = tree.create(ME).unwrap();
    let long = vec![1; tree.max_key()];
    let wide = vec![2; tree.max_inline()];
    tree.put(ME, id, &long, Value::inline(&wide)).unwrap();
    tree.put(ME, id, b"", Value::inline(b"")).unwrap();
    assert_eq!(
        tree.get(id, &long, |value| value.inline.len()).unwrap(),
        Some(wide.len())
    );
    assert_eq!(tree.get(id, b"", |value| value.inline.len()).unwrap(), Some(0));
    let longer = vec![1; tree.max_key() + 1];
    let refused = tree.put(ME, id, &longer, Value::inline(b""));
    assert!(matches!(refused, Err(Fault::TooLarge { .. })));
    let wider = vec![1; tree.max_inline() + 1];
    let refused = tree.put(ME, id, b"k", Value::inline(&wider));
    assert!(matches!(refused, Err(Fault::TooLarge { .. })));
    assert_eq!(tree.get(id, &longer, |_| ()).unwrap(), None);
}

fn chains_come_back<T: Tree>(tree: &T) {
    let id = tree.create(ME).unwrap();
    for len in [0_usize, 1, 3999, 4000, 4001, 100_000, 300_000] {
        let bytes: Vec<u8> = (0..len).map(|n| u8::try_from(n % 253).unwrap()).collect();
        let chain = tree.write_chain(ME, id, &mut &bytes[..], len as u64).unwrap();
        assert_eq!(chain.len, len as u64);
        let value = Value {
            inline: b"head",
            chain: Some(chain),
        };
        tree.put(ME, id, b"big", value).unwrap();
        let found = tree.get(id, b"big", |value| value.chain).unwrap().flatten();
        assert_eq!(found, Some(chain));
        let mut hint = None;
        let mut back = Vec::new();
        let mut piece = [0; 777];
        loop {
            let count = tree
                .read_chain(chain, back.len() as u64, &mut hint, &mut piece)
                .unwrap();
            if count == 0 {
                break;
            }
            back.extend_from_slice(&piece[..count]);
        }
        assert_eq!(back, bytes);
        let at = len as u64 / 2;
        let count = tree.read_chain(chain, at, &mut None, &mut piece).unwrap();
        assert_eq!(piece[..count], bytes[len / 2..][..count]);
        assert!(tree.release(id, b"big").unwrap());
        assert!(!tree.release(id, b"big").unwrap());
    }
    let refused = tree.write_chain(ME, id, &mut &[0_u8; 9000][..], 8999);
    assert!(matches!(refused, Err(Fault::TooLarge { .. })));
    let refused = tree.write_chain(ME, id, &mut Failing, 10);
    assert!(
        matches!(refused, Err(Fault::Poisoned { .. })),
        "a reader's fault comes out as it is"
    );
}

/// A reader that reads from a database that failed.
struct Failing;

impl std::io::Read for Failing {
    fn read(&mut self, _into: &mut [u8]) -> std::io::Result<usize> {
        Err(std::io::Error::other(Fault::Poisoned { why: "a test".into() }))
    }
}

fn undo_restores<T: Tree>(tree: &T, recorder: &Recorder) {
    let id = tree.create(ME).unwrap();
    for n in 0..800 {
        tree.put(ME, id, &key(n), Value::inline(&[1; 30])).unwrap();
    }
    let before = rows(tree, id, Range::ALL);
    let trees = tree.trees().unwrap();
    let mark = recorder.len();
    let loser = TxnId::from_raw(8);
    for n in 0..800 {
        match n % 4 {
            0 => drop(tree.remove(loser, id, &key(n)).unwrap()),
            1 => tree.put(loser, id, &key(n), Value::inline(&[2; 90])).unwrap(),
            3 => {
                // A row that was put by the loser itself, and one that was there.
                let (cut, with): (u16, &[u8]) = if n % 8 == 3 {
                    (9, b"x")
                } else {
                    (1, b"a longer head")
                };
                let done = tree.amend(loser, id, &key(n), |_| Some(head(cut, with))).unwrap();
                assert!(matches!(done, Amended::Done | Amended::Full));
            }
            2 => tree
                .put(loser, id, &key(n + 10_000), Value::inline(&[3; 50]))
                .unwrap(),
            _ => unreachable!("a remainder of four"),
        }
    }
    let chain = tree
        .write_chain(loser, id, &mut &[4_u8; 50_000][..], 1 << 20)
        .unwrap();
    tree.put(
        loser,
        id,
        b"big",
        Value {
            inline: b"",
            chain: Some(chain),
        },
    )
    .unwrap();
    let made = tree.create(loser).unwrap();
    tree.put(loser, made, b"a", Value::inline(b"b")).unwrap();
    // Somebody else moves the rows about before the loser rolls back.
    for n in 20_000..20_800 {
        tree.put(ME, id, &key(n), Value::inline(&[5; 40])).unwrap();
    }
    for n in 20_000..20_800 {
        tree.remove(ME, id, &key(n)).unwrap();
    }
    let others: Vec<_> = (20_000..20_800).map(key).collect();
    for back in recorder.backs(loser, mark) {
        tree.undo(loser, &back, UndoNext::default(), Lsn::default())
            .unwrap();
    }
    let expected: Rows = before
        .into_iter()
        .filter(|(key, _)| !others.contains(key))
        .collect();
    assert_eq!(rows(tree, id, Range::ALL), expected);
    assert_eq!(tree.trees().unwrap(), trees);
    let compensated = recorder.backs(loser, mark).len();
    let gone = vec![0, 9, 0, 0, 0];
    assert!(
        tree.undo(loser, &gone, UndoNext::default(), Lsn::default())
            .is_err(),
        "nonsense is refused"
    );
    assert!(compensated > 0);
}

fn redo_rebuilds<T: Tree>(new: &impl Fn(Arc<dyn Journal>) -> T, tree: &T, recorder: &Recorder) {
    let id = tree.create(ME).unwrap();
    for n in 0..1500 {
        tree.put(ME, id, &key(n), Value::inline(&[1; 30])).unwrap();
    }
    for n in 0..1300 {
        tree.remove(ME, id, &key(n)).unwrap();
    }
    for n in 1300..1500 {
        tree.amend(ME, id, &key(n), |_| Some(head(5, b"twelve bytes")))
            .unwrap();
    }
    let mut from = Vec::new();
    while let Some(last) = tree.purge(id, &from, |key, _| key.last() == Some(&b'3')).unwrap() {
        if last <= from {
            break;
        }
        from = last;
    }
    let chain = tree
        .write_chain(ME, id, &mut &[9_u8; 30_000][..], 1 << 20)
        .unwrap();
    tree.put(
        ME,
        id,
        b"big",
        Value {
            inline: b"",
            chain: Some(chain),
        },
    )
    .unwrap();
    let again = new(Arc::new(Recorder::default()));
    for _twice in 0..2 {
        for entry in recorder.entries() {
            for (page, change) in &entry.pages {
                again.redo(entry.lsn, *page, change).unwrap();
            }
        }
    }
    again.redone().unwrap();
    assert_eq!(rows(&again, id, Range::ALL), rows(tree, id, Range::ALL));
    assert_eq!(again.trees().unwrap(), tree.trees().unwrap());
    let mut into = vec![0; 30_000];
    assert_eq!(
        again.read_chain(chain, 0, &mut None, &mut into).unwrap(),
        into.len()
    );
    assert!(into.iter().all(|byte| *byte == 9));
}
