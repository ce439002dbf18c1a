//! Benchmarks of godb beside its peers, in one run: `cargo xtask bench` (key-value stores), `cargo xtask bench --sqlite`,
//! `cargo xtask bench --recovery` (start-up after a kill), `cargo xtask bench --larger-than-memory`,
//! `cargo xtask bench --txn` (transactions).
//!
//! Absolute times belong to a machine; what is judged is the ratio to the peer that ran a moment before or after.
//! Each measurement is taken several times, interleaved, and the median counts.

#![expect(clippy::print_stdout, reason = "a benchmark prints its table")]

mod flights;
mod kv;
mod measure;
mod memory;
mod point;
mod recovery;
mod report;
mod txn;

use report::Report;
use std::path::PathBuf;
use std::process::ExitCode;

/// What goes wrong in a benchmark is shown and ends it.
type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    if let Some(at) = args.iter().position(|arg| arg == "--load-in-this-process") {
        return memory::load(&PathBuf::from(&args[at + 1]), &PathBuf::from(&args[at + 2]));
    }
    if args.first().is_some_and(|arg| arg == "--recovery-worker") {
        return recovery::work(&args[1..]);
    }
    if args.first().is_some_and(|arg| arg == kv::larger::WORKER) {
        return kv::larger::work(&args[1..]);
    }
    match run(&args) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            println!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Runs the comparison that the options name.
fn run(args: &[String]) -> Result<()> {
    match args.first().map(String::as_str) {
        Some("--sqlite") => sqlite(),
        Some("--recovery") => recovery::run(&args[1..]),
        Some("--txn") => txn::run(&args[1..]),
        Some("--larger-than-memory") => kv::larger::run(&args[1..]),
        _ => kv::run(&kv::Options::parse(args)?),
    }
}

/// Runs every comparison with SQLite and prints the table.
fn sqlite() -> Result<()> {
    let mut report = Report::default();
    match flights::data() {
        Some(data) => {
            flights::compare(&data, &mut report)?;
            memory::measure(&data, &mut report)?;
        }
        None => println!("the flights data is not here: loading and queries are skipped"),
    }
    point::compare(&mut report)?;
    report.size_of_empty(point::empty_size()?);
    println!("{report}");
    Ok(())
}
