//! `cargo xtask fuzz`: puts the fuzz targets of `tests/src/fuzz` under libFuzzer, each for so many seconds.
//!
//! libFuzzer watches which code an input reaches and breeds those that reach more. What it bred is kept in `tests/fuzz/corpus`, on this machine only, so a later run goes on where
//! this one ends. An input that makes the engine do wrong lies in `tests/fuzz/artifacts` afterwards, and the command that tries it again is printed.

use std::ffi::OsString;
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread;
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use lexopt::{Arg, Parser, ValueExt};

use crate::{command, faults_file, workspace};

/// Where the package of the targets lies.
const FOLDER: &str = "tests/fuzz";
const PACKAGE: &str = "godb-tests";
/// Seconds for each target, unless told otherwise.
const SECONDS: u64 = 60;
/// An input that takes longer hangs. A machine that is busy elsewhere makes a process wait, too.
const PATIENCE: u64 = 120;
/// MiB of memory, beyond which an input is wrong.
const MEMORY: u64 = 2048;
/// What a run may take beyond its seconds, building included.
const GRACE: Duration = Duration::from_secs(1800);

/// How targets are run.
struct Options {
    /// Each so long.
    seconds: u64,
    /// What libFuzzer is combined with: `none`, `address` …
    sanitizer: String,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            seconds: SECONDS,
            sanitizer: "none".to_owned(),
        }
    }
}

/// What came of a target.
#[derive(Debug, Default, PartialEq, Eq)]
struct Outcome {
    executions: u64,
    new_units: u64,
    crashes: u64,
}

/// The task.
pub(crate) fn run(mut arguments: Parser) -> Result<()> {
    let (mut options, mut folder) = (Options::default(), None::<OsString>);
    let (mut only, mut jobs) = (Vec::new(), 1);
    while let Some(argument) = arguments.next()? {
        match argument {
            Arg::Long("seconds") => options.seconds = arguments.value()?.parse()?,
            Arg::Long("sanitizer") => options.sanitizer = arguments.value()?.string()?,
            Arg::Long("jobs") => jobs = arguments.value()?.parse()?,
            Arg::Long("figures") => folder = Some(arguments.value()?),
            Arg::Value(name) => only.push(name.string()?),
            other => return Err(other.unexpected().into()),
        }
    }
    let root = workspace::root();
    require_cargo_fuzz()?;
    let targets = targets(&root, &only)?;
    make_seeds(&root)?;
    command::run(&mut cargo_fuzz(
        &root,
        &format!("build --fuzz-dir {FOLDER} -s {}", options.sanitizer),
    ))?;
    let lines = fuzz_all(&root, &targets, &options, jobs)?;
    if let Some(folder) = folder {
        ensure!(only.is_empty(), "figures are of all targets");
        figures(&root.join(folder), options.seconds, &lines)?;
    }
    report(&lines)
}

/// `cargo fuzz` with these words, all that it says on standard output.
fn cargo_fuzz(root: &Path, words: &str) -> Command {
    let mut command = command::shell(root, &format!("{} fuzz {words} 2>&1", workspace::cargo()));
    command.env("RUSTC_BOOTSTRAP", "1");
    command
}

/// Runs the targets, `jobs` at a time.
fn fuzz_all(
    root: &Path,
    targets: &[String],
    options: &Options,
    jobs: usize,
) -> Result<Vec<(String, Outcome)>> {
    let mut lines = Vec::new();
    for some in targets.chunks(jobs.max(1)) {
        let outcomes = thread::scope(|scope| {
            let start = |target: &'_ String| {
                let target = target.clone();
                scope.spawn(move || fuzz(root, &target, options))
            };
            let running: Vec<_> = some.iter().map(start).collect();
            let join = |run: thread::ScopedJoinHandle<'_, Result<Outcome>>| {
                run.join().map_err(|_| anyhow::anyhow!("a run panicked"))?
            };
            running.into_iter().map(join).collect::<Result<Vec<_>>>()
        })?;
        lines.extend(some.iter().cloned().zip(outcomes));
    }
    Ok(lines)
}

fn require_cargo_fuzz() -> Result<()> {
    let found = Command::new(workspace::cargo())
        .args(["fuzz", "--version"])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status();
    ensure!(
        found.is_ok_and(|status| status.success()),
        "cargo-fuzz is missing. Install it with\n\n    cargo install cargo-fuzz\n\nIt needs a C++ compiler. (`cargo test -p godb-tests fuzz` runs the same targets for a moment without it.)"
    );
    Ok(())
}

/// The targets that there are, or those of them that were asked for.
fn targets(root: &Path, only: &[String]) -> Result<Vec<String>> {
    let mut all = Vec::new();
    for entry in std::fs::read_dir(root.join(FOLDER).join("targets"))? {
        let path = entry?.path();
        let name = path.file_stem().context("a target has a name")?;
        all.push(name.to_string_lossy().into_owned());
    }
    all.sort();
    if let Some(unknown) = only.iter().find(|name| !all.contains(name)) {
        bail!("there is no target `{unknown}`, only {}", all.join(", "));
    }
    Ok(match only.is_empty() {
        true => all,
        false => only.to_vec(),
    })
}

/// Seeds are made by a program, which is also what tries single inputs.
fn make_seeds(root: &Path) -> Result<()> {
    let seeds = format!("{FOLDER}/seeds");
    let words = [
        "run",
        "--profile",
        "crash",
        "-p",
        PACKAGE,
        "--bin",
        "fuzz",
        "--",
        "seeds",
        &seeds,
    ];
    command::run(&mut command::cargo(root, &words))
}

