//! Data larger than memory: `cargo xtask bench --larger-than-memory`.
//!
//! Each database in turn loads the same pairs, in a process of its own and with all the memory there is; the system's cache is emptied of its files; then a second process reads and
//! writes under a limit that counts the cache of the system, too. So it counts how much of what one reads is of use: databases that rely on the system's cache and those with
//! one of their own share the same few bytes.
//!
//! Where the system lets nobody limit a process, the table says so, and its figures are of no use but to see that the program runs.

mod cold;
mod group;
mod worker;

pub(crate) use worker::work;

use super::figure::Figure;
use super::results::{Better, Goal, Results};
use super::{KEY_AND_VALUE, Options, better, disk, peer_names};
use crate::Result;
use group::Group;
use lexopt::prelude::*;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

/// The word that makes this program a worker of the comparison.
pub(crate) const WORKER: &str = "--larger-than-memory-worker";

/// Bytes of cache while pairs are loaded, where nothing is measured.
const LOADING: u64 = 1 << 30;

/// Those that take part; others can be asked for by name.
const USUAL: [&str; 4] = ["godb", "LMDB", "redb", "SQLite"];

const SCAN: Goal = Goal::new("scan in key order, keys/s", Better::More, None);
const UNIFORM: Goal = Goal::new("uniform reads, keys/s", Better::More, Some(1.0));
const ZIPF: Goal = Goal::new("Zipf reads, keys/s", Better::More, Some(1.0));
const MIXED: Goal = Goal::new("mixed 50/50, Zipf, keys/s", Better::More, Some(1.0));

/// What a worker measures, in this order.
const PHASES: [Goal; 4] = [SCAN, UNIFORM, ZIPF, MIXED];

/// What the comparison is asked to do.
struct Wanted {
    /// Bytes that a process may use, and bytes of pairs.
    limit: u64,
    data: u64,
    /// Bytes of memory for each database's own cache, if that is to be the same for all.
    cache: Option<u64>,
    /// Seconds of each phase.
    seconds: u64,
    names: Vec<String>,
    folder: Option<PathBuf>,
    results: Options,
}

impl Wanted {
    /// Reads `--limit MIB`, `--data MIB` (four times the limit), `--cache MIB` (what suits each), `--seconds N`, `--only NAME,…`, `--json FILE`, `--compare FILE`, `--chart FILE`,
    /// `--folder DIR`.
    fn parse(arguments: &[String]) -> Result<Self> {
        let (mut limit, mut data, mut cache, mut seconds) = (128 << 20, None, None, 8);
        let mut results = Options::parse(&[])?;
        let mut parser = lexopt::Parser::from_args(arguments);
        while let Some(argument) = parser.next()? {
            match argument {
                Long("limit") => limit = parser.value()?.parse::<u64>()? << 20,
                Long("data") => data = Some(parser.value()?.parse::<u64>()? << 20),
                Long("cache") => cache = Some(parser.value()?.parse::<u64>()? << 20),
                Long("seconds") => seconds = parser.value()?.parse()?,
                Long("only") => {
                    let names = parser.value()?.string()?;
                    results.only = names.split(',').map(str::to_lowercase).collect();
                }
                Long("json") => results.json = Some(parser.value()?.into()),
                Long("compare") => results.compare = Some(parser.value()?.into()),
                Long("chart") => results.chart = Some(parser.value()?.into()),
                Long("folder") => results.folder = Some(parser.value()?.into()),
                other => return Err(other.unexpected().into()),
            }
        }
        Ok(Self {
            limit,
            data: data.unwrap_or(4 * limit),
            cache,
            seconds,
            names: names(&results.only),
            folder: results.folder.clone(),
            results,
        })
    }

    /// Of the memory, what a database takes for a cache of its own: measured for each, and the best taken. godb reads past the system's cache, so nearly all memory is its own; LMDB has none;
    /// the others leave their pages to the system.
    fn cache_of(&self, name: &str) -> u64 {
        self.cache.unwrap_or(match name {
            "godb" => self.limit / 32 * 25,
            _ => self.limit / 16,
        })
    }

