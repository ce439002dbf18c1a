//! Row 10: a file is cut short. Cutting is damage that a checksum of pages does not see, because what is left is whole; so lengths have witnesses of
//! their own: the free maps say which pages there are, blocks and the control file say how far the log reaches.

use super::campaign::Campaign;
use super::script::{Change, Script, base, judge, make};
use super::world::{FILE, LOG, kill, open, read_state, typed, words};
use godb_page::SimulatedDisk;

/// Cuts lie this far apart.
const SECTOR: usize = 512;

/// Cuts every file of a database of 2 MiB at every sector, once as it is after a clean close and once as a killed process leaves it.
pub(super) fn run(campaign: &mut Campaign) {
    let killed = grown();
    let script = Script::on(&killed, Vec::new());
    let closed = closed(&killed);
    let every = campaign.choose(101, 1);
    cut_each(
        campaign,
        "the database, closed cleanly",
        &closed,
        FILE,
        every,
        &script,
    );
    cut_each(
        campaign,
        "the database, its log in use",
        &killed,
        FILE,
        every,
        &script,
    );
    let log_files = killed.files().into_iter().filter(|name| name.starts_with(LOG));
    for file in log_files {
        let what = match file.ends_with(".log") {
            true => "the log",
            false if file.ends_with("control") => "the control file",
            false => "the safe copies",
        };
        let every = if what == "the control file" { 1 } else { every };
        cut_each(campaign, what, &killed, &file, every, &script);
    }
}

/// A killed database of 2 MiB, a part of it only in the log.
fn grown() -> SimulatedDisk {
    let disk = base();
    let db = open(&disk).expect("the base is sound");
    for block in 0..8 {
        let mut tx = db.begin().expect("it takes transactions");
        let changes: Vec<Change> = (0..80)
            .map(|n| Change::Put(1000 + block * 80 + n, 2000))
            .chain([Change::Put(300 + block, 20_000)])
            .collect();
        make(&mut tx, &changes, 1).expect("it takes changes");
        tx.commit().expect("and commits");
        if block == 6 {
            db.checkpoint().expect("and checkpoints");
        }
    }
    kill(db, &disk)
}

fn closed(killed: &SimulatedDisk) -> SimulatedDisk {
    let disk = killed.fork();
    open(&disk).and_then(godb::Database::close).expect("it closes");
    disk
}

fn cut_each(
    campaign: &mut Campaign,
    what: &'static str,
    disk: &SimulatedDisk,
    file: &str,
    every: usize,
    script: &Script,
) {
    let whole = disk.bytes(file).expect("the file is there");
    for at in (0..whole.len()).step_by(SECTOR * every) {
        let cut = disk.fork();
        cut.set_bytes(file, &whole[..at]);
        campaign.case(
            what,
            || format!("{file} of {} bytes cut at {at}", whole.len()),
            || never_shorter(&cut, script),
        );
    }
}

/// An error, or everything.
fn never_shorter(disk: &SimulatedDisk, script: &Script) -> Result<(), String> {
    let db = match open(disk) {
        Ok(db) => db,
        Err(error) => return typed(&error),
    };
    let findings = match db.check() {
        Ok(findings) => findings,
        Err(error) => return typed(&error),
    };
    let read = read_state(&db);
    let verdict = match read {
        Err(error) => typed(&error),
        Ok(_) if findings.is_empty() => judge(&db, script, 0, 0).map(drop),
        Ok(state) if state == script.states[0] => {
            Err(format!("all is there, and the check found {findings:?}"))
        }
        Ok(_) => Err("a shorter database was accepted".to_owned()),
    };
    if findings.is_empty() && verdict.is_ok() {
        words("writing", db.put(b"more", b"1"))?;
        words("closing", db.close())?;
    }
    verdict
}
