//! Row 5: a sync fails, and the system may have thrown away what it was to bring to the medium.
//!
//! The worst of it is that a second sync succeeds, and that reads go on showing what the medium does not have (Rebello and others, *Can Applications Recover from
//! fsync Failures?*, 2020). So the database must stop writing at the first failure, say of a commit that its outcome is unknown, and on being opened again trust
//! nothing that it has not written anew.

use super::campaign::Campaign;
use super::script::{Play, Script, base, holds, judge};
use super::world::{FILE, is_fault, kill, open, typed, with_fault, words};
use godb_page::{Crash, Effect, Injection, Operations, SimulatedDisk};

/// SQLSTATE of a commit that may have happened or not.
const OUTCOME_UNKNOWN: &str = "08007";

/// Sites: the measure's name, the kind of sync, and the end of the file's name.
const SITES: [(&str, Operations, &str); 7] = [
    ("log", Operations::SYNC, ".log"),
    ("log", Operations::SYNC, "rewrite.tmp"),
    ("data", Operations::SYNC, FILE),
    ("data", Operations::SYNC, "safe-copies"),
    ("checkpoint", Operations::SYNC, "control"),
    ("directory", Operations::SYNC_DIR, ""),
    ("directory", Operations::SYNC_DIR, "-wal"),
];

/// Fails every sync of the script in every way.
pub(super) fn run(campaign: &mut Campaign) {
    let base = base();
    let script = Script::standard(&base);
    let seeds = campaign.choose(1, 16);
    let stride = campaign.choose(3, 1);
    for (what, kind, file) in SITES {
        let mut nth = 1;
        while strikes(&base, &script, kind, file, nth) {
            for (how, effect) in effects(campaign.seed, seeds) {
                for lasting in [false, true] {
                    let injection = Injection {
                        lasting,
                        ..Injection::once(kind, nth, effect)
                    };
                    campaign.case(
                        what,
                        || format!("sync {nth} of \"{file}\" fails, {how}, lasting {lasting}"),
                        || fail(&base, &script, injection.on_file(file)),
                    );
                }
            }
            nth += stride;
        }
    }
}

/// What becomes of the data: they stay pending, are forgotten, or some are.
fn effects(seed: u64, seeds: u64) -> Vec<(String, Effect)> {
    let partial = (seed..seed + seeds).map(|seed| {
        (
            format!("some of it forgotten by seed {seed}"),
            Effect::SyncForgets { seed: Some(seed) },
        )
    });
    let plain = [
        ("nothing forgotten".to_owned(), Effect::IoError),
        (
            "all of it forgotten".to_owned(),
            Effect::SyncForgets { seed: None },
        ),
    ];
    plain.into_iter().chain(partial).collect()
}

/// Whether the script has an `nth` sync of that kind.
fn strikes(base: &SimulatedDisk, script: &Script, kind: Operations, file: &str, nth: u64) -> bool {
    let disk = with_fault(base, Injection::once(kind, nth, Effect::IoError).on_file(file));
    let play = Play::of(&disk, script);
    let struck = disk.struck() > 0;
    if let Some(db) = play.db {
        kill(db, &disk);
    }
    struck
}

fn fail(base: &SimulatedDisk, script: &Script, injection: Injection) -> Result<(), String> {
    let disk = with_fault(base, injection);
    let Play {
        db,
        acknowledged,
        begun,
        ended,
        ..
    } = Play::of(&disk, script);
    if let Some((_, error)) = &ended {
        typed(error)?;
        if (begun > acknowledged) != (error.sqlstate() == OUTCOME_UNKNOWN) {
            return Err(format!(
                "{acknowledged} commits were acknowledged and {begun} begun, and the error is {} {error}",
                error.sqlstate()
            ));
        }
    }
    // The machine stops now: what the medium has must be enough.
    for crash in [Crash::KeepNone, Crash::KeepAll, Crash::KeepSome { seed: 1 }] {
        survives(&disk.crash(crash), script, acknowledged, begun)
            .map_err(|wrong| format!("after {crash:?}: {wrong}"))?;
    }
    // The process stops and begins anew, and reads from a cache what the medium may not have.
    let left = match db {
        Some(db) => {
            if let Some((step, error)) = ended {
                disk.heal();
                must_rest(&db, script, acknowledged, begun)
                    .map_err(|wrong| format!("after step {step} failed with \"{error}\": {wrong}"))?;
            }
            kill(db, &disk)
        }
        None => {
            disk.heal();
            disk
        }
    };
    let db = words("opening again in the same process", open(&left))?;
    let held = judge(&db, script, acknowledged, begun).map_err(|wrong| format!("opened again: {wrong}"))?;
    let medium = left.crash(Crash::KeepNone);
    kill(db, &left);
    survives(&medium, script, held, held).map_err(|wrong| format!("opened again, then power lost: {wrong}"))
}

/// Nothing can be written until the database is opened again, although the fault has passed; reading goes on.
fn must_rest(db: &godb::Database, script: &Script, acknowledged: usize, begun: usize) -> Result<(), String> {
    for attempt in 0..2 {
        match db.put(b"more", b"1") {
            Ok(()) => return Err(format!("it takes writes (attempt {attempt})")),
            Err(error) if is_fault(&error) => {}
            Err(error) => return Err(format!("it refuses writes with {error}")),
        }
    }
    match db.checkpoint() {
        Ok(()) => return Err("it takes checkpoints".to_owned()),
        Err(error) => typed(&error)?,
    }
    holds(db, script, acknowledged, begun)
        .map(drop)
        .map_err(|wrong| format!("it cannot be read: {wrong}"))
}

/// What is left opens, holds what it should, and takes writes again.
fn survives(disk: &SimulatedDisk, script: &Script, least: usize, most: usize) -> Result<(), String> {
    let db = words("opening", open(disk))?;
    judge(&db, script, least, most)?;
    words("writing", db.put(b"more", b"1"))?;
    words("closing", db.close())
}
