//! Recovery from a log in files: the process ends again and again, in the middle of transactions, with part of the log still in memory.

use crate::testing::{Rows, conforms, rows};
use crate::{CHECKPOINT_EVERY, Phase, Recoverable, Recovered, RecoveryOptions, Report, Resume, recover};
use godb_wal::{
    Clock, DatabaseId, Environment, Fault, FileSystem, Log, LogOptions, LoggedTree, Lsn, MemoryFileSystem,
    MemoryTree, SyncMode, Tree, Value, Wal, remove_log,
};
use std::sync::Arc;

const DIR: &str = "db-wal";

type Database = Recovered<LoggedTree<MemoryTree>>;

fn options(mode: SyncMode) -> LogOptions {
    LogOptions {
        block_size: 512,
        segment_size: 8192,
        initial_size: 8192,
        buffer: 16 << 10,
        mode,
        ..LogOptions::new(DatabaseId::from_bytes([1; 16]), 1)
    }
}

fn over(log: Arc<Log>, resume: Resume, clock: Option<Arc<dyn Clock>>) -> Result<(Database, Report), Fault> {
    let tree = MemoryTree::new(log.clone());
    let options = RecoveryOptions {
        clock,
        resume,
        checkpoint_every: CHECKPOINT_EVERY,
        batch: 2000,
        helpers: 2,
        observe: &mut |_| {},
    };
    recover(LoggedTree::new(log, tree), options)
}

fn create(fs: &Arc<dyn FileSystem>, mode: SyncMode) -> Database {
    let log = Log::create(fs, DIR, &options(mode), &Environment::simulated(1)).unwrap();
    over(log, Resume::default(), None).unwrap().0
}

fn reopen(fs: &Arc<dyn FileSystem>) -> (Database, Report) {
    let log = Log::open(fs, DIR, &options(SyncMode::Full), &Environment::simulated(1)).unwrap();
    over(log, Resume::default(), None).unwrap()
}

fn memory() -> Arc<dyn FileSystem> {
    Arc::new(MemoryFileSystem::default())
}

#[test]
fn recovered_over_files_conforms() {
    for mode in [SyncMode::Full, SyncMode::Off] {
        conforms(|| create(&memory(), mode));
    }
}

#[test]
fn acknowledged_transactions_survive_one_end_of_the_process_after_another() {
    let fs = memory();
    let db = create(&fs, SyncMode::Full);
    let by = db.begin();
    let tree = db.tree().create(by).unwrap();
    db.acknowledge(db.commit(by, b"").unwrap()).unwrap();
    let mut expected = Rows::new();
    let mut db = db;
    for round in 0..20_u8 {
        let (kept, lost) = (db.begin(), db.begin());
        for number in 0..10 {
            let key = [round, number];
            db.tree()
                .put(kept, tree, &key, Value::inline(&[round; 40]))
                .unwrap();
            db.tree()
                .put(lost, tree, &[255, number], Value::inline(b"never"))
                .unwrap();
            expected.insert(key.to_vec(), vec![round; 40]);
        }
        let at = db.commit(kept, &[round]).unwrap();
        db.acknowledge(at).unwrap();
        db.tree()
            .put(lost, tree, b"later", Value::inline(b"never"))
            .unwrap();
        if round % 3 == 0 {
            db.wal().wait_durable(db.wal().end()).unwrap();
        }
        drop(db);
        let report;
        (db, report) = reopen(&fs);
        assert_eq!(rows(db.tree(), tree), expected, "round {round}");
        assert_eq!(report.losers, 1);
        assert!(
            report
                .committed
                .iter()
                .any(|commit| commit.at == at && commit.note == [round])
        );
        if round % 5 == 4 {
            db.checkpoint(&|| vec![round]).unwrap();
        }
    }
}

