//! Row 14: an operation fails while the database recovers, takes the checkpoint that recovery left to be taken, or takes any other. That is an error, and nothing worse: the next attempt finds what the first one
//! found, and succeeds when the fault has passed.

use super::campaign::Campaign;
use super::script::{Play, Script, Step, base, judge};
use super::world::{kill, open, typed, with_fault, words};
use godb_page::{Crash, Effect, Injection, Operations, SimulatedDisk};

/// What becomes of an operation.
const EFFECTS: [(&str, Effect); 4] = [
    ("I/O error", Effect::IoError),
    ("disk full", Effect::DiskFull),
    ("quota", Effect::Refused { errno: 122 }),
    ("I/O error, data forgotten", Effect::SyncForgets { seed: None }),
];

/// A database that needs recovery, and what it may hold.
struct Wreck {
    disk: SimulatedDisk,
    script: Script,
    least: usize,
    most: usize,
    name: String,
}

/// Fails every operation of recoveries and of checkpoints.
pub(super) fn run(campaign: &mut Campaign) {
    let wrecks = wrecks(campaign.choose(17, 1));
    let stride = campaign.choose(5, 1);
    for wreck in &wrecks {
        let total = operations(&wreck.disk);
        for nth in (1..=total).step_by(stride) {
            each_way(nth, |how, injection| {
                campaign.case(
                    "recovery",
                    || format!("{}: operation {nth} of {total}, {how}", wreck.name),
                    || fail_recovery(wreck, injection),
                );
            });
        }
    }
    for wreck in wrecks.iter().step_by(campaign.choose(3, 2)) {
        settling(campaign, wreck, stride);
    }
    checkpoints(campaign, stride);
}

fn each_way(nth: u64, mut tried: impl FnMut(&str, Injection)) {
    for (how, effect) in EFFECTS {
        let kinds = match effect {
            Effect::SyncForgets { .. } => Operations::SYNC | Operations::SYNC_DIR,
            _ => Operations::ALL,
        };
        for lasting in [false, true] {
            let injection = Injection {
                lasting,
                ..Injection::once(kinds, nth, effect)
            };
            tried(&format!("{how}, lasting {lasting}"), injection);
        }
    }
}

/// Power losses at some moments of the script, and what may be left then.
fn wrecks(every: u64) -> Vec<Wreck> {
    let base = base();
    let total = {
        let script = Script::standard(&base);
        let disk = base.fork();
        drop(Play::of(&disk, &script));
        disk.count(Operations::CHANGES)
    };
    let mut wrecks = Vec::new();
    for at in (3..total).step_by(usize::try_from(5 * every).unwrap_or(5)) {
        let script = Script::standard(&base);
        let disk = with_fault(&base, Injection::once(Operations::CHANGES, at, Effect::PowerOff));
        let play = Play::of(&disk, &script);
        for crash in [Crash::KeepNone, Crash::KeepSome { seed: at }] {
            wrecks.push(Wreck {
                disk: disk.crash(crash),
                script: Script::standard(&base),
                least: play.acknowledged,
                most: play.begun,
                name: format!("power lost at change {at}, {crash:?}"),
            });
        }
    }
    wrecks
}

/// How many operations opening takes.
fn operations(disk: &SimulatedDisk) -> u64 {
    let trial = disk.fork();
    let before = trial.count(Operations::ALL);
    let db = open(&trial).expect("a crash is survived");
    let after = trial.count(Operations::ALL);
    kill(db, &trial);
    after - before
}

fn fail_recovery(wreck: &Wreck, injection: Injection) -> Result<(), String> {
    let disk = with_fault(&wreck.disk, injection);
    let left = match open(&disk) {
        Ok(db) => kill(db, &disk),
        Err(error) => {
            typed(&error)?;
            disk.heal();
            disk
        }
    };
    // The power may go after the failure as well as before the next attempt.
    for (how, found) in [
        ("a retry", left.fork()),
        ("a power loss and a retry", left.crash(Crash::KeepNone)),
        (
            "a power loss and a retry",
            left.crash(Crash::KeepSome { seed: 5 }),
        ),
    ] {
        let db = words(how, open(&found))?;
        let held =
            judge(&db, &wreck.script, wreck.least, wreck.most).map_err(|wrong| format!("{how}: {wrong}"))?;
        let after = kill(db, &found).crash(Crash::KeepNone);
        let db = words("opening after the retry", open(&after))?;
        judge(&db, &wreck.script, held, held).map_err(|wrong| format!("{how}, then power lost: {wrong}"))?;
        words("closing", db.close())?;
    }
    Ok(())
}

