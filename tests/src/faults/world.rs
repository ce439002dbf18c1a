//! The databases that the campaigns damage: small, on a simulated disk, in a pool that is smaller than they are.

use godb::{Config, Database, Environment, Error, Result};
use godb_page::{FileSystem, Injection, SimulatedDisk};
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

/// The database's file.
pub(super) const FILE: &str = "faults.godb";
/// The directory of its log.
pub(super) const LOG: &str = "faults.godb-wal";
/// Bytes in a page.
pub(super) const PAGE: usize = 4096;

/// What a database holds: the pairs of the key-value API, and the rows of the table, under names that tell them apart.
pub(super) type State = BTreeMap<Vec<u8>, Vec<u8>>;

/// Sixteen frames of 4 KiB, and nothing in the background.
pub(super) fn config() -> Config {
    Config {
        page_size: PAGE,
        buffer_pool_size: 16 * PAGE,
        background_threads: false,
        ..Config::default()
    }
}

/// Opens the database on a disk.
pub(super) fn open(disk: &SimulatedDisk) -> Result<Database> {
    open_by(disk, 7)
}

/// Opens the database with another source of randomness: one that is made now has an identity of its own.
pub(super) fn open_by(disk: &SimulatedDisk, seed: u64) -> Result<Database> {
    open_files(&(Arc::new(disk.clone()) as Arc<dyn FileSystem>), seed)
}

/// Opens the database on any files.
pub(super) fn open_files(files: &Arc<dyn FileSystem>, seed: u64) -> Result<Database> {
    Database::open_on(
        files.clone(),
        &Environment::simulated(seed),
        Path::new(FILE),
        config(),
    )
}

/// Ends the process that has the database open; the machine goes on. What is left is another disk, with nothing injected: the old one is
/// switched off, so that what the dying process still does reaches nobody.
pub(super) fn kill(db: Database, disk: &SimulatedDisk) -> SimulatedDisk {
    let left = disk.fork();
    left.heal();
    disk.power_off();
    drop(db);
    left
}

/// A fresh copy of a disk with one fault armed.
pub(super) fn with_fault(base: &SimulatedDisk, injection: Injection) -> SimulatedDisk {
    let disk = base.fork();
    disk.inject(injection);
    disk
}

/// What an error says, when it is one of those that a fault of the machine may become.
pub(super) fn is_fault(error: &Error) -> bool {
    // I/O error, damaged data, disk full, a limit, not usable in this state (poisoned), outcome unknown, read-only.
    ["58030", "XX001", "53100", "54000", "55000", "08007", "25006"].contains(&error.sqlstate())
}

/// A failure in words, unless it is a fault of the machine.
pub(super) fn typed(error: &Error) -> std::result::Result<(), String> {
    match is_fault(error) {
        true => Ok(()),
        false => Err(format!(
            "the error is not that of a fault: {} {error}",
            error.sqlstate()
        )),
    }
}

/// Everything in a database.
pub(super) fn read_state(db: &Database) -> Result<State> {
    let mut state: State = db.begin()?.range(..)?.collect::<Result<_>>()?;
    for row in db.query("SELECT id, v FROM t", &[])? {
        let row = row?;
        state.insert(row_key(row.get::<i64>(0)?), row.get::<String>(1)?.into_bytes());
    }
    Ok(state)
}

/// What stands for a row of the table in a [`State`].
pub(super) fn row_key(id: i64) -> Vec<u8> {
    format!("row {id:06}").into_bytes()
}

/// Turns an error into words.
pub(super) fn words<T>(doing: &str, result: Result<T>) -> std::result::Result<T, String> {
    result.map_err(|error| format!("{doing}: {error}"))
}
