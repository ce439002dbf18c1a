//! `real-faults`: the real program on real files, made to fail from outside, row by row of the fault matrix.

#![expect(clippy::print_stdout, reason = "it is a program for a terminal")]

use godb_tests::faults::{Campaign, Row, Tally, note_panics};
use godb_tests::figures::{Figure, record_part};
use godb_tests::real::{ROWS, worker};
use std::path::Path;
use std::process::ExitCode;
use std::time::Instant;

const USAGE: &str = "usage: real-faults [--row N] [--quick] [--seed N] [--number N] [--figures FOLDER]
  --row      only this row of the fault matrix   --quick    a sample that takes seconds
  --seed     for random choices                  --number   only the case of this number
  --figures  write what was counted to files in this folder";

/// What was asked for.
struct Options {
    row: Option<u8>,
    quick: bool,
    seed: u64,
    number: Option<u64>,
    figures: Option<String>,
}

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    if words.first().is_some_and(|word| word == "--work") {
        return exit(worker::work(&words[1..]));
    }
    let Some(options) = parse(&words) else {
        println!("{USAGE}");
        return ExitCode::from(2);
    };
    note_panics();
    let mut failures = 0;
    for row in ROWS
        .iter()
        .filter(|row| options.row.is_none_or(|number| number == row.number))
    {
        failures += run(row, &options);
    }
    exit(failures == 0)
}

fn exit(well: bool) -> ExitCode {
    if well {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

/// Runs a row, prints what came of it, and returns how much failed.
fn run(row: &Row, options: &Options) -> usize {
    let started = Instant::now();
    let mut campaign = Campaign::new(row.number, options.quick, options.seed, options.number);
    (row.run)(&mut campaign);
    for failure in campaign.failures().iter().take(20) {
        println!("real-{failure}");
    }
    for tally in campaign.tallies() {
        println!(
            "{:>3}  {:<34} {:<40} {:>7} tried, {} failed",
            row.number, row.fault, tally.what, tally.tried, tally.failures
        );
    }
    println!("row {}: {:.1} s", row.number, started.elapsed().as_secs_f64());
    let mut failures = campaign.failures().len();
    if let Err(error) = figures(&campaign, options) {
        println!("cannot write the figures: {error}");
        failures += 1;
    }
    failures
}

/// Writes what was counted, when that was asked for and everything was tried.
fn figures(campaign: &Campaign, options: &Options) -> std::io::Result<()> {
    let (Some(folder), false, None) = (&options.figures, options.quick, options.number) else {
        return Ok(());
    };
    let row = campaign.row();
    let figure = |tally: &Tally| Figure {
        row,
        what: tally.what.to_owned(),
        tried: tally.tried,
        failures: tally.failures,
    };
    let figures: Vec<Figure> = campaign.tallies().iter().map(figure).collect();
    record_part(Path::new(folder), row, "real", &figures)
}

fn parse(words: &[String]) -> Option<Options> {
    let mut options = Options {
        row: None,
        quick: false,
        seed: 1,
        number: None,
        figures: None,
    };
    let mut words = words.iter();
    while let Some(word) = words.next() {
        if word == "--quick" {
            options.quick = true;
            continue;
        }
        let value = words.next()?;
        match word.as_str() {
            "--row" => options.row = Some(value.parse().ok()?),
            "--seed" => options.seed = value.parse().ok()?,
            "--number" => options.number = Some(value.parse().ok()?),
            "--figures" => options.figures = Some(value.clone()),
            _ => return None,
        }
    }
    Some(options)
}
