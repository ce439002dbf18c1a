//! godb beside other embedded key-value stores: `cargo xtask bench`.
//!
//! Every database does each phase in turn, before the next phase begins, so that a machine that gets slower gets slower for all. Each begins when the one before has left the disk and
//! the processor to it. Reading phases are repeated, and the best round counts: whatever disturbs a round only makes it slower.

mod chart;
mod data;
mod disk;
mod figure;
pub(crate) mod larger;
mod options;
mod peer;
mod peers;
mod phases;
mod quiet;
mod results;
mod zipf;

pub(crate) use data::Pairs;
pub(crate) use options::Options;
pub(crate) use peer::{Durability, Opening};
pub(crate) use quiet::wait as wait_for_quiet;

use data::{KEY_AND_VALUE, numbered_pair};
use zipf::Zipf;

use crate::Result;
use disk::DISK;
use figure::Figure;
use peer::{Kind, Peer};
use results::{Better, Goal, Results};
use std::path::{Path, PathBuf};

/// How often reading phases are repeated.
const ROUNDS: usize = 3;

/// Durable writes of one pair each.
const SINGLE_WRITES: u64 = 2000;

/// A database that takes part, and its directory.
struct Runner<'o> {
    kind: Kind,
    folder: PathBuf,
    options: &'o Options,
    peer: Option<Box<dyn Peer>>,
}

impl Runner<'_> {
    fn open(&mut self, durability: Durability) -> Result<()> {
        self.peer = None;
        std::fs::create_dir_all(&self.folder)?;
        self.peer = Some((self.kind.open)(&Opening {
            folder: &self.folder,
            cache: self.options.cache,
            durability,
            checkpoints: true,
            larger_than_memory: false,
        })?);
        Ok(())
    }

    fn peer(&self) -> Result<&dyn Peer> {
        Ok(self.peer.as_deref().ok_or("the database is closed")?)
    }
}

/// The names of all that can take part.
pub(crate) fn peer_names() -> impl Iterator<Item = &'static str> {
    peers::ALL.iter().map(|kind| kind.name)
}

/// Opens the database of this name.
pub(crate) fn open_peer(name: &str, opening: &Opening<'_>) -> Result<Box<dyn Peer>> {
    let kind = peers::ALL.iter().find(|kind| kind.name == name);
    (kind.ok_or("there is no such database")?.open)(opening)
}

/// The whole comparison.
pub(crate) fn run(options: &Options) -> Result<()> {
    let place = match &options.folder {
        Some(folder) => tempfile::tempdir_in(folder)?,
        None => tempfile::tempdir()?,
    };
    let mut runners = runners(place.path(), options);
    let mut results = Results::new(options.items);
    let items = options.items;

    println!("loading, writing");
    each(&mut runners, &mut results, BULK, |runner| {
        phases::bulk_load(runner.peer()?, items)
    })?;
    let disk = disk_flushes(place.path())?;
    each(&mut runners, &mut results, SINGLE, |runner| {
        phases::single_writes(runner.peer()?, SINGLE_WRITES, 11)
    })?;
    results.note(SINGLE, DISK, better(disk, disk_flushes(place.path())?));
    each(&mut runners, &mut results, BATCHES, |runner| {
        phases::batches(runner.peer()?, 100, 12)
    })?;
    for (goal, threads, count) in [
        (COMMITS_1, 1, 2000),
        (COMMITS_4, 4, 8000),
        (COMMITS_16, 16, 16_000),
    ] {
        each(&mut runners, &mut results, goal, |runner| {
            phases::commits(runner.peer()?, threads, count, 100 + 100 * threads)
        })?;
    }
    unsynced(&mut runners, &mut results)?;

    println!("reading");
    each(&mut runners, &mut results, COUNT, |runner| {
        best(|| phases::count(runner.peer()?))
    })?;
    each(&mut runners, &mut results, READS, |runner| {
        best(|| phases::random_reads(runner.peer()?, 1, items))
    })?;
    each(&mut runners, &mut results, RANGES, |runner| {
        best(|| phases::range_reads(runner.peer()?, items / 2))
    })?;
    for (goal, threads) in [(READS_4, 4), (READS_8, 8), (READS_16, 16), (READS_32, 32)] {
        each(&mut runners, &mut results, goal, |runner| {
            best(|| phases::random_reads(runner.peer()?, threads, items))
        })?;
    }

    println!("removing, compacting");
    each(&mut runners, &mut results, REMOVALS, |runner| {
        phases::removals(runner.peer()?, items)
    })?;
    sizes(&mut runners, &mut results)?;
    drop(runners);
    sorted(place.path(), options, &mut results)?;

    println!("{results}");
    results.keep(options)
}

const BULK: Goal = Goal::new("bulk load, random order, keys/s", Better::More, Some(1.2));
const SORTED: Goal = Goal::new("sorted load, keys/s", Better::More, Some(1.0));
const SINGLE: Goal =
    Goal::new("1 durable write a transaction, txn/s", Better::More, Some(1.15)).or_of_disk(0.92);
