//! Group commit under every interleaving: the product's own [`Gate`], twice, as the log uses it, over a disk that remembers what was written and
//! what was synced.
//!
//! ```text
//! RUSTFLAGS="--cfg godb_loom" cargo test -p godb-wal --test loom --release
//! ```
//!
//! Four committers at a preemption bound of two: a gate that wakes one waiter instead of all passes with three. Each planted bug
//! (`--cfg godb_plant="gate_wakes_one"`, `"gate_forgets_failure"`) must make this fail. A model that loom cuts short would pass without having looked, so no limit on
//! time or iterations is set, and each model counts its executions and says that it ran to the end.
#![cfg(godb_loom)]

use godb_wal::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use godb_wal::sync::{Arc, thread};
use godb_wal::{Fault, Gate};
use std::sync::atomic::{AtomicU64 as Count, Ordering as CountOrdering};

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

/// Runs `body` under every interleaving and returns how many there were; fails when the model was cut short.
fn exhaust(body: impl Fn() + Send + Sync + 'static) -> u64 {
    let runs = Arc::new(Count::new(0));
    let counted = runs.clone();
    let mut model = loom::model::Builder::new();
    model.preemption_bound = Some(2);
    assert!(
        std::env::var_os("LOOM_MAX_DURATION").is_none()
            && std::env::var_os("LOOM_MAX_PERMUTATIONS").is_none(),
        "a model that is cut short proves nothing"
    );
    model.check(move || {
        counted.fetch_add(1, CountOrdering::Relaxed);
        body();
    });
    runs.load(CountOrdering::Relaxed)
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
    let runs = exhaust(|| {
        let disk = Disk::new(false);
        for result in committers(&disk, 4) {
            let mine = result.expect("nothing fails here");
            assert!(
                disk.synced.load(Ordering::Acquire) >= mine,
                "acknowledged before it was durable"
            );
        }
    });
    println!("four committers: {runs} interleavings");
    assert!(runs > 1000, "the model was not explored");
}

#[test]
fn one_failed_sync_fails_everybody_and_is_never_tried_again() {
    let runs = exhaust(|| {
        let disk = Disk::new(true);
        let results = committers(&disk, 4);
        assert!(
            results.iter().all(Result::is_err),
            "the very first sync failed, so nothing became durable"
        );
        assert_eq!(disk.synced.load(Ordering::Acquire), 0);
        assert!(disk.commit().is_err(), "those who come later are refused too");
    });
    println!("a failed sync: {runs} interleavings");
    assert!(runs > 1000, "the model was not explored");
}
