//! `cargo xtask loom`: runs the concurrency models, and proves that they can fail.
//!
//! A model is a file `tests/loom.rs` of a crate. It runs the product's own types over loom's locks and atomics, through every interleaving up to
//! a bound. Two ways in which such a run proves nothing are ruled out here: a run that was cut short by a limit, which loom counts as a pass, and a run
//! of no tests at all. A third is ruled out by planting: each protocol carries bugs under `cfg(godb_plant = "name")`, and with any of them built in, the
//! models of that crate must fail.

use std::collections::BTreeSet;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use lexopt::{Arg, Parser, ValueExt};
use proc_macro2::TokenTree;

use crate::command;
use crate::source::{self, Source, is_ident, walk};
use crate::workspace::{self, Package, Workspace};

/// The longest that the models of one crate may take, building included.
const LIMIT: Duration = Duration::from_secs(600);
/// loom's own ways of ending early and calling it a pass; none of them may come in from outside.
const SHORTCUTS: &[&str] = &[
    "LOOM_MAX_DURATION",
    "LOOM_MAX_PERMUTATIONS",
    "LOOM_CHECKPOINT_FILE",
];

/// The task.
pub(crate) fn run(mut arguments: Parser) -> Result<()> {
    let mut plant = false;
    let mut only = Vec::new();
    while let Some(argument) = arguments.next()? {
        match argument {
            Arg::Long("plant") => plant = true,
            Arg::Short('p') => only.push(arguments.value()?.string()?),
            other => return Err(other.unexpected().into()),
        }
    }
    let root = workspace::root();
    if plant {
        planted(&root, &only)
    } else {
        check(&root, &only)
    }
}

/// Runs the models of the crates named, or of all, and demands that they pass.
pub(crate) fn check(root: &Path, only: &[String]) -> Result<()> {
    for package in modelled(root, only)? {
        unbounded(root, &package)?;
        let (passed, output) = models(root, &package, None)?;
        print!("{output}");
        ensure!(passed, "{}: a model failed", package.name);
        let ran = tests_run(&output);
        ensure!(ran > 0, "{}: no model ran", package.name);
        println!("{}: {ran} models ran to their end", package.name);
    }
    Ok(())
}

/// Builds each planted bug in turn and demands that the models of its crate fail.
fn planted(root: &Path, only: &[String]) -> Result<()> {
    let mut missed = Vec::new();
    let mut found = 0;
    for package in modelled(root, only)? {
        let plants = plants(root, &package)?;
        ensure!(
            !plants.is_empty(),
            "{}: has models but plants no bug",
            package.name
        );
        for plant in plants {
            let (passed, output) = models(root, &package, Some(&plant))?;
            // A build that fails prints no result of tests, and proves nothing.
            ensure!(
                output.contains("test result:"),
                "{}: `{plant}` does not build",
                package.name
            );
            if passed {
                missed.push(format!("{} misses `{plant}`", package.name));
            } else {
                found += 1;
                println!("{}: `{plant}` found", package.name);
            }
        }
    }
    if !missed.is_empty() {
        bail!("{}", missed.join("; "));
    }
    println!("all {found} planted bugs were found");
    Ok(())
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
fn models(root: &Path, package: &Package, plant: Option<&str>) -> Result<(bool, String)> {
    let mut flags = "--cfg godb_loom".to_owned();
    if let Some(plant) = plant {
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
    ];
    if plant.is_some() {
        words.push("--no-fail-fast");
    }
    let mut command = command::cargo(root, &words);
    command
        .env("CARGO_TARGET_DIR", root.join("target").join("loom"))
        .env("RUSTFLAGS", flags);
    for name in SHORTCUTS {
        command.env_remove(name);
    }
    let (status, output) = command::run_limited(&mut command, LIMIT)?;
    let status = status.with_context(|| format!("{}: cut short after {LIMIT:?}", package.name))?;
    Ok((status.success(), output))
}

/// A model must not bound itself by time or number of runs: loom ends such a run as a pass.
fn unbounded(root: &Path, package: &Package) -> Result<()> {
    let below = package.directory.strip_prefix(root).unwrap_or(&package.directory);
    let source = Source::read(root, below.join("tests/loom.rs"))?;
    let mut bounded = false;
    walk(&source.tokens, &mut |run| bounded |= bounds(run));
    ensure!(
        !bounded,
        "{}: a model that may be cut short proves nothing",
        package.name
    );
    Ok(())
}

/// Whether a limit of loom's is set to anything but `None`.
fn bounds(run: &[TokenTree]) -> bool {
    let limit = |token: &TokenTree| is_ident(token, "max_duration") || is_ident(token, "max_permutations");
    run.iter().enumerate().any(|(at, token)| {
        let lifted = run.get(at + 2).is_some_and(|value| is_ident(value, "None"));
        limit(token) && !lifted
    })
}

/// How many tests ran to their end, by what the test programs print.
fn tests_run(output: &str) -> usize {
    output
        .lines()
        .filter_map(|line| line.strip_prefix("test result: ok. "))
        .filter_map(|rest| rest.split(' ').next()?.parse::<usize>().ok())
        .sum()
}

/// The bugs that a crate's source plants: every `godb_plant = "name"` in its code.
fn plants(root: &Path, package: &Package) -> Result<BTreeSet<String>> {
    let below = package.directory.strip_prefix(root).unwrap_or(&package.directory);
    let mut names = BTreeSet::new();
    for path in source::files(root, below, "rs")? {
        let source = Source::read(root, path)?;
        walk(&source.tokens, &mut |run| names.extend(planted_in(run)));
    }
    Ok(names)
}

fn planted_in(run: &[TokenTree]) -> Vec<String> {
    run.windows(3)
        .filter(|window| is_ident(&window[0], "godb_plant"))
        .map(|window| window[2].to_string().trim_matches('"').to_owned())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::{bounds, planted_in, tests_run};
    use crate::source::walk;

    #[test]
    fn a_limit_is_a_limit_unless_it_is_none() {
        let bounded = |text: &str| {
            let tokens: Vec<_> = text
                .parse::<proc_macro2::TokenStream>()
                .unwrap()
                .into_iter()
                .collect();
            bounds(&tokens)
        };
        assert!(bounded("model.max_duration = Some(second)") && bounded("max_permutations: limit"));
        assert!(!bounded("model.max_duration = None; preemption_bound = Some(2)"));
    }

    #[test]
    fn tests_are_counted_over_all_programs() {
        let output = "running 2 tests\ntest result: ok. 2 passed; 0 failed; 0 ignored\n\ntest result: ok. 3 passed; 0 failed\n";
        assert_eq!(tests_run(output), 5);
        assert_eq!(tests_run("test result: ok. 0 passed; 0 failed"), 0);
        assert_eq!(tests_run("test result: FAILED. 1 passed; 1 failed"), 0);
    }

    #[test]
    fn plants_are_found_in_attributes_and_expressions() {
        let text =
            "#[cfg(not(godb_plant = \"a\"))] fn f() { if cfg!(godb_plant = \"b\") {} } // godb_plant = \"c\"";
        let tokens: Vec<_> = text
            .parse::<proc_macro2::TokenStream>()
            .unwrap()
            .into_iter()
            .collect();
        let mut names = Vec::new();
        walk(&tokens, &mut |run| names.extend(planted_in(run)));
        assert_eq!(names, ["a", "b"]);
    }
}
