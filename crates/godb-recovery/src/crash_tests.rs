//! Random transactions, a crash behind every record, recovery, crashes during recovery; always against a plain map.
//!
//! The log is the list of records in memory and a crash is a cut of it, so every state that a crash could leave is visited. The tree
//! is rebuilt from the log alone.

use crate::testing::{Rows, conforms, rows};
use crate::{Recoverable, Recovered, RecoveryOptions, Report, Resume, recover};
use godb_wal::{
    Fault, Lsn, MemoryLog, MemoryTree, MemoryWal, Record, Tree, TreeId, TxnId, UndoNext, UndoRecord, Value,
    Wal,
};
use proptest::prelude::*;
use std::sync::Arc;

type Database = Recovered<MemoryWal<MemoryTree>>;

fn start(log: Arc<MemoryLog>) -> (Database, Report) {
    let tree = MemoryTree::new(log.clone());
    recover(MemoryWal::new(log, tree), options()).unwrap()
}

fn options() -> RecoveryOptions<'static> {
    RecoveryOptions {
        clock: None,
        resume: Resume::default(),
        checkpoint_every: 1000,
        batch: 500,
        helpers: 0,
        observe: Box::leak(Box::new(|_| {})),
    }
}

#[test]
fn recovered_conforms() {
    conforms(|| start(MemoryLog::new()).0);
    conforms(|| Arc::new(start(MemoryLog::new()).0));
}

#[test]
fn a_step_takes_a_checkpoint_when_enough_was_logged() {
    let log = MemoryLog::new();
    let (db, _) = start(log.clone());
    let db = Arc::new(db);
    let note = || b"note".to_vec();
    let by = db.begin();
    let tree = db.tree().create(by).unwrap();
    assert!(!db.step(&note).unwrap(), "there is little to read again");
    for key in 0..1000_u32 {
        db.tree()
            .put(by, tree, &key.to_be_bytes(), Value::inline(b"row"))
            .unwrap();
    }
    assert!(Recoverable::log_since_checkpoint(&db) >= 1000);
    assert!(db.step(&note).unwrap());
    assert!(Recoverable::log_since_checkpoint(&db) < 10);
    assert_eq!(start(log.cut(log.end())).1.note, b"note");
}

#[test]
fn a_long_note_comes_back_from_its_parts() {
    let log = MemoryLog::new();
    let long: Vec<u8> = (0..700_000_u32).map(|n| n.to_le_bytes()[0]).collect();
    start(log.clone()).0.checkpoint(&|| long.clone()).unwrap();
    assert!(start(log.cut(log.end())).1.note == long);
}

/// What the script's transactions do. Each slot has at most one transaction at a time, and keys of its own.
#[derive(Clone, Copy, Debug)]
enum Step {
    Put { slot: usize, key: u8, value: u8 },
    Remove { slot: usize, key: u8 },
    Mark { slot: usize },
    BackToMark { slot: usize },
    Commit { slot: usize },
    RollBack { slot: usize },
    Checkpoint,
}

const SLOTS: usize = 3;

fn step() -> impl Strategy<Value = Step> {
    let slot = 0..SLOTS;
    prop_oneof![
        6 => (slot.clone(), 0..5_u8, any::<u8>()).prop_map(|(slot, key, value)| Step::Put { slot, key, value }),
        2 => (slot.clone(), 0..5_u8).prop_map(|(slot, key)| Step::Remove { slot, key }),
        1 => slot.clone().prop_map(|slot| Step::Mark { slot }),
        1 => slot.clone().prop_map(|slot| Step::BackToMark { slot }),
        2 => slot.clone().prop_map(|slot| Step::Commit { slot }),
        1 => slot.prop_map(|slot| Step::RollBack { slot }),
        1 => Just(Step::Checkpoint),
    ]
}

/// A transaction of the script.
struct Open {
    id: TxnId,
    /// The rows of its slot as it sees them.
    rows: Rows,
    mark: Option<(Lsn, Rows)>,
}

/// Runs a script and keeps what should be there after each commit.
struct Script {
    db: Database,
    tree: TreeId,
    open: [Option<Open>; SLOTS],
    committed: Rows,
    /// After which position which rows are committed, and by whom.
    history: Vec<(Lsn, TxnId, Rows)>,
}

impl Script {
    fn run(steps: &[Step]) -> Self {
        let (db, _) = start(MemoryLog::new());
        let by = db.begin();
        let tree = db.tree().create(by).unwrap();
        let at = db.commit(by, b"tree").unwrap();
        let mut script = Self {
            db,
            tree,
            open: [const { None }; SLOTS],
            committed: Rows::new(),
            history: vec![(at, by, Rows::new())],
        };
        for step in steps {
            script.step(*step);
        }
        script
    }

