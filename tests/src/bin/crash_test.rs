//! `crash-test`: tries every fault at every moment of every workload, and prints what came of it.

#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "it is a program for a terminal"
)]

use godb_tests::crash::{
    Campaign, Effort, Event, Fault, Outcome, PLANTS, Plant, Plantation, Tester, Total, by_name, line_of,
    plant, scripted, triples,
};
use godb_tests::figures::{Figure, record, record_part};
use indicatif::{ProgressBar, ProgressStyle};
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

const USAGE: &str = "usage: crash-test [OPTION]...
  --quick            what a build can afford       --full             what the figures ask for
  --workload NAME    only this one: a script, put+split+reopen, random-7
  --fault NAME       only this one                 --list             the workloads and faults there are
  --no-scripts       random workloads only
  --seed N           for random choices            --jobs N           workloads tried at once
  --minutes N        so long: after the scripts, random workloads until the time is over
  --at N --case N    only this moment, this case: what a failure says
  --plant NAME       with this bug built in; --plant list names them
  --plants           looks for all of them, and for none where there is none; --only NAME: for this one
  --patience N       seconds after which a case hangs
  --no-shrink        leave failing workloads as they are
  --figures FOLDER   write what was counted to files in this folder";

/// How long one case may take in real time, on a machine that does much else.
const PATIENCE: Duration = Duration::from_secs(180);

/// As many random workloads as there is time for.
const WITHOUT_END: u64 = u64::MAX / 16;

/// What was asked for.
struct Options {
    campaign: Campaign,
    task: Task,
    /// Planted bugs to look for; all when there are none.
    only: Vec<String>,
    /// Hunt, but without the bug.
    without: bool,
    started: Instant,
    minutes: u64,
    figures: Option<PathBuf>,
}

/// What the program is to do.
enum Task {
    /// Test.
    Test,
    /// Look for every planted bug.
    Plants,
    /// Look for one.
    Hunt(&'static Plant),
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
    match &options.task {
        Task::Test => test(&options),
        Task::Plants => look_for_plants(&options),
        Task::Hunt(plant) => hunt(&options, plant),
    }
}

/// Workloads into faults.
fn test(options: &Options) -> ExitCode {
    let total = Mutex::new(Total::default());
    let bar = bar(options);
    options.campaign.run(&total, &|event| match event {
        Event::Begins(fault, workload) => bar.set_message(format!("{fault} on {workload}")),
        Event::Ended => bar.inc(1),
        Event::Failed(failure) => bar.suspend(|| eprintln!("{failure}")),
        Event::Hangs(failure) => {
            bar.finish_and_clear();
            eprintln!("{failure}");
            finish(options, &locked(&total));
            // The thread that hangs cannot be joined.
            std::process::exit(1);
        }
    });
    bar.finish_and_clear();
    finish(options, &locked(&total))
}

fn locked(total: &Mutex<Total>) -> MutexGuard<'_, Total> {
    total.lock().unwrap_or_else(PoisonError::into_inner)
}

