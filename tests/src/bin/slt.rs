//! `slt`: runs the sqllogictest corpus, and prints what came of it.

#![expect(clippy::print_stdout, reason = "it is a program for a terminal")]

use godb_tests::slt::{Corpus, Engine, Excused, FileRun, Kind, Sample, run_file};
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

const USAGE: &str = "usage: slt [--engine memory|stack|small] [--sample N] [--seed N] [--only TEXT] [--threads N] [--limit SECONDS]
           [--corpus FOLDER]
  --engine   memory: the engine in memory; stack: all layers; small: all layers in 16 frames of 4 KiB
  --sample   one query of N, chosen by --seed, and every statement; 1 is everything
  --only     files whose path contains TEXT
  --limit    the most that a statement may take
  --corpus   where the archive lies; default ../shared/sqllogictest beside the repository
Failures go to target/slt-failures.txt.";

/// What was asked for.
struct Options {
    engine: Engine,
    sample: Sample,
    only: String,
    threads: usize,
    limit: Duration,
    corpus: PathBuf,
}

fn main() -> ExitCode {
    let Some(options) = parse() else {
        println!("{USAGE}");
        return ExitCode::from(2);
    };
    match run(&options) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            println!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

fn parse() -> Option<Options> {
    let mut options = Options {
        engine: Engine::Memory,
        sample: Sample { every: 1, seed: 1 },
        only: String::new(),
        threads: std::thread::available_parallelism().map_or(1, usize::from),
        limit: Duration::from_secs(20),
        corpus: repository().join("../shared/sqllogictest"),
    };
    let mut args = std::env::args().skip(1);
    while let Some(name) = args.next() {
        let value = args.next()?;
        match name.as_str() {
            "--engine" => {
                options.engine = match value.as_str() {
                    "memory" => Engine::Memory,
                    "stack" => Engine::Stack,
                    "small" => Engine::Small,
                    _ => return None,
                }
            }
            "--sample" => options.sample.every = value.parse().ok().filter(|every| *every > 0)?,
            "--seed" => options.sample.seed = value.parse().ok()?,
            "--only" => options.only = value,
            "--threads" => options.threads = value.parse().ok().filter(|threads| *threads > 0)?,
            "--limit" => options.limit = Duration::from_secs(value.parse().ok()?),
            "--corpus" => options.corpus = value.into(),
            _ => return None,
        }
    }
    Some(options)
}

fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// Runs all files; tells whether nothing failed that PostgreSQL passes.
fn run(options: &Options) -> Result<bool, String> {
    let unpacked = repository().join("target/slt");
    let corpus = Corpus::open(&options.corpus, &unpacked).map_err(|error| error.to_string())?;
    let Some(corpus) = corpus else {
        println!("SKIPPED: there is no corpus in {}", options.corpus.display());
        return Ok(true);
    };
    let files: Vec<&String> = corpus
        .files
        .iter()
        .filter(|file| file.contains(&options.only))
        .collect();
    // A panic is a failure that is reported in its place.
    std::panic::set_hook(Box::new(|_| {}));
    let started = Instant::now();
    let runs = run_files(options, &corpus, &files)?;
    println!(
        "{} files, {:.1} s on {} threads",
        files.len(),
        started.elapsed().as_secs_f64(),
        options.threads
    );
    report(&runs, &Excused::read(&options.corpus))
}

/// Each thread takes the next file that nobody has taken.
fn run_files<'f>(
    options: &Options,
    corpus: &Corpus,
    files: &[&'f String],
) -> Result<Vec<(&'f str, FileRun)>, String> {
    let next = AtomicUsize::new(0);
    let work = || -> Result<Vec<(&'f str, FileRun)>, String> {
        let mut done = Vec::new();
        while let Some(file) = files.get(next.fetch_add(1, Ordering::Relaxed)) {
            let text = corpus.read(file).map_err(|error| format!("{file}: {error}"))?;
            let run = run_file(&text, options.engine, options.sample, options.limit);
            done.push((file.as_str(), run.map_err(|error| format!("{file}: {error}"))?));
        }
        Ok(done)
    };
    let mut runs = Vec::new();
    std::thread::scope(|scope| {
        let threads: Vec<_> = (0..options.threads).map(|_| scope.spawn(work)).collect();
        for thread in threads {
            runs.extend(thread.join().map_err(|_| "a thread panicked".to_owned())??);
        }
        Ok::<(), String>(())
    })?;
    runs.sort_by_key(|(file, _)| *file);
    Ok(runs)
}

/// The figures, and the file of failures.
fn report(runs: &[(&str, FileRun)], excused: &Excused) -> Result<bool, String> {
    let mut groups: BTreeMap<&str, [usize; 4]> = BTreeMap::new();
    let mut times: BTreeMap<&str, Duration> = BTreeMap::new();
    let mut text = String::new();
    for (file, run) in runs {
        let group = file.rsplit_once('/').map_or(*file, |(folder, _)| folder);
        let sums = groups.entry(group).or_default();
        sums[0] += run.run;
        sums[1] += run.skipped;
        *times.entry(group).or_default() += run.took;
        for failure in &run.failures {
            let known = failure.kind != Kind::Panic && excused.contains(file, failure.line);
            sums[if known { 2 } else { 3 }] += 1;
            if !known {
                let sql = failure.sql.replace('\n', " ");
                let _ = writeln!(
                    text,
                    "{file}:{}\t{:?}\t{}\t{sql}",
                    failure.line, failure.kind, failure.what
                );
            }
        }
    }
    println!(
        "{:<28} {:>9} {:>9} {:>9} {:>9} {:>9}",
        "", "run", "skipped", "as pg", "failed", "seconds"
    );
    let mut total = [0; 4];
    for (group, sums) in &groups {
        line(group, sums, times[group]);
        for (total, sum) in total.iter_mut().zip(sums) {
            *total += sum;
        }
    }
    line("all", &total, times.values().sum());
    slowest(runs);
    let place = repository().join("target/slt-failures.txt");
    std::fs::write(&place, text).map_err(|error| format!("{}: {error}", place.display()))?;
    Ok(total[3] == 0 && total[0] > 0)
}

fn line(name: &str, [run, skipped, known, failed]: &[usize; 4], took: Duration) {
    println!(
        "{name:<28} {run:>9} {skipped:>9} {known:>9} {failed:>9} {:>9.1}",
        took.as_secs_f64()
    );
}

fn slowest(runs: &[(&str, FileRun)]) {
    let mut all: Vec<_> = runs.iter().map(|(file, run)| (run.slowest, *file)).collect();
    all.sort_unstable_by(|a, b| b.cmp(a));
    for ((took, line), file) in all.into_iter().take(3) {
        println!("slowest: {:.3} s, {file}:{line}", took.as_secs_f64());
    }
}
