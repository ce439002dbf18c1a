//! A process is killed at any moment, out of handles, or asked to end; the power of a real file system goes.

use super::injected;
use super::ledger::Ledger;
use super::power;
use super::process::{Exe, Running, run as run_child, word, works};
use crate::faults::Campaign;
use std::path::Path;
use std::time::Duration;

/// The program whose end is waited for is not asked: the kernel ends it between two instructions.
const SIGNALS: [&str; 2] = ["-KILL", "-TERM"];

/// Row 25.
pub(super) fn run(campaign: &mut Campaign) {
    let exe = Exe::this();
    let kills = campaign.choose(20, 1_000);
    let signal = |kill: u64| SIGNALS[usize::from(kill % 10 == 9)];
    let mut rounds = Rounds::new();
    for kill in 0..kills {
        let wait = Duration::from_millis(2 + (campaign.seed * 7 + kill * 13) % 90);
        campaign.case(
            "real processes killed while they write",
            || format!("after {wait:?}"),
            || {
                let rounds = rounds.as_mut().map_err(|error| error.clone())?;
                rounds.kill(&exe, signal(kill), wait)
            },
        );
    }
    out_of_handles(campaign, &exe);
    injected::kills(campaign, &exe);
    injected::stalls(campaign, &exe);
    power::run(campaign, &exe);
    one_core(campaign, &exe);
}

/// Kills children of `exe` that write into one file after the other, and says what was lost. For tests of other programs.
///
/// # Errors
/// In words: what was lost, or what could not be done.
pub fn kill_and_judge(exe: &Exe, kills: u64) -> Result<(), String> {
    let mut rounds = Rounds::new()?;
    for kill in 0..kills {
        rounds.kill(exe, "-KILL", Duration::from_millis(20 + (kill * 13) % 90))?;
    }
    rounds.judge()?;
    match rounds.ledger.acknowledged() > 100 {
        true => Ok(()),
        false => Err("too few commits to mean anything".to_owned()),
    }
}

/// One file, and rounds of writing into it.
struct Rounds {
    folder: tempfile::TempDir,
    ledger: Ledger,
    round: u64,
}

/// After so many rounds the file is judged whole, and a new one is begun.
const JUDGED_AFTER: u64 = 10;

impl Rounds {
    fn new() -> Result<Self, String> {
        Ok(Self {
            folder: tempfile::tempdir().map_err(|error| error.to_string())?,
            ledger: Ledger::default(),
            round: 0,
        })
    }

    fn kill(&mut self, exe: &Exe, signal: &str, wait: Duration) -> Result<(), String> {
        let (file, round) = (self.folder.path().join("killed.godb"), self.round.to_string());
        let child = Running::start(exe.child(&["write", word(&file), &round, "1000000"]))?;
        std::thread::sleep(wait);
        if !works("kill", &[signal, &child.child.id().to_string()]) {
            return Err("the child cannot be killed".to_owned());
        }
        self.ledger.note(&round, &child.finish());
        if let Some(error) = self.ledger.errors.first() {
            return Err(format!("the child failed: {error}"));
        }
        self.round += 1;
        match self.round.is_multiple_of(JUDGED_AFTER) {
            true => self.judge(),
            false => Ok(()),
        }
    }

    fn judge(&self) -> Result<(), String> {
        self.ledger.judge(&self.folder.path().join("killed.godb"))
    }
}

/// With few file handles it works, or says so; nothing that it acknowledged is lost.
fn out_of_handles(campaign: &mut Campaign, exe: &Exe) {
    for handles in 4..24_u64 {
        campaign.case(
            "processes with few file handles",
            || format!("{handles} handles"),
            || {
                let limit = format!("--nofile={handles}:{handles}");
                limited(exe, &["prlimit", &limit])
            },
        );
    }
}

/// The child, under a limit that may make it fail.
pub(super) fn limited(exe: &Exe, program: &[&str]) -> Result<(), String> {
    let folder = tempfile::tempdir().map_err(|error| error.to_string())?;
    let file = folder.path().join("limited.godb");
    write_under(exe, program, &file, 60)?.judge_if_there(&file)
}

/// Lets the child write `count` rows a thread under another program, and notes what it says.
pub(super) fn write_under(exe: &Exe, program: &[&str], file: &Path, count: u32) -> Result<Ledger, String> {
    let words = ["write", word(file), "0", &count.to_string()];
    let command = match program {
        [] => exe.child(&words),
        program => exe.child_under(program, &words),
    };
    let mut ledger = Ledger::default();
    ledger.note("0", &run_child(command)?);
    Ok(ledger)
}

impl Ledger {
    /// Judges the file, unless nothing was acknowledged and there is none.
    pub(super) fn judge_if_there(&self, file: &Path) -> Result<(), String> {
        match self.acknowledged() == 0 && !file.exists() {
            true => Ok(()),
            false => self.judge(file),
        }
    }
}

/// A whole run, recovery and check included, on one core within 64 MiB of memory.
fn one_core(campaign: &mut Campaign, exe: &Exe) {
    if !works("taskset", &["-c", "0", "true"]) {
        return;
    }
    campaign.case(
        "whole runs on one core in 64 MiB",
        || "taskset, prlimit --data".to_owned(),
        || {
            let folder = tempfile::tempdir().map_err(|error| error.to_string())?;
            let file = folder.path().join("small.godb");
            let under = ["taskset", "-c", "0", "prlimit", "--data=67108864"];
            let ledger = write_under(exe, &under, &file, 2_000)?;
            match (ledger.errors.first(), ledger.acknowledged()) {
                (Some(error), _) => Err(error.clone()),
                (None, 8_000) => ledger.judge(&file),
                (None, rows) => Err(format!("{rows} of 8000 rows were acknowledged")),
            }
        },
    );
}
