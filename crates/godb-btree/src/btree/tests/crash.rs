//! Redo from the log, onto pages of any age; and crashes after every single record.

use super::*;
use crate::change::{Basis, basis};
use crate::testing::{Recorded, Recorder, Rows, rows};
use godb_buffer::{PageStore, PageWrite, header};
use std::collections::BTreeMap;

/// How a page looked after how many records; none when it was not there.
type Versions = Vec<(usize, Option<Vec<u8>>)>;
type Ages = BTreeMap<PageId, Versions>;

/// A workload that was watched.
struct History {
    log: Vec<Recorded>,
    ages: Ages,
    /// How many records there were after each act.
    acts: Vec<usize>,
    rows: BTreeMap<TreeId, Rows>,
}

fn look(tree: &BTree<MemoryPages>, page: PageId) -> Option<Vec<u8>> {
    tree.pages.read(page).ok().map(|page| page.to_vec())
}

fn watch(tree: &BTree<MemoryPages>, journal: &Recorder, ages: &mut Ages, from: usize) -> usize {
    let entries = journal.entries();
    for (page, _) in entries[from..].iter().flat_map(|entry| &entry.pages) {
        let versions = ages.entry(*page).or_insert_with(|| vec![(0, None)]);
        versions.push((entries.len(), look(tree, *page)));
    }
    entries.len()
}

fn key(n: usize) -> Vec<u8> {
    format!("key {n:06}").into_bytes()
}

fn work(tree: &BTree<MemoryPages>, dice: &mut Dice, trees: &mut Vec<TreeId>, compaction: &mut Compaction) {
    let id = trees[dice.roll(trees.len())];
    match dice.roll(34) {
        0 => trees.push(tree.create(ME).unwrap()),
        1 if trees.len() > 1 => {
            trees.retain(|tree| *tree != id);
            tree.destroy(id).unwrap();
        }
        2 => {
            let bytes = vec![3; dice.roll(30_000)];
            let key = key(dice.roll(300));
            tree.release(id, &key).unwrap();
            let chain = tree.write_chain(ME, id, &mut &bytes[..], 1 << 20).unwrap();
            let value = Value {
                inline: b"",
                chain: Some(chain),
            };
            tree.put(ME, id, &key, value).unwrap();
        }
        24..28 => {
            let head = |value: Value<'_>| {
                (!value.inline.is_empty()).then(|| NewHead {
                    cut: 1,
                    with: b"new".as_slice().into(),
                })
            };
            tree.amend(ME, id, &key(dice.roll(300)), head).unwrap();
        }
        28..30 => {
            tree.purge(id, &key(dice.roll(300)), |key, _| key.ends_with(b"7"))
                .unwrap();
        }
        30..34 => {
            if !tree.compact_some(compaction).unwrap() {
                *compaction = Compaction::new();
            }
        }
        3..8 => {
            let from = dice.roll(300);
            for n in from..from + 40 {
                tree.release(id, &key(n)).unwrap();
            }
        }
        _ => {
            let key = key(dice.roll(300));
            tree.release(id, &key).unwrap();
            tree.put(ME, id, &key, Value::inline(&vec![1; dice.roll(300)]))
                .unwrap();
        }
    }
}

fn live(seed: u64, acts: usize) -> History {
    let journal = Arc::new(Recorder::default());
    let tree = new_tree(4096, journal.clone());
    let mut dice = Dice(seed);
    let mut ages = Ages::new();
    let mut trees = vec![tree.create(ME).unwrap()];
    let mut seen = watch(&tree, &journal, &mut ages, 0);
    let mut ends = vec![0, seen];
    let mut compaction = Compaction::new();
    for _ in 0..acts {
        work(&tree, &mut dice, &mut trees, &mut compaction);
        seen = watch(&tree, &journal, &mut ages, seen);
        ends.push(seen);
    }
    assert_sound(&tree);
    History {
        log: journal.entries(),
        ages,
        acts: ends,
        rows: all_rows(&tree),
    }
}

fn all_rows<P: Pages>(tree: &BTree<P>) -> BTreeMap<TreeId, Rows> {
    let trees = tree.trees().unwrap();
    trees
        .into_iter()
        .map(|id| (id, rows(tree, id, Range::ALL)))
        .collect()
}

