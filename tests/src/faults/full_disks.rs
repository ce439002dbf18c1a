//! Row 6: the disk is full, the quota used up, the file as large as it may be.
//!
//! A transaction that needs room it cannot get aborts; nothing else happens to anybody. Taking it back needs no room, for the log set that aside when the change
//! was logged. When there is room again the database goes on, without being opened anew.

use super::campaign::Campaign;
use super::script::{Change, Play, Script, base, holds, judge, make};
use super::world::{FILE, State, kill, open, read_state, typed, with_fault, words};
use godb::Database;
use godb_page::{Crash, Effect, Injection, Operations, SimulatedDisk};

/// The system's ways to say that there is no room: ENOSPC, EDQUOT, EFBIG.
const REFUSALS: [(&str, i32); 3] = [("disk full", 28), ("quota", 122), ("file too large", 27)];

/// SQLSTATE of a full disk.
const DISK_FULL: &str = "53100";

/// Where room is asked for. Writes into the log take room that the files already have; a file system that refuses them all the same has broken its word,
/// and the log ends there.
const SITES: [(&str, Operations, &str, bool); 6] = [
    ("growing a file", Operations::SET_LEN, "", true),
    ("making a file", Operations::CREATE, "", true),
    ("writing pages", Operations::WRITE, FILE, true),
    ("writing pages", Operations::WRITE, "safe-copies", true),
    ("writing the log", Operations::WRITE, ".log", false),
    ("writing the log", Operations::WRITE, "control", false),
];

/// Refuses room everywhere, then lets disks fill up by themselves.
pub(super) fn run(campaign: &mut Campaign) {
    let base = base();
    let script = Script::standard(&base);
    for (what, kind, file, mild) in SITES {
        let stride = campaign.choose(if kind == Operations::WRITE { 7 } else { 2 }, 1);
        let mut nth = 1;
        while strikes(&base, &script, kind, file, nth) {
            for (how, effect) in effects(kind) {
                for lasting in [false, true] {
                    let injection = Injection {
                        lasting,
                        ..Injection::once(kind, nth, effect)
                    };
                    campaign.case(
                        what,
                        || format!("number {nth} on \"{file}\" is refused: {how}, lasting {lasting}"),
                        || refuse(&base, &script, injection.on_file(file), mild),
                    );
                }
            }
            nth += stride;
        }
    }
    let most: u64 = campaign.choose(64, 512);
    for kib in (0..most * 4).step_by(campaign.choose(20, 1)) {
        campaign.case(
            "a disk with so much room and no more",
            || format!("{kib} KiB free"),
            || fill(&base, &script, kib << 10),
        );
    }
}

fn effects(kind: Operations) -> Vec<(String, Effect)> {
    let refusals = REFUSALS.map(|(how, errno)| (how.to_owned(), Effect::Refused { errno }));
    let partly = [1, 512, 5000].map(|bytes| (format!("after {bytes} bytes"), Effect::PartlyFull { bytes }));
    match kind == Operations::WRITE {
        true => refusals.into_iter().chain(partly).collect(),
        false => refusals.into(),
    }
}

fn strikes(base: &SimulatedDisk, script: &Script, kind: Operations, file: &str, nth: u64) -> bool {
    let disk = with_fault(base, Injection::once(kind, nth, Effect::DiskFull).on_file(file));
    let play = Play::of(&disk, script);
    let struck = disk.struck() > 0;
    if let Some(db) = play.db {
        kill(db, &disk);
    }
    struck
}

