//! The conformance suite of [`StorageEngine`]. Run it on an engine of your own:
//!
//! ```ignore
//! godb_mvcc::testing::conforms(|retention| my_engine(retention));
//! ```
//!
//! Every lesson gets a fresh, empty engine that keeps `retention` of the past and waits for a lock at most some tens of milliseconds. What it asks for is what the layer above
//! relies on; the [engine in memory](crate::MemoryEngine) answers all of it in a few lines.

mod counts;
mod isolation;
mod locking;
mod locks;
mod past;
mod scans;
mod serializable;
mod threads;
mod trees;
mod values;

use crate::engine::{Begin, EngineTransaction, Isolation, StorageEngine, Timestamp};
use crate::error::Error;
use godb_txn::{Range, TreeId};
use std::ops::ControlFlow;
use std::sync::Arc;
use std::time::Duration;

/// An engine, as the suite sees it.
pub type Engine = Arc<dyn StorageEngine>;

/// A transaction of it.
type Tx = Box<dyn EngineTransaction>;

const NO_PAST: Duration = Duration::ZERO;
const HOUR: Duration = Duration::from_secs(3600);

/// Runs every lesson.
///
/// # Panics
/// When the engine does not conform.
pub fn conforms(make: impl Fn(Duration) -> Engine) {
    let lessons = [isolation::LESSONS, values::LESSONS, scans::LESSONS];
    let more = [trees::LESSONS, locks::LESSONS, threads::LESSONS];
    let books = [counts::LESSONS, serializable::LESSONS, values::ALONE];
    for lesson in lessons.iter().chain(&more).chain(&books).copied().flatten() {
        lesson(&make(NO_PAST));
    }
    for lesson in past::LESSONS {
        lesson(&make(HOUR));
    }
    past::nothing_is_kept_without_retention(&make(NO_PAST));
}

/// Runs the lessons for engines whose readers wait for writers.
///
/// # Panics
/// When the engine does not conform.
pub fn conforms_by_locks(make: impl Fn() -> Engine) {
    for lesson in values::ALONE.iter().chain(locking::LESSONS) {
        lesson(&make());
    }
}

/// A lesson: what one may expect of an engine.
type Lesson = fn(&Engine);

fn begin(engine: &Engine) -> Tx {
    begin_as(engine, Begin::default())
}

fn begin_as(engine: &Engine, how: Begin) -> Tx {
    engine.clone().begin(how).expect("a transaction can begin")
}

fn begin_committed(engine: &Engine) -> Tx {
    let isolation = Isolation::ReadCommitted;
    begin_as(
        engine,
        Begin {
            isolation,
            ..Begin::default()
        },
    )
}

fn put(tx: &mut Tx, engine: &Engine, key: &str, value: &str) {
    try_put(tx, engine, key, value).expect("it can be put");
}

fn try_put(tx: &mut Tx, engine: &Engine, key: &str, value: &str) -> Result<(), Error> {
    tx.put(engine.root(), key.as_bytes(), value.as_bytes())
}

fn delete(tx: &mut Tx, engine: &Engine, key: &str) -> bool {
    tx.delete(engine.root(), key.as_bytes())
        .expect("it can be deleted")
}

fn get(tx: &Tx, engine: &Engine, key: &str) -> Option<String> {
    get_in(tx, engine.root(), key.as_bytes()).map(|value| String::from_utf8_lossy(&value).into_owned())
}

fn get_in(tx: &Tx, tree: TreeId, key: &[u8]) -> Option<Vec<u8>> {
    let mut value = None;
    let found = tx
        .get(tree, key, &mut |bytes| value = Some(bytes.to_vec()))
        .expect("it can be read");
    assert_eq!(found, value.is_some(), "shown if and only if it is there");
    value
}

fn commit(tx: Tx) -> Timestamp {
    tx.commit().expect("it commits")
}

/// Commits one row.
fn store(engine: &Engine, key: &str, value: &str) -> Timestamp {
    let mut tx = begin(engine);
    put(&mut tx, engine, key, value);
    commit(tx)
}

/// Commits the removal of one row.
fn remove(engine: &Engine, key: &str) -> Timestamp {
    let mut tx = begin(engine);
    assert!(delete(&mut tx, engine, key));
    commit(tx)
}

/// Collects until there is no more to do.
fn collect(engine: &Engine) {
    while engine.collect().expect("it can collect") {}
}

/// Every row of the root tree, as `key=value`, in order.
fn rows(tx: &Tx, engine: &Engine) -> Vec<String> {
    rows_in(tx, engine.root(), Range::ALL)
}

fn rows_in(tx: &Tx, tree: TreeId, range: Range<'_>) -> Vec<String> {
    let mut rows = Vec::new();
    let mut cursor = tx.scan(tree, range).expect("it can be scanned");
    let mut more = true;
    while more {
        more = cursor
            .next(&mut |key, value| {
                rows.push(row(key, value));
                ControlFlow::Continue(())
            })
            .expect("the scan goes on");
    }
    rows
}

fn row(key: &[u8], value: &[u8]) -> String {
    format!(
        "{}={}",
        String::from_utf8_lossy(key),
        String::from_utf8_lossy(value)
    )
}
