//! The log in files, on a file system in memory.

use super::*;
use crate::record::{Record, UndoRecord};
use godb_btree::{Change, Journal, LogBarrier, MemoryFileSystem, PageId, TxnId, Undo, size_of_change};

const DIR: &str = "db-wal";

pub(super) fn options() -> LogOptions {
    LogOptions {
        block_size: 512,
        segment_size: 16 << 10,
        initial_size: 4 << 10,
        buffer: 64 << 10,
        ..LogOptions::new(DatabaseId::from_bytes([3; 16]), 1)
    }
}

pub(super) fn memory() -> Arc<dyn FileSystem> {
    Arc::new(MemoryFileSystem::default())
}

pub(super) fn create(fs: &Arc<dyn FileSystem>, options: &LogOptions) -> Arc<Log> {
    Log::create(fs, DIR, options, &Environment::simulated(1)).unwrap()
}

pub(super) fn open(fs: &Arc<dyn FileSystem>, options: &LogOptions) -> Result<Arc<Log>, Fault> {
    Log::open(fs, DIR, options, &Environment::simulated(1))
}

/// Logs a change of one page by `by`, as the tree would.
pub(super) fn change(log: &Log, by: u64, bytes: &[u8]) -> Lsn {
    let page = [(PageId::from_raw(9), bytes)];
    let change = Change {
        by: Some(TxnId::from_raw(by)),
        pages: &page,
        undo: Undo::Logical(b"back"),
    };
    let mut room = log.reserve(size_of_change(&change)).unwrap();
    room.append(&change)
}

pub(super) fn commit(log: &Log, by: u64) -> Lsn {
    let record = Record::Commit {
        by: TxnId::from_raw(by),
        previous: Lsn::default(),
        note: vec![1, 2],
    };
    log.append_record(&record).unwrap()
}

fn everything(log: &Log) -> Vec<(Lsn, Record)> {
    log.records(Lsn::default()).map(Result::unwrap).collect()
}

#[test]
fn what_is_logged_is_read_and_chained() {
    let fs = memory();
    let log = create(&fs, &options());
    let first = change(&log, 1, b"one");
    let second = change(&log, 1, &[7; 3000]);
    let end = commit(&log, 1);
    log.acknowledge(end).unwrap();
    let all = everything(&log);
    assert_eq!(
        all.iter().map(|(lsn, _)| *lsn).collect::<Vec<_>>(),
        vec![first, second, end]
    );
    let Record::Change { previous, undo, .. } = &all[1].1 else {
        panic!("a change")
    };
    assert_eq!(
        (*previous, undo.clone()),
        (first, UndoRecord::Logical(b"back".to_vec()))
    );
    assert!(log.active().is_empty());
    for (lsn, record) in &all {
        assert_eq!(log.records(*lsn).next().unwrap().unwrap(), (*lsn, record.clone()));
    }
}

#[test]
fn what_was_acknowledged_is_there_after_reopening_and_the_epoch_rises() {
    let fs = memory();
    let log = create(&fs, &options());
    let mut expected = Vec::new();
    for by in 1..200 {
        change(&log, by, &vec![7; usize::try_from(by * 13 % 1500).unwrap()]);
        let lsn = commit(&log, by);
        if by % 3 == 0 {
            log.acknowledge(lsn).unwrap();
            expected = everything(&log);
        }
    }
    drop(log);
    for epoch in 2..5 {
        let log = open(&fs, &options()).unwrap();
        assert_eq!(log.epoch(), epoch);
        assert_eq!(everything(&log), expected);
        let lsn = commit(&log, 1000 + epoch);
        log.wait_durable(lsn).unwrap();
        expected = everything(&log);
    }
}

#[test]
fn a_checkpoint_gives_the_log_before_it_back() {
    let fs = memory();
    let log = create(&fs, &options());
    for by in 1..2000 {
        change(&log, by, &[7; 100]);
        let lsn = commit(&log, by);
        if by % 100 == 0 {
            let checkpoint = log.append_record(&Record::Checkpoint(vec![1])).unwrap();
            log.wait_synced(checkpoint).unwrap();
            log.checkpointed(checkpoint, lsn).unwrap();
            assert_eq!(everything(&log).first().unwrap().0, lsn);
            assert!(fs.list(DIR).unwrap().len() <= 6, "{:?}", fs.list(DIR));
        }
    }
    drop(log);
    let log = open(&fs, &options()).unwrap();
    assert!(log.last_checkpoint() > Lsn::default());
    assert!(
        everything(&log)
            .iter()
            .any(|(lsn, _)| *lsn == log.last_checkpoint())
    );
}

#[test]
fn floors_hold_while_a_reservation_lives() {
    let fs = memory();
    let log = create(&fs, &options());
    let before = log.end();
    assert_eq!(log.floor(), before);
    let room = log.reserve(100).unwrap();
    change(&log, 1, b"x");
    assert_eq!((log.floor(), room.floor()), (before, before));
    drop(room);
    assert_eq!(log.floor(), log.end());
}

#[test]
fn a_log_that_does_not_belong_is_refused_and_left_alone() {
    let fs = memory();
    let missing = open(&fs, &options());
    assert!(matches!(missing, Err(Fault::Unusable { .. })));
    let log = create(&fs, &options());
    log.close().unwrap();
    assert!(matches!(
        Log::create(&fs, DIR, &options(), &Environment::simulated(1)),
        Err(Fault::Unusable { .. })
    ));
    drop(log);
    let foreign = LogOptions {
        database_id: DatabaseId::from_bytes([4; 16]),
        ..options()
    };
    assert!(matches!(open(&fs, &foreign), Err(Fault::Unusable { .. })));
    let gone = remove_log(&*fs, DIR, foreign.database_id, &[]);
    assert!(matches!(gone, Err(Fault::Unusable { .. })));
    let newer = LogOptions {
        epoch: 9,
        ..options()
    };
    assert!(matches!(open(&fs, &newer), Err(Fault::Unusable { .. })));
    assert!(open(&fs, &options()).is_ok());
    remove_log(&*fs, DIR, options().database_id, &[]).unwrap();
    assert!(!fs.exists(DIR).unwrap());
    remove_log(&*fs, DIR, options().database_id, &[]).unwrap();
}

#[test]
fn the_background_leaves_a_little_and_writes_much() {
    let log = create(&memory(), &options());
    let unsealed = || log.ledger.tail.lock().buffer.unsealed();
    change(&log, 1, &[1; 100]);
    while log.step().unwrap() {}
    assert!(unsealed() > 100, "a commit will take it along");
    for _ in 0..20 {
        change(&log, 1, &[1; 1000]);
    }
    assert!(log.step().unwrap());
    assert_eq!(unsealed(), 0);
}

#[test]
fn the_background_syncs_before_a_large_commit_does() {
    let log = create(&memory(), &options());
    let before = log.syncs.reached();
    for _ in 0..2500 {
        change(&log, 1, &[1; 4000]);
    }
    while log.step().unwrap() {}
    assert!(log.syncs.reached() > before + (8 << 20));
}

#[test]
fn much_to_write_rings_the_bell() {
    let log = create(&memory(), &options());
    for _ in 0..20 {
        change(&log, 1, &[1; 1000]);
    }
    log.rest(Duration::from_secs(600));
    log.wake();
    log.rest(Duration::from_secs(600));
}
