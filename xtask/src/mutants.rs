//! `cargo xtask mutants`: how much of the log and of recovery the tests would miss if it were wrong.
//!
//! cargo-mutants makes one small change after another (a comparison turned round, a function that returns a constant) and runs the tests on each. A mutant that no test notices
//! shows a line that could as well not be there. A sample, evenly spread over all mutants, takes most of an hour; the score is the part of those that could be built which made a
//! test fail or never end. Below [`LEAST`] percent the task fails. `--figures FOLDER` writes the figure of the fault matrix; `--read FOLDER` only counts what an earlier
//! run left.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use lexopt::{Arg, Parser, ValueExt};

use crate::{command, faults_file, workspace};

/// The crates whose code is changed, and whose tests judge.
const CRATES: [&str; 2] = ["godb-wal", "godb-recovery"];
/// The percentage of mutants that must be caught.
const LEAST: u64 = 85;
/// Of all mutants, one in four.
const SAMPLE: &str = "1/4";
/// The longest that the tests may run on a mutant, in seconds.
const LIMIT: &str = "60";
/// Where cargo-mutants writes, below the target directory.
const OUTPUT: &str = "target/mutants";

/// What became of the mutants that could be built.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Score {
    caught: u64,
    missed: u64,
}

impl Score {
    /// Counts what a run left in `folder`: files with a line for each mutant.
    fn read(folder: &Path) -> Result<Self> {
        let count = |name: &str| -> Result<u64> {
            let path = folder.join("mutants.out").join(name);
            let text = std::fs::read_to_string(&path).with_context(|| path.display().to_string())?;
            Ok(text.lines().filter(|line| !line.trim().is_empty()).count() as u64)
        };
        Ok(Self {
            caught: count("caught.txt")? + count("timeout.txt")?,
            missed: count("missed.txt")?,
        })
    }

    fn tried(self) -> u64 {
        self.caught + self.missed
    }

    fn suffices(self) -> bool {
        self.caught * 100 >= LEAST * self.tried()
    }
}

/// The task.
pub(crate) fn run(mut arguments: Parser) -> Result<()> {
    let (mut sample, mut jobs) = (SAMPLE.to_owned(), "1".to_owned());
    let (mut figures, mut read) = (None::<OsString>, None::<OsString>);
    while let Some(argument) = arguments.next()? {
        match argument {
            Arg::Long("sample") => sample = arguments.value()?.string()?,
            Arg::Long("jobs") => jobs = arguments.value()?.string()?,
            Arg::Long("figures") => figures = Some(arguments.value()?),
            Arg::Long("read") => read = Some(arguments.value()?),
            other => return Err(other.unexpected().into()),
        }
    }
    let root = workspace::root();
    let folder = match read {
        Some(folder) => PathBuf::from(folder),
        None => mutate(&root, &sample, &jobs)?,
    };
    let score = Score::read(&folder)?;
    let thousandths = score.caught * 1000 / score.tried().max(1);
    println!(
        "{} of {} mutants were caught: {}.{} %",
        score.caught,
        score.tried(),
        thousandths / 10,
        thousandths % 10
    );
    if let Some(folder) = figures {
        record(&root.join(folder), score)?;
    }
    ensure!(score.tried() > 0, "no mutant could be tried");
    ensure!(
        score.suffices(),
        "fewer than {LEAST} % were caught; the others are in {}",
        folder.join("mutants.out/missed.txt").display()
    );
    Ok(())
}

/// Has cargo-mutants try a sample; gives the folder with what came of it.
fn mutate(root: &Path, sample: &str, jobs: &str) -> Result<PathBuf> {
    let there = command::cargo(root, &["mutants", "--version"]).output();
    ensure!(
        there.is_ok_and(|output| output.status.success()),
        "cargo-mutants is not installed; `cargo install cargo-mutants --locked` does that"
    );
    let tests = CRATES.join(",");
    let mut words = vec!["mutants"];
    words.extend(CRATES.iter().flat_map(|name| ["-p", *name]));
    words.extend([
        "--test-package",
        &tests,
        "--shard",
        sample,
        "--sharding",
        "round-robin",
    ]);
    words.extend(["--exclude", "**/testing.rs", "--exclude", "**/*tests.rs"]);
    words.extend(["--timeout", LIMIT, "--jobs", jobs, "--output", OUTPUT]);
    std::fs::create_dir_all(root.join(OUTPUT))?;
    let status = command::cargo(root, &words).status()?;
    // 2: some were missed; 3: some never ended. Both are counted.
    ensure!(
        matches!(status.code(), Some(0 | 2 | 3)),
        "cargo-mutants ended with {status}"
    );
    Ok(root.join(OUTPUT))
}

/// Writes how many were tried and how many of them caught.
fn record(folder: &Path, score: Score) -> Result<()> {
    let failures = if score.suffices() { 0 } else { score.missed };
    faults_file::write(
        &folder.join("13-mutants.tsv"),
        "cargo xtask mutants --figures docs/faults",
        [
            ("mutants of log and recovery", score.tried(), 0),
            ("mutants of log and recovery caught", score.caught, failures),
        ],
    )
}

#[cfg(test)]
mod tests {
    use super::{Score, record};

    #[test]
    fn a_run_is_counted_and_recorded() {
        let folder = tempfile::tempdir().unwrap();
        let out = folder.path().join("mutants.out");
        std::fs::create_dir(&out).unwrap();
        for (name, lines) in [("caught.txt", 16), ("timeout.txt", 1), ("missed.txt", 3)] {
            std::fs::write(out.join(name), "src/a.rs:1: replace it\n".repeat(lines)).unwrap();
        }
        let score = Score::read(folder.path()).unwrap();
        assert_eq!((score.caught, score.missed), (17, 3));
        assert!(score.suffices(), "85 % is enough");
        let less = Score {
            caught: 16,
            missed: 4,
        };
        assert!(!less.suffices());
        record(folder.path(), less).unwrap();
        let text = std::fs::read_to_string(folder.path().join("13-mutants.tsv")).unwrap();
        assert!(text.contains("mutants of log and recovery\t20\t0\t"), "{text}");
        assert!(
            text.contains("mutants of log and recovery caught\t16\t4\t"),
            "{text}"
        );
    }
}