fn refuse(base: &SimulatedDisk, script: &Script, injection: Injection, mild: bool) -> Result<(), String> {
    let disk = with_fault(base, injection);
    let play = Play::of(&disk, script);
    let (least, most) = (play.acknowledged, play.begun);
    if let Some((step, error)) = &play.ended {
        let clear = error.sqlstate() == DISK_FULL || !mild;
        if !clear {
            return Err(format!("step {step} failed with {} {error}", error.sqlstate()));
        }
        typed(error)?;
    }
    words("the rollback", play.rolled_back)?;
    let left = match play.db {
        Some(db) => {
            holds(&db, script, least, most).map_err(|wrong| format!("reading on the full disk: {wrong}"))?;
            disk.heal();
            if mild {
                goes_on(&db, script, least, most)?;
            }
            kill(db, &disk)
        }
        None => {
            disk.heal();
            disk.fork()
        }
    };
    for (how, found) in [
        ("the process ends", left.fork()),
        ("the power goes", left.crash(Crash::KeepNone)),
    ] {
        let db = words(how, open(&found))?;
        // One key more, if the database went on.
        words("removing", db.delete(b"more"))?;
        judge(&db, script, least, most).map_err(|wrong| format!("after {how}: {wrong}"))?;
        words("closing", db.close())?;
    }
    Ok(())
}

/// There is room again: the same process takes writes.
fn goes_on(db: &Database, script: &Script, least: usize, most: usize) -> Result<(), String> {
    words("writing when there is room again", db.put(b"more", b"1"))?;
    words("a checkpoint when there is room again", db.checkpoint())?;
    words("deleting", db.delete(b"more"))?;
    judge(db, script, least, most)
        .map(drop)
        .map_err(|wrong| format!("when there is room again: {wrong}"))
}

/// A disk that fills up: small transactions until one is refused, then a large one, which is taken back.
fn fill(base: &SimulatedDisk, script: &Script, room: u64) -> Result<(), String> {
    let disk = base.fork();
    let used: u64 = disk.files().iter().map(|name| size(&disk, name)).sum();
    let db = words("opening", open(&disk))?;
    disk.set_capacity(Some(used + room));
    let mut expected = script.states[0].clone();
    for round in 0..40_u16 {
        let small: Vec<Change> = (0..8).map(|n| Change::Put(2000 + round * 8 + n, 900)).collect();
        match change(&db, &small, true) {
            Ok(()) => expected = words("reading", read_state(&db))?,
            Err(error) if error.sqlstate() == DISK_FULL => break,
            Err(error) => return Err(format!("round {round}: {} {error}", error.sqlstate())),
        }
        if round % 8 == 7 {
            full_or_done("a checkpoint", db.checkpoint())?;
        }
    }
    let large: Vec<Change> = (0..600).map(|n| Change::Put(3000 + n, 1500)).collect();
    full_or_done("a large transaction", change(&db, &large, false))?;
    same(&db, &expected, "on the full disk")?;
    disk.set_capacity(None);
    words(
        "a large transaction when there is room",
        change(&db, &large, false),
    )?;
    words("writing when there is room", db.put(b"more", b"1"))?;
    words("deleting", db.delete(b"more"))?;
    same(&db, &expected, "when there is room")?;
    let findings = words("the check", db.check())?;
    if !findings.is_empty() {
        return Err(format!("the check found {findings:?}"));
    }
    let left = kill(db, &disk);
    same(&words("opening again", open(&left))?, &expected, "opened again")
}

fn size(disk: &SimulatedDisk, name: &str) -> u64 {
    disk.bytes(name).map_or(0, |bytes| bytes.len() as u64)
}

/// Makes changes in a transaction, and commits or takes them back; when they fail they are taken back, which must work.
fn change(db: &Database, changes: &[Change], commit: bool) -> godb::Result<()> {
    let mut tx = db.begin()?;
    let made = make(&mut tx, changes, 1);
    match (&made, commit) {
        (Ok(()), true) => tx.commit().map(drop),
        _ => {
            tx.roll_back().map_err(|error| {
                godb::Error::NoSuchColumn(format!("(a rollback failed on a full disk: {error})"))
            })?;
            made
        }
    }
}

fn full_or_done(what: &str, result: godb::Result<()>) -> Result<(), String> {
    match result {
        Err(error) if error.sqlstate() != DISK_FULL => Err(format!("{what}: {} {error}", error.sqlstate())),
        _ => Ok(()),
    }
}

fn same(db: &Database, expected: &State, when: &str) -> Result<(), String> {
    match words(when, read_state(db))? == *expected {
        true => Ok(()),
        false => Err(format!("{when} it holds something else")),
    }
}
