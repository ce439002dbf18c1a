//! The log in files, on a file system in memory.

use super::*;
use crate::record::{Record, UndoRecord};
use godb_btree::{
    Change, Journal, LogBarrier, MemoryFileSystem, OpenMode, PageId, TxnId, Undo, size_of_change,
};

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

#[test]
fn in_normal_mode_the_background_syncs_only_when_it_is_due() {
    let mut options = options();
    options.mode = SyncMode::Normal;
    options.sync_every = Duration::from_secs(3600);
    let log = create(&memory(), &options);
    let before = log.syncs.reached();
    for _ in 0..20 {
        change(&log, 1, &[1; 1000]);
    }
    while log.step().unwrap() {}
    assert_eq!(log.syncs.reached(), before, "an hour has not passed");
    options.sync_every = Duration::ZERO;
    let log = create(&memory(), &options);
    change(&log, 1, &[1; 1000]);
    log.step().unwrap();
    let synced = log.syncs.reached();
    assert!(synced > before);
    log.step().unwrap();
    assert_eq!(log.syncs.reached(), synced, "there is nothing new");
}

#[test]
fn files_reach_half_a_segment_ahead() {
    let log = create(&memory(), &options());
    let size = log.segments.size();
    for _ in 0..60 {
        change(&log, 1, &[1; 1000]);
        while log.step().unwrap() {}
        let tail = log.ledger.tail.lock();
        let needs = tail.space.needs(tail.buffer.block_end(), 0);
        let allocated = log.segments.allocated();
        assert!(allocated >= needs, "{allocated} of {needs}");
        assert!(
            allocated < needs + 3 * size,
            "no more than it takes: {allocated} of {needs}"
        );
    }
}

#[test]
fn sizes_that_do_not_go_together_are_refused() {
    let refused = |block_size, segment_size| {
        let options = LogOptions {
            block_size,
            segment_size,
            ..options()
        };
        Log::create(&memory(), DIR, &options, &Environment::simulated(1)).is_err()
    };
    assert!(!refused(512, 2048));
    assert!(refused(512, 1536), "too few blocks");
    assert!(refused(512, 2049) && refused(500, 2000) && refused(256, 2048));
    assert!(!refused(65536, 262_144) && refused(131_072, 524_288));
}

#[test]
fn a_directory_with_a_log_is_not_made_anew_and_one_with_half_a_log_is() {
    let fs = memory();
    drop(create(&fs, &options()));
    assert!(Log::create(&fs, DIR, &options(), &Environment::simulated(1)).is_err());
    let control = fs.open(&format!("{DIR}/control"), OpenMode::Existing).unwrap();
    control.set_len(0).unwrap();
    let other = fs
        .open(&format!("{DIR}/something else"), OpenMode::Create)
        .unwrap();
    other.write_at(0, b"mine").unwrap();
    let log = create(&fs, &options());
    change(&log, 1, b"one");
    log.close().unwrap();
    assert!(
        fs.exists(&format!("{DIR}/something else")).unwrap(),
        "it is no part of a log"
    );
    assert_eq!(everything(&open(&fs, &options()).unwrap()).len(), 1);
}

#[test]
fn closing_makes_everything_durable() {
    let mut options = options();
    options.mode = SyncMode::Off;
    let log = create(&memory(), &options);
    change(&log, 1, b"one");
    assert!(log.syncs.reached() < log.end().raw());
    log.close().unwrap();
    assert!(log.syncs.reached() >= log.end().raw() - HEADER as u64);
}

#[test]
fn only_the_log_s_own_files_are_removed() {
    let fs = memory();
    drop(create(&fs, &options()));
    fs.open(&format!("{DIR}/something else"), OpenMode::Create)
        .unwrap();
    fs.open(&format!("{DIR}/also"), OpenMode::Create).unwrap();
    let mine = DatabaseId::from_bytes([3; 16]);
    assert!(
        remove_log(&*fs, DIR, DatabaseId::from_bytes([4; 16]), &[]).is_err(),
        "another database's"
    );
    assert!(open(&fs, &options()).is_ok(), "it was left as it is");
    remove_log(&*fs, DIR, mine, &["also"]).unwrap();
    assert_eq!(fs.list(DIR).unwrap(), ["something else"]);
    fs.unlink(&format!("{DIR}/something else")).unwrap();
    remove_log(&*fs, DIR, mine, &[]).unwrap();
    assert!(!fs.exists(DIR).unwrap());
    remove_log(&*fs, DIR, mine, &[]).unwrap();
}

#[test]
fn a_check_reads_every_record_and_names_damage() {
    let fs = memory();
    let log = create(&fs, &options());
    for _ in 0..40 {
        change(&log, 1, &[1; 300]);
    }
    log.write_everything().unwrap();
    let check = log.check().unwrap();
    assert!(check.findings.is_empty(), "{:?}", check.findings);
    assert_eq!(check.records, 40);
    assert!(
        check.bytes > 40 * 300 && check.bytes < 40 * 600,
        "{}",
        check.bytes
    );
    assert!(control_flaws(&*fs, DIR).unwrap().is_empty());
    let control = fs.open(&format!("{DIR}/control"), OpenMode::Existing).unwrap();
    control.write_at(20, b"rot").unwrap();
    assert_eq!(control_flaws(&*fs, DIR).unwrap().len(), 1);
    assert_eq!(log.check().unwrap().findings.len(), 1);
}

#[test]
fn the_directory_of_a_path_is_what_comes_before_its_name() {
    assert_eq!(open::parent("a/b/c"), "a/b");
    assert_eq!(open::parent("/a"), "/");
    assert_eq!(open::parent("a"), "");
}

#[test]
fn segments_that_nobody_needs_are_used_again() {
    let fs = memory();
    let log = create(&fs, &options());
    let size = log.segments.size();
    for _ in 0..80 {
        change(&log, 1, &[1; 1000]);
        log.write_everything().unwrap();
    }
    let before = fs.list(DIR).unwrap();
    let end = log.segments.allocated().next_multiple_of(size);
    log.segments.grow(end).map_err(|_| "refused").unwrap();
    let keep = log.end().raw();
    log.segments
        .recycle(keep, keep, end - keep + 2 * size)
        .map_err(|_| "refused")
        .unwrap();
    let after = fs.list(DIR).unwrap();
    assert!(
        after.len() < before.len(),
        "more than is needed ahead goes: {before:?}, {after:?}"
    );
    let reach = log.segments.allocated();
    assert_eq!(reach, end + 2 * size, "two were renamed to the front");
    drop(log);
}
