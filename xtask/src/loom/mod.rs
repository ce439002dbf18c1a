//! `cargo xtask loom`: runs the concurrency models, and proves that they can fail.
//!
//! A model is a test in the file `tests/loom.rs` of a crate. It runs the product's own types over loom's locks and atomics, through every interleaving up to
//! a bound. Two ways in which such a run proves nothing are ruled out here: a run that was cut short by a limit, which loom counts as a pass, and a run
//! of no tests at all. A third is ruled out by planting: each protocol carries bugs under `cfg(godb_plant = "name")`, and with any of them built in, the
//! models of that crate must fail.
//!
//! Models that take long are marked `#[ignore]`; `--full` runs them too, and so does planting. `--figures FOLDER` does everything and writes down what came of it.

mod figures;
mod source;

use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use lexopt::{Arg, Parser, ValueExt};

use crate::command;
use crate::workspace::{self, Package, Workspace};
use figures::Figures;

/// The longest that the models of one crate may take, building included.
const LIMIT: Duration = Duration::from_secs(600);
/// The same with the long ones.
const FULL_LIMIT: Duration = Duration::from_secs(3600);
/// loom's own ways of ending early and calling it a pass; none of them may come in from outside.
const SHORTCUTS: &[&str] = &[
    "LOOM_MAX_DURATION",
    "LOOM_MAX_PERMUTATIONS",
    "LOOM_CHECKPOINT_FILE",
];

/// How models are built and run.
#[derive(Clone, Copy, Default)]
struct How<'a> {
    /// The long ones too.
    full: bool,
    /// A bug to build in.
    plant: Option<&'a str>,
    /// A variable that would cut every model short.
    cut: Option<&'a str>,
}

/// The task.
pub(crate) fn run(mut arguments: Parser) -> Result<()> {
    let (mut plant, mut full, mut folder) = (false, false, None);
    let mut only = Vec::new();
    while let Some(argument) = arguments.next()? {
        match argument {
            Arg::Long("plant") => plant = true,
            Arg::Long("full") => full = true,
            Arg::Long("figures") => folder = Some(arguments.value()?),
            Arg::Short('p') => only.push(arguments.value()?.string()?),
            other => return Err(other.unexpected().into()),
        }
    }
    let root = workspace::root();
    let mut figures = Figures::default();
    if let Some(folder) = folder {
        ensure!(only.is_empty(), "figures are of all crates");
        let folder = root.join(folder);
        // What was found out is written down, whatever comes after.
        let outcome = explored(&root, &only, true, &mut figures);
        figures.write(&folder)?;
        outcome?;
        let outcome = planted(&root, &only, &mut figures);
        figures.write(&folder)?;
        return outcome;
    }
    match plant {
        true => planted(&root, &only, &mut figures),
        false => explored(&root, &only, full, &mut figures),
    }
}

/// Runs the short models of the crates named, or of all, and demands that they pass.
pub(crate) fn check(root: &Path, only: &[String]) -> Result<()> {
    explored(root, only, false, &mut Figures::default())
}

fn explored(root: &Path, only: &[String], full: bool, figures: &mut Figures) -> Result<()> {
    for package in modelled(root, only)? {
        source::unbounded(root, &package)?;
        let how = How {
            full,
            ..How::default()
        };
        let (passed, output) = models(root, &package, how)?;
        print!("{output}");
        figures.take_models(&output);
        ensure!(passed, "{}: a model failed", package.name);
        let ran = tests_run(&output);
        ensure!(ran > 0, "{}: no model ran", package.name);
        println!("{}: {ran} models ran to their end", package.name);
    }
    Ok(())
}