fn redo<P: Pages>(tree: &BTree<P>, log: &[Recorded]) {
    for entry in log {
        for (page, change) in &entry.pages {
            tree.redo(entry.lsn, *page, change).unwrap();
        }
    }
}

/// The same page by page, as recovery does it.
fn redo_by_page<P: Pages>(tree: &BTree<P>, log: &[Recorded]) {
    let mut by_page = BTreeMap::<PageId, Vec<PageChange<'_>>>::new();
    for entry in log {
        for (page, change) in &entry.pages {
            by_page.entry(*page).or_default().push(PageChange {
                page: *page,
                lsn: entry.lsn,
                bytes: change,
            });
        }
    }
    for (page, changes) in by_page {
        tree.redo_all(page, &changes).unwrap();
    }
}

/// A tree over pages as they are given.
fn over(pages: &BTreeMap<PageId, Vec<u8>>) -> BTree<Pool<MemoryPageStore>> {
    let store = MemoryPageStore::new(4096, DATABASE);
    store
        .resize(pages.keys().next_back().map_or(0, |last| last.raw() + 1))
        .unwrap();
    for (id, bytes) in pages {
        let mut bytes = bytes.clone();
        store.write(&mut [(*id, &mut bytes)]).unwrap();
    }
    let pool = Pool::new(store, Arc::new(NoLog), 16, EvictionKind::Lru);
    BTree::open(Arc::new(pool), Arc::new(Recorder::default()))
}

/// The number of the last record that frees a page.
fn last_freed(log: &[Recorded]) -> BTreeMap<PageId, usize> {
    let mut freed = BTreeMap::new();
    for (number, entry) in log.iter().enumerate() {
        for (page, change) in &entry.pages {
            if basis(change).unwrap().0 == Basis::Freed {
                freed.insert(*page, number);
            }
        }
    }
    freed
}

/// A disk as a crash may leave it, when redo begins with record `from`: pages in use have everything before that,
/// and maybe more; a page that is freed later on may look like anything it ever did.
fn stale_disk(history: &History, from: usize, dice: &mut Dice) -> BTreeMap<PageId, Vec<u8>> {
    let freed = last_freed(&history.log);
    let mut disk = BTreeMap::new();
    for (page, versions) in &history.ages {
        let anything = freed.get(page).is_some_and(|at| *at >= from);
        let oldest = if anything {
            0
        } else {
            versions.iter().rposition(|(age, _)| *age <= from).unwrap_or(0)
        };
        let chosen = &versions[oldest + dice.roll(versions.len() - oldest)].1;
        if let Some(bytes) = chosen {
            disk.insert(*page, bytes.clone());
        }
    }
    disk
}

#[test]
fn redo_brings_pages_of_any_age_to_the_same_end() {
    for seed in 0..6 {
        let history = live(seed, 250);
        let mut dice = Dice(seed ^ 77);
        for round in 0..8 {
            let from = if round % 2 == 0 {
                0
            } else {
                history.acts[dice.roll(history.acts.len())]
            };
            let tree = over(&stale_disk(&history, from, &mut dice));
            if round < 4 {
                redo(&tree, &history.log[from..]);
            } else {
                let middle = from + dice.roll(history.log.len() - from);
                redo_by_page(&tree, &history.log[from..middle]);
                redo_by_page(&tree, &history.log[middle..]);
            }
            if round % 3 == 0 {
                redo(&tree, &history.log[from..]);
            }
            tree.redone().unwrap();
            assert_sound(&tree);
            assert_eq!(all_rows(&tree), history.rows, "seed {seed}, from {from}");
        }
    }
}

#[test]
fn a_lost_write_is_found_out_while_the_log_covers_it() {
    let found: usize = (0..6).map(|seed| lose_writes(&live(seed, 150))).sum();
    assert!(found > 10, "only {found} lost writes were tried");
}

