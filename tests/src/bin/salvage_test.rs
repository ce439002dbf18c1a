//! `salvage-test`: damages databases at random and salvages them.

#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "it is a program for a terminal"
)]

use godb_tests::faults::{Campaign, note_panics};
use godb_tests::figures::{Figure, record_part};
use godb_tests::salvage;
use std::path::Path;
use std::process::ExitCode;
use std::time::Instant;

const USAGE: &str =
    "usage: salvage-test [--quick] [--row 9] [--seed N] [--times N] [--number N] [--figures FOLDER]
  --quick    a sample that takes seconds         --times    how many random damages (default 1000)
  --seed     for random choices                  --number   only the case of this number
  --figures  write what was counted to a file in this folder";

/// The row of the fault matrix that it serves.
const ROW: u8 = 9;

fn main() -> ExitCode {
    let (mut quick, mut seed, mut times, mut number, mut figures) = (false, 1, 1000, None, None);
    let mut words = std::env::args().skip(1);
    while let Some(name) = words.next() {
        let value = match name.as_str() {
            "--quick" => None,
            _ => words.next(),
        };
        let count = value.as_deref().and_then(|value| value.parse::<u64>().ok());
        match (name.as_str(), count) {
            ("--quick", _) => (quick, times) = (true, 100),
            ("--row", Some(row)) if row == u64::from(ROW) => {}
            ("--seed", Some(count)) => seed = count,
            ("--times", Some(count)) => times = count,
            ("--number", Some(count)) => number = Some(count),
            ("--figures", _) => figures = value,
            _ => {
                println!("{USAGE}");
                return ExitCode::from(2);
            }
        }
    }
    note_panics();
    let started = Instant::now();
    let mut campaign = Campaign::new(ROW, quick, seed, number);
    let sums = salvage::run(&mut campaign, times);
    for failure in campaign.failures().iter().take(20) {
        println!("{}", failure.replace("faults --row 9", "salvage-test"));
    }
    println!(
        "{times} damages, {} failures, {:.1} s: of {} rows {} were demanded back, and {} came; {} databases could be repaired",
        campaign.failures().len(),
        started.elapsed().as_secs_f64(),
        sums.there,
        sums.demanded,
        sums.returned,
        sums.repaired
    );
    if let Some(folder) = figures {
        let lines = campaign.tallies().iter().map(|tally| Figure {
            row: ROW,
            what: tally.what.to_owned(),
            tried: tally.tried,
            failures: tally.failures,
        });
        if let Err(error) = record_part(Path::new(&folder), ROW, "salvage", &lines.collect::<Vec<_>>()) {
            eprintln!("{folder}: {error}");
            return ExitCode::FAILURE;
        }
    }
    match campaign.failures().is_empty() {
        true => ExitCode::SUCCESS,
        false => ExitCode::FAILURE,
    }
}
