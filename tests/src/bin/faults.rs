//! `faults`: runs the campaigns of the fault matrix and prints what came of each.

#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "it is a program for a terminal"
)]

use godb_tests::faults::{Campaign, PROBE, ROWS, Row, Tally, be_probe, note_panics};
use godb_tests::figures::{Figure, record_part};
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

const USAGE: &str = "usage: faults [--row N] [--part P] [--quick] [--seed N] [--number N] [--figures FOLDER]
  --row      only this row of the fault matrix   --quick    a sample that takes seconds
  --seed     for random choices                  --number   only the case of this number
  --part     only this part of it, such as sites
  --figures  write what was counted to files in this folder";

/// A case that takes longer than this hangs.
const PATIENCE: Duration = Duration::from_secs(120);

/// What was asked for.
#[derive(Default)]
struct Options {
    row: Option<u8>,
    part: Option<String>,
    quick: bool,
    seed: u64,
    number: Option<u64>,
    figures: Option<String>,
}

fn main() -> ExitCode {
    let mut words = std::env::args().skip(1);
    if let (Some(PROBE), Some(name)) = (words.next().as_deref(), words.next()) {
        return be_probe(&name);
    }
    let Some(options) = parse() else {
        println!("{USAGE}");
        return ExitCode::from(2);
    };
    note_panics();
    let wanted = |row: &&Row| {
        options.row.is_none_or(|number| number == row.number)
            && options.part.as_ref().is_none_or(|part| part == row.part)
    };
    let mut failed = 0;
    let mut lines = Vec::new();
    for row in ROWS.iter().filter(wanted) {
        let started = Instant::now();
        let campaign = run(row, &options);
        for tally in campaign.tallies() {
            lines.push(format!(
                "{:>3}  {:<42} {:<44} {:>9} {:>9}",
                row.number, row.fault, tally.what, tally.tried, tally.failures
            ));
        }
        for failure in campaign.failures().iter().take(20) {
            println!("{failure}");
        }
        failed += campaign.failures().len();
        if let Err(error) = figures(&campaign, row, &options) {
            println!("cannot write the figures: {error}");
            failed += 1;
        }
        println!(
            "row {}: {} failures, {:.1} s",
            row.number,
            campaign.failures().len(),
            started.elapsed().as_secs_f64()
        );
    }
    println!(
        "\n{:>3}  {:<42} {:<44} {:>9} {:>9}",
        "row", "fault", "tried", "count", "failures"
    );
    lines.iter().for_each(|line| println!("{line}"));
    match failed == 0 && !lines.is_empty() {
        true => ExitCode::SUCCESS,
        false => ExitCode::FAILURE,
    }
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
    // Other programs serve some of the rows as well.
    record_part(Path::new(folder), row.number, row.part, &figures)
}

fn parse() -> Option<Options> {
    let mut options = Options {
        seed: 1,
        ..Options::default()
    };
    let mut args = std::env::args().skip(1);
    while let Some(name) = args.next() {
        if name == "--quick" {
            options.quick = true;
            continue;
        }
        let value = args.next()?;
        match name.as_str() {
            "--row" => options.row = Some(value.parse().ok()?),
            "--part" => options.part = Some(value),
            "--seed" => options.seed = value.parse().ok()?,
            "--number" => options.number = Some(value.parse().ok()?),
            "--figures" => options.figures = Some(value),
            _ => return None,
        }
    }
    Some(options)
}

/// Runs a row under the eyes of a thread that tells how far it is, and ends the program when it hangs.
fn run(row: &Row, options: &Options) -> Campaign {
    let mut campaign = Campaign::new(row.number, options.quick, options.seed, options.number);
    let over = Arc::new(AtomicU64::new(0));
    let (number, done) = (campaign.number(), over.clone());
    let row_number = row.number;
    let watch = std::thread::spawn(move || watch(row_number, &number, &done));
    (row.run)(&mut campaign);
    over.store(1, Ordering::Relaxed);
    watch.thread().unpark();
    drop(watch.join());
    campaign
}

fn watch(row: u8, number: &AtomicU64, over: &AtomicU64) {
    let mut last = (0, Instant::now());
    let mut told = Instant::now();
    while over.load(Ordering::Relaxed) == 0 {
        std::thread::park_timeout(Duration::from_secs(1));
        let now = number.load(Ordering::Relaxed);
        if now != last.0 {
            last = (now, Instant::now());
        } else if last.1.elapsed() > PATIENCE {
            eprintln!("faults --row {row}: case {now} hangs");
            std::process::exit(3);
        }
        if told.elapsed() > Duration::from_secs(10) {
            told = Instant::now();
            eprintln!("row {row}: case {now}");
        }
    }
}
