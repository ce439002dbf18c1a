//! Start-up after a kill, and what checkpoints cost those who write: `cargo xtask bench --recovery`.
//!
//! Each database loads the same pairs and puts them in their places, then commits the same transactions, each synced, without a checkpoint, begins one more, and is
//! killed in the midst of it. What is timed is what a user waits for: from opening the file to the answer of a first read, in a process of its own.
//! Every round opens a fresh copy of what the kill left, because opening repairs it; copies are in the system's cache, for all alike.
//!
//! The work doubles from line to line, so that it shows how the time grows. godb's is to grow as its log since the checkpoint does, which is measured: its blocks in the
//! files that the kill left. SQLite's grows with its own log, of whole pages. redb has no log; it repairs by walking its trees, so what counts for it is the whole database.

mod stalls;
mod worker;

pub(crate) use worker::work;

use crate::Result;
use crate::kv::peer_names;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// How often each database is opened.
const ROUNDS: usize = 5;

/// Bytes in a block of godb's log.
const BLOCK: usize = 4096;

/// Those whose recovery is judged; others can be asked for by name.
const USUAL: [&str; 3] = ["godb", "SQLite", "redb"];

/// The amount of work between the last checkpoint and the kill.
#[derive(Clone, Copy, Debug)]
struct Work {
    /// Pairs in place before.
    base: u64,
    /// Pairs put since.
    puts: u64,
    /// Pairs of a transaction.
    per: u64,
}

/// What opening cost.
#[derive(Clone, Copy, Debug)]
struct Opened {
    seconds: f64,
    peak_mib: f64,
}

/// What the comparison is asked for.
struct Options {
    puts: u64,
    base: u64,
    names: Vec<String>,
    /// How long writers are watched, without and with checkpoints; zero leaves that out.
    stall_seconds: u64,
}

/// Runs the comparison: `--items N` puts (400,000), `--base N` pairs before (100,000), `--only NAME,…`, `--stalls SECONDS` (5).
pub(crate) fn run(arguments: &[String]) -> Result<()> {
    let options = parse(arguments)?;
    if !options.names.is_empty() {
        start_ups(&options)?;
    }
    if options.stall_seconds > 0 {
        stalls::run(options.base, options.stall_seconds)?;
    }
    Ok(())
}

fn start_ups(options: &Options) -> Result<()> {
    let Options {
        puts, base, names, ..
    } = options;
    let place = tempfile::tempdir()?;
    println!("start-up after a kill, seconds to the first answer (median of {ROUNDS}; {base} pairs before)");
    print!("{:<34}", "");
    for name in names {
        print!("{name:>12}");
    }
    println!(
        "{:>14}{:>10}{:>10}{:>12}{:>10}",
        "best/godb", "log, MiB", "ms/MiB", "more/MiB", "peak, MiB"
    );
    let mut before = None;
    for part in [8, 4, 2, 1] {
        let work = Work {
            base: *base,
            puts: puts / part,
            per: 100,
        };
        before = compare(place.path(), names, work, before)?;
    }
    let work = Work {
        base: *base,
        puts: puts / 2,
        per: 10_000,
    };
    compare(place.path(), names, work, None)?;
    println!(
        "ms/MiB: godb's time by its log; more/MiB: the time that the line takes longer than the one above, by the log that it has more\n"
    );
    Ok(())
}

fn parse(arguments: &[String]) -> Result<Options> {
    let mut options = Options {
        puts: 400_000,
        base: 100_000,
        names: USUAL.map(str::to_owned).to_vec(),
        stall_seconds: 5,
    };
    let mut words = arguments.iter();
    while let Some(word) = words.next() {
        let value = words.next().ok_or_else(|| format!("{word} needs a value"))?;
        match word.as_str() {
            "--items" => options.puts = value.parse()?,
            "--base" => options.base = value.parse()?,
            "--stalls" => options.stall_seconds = value.parse()?,
            "--only" => {
                let wanted = |name: &&str| value.split(',').any(|one| one.eq_ignore_ascii_case(name));
                options.names = peer_names().filter(wanted).map(str::to_owned).collect();
            }
            other => return Err(format!("no option `{other}`").into()),
        }
    }
    Ok(options)
}

/// godb's time and the length of its log in MiB, in one line of the table.
type Point = (f64, f64);

