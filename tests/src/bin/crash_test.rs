//! `crash-test`: tries every fault at every moment of every workload, and prints what came of it.

#![expect(clippy::print_stdout, reason = "it is a program for a terminal")]

use godb_tests::crash::{Fault, Outcome, Tester, Workload, all};
use std::collections::BTreeMap;
use std::process::ExitCode;
use std::time::{Duration, Instant};

const USAGE: &str =
    "usage: crash-test [--workload NAME] [--fault NAME] [--seed N] [--subsets N] [--stride N] [--minutes N]
  --workload  only this one             --fault    only this one
  --seed      for random choices        --subsets  random subsets of unsynced writes at each moment
  --stride    every n-th moment only    --minutes  go on with further seeds until this time is over";

/// What was asked for.
struct Options {
    workload: Option<String>,
    fault: Option<String>,
    seed: u64,
    subsets: u64,
    stride: u64,
    minutes: u64,
}

fn main() -> ExitCode {
    let Some(options) = parse() else {
        println!("{USAGE}");
        return ExitCode::from(2);
    };
    // A panic inside the engine is a failure that is reported in its place.
    std::panic::set_hook(Box::new(|_| {}));
    let end = Instant::now() + Duration::from_secs(60 * options.minutes);
    let mut table: BTreeMap<&'static str, Outcome> = BTreeMap::new();
    let mut seed = options.seed;
    loop {
        round(&options, seed, &mut table);
        seed += 1;
        if Instant::now() >= end {
            break;
        }
    }
    report(&table)
}

fn parse() -> Option<Options> {
    let mut options = Options {
        workload: None,
        fault: None,
        seed: 1,
        subsets: 8,
        stride: 1,
        minutes: 0,
    };
    let mut args = std::env::args().skip(1);
    while let Some(name) = args.next() {
        let value = args.next()?;
        match name.as_str() {
            "--workload" => options.workload = Some(value),
            "--fault" => options.fault = Some(value),
            "--seed" => options.seed = value.parse().ok()?,
            "--subsets" => options.subsets = value.parse().ok()?,
            "--stride" => options.stride = value.parse().ok().filter(|stride| *stride > 0)?,
            "--minutes" => options.minutes = value.parse().ok()?,
            _ => return None,
        }
    }
    Some(options)
}

/// Every fault on every workload, with one seed.
fn round(options: &Options, seed: u64, table: &mut BTreeMap<&'static str, Outcome>) {
    let tester = Tester {
        seed,
        subsets: options.subsets,
        stride: options.stride,
    };
    let chosen = |workload: &Workload| options.workload.as_ref().is_none_or(|name| name == workload.name);
    for workload in all().into_iter().filter(chosen) {
        for fault in Fault::ALL
            .into_iter()
            .filter(|fault| options.fault.as_ref().is_none_or(|name| name == fault.name()))
        {
            let outcome = tester.test(&workload, fault);
            let sum = table.entry(fault.name()).or_default();
            sum.states += outcome.states;
            sum.failures.extend(outcome.failures);
        }
    }
}

/// The table, then the failures.
fn report(table: &BTreeMap<&'static str, Outcome>) -> ExitCode {
    println!("{:<26} {:>10} {:>9}", "fault", "states", "failures");
    for (fault, outcome) in table {
        println!("{fault:<26} {:>10} {:>9}", outcome.states, outcome.failures.len());
    }
    let failures: Vec<&String> = table.values().flat_map(|outcome| &outcome.failures).collect();
    for failure in failures.iter().take(20) {
        println!("crash-test {failure}");
    }
    let states: u64 = table.values().map(|outcome| outcome.states).sum();
    if failures.is_empty() && states > 0 {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}