/// Loses the last write of one page after the other; returns how many there were to lose.
fn lose_writes(history: &History) -> usize {
    let freed = last_freed(&history.log);
    let from = history.acts[history.acts.len() / 2];
    let mut found = 0;
    for (page, versions) in &history.ages {
        let in_use = freed.get(page).is_none_or(|at| *at < from);
        // A later change that says everything would heal the page, and rightly so.
        let later = history.log[from..].iter().flat_map(|entry| &entry.pages);
        let mut later = later
            .filter(|(id, _)| id == page)
            .map(|(_, change)| basis(change).unwrap().0)
            .peekable();
        let steps_on = later.peek().is_some() && later.all(|basis| matches!(basis, Basis::At(_)));
        let newest = versions.iter().rposition(|(age, _)| *age <= from);
        let (Some(newest), true, true) = (newest, in_use, steps_on) else {
            continue;
        };
        let lsn = |at: usize| versions[at].1.as_deref().map(header::lsn);
        let Some(stale) = (0..newest).rfind(|at| lsn(*at) != lsn(newest)) else {
            continue;
        };
        let mut disk = disk_at(history, from);
        disk.remove(page);
        disk.extend(versions[stale].1.clone().map(|bytes| (*page, bytes)));
        let tree = over(&disk);
        match found % 2 {
            0 => redo(&tree, &history.log[from..]),
            _ => redo_by_page(&tree, &history.log[from..]),
        }
        match tree.redone() {
            Err(Fault::Corrupt { page: named, .. }) => assert_eq!(named, Some(*page)),
            other => panic!("page {page} lost a write: {other:?}"),
        }
        found += 1;
    }
    found
}

/// The disk as it was after so many records.
fn disk_at(history: &History, records: usize) -> BTreeMap<PageId, Vec<u8>> {
    let newest = |versions: &Versions| {
        let found = versions.iter().rfind(|(age, _)| *age <= records);
        found.and_then(|(_, bytes)| bytes.clone())
    };
    let pages = history.ages.iter();
    pages
        .filter_map(|(id, versions)| Some((*id, newest(versions)?)))
        .collect()
}

/// After every record a crash: what was logged so far is a sound file, apart from what its transaction would still undo.
#[test]
fn every_prefix_of_the_log_is_a_sound_file() {
    let history = live(11, 120);
    let tree = BTree::open(memory(4096), Arc::new(Recorder::default()));
    for number in 0..history.log.len() {
        redo(&tree, &history.log[number..=number]);
        tree.redone().unwrap();
        let check = tree.check().unwrap();
        let wrong = check
            .findings
            .iter()
            .find(|finding| !finding.what.contains("nothing leads to it"));
        assert_eq!(wrong, None, "after record {number}");
    }
}

/// A crash while a tree is being destroyed: the rest is done when the next tree comes.
#[test]
fn destruction_goes_on_after_a_crash() {
    let journal = Arc::new(Recorder::default());
    let tree = new_tree(4096, journal.clone());
    let keep = tree.create(ME).unwrap();
    tree.put(ME, keep, b"a", Value::inline(b"b")).unwrap();
    let id = tree.create(ME).unwrap();
    for n in 0..6000 {
        tree.put(ME, id, &key(n * 7919 % 6000), Value::inline(&[1; 200]))
            .unwrap();
    }
    let chain = tree
        .write_chain(ME, id, &mut &vec![0; 700_000][..], 1 << 20)
        .unwrap();
    tree.put(
        ME,
        id,
        &key(5),
        Value {
            inline: b"",
            chain: Some(chain),
        },
    )
    .unwrap();
    let begin = journal.len();
    tree.destroy(id).unwrap();
    let end = journal.len();
    assert!(end - begin > 10, "it takes several records");
    let allocated = assert_sound(&tree).allocated_pages;
    let log = journal.entries();
    for cut in begin..=end {
        let again = BTree::open(memory(4096), Arc::new(Recorder::default()));
        redo(&again, &log[..cut]);
        again.redone().unwrap();
        assert_eq!(again.trees().unwrap().len(), if cut == begin { 2 } else { 1 });
        assert_sound(&again);
        if cut > begin {
            again.finish_destroyed().unwrap();
            assert_eq!(assert_sound(&again).allocated_pages, allocated, "cut at {cut}");
        }
    }
}

