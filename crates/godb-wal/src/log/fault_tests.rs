//! The log against crashes, failures and damage: whatever happens, what was acknowledged is there, in order and whole, or there is an error that says so.

use super::tests::{change, commit, options};
use super::*;
use crate::record::Record;
use godb_btree::{Crash, Effect, FileSystem, Injection, Operations, SimulatedDisk, Tear, TxnId, UndoNext};

const DIR: &str = "db-wal";

/// What a workload did before it was interrupted.
#[derive(Default)]
struct Done {
    created: bool,
    /// Checkpoints give the log back.
    recycle: bool,
    appended: Vec<u64>,
    acknowledged: Vec<u64>,
}

fn disk() -> SimulatedDisk {
    let disk = SimulatedDisk::new();
    disk.set_fragment(512);
    disk
}

/// What a power cut leaves: the first seeds keep nothing, everything, or tear the last write in some way; the others decide by chance.
fn cut(fs: &SimulatedDisk, seed: u64) -> SimulatedDisk {
    let torn = |part| match fs.pending_writes().len().checked_sub(1) {
        Some(write) => Crash::Tear { write, part },
        None => Crash::KeepNone,
    };
    fs.crash(match seed {
        0 => Crash::KeepNone,
        1 => Crash::KeepAll,
        2 => torn(Tear::First(1)),
        3 => torn(Tear::AllAfter(1)),
        4 => torn(Tear::Garbage(0)),
        _ => Crash::KeepSome { seed },
    })
}

/// Changes what is stored in a file, behind everybody's back.
fn tamper(fs: &SimulatedDisk, name: &str, change: impl FnOnce(&mut Vec<u8>)) {
    let mut bytes = fs.bytes(name).unwrap();
    change(&mut bytes);
    fs.set_bytes(name, &bytes);
}

fn handle(fs: &SimulatedDisk) -> Arc<dyn FileSystem> {
    Arc::new(fs.clone())
}

fn create(fs: &SimulatedDisk) -> Result<Arc<Log>, Fault> {
    Log::create(&handle(fs), DIR, &options(), &Environment::simulated(1))
}

fn open(fs: &SimulatedDisk) -> Result<Arc<Log>, Fault> {
    Log::open(&handle(fs), DIR, &options(), &Environment::simulated(1))
}

fn commits(log: &Log) -> Result<Vec<u64>, Fault> {
    let mut found = Vec::new();
    for entry in log.records(Lsn::default()) {
        if let Record::Commit { by, .. } = entry?.1 {
            found.push(by.raw());
        }
    }
    Ok(found)
}

fn try_change(log: &Log, by: u64, len: usize) -> Result<(), Fault> {
    use godb_btree::{Change, Journal, PageId, Undo, size_of_change};
    let bytes = vec![7; len];
    let page = [(PageId::from_raw(1), &bytes[..])];
    let change = Change {
        by: Some(TxnId::from_raw(by)),
        pages: &page,
        undo: Undo::Never,
    };
    log.reserve(size_of_change(&change))?.append(&change);
    Ok(())
}

/// Transactions from `first` on; some acknowledged, some not; every seventh takes a checkpoint, which may drop all but the last few.
fn work(log: &Log, first: u64, count: u64, done: &mut Done) -> Result<(), Fault> {
    let mut keep = [Lsn::default(); 3];
    for by in first..first + count {
        try_change(log, by, usize::try_from(by * 37 % 900).unwrap())?;
        let at = log.append_record(&Record::Commit {
            by: TxnId::from_raw(by),
            previous: Lsn::default(),
            note: vec![],
        })?;
        done.appended.push(by);
        keep.rotate_left(1);
        keep[2] = at;
        if by % 3 != 0 {
            log.acknowledge(at)?;
            done.acknowledged = done.appended.clone();
        }
        if by % 7 == 0 {
            let checkpoint = log.append_record(&Record::Checkpoint(vec![1; 40]))?;
            log.wait_synced(checkpoint)?;
            done.acknowledged = done.appended.clone();
            log.checkpointed(checkpoint, if done.recycle { keep[0] } else { Lsn::default() })?;
        }
    }
    Ok(())
}

/// A whole life: create, work, and whatever interrupts it.
fn live(fs: &SimulatedDisk, recycle: bool) -> Done {
    let mut done = Done {
        recycle,
        ..Done::default()
    };
    if let Ok(log) = create(fs) {
        done.created = true;
        let _ = work(&log, 1, if recycle { 90 } else { 24 }, &mut done);
    }
    done
}

