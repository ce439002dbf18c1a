//! `crash-test`: tries every fault at every moment of every workload, and prints what came of it.

#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "it is a program for a terminal"
)]

use godb_tests::crash::{
    Effort, Failure, Fault, Outcome, PLANTS, Tester, Workload, by_name, plant, random, scripted, shrink,
};
use godb_tests::figures::{Figure, record, record_part};
use indicatif::{ProgressBar, ProgressStyle};
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

const USAGE: &str = "usage: crash-test [OPTION]...
  --quick            what a build can afford       --full             what the figures ask for
  --workload NAME    only this one: a script, put+split+reopen, random-7
  --fault NAME       only this one                 --list             the workloads and faults there are
  --seed N           for random choices            --jobs N           workloads tried at once
  --minutes N        so long: after the scripts, random workloads until the time is over
  --at N --case N    only this moment, this case: what a failure says
  --plant NAME       with this bug built in, in a build with `--cfg godb_plants`; --plant list names them
  --no-shrink        leave failing workloads as they are
  --figures FOLDER   write what was counted to files in this folder";

/// How long one failing workload may be made smaller.
const SHRINKING: Duration = Duration::from_secs(60);

/// What was asked for.
struct Options {
    workload: Option<Workload>,
    fault: Option<Fault>,
    tester: Tester,
    triples: bool,
    /// So many random workloads after the scripts.
    random: u64,
    started: Instant,
    minutes: u64,
    jobs: usize,
    shrink: bool,
    figures: Option<PathBuf>,
}

impl Options {
    /// Whether there was a time, and it is over.
    fn is_over(&self) -> bool {
        self.minutes > 0 && self.started.elapsed() >= Duration::from_secs(60 * self.minutes)
    }
}

fn main() -> ExitCode {
    let options = match parse() {
        Ok(Some(options)) => options,
        Ok(None) => return ExitCode::SUCCESS,
        Err(wrong) => {
            eprintln!("{wrong}\n{USAGE}");
            return ExitCode::from(2);
        }
    };
    // A panic inside the engine is a failure that is reported in its place.
    std::panic::set_hook(Box::new(|_| {}));
    let mut total = Total::default();
    let workloads = match &options.workload {
        Some(one) => vec![one.clone()],
        None => scripted(options.triples),
    };
    round(&options, &workloads, "scripts", &mut total);
    let mut seed = options.tester.seed;
    if options.random > 0 && options.workload.is_none() {
        let workloads: Vec<Workload> = (0..options.random).map(|n| random(seed + n)).collect();
        round(&options, &workloads, &format!("random from {seed}"), &mut total);
        seed += options.random;
    }
    while options.minutes > 0 && !options.is_over() {
        let workloads: Vec<Workload> = (0..8 * options.jobs as u64).map(|n| random(seed + n)).collect();
        round(&options, &workloads, &format!("random from {seed}"), &mut total);
        seed += workloads.len() as u64;
    }
    finish(&options, &total, options.started.elapsed())
}

fn parse() -> Result<Option<Options>, String> {
    let mut options = Options {
        workload: None,
        fault: None,
        tester: Tester {
            seed: 1,
            effort: Effort::normal(),
            at: None,
            case: None,
        },
        triples: false,
        random: 40,
        started: Instant::now(),
        minutes: 0,
        jobs: 1,
        shrink: true,
        figures: None,
    };
    let mut args = std::env::args().skip(1);
    while let Some(name) = args.next() {
        if flag(&name, &mut options) {
            continue;
        }
        if name == "--list" {
            list();
            return Ok(None);
        }
        let value = args
            .next()
            .ok_or_else(|| format!("`{name}` is no option, or lacks its value"))?;
        option(&name, &value, &mut options)?;
    }
    Ok(Some(options))
}

/// An option without a value.
fn flag(name: &str, options: &mut Options) -> bool {
    match name {
        "--quick" => options.tester.effort = Effort::quick(),
        "--full" => {
            options.tester.effort = Effort::full();
            options.triples = true;
            options.random = 500;
        }
        "--no-shrink" => options.shrink = false,
        _ => return false,
    }
    true
}

/// An option with one.
fn option(name: &str, value: &str, options: &mut Options) -> Result<(), String> {
    let number = || {
        value
            .parse::<u64>()
            .map_err(|_| format!("`{value}` is no number"))
    };
    match name {
        "--workload" => {
            options.workload = Some(by_name(value).ok_or_else(|| format!("there is no workload `{value}`"))?);
        }
        "--fault" => {
            options.fault =
                Some(Fault::by_name(value).ok_or_else(|| format!("there is no fault `{value}`"))?);
        }
        "--seed" => options.tester.seed = number()?,
        "--at" => options.tester.at = Some(number()?),
        "--case" => options.tester.case = Some(number()?),
        "--minutes" => options.minutes = number()?,
        "--jobs" => options.jobs = usize::try_from(number()?.max(1)).map_err(|error| error.to_string())?,
        "--plant" => planted(value)?,
        "--figures" => options.figures = Some(PathBuf::from(value)),
        _ => return Err(format!("there is no option `{name}`")),
    }
    Ok(())
}

/// Builds a bug in, for this process.
fn planted(name: &str) -> Result<(), String> {
    if name == "list" {
        return Err(PLANTS.join("\n"));
    }
    match plant(name) {
        true => Ok(()),
        false => Err(format!("this build has no bug `{name}`")),
    }
}

fn list() {
    for fault in Fault::ALL {
        println!("fault     {fault}");
    }
    for workload in scripted(false) {
        println!("workload  {}", workload.name);
    }
}

/// What came of everything so far.
#[derive(Default)]
struct Total {
    table: BTreeMap<Fault, Outcome>,
    workloads: u64,
    shrunk: Vec<(Workload, Failure)>,
}