    fn items(&self) -> u64 {
        self.data / KEY_AND_VALUE
    }
}

fn names(only: &[String]) -> Vec<String> {
    let wanted = |name: &&str| match only {
        [] => USUAL.contains(name),
        some => some.contains(&name.to_lowercase()),
    };
    peer_names().filter(wanted).map(str::to_owned).collect()
}

/// Runs the comparison.
pub(crate) fn run(arguments: &[String]) -> Result<()> {
    let wanted = Wanted::parse(arguments)?;
    let place = match &wanted.folder {
        Some(folder) => tempfile::tempdir_in(folder)?,
        None => tempfile::tempdir()?,
    };
    let mib = |bytes: u64| bytes >> 20;
    println!(
        "{} MiB of pairs, {} MiB of memory",
        mib(wanted.data),
        mib(wanted.limit)
    );
    let mut results = Results::new(wanted.items());
    let mut unlimited = None;
    let mut disk = Figure::default();
    for name in &wanted.names {
        let folder = place.path().join(name);
        if let Err(why) = measure(&wanted, name, &folder, &mut results)? {
            unlimited = Some(why);
        }
        disk = better(disk, single_reads(&folder, wanted.seconds)?);
        std::fs::remove_dir_all(folder)?;
    }
    println!("{results}");
    println!("the disk gives {:.0} single blocks of 4 KiB a second", disk.value);
    for goal in [UNIFORM, ZIPF] {
        results.tell_waiting(goal, &disk);
    }
    if let Some(why) = unlimited {
        println!("NOT LIMITED: this system lets memory not be limited ({why}); these figures say nothing");
    }
    results.keep(&wanted.results)
}

/// Why memory could not be limited.
type Unlimited = String;

/// One database: loads it, then measures it under the limit.
fn measure(
    wanted: &Wanted,
    name: &str,
    folder: &Path,
    results: &mut Results,
) -> Result<std::result::Result<(), Unlimited>> {
    std::fs::create_dir_all(folder)?;
    start(wanted, "load", name, folder, None)?;
    cold::forget(folder)?;
    let group = Group::new(wanted.limit);
    let procs = group.as_ref().ok().map(Group::procs);
    let figures = start(wanted, "measure", name, folder, procs)?;
    for (goal, line) in PHASES.into_iter().zip(figures.lines()) {
        let figure: Figure = serde_json::from_str(line).map_err(|_| format!("{name} said: {line}"))?;
        if let Some([median, high, longest]) = figure.latency {
            println!("  latency {median:.0} us, 99th percentile {high:.0} us, longest {longest:.0} us");
        }
        results.note(goal, name, figure);
    }
    Ok(match group {
        Ok(group) => {
            println!("  {name} used {} MiB at most", group.peak()? >> 20);
            Ok(())
        }
        Err(why) => Err(why.to_string()),
    })
}

/// What the disk gives of the largest file of a database.
fn single_reads(folder: &Path, seconds: u64) -> Result<Figure> {
    let mut largest = None;
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        let metadata = entry.metadata()?;
        if metadata.is_file() {
            largest = largest.max(Some((metadata.len(), entry.path())));
        }
    }
    match largest {
        Some((_, file)) => disk::reads(&file, Duration::from_secs(seconds)),
        None => Ok(Figure::default()),
    }
}

/// Starts a worker, in the group of these processes, and gives what it said.
fn start(wanted: &Wanted, role: &str, name: &str, folder: &Path, procs: Option<PathBuf>) -> Result<String> {
    let cache = match role {
        "load" => LOADING,
        _ => wanted.cache_of(name),
    };
    let numbers = [wanted.items(), cache, wanted.seconds];
    let mut command = Command::new(std::env::current_exe()?);
    command.args([WORKER, role, name]).arg(folder);
    command.args(numbers.map(|number| number.to_string()));
    command.args(procs).stderr(Stdio::inherit());
    let output = command.output()?;
    let said = String::from_utf8(output.stdout)?;
    match output.status.success() {
        true => Ok(said),
        false => Err(format!("{name}: {role}: {}: {said}", output.status).into()),
    }
}