/// After a crash: everything acknowledged is there, and what is there is a prefix of what was appended.
fn check(fs: &SimulatedDisk, done: &Done, what: &str) -> Option<Arc<Log>> {
    let log = match open(fs) {
        Ok(log) => log,
        Err(fault) => {
            assert!(!done.created, "{what}: the log cannot be opened: {fault}");
            return None;
        }
    };
    let found = commits(&log).unwrap();
    let dropped = match found.first() {
        Some(first) if done.recycle => done
            .appended
            .iter()
            .position(|by| by == first)
            .unwrap_or_default(),
        _ => 0,
    };
    let end = dropped + found.len();
    assert!(
        end >= done.acknowledged.len(),
        "{what}: acknowledged commits are lost"
    );
    assert!(end <= done.appended.len(), "{what}: commits from nowhere");
    assert_eq!(found, done.appended[dropped..end], "{what}: not a prefix");
    Some(log)
}

fn cut_power_everywhere(recycle: bool, seeds: u64) {
    let whole = disk();
    live(&whole, recycle);
    for at in 1..=whole.count(Operations::CHANGES) {
        let fs = disk();
        fs.inject(Injection::once(Operations::CHANGES, at, Effect::PowerOff));
        let done = live(&fs, recycle);
        for seed in 0..seeds {
            let what = format!("operation {at}, seed {seed}");
            let crashed = cut(&fs, seed);
            if let Some(log) = check(&crashed, &done, &what) {
                go_on(&crashed, &log, &what, seed);
            }
        }
    }
}

/// Works on an opened log, cuts the power again, and looks.
fn go_on(fs: &SimulatedDisk, log: &Log, what: &str, seed: u64) {
    let mut after = Done {
        created: true,
        recycle: true,
        appended: commits(log).unwrap(),
        acknowledged: commits(log).unwrap(),
    };
    work(log, 100, 5, &mut after).unwrap();
    check(&cut(fs, seed), &after, &format!("{what}, once more"));
}

#[test]
fn a_power_cut_at_any_operation_loses_nothing_that_was_acknowledged() {
    cut_power_everywhere(false, 9);
}

#[test]
fn a_power_cut_while_segments_are_used_again_loses_nothing_either() {
    cut_power_everywhere(true, 6);
}

#[test]
fn a_power_cut_during_opening_is_just_another_power_cut() {
    let fs = disk();
    let done = live(&fs, false);
    let crashed = cut(&fs, 5);
    let probe = crashed.fork();
    check(&probe, &done, "probe");
    let operations = probe.count(Operations::CHANGES) - crashed.count(Operations::CHANGES);
    for at in 1..=operations {
        for seed in 0..9 {
            let interrupted = crashed.fork();
            interrupted.inject(Injection::once(Operations::CHANGES, at, Effect::PowerOff));
            assert!(open(&interrupted).is_err() || at == operations);
            let what = format!("operation {at} of opening, seed {seed}");
            check(&cut(&interrupted, seed), &done, &what);
        }
    }
}

#[test]
fn a_failed_opening_can_be_tried_again() {
    let fs = disk();
    let done = live(&fs, true);
    let crashed = cut(&fs, 1);
    let probe = crashed.fork();
    check(&probe, &done, "probe");
    let operations = probe.count(Operations::ALL) - crashed.count(Operations::ALL);
    for effect in [
        Effect::IoError,
        Effect::DiskFull,
        Effect::SyncForgets { seed: None },
    ] {
        for at in 1..=operations {
            let failing = crashed.fork();
            failing.inject(Injection::once(Operations::ALL, at, effect));
            let what = format!("{effect:?} at {at} of opening");
            match open(&failing) {
                Ok(log) => drop(log),
                Err(fault) => assert!(!matches!(fault, Fault::Corrupt { .. }), "{what}: {fault}"),
            }
            failing.heal();
            let log = check(&failing, &done, &what).expect("the log is there");
            go_on(&failing, &log, &what, 0);
        }
    }
}

/// Lets each operation of some kind fail, in workloads of both kinds; the same process then reopens, and sees what the cache shows, which may not
/// be what the medium holds.
fn fail_everywhere(on: Operations, effect: Effect) {
    for recycle in [false, true] {
        let whole = disk();
        live(&whole, recycle);
        for at in 1..=whole.count(on) {
            let fs = disk();
            fs.inject(Injection::once(on, at, effect));
            let done = live(&fs, recycle);
            let what = format!("{effect:?} at {at}");
            if let Some(log) = check(&fs, &done, &what) {
                go_on(&fs, &log, &what, 0);
            }
        }
    }
}