/// Builds each planted bug in turn and demands that the models of its crate fail; and that they fail when they are cut short.
fn planted(root: &Path, only: &[String], figures: &mut Figures) -> Result<()> {
    let mut missed = Vec::new();
    let mut found = 0;
    for package in modelled(root, only)? {
        let plants = source::plants(root, &package)?;
        ensure!(
            !plants.is_empty(),
            "{}: has models but plants no bug",
            package.name
        );
        for plant in &plants {
            let seen = fails(
                root,
                &package,
                How {
                    full: true,
                    plant: Some(plant),
                    cut: None,
                },
            )?;
            figures.planted(&package.name, plant, seen);
            match seen {
                true => found += 1,
                false => missed.push(format!("{} misses `{plant}`", package.name)),
            }
        }
        for cut in SHORTCUTS {
            let seen = fails(
                root,
                &package,
                How {
                    cut: Some(cut),
                    ..How::default()
                },
            )?;
            figures.cut_short(&package.name, seen);
            if !seen {
                missed.push(format!("{} passes when cut short by {cut}", package.name));
            }
        }
    }
    if !missed.is_empty() {
        bail!("{}", missed.join("; "));
    }
    println!("all {found} planted bugs were found");
    Ok(())
}

/// Whether the models of a crate fail, as they should.
fn fails(root: &Path, package: &Package, how: How<'_>) -> Result<bool> {
    let what = how.plant.or(how.cut).unwrap_or_default();
    let (passed, output) = models(root, package, how)?;
    // A build that fails runs nothing, and proves nothing.
    ensure!(
        output.contains("\nrunning "),
        "{}: `{what}` does not build",
        package.name
    );
    let told = if passed { "MISSED" } else { "found" };
    println!("{}: `{what}` {told}", package.name);
    Ok(!passed)
}

/// The crates that have models.
fn modelled(root: &Path, only: &[String]) -> Result<Vec<Package>> {
    let packages: Vec<_> = Workspace::load(root)?
        .packages
        .into_iter()
        .filter(|package| package.directory.join("tests/loom.rs").exists())
        .filter(|package| only.is_empty() || only.contains(&package.name))
        .collect();
    ensure!(!packages.is_empty(), "no crate has a tests/loom.rs");
    Ok(packages)
}

/// Builds and runs the models of one crate; whether they passed, and what they printed. A run that outlasts the limit is a failure, whatever it found.
fn models(root: &Path, package: &Package, how: How<'_>) -> Result<(bool, String)> {
    let mut flags = "--cfg godb_loom".to_owned();
    if let Some(plant) = how.plant {
        flags = format!("{flags} --cfg godb_plant=\"{plant}\"");
    }
    let mut words = vec![
        "test",
        "--profile",
        "crash",
        "-p",
        &package.name,
        "--test",
        "loom",
        "--",
        "--nocapture",
    ];
    if how.full {
        words.push("--include-ignored");
    }
    let mut command = command::cargo(root, &words);
    command
        .env("CARGO_TARGET_DIR", root.join("target").join("loom"))
        .env("RUSTFLAGS", flags);
    if how.plant.is_some() || how.cut.is_some() {
        // What fails is expected to: how it came to that is of no interest.
        command
            .env("RUST_BACKTRACE", "0")
            .stderr(std::process::Stdio::null());
    }
    for name in SHORTCUTS {
        command.env_remove(name);
    }
    if let Some(cut) = how.cut {
        command.env(cut, "1");
    }
    let limit = if how.full { FULL_LIMIT } else { LIMIT };
    let (status, output) = command::run_limited(&mut command, limit)?;
    let status = status.with_context(|| format!("{}: cut short after {limit:?}", package.name))?;
    Ok((status.success(), output))
}

/// How many tests ran to their end, by what the test programs print.
fn tests_run(output: &str) -> usize {
    output
        .lines()
        .filter_map(|line| line.strip_prefix("test result: ok. "))
        .filter_map(|rest| rest.split(' ').next()?.parse::<usize>().ok())
        .sum()
}

#[cfg(test)]
mod tests {
    use super::tests_run;

    #[test]
    fn tests_are_counted_over_all_programs() {
        let output = "running 2 tests\ntest result: ok. 2 passed; 0 failed; 0 ignored\n\ntest result: ok. 3 passed; 0 failed\n";
        assert_eq!(tests_run(output), 5);
        assert_eq!(tests_run("test result: ok. 0 passed; 0 failed"), 0);
        assert_eq!(tests_run("test result: FAILED. 1 passed; 1 failed"), 0);
    }
}