/// Fails every operation of the first step after a recovery, which takes the checkpoint that opening did not wait for; or loses the power there.
fn settling(campaign: &mut Campaign, wreck: &Wreck, stride: usize) {
    let total = {
        let disk = wreck.disk.fork();
        let db = open(&disk).expect("a crash is survived");
        let before = disk.count(Operations::ALL);
        db.step().expect("a checkpoint is taken");
        let total = disk.count(Operations::ALL) - before;
        kill(db, &disk);
        total
    };
    for nth in (1..=total).step_by(stride) {
        let mut tried = |how: &str, injection| {
            campaign.case(
                "the checkpoint after recovery",
                || format!("{}: operation {nth} of {total}, {how}", wreck.name),
                || fail_settling(wreck, injection),
            );
        };
        each_way(nth, &mut tried);
        tried(
            "power lost",
            Injection::once(Operations::ALL, nth, Effect::PowerOff),
        );
    }
}

fn fail_settling(wreck: &Wreck, injection: Injection) -> Result<(), String> {
    let disk = wreck.disk.fork();
    let db = words("opening", open(&disk))?;
    let restarts = !matches!(injection.effect, Effect::PowerOff);
    disk.inject(injection);
    if let Err(error) = db.step() {
        typed(&error)?;
    }
    let left = kill(db, &disk);
    let mut ends = vec![
        ("power lost", left.crash(Crash::KeepNone)),
        ("power lost", left.crash(Crash::KeepSome { seed: 3 })),
    ];
    if restarts {
        ends.push(("restarted", left.fork()));
    }
    for (how, found) in ends {
        let db = words(how, open(&found))?;
        let held =
            judge(&db, &wreck.script, wreck.least, wreck.most).map_err(|wrong| format!("{how}: {wrong}"))?;
        let after = kill(db, &found).crash(Crash::KeepNone);
        let db = words("opening again", open(&after))?;
        judge(&db, &wreck.script, held, held).map_err(|wrong| format!("{how}, opened again: {wrong}"))?;
        words("closing", db.close())?;
    }
    Ok(())
}

/// Fails every operation of a checkpoint that has something to do.
fn checkpoints(campaign: &mut Campaign, stride: usize) {
    let base = base();
    let mut script = Script::standard(&base);
    let at = script
        .steps
        .iter()
        .position(|step| matches!(step, Step::Checkpoint));
    script.steps.truncate(at.expect("the script has a checkpoint"));
    let total = {
        let disk = base.fork();
        let play = Play::of(&disk, &script);
        let before = disk.count(Operations::ALL);
        let db = play.db.expect("the script runs");
        db.checkpoint().expect("a checkpoint is taken");
        disk.count(Operations::ALL) - before
    };
    for nth in (1..=total).step_by(stride) {
        each_way(nth, |how, injection| {
            campaign.case(
                "checkpoint",
                || format!("operation {nth} of {total}, {how}"),
                || fail_checkpoint(&base, &script, injection),
            );
        });
    }
}

fn fail_checkpoint(base: &SimulatedDisk, script: &Script, injection: Injection) -> Result<(), String> {
    let disk = base.fork();
    let play = Play::of(&disk, script);
    let held = play.acknowledged;
    let db = play.db.ok_or("the script does not run")?;
    disk.inject(injection);
    if let Err(error) = db.checkpoint() {
        typed(&error)?;
    }
    disk.heal();
    match db.checkpoint() {
        // Only a failed sync ends all writing.
        Err(error) if error.sqlstate() != "55000" => return Err(format!("a retry: {error}")),
        _ => {}
    }
    super::script::holds(&db, script, held, held)?;
    let left = kill(db, &disk);
    for (how, found) in [
        ("restarted", left.fork()),
        ("power lost", left.crash(Crash::KeepNone)),
    ] {
        let db = words(how, open(&found))?;
        judge(&db, script, held, held).map_err(|wrong| format!("{how}: {wrong}"))?;
        words("closing", db.close())?;
    }
    Ok(())
}
