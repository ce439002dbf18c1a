//! Whether checkpoints stall those who write.
//!
//! Writers commit small transactions while nobody takes checkpoints, then while one is taken after another; the latencies of their transactions are compared, and the longest is held
//! against the length of a checkpoint. With synced commits both want the disk at once, so their syncs slow each other down; with unsynced ones
//! nothing but a lock held too long could make a writer wait.

use crate::Result;
use crate::kv::Pairs;
use godb::{Config, Database, SyncMode};
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// Threads that write.
const WRITERS: u64 = 2;
/// Pairs of a transaction.
const PER: usize = 10;
/// The stretches without and with checkpoints take turns, so many of each.
const TURNS: u32 = 3;

/// What was seen in the stretches of one kind.
#[derive(Default)]
struct Seen {
    latencies: Vec<Duration>,
    checkpoints: Vec<Duration>,
}

/// Measures with synced and with unsynced commits, for so many seconds of each kind; prints a table.
pub(super) fn run(base: u64, seconds: u64) -> Result<()> {
    println!(
        "latency of a transaction of {PER} puts, {WRITERS} writers, in milliseconds ({base} pairs before)"
    );
    println!(
        "{:<34}{:>10}{:>10}{:>10}{:>10}{:>10}{:>14}{:>16}",
        "", "commits", "p50", "p99", "p99.9", "longest", "checkpoints", "longest of them"
    );
    for (name, mode) in [("synced", SyncMode::Full), ("unsynced", SyncMode::Off)] {
        let place = tempfile::tempdir()?;
        let [without, with] = measure(place.path(), mode, base, Duration::from_secs(seconds))?;
        show(&format!("{name}, no checkpoint"), &without);
        show(&format!("{name}, one after another"), &with);
    }
    Ok(())
}

fn measure(place: &Path, mode: SyncMode, base: u64, time: Duration) -> Result<[Seen; 2]> {
    let config = Config {
        buffer_pool_size: 256 << 20,
        wal_sync_mode: mode,
        checkpoint_log_size: Some(u64::MAX),
        checkpoint_interval: Duration::from_secs(1 << 30),
        ..Config::default()
    };
    let db = Database::open_with(place.join("stalls.godb"), config)?;
    let mut pairs = Pairs::new(1);
    let mut tx = db.begin()?;
    for _ in 0..base {
        let (key, value) = pairs.next_pair();
        tx.put(key, value)?;
    }
    tx.commit()?;
    let mut seen = [Seen::default(), Seen::default()];
    for turn in 0..TURNS {
        db.checkpoint()?;
        for (kind, seen) in seen.iter_mut().enumerate() {
            stretch(&db, u64::from(turn), kind == 1, time / TURNS, seen)?;
        }
    }
    for one in &mut seen {
        one.latencies.sort_unstable();
    }
    Ok(seen)
}

/// Lets writers write for some time, with or without checkpoints.
fn stretch(db: &Database, seed: u64, checkpoints: bool, time: Duration, seen: &mut Seen) -> Result<()> {
    let stop = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let writers: Vec<_> = (0..WRITERS)
            .map(|writer| {
                let (stop, seed) = (&stop, 100 + seed * WRITERS + writer);
                scope.spawn(move || write(db, seed, stop).map_err(|error| error.to_string()))
            })
            .collect();
        let end = Instant::now() + time;
        let mut result = Ok(());
        while Instant::now() < end && result.is_ok() {
            if checkpoints {
                let begun = Instant::now();
                result = db.checkpoint();
                seen.checkpoints.push(begun.elapsed());
            } else {
                std::thread::sleep(Duration::from_millis(10));
            }
        }
        stop.store(true, Ordering::Release);
        for writer in writers {
            seen.latencies
                .extend(writer.join().map_err(|_| "a writer panicked")??);
        }
        Ok(result?)
    })
}

fn write(db: &Database, seed: u64, stop: &AtomicBool) -> godb::Result<Vec<Duration>> {
    let mut pairs = Pairs::new(seed);
    let mut latencies = Vec::new();
    while !stop.load(Ordering::Acquire) {
        let begun = Instant::now();
        let mut tx = db.begin()?;
        for _ in 0..PER {
            let (key, value) = pairs.next_pair();
            tx.put(key, value)?;
        }
        tx.commit()?;
        latencies.push(begun.elapsed());
    }
    Ok(latencies)
}

fn show(name: &str, seen: &Seen) {
    let milliseconds = |time: Option<&Duration>| time.map_or(0.0, |time| time.as_secs_f64() * 1000.0);
    let count = seen.latencies.len();
    let at = |thousandth: usize| milliseconds(seen.latencies.get(count * thousandth / 1000));
    let longest = milliseconds(seen.latencies.last());
    print!(
        "{name:<34}{count:>10}{:>10.3}{:>10.3}{:>10.3}{longest:>10.3}",
        at(500),
        at(990),
        at(999)
    );
    match seen.checkpoints.iter().max() {
        Some(most) => println!("{:>14}{:>16.3}", seen.checkpoints.len(), milliseconds(Some(most))),
        None => println!(),
    }
}