/// Every fault on each of these workloads.
fn round(options: &Options, workloads: &[Workload], what: &str, total: &mut Total) {
    let faults = Fault::ALL
        .into_iter()
        .filter(|fault| options.fault.is_none_or(|only| only == *fault));
    let faults: Vec<Fault> = faults.collect();
    let tasks: Vec<(&Workload, Fault)> = workloads
        .iter()
        .flat_map(|workload| faults.iter().map(move |fault| (workload, *fault)))
        .filter(|(workload, fault)| workloads.len() == 1 || options.tester.meets(workload, *fault))
        .collect();
    let bar = bar(tasks.len(), what);
    let next = AtomicUsize::new(0);
    let sum = Mutex::new(&mut *total);
    std::thread::scope(|scope| {
        for _ in 0..options.jobs {
            scope.spawn(|| {
                while let Some((workload, fault)) = tasks.get(next.fetch_add(1, Ordering::Relaxed))
                    && !options.is_over()
                {
                    bar.set_message(format!("{fault} on {}", workload.name));
                    one(options, workload, *fault, &sum);
                    bar.inc(1);
                }
            });
        }
    });
    bar.finish_and_clear();
    total.workloads += workloads.len() as u64;
}

fn bar(length: usize, what: &str) -> ProgressBar {
    let style = ProgressStyle::with_template("{prefix} [{elapsed_precise}] {bar:30} {pos}/{len} {msg}")
        .unwrap_or_else(|_| ProgressStyle::default_bar());
    ProgressBar::new(length as u64)
        .with_style(style)
        .with_prefix(what.to_owned())
}

/// One fault on one workload.
fn one(options: &Options, workload: &Workload, fault: Fault, total: &Mutex<&mut Total>) {
    let outcome = options.tester.test(workload, fault);
    let failure = outcome.failures.first().cloned();
    for failure in &outcome.failures {
        eprintln!("{failure}");
    }
    let lock = || total.lock().expect("no thread panics while it counts");
    let first = {
        let mut total = lock();
        let sum = total.table.entry(fault).or_default();
        let first = sum.failures.is_empty();
        sum.add(outcome);
        first
    };
    // The first failure of each fault is made small; the others are most often the same.
    if let (Some(failure), true) = (failure, first && options.shrink && options.tester.at.is_none()) {
        let smallest = shrink(&options.tester, workload, failure, SHRINKING);
        lock().shrunk.push(smallest);
    }
}

/// The table, the failures, the figures.
fn finish(options: &Options, total: &Total, took: Duration) -> ExitCode {
    println!(
        "{:<14} {:>10} {:>12} {:>12} {:>9}",
        "fault", "moments", "states", "distinct", "failures"
    );
    for (fault, outcome) in &total.table {
        println!(
            "{fault:<14} {:>10} {:>12} {:>12} {:>9}",
            outcome.moments,
            outcome.states,
            outcome.opened,
            outcome.failures.len()
        );
    }
    let sum = |of: fn(&Outcome) -> u64| total.table.values().map(of).sum::<u64>();
    let (states, opened) = (sum(|outcome| outcome.states), sum(|outcome| outcome.opened));
    let failures = sum(|outcome| outcome.failures.len() as u64);
    println!(
        "{} workloads, {states} states, {:.0} s, {:.2} ms for each distinct state and job",
        total.workloads,
        took.as_secs_f64(),
        took.as_secs_f64() * 1e3 * options.jobs as f64 / opened.max(1) as f64
    );
    for (workload, failure) in &total.shrunk {
        println!("\nthe smallest workload found that fails:\n{workload}  {failure}");
    }
    if let Some(folder) = &options.figures
        && let Err(error) = write_figures(folder, total, took)
    {
        eprintln!("the figures could not be written: {error}");
        return ExitCode::FAILURE;
    }
    if failures == 0 && states > 0 {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

/// The row of the fault matrix that a fault serves, the measure, and what counts.
fn measure(fault: Fault, outcome: &Outcome) -> (u8, &'static str, u64) {
    match fault {
        Fault::PowerLoss => (1, "crash points", outcome.moments),
        Fault::AnySubset => (2, "subsets of unsynced changes", outcome.states),
        Fault::TornWrites => (3, "torn writes", outcome.states),
        Fault::LostNames => (4, "names and lengths lost apart", outcome.states),
        Fault::FailedSync => (5, "failed syncs of workloads", outcome.moments),
        Fault::FullDisk => (6, "full disks of workloads", outcome.moments),
        Fault::InRecovery => (13, "crashes within recovery", outcome.states),
        Fault::Clock => (18, "moments under a bad clock", outcome.states),
    }
}

fn write_figures(folder: &std::path::Path, total: &Total, took: Duration) -> std::io::Result<()> {
    let failures: u64 = total
        .table
        .values()
        .map(|outcome| outcome.failures.len() as u64)
        .sum();
    for (fault, outcome) in &total.table {
        let (row, what, tried) = measure(*fault, outcome);
        let figure = |what: &str, tried: u64, failures: u64| Figure {
            row,
            what: what.to_owned(),
            tried,
            failures,
        };
        let mut figures = vec![figure(what, tried, outcome.failures.len() as u64)];
        if row == 18 {
            figures.push(figure("seeds of clocks", outcome.runs, 0));
        }
        if row == 1 {
            figures.push(figure("workloads", total.workloads, 0));
            figures.push(figure("minutes of all faults", took.as_secs() / 60, failures));
        }
        match row {
            5 | 6 => record_part(folder, row, "workloads", &figures)?,
            _ => record(folder, row, &figures)?,
        }
    }
    Ok(())
}
