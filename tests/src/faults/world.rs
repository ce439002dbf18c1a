//! The databases that the campaigns damage: small, on a simulated disk, in a pool that is smaller than they are.

use godb::{Config, Database, Environment, Error, Result};
use godb_page::{FileSystem, Injection, SimulatedDisk};
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

/// The database's file.
pub(crate) const FILE: &str = "faults.godb";
/// The directory of its log.
pub(crate) const LOG: &str = "faults.godb-wal";
/// Bytes in a page.
pub(crate) const PAGE: usize = 4096;

/// What a database holds: the pairs of the key-value API, and the rows of the table, under names that tell them apart.
pub(crate) type State = BTreeMap<Vec<u8>, Vec<u8>>;

/// Sixteen frames of 4 KiB, and nothing in the background.
pub(crate) fn config() -> Config {
    Config {
        page_size: PAGE,
        buffer_pool_size: 16 * PAGE,
        background_threads: false,
        ..Config::default()
    }
}

/// Opens the database on a disk.
pub(crate) fn open(disk: &SimulatedDisk) -> Result<Database> {
    open_by(disk, 7)
}

/// Opens the database with another source of randomness: one that is made now has an identity of its own.
pub(crate) fn open_by(disk: &SimulatedDisk, seed: u64) -> Result<Database> {
    open_files(&(Arc::new(disk.clone()) as Arc<dyn FileSystem>), seed)
}

/// Opens the database on any files.
pub(crate) fn open_files(files: &Arc<dyn FileSystem>, seed: u64) -> Result<Database> {
    Database::open_on(
        files.clone(),
        &Environment::simulated(seed),
        Path::new(FILE),
        config(),
    )
}

/// Ends the process that has the database open; the machine goes on. What is left is another disk, with nothing injected: the old one is
/// switched off, so that what the dying process still does reaches nobody.
pub(crate) fn kill(db: Database, disk: &SimulatedDisk) -> SimulatedDisk {
    let left = disk.fork();
    left.heal();
    disk.power_off();
    drop(db);
    left
}

/// A fresh copy of a disk with one fault armed.
pub(crate) fn with_fault(base: &SimulatedDisk, injection: Injection) -> SimulatedDisk {
    let disk = base.fork();
    disk.inject(injection);
    disk
}

/// What an error says, when it is one of those that a fault of the machine may become.
pub(crate) fn is_fault(error: &Error) -> bool {
    // I/O error, damaged data, disk full, a limit, not usable in this state (poisoned), outcome unknown, read-only.
    ["58030", "XX001", "53100", "54000", "55000", "08007", "25006"].contains(&error.sqlstate())
}

/// A failure in words, unless it is a fault of the machine.
pub(crate) fn typed(error: &Error) -> std::result::Result<(), String> {
    match is_fault(error) {
        true => Ok(()),
        false => Err(format!(
            "the error is not that of a fault: {} {error}",
            error.sqlstate()
        )),
    }
}

/// What stands for NULL in a [`State`]: no text is like that.
const NULL: &[u8] = &[0xFF];

/// Everything in a database.
pub(crate) fn read_state(db: &Database) -> Result<State> {
    let mut state: State = db.begin()?.range(..)?.collect::<Result<_>>()?;
    for row in db.query("SELECT id, v FROM t", &[])? {
        let row = row?;
        // No sound database here has a NULL, but a forged one may.
        let text = row.get::<Option<String>>(1)?;
        let bytes = text.map_or(NULL.to_vec(), String::into_bytes);
        state.insert(row_key(row.get::<i64>(0)?), bytes);
    }
    Ok(state)
}

/// What stands for a row of the table in a [`State`].
pub(crate) fn row_key(id: i64) -> Vec<u8> {
    format!("row {id:06}").into_bytes()
}

/// Turns an error into words.
pub(crate) fn words<T>(doing: &str, result: Result<T>) -> std::result::Result<T, String> {
    result.map_err(|error| format!("{doing}: {error}"))
}