const BATCHES: Goal = Goal::new("durable batches of 1,000, keys/s", Better::More, Some(1.5));
const COMMITS_1: Goal = Goal::new("durable commits/s, 1 thread", Better::More, None);
const COMMITS_4: Goal = Goal::new("durable commits/s, 4 threads", Better::More, Some(1.2));
const COMMITS_16: Goal = Goal::new("durable commits/s, 16 threads", Better::More, Some(1.2));
const UNSYNCED: Goal = Goal::new(
    "1 write a transaction, not synced, txn/s",
    Better::More,
    Some(1.2),
);
const COUNT: Goal = Goal::new("row counts/s", Better::More, None);
const READS: Goal = Goal::new("random reads, 1 thread, keys/s", Better::More, Some(1.15));
const RANGES: Goal = Goal::new("ranges of 10, scans/s", Better::More, Some(1.15));
const READS_4: Goal = Goal::new("random reads, 4 threads, keys/s", Better::More, Some(1.15));
const READS_8: Goal = Goal::new("random reads, 8 threads, keys/s", Better::More, Some(1.15));
const READS_16: Goal = Goal::new("random reads, 16 threads, keys/s", Better::More, Some(1.15));
const READS_32: Goal = Goal::new("random reads, 32 threads, keys/s", Better::More, Some(1.15));
const REMOVALS: Goal = Goal::new("removals, keys/s", Better::More, Some(1.2));
const SIZE: Goal = Goal::new("size before compaction, bytes", Better::Less, Some(1.25));
const COMPACT: Goal = Goal::new("size after compaction, bytes", Better::Less, Some(1.05));

fn runners<'o>(place: &Path, options: &'o Options) -> Vec<Runner<'o>> {
    let wanted = |kind: &&Kind| options.only.is_empty() || options.only.contains(&kind.name.to_lowercase());
    let kinds = peers::ALL.iter().filter(wanted);
    kinds
        .map(|kind| Runner {
            kind: *kind,
            folder: place.join(kind.name),
            options,
            peer: None,
        })
        .collect()
}

/// One phase, by every database in turn.
fn each(
    runners: &mut [Runner<'_>],
    results: &mut Results,
    goal: Goal,
    mut phase: impl FnMut(&Runner<'_>) -> Result<Figure>,
) -> Result<()> {
    for runner in runners {
        if runner.peer.is_none() {
            runner.open(Durability::Synced)?;
        }
        quiet::wait(&runner.folder)?;
        let figure =
            phase(runner).map_err(|error| format!("{}: {}: {error}", runner.kind.name, goal.what))?;
        results.note(goal, runner.kind.name, figure);
    }
    Ok(())
}

/// The best of some rounds.
fn best(mut round: impl FnMut() -> Result<Figure>) -> Result<Figure> {
    let mut best = round()?;
    for _ in 1..ROUNDS {
        best = better(best, round()?);
    }
    Ok(best)
}

fn better(one: Figure, other: Figure) -> Figure {
    match one.value >= other.value {
        true => one,
        false => other,
    }
}

/// As many flushes of single blocks as there are durable writes, on a quiet disk.
fn disk_flushes(folder: &Path) -> Result<Figure> {
    quiet::wait(folder)?;
    disk::flushes(folder, SINGLE_WRITES)
}

/// Single writes that wait for nothing. Each database was opened anew for this, so it first reads all it has: the others are measured warm, too.
fn unsynced(runners: &mut [Runner<'_>], results: &mut Results) -> Result<()> {
    for runner in runners.iter_mut() {
        runner.open(Durability::Unsynced)?;
    }
    each(runners, results, UNSYNCED, |runner| {
        phases::warm_up(runner.peer()?)?;
        quiet::wait(&runner.folder)?;
        phases::single_writes(runner.peer()?, 50_000, 13)
    })?;
    for runner in runners {
        runner.open(Durability::Synced)?;
    }
    Ok(())
}

/// Bytes on disk, before and after compaction, of the closed database.
fn sizes(runners: &mut [Runner<'_>], results: &mut Results) -> Result<()> {
    for runner in runners {
        runner.peer()?.checkpoint()?;
        runner.peer = None;
        results.note(SIZE, runner.kind.name, size(&runner.folder)?);
        runner.open(Durability::Synced)?;
        let compacted = match &mut runner.peer {
            Some(peer) => peer.compact()?,
            None => false,
        };
        runner.peer = None;
        if compacted {
            results.note(COMPACT, runner.kind.name, size(&runner.folder)?);
        }
    }
    Ok(())
}

fn size(folder: &Path) -> Result<Figure> {
    Ok(Figure {
        value: bytes_in(folder)? as f64,
        ..Figure::default()
    })
}

fn bytes_in(folder: &Path) -> Result<u64> {
    let mut bytes = 0;
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        bytes += if entry.file_type()?.is_dir() {
            bytes_in(&entry.path())?
        } else {
            allocated(&entry.metadata()?)
        };
    }
    Ok(bytes)
}

/// What a file really takes: some databases make sparse files.
fn allocated(file: &std::fs::Metadata) -> u64 {
    use std::os::unix::fs::MetadataExt;
    file.len().min(file.blocks() * 512)
}

/// Loading in key order, into databases of their own.
fn sorted(place: &Path, options: &Options, results: &mut Results) -> Result<()> {
    let mut runners = runners(&place.join("sorted"), options);
    each(&mut runners, results, SORTED, |runner| {
        phases::sorted_load(runner.peer()?, options.items)
    })
}
