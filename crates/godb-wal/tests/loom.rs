//! Group commit and the reservation of room under every interleaving: the product's own [`Gate`], twice, as the log uses it, over a disk that remembers what was written and
//! what was synced; and the whole [`Log`] on a simulated disk whose power can be cut and whose syncs can fail.
//!
//! ```text
//! RUSTFLAGS="--cfg godb_loom" cargo test -p godb-wal --test loom --release
//! ```
//!
//! Four committers at a preemption bound of two: a gate that wakes one waiter instead of all passes with three. Each planted bug must make a model fail: `gate_wakes_one`, `gate_wakes_nobody_to_lead`, `gate_forgets_failure`,
//! `look-after-sync` (a sync is taken to cover what was written while it ran), `close-quietly` (who waits for room is not told that there is some), `poison-quietly` (nor that there never will be),
//! `room-after-look` (two are granted the same room), `floor-without-rooms` (a checkpoint does not hear of what is about to be logged). A model that loom cuts short would pass without having looked, so [`explore`] sets no limit on
//! time or iterations, and counts the executions.
#![cfg(godb_loom)]

use godb_btree::{
    Change, Crash, Effect, Injection, Journal, Operations, PageId, SimulatedDisk, TxnId, Undo, size_of_change,
};
use godb_wal::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use godb_wal::sync::{Arc, explore, thread};
use godb_wal::{DatabaseId, Environment, Fault, FileSystem, Gate, Log, LogOptions, Lsn, Record, UndoNext};

/// What the gates guard: three positions that must never overtake one another.
struct Disk {
    appended: AtomicU64,
    written: AtomicU64,
    synced: AtomicU64,
    /// Whether the next sync fails; afterwards, as on a real system, syncs seem to succeed.
    fails: AtomicBool,
    failed: AtomicBool,
    writes: Gate,
    syncs: Gate,
}

impl Disk {
    fn new(fails: bool) -> Arc<Self> {
        Arc::new(Self {
            appended: AtomicU64::new(0),
            written: AtomicU64::new(0),
            synced: AtomicU64::new(0),
            fails: AtomicBool::new(fails),
            failed: AtomicBool::new(false),
            writes: Gate::new(0),
            syncs: Gate::new(0),
        })
    }

    /// Logs something and waits until it is durable, as a committer does in full sync mode.
    fn commit(&self) -> Result<u64, Fault> {
        let mine = self.appended.fetch_add(1, Ordering::AcqRel) + 1;
        self.syncs.wait(mine, || self.sync())?;
        Ok(mine)
    }

    fn write(&self) -> Result<u64, Fault> {
        let upto = self.appended.load(Ordering::Acquire);
        let before = self.written.swap(upto, Ordering::AcqRel);
        assert!(before <= upto, "two leaders wrote at once");
        Ok(upto)
    }

    fn sync(&self) -> Result<u64, Fault> {
        self.writes
            .wait(self.appended.load(Ordering::Acquire), || self.write())?;
        let upto = self.writes.reached();
        if self.fails.swap(false, Ordering::AcqRel) {
            self.failed.store(true, Ordering::Release);
            let fault = Fault::io("sync", "log", std::io::Error::other("planted by the test"));
            self.writes.fail(&fault);
            return Err(fault);
        }
        assert!(
            !self.failed.load(Ordering::Acquire),
            "a sync was tried again after one had failed"
        );
        let before = self.synced.swap(upto, Ordering::AcqRel);
        assert!(before <= upto, "two leaders synced at once");
        Ok(upto)
    }
}

fn committers(disk: &Arc<Disk>, count: usize) -> Vec<Result<u64, Fault>> {
    let others: Vec<_> = (1..count)
        .map(|_| {
            let disk = disk.clone();
            thread::spawn(move || disk.commit())
        })
        .collect();
    let mut results = vec![disk.commit()];
    results.extend(
        others
            .into_iter()
            .map(|other| other.join().expect("no committer panics")),
    );
    results
}

#[test]
fn four_committers_are_acknowledged_only_when_durable() {
    let runs = explore("group commit", 2, || {
        let disk = Disk::new(false);
        for result in committers(&disk, 4) {
            let mine = result.expect("nothing fails here");
            assert!(
                disk.synced.load(Ordering::Acquire) >= mine,
                "acknowledged before it was durable"
            );
        }
    });
    assert!(runs > 1000, "the model was not explored");
}

#[test]
fn one_failed_sync_fails_everybody_and_is_never_tried_again() {
    let runs = explore("group commit", 2, || {
        let disk = Disk::new(true);
        let results = committers(&disk, 4);
        assert!(
            results.iter().all(Result::is_err),
            "the very first sync failed, so nothing became durable"
        );
        assert_eq!(disk.synced.load(Ordering::Acquire), 0);
        assert!(disk.commit().is_err(), "those who come later are refused too");
    });
    assert!(runs > 1000, "the model was not explored");
}

/// The product's own log, with blocks of 512 bytes and `buffer` bytes of memory, on a disk that can be cut off and can fail.
fn log(buffer: usize) -> (Arc<Log>, SimulatedDisk) {
    let disk = SimulatedDisk::new();
    let fs: Arc<dyn FileSystem> = Arc::new(disk.clone());
    let options = LogOptions {
        block_size: 512,
        segment_size: 64 << 10,
        initial_size: 64 << 10,
        buffer,
        ..LogOptions::new(DatabaseId::from_bytes([3; 16]), 1)
    };
    let log = Log::create(&fs, DIR, &options, &Environment::simulated(1)).expect("the disk is sound");
    (log, disk)
}

const DIR: &str = "db-wal";

