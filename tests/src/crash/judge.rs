//! [`Judge`]: opens what a crash left and says whether that is something it may have left.

use super::oracle::{Oracle, read_all, shows};
use super::player::Progress;
use super::script::Workload;
use godb::{Config, Database, Environment, Error, Result, SyncMode};
use godb_page::SimulatedDisk;
use std::collections::HashMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

/// The database's name on the simulated disk.
pub(super) const NAME: &str = "crash.godb";

/// How far back the past is kept where it is.
const RETENTION: Duration = Duration::from_secs(3600);

/// Opens the database of a workload: pages of 4 KiB, sixteen frames, no threads.
pub(super) fn open(disk: &SimulatedDisk, workload: &Workload, environment: &Environment) -> Result<Database> {
    let config = Config {
        page_size: 4096,
        buffer_pool_size: 16 * 4096,
        background_threads: false,
        work_memory: 1 << 20,
        log_segment_size: workload.segment,
        retention: if workload.past { RETENTION } else { Duration::ZERO },
        wal_sync_mode: if workload.relaxed {
            SyncMode::Normal
        } else {
            SyncMode::Full
        },
        ..Config::default()
    };
    Database::open_on(Arc::new(disk.clone()), environment, Path::new(NAME), config)
}

/// After which commits the database may be what it is, or what is wrong.
type Verdict = std::result::Result<Vec<usize>, String>;

/// Judges the disks of one workload. Two disks alike are judged once: what an opening does depends on nothing else.
pub(super) struct Judge<'a> {
    workload: &'a Workload,
    oracle: &'a Oracle,
    known: HashMap<u128, Verdict>,
    /// How many disks were opened.
    pub(super) opened: u64,
    /// The time cannot be trusted.
    pub(super) clock_is_bad: bool,
}

/// Whether an error says that the past asked for is kept no more.
fn is_too_old(error: &Error) -> bool {
    error.sqlstate() == "72000"
}

impl<'a> Judge<'a> {
    pub(super) fn new(workload: &'a Workload, oracle: &'a Oracle) -> Self {
        Self {
            workload,
            oracle,
            known: HashMap::new(),
            opened: 0,
            clock_is_bad: false,
        }
    }

    /// Judges a disk after a power loss, when the run had come so far. What is wrong is told in words.
    pub(super) fn judge(
        &mut self,
        disk: &SimulatedDisk,
        progress: &Progress,
    ) -> std::result::Result<(), String> {
        let print = disk.fingerprint();
        let verdict = match self.known.get(&print) {
            Some(verdict) => verdict.clone(),
            None => {
                let verdict = self.open_and_look(disk, progress, &Environment::simulated(7));
                self.known.insert(print, verdict.clone());
                verdict
            }
        };
        self.in_range(&verdict?, progress)
    }

    /// The same without a look at what is known, under a clock of one's own; for a disk that may not be like others of the same bytes.
    pub(super) fn judge_anew(
        &mut self,
        disk: &SimulatedDisk,
        progress: &Progress,
        environment: &Environment,
    ) -> std::result::Result<(), String> {
        let places = self.open_and_look(disk, progress, environment)?;
        self.in_range(&places, progress)
    }

    fn in_range(&self, places: &[usize], progress: &Progress) -> std::result::Result<(), String> {
        let (from, to) = progress.range();
        if places.iter().any(|at| (from..=to).contains(at)) {
            return Ok(());
        }
        Err(format!(
            "it holds commit {places:?}, but those acknowledged and durable are {from}, and {to} were asked for"
        ))
    }

    fn open_and_look(
        &mut self,
        disk: &SimulatedDisk,
        progress: &Progress,
        environment: &Environment,
    ) -> Verdict {
        self.opened += 1;
        catch_unwind(AssertUnwindSafe(|| self.look(disk, progress, environment)))
            .unwrap_or_else(|panic| Err(format!("it panicked: {}", words_of(&*panic))))
    }

    /// Opens what is left, sees that it is whole, that it takes writes, and that opening it again changes nothing.
    fn look(&self, disk: &SimulatedDisk, progress: &Progress, environment: &Environment) -> Verdict {
        let open = || open(disk, self.workload, environment);
        let db = told("it does not open", open())?;
        let places = self.find(&db, progress)?;
        told("its past cannot be read", self.past(&db, &places, progress))??;
        told("it takes no writes", db.put(b"\xFFalive", b"yes"))?;
        told("it takes no deletions", db.delete(b"\xFFalive"))?;
        told("it does not close", db.close())?;
        let db = told("it does not open a second time", open())?;
        let again = self
            .find(&db, progress)
            .map_err(|wrong| format!("opened a second time: {wrong}"))?;
        told("it does not close a second time", db.close())?;
        if again != places {
            return Err(format!("it held commit {places:?}, and then {again:?}"));
        }
        Ok(places)
    }

    /// The full check, then everything there is, held against the oracle.
    fn find(&self, db: &Database, progress: &Progress) -> Verdict {
        let findings = told("the check failed", db.check())?;
        if !findings.is_empty() {
            return Err(format!("the check found: {}", findings.join("; ")));
        }
        let found = told("reading failed", read_all(db))?;
        let places = self.oracle.places(&found);
        if places.is_empty() {
            let (from, to) = progress.range();
            let compared: Vec<String> = (from..=to)
                .map(|at| format!("against commit {at}: {}", self.oracle.difference(&found, at)))
                .collect();
            return Err(format!(
                "it is the state after no commit; {}",
                compared.join("; ")
            ));
        }
        Ok(places)
    }

    /// Looks at the first, the middle and the last commit acknowledged, as they were then.
    fn past(
        &self,
        db: &Database,
        places: &[usize],
        progress: &Progress,
    ) -> Result<std::result::Result<(), String>> {
        let done = &progress.acknowledged;
        // A commit that changed nothing leaves no trace; the first that looks like this is surely there.
        let there = places.first().copied().unwrap_or(0).min(done.len());
        if !self.workload.past || there == 0 {
            return Ok(Ok(()));
        }
        for commit in [1, there.div_ceil(2), there] {
            let Some(at) = done[commit - 1] else {
                continue;
            };
            let shown = match shows(db, at, self.oracle.state(commit)) {
                // By a clock that jumped it may be longer ago than the past is kept; to say so is no wrong answer.
                Err(error) if self.clock_is_bad && is_too_old(&error) => continue,
                other => other?,
            };
            if !shown {
                return Ok(Err(format!("as of commit {commit} it shows something else")));
            }
        }
        Ok(Ok(()))
    }
}

/// An error in words, after what it means.
fn told<T>(what: &str, result: Result<T>) -> std::result::Result<T, String> {
    result.map_err(|error| format!("{what}: {error}"))
}

/// What a panic said.
pub(super) fn words_of(panic: &(dyn std::any::Any + Send)) -> String {
    let text = panic.downcast_ref::<String>().cloned();
    text.or_else(|| panic.downcast_ref::<&str>().map(|text| (*text).to_owned()))
        .unwrap_or_default()
}