fn parse() -> Result<Option<Options>, String> {
    let mut options = Options {
        campaign: Campaign {
            tester: Tester::new(1, Effort::normal()),
            faults: Fault::ALL.to_vec(),
            scripts: scripted(),
            triples: Vec::new(),
            random: 40,
            jobs: 1,
            shrink: true,
            patience: PATIENCE,
        },
        task: Task::Test,
        only: Vec::new(),
        without: false,
        started: Instant::now(),
        minutes: 0,
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
    if options.minutes > 0 {
        let campaign = &mut options.campaign;
        campaign.tester.until = Some(options.started + Duration::from_secs(60 * options.minutes));
        if campaign.workloads() > 1 {
            campaign.random = WITHOUT_END;
        }
    }
    Ok(Some(options))
}

/// An option without a value.
fn flag(name: &str, options: &mut Options) -> bool {
    let campaign = &mut options.campaign;
    match name {
        "--plants" => options.task = Task::Plants,
        "--no-scripts" => campaign.scripts.clear(),
        "--without" => options.without = true,
        "--quick" => campaign.tester.effort = Effort::quick(),
        "--full" => {
            campaign.tester.effort = Effort::full();
            campaign.triples = triples();
            campaign.random = 500;
        }
        "--no-shrink" => campaign.shrink = false,
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
    let campaign = &mut options.campaign;
    let tester = &mut campaign.tester;
    match name {
        "--workload" => {
            campaign.scripts = vec![by_name(value).ok_or_else(|| format!("there is no workload `{value}`"))?];
            (campaign.triples, campaign.random) = (Vec::new(), 0);
        }
        "--fault" => {
            campaign.faults =
                vec![Fault::by_name(value).ok_or_else(|| format!("there is no fault `{value}`"))?];
        }
        "--seed" => tester.seed = number()?,
        "--at" => tester.at = Some(number()?),
        "--case" => tester.case = Some(number()?),
        "--minutes" => options.minutes = number()?,
        "--jobs" => campaign.jobs = usize::try_from(number()?.max(1)).map_err(|error| error.to_string())?,
        "--patience" => campaign.patience = Duration::from_secs(number()?),
        "--plant" => planted(value)?,
        "--only" => options.only.push(plant_of(value)?.name.to_owned()),
        "--hunt" => options.task = Task::Hunt(plant_of(value)?),
        "--figures" => options.figures = Some(PathBuf::from(value)),
        _ => return Err(format!("there is no option `{name}`")),
    }
    Ok(())
}

/// Builds a bug in, for this process.
fn planted(name: &str) -> Result<(), String> {
    if name == "list" {
        let names: Vec<&str> = PLANTS.iter().map(|plant| plant.name).collect();
        return Err(names.join("\n"));
    }
    match plant(name) {
        true => Ok(()),
        false => Err(format!("there is no bug `{name}`")),
    }
}

fn plant_of(name: &str) -> Result<&'static Plant, String> {
    Plant::by_name(name).ok_or_else(|| format!("there is no bug `{name}`"))
}

/// Looks for one planted bug and says what came of it in a line.
fn hunt(options: &Options, wanted: &Plant) -> ExitCode {
    if !options.without && !plant(wanted.name) {
        eprintln!("there is no bug `{}`", wanted.name);
        return ExitCode::from(2);
    }
    println!("{}", line_of(&wanted.hunt(options.campaign.tester.seed)));
    // What a bug has left in other threads or in memory is nobody's business.
    ExitCode::SUCCESS
}

/// Looks for all of them: a table, and the figure.
fn look_for_plants(options: &Options) -> ExitCode {
    let program = match std::env::current_exe() {
        Ok(program) => program,
        Err(error) => {
            eprintln!("{error}");
            return ExitCode::FAILURE;
        }
    };
    let plantation = Plantation {
        program,
        seed: options.campaign.tester.seed,
        jobs: options.campaign.jobs,
        only: options.only.clone(),
    };
    println!("{:<34} {:>7} {:>8}  found by", "planted bug", "states", "seconds");
    let harvested = plantation.harvest(&|one| {
        let seconds = one.millis as f64 / 1000.0;
        let found = one.found.as_deref().unwrap_or("NOTHING FOUND IT");
        println!(
            "{:<34} {:>7} {seconds:>8.1}  {found:.150}",
            one.plant.name, one.states
        );
        if let Some(without) = &one.without {
            println!("{:<34} AND WITHOUT IT  {without}", "");
        }
    });
    let all = match harvested {
        Ok(all) => all,
        Err(error) => {
            eprintln!("{error}");
            return ExitCode::FAILURE;
        }
    };
    let good = all.iter().filter(|one| one.is_good()).count();
    let control: u64 = all.iter().map(|one| one.states_without).sum();
    let wrong = all.iter().filter(|one| one.without.is_some()).count();
    println!(
        "{good} of {} found; {control} states without them, {wrong} failures",
        all.len()
    );
    if let Some(folder) = &options.figures {
        let figure = Figure {
            row: 1,
            what: "planted bugs".to_owned(),
            tried: good as u64,
            failures: (all.len() - good) as u64,
        };
        if let Err(error) = record_part(folder, 1, "plants", &[figure]) {
            eprintln!("the figures could not be written: {error}");
            return ExitCode::FAILURE;
        }
    }
    match good == all.len() {
        true => ExitCode::SUCCESS,
        false => ExitCode::FAILURE,
    }
}

fn list() {
    for fault in Fault::ALL {
        println!("fault     {fault}");
    }
    for workload in scripted() {
        println!("workload  {}", workload.name);
    }
}

/// How far it is: in pairs of workload and fault, or in time where those have no end.
fn bar(options: &Options) -> ProgressBar {
    let endless = options.campaign.random == WITHOUT_END;
    let template = if endless {
        "[{elapsed_precise}] {pos} workloads into a fault, {msg}"
    } else {
        "[{elapsed_precise}] {bar:30} {pos}/{len} {msg}"
    };
    let style = ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar());
    ProgressBar::new(options.campaign.pairs()).with_style(style)
}

/// The table, the failures, the figures.
fn finish(options: &Options, total: &Total) -> ExitCode {
    let took = options.started.elapsed();
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
        took.as_secs_f64() * 1e3 * options.campaign.jobs as f64 / opened.max(1) as f64
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
