//! Group commit under every interleaving: the product's own [`Gate`], twice, as the log uses it, over a disk that remembers what was written and
//! what was synced.
//!
//! ```text
//! RUSTFLAGS="--cfg godb_loom" cargo test -p godb-wal --test loom --release
//! ```
//!
//! Four committers at a preemption bound of two: a gate that wakes one waiter instead of all passes with three. Each planted bug
//! (`--cfg godb_plant="gate_wakes_one"`, `"gate_forgets_failure"`) must make this fail. A model that loom cuts short would pass without having looked, so [`explore`] sets no limit on
//! time or iterations, and counts the executions.
#![cfg(godb_loom)]

use godb_wal::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use godb_wal::sync::{Arc, explore, thread};
use godb_wal::{Fault, Gate};

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