    fn step(&mut self, step: Step) {
        match step {
            Step::Put { slot, key, value } => {
                let key = vec![b'0' + u8::try_from(slot).unwrap(), key];
                let open = self.open(slot);
                let id = open.id;
                open.rows.insert(key.clone(), vec![value; 3]);
                let value = [value; 3];
                self.db
                    .tree()
                    .put(id, self.tree, &key, Value::inline(&value))
                    .unwrap();
            }
            Step::Remove { slot, key } => {
                let key = vec![b'0' + u8::try_from(slot).unwrap(), key];
                let open = self.open(slot);
                let (id, there) = (open.id, open.rows.remove(&key).is_some());
                assert_eq!(self.db.tree().remove(id, self.tree, &key).unwrap(), there);
            }
            Step::Mark { slot } => {
                let id = self.open(slot).id;
                let mark = self.db.mark(id);
                let open = self.open(slot);
                open.mark = Some((mark, open.rows.clone()));
            }
            Step::BackToMark { slot } => self.back_to_mark(slot),
            Step::Commit { slot } => self.commit(slot),
            Step::RollBack { slot } => {
                if let Some(open) = self.open[slot].take() {
                    self.db.roll_back(open.id, Lsn::default()).unwrap();
                }
            }
            Step::Checkpoint => self.checkpoint(),
        }
    }

    fn open(&mut self, slot: usize) -> &mut Open {
        let Self {
            db, committed, open, ..
        } = self;
        let prefix = b'0' + u8::try_from(slot).unwrap();
        open[slot].get_or_insert_with(|| Open {
            id: db.begin(),
            rows: committed
                .iter()
                .filter(|(k, _)| k[0] == prefix)
                .map(|(k, v)| (k.clone(), v.clone()))
                .collect(),
            mark: None,
        })
    }

    fn back_to_mark(&mut self, slot: usize) {
        let open = self.open(slot);
        if let Some((mark, rows)) = open.mark.clone() {
            open.rows = rows;
            let id = open.id;
            self.db.roll_back(id, mark).unwrap();
        }
    }

    fn commit(&mut self, slot: usize) {
        let Some(open) = self.open[slot].take() else {
            return;
        };
        let prefix = b'0' + u8::try_from(slot).unwrap();
        self.committed.retain(|key, _| key[0] != prefix);
        self.committed.extend(open.rows);
        let at = self.db.commit(open.id, &open.id.raw().to_le_bytes()).unwrap();
        self.history.push((at, open.id, self.committed.clone()));
    }

    /// The note is what a version layer would remember: every commit so far.
    fn checkpoint(&mut self) {
        let note = self
            .history
            .iter()
            .flat_map(|(_, by, _)| by.raw().to_le_bytes())
            .collect::<Vec<_>>();
        self.db.checkpoint(&|| note.clone()).unwrap();
    }

    /// The rows that must be there when the log ends at `end`, and everyone who has committed.
    fn expected(&self, end: Lsn) -> (Rows, Vec<u64>) {
        let before: Vec<_> = self.history.iter().filter(|(at, _, _)| *at < end).collect();
        let rows = before.last().map_or(Rows::new(), |(_, _, rows)| rows.clone());
        (rows, before.iter().map(|(_, by, _)| by.raw()).collect())
    }

    fn check(&self, end: Lsn, db: &Database, report: &Report) {
        let (expected, mut committers) = self.expected(end);
        if committers.is_empty() {
            assert!(
                db.tree().trees().unwrap().is_empty(),
                "the tree's own transaction is lost"
            );
            return;
        }
        assert_eq!(rows(db.tree(), self.tree), expected, "log cut at {end}");
        let words = report
            .note
            .chunks_exact(8)
            .map(|word| u64::from_le_bytes(word.try_into().unwrap()));
        let mut known: Vec<u64> = words.chain(report.committed.iter().map(|c| c.by.raw())).collect();
        assert!(report.committed.is_sorted_by(|a, b| a.at < b.at));
        known.sort_unstable();
        known.dedup();
        committers.sort_unstable();
        assert_eq!(known, committers, "note and commits together name every commit");
        assert!(
            committers.iter().all(|by| *by < db.begin().raw()),
            "no id is used twice"
        );
        assert!(db.wal().active().is_empty());
    }
}

fn crash_everywhere(steps: &[Step]) {
    let script = Script::run(steps);
    let log = script.db.wal().log().clone();
    for raw in 1..=log.end().raw() {
        let end = Lsn::from_raw(raw);
        let (db, report) = start(log.cut(end));
        script.check(end, &db, &report);
        // Recovery itself has logged: cut that, too, and what the recovery of that logs.
        let recovered = db.wal().log().clone();
        for nested in raw..=recovered.end().raw() {
            let (again, report) = start(recovered.cut(Lsn::from_raw(nested)));
            script.check(end, &again, &report);
        }
        let (_, report) = start(recovered);
        assert_eq!(report.losers, 0, "recovering again changes nothing");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]

    #[test]
    fn whatever_is_committed_survives_a_crash_anywhere(steps in proptest::collection::vec(step(), 1..40)) {
        crash_everywhere(&steps);
    }
}

