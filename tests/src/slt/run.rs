//! Runs a file on an empty database.

use super::answer::{compare, written};
use super::record::{Item, Reader, Record, Wanted};
use godb::{Config, Database, Environment, Session, params};
use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::{Duration, Instant};

/// What SQL runs on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Engine {
    /// The engine in memory, the specification of the others.
    Memory,
    /// The whole stack, on files in memory.
    Stack,
    /// The whole stack in 16 frames of 4 KiB.
    Small,
}

/// Which queries are run: one of `every`, by `seed`. Statements are all run.
#[derive(Clone, Copy, Debug)]
pub struct Sample {
    /// One of how many.
    pub every: u64,
    /// Which one.
    pub seed: u64,
}

/// How a record failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// A statement failed, or did not.
    Statement,
    /// A query failed.
    Query,
    /// It gave other values.
    Values,
    /// It panicked.
    Panic,
}

/// A record that failed.
#[derive(Clone, Debug)]
pub struct Failure {
    /// Where it stands.
    pub line: usize,
    /// How.
    pub kind: Kind,
    /// What came instead.
    pub what: String,
    /// What was asked.
    pub sql: String,
}

/// What came of a file.
#[derive(Debug, Default)]
pub struct FileRun {
    /// Records that were run.
    pub run: usize,
    /// Records of other engines, and queries outside the sample.
    pub skipped: usize,
    /// Those that failed.
    pub failures: Vec<Failure>,
    /// The slowest record: how long, and its line.
    pub slowest: (Duration, usize),
    /// All of it.
    pub took: Duration,
}

impl Engine {
    /// An empty database.
    fn open(self) -> Result<Database, godb::Error> {
        let config = Config::default();
        match self {
            Self::Memory => {
                let environment = Environment::system();
                let engine = godb_mvcc::MemoryEngine::new(environment.clone());
                Database::on_engine(engine, &environment, config)
            }
            Self::Stack => Database::in_memory_with(config),
            Self::Small => Database::in_memory_with(Config {
                page_size: 4096,
                buffer_pool_size: 16 * 4096,
                work_memory: 1 << 20,
                ..config
            }),
        }
    }
}

impl Sample {
    /// Whether a line is in it.
    fn contains(self, line: usize) -> bool {
        let mixed =
            (line as u64 ^ self.seed.wrapping_mul(0x9E37_79B9_7F4A_7C15)).wrapping_mul(0xD6E8_FEB8_6659_FD93);
        (mixed >> 32).is_multiple_of(self.every)
    }
}

/// Runs a file. No statement may take longer than `limit`.
///
/// # Errors
/// The file makes no sense, or no database can be opened.
pub fn run_file(text: &str, engine: Engine, sample: Sample, limit: Duration) -> Result<FileRun, String> {
    let started = Instant::now();
    let database = engine.open().map_err(|error| error.to_string())?;
    let mut session = open_session(&database, limit)?;
    let mut outcome = FileRun::default();
    for item in Reader::new(text) {
        let record = match item? {
            Item::Record(record) => record,
            Item::Skipped => {
                outcome.skipped += 1;
                continue;
            }
            Item::Halt => break,
        };
        if matches!(record.wanted, Wanted::Rows { .. }) && !sample.contains(record.line) {
            outcome.skipped += 1;
            continue;
        }
        outcome.run += 1;
        let begun = Instant::now();
        if let Err((kind, what)) = guarded(&mut session, &record) {
            if kind == Kind::Panic {
                session = open_session(&database, limit)?;
            }
            let Record { line, sql, .. } = record;
            outcome.failures.push(Failure {
                line,
                kind,
                what,
                sql,
            });
        }
        outcome.slowest = outcome.slowest.max((begun.elapsed(), record.line));
    }
    outcome.took = started.elapsed();
    Ok(outcome)
}

fn open_session(database: &Database, limit: Duration) -> Result<Session, String> {
    let mut session = database.session().map_err(|error| error.to_string())?;
    let setting = format!("SET statement_timeout = {}", limit.as_millis());
    session
        .run(&setting, params![])
        .map_err(|error| error.to_string())?;
    Ok(session)
}

/// Runs a record; a panic is a way to fail like others.
fn guarded(session: &mut Session, record: &Record<'_>) -> Result<(), (Kind, String)> {
    catch_unwind(AssertUnwindSafe(|| run_record(session, record)))
        .unwrap_or_else(|panic| Err((Kind::Panic, message(&*panic))))
}

fn message(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    let text = text.or_else(|| panic.downcast_ref::<&str>().copied());
    text.unwrap_or("a panic without words").to_owned()
}

fn run_record(session: &mut Session, record: &Record<'_>) -> Result<(), (Kind, String)> {
    let answer = session
        .run(&record.sql, params![])
        .and_then(|outcome| outcome.rows.collect::<Result<Vec<_>, _>>());
    match (&record.wanted, answer) {
        (Wanted::Success, Ok(_)) | (Wanted::Error, Err(_)) => Ok(()),
        (Wanted::Success, Err(error)) => Err((Kind::Statement, shown(&error))),
        (Wanted::Error, Ok(_)) => Err((Kind::Statement, "no error".to_owned())),
        (Wanted::Rows { .. }, Err(error)) => Err((Kind::Query, shown(&error))),
        (
            Wanted::Rows {
                letters,
                order,
                lines,
            },
            Ok(rows),
        ) => written(&rows, letters)
            .and_then(|values| compare(values, *order, lines))
            .map_err(|what| (Kind::Values, what)),
    }
}

fn shown(error: &godb::Error) -> String {
    format!("{} {error}", error.sqlstate())
}