#[test]
fn a_failed_operation_never_costs_an_acknowledged_commit() {
    fail_everywhere(Operations::CHANGES, Effect::IoError);
    fail_everywhere(Operations::CHANGES, Effect::DiskFull);
}

#[test]
fn a_sync_that_fails_and_forgets_never_costs_an_acknowledged_commit() {
    fail_everywhere(Operations::SYNC, Effect::SyncForgets { seed: None });
    for seed in 0..3 {
        fail_everywhere(Operations::SYNC, Effect::SyncForgets { seed: Some(seed) });
    }
}

#[test]
fn leftovers_behind_the_end_are_never_replayed() {
    let small = LogOptions {
        segment_size: 2048,
        ..options()
    };
    let fs = disk();
    let log = Log::create(&handle(&fs), DIR, &small, &Environment::simulated(1)).unwrap();
    log.acknowledge(commit(&log, 1)).unwrap();
    let lost = log.end().raw() / 512 * 512;
    for by in 1000..1100 {
        change(&log, by, &[9; 50]);
        commit(&log, by);
    }
    log.wait_written(log.end()).unwrap();
    drop(log);
    // The flush was never acknowledged. Its first block is lost; whole blocks of it lie in this segment and in those that follow.
    let (segment, offset) = (lost / 2048, usize::try_from(lost % 2048).unwrap());
    tamper(&fs, &format!("{DIR}/{segment:08}.log"), |bytes| {
        bytes[offset..offset + 512].fill(0);
    });
    let mut expected = vec![1];
    for by in 2..60 {
        let log = open(&fs).unwrap();
        assert_eq!(commits(&log).unwrap(), expected, "before {by}");
        log.acknowledge(commit(&log, by)).unwrap();
        expected.push(by);
    }
}

#[test]
fn a_failed_sync_poisons_the_log() {
    let fs = disk();
    let log = create(&fs).unwrap();
    change(&log, 1, b"x");
    let at = commit(&log, 1);
    fs.inject(Injection::once(
        Operations::SYNC,
        1,
        Effect::SyncForgets { seed: None },
    ));
    assert!(matches!(log.acknowledge(at), Err(Fault::Io { .. })));
    assert!(
        matches!(log.acknowledge(at), Err(Fault::Poisoned { .. })),
        "not tried again"
    );
    assert!(matches!(try_change(&log, 2, 5), Err(Fault::Poisoned { .. })));
    assert!(log.checkpointed(at, at).is_err());
    assert_eq!(commits(&log).unwrap(), vec![1], "reading goes on");
}

#[test]
fn what_was_begun_is_taken_back_in_memory_when_the_log_is_poisoned() {
    use godb_btree::{Change, Journal, PageId, Undo, size_of_change};
    let fs = disk();
    let log = create(&fs).unwrap();
    try_undoable(&log, 5).unwrap();
    fs.inject(Injection::lasting(
        Operations::SYNC,
        1,
        Effect::SyncForgets { seed: None },
    ));
    log.wait_synced(log.end()).unwrap_err();
    assert!(log.reserve(100).is_err(), "nothing new is logged");
    assert!(
        log.records(log.last_of(TxnId::from_raw(5)))
            .next()
            .unwrap()
            .is_ok()
    );
    let page = [(PageId::from_raw(1), &[7; 2000][..])];
    let change = Change {
        by: Some(TxnId::from_raw(5)),
        pages: &page,
        undo: Undo::Compensates(UndoNext::default()),
    };
    for _ in 0..2000 {
        let room = log.reserve_undo(size_of_change(&change));
        room.expect("undo needs no disk").append(&change);
        assert!(
            log.ledger.tail.lock().buffer.unsealed() < 300_000,
            "nor memory without end"
        );
    }
    log.append_record(&Record::RolledBack {
        by: TxnId::from_raw(5),
    })
    .unwrap();
    assert!(log.active().is_empty());
    assert!(
        log.wait_synced(log.end()).is_err(),
        "and nothing of it is durable"
    );
}

