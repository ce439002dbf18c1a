//! `cargo xtask tsan`: runs the concurrent tests under ThreadSanitizer, which reports every pair of accesses that nothing orders.
//!
//! loom runs small models through every interleaving; the sanitizer runs whole tests through a few, but on the real machine and with real atomics, fences and raw pointers. It
//! knows the order that instrumented code makes. parking_lot is compiled from source and is instrumented; the standard library is not, so some reports are no races. They are listed,
//! each with its reason, in `explained.txt`; any other report fails the task. `--plant` shows that a race would be reported.

use std::ffi::OsString;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use lexopt::{Arg, Parser, ValueExt};

use crate::{command, faults_file, workspace};

const TARGET: &str = "x86_64-unknown-linux-gnu";
/// The longest that one run may take, building included.
const LIMIT: Duration = Duration::from_secs(1800);

/// The tests that are run: words for `cargo test`, and for the test program.
const RUNS: &[(&[&str], &[&str])] = &[
    (&["-p", "godb-buffer", "--lib"], &[]),
    (&["-p", "godb-btree", "--lib"], &[]),
    (&["-p", "godb-wal", "--lib"], &[]),
    (&["-p", "godb-recovery", "--lib"], &[]),
    (&["-p", "godb-txn", "--lib"], &[]),
    (&["-p", "godb-mvcc", "--lib"], &[]),
    (&["-p", "godb-tests", "--test", "stack"], &["concurrency"]),
];

/// Races that are planted, and the run that must report each: a writer that does not wait for those who glance at its page.
const PLANTS: &[(&str, usize)] = &[("write-under-glances", 0)];

/// What came of a run.
#[derive(Default)]
struct Outcome {
    tests: u64,
    reports: u64,
    passed: bool,
}

/// The task.
pub(crate) fn run(mut arguments: Parser) -> Result<()> {
    let (mut plant, mut folder) = (false, None::<OsString>);
    let mut only = Vec::new();
    while let Some(argument) = arguments.next()? {
        match argument {
            Arg::Long("plant") => plant = true,
            Arg::Long("figures") => folder = Some(arguments.value()?),
            Arg::Short('p') => only.push(arguments.value()?.string()?),
            other => return Err(other.unexpected().into()),
        }
    }
    let root = workspace::root();
    let mut lines = Vec::new();
    if !plant || folder.is_some() {
        let (tests, failures) = clean(&root, &only)?;
        lines.push(("tests under ThreadSanitizer", tests, failures));
    }
    if plant || folder.is_some() {
        let missed = planted(&root)?;
        lines.push(("races planted for ThreadSanitizer", PLANTS.len() as u64, missed));
    }
    if let Some(folder) = folder {
        let file = root.join(folder).join("24-tsan.tsv");
        faults_file::write(
            &file,
            "cargo xtask tsan --figures docs/faults",
            lines.iter().copied(),
        )?;
    }
    let failures: u64 = lines.iter().map(|(_, _, failures)| failures).sum();
    ensure!(failures == 0, "ThreadSanitizer: {failures} failures");
    Ok(())
}

/// Runs the tests; how many there were, and how many reports and failures.
fn clean(root: &Path, only: &[String]) -> Result<(u64, u64)> {
    let (mut tests, mut failures) = (0, 0);
    let chosen = |words: &[&str]| only.is_empty() || only.iter().any(|name| words.contains(&name.as_str()));
    for (words, filter) in RUNS.iter().filter(|(words, _)| chosen(words)) {
        let outcome = sanitized(root, words, filter, None)?;
        ensure!(outcome.tests > 0, "{}: no test ran", words.join(" "));
        println!(
            "{}: {} tests, {} reports",
            words.join(" "),
            outcome.tests,
            outcome.reports
        );
        tests += outcome.tests;
        failures += outcome.reports.max(u64::from(!outcome.passed));
    }
    ensure!(tests > 0, "there is no such run");
    Ok((tests, failures))
}

/// Plants each race; how many were not reported.
fn planted(root: &Path) -> Result<u64> {
    let mut missed = 0;
    for (plant, at) in PLANTS {
        let (words, filter) = RUNS[*at];
        let outcome = sanitized(root, words, filter, Some(plant))?;
        let found = outcome.reports > 0;
        println!("`{plant}` {}", if found { "reported" } else { "MISSED" });
        missed += u64::from(!found);
    }
    Ok(missed)
}

/// Builds and runs some tests with the sanitizer.
fn sanitized(root: &Path, words: &[&str], filter: &[&str], plant: Option<&str>) -> Result<Outcome> {
    let mut flags = "-Zsanitizer=thread -Cunsafe-allow-abi-mismatch=sanitizer".to_owned();
    if let Some(plant) = plant {
        flags = format!("{flags} --cfg godb_plant=\"{plant}\"");
    }
    let explained = root.join("xtask/src/tsan/explained.txt");
    let all = [&["test", "--target", TARGET], words, &["--"], filter].concat();
    let mut command = command::cargo(root, &all);
    command
        .env("RUSTC_BOOTSTRAP", "1")
        .env("RUSTFLAGS", flags)
        .env("CARGO_TARGET_DIR", root.join("target").join("tsan"))
        .env(
            "TSAN_OPTIONS",
            format!(
                "suppressions={} log_path=stdout history_size=7 exitcode=66",
                explained.display()
            ),
        );
    let (status, output) = command::run_limited(&mut command, LIMIT)?;
    let status = status.with_context(|| format!("{}: cut short after {LIMIT:?}", words.join(" ")))?;
    ensure!(
        output.contains("\nrunning "),
        "{}: does not build",
        words.join(" ")
    );
    let outcome = read(&output, status.success());
    if plant.is_none() && (outcome.reports > 0 || !outcome.passed) {
        println!("{output}");
    }
    Ok(outcome)
}

/// Reads what the test programs and the sanitizer printed.
fn read(output: &str, passed: bool) -> Outcome {
    let count = |text: &str| output.matches(text).count() as u64;
    let tests = output
        .lines()
        .filter_map(|line| {
            line.split_once("test result: ")?
                .1
                .split_once(". ")?
                .1
                .split(' ')
                .next()?
                .parse::<u64>()
                .ok()
        })
        .sum();
    Outcome {
        tests,
        reports: count("WARNING: ThreadSanitizer:"),
        passed,
    }
}

#[cfg(test)]
mod tests {
    use super::read;

    #[test]
    fn reports_and_tests_are_counted() {
        let output = "running 2 tests\nWARNING: ThreadSanitizer: data race (pid=1)\ntest result: ok. 2 passed; 0 failed\n";
        let outcome = read(output, false);
        assert_eq!((outcome.tests, outcome.reports, outcome.passed), (2, 1, false));
        assert_eq!(
            read("test result: FAILED. 13 passed; 1 failed\n", false).tests,
            13
        );
    }
}
