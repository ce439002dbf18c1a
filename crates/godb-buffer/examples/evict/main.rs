//! Replays traces of page accesses through the pool with every eviction policy: `cargo xtask bench --evict`.
//!
//! The pool itself is asked, page by page, not a model of it: so what it leaves out (uses shortly after one another count as one) and what it does in batches (victims are taken
//! eight at a time) is in the figures. Beside the policies stands the best that any policy could do, which needs to know the future. The traces are the same in every run.
//!
//! Fails when the scan-resistant policy keeps fewer hits than CLOCK on the trace with scans.

#![expect(
    clippy::print_stdout,
    reason = "it is a program that reports on its standard output"
)]

mod optimal;
mod store;
mod traces;

use godb_buffer::sync::Arc;
use godb_buffer::{EvictionKind, NoLog, PageId, Pages, Pool};
use std::process::ExitCode;
use store::Blank;
use traces::{PAGES, SCANS, Trace};

/// Pool sizes, in percent of the pages.
const SIZES: [u32; 4] = [1, 5, 10, 25];

fn main() -> ExitCode {
    println!(
        "hits in percent; {PAGES} pages, {} accesses a trace",
        traces::ACCESSES
    );
    println!();
    print!("| trace | frames | optimal |");
    EvictionKind::ALL.iter().for_each(|kind| print!(" {kind} |"));
    println!(
        "\n| --- | --- | --- |{}",
        " --- |".repeat(EvictionKind::ALL.len())
    );
    let mut kept = true;
    for trace in traces::all() {
        for percent in SIZES {
            kept &= replay_all(&trace, PAGES * percent / 100);
        }
    }
    println!();
    if kept {
        println!("s3-fifo keeps at least as many hits as clock on `{SCANS}`");
        ExitCode::SUCCESS
    } else {
        println!("s3-fifo keeps fewer hits than clock on `{SCANS}`");
        ExitCode::FAILURE
    }
}

/// One line of the table; tells whether scans were resisted.
fn replay_all(trace: &Trace, frames: u32) -> bool {
    let size = usize::try_from(frames).expect("32 bits fit");
    let percent = |misses: u64| 100.0 - 100.0 * misses as f64 / trace.asked.len() as f64;
    print!(
        "| {} | {frames} | {:.2} |",
        trace.name,
        percent(optimal::misses(&trace.asked, size))
    );
    let misses = EvictionKind::ALL.map(|kind| misses(&trace.asked, size, kind));
    misses
        .iter()
        .for_each(|misses| print!(" {:.2} |", percent(*misses)));
    println!();
    let of = |kind| {
        EvictionKind::ALL
            .iter()
            .position(|other| *other == kind)
            .map(|at| misses[at])
    };
    trace.name != SCANS || of(EvictionKind::S3Fifo) <= of(EvictionKind::Clock)
}

/// How many pages a pool has to read for a trace.
fn misses(asked: &[u32], frames: usize, kind: EvictionKind) -> u64 {
    let pool = Pool::new(Blank, Arc::new(NoLog), frames, kind);
    for page in asked {
        drop(
            pool.read(PageId::from_raw(*page))
                .expect("every page can be read"),
        );
    }
    pool.stats().misses
}