#[test]
fn a_full_disk_refuses_reservations_but_never_a_rollback() {
    use godb_btree::{Change, Journal, PageId, Undo, size_of_change};
    let fs = disk();
    let log = create(&fs).unwrap();
    for _ in 0..400 {
        try_undoable(&log, 1).unwrap();
    }
    fs.inject(Injection::lasting(Operations::SET_LEN, 1, Effect::DiskFull));
    let mut logged = 400;
    while try_undoable(&log, 1).is_ok() {
        logged += 1;
        assert!(logged < 100_000, "the disk is full");
    }
    assert!(matches!(try_undoable(&log, 1), Err(Fault::Full { .. })));
    for step in 0..logged {
        let page = [(PageId::from_raw(1), &b"taken back"[..])];
        let change = Change {
            by: Some(TxnId::from_raw(1)),
            pages: &page,
            undo: Undo::Compensates(UndoNext::default()),
        };
        log.reserve_undo(size_of_change(&change) + 3000)
            .unwrap()
            .append(&change);
        if step % 20 == 0 {
            log.wait_synced(log.end()).unwrap();
        }
    }
    let end = Record::RolledBack {
        by: TxnId::from_raw(1),
    };
    let at = log.append_record(&end).unwrap();
    log.wait_synced(at).unwrap();
    fs.heal();
    try_undoable(&log, 2).unwrap();
    log.acknowledge(commit(&log, 2)).unwrap();
    drop(log);
    let log = open(&cut(&fs, 0)).unwrap();
    assert_eq!(commits(&log).unwrap(), vec![2]);
}

fn try_undoable(log: &Log, by: u64) -> Result<(), Fault> {
    use godb_btree::{Change, Journal, PageId, Undo, size_of_change};
    let page = [(PageId::from_raw(1), &[1; 60][..])];
    let change = Change {
        by: Some(TxnId::from_raw(by)),
        pages: &page,
        undo: Undo::Logical(b"back"),
    };
    log.reserve(size_of_change(&change) + 200)?.append(&change);
    Ok(())
}

/// A small log whose every block but the last is known to have been durable.
fn small() -> (SimulatedDisk, Vec<u64>) {
    let fs = disk();
    let log = create(&fs).unwrap();
    for by in 1..12 {
        change(&log, by, &vec![3; 100 * usize::try_from(by % 4).unwrap()]);
        log.acknowledge(commit(&log, by)).unwrap();
    }
    let found = commits(&log).unwrap();
    (cut(&fs, 0), found)
}

#[test]
fn every_flipped_bit_of_what_was_durable_is_found() {
    let (fs, expected) = small();
    let name = format!("{DIR}/00000000.log");
    let used = {
        let log = open(&fs.fork()).unwrap();
        // Behind the log: the empty block of the new epoch. Before that: the block of the last commit, for which nobody bears witness.
        usize::try_from(log.end().raw()).unwrap() / 512 * 512 - 512
    };
    for bit in 0..used * 8 {
        let damaged = fs.fork();
        tamper(&damaged, &name, |bytes| bytes[bit / 8] ^= 1 << (bit % 8));
        match open(&damaged) {
            Err(Fault::Corrupt { .. }) => {}
            Ok(log) => {
                let found = commits(&log).unwrap();
                assert!(bit / 8 >= used - 512, "bit {bit} was not found");
                assert_eq!(
                    found,
                    expected[..expected.len() - 1],
                    "the last commit alone may look like torn"
                );
            }
            Err(other) => panic!("bit {bit}: {other}"),
        }
    }
}

#[test]
fn one_damaged_slot_of_the_control_file_is_survived_and_two_are_an_error() {
    let (fs, expected) = small();
    let name = format!("{DIR}/control");
    for slot in [0, 4096] {
        for bit in 0..80 * 8 {
            let damaged = fs.fork();
            tamper(&damaged, &name, |bytes| bytes[slot + bit / 8] ^= 1 << (bit % 8));
            assert_eq!(commits(&open(&damaged).unwrap()).unwrap(), expected);
        }
    }
    tamper(&fs, &name, |bytes| {
        bytes[40] ^= 1;
        bytes[4096 + 40] ^= 1;
    });
    assert!(matches!(open(&fs), Err(Fault::Corrupt { .. })));
}

#[test]
fn a_log_cut_short_is_never_taken_for_a_shorter_log() {
    let fs = disk();
    let log = create(&fs).unwrap();
    let mut done = Done::default();
    work(&log, 1, 59, &mut done).unwrap();
    drop(log);
    let fs = cut(&fs, 1);
    for name in fs.list(DIR).unwrap() {
        let name = format!("{DIR}/{name}");
        let len = handle(&fs)
            .open(&name, godb_btree::OpenMode::Existing)
            .unwrap()
            .len()
            .unwrap();
        for cut in (0..len).step_by(512) {
            let damaged = fs.fork();
            tamper(&damaged, &name, |bytes| {
                bytes.truncate(usize::try_from(cut).unwrap());
            });
            match open(&damaged) {
                Err(Fault::Corrupt { .. }) => {}
                Ok(log) => assert_eq!(commits(&log).unwrap(), done.appended, "{name} cut at {cut}"),
                Err(other) => panic!("{name} cut at {cut}: {other}"),
            }
        }
    }
}
