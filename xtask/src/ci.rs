//! `cargo xtask ci`: everything that is asked of a change, stage by stage.
//!
//! A failing stage does not stop the others: one run tells all that is wrong. Cheap stages come first.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use anyhow::{Result, bail, ensure};
use lexopt::{Arg, Parser, ValueExt};

use crate::command::{cargo, run as execute, shell};
use crate::{crash_test, deny, elle, layers, loom, slt, tidy, workspace};

/// The README's command for all tests.
const TESTS: &str = "cargo test";

/// A stage: its name, what it asks, and how.
struct Stage {
    name: &'static str,
    asks: &'static str,
    run: fn(&Options) -> Result<Outcome>,
}

/// How a stage ended, when it did not fail.
enum Outcome {
    Passed,
    /// What it needs is not there; says what.
    Skipped(String),
}

struct Options {
    root: PathBuf,
    test: String,
    only: Vec<String>,
    skip: Vec<String>,
}

const STAGES: &[Stage] = &[
    Stage {
        name: "fmt",
        asks: "the source is formatted",
        run: |options| passed(cargo_run(options, &["fmt", "--all", "--check"], None)),
    },
    Stage {
        name: "layers",
        asks: "each crate names only its lower neighbour",
        run: |options| none("layers", &layers::violations(&options.root)?),
    },
    Stage {
        name: "tidy",
        asks: "heads, lengths, words, unsafe",
        run: |options| none("tidy", &tidy::violations(&options.root)?),
    },
    Stage {
        name: "deny",
        asks: "licences, bans and sources of dependencies",
        run: |options| passed(deny::check(&options.root)),
    },
    Stage {
        name: "test",
        asks: "every test passes",
        run: |options| passed(execute(&mut shell(&options.root, &options.test))),
    },
    Stage {
        name: "clippy",
        asks: "no warning",
        run: |options| {
            passed(cargo_run(
                options,
                &["clippy", "--all-targets", "--", "-D", "warnings"],
                None,
            ))
        },
    },
    Stage {
        name: "doc",
        asks: "the documents build without a warning",
        run: |options| {
            passed(cargo_run(
                options,
                &["doc", "--no-deps", "--document-private-items"],
                Some("-D warnings"),
            ))
        },
    },
    Stage {
        name: "loom",
        asks: "no interleaving breaks a protocol",
        run: |options| passed(loom::check(&options.root, &[])),
    },
    Stage {
        name: "crash",
        asks: "nothing acknowledged is lost at any crash point",
        run: crash,
    },
    Stage {
        name: "faults",
        asks: "a sample of every fault of the matrix is survived",
        run: |options| {
            let words = [
                "run",
                "--profile",
                "crash",
                "-p",
                "godb-tests",
                "--bin",
                "faults",
                "--",
                "--quick",
            ];
            passed(cargo_run(options, &words, None))
        },
    },
    Stage {
        name: "elle",
        asks: "transactions at once show no anomaly that their level excludes, and every planted one is found",
        run: |options| {
            passed(elle::start(
                &options.root,
                &["--plants", "--transactions", "20000"],
            ))
        },
    },
    Stage {
        name: "slt",
        asks: "a sample of the sqllogictest corpus is answered right",
        run: sqllogictest,
    },
];

/// The task.
pub(crate) fn run(arguments: Parser) -> Result<()> {
    let Some(options) = parse(arguments)? else {
        for stage in STAGES {
            println!("{:8} {}", stage.name, stage.asks);
        }
        return Ok(());
    };
    let wanted = STAGES.iter().filter(|stage| {
        let asked = options.only.is_empty() || options.only.iter().any(|name| name == stage.name);
        asked && !options.skip.iter().any(|name| name == stage.name)
    });
    let started = Instant::now();
    let mut table = Vec::new();
    let mut failed = 0;
    for stage in wanted {
        println!("\n== {}: {}", stage.name, stage.asks);
        let begun = Instant::now();
        let ended = match (stage.run)(&options) {
            Ok(Outcome::Passed) => "passed".to_owned(),
            Ok(Outcome::Skipped(why)) => format!("SKIPPED: {why}"),
            Err(error) => {
                failed += 1;
                format!("FAILED: {error:#}")
            }
        };
        println!("   {ended}");
        table.push((stage.name, begun.elapsed(), ended));
    }
    report(&table, started.elapsed());
    if failed > 0 {
        bail!("{failed} of {} stages failed", table.len());
    }
    Ok(())
}

/// The options; none when only the list of stages is asked for.
fn parse(mut arguments: Parser) -> Result<Option<Options>> {
    let mut options = Options {
        root: workspace::root(),
        test: TESTS.to_owned(),
        only: Vec::new(),
        skip: Vec::new(),
    };
    while let Some(argument) = arguments.next()? {
        match argument {
            Arg::Long("stage") => options.only.push(stage_name(&arguments.value()?.string()?)?),
            Arg::Long("skip") => options.skip.push(stage_name(&arguments.value()?.string()?)?),
            Arg::Long("test") => options.test = arguments.value()?.string()?,
            Arg::Long("list") => return Ok(None),
            other => return Err(other.unexpected().into()),
        }
    }
    Ok(Some(options))
}

fn stage_name(name: &str) -> Result<String> {
    let known: Vec<_> = STAGES.iter().map(|stage| stage.name).collect();
    ensure!(
        known.contains(&name),
        "no stage `{name}`; there are {}",
        known.join(", ")
    );
    Ok(name.to_owned())
}

fn report(table: &[(&str, Duration, String)], total: Duration) {
    println!("\nstage      seconds  outcome");
    for (name, took, ended) in table {
        let first = ended.lines().next().unwrap_or_default();
        println!("{name:8} {:9.1}  {first}", took.as_secs_f64());
    }
    println!("{:8} {:9.1}", "total", total.as_secs_f64());
}

fn passed(result: Result<()>) -> Result<Outcome> {
    result.map(|()| Outcome::Passed)
}

fn none(task: &str, wrong: &[String]) -> Result<Outcome> {
    for line in wrong {
        println!("{line}");
    }
    ensure!(
        wrong.is_empty(),
        "{} lines from `cargo xtask {task}`",
        wrong.len()
    );
    Ok(Outcome::Passed)
}

fn cargo_run(options: &Options, words: &[&str], rustdoc: Option<&str>) -> Result<()> {
    let mut command = cargo(&options.root, words);
    if let Some(flags) = rustdoc {
        command.env("RUSTDOCFLAGS", flags);
    }
    execute(&mut command)
}

/// One query of twenty on the engine in memory, one of fifty on the stack in a tiny pool.
fn sqllogictest(options: &Options) -> Result<Outcome> {
    if !slt::corpus_exists(&options.root) {
        return Ok(Outcome::Skipped(format!("there is no corpus in {}", slt::CORPUS)));
    }
    slt::start(&options.root, &["--engine", "memory", "--sample", "20"])?;
    passed(slt::start(
        &options.root,
        &["--engine", "small", "--sample", "50"],
    ))
}

/// The short crash test: every workload and every fault once.
fn crash(options: &Options) -> Result<Outcome> {
    if !crash_test::exists(&options.root)? {
        return Ok(Outcome::Skipped(
            "the workspace has no binary `crash-test`".to_owned(),
        ));
    }
    passed(
        crash_test::start(&options.root, &["--quick", "--jobs", "2"])
            .and_then(|()| crash_test::start(&options.root, &["--plants", "--jobs", "2"])),
    )
}