/// A change of one page that holds `bytes`.
fn with_change<R>(by: u64, bytes: &[u8], act: impl FnOnce(&Change<'_>) -> R) -> R {
    let page = [(PageId::from_raw(9), bytes)];
    act(&Change {
        by: Some(TxnId::from_raw(by)),
        pages: &page,
        undo: Undo::Logical(b"back"),
    })
}

/// Logs a change as the tree would: room first, then the record, then the room is given back.
fn change(log: &Log, by: u64, bytes: &[u8]) -> Result<Lsn, Fault> {
    with_change(by, bytes, |change| {
        let mut room = log.reserve(size_of_change(change))?;
        Ok(room.append(change))
    })
}

fn commit(log: &Log, by: u64) -> Result<Lsn, Fault> {
    let at = log.append_record(&Record::Commit {
        by: TxnId::from_raw(by),
        previous: Lsn::default(),
        note: vec![],
    })?;
    log.acknowledge(at)?;
    Ok(at)
}

/// Whether a power cut now would leave these bytes in the log.
fn survives(disk: &SimulatedDisk, bytes: &[u8]) -> bool {
    let left = disk.crash(Crash::KeepNone);
    left.files().iter().any(|name| {
        let content = left.bytes(name).expect("it is listed");
        content.windows(bytes.len()).any(|window| window == bytes)
    })
}

/// Runs `body` in threads, the first of them this one.
fn together<R: Send + 'static>(count: u64, body: impl Fn(u64) -> R + Clone + Send + 'static) -> Vec<R> {
    let others: Vec<_> = (1..count)
        .map(|by| {
            let body = body.clone();
            thread::spawn(move || body(by))
        })
        .collect();
    let mut results = vec![body(0)];
    results.extend(
        others
            .into_iter()
            .map(|other| other.join().expect("nobody panics")),
    );
    results
}

#[test]
fn what_the_log_acknowledges_survives_a_power_cut_and_lies_in_order() {
    explore("group commit", 2, || {
        let (log, disk) = log(64 << 10);
        let log_of = log.clone();
        let ends = together(2, move |by| {
            let mark = [0xA0 + u8::try_from(by).expect("few"); 24];
            let first = change(&log_of, by + 1, &mark).expect("nothing fails");
            let at = commit(&log_of, by + 1).expect("nothing fails");
            assert!(survives(&disk, &mark), "acknowledged before it was durable");
            (first, at)
        });
        let found: Vec<_> = log
            .records(Lsn::default())
            .map(|record| record.expect("the log can be read").0)
            .collect();
        let mut expected: Vec<_> = ends.iter().flat_map(|(first, at)| [*first, *at]).collect();
        expected.sort_unstable();
        assert_eq!(found, expected, "every record is where its writer was told");
    });
}

#[test]
fn what_is_written_while_a_sync_runs_waits_for_the_next() {
    explore("group commit", 2, || {
        let (log, disk) = log(64 << 10);
        let other = {
            let log = log.clone();
            thread::spawn(move || {
                change(&log, 1, &[1; 24]).expect("nothing fails");
                commit(&log, 1).expect("nothing fails");
            })
        };
        let mark = [0xAA; 24];
        let at = change(&log, 2, &mark).expect("nothing fails");
        log.wait_written(at).expect("nothing fails");
        log.wait_synced(at).expect("nothing fails");
        assert!(survives(&disk, &mark), "written is not durable");
        other.join().expect("nobody panics");
    });
}

#[test]
fn a_failed_sync_of_the_log_fails_committers_and_those_who_wait_for_room() {
    explore("group commit", 2, || {
        let (log, disk) = log(1024);
        disk.inject(Injection::once(
            Operations::SYNC,
            1,
            Effect::SyncForgets { seed: None },
        ));
        // A room as large as the buffer, kept open: whoever reserves now must wait.
        let room = log.reserve(1000).expect("the buffer is empty");
        disk.inject(Injection::once(
            Operations::SYNC,
            1,
            Effect::SyncForgets { seed: None },
        ));
        let waiter = {
            let log = log.clone();
            thread::spawn(move || change(&log, 1, &[1; 500]))
        };
        assert!(commit(&log, 2).is_err(), "the sync failed");
        assert!(
            waiter.join().expect("nobody panics").is_err(),
            "nothing is logged any more"
        );
        drop(room);
        assert!(commit(&log, 3).is_err(), "those who come later are refused too");
    });
}

#[test]
fn rooms_are_granted_while_they_fit_and_in_the_end_to_everybody() {
    let runs = explore("log reservation", 2, || {
        let (log, _disk) = log(1024);
        let each = log.clone();
        let ends = together(3, move |by| {
            let at = change(&each, by + 1, &[7; 600]).expect("nothing fails");
            assert!(each.floor() <= each.end());
            at
        });
        assert_eq!(log.floor(), log.end(), "no room is left open");
        let found = log
            .records(Lsn::default())
            .map(|record| record.expect("the log can be read").0);
        let mut expected = ends;
        expected.sort_unstable();
        assert_eq!(found.collect::<Vec<_>>(), expected);
    });
    assert!(runs > 100, "the model was not explored");
}

#[test]
fn a_rollback_never_waits_for_room() {
    explore("log reservation", 2, || {
        let (log, _disk) = log(4096);
        change(&log, 1, b"done").expect("the log is empty");
        let other = {
            let log = log.clone();
            thread::spawn(move || {
                let room = log.reserve(3000).expect("it fits in the end");
                (room.floor(), log.floor())
            })
        };
        let mut room = log.reserve_undo(200).expect("it was set aside");
        with_change(1, b"back", |change| {
            room.append(&Change {
                undo: Undo::Compensates(UndoNext::default()),
                ..*change
            });
        });
        drop(room);
        let (own, oldest) = other.join().expect("nobody panics");
        assert!(oldest <= own, "an open room holds the log's floor back");
    });
}
