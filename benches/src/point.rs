//! Reading one value by its key: the API against a prepared SELECT.

use crate::Result;
use crate::measure::interleaved;
use crate::report::Report;
use godb::{Database, params};

/// How many keys there are, and how many reads a round takes.
const KEYS: i64 = 200_000;

/// Point reads on both.
pub(crate) fn compare(report: &mut Report) -> Result<()> {
    let folder = tempfile::tempdir()?;
    let db = fill_ours(&folder.path().join("point.godb"))?;
    let sqlite = fill_theirs(&folder.path().join("point.db"))?;
    let mut statement = sqlite.prepare("SELECT v FROM t WHERE k = ?")?;

    // One read transaction for the whole phase, on both.
    let tx = db.begin()?;
    sqlite.execute_batch("BEGIN")?;
    let (ours, theirs) = interleaved(
        || {
            for key in keys() {
                tx.get_with(&key.to_be_bytes(), |value| std::hint::black_box(value.len()))?
                    .ok_or("a key is gone")?;
            }
            Ok(())
        },
        || {
            for key in keys() {
                let length = statement
                    .query_row([key], |row| Ok(row.get_ref(0)?.as_bytes().map_or(0, <[u8]>::len)))?;
                std::hint::black_box(length);
            }
            Ok(())
        },
    )?;
    report.no_slower("200,000 point reads by key", ours, theirs);
    sqlite.execute_batch("COMMIT")?;

    let mut select = db.prepare("SELECT v FROM t WHERE k = ?")?;
    let (ours, theirs) = interleaved(
        || {
            for key in keys() {
                let row = select.query(params![key])?.next().ok_or("a row is gone")??;
                std::hint::black_box(row);
            }
            Ok(())
        },
        || {
            for key in keys() {
                let value: Vec<u8> = statement.query_row([key], |row| row.get(0))?;
                std::hint::black_box(value);
            }
            Ok(())
        },
    )?;
    report.beside("200,000 prepared point SELECTs", ours, theirs);
    Ok(())
}

/// How large an empty database is when it is closed.
pub(crate) fn empty_size() -> Result<u64> {
    let folder = tempfile::tempdir()?;
    let file = folder.path().join("empty.godb");
    Database::open(&file)?.close()?;
    Ok(std::fs::metadata(&file)?.len())
}

/// The keys in an order that jumps about and meets each once.
fn keys() -> impl Iterator<Item = i64> {
    (0..KEYS).map(|i| (i * 7919) % KEYS)
}

fn value(key: i64) -> Vec<u8> {
    key.to_le_bytes().repeat(12)
}

fn fill_ours(file: &std::path::Path) -> Result<Database> {
    let db = Database::open(file)?;
    db.execute("CREATE TABLE t (k bigint PRIMARY KEY, v bytea)", params![])?;
    let mut tx = db.begin()?;
    for key in 0..KEYS {
        tx.put(&key.to_be_bytes(), &value(key))?;
        tx.execute("INSERT INTO t VALUES ($1, $2)", params![key, value(key)])?;
    }
    tx.commit()?;
    Ok(db)
}

fn fill_theirs(file: &std::path::Path) -> Result<rusqlite::Connection> {
    let mut sqlite = rusqlite::Connection::open(file)?;
    sqlite.execute_batch("PRAGMA journal_mode = WAL; CREATE TABLE t (k INTEGER PRIMARY KEY, v BLOB)")?;
    let tx = sqlite.transaction()?;
    {
        let mut insert = tx.prepare("INSERT INTO t VALUES (?, ?)")?;
        for key in 0..KEYS {
            insert.execute(rusqlite::params![key, value(key)])?;
        }
    }
    tx.commit()?;
    Ok(sqlite)
}