/// One line of the table.
fn compare(place: &Path, names: &[String], work: Work, before: Option<Point>) -> Result<Option<Point>> {
    let mut killed = Vec::new();
    for name in names {
        let folder = place.join(format!("{name}-killed"));
        prepare(name, &folder, work)?;
        killed.push(folder);
    }
    let mut times = vec![Vec::new(); names.len()];
    for _ in 0..ROUNDS {
        for (at, name) in names.iter().enumerate() {
            times[at].push(open_copy(name, &killed[at], &place.join("copy"), work)?);
        }
    }
    let medians: Vec<Opened> = times.into_iter().map(median).collect();
    print!(
        "{:<34}",
        format!("{} puts, {} a transaction", work.puts, work.per)
    );
    for opened in &medians {
        print!("{:>12.3}", opened.seconds);
    }
    let best = medians[1..].iter().map(|one| one.seconds).reduce(f64::min);
    let ratio = best.map(|best| best / medians[0].seconds);
    let verdict = ratio.map_or(String::new(), |ratio| {
        format!("{ratio:.2} {}", if ratio >= 1.0 { "met" } else { "MISSED" })
    });
    let log = log_mib(&killed[0])?;
    let milliseconds = medians[0].seconds * 1000.0;
    print!("{verdict:>14}{log:>10.1}{:>10.2}", milliseconds / log);
    match before {
        Some((time, length)) => print!("{:>12.2}", (milliseconds - time) / (log - length)),
        None => print!("{:>12}", ""),
    }
    println!("{:>10.0}", medians[0].peak_mib);
    for folder in killed {
        std::fs::remove_dir_all(folder)?;
    }
    Ok(Some((milliseconds, log)))
}

/// The length of godb's log: the blocks of its segments in which there is something. A log begins with the clean close before it, so none of them was used before.
fn log_mib(folder: &Path) -> Result<f64> {
    let mut blocks = 0_u32;
    for entry in std::fs::read_dir(folder)? {
        let log = entry?.path();
        if !log.is_dir() {
            continue;
        }
        for segment in std::fs::read_dir(log)? {
            let segment = segment?.path();
            if segment.extension().is_some_and(|extension| extension == "log") {
                let bytes = std::fs::read(segment)?;
                let used = bytes
                    .chunks(BLOCK)
                    .filter(|block| block.iter().any(|byte| *byte != 0));
                blocks += u32::try_from(used.count())?;
            }
        }
    }
    Ok(f64::from(blocks) * BLOCK as f64 / f64::from(1 << 20))
}

fn median(mut rounds: Vec<Opened>) -> Opened {
    rounds.sort_by(|a, b| a.seconds.total_cmp(&b.seconds));
    rounds[rounds.len() / 2]
}

fn worker(role: &str, name: &str, folder: &Path, work: Work) -> Result<Command> {
    let mut command = Command::new(std::env::current_exe()?);
    command.arg("--recovery-worker").arg(role).arg(name).arg(folder);
    command.args([work.base, work.puts, work.per].map(|number| number.to_string()));
    Ok(command)
}

/// Has a process do the work, and kills it when it says that it is in the midst of the last transaction.
fn prepare(name: &str, folder: &Path, work: Work) -> Result<()> {
    std::fs::create_dir_all(folder)?;
    let mut child = worker("write", name, folder, work)?
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()?;
    let mut said = String::new();
    let out = child.stdout.take().ok_or("the writer has no output")?;
    BufReader::new(out).read_line(&mut said)?;
    child.kill()?;
    child.wait()?;
    if said.trim() == "ready" {
        Ok(())
    } else {
        Err(format!("{name}: the writer said: {said}").into())
    }
}

/// Copies what the kill left, and has a process open it.
fn open_copy(name: &str, killed: &Path, copy: &Path, work: Work) -> Result<Opened> {
    if copy.exists() {
        std::fs::remove_dir_all(copy)?;
    }
    copy_folder(killed, &copy.to_path_buf())?;
    // What is still to be written belongs to the copying, and shall not wait in front of the recovery's own.
    Command::new("sync").status()?;
    let output = worker("open", name, copy, work)?.output()?;
    let said = String::from_utf8(output.stdout)?;
    let mut numbers = said.split_whitespace().map(str::parse::<f64>);
    match (numbers.next(), numbers.next()) {
        (Some(Ok(seconds)), Some(Ok(peak_mib))) => Ok(Opened { seconds, peak_mib }),
        _ => Err(format!("{name}: the opening process said: {said}").into()),
    }
}

fn copy_folder(from: &Path, to: &PathBuf) -> Result<()> {
    std::fs::create_dir_all(to)?;
    for entry in std::fs::read_dir(from)? {
        let entry = entry?;
        let target = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            copy_folder(&entry.path(), &target)?;
        } else {
            std::fs::copy(entry.path(), target)?;
        }
    }
    Ok(())
}