/// Runs one target.
fn fuzz(root: &Path, target: &str, options: &Options) -> Result<Outcome> {
    let folder = root.join(FOLDER);
    let seeds = folder.join("seeds");
    let corpus = folder.join("corpus").join(target);
    std::fs::create_dir_all(&corpus)?;
    let longest = std::fs::read_to_string(seeds.join(format!("{target}.len")))?;
    let dictionary = seeds.join(format!("{target}.dict"));
    let dictionary = match dictionary.exists() {
        true => format!("-dict={}", dictionary.display()),
        false => String::new(),
    };
    let artifacts = folder.join("artifacts").join(target);
    std::fs::create_dir_all(&artifacts)?;
    // Not by `cargo fuzz run`: that would build anew what somebody changed meanwhile.
    let program = folder.join("target").join(host()?).join("release").join(target);
    let line = format!(
        "{} {} {} -max_total_time={} -max_len={longest} {dictionary} -timeout={PATIENCE} -rss_limit_mb={MEMORY} \
         -artifact_prefix={}/ -print_final_stats=1 2>&1",
        program.display(),
        corpus.display(),
        seeds.join(target).display(),
        options.seconds,
        artifacts.display()
    );
    let mut command = command::shell(root, &line);
    let (status, output) = command::run_limited(&mut command, Duration::from_secs(options.seconds) + GRACE)?;
    let success = status.is_some_and(|status| status.success());
    let outcome = read(&output, success);
    println!("{target}: {outcome:?}");
    if !success {
        println!("{}", tail(&output));
        println!(
            "try it again: cargo run --profile crash -p {PACKAGE} --bin fuzz -- try {target} {FOLDER}/artifacts/{target}/*"
        );
        ensure!(outcome.executions > 0, "{target} did not run");
    }
    Ok(outcome)
}

/// The machine's kind, after which cargo-fuzz names the directory that it builds in.
fn host() -> Result<String> {
    let output = Command::new("rustc").arg("-vV").output()?;
    let text = String::from_utf8_lossy(&output.stdout);
    let host = text.lines().find_map(|line| line.strip_prefix("host: "));
    Ok(host.context("rustc does not say what it builds for")?.to_owned())
}

/// The end of what a run printed: what went wrong.
fn tail(output: &str) -> String {
    let lines: Vec<&str> = output.lines().collect();
    lines[lines.len().saturating_sub(60)..].join("\n")
}

/// Reads what libFuzzer prints at its end; of a run that found something, how far it was.
fn read(output: &str, success: bool) -> Outcome {
    let statistic = |name: &str| {
        let found = output.lines().rev().find_map(|line| line.strip_prefix(name));
        found.and_then(|number| number.trim().parse::<u64>().ok())
    };
    let progress = || {
        let numbered = output.lines().rev().filter_map(|line| line.strip_prefix('#'));
        let mut numbers = numbered.filter_map(|line| line.split_whitespace().next()?.parse().ok());
        numbers.next().unwrap_or(0)
    };
    Outcome {
        executions: statistic("stat::number_of_executed_units:").unwrap_or_else(progress),
        new_units: statistic("stat::new_units_added:").unwrap_or(0),
        crashes: u64::from(!success),
    }
}

/// Writes the executions as figures of row 17.
fn figures(folder: &Path, seconds: u64, lines: &[(String, Outcome)]) -> Result<()> {
    let named: Vec<(String, u64, u64)> = lines
        .iter()
        .map(|(target, outcome)| (format!("fuzzed {target}"), outcome.executions, outcome.crashes))
        .collect();
    let command = format!("cargo xtask fuzz --seconds {seconds} --figures docs/faults");
    let rows = named
        .iter()
        .map(|(what, tried, failures)| (what.as_str(), *tried, *failures));
    faults_file::write(&folder.join("17-fuzz.tsv"), &command, rows)
}

fn report(lines: &[(String, Outcome)]) -> Result<()> {
    println!(
        "\n{:10} {:>12} {:>10} {:>8}",
        "target", "executions", "new units", "crashes"
    );
    for (target, outcome) in lines {
        println!(
            "{target:10} {:>12} {:>10} {:>8}",
            outcome.executions, outcome.new_units, outcome.crashes
        );
    }
    let crashed = lines.iter().filter(|(_, outcome)| outcome.crashes > 0).count();
    ensure!(crashed == 0, "{crashed} targets crashed");
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::{Outcome, read, targets};

    #[test]
    fn what_libfuzzer_prints_is_read() {
        let output = "#2\tINITED cov: 3\n#4096\tpulse\nDone\nstat::number_of_executed_units: 70000\nstat::new_units_added:          31\n";
        let expected = Outcome {
            executions: 70_000,
            new_units: 31,
            crashes: 0,
        };
        assert_eq!(read(output, true), expected);
        let crashed = read(
            "#2\tINITED cov: 3\n#512\tNEW cov: 4\nSUMMARY: libFuzzer: deadly signal\n",
            false,
        );
        assert_eq!((crashed.executions, crashed.crashes), (512, 1));
    }

    #[test]
    fn each_target_of_the_library_has_its_program() {
        let root = crate::workspace::root();
        let programs = targets(&root, &[]).unwrap();
        let library = std::fs::read_to_string(root.join("tests/src/fuzz/mod.rs")).unwrap();
        for name in &programs {
            assert!(library.contains(&format!("name: \"{name}\"")), "{name}");
        }
        assert_eq!(library.matches("        name: \"").count(), programs.len());
        assert!(targets(&root, &["nothing".into()]).is_err());
    }
}