#[test]
fn compensations_are_never_undone() {
    let put = |key, value| Step::Put { slot: 0, key, value };
    crash_everywhere(&[
        put(0, 1),
        Step::Commit { slot: 0 },
        put(0, 2),
        Step::Mark { slot: 0 },
        put(0, 3),
        put(1, 4),
        Step::BackToMark { slot: 0 },
        Step::Checkpoint,
        put(0, 5),
        Step::BackToMark { slot: 0 },
        put(2, 6),
    ]);
}

#[test]
fn a_rollback_cut_short_goes_on_after_the_crash_without_repeating_a_step() {
    let (db, _) = start(MemoryLog::new());
    let by = db.begin();
    let tree = db.tree().create(by).unwrap();
    db.commit(by, b"").unwrap();
    let by = db.begin();
    for key in 0..50_u8 {
        db.tree().put(by, tree, &[key], Value::inline(b"x")).unwrap();
    }
    let before = db.wal().end();
    db.roll_back(by, Lsn::default()).unwrap();
    let whole = db.wal().end().raw() - before.raw();
    assert_eq!(whole, 51, "fifty compensations and the end");
    for done in 0..50 {
        let cut = db.wal().log().cut(Lsn::from_raw(before.raw() + done));
        let (recovered, report) = start(cut);
        assert_eq!(report.losers, 1);
        assert_eq!(
            recovered.wal().end().raw(),
            before.raw() + whole,
            "each change is compensated once"
        );
        assert!(rows(recovered.tree(), tree).is_empty());
    }
}

/// What a compensation says of the rows that are done reaches the tree, in a rollback and after a crash.
#[test]
fn undo_goes_on_behind_the_rows_that_are_done() {
    let log = MemoryLog::new();
    let (db, _) = start(log.clone());
    let by = db.begin();
    let tree = db.tree().create(by).unwrap();
    db.tree().put(by, tree, b"key", Value::inline(b"value")).unwrap();
    let (pages, previous) = (Vec::new(), Lsn::default());
    let next = db.wal().last_of(by);
    let undo = UndoRecord::Compensates(UndoNext { next, done: 1 });
    let record = Record::Change {
        by: Some(by),
        previous,
        pages,
        undo,
    };
    db.wal().append(record).unwrap();
    let refused = |fault: Fault| assert!(fault.to_string().contains("taken back"), "{fault}");
    refused(db.roll_back(by, Lsn::default()).unwrap_err());
    let cut = log.cut(log.end());
    let again = recover(MemoryWal::new(cut.clone(), MemoryTree::new(cut)), options());
    refused(again.err().expect("there is no second row"));
}

#[test]
fn a_clean_close_takes_back_stragglers_and_tells_where_to_go_on() {
    let (db, _) = start(MemoryLog::new());
    let by = db.begin();
    let tree = db.tree().create(by).unwrap();
    db.commit(by, b"").unwrap();
    let straggler = db.begin();
    db.tree().put(straggler, tree, b"k", Value::inline(b"v")).unwrap();
    let resume = db.close(b"versions".to_vec()).unwrap();
    assert!(rows(db.tree(), tree).is_empty());
    assert_eq!(
        (resume.end, resume.note.as_slice()),
        (db.wal().end(), &b"versions"[..])
    );
    let log = MemoryLog::new();
    let tree = MemoryTree::new(log.clone());
    let options = RecoveryOptions {
        clock: None,
        resume: resume.clone(),
        checkpoint_every: 1000,
        batch: 500,
        helpers: 0,
        observe: &mut |_| {},
    };
    let (next, report) = recover(MemoryWal::new(log.clone(), tree), options).unwrap();
    assert_eq!(report.note, b"versions");
    assert_eq!(next.begin(), resume.next);
    let (later, report) = start(log.cut(log.end()));
    assert_eq!(
        report.note, b"versions",
        "the new log's first checkpoint carries it on"
    );
    assert_eq!(later.begin(), resume.next);
}

#[test]
fn what_happens_while_a_checkpoint_gathers_is_not_forgotten() {
    let (db, _) = start(MemoryLog::new());
    let by = db.begin();
    let tree = db.tree().create(by).unwrap();
    db.commit(by, b"").unwrap();
    let put = |by, key: &[u8]| db.tree().put(by, tree, key, Value::inline(b"v")).unwrap();
    let (first, second, third) = (db.begin(), db.begin(), db.begin());
    put(first, b"a");
    put(second, b"b");
    let at = std::cell::Cell::new(Lsn::default());
    db.checkpoint(&|| {
        at.set(db.commit(first, b"first").unwrap());
        put(third, b"c");
        db.roll_back(second, Lsn::default()).unwrap();
        b"before".to_vec()
    })
    .unwrap();
    let (recovered, report) = start(db.wal().log().cut(db.wal().end()));
    assert_eq!(report.note, b"before");
    let commits: Vec<_> = report
        .committed
        .iter()
        .map(|c| (c.by, c.at, c.note.as_slice()))
        .collect();
    assert_eq!(commits, [(first, at.get(), &b"first"[..])]);
    assert_eq!(report.losers, 1, "the third was active");
    assert_eq!(rows(recovered.tree(), tree).keys().collect::<Vec<_>>(), [b"a"]);
}
