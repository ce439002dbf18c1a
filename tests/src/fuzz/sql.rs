//! Statements of any text, and files of any content for COPY.
//!
//! Every input gets a database of its own in memory, with a clock that goes on whenever somebody looks at it: a statement that runs long is cancelled after so many looks, the
//! same in every run. An internal error is as wrong as a panic.

use super::reader::Reader;
use godb_mvcc::{Clock, MemoryEngine};
use godb_page::{NoThreads, SeededRandom};
use godb_sql::parser::split;
use godb_sql::testing::SCRIPTS;
use godb_sql::testing::script::items;
use godb_sql::{Environment, Session, Sql, SqlError, SqlOptions, StorageEngine, Value};
use std::io::Write;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// How a statement may end that asks for too much: cancelled, out of memory, beyond a limit.
pub(super) const LIMITS: [&str; 5] = ["57014", "53200", "53100", "54000", "54001"];
/// The year 2020, in microseconds.
const BEGINNING: u64 = 1_577_836_800_000_000;
/// The most statements of an input.
const MOST: usize = 12;
/// The most rows of a result that are read.
const ROWS: usize = 20_000;

/// What a statement may use.
#[derive(Clone, Copy)]
pub(super) struct Limits {
    /// Looks at the clock, about one for each batch of rows.
    looks: u64,
    /// Bytes of memory for a sort, join or aggregate.
    memory: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            looks: 2000,
            memory: 1 << 20,
        }
    }
}

/// A clock that goes on by a millisecond at each look.
#[derive(Debug, Default)]
struct LookedAt(AtomicU64);

impl Clock for LookedAt {
    fn wall_micros(&self) -> i64 {
        let micros = BEGINNING + self.0.fetch_add(1, Ordering::Relaxed) * 1000;
        i64::try_from(micros).unwrap_or(i64::MAX)
    }

    fn monotonic(&self) -> Duration {
        Duration::from_millis(self.0.fetch_add(1, Ordering::Relaxed))
    }
}

fn environment() -> Environment {
    Environment {
        clock: Arc::new(LookedAt::default()),
        random: Arc::new(SeededRandom::new(1)),
        spawn: Arc::new(NoThreads),
    }
}

/// An empty engine in memory.
pub(super) fn engine() -> Arc<dyn StorageEngine> {
    MemoryEngine::new(environment())
}

/// SQL on an engine.
pub(super) fn open(engine: Arc<dyn StorageEngine>, limits: Limits) -> Result<Arc<Sql>, SqlError> {
    let options = SqlOptions {
        work_mem: limits.memory,
        ..SqlOptions::default()
    };
    Sql::open(engine, environment(), options)
}

/// SQL on an empty engine.
pub(super) fn fresh(limits: Limits) -> Arc<Sql> {
    open(engine(), limits).expect("an empty engine takes a catalog")
}

/// What statements find.
const SCHEMA: [&str; 6] = [
    "CREATE TABLE t (a int PRIMARY KEY, b text, c numeric(8,2), d date)",
    "CREATE TABLE u (id bigint PRIMARY KEY, a int, f double precision, z timestamptz, i interval, CHECK (a < 1000))",
    "CREATE INDEX t_b ON t (b, c DESC)",
    "CREATE VIEW w AS SELECT b, count(*) AS n FROM t GROUP BY b",
    "INSERT INTO t SELECT n, 'text ' || n % 5, n * 1.25, date '2024-01-01' + n FROM generate_series(1, 40) AS g(n)",
    "INSERT INTO u SELECT n, n % 7, n / 3.0, timestamptz '2024-01-01' + n * interval '1 hour', n * interval '1 day' FROM generate_series(1, 30) AS g(n)",
];

fn database() -> Arc<Sql> {
    let limits = Limits::default();
    let sql = fresh(limits);
    let mut session = sql.session();
    for text in SCHEMA {
        let done = session
            .execute(text, &[])
            .and_then(godb_sql::StatementResult::finish);
        done.expect("a sound database takes it");
    }
    sql
}

fn session(sql: &Arc<Sql>) -> Session {
    let mut session = sql.session();
    let limit = format!("SET statement_timeout = {}", Limits::default().looks);
    let set = session.execute(&limit, &[]);
    set.expect("a session takes a limit");
    session
}

/// Runs one statement; what it gives as text, or its SQLSTATE.
fn run(session: &mut Session, text: &str) -> Result<Vec<String>, SqlError> {
    let result = session.execute(text, &[])?;
    let columns = result.rows.columns().clone();
    let mut lines = vec![result.tag.clone()];
    for row in result.rows.take(ROWS) {
        let row: Vec<Value> = row?;
        let values = row.iter().zip(columns.iter());
        let line: Vec<String> = values
            .map(|(value, column)| godb_sql::text::to_text(value, column.ty))
            .collect();
        lines.push(line.join("|"));
    }
    Ok(lines)
}

