//! Transactions of ten pools, for whoever measures how much memory they take: one commits, one rolls back, one is interrupted and recovered from.

use godb::{Config, Database, Error, Result};
use std::path::Path;

/// Bytes of the pool.
pub const POOL: usize = 4 << 20;

/// Bytes in a value.
const VALUE: usize = 1000;

/// Pairs that are ten pools of data.
const PAIRS: usize = 10 * POOL / VALUE;

/// What the measured processes do.
pub const LARGE: [&str; 3] = [
    "a transaction of ten pools commits",
    "a transaction of ten pools rolls back",
    "a transaction of ten pools is recovered from",
];

/// Prefix of the name under which a database is opened that another process left.
pub const RECOVER: &str = "recover ";

fn config() -> Config {
    Config {
        page_size: 4096,
        buffer_pool_size: POOL,
        ..Config::default()
    }
}

/// Does what `name` says; `None` when that is nothing known.
pub(super) fn be(name: &str, folder: &Path) -> Option<Result<()>> {
    if let Some(left) = name.strip_prefix(RECOVER) {
        return Some(recover(Path::new(left)));
    }
    if let Some(left) = name.strip_prefix("leave ") {
        return Some(leave(Path::new(left)));
    }
    let file = folder.join("large.godb");
    match LARGE.iter().position(|known| *known == name)? {
        0 => Some(commit(&file)),
        1 => Some(roll_back(&file)),
        _ => None,
    }
}

fn fill(db: &Database, byte: u8) -> Result<godb::Transaction> {
    let mut tx = db.begin()?;
    for n in 0..PAIRS {
        tx.put(&(n as u64).to_be_bytes(), &[byte; VALUE])?;
    }
    Ok(tx)
}

/// Every pair is there and is this byte's.
fn holds(db: &Database, pairs: usize, byte: u8) -> Result<()> {
    let mut count = 0;
    for pair in db.begin()?.range(..)? {
        let (_, value) = pair?;
        if value != [byte; VALUE] {
            return Err(Error::NoSuchColumn("(a value is another one's)".to_owned()));
        }
        count += 1;
    }
    match count == pairs {
        true => Ok(()),
        false => Err(Error::NoSuchColumn(format!("({count} of {pairs} pairs)"))),
    }
}

fn commit(file: &Path) -> Result<()> {
    let db = Database::open_with(file, config())?;
    fill(&db, 1)?.commit()?;
    fill(&db, 2)?.commit()?;
    holds(&db, PAIRS, 2)?;
    db.close()
}

fn roll_back(file: &Path) -> Result<()> {
    let db = Database::open_with(file, config())?;
    fill(&db, 1)?.commit()?;
    fill(&db, 2)?.roll_back()?;
    holds(&db, PAIRS, 1)?;
    db.close()
}

/// Leaves a database in the midst of a large transaction, as a killed process does: this one ends here.
fn leave(file: &Path) -> Result<()> {
    let db = Database::open_with(file, config())?;
    fill(&db, 1)?.commit()?;
    let tx = fill(&db, 2)?;
    // Something that commits makes everything before it in the log durable.
    db.put(b"last", &[1; VALUE])?;
    std::mem::forget(tx);
    std::process::abort();
}

fn recover(file: &Path) -> Result<()> {
    let db = Database::open_with(file, config())?;
    db.delete(b"last")?;
    holds(&db, PAIRS, 1)?;
    db.close()
}
