//! What versions cost who reads current data: the same reads of the same rows in a database with versions and in one without, where readers lock.

use super::median;
use super::options::Options;
use super::scores::{Goal, Scores};
use crate::Result;
use godb::{Config, Database, params};
use std::time::Instant;

/// Rows.
const ROWS: u64 = 200_000;
/// Reads of a round.
const READS: u64 = 200_000;
/// What the figures are compared with.
const LOCKING: &str = "without MVCC";

/// Ways to read.
const WAYS: [(&str, fn(&Database) -> Result<()>); 4] = [
    ("get, in one transaction", many_in_one),
    ("get, each in a transaction", each_its_own),
    ("row of a scan of keys", scan),
    ("prepared point SELECT", select),
];

/// Every way, on both by turns.
pub(super) fn measure(options: &Options, scores: &mut Scores) -> Result<()> {
    let folder = options.directory()?;
    let [ours, theirs] = [("with", true), ("without", false)]
        .map(|(name, mvcc)| filled(&folder.path().join(format!("{name}.godb")), mvcc));
    let (ours, theirs) = (ours?, theirs?);
    for (what, way) in WAYS {
        let mut times = (Vec::new(), Vec::new());
        for _ in 0..options.rounds * 2 + 1 {
            times.0.push(nanoseconds(&ours, way)?);
            times.1.push(nanoseconds(&theirs, way)?);
        }
        let (ours, theirs) = (median(times.0), median(times.1));
        scores.note((what, "ns"), ours, (LOCKING, theirs), Goal::AtMost(1.1));
    }
    Ok(())
}

fn filled(file: &std::path::Path, mvcc: bool) -> Result<Database> {
    let config = Config {
        mvcc,
        buffer_pool_size: 256 << 20,
        ..Config::default()
    };
    let db = Database::open_with(file, config)?;
    db.execute("CREATE TABLE t (k bigint PRIMARY KEY, v bytea)", params![])?;
    let mut tx = db.begin()?;
    for number in 0..ROWS {
        tx.put(&number.to_be_bytes(), &[7; 100])?;
        tx.execute(
            "INSERT INTO t VALUES ($1, $2)",
            params![number.cast_signed(), vec![7; 100]],
        )?;
    }
    tx.commit()?;
    db.checkpoint()?;
    Ok(db)
}

fn nanoseconds(db: &Database, way: fn(&Database) -> Result<()>) -> Result<f64> {
    let begun = Instant::now();
    way(db)?;
    Ok(begun.elapsed().as_secs_f64() * 1e9 / READS as f64)
}

/// Numbers of rows in an order that jumps about.
fn numbers() -> impl Iterator<Item = u64> {
    (0..READS).map(|i| i * 7919 % ROWS)
}

fn many_in_one(db: &Database) -> Result<()> {
    let tx = db.begin()?;
    for number in numbers() {
        tx.get_with(&number.to_be_bytes(), |value| std::hint::black_box(value[0]))?
            .ok_or("a key is gone")?;
    }
    Ok(())
}

fn each_its_own(db: &Database) -> Result<()> {
    for number in numbers() {
        let tx = db.begin()?;
        tx.get_with(&number.to_be_bytes(), |value| std::hint::black_box(value[0]))?
            .ok_or("a key is gone")?;
    }
    Ok(())
}

fn scan(db: &Database) -> Result<()> {
    let tx = db.begin()?;
    let mut rows = 0;
    tx.range_with(.., |_, value| {
        rows += std::hint::black_box(u64::from(!value.is_empty()));
        std::ops::ControlFlow::Continue(())
    })?;
    if rows == ROWS {
        Ok(())
    } else {
        Err("a key is gone".into())
    }
}

fn select(db: &Database) -> Result<()> {
    let mut session = db.session()?;
    let statement = session.prepare("SELECT v FROM t WHERE k = $1", &[])?;
    session.begin()?;
    for number in numbers() {
        let outcome = session.run_prepared(&statement, params![number.cast_signed()])?;
        std::hint::black_box(outcome.rows.into_iter().next().ok_or("a row is gone")??);
    }
    session.commit()?;
    Ok(())
}