/// The input: text, one statement after the other.
pub(super) fn statements(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let lower = text.to_ascii_lowercase();
    // COPY reads and writes files of this machine; SET could lift the limits.
    if ["copy", "set", "reset", "discard"]
        .iter()
        .any(|word| lower.contains(word))
    {
        return;
    }
    let sql = database();
    let mut session = session(&sql);
    let mut statements = split(&text);
    for _ in 0..MOST {
        let Some((range, _)) = statements.next_statement() else {
            break;
        };
        let statement = &text[range];
        if let Err(error) = session
            .prepare(statement)
            .and_then(|prepared| session.describe(&prepared))
        {
            judge(statement, &error);
        }
        if let Err(error) = run(&mut session, statement) {
            judge(statement, &error);
        }
    }
    drop(session);
    let check = sql.check().expect("the database can be checked");
    assert!(
        check.problems.is_empty(),
        "a statement spoilt the database: {:?}",
        check.problems
    );
}

/// An internal error, or damage where there is none, is wrong.
fn judge(statement: &str, error: &SqlError) {
    let state = error.state.0;
    assert!(!state.starts_with("XX"), "{statement}: {state} {}", error.message);
}

/// The statements of all golden scripts.
pub(super) fn seeds() -> Vec<Vec<u8>> {
    let mut seeds = Vec::new();
    for (_, script) in SCRIPTS {
        let records = items(script).expect("the scripts make sense");
        for item in &records {
            seeds.extend(item.statements("").into_iter().map(String::into_bytes));
        }
    }
    seeds.push(b"SELECT * FROM t JOIN u USING (a) WHERE b LIKE 'text%' ORDER BY c LIMIT 3".to_vec());
    seeds.push(
        b"BEGIN; INSERT INTO t VALUES (100); SAVEPOINT s; DELETE FROM t; ROLLBACK TO s; COMMIT".to_vec(),
    );
    seeds
}

/// Every word of the scripts.
pub(super) fn words() -> Vec<String> {
    let mut words = std::collections::BTreeSet::new();
    for (_, script) in SCRIPTS {
        let all = script.split(|c: char| !c.is_ascii_alphanumeric() && c != '_');
        words.extend(all.filter(|word| word.len() > 1).map(str::to_ascii_lowercase));
    }
    words.into_iter().collect()
}

/// How a file may be written.
const FORMATS: [&str; 6] = [
    "FORMAT csv",
    "FORMAT csv, HEADER true",
    "FORMAT csv, DELIMITER ';', NULL 'nil', QUOTE ''''",
    "FORMAT csv, ESCAPE '\\'",
    "FORMAT text",
    "FORMAT text, DELIMITER '|', NULL ''",
];

/// A file in memory that COPY can write to.
#[derive(Clone, Default)]
struct Shared(Arc<Mutex<Vec<u8>>>);

impl Write for Shared {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// The input: which table and format, and the file. What was read, written and read again is the same.
pub(super) fn csv(data: &[u8]) {
    let mut input = Reader(data);
    let format = FORMATS[input.choose(FORMATS.len())];
    let columns = ["a text, b text, c text", "a int, b numeric, c date", "a text"];
    let columns = columns[input.choose(columns.len())];
    let sql = fresh(Limits::default());
    let mut session = session(&sql);
    for name in ["one", "two"] {
        let made = run(&mut session, &format!("CREATE TABLE {name} ({columns})"));
        made.expect("a sound database takes a table");
    }
    let file = input.0.to_vec();
    let copied = copy_in(&mut session, "one", format, file);
    match copied {
        Ok(_) => {}
        Err(error) => {
            judge("COPY", &error);
            let rows = run(&mut session, "SELECT * FROM one").expect("it can be read");
            assert_eq!(rows.len(), 1, "a COPY that failed left rows");
            return;
        }
    }
    let out = Shared::default();
    let text = format!("COPY one TO STDOUT WITH ({format})");
    let written = session.copy_out(&text, Box::new(out.clone()));
    written
        .and_then(godb_sql::StatementResult::finish)
        .expect("it can be written");
    let file = out.0.lock().unwrap_or_else(PoisonError::into_inner).clone();
    copy_in(&mut session, "two", format, file).expect("what COPY writes it can read");
    let [one, two] = ["one", "two"].map(|name| {
        let rows = run(&mut session, &format!("SELECT * FROM {name}"));
        rows.expect("it can be read")
    });
    assert_eq!(one, two, "what COPY wrote is not what it read");
}

fn copy_in(session: &mut Session, table: &str, format: &str, file: Vec<u8>) -> Result<u64, SqlError> {
    let text = format!("COPY {table} FROM STDIN WITH ({format})");
    let source = Box::new(std::io::Cursor::new(file));
    session.copy_in(&text, source)?.finish()
}

/// Files of each format.
pub(super) fn csv_seeds() -> Vec<Vec<u8>> {
    let files: [&[u8]; 6] = [
        b"a,b,c\none,\"two, with comma\",three\n",
        b"1,2.50,2024-02-29\n,,\n",
        b"x;nil;'quoted '' twice'\n",
        b"\"a\\\"b\",c,\"line\nbreak\"\r\n",
        b"one\ttwo\\tthree\t\\N\n\\.\n",
        b"1|2|\n",
    ];
    let mut seeds = Vec::new();
    for (number, file) in (0_u8..).zip(files) {
        for table in 0..3 {
            seeds.push([&[number, table], file].concat());
        }
    }
    seeds
}
