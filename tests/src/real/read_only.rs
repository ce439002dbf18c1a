//! Files, directories and mounts that take no writes: what was closed cleanly can be read, anything else is an error that says so.

use super::process::start;
use super::worker::{key, value};
use super::{Mounted, skip, system, word};
use crate::faults::Campaign;
use godb::{Config, Database};
use std::path::Path;

/// Row 16.
pub(super) fn run(campaign: &mut Campaign) {
    for clean in [true, false] {
        let state = if clean {
            "closed cleanly"
        } else {
            "of a killed process"
        };
        campaign.case(
            "databases opened for reading only",
            || state.into(),
            || asked(clean),
        );
        protected(campaign, clean, "read-only files", "file");
        protected(campaign, clean, "read-only directories", "directory");
        match Mounted::new(&["-t", "tmpfs", "-o", "size=16m", "none"]) {
            Ok(disk) => campaign.case("read-only mounts", || state.into(), || mounted(&disk, clean)),
            Err(why) => skip("read-only mounts", &why),
        }
    }
}

/// Rows that are in the database.
const ROWS: u64 = 50;

/// Makes one, closed or killed.
fn make(file: &Path, clean: bool) -> Result<(), String> {
    if clean {
        let told = start(&[], "one", file, &ROWS.to_string())?.finish()?;
        return match told.acknowledged() == ROWS && told.errors().next().is_none() {
            true => Ok(()),
            false => Err(format!("{:?}", told.lines.last())),
        };
    }
    let mut running = start(&[], "one", file, "1000000")?;
    running.hear(|line| line == format!("ok {ROWS}"));
    running.kill().map(|_| ())
}

/// What must be true while nothing can be written.
fn judge_protected(file: &Path, clean: bool, config: Config) -> Result<(), String> {
    match (Database::open_with(file, config), clean) {
        (Ok(db), true) => judge_reader(&db),
        (Err(error), false) if error.to_string().contains("not closed cleanly") => Ok(()),
        (Ok(_), false) => Err("it opened, and its log was not taken in".into()),
        (Err(error), _) => Err(format!("the error was: {error}")),
    }
}

fn judge_reader(db: &Database) -> Result<(), String> {
    for n in 0..ROWS {
        if db.get(&key(n)).map_err(|error| error.to_string())? != Some(value(n)) {
            return Err(format!("row {n} is wrong"));
        }
    }
    match db.put(b"new", b"row") {
        Err(error) if error.sqlstate() == "25006" => Ok(()),
        Err(error) => Err(format!("a write fails with {} {error}", error.sqlstate())),
        Ok(()) => Err("a write was accepted".into()),
    }
}

/// It opens with every row, or an error says why it does not.
fn judge_taken_in(file: &Path) -> Result<(), String> {
    let Ok(db) = Database::open(file) else {
        return Ok(());
    };
    for n in 0..ROWS {
        if db.get(&key(n)).map_err(|error| error.to_string())? != Some(value(n)) {
            return Err(format!("row {n} is wrong"));
        }
    }
    Ok(())
}

/// Once it can be written again everything is there.
fn judge_afterwards(file: &Path) -> Result<(), String> {
    let db = Database::open(file).map_err(|error| format!("writable again: {error}"))?;
    for n in 0..ROWS {
        if db.get(&key(n)).map_err(|error| error.to_string())? != Some(value(n)) {
            return Err(format!("row {n} is lost"));
        }
    }
    db.close().map_err(|error| error.to_string())
}

/// The program itself asks for reading only.
fn asked(clean: bool) -> Result<(), String> {
    let folder = tempfile::tempdir().map_err(|error| error.to_string())?;
    let file = folder.path().join("asked.godb");
    make(&file, clean)?;
    let config = Config {
        read_only: true,
        ..Config::default()
    };
    judge_protected(&file, clean, config)?;
    judge_afterwards(&file)
}

fn mounted(disk: &Mounted, clean: bool) -> Result<(), String> {
    let file = disk.path().join("mounted.godb");
    make(&file, clean)?;
    if !system("mount", &["-o", "remount,ro", &word(disk.path())]) {
        return Err("the disk cannot be made read-only".into());
    }
    let verdict = judge_protected(&file, clean, Config::default());
    system("mount", &["-o", "remount,rw", &word(disk.path())]);
    verdict?;
    judge_afterwards(&file)
}

/// A file or a directory that nobody may change, not even root: `chattr +i`, on a disk of its own that knows it.
fn protected(campaign: &mut Campaign, clean: bool, what: &'static str, which: &str) {
    let Ok(folder) = tempfile::tempdir() else { return };
    let file = folder.path().join("protected.godb");
    let probe = word(folder.path());
    if !(system("chattr", &["+i", &probe]) && system("chattr", &["-i", &probe])) {
        return skip(what, "`chattr +i` is refused");
    }
    campaign.case(
        what,
        || format!("clean: {clean}"),
        || {
            make(&file, clean)?;
            let held = if which == "file" {
                word(&file)
            } else {
                probe.clone()
            };
            system("chattr", &["+i", &held]);
            let verdict = judge_protected(&file, clean, Config::default());
            system("chattr", &["-i", &held]);
            verdict?;
            judge_afterwards(&file)
        },
    );
}
