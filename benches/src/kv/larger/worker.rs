//! The processes of the comparison: one that loads, and one that reads and writes under the limit.

use crate::Result;
use crate::kv::figure::{Figure, Stopwatch, percentiles};
use crate::kv::peer::{Durability, Opening, Peer, Session};
use crate::kv::{Zipf, numbered_pair, open_peer};
use std::hint::black_box;
use std::io::Write;
use std::ops::ControlFlow;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::{Duration, Instant};

/// Pairs of a loading transaction.
const LOADED_AT_ONCE: u64 = 50_000;

/// Keys that are read in one snapshot, and pairs that are written in one transaction, between looks at the clock.
const AT_ONCE: u64 = 100;

/// Runs the role that the arguments name: `load` or `measure`, database, folder, items, bytes of cache, seconds a phase, and the file by which to join the limited group.
pub(crate) fn work(arguments: &[String]) -> ExitCode {
    match try_work(arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            println!("{error}");
            ExitCode::FAILURE
        }
    }
}

fn try_work(arguments: &[String]) -> Result<()> {
    let [role, name, folder, items, cache, seconds, group @ ..] = arguments else {
        return Err("six arguments are needed".into());
    };
    if let [procs] = group {
        std::fs::write(procs, std::process::id().to_string())?;
    }
    let folder = PathBuf::from(folder);
    let is_load = role == "load";
    let peer = open_peer(
        name,
        &Opening {
            folder: &folder,
            cache: cache.parse()?,
            durability: match is_load {
                true => Durability::Unsynced,
                false => Durability::Synced,
            },
            checkpoints: true,
            larger_than_memory: true,
        },
    )?;
    let items = items.parse()?;
    match is_load {
        true => load(&*peer, items),
        false => measure(&*peer, items, Duration::from_secs(seconds.parse()?)),
    }
}

fn load(peer: &dyn Peer, items: u64) -> Result<()> {
    let mut session = peer.session()?;
    for first in (0..items).step_by(usize::try_from(LOADED_AT_ONCE)?) {
        put_numbers(&mut *session, first..items.min(first + LOADED_AT_ONCE), 0)?;
    }
    drop(session);
    peer.checkpoint()
}

/// Bytes at the beginning of a value that say which write it is from: a database that sees the bytes it has already need not write them.
const STAMP: usize = 8;

fn put_numbers(session: &mut dyn Session, numbers: impl Iterator<Item = u64>, stamp: u64) -> Result<()> {
    let numbers: Vec<u64> = numbers.collect();
    session.write(&mut |tx| {
        for number in &numbers {
            let (key, mut value) = numbered_pair(*number);
            value[..STAMP].copy_from_slice(&stamp.to_le_bytes());
            tx.put(&key, &value)?;
        }
        Ok(())
    })
}

/// All phases; each is told as one line.
fn measure(peer: &dyn Peer, items: u64, time: Duration) -> Result<()> {
    let mut random = fastrand::Rng::with_seed(5);
    let zipf = Zipf::new(items);
    let mut session = peer.session()?;
    tell(&scan(&mut *session, time)?)?;
    tell(&reads(&mut *session, time, || random.u64(..items))?)?;
    tell(&reads(&mut *session, time, || zipf.draw(&mut random))?)?;
    tell(&mixed(&mut *session, time, || zipf.draw(&mut random))?)
}

fn tell(figure: &Figure) -> Result<()> {
    println!("{}", serde_json::to_string(figure)?);
    Ok(std::io::stdout().flush()?)
}

/// Visits pairs in the order of their keys, until the time is over or there are no more.
fn scan(session: &mut dyn Session, time: Duration) -> Result<Figure> {
    let watch = Stopwatch::start();
    let begun = Instant::now();
    let mut count = 0;
    session.read(&mut |view| {
        view.scan(&[], &mut |_, value| {
            black_box(value[0]);
            count += 1;
            match count % 1024 == 0 && begun.elapsed() >= time {
                true => ControlFlow::Break(()),
                false => ControlFlow::Continue(()),
            }
        })
    })?;
    Ok(watch.stop(count))
}

/// Reads, one after the other.
fn reads(session: &mut dyn Session, time: Duration, mut draw: impl FnMut() -> u64) -> Result<Figure> {
    let watch = Stopwatch::start();
    let begun = Instant::now();
    let mut times = Vec::new();
    while begun.elapsed() < time {
        read_some(session, &mut draw, &mut times)?;
    }
    let mut figure = watch.stop(times.len() as u64);
    figure.latency = percentiles(times);
    Ok(figure)
}

/// Some reads in one snapshot, each timed.
fn read_some(
    session: &mut dyn Session,
    draw: &mut dyn FnMut() -> u64,
    times: &mut Vec<Duration>,
) -> Result<()> {
    session.read(&mut |view| {
        for _ in 0..AT_ONCE {
            let (key, value) = numbered_pair(draw());
            let begun = Instant::now();
            let mut right = false;
            view.get(&key, &mut |found| {
                right = found.get(STAMP..) == value.get(STAMP..);
            })?;
            times.push(begun.elapsed());
            if !right {
                return Err("a value is not what was written".into());
            }
        }
        Ok(())
    })
}

/// Reads and durable writes by turns, as many of the one as of the other.
fn mixed(session: &mut dyn Session, time: Duration, mut draw: impl FnMut() -> u64) -> Result<Figure> {
    let watch = Stopwatch::start();
    let begun = Instant::now();
    let mut count = 0;
    while begun.elapsed() < time {
        read_some(session, &mut draw, &mut Vec::new())?;
        put_numbers(session, (0..AT_ONCE).map(|_| draw()), count + 1)?;
        count += 2 * AT_ONCE;
    }
    Ok(watch.stop(count))
}
