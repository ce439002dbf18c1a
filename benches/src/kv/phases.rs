//! The phases of the comparison, after the redb project's own benchmark.

use super::data::{self, Pairs};
use super::figure::{Figure, Stopwatch, percentiles};
use super::peer::{Peer, Session};
use crate::Result;
use std::hint::black_box;
use std::ops::ControlFlow;
use std::time::Instant;

/// The seed of what is loaded; what is written afterwards has others.
const LOADED: u64 = 1;

/// Pairs of a batch.
const BATCH: u64 = 1000;

/// Loads everything in random order, in one transaction.
pub(super) fn bulk_load(peer: &dyn Peer, items: u64) -> Result<Figure> {
    let watch = Stopwatch::start();
    let mut session = peer.session()?;
    put_some(&mut *session, &mut Pairs::new(LOADED), items)?;
    drop(session);
    Ok(watch.stop(items))
}

/// Loads keys in their order, in one transaction.
pub(super) fn sorted_load(peer: &dyn Peer, items: u64) -> Result<Figure> {
    let watch = Stopwatch::start();
    let mut pairs = Pairs::new(2);
    peer.session()?.write(&mut |tx| {
        for number in 0..items {
            let (_, value) = pairs.next_pair();
            tx.put(&data::sorted_key(number), value)?;
        }
        Ok(())
    })?;
    Ok(watch.stop(items))
}

fn put_some(session: &mut dyn Session, pairs: &mut Pairs, count: u64) -> Result<()> {
    session.write(&mut |tx| {
        for _ in 0..count {
            let (key, value) = pairs.next_pair();
            tx.put(key, value)?;
        }
        Ok(())
    })
}

/// One pair a transaction.
pub(super) fn single_writes(peer: &dyn Peer, count: u64, seed: u64) -> Result<Figure> {
    let watch = Stopwatch::start();
    let mut session = peer.session()?;
    let mut pairs = Pairs::new(seed);
    let mut times = Vec::new();
    for _ in 0..count {
        let begun = Instant::now();
        put_some(&mut *session, &mut pairs, 1)?;
        times.push(begun.elapsed());
    }
    let mut figure = watch.stop(count);
    figure.latency = percentiles(times);
    Ok(figure)
}

/// A thousand pairs a transaction; counted in pairs.
pub(super) fn batches(peer: &dyn Peer, batches: u64, seed: u64) -> Result<Figure> {
    let watch = Stopwatch::start();
    let mut session = peer.session()?;
    let mut pairs = Pairs::new(seed);
    for _ in 0..batches {
        put_some(&mut *session, &mut pairs, BATCH)?;
    }
    Ok(watch.stop(batches * BATCH))
}

/// One pair a transaction, by several threads.
pub(super) fn commits(peer: &dyn Peer, threads: u64, count: u64, seed: u64) -> Result<Figure> {
    let watch = Stopwatch::start();
    on_threads(threads, |thread| {
        let mut session = peer.session()?;
        let mut pairs = Pairs::new(seed + thread);
        for _ in 0..count / threads {
            put_some(&mut *session, &mut pairs, 1)?;
        }
        Ok(())
    })?;
    Ok(watch.stop(count / threads * threads))
}

/// Reads every pair, untimed.
pub(super) fn warm_up(peer: &dyn Peer) -> Result<()> {
    peer.session()?.read(&mut |view| {
        view.scan(&[], &mut |key, value| {
            black_box((key, value));
            ControlFlow::Continue(())
        })
    })
}

/// Counts the pairs.
pub(super) fn count(peer: &dyn Peer) -> Result<Figure> {
    let watch = Stopwatch::start();
    peer.session()?.read(&mut |view| {
        black_box(view.count()?);
        Ok(())
    })?;
    Ok(watch.stop(1))
}

/// Reads loaded keys, each thread its share, in the order in which they were loaded: an order that is random to the tree.
pub(super) fn random_reads(peer: &dyn Peer, threads: u64, items: u64) -> Result<Figure> {
    let starts = shares(threads, items);
    let watch = Stopwatch::start();
    on_threads(threads, |thread| {
        let mut pairs = starts[usize::try_from(thread)?].clone();
        peer.session()?.read(&mut |view| {
            for _ in 0..items / threads {
                let (key, value) = pairs.next_pair();
                let mut first = None;
                view.get(key, &mut |found| first = found.first().copied())?;
                if first != Some(value[0]) {
                    return Err("a value is not what was written".into());
                }
            }
            Ok(())
        })
    })?;
    Ok(watch.stop(items / threads * threads))
}

/// Where each thread's share of the loaded pairs begins.
fn shares(threads: u64, items: u64) -> Vec<Pairs> {
    let mut pairs = Pairs::new(LOADED);
    let mut starts = Vec::new();
    for _ in 0..threads {
        starts.push(pairs.clone());
        if threads > 1 {
            for _ in 0..items / threads {
                pairs.next_pair();
            }
        }
    }
    starts
}

/// Ten pairs from a random key on.
pub(super) fn range_reads(peer: &dyn Peer, count: u64) -> Result<Figure> {
    let watch = Stopwatch::start();
    let mut pairs = Pairs::new(3);
    peer.session()?.read(&mut |view| {
        for _ in 0..count {
            let (key, _) = pairs.next_pair();
            let mut left = 10;
            view.scan(key, &mut |_, value| {
                black_box(value[0]);
                left -= 1;
                if left == 0 {
                    ControlFlow::Break(())
                } else {
                    ControlFlow::Continue(())
                }
            })?;
        }
        Ok(())
    })?;
    Ok(watch.stop(count))
}

/// Removes half of what was loaded, in one transaction.
pub(super) fn removals(peer: &dyn Peer, items: u64) -> Result<Figure> {
    let watch = Stopwatch::start();
    let mut pairs = Pairs::new(LOADED);
    peer.session()?.write(&mut |tx| {
        for _ in 0..items / 2 {
            let (key, _) = pairs.next_pair();
            tx.remove(key)?;
        }
        Ok(())
    })?;
    Ok(watch.stop(items / 2))
}

/// Runs `body` on several threads, each with its number, and waits for them.
fn on_threads(threads: u64, body: impl Fn(u64) -> Result<()> + Sync) -> Result<()> {
    if threads == 1 {
        return body(0);
    }
    std::thread::scope(|scope| {
        let body = &body;
        let running: Vec<_> = (0..threads)
            .map(|thread| scope.spawn(move || body(thread).map_err(|error| error.to_string())))
            .collect();
        for thread in running {
            thread.join().map_err(|_| "a thread panicked")??;
        }
        Ok(())
    })
}
