//! `real-faults`: runs the campaigns of the fault matrix that need real processes, files and file systems, and prints what came of each.

#![expect(clippy::print_stdout, reason = "it is a program for a terminal")]

use godb_tests::faults::{Campaign, Row, Tally};
use godb_tests::figures::{Figure, record_part};
use godb_tests::real::{ROWS, child};
use std::path::Path;
use std::process::ExitCode;
use std::time::Instant;

const USAGE: &str = "usage: real-faults [--row N] [--quick] [--seed N] [--number N] [--figures FOLDER]
  --row      only this row of the fault matrix   --quick    a sample that takes seconds
  --seed     for random choices                  --number   only the case of this number
  --figures  write what was counted to files in this folder";

/// What was asked for.
#[derive(Default)]
struct Options {
    row: Option<u8>,
    quick: bool,
    seed: u64,
    number: Option<u64>,
    figures: Option<String>,
}

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    if let Some(("child", rest)) = words.split_first().map(|(first, rest)| (first.as_str(), rest)) {
        return child(rest);
    }
    let Some(options) = parse(words) else {
        println!("{USAGE}");
        return ExitCode::from(2);
    };
    let wanted = |row: &&Row| options.row.is_none_or(|number| number == row.number);
    let rows: Vec<&Row> = ROWS.iter().filter(wanted).collect();
    let failed: usize = rows.iter().map(|row| run(row, &options)).sum();
    match failed == 0 && !rows.is_empty() {
        true => ExitCode::SUCCESS,
        false => ExitCode::FAILURE,
    }
}

fn parse(words: Vec<String>) -> Option<Options> {
    let mut options = Options {
        seed: 1,
        ..Options::default()
    };
    let mut words = words.into_iter();
    while let Some(name) = words.next() {
        if name == "--quick" {
            options.quick = true;
            continue;
        }
        let value = words.next()?;
        match name.as_str() {
            "--row" => options.row = Some(value.parse().ok()?),
            "--seed" => options.seed = value.parse().ok()?,
            "--number" => options.number = Some(value.parse().ok()?),
            "--figures" => options.figures = Some(value),
            _ => return None,
        }
    }
    Some(options)
}

/// Runs a row; tells how many failures there were.
fn run(row: &Row, options: &Options) -> usize {
    let started = Instant::now();
    let mut campaign = Campaign::new(row.number, options.quick, options.seed, options.number);
    (row.run)(&mut campaign);
    for failure in campaign.failures().iter().take(20) {
        println!("real-{failure}");
    }
    for tally in campaign.tallies() {
        let Tally {
            what,
            tried,
            failures,
        } = tally;
        println!(
            "{:>3}  {:<38} {what:<44} {tried:>7} {failures:>7}",
            row.number, row.fault
        );
    }
    println!("row {}: {:.1} s", row.number, started.elapsed().as_secs_f64());
    let written = figures(&campaign, row, options);
    if let Err(error) = &written {
        println!("cannot write the figures: {error}");
    }
    campaign.failures().len() + usize::from(written.is_err())
}

/// Writes what was counted, when that was asked for and everything was tried.
fn figures(campaign: &Campaign, row: &Row, options: &Options) -> std::io::Result<()> {
    let (Some(folder), false, None) = (&options.figures, options.quick, options.number) else {
        return Ok(());
    };
    let figure = |tally: &Tally| Figure {
        row: row.number,
        what: tally.what.to_owned(),
        tried: tally.tried,
        failures: tally.failures,
    };
    let figures: Vec<Figure> = campaign.tallies().iter().map(figure).collect();
    record_part(Path::new(folder), row.number, "real", &figures)
}