/// Undo begins while other transactions' changes are there, and is itself redone.
#[test]
fn undone_work_stays_undone_after_a_crash() {
    let journal = Arc::new(Recorder::default());
    let tree = new_tree(4096, journal.clone());
    let id = tree.create(ME).unwrap();
    for n in 0..500 {
        tree.put(ME, id, &key(n), Value::inline(&[1; 100])).unwrap();
    }
    let before = rows(&tree, id, Range::ALL);
    let mark = journal.len();
    let loser = TxnId::from_raw(2);
    for n in 0..500 {
        tree.put(loser, id, &key(n), Value::inline(&[2; 400])).unwrap();
        tree.put(loser, id, &key(n + 1000), Value::inline(&[2; 400]))
            .unwrap();
    }
    tree.write_chain(loser, id, &mut &[0_u8; 90_000][..], 1 << 20)
        .unwrap();
    for back in journal.backs(loser, mark) {
        tree.undo(loser, &back, UndoNext::default(), Lsn::default())
            .unwrap();
    }
    assert_eq!(rows(&tree, id, Range::ALL), before);
    assert_sound(&tree);
    let again = BTree::open(memory(4096), Arc::new(Recorder::default()));
    redo(&again, &journal.entries());
    again.redone().unwrap();
    assert_eq!(rows(&again, id, Range::ALL), before);
    assert_sound(&again);
}

/// The rows of a run are taken back one by one. Wherever that is interrupted, it goes on behind the last one that is done, for its key may be somebody else's by then.
#[test]
fn a_run_is_taken_back_row_by_row_and_none_twice() {
    let (loser, other) = (TxnId::from_raw(2), TxnId::from_raw(3));
    let (mine, theirs) = (Value::inline(&[2; 90]), Value::inline(&[3; 90]));
    let journal = Arc::new(Recorder::default());
    let tree = new_tree(4096, journal.clone());
    let id = tree.create(ME).unwrap();
    let keys: Vec<_> = (0..8).map(key).collect();
    let run: Vec<_> = keys.iter().map(|key| Row { key, value: mine }).collect();
    tree.add(loser, id, &run, &mut |_| panic!("all keys are new"))
        .unwrap();
    let record = journal.entries().pop().unwrap();
    let (change, whole) = (record.back.unwrap(), UndoNext::at(record.lsn));
    tree.undo(loser, &change, whole, Lsn::default()).unwrap();
    let log = journal.entries();
    let taken_back = &log[log.len() - keys.len()..];
    for (compensation, done) in taken_back.iter().zip(1..) {
        let next = compensation.next.unwrap();
        let again = BTree::open(memory(4096), Arc::new(Recorder::default()));
        redo(&again, &log[..usize::try_from(compensation.lsn.raw()).unwrap()]);
        again.redone().unwrap();
        if usize::from(done) == keys.len() {
            assert_eq!(next, UndoNext::at(Lsn::default()), "the record is done");
            continue;
        }
        assert_eq!(next, UndoNext { done, ..whole });
        again.put(other, id, &keys[0], theirs).unwrap();
        again.undo(loser, &change, next, Lsn::default()).unwrap();
        assert_eq!(
            rows(&again, id, Range::ALL),
            [(keys[0].clone(), theirs.inline.to_vec())]
        );
        assert_sound(&again);
    }
    let too_far = UndoNext { done: 8, ..whole };
    assert!(tree.undo(loser, &change, too_far, Lsn::default()).is_err());
}

#[test]
fn stamped_pages_carry_the_position_of_their_last_change() {
    let journal = Arc::new(Recorder::default());
    let tree = new_tree(4096, journal.clone());
    let id = tree.create(ME).unwrap();
    tree.put(ME, id, b"k", Value::inline(b"v")).unwrap();
    let root = tree.spot(id).unwrap().root;
    let last = journal.entries().last().unwrap().lsn;
    assert_eq!(header::lsn(&tree.pages.read(root).unwrap()), last);
    let mut page = tree.pages.write(root).unwrap();
    assert_eq!(
        header::lsn(page.stamp(last, Lsn::from_raw(99))),
        Lsn::from_raw(99)
    );
}