#[test]
fn a_clean_close_removes_the_log_and_the_next_one_goes_on_behind_it() {
    let fs = memory();
    let db = create(&fs, SyncMode::Normal);
    let by = db.begin();
    db.tree().create(by).unwrap();
    let at = db.commit(by, b"").unwrap();
    db.acknowledge(at).unwrap();
    let resume = db.close(b"note".to_vec()).unwrap();
    db.wal().log().close().unwrap();
    drop(db);
    remove_log(&*fs, DIR, DatabaseId::from_bytes([1; 16]), &[]).unwrap();
    assert!(!fs.exists(DIR).unwrap());
    let next = LogOptions {
        start: resume.end,
        epoch: 2,
        ..options(SyncMode::Full)
    };
    let log = Log::create(&fs, DIR, &next, &Environment::simulated(1)).unwrap();
    let (db, report) = over(log, resume.clone(), None).unwrap();
    assert_eq!(report.note, b"note");
    let by = db.begin();
    assert_eq!(by, resume.next);
    assert!(db.commit(by, b"").unwrap() > at, "positions go on");
}

#[test]
fn progress_and_time_are_reported() {
    let fs = memory();
    let db = create(&fs, SyncMode::Off);
    let by = db.begin();
    let tree = db.tree().create(by).unwrap();
    for number in 0..5000_u32 {
        db.tree()
            .put(by, tree, &number.to_be_bytes(), Value::inline(b"x"))
            .unwrap();
    }
    db.wal().wait_durable(db.wal().end()).unwrap();
    drop(db);
    let log = Log::open(&fs, DIR, &options(SyncMode::Full), &Environment::simulated(1)).unwrap();
    let tree = MemoryTree::new(log.clone());
    let mut seen = Vec::new();
    let options = RecoveryOptions {
        clock: Some(Environment::system().clock),
        resume: Resume::default(),
        checkpoint_every: CHECKPOINT_EVERY,
        batch: 2000,
        helpers: 2,
        observe: &mut |progress| seen.push(progress),
    };
    let (_, report) = recover(LoggedTree::new(log, tree), options).unwrap();
    assert_eq!((report.losers, report.undone, report.pages), (1, 5001, 5001));
    assert!(report.records >= 5001 && report.bytes > 5001 * 40);
    assert!(!report.redo_time.is_zero() && !report.undo_time.is_zero());
    let redo: Vec<_> = seen.iter().filter(|p| p.phase == Phase::Redo).collect();
    assert!(redo.len() == 5 && redo.is_sorted_by_key(|p| p.done));
    assert!(redo.iter().all(|p| p.done <= p.total));
    // Records are alike, so each thousand of them is about a fifth of the way.
    let steps = redo.iter().zip(1_u64..);
    assert!(steps.clone().all(|(p, fifths)| p.done * 5 <= p.total * fifths));
    assert!(
        steps
            .clone()
            .all(|(p, fifths)| p.done * 5 > p.total * (fifths - 1))
    );
    assert_eq!(seen.iter().filter(|p| p.phase == Phase::Undo).count(), 5);
}

#[test]
fn unless_configured_a_checkpoint_is_due_after_64_mebibytes() {
    assert_eq!(CHECKPOINT_EVERY, 67_108_864);
}

#[test]
fn a_checkpoint_is_due_when_enough_was_logged() {
    let log = Log::create(
        &memory(),
        DIR,
        &options(SyncMode::Off),
        &Environment::simulated(1),
    )
    .unwrap();
    let tree = MemoryTree::new(log.clone());
    let every = RecoveryOptions {
        clock: None,
        resume: Resume::default(),
        checkpoint_every: 20_000,
        batch: 2000,
        helpers: 2,
        observe: &mut |_| {},
    };
    let (db, _) = recover(LoggedTree::new(log, tree), every).unwrap();
    let by = db.begin();
    let tree = db.tree().create(by).unwrap();
    let mut taken = 0;
    for number in 0..2000_u32 {
        db.tree()
            .put(by, tree, &number.to_be_bytes(), Value::inline(b"0123456789"))
            .unwrap();
        taken += u32::from(db.step(&Vec::new).unwrap());
    }
    assert!(taken >= 5 && db.log_since_checkpoint() < 21_000, "{taken} taken");
    assert_eq!(db.mark(by), db.wal().last_of(by));
    db.roll_back(by, Lsn::default()).unwrap();
}
