//! Row 11: a write is reported done and never happens. What lies there instead is old, whole, in its place, and its checksum is right.
//!
//! While the database is open it remembers what it wrote, and finds the old page when it reads it again. After a restart the log knows what was written since the last
//! checkpoint: recovery finds the page behind. Later than that nothing contradicts an old page but its neighbours in the tree: what no check can find is counted here,
//! and no promise is made about it.

use super::campaign::Campaign;
use super::misdirected::right_or_error;
use super::script::{Play, Script, Step, base};
use super::world::{FILE, kill, open, read_state, typed, with_fault};
use godb_page::{Crash, Effect, Injection, Operations, SimulatedDisk};

/// Loses every write of the script, one at a time.
pub(super) fn run(campaign: &mut Campaign) {
    let base = base();
    let stride = campaign.choose(4, 1);
    for (what, script) in scripts(&base) {
        let mut nth = 1;
        while let Some(at) = struck_at(&base, &script, FILE, nth) {
            campaign.case(
                "page writes, in the same process",
                || format!("{what}: page write {nth}, in step {at}"),
                || same_process(&base, &script, nth),
            );
            let covered = !script.steps[at..]
                .iter()
                .any(|step| matches!(step, Step::Checkpoint | Step::Reopen));
            let measure = match covered {
                true => "page writes, after a restart, the log covers them",
                false => "page writes, after a restart, no log left: no promise",
            };
            for crash in [None, Some(Crash::KeepAll), Some(Crash::KeepNone)] {
                campaign.case(
                    measure,
                    || format!("{what}: page write {nth}, in step {at}, {crash:?}"),
                    || restarted(&base, &script, nth, crash, covered),
                );
            }
            nth += stride;
        }
        for file in [".log", "control", "safe-copies"] {
            let mut nth = 1;
            while struck_at(&base, &script, file, nth).is_some() {
                campaign.case(
                    "writes of the log and the safe copies",
                    || format!("{what}: write {nth} to {file}"),
                    || lost_log(&base, &script, file, nth),
                );
                nth += stride;
            }
        }
    }
}

/// The standard script, with checkpoints and closings and without.
fn scripts(base: &SimulatedDisk) -> Vec<(&'static str, Script)> {
    let standard = Script::standard(base);
    let calm = |step: &&Step| !matches!(step, Step::Checkpoint | Step::Reopen);
    let mut steps: Vec<Step> = standard.steps.iter().filter(calm).cloned().collect();
    steps.push(Step::Background);
    vec![
        ("standard", standard),
        ("without checkpoints", Script::on(base, steps)),
    ]
}

fn lost(base: &SimulatedDisk, file: &str, nth: u64) -> SimulatedDisk {
    with_fault(
        base,
        Injection::once(Operations::WRITE, nth, Effect::LoseWrite).on_file(file),
    )
}

/// At which step the `nth` write to a file comes; none when there are fewer.
fn struck_at(base: &SimulatedDisk, script: &Script, file: &str, nth: u64) -> Option<usize> {
    let disk = lost(base, file, nth);
    let mut at = None;
    let play = Play::watched(&disk, script, |step| {
        if disk.struck() > 0 {
            at.get_or_insert(step);
        }
    });
    let ended = play.ended.map(|(step, _)| step);
    let struck = disk.struck() > 0;
    if let Some(db) = play.db {
        kill(db, &disk);
    }
    match struck {
        true => at.or(ended),
        false => None,
    }
}

fn same_process(base: &SimulatedDisk, script: &Script, nth: u64) -> Result<(), String> {
    let disk = lost(base, FILE, nth);
    let play = Play::of(&disk, script);
    if let Some((_, error)) = &play.ended {
        typed(error)?;
    }
    let Some(db) = play.db else { return Ok(()) };
    // The check reads every page again, and so do queries; twice, for the first may have brought others back to memory.
    for _ in 0..2 {
        right_or_error(&db, script, play.acknowledged, play.begun)?;
        if let Err(error) = db.check() {
            typed(&error)?;
        }
    }
    kill(db, &disk);
    Ok(())
}

fn restarted(
    base: &SimulatedDisk,
    script: &Script,
    nth: u64,
    crash: Option<Crash>,
    covered: bool,
) -> Result<(), String> {
    let disk = lost(base, FILE, nth);
    let play = Play::of(&disk, script);
    let (least, most) = (play.acknowledged, play.begun);
    let killed = match play.db {
        Some(db) => kill(db, &disk),
        None => disk.fork(),
    };
    killed.heal();
    let found = crash.map_or_else(|| killed.fork(), |crash| disk_after(&killed, crash));
    let db = match open(&found) {
        Ok(db) => db,
        Err(error) => return typed(&error),
    };
    match covered {
        true => right_or_error(&db, script, least, most),
        // No panic, no hang, and errors that say what they are.
        false => read_state(&db).map_or_else(|error| typed(&error), |_| Ok(())),
    }
}

fn disk_after(disk: &SimulatedDisk, crash: Crash) -> SimulatedDisk {
    disk.crash(crash)
}

/// A lost write of the log: the same process reads on, a restart finds damage, or a log that ends where a crash could have ended it.
fn lost_log(base: &SimulatedDisk, script: &Script, file: &str, nth: u64) -> Result<(), String> {
    let disk = lost(base, file, nth);
    let play = Play::of(&disk, script);
    if let Some((_, error)) = &play.ended {
        typed(error)?;
    }
    let (least, most) = (play.acknowledged, play.begun);
    let Some(db) = play.db else { return Ok(()) };
    right_or_error(&db, script, least, most)?;
    let left = kill(db, &disk);
    match open(&left) {
        Ok(db) => right_or_error(&db, script, 0, most),
        Err(error) => typed(&error),
    }
}
