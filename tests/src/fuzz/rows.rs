//! Stored rows and the catalog, as forged pages could hold them.
//!
//! A row of every type is put into its table's tree as bytes, past SQL; then queries read it in all the ways that matter: as it is, through its index, sorted, grouped,
//! computed with. The catalog is put in place of a sound one before SQL opens the engine. Whatever the bytes are, an answer or an error of damage must come out,
//! and what is read must be something that can be written again.

use super::reader::Reader;
use super::sql::{self, Limits};
use godb_sql::{Begin, Session, Sql, StorageEngine, TreeId};
use std::cell::RefCell;
use std::ops::ControlFlow;
use std::sync::Arc;

/// A column of every type.
const TABLE: &str = "CREATE TABLE every (a bigint, s text, b boolean, i2 smallint, i4 int, f4 real, f8 double precision, \
    n numeric, m numeric(10,2), v varchar(20), c char(6), y bytea, d date, t timestamp, z timestamptz, p interval, PRIMARY KEY (a, s))";
const INDEX: &str = "CREATE INDEX every_i ON every (n, d DESC, v, f8)";
const ROWS: [&str; 3] = [
    "INSERT INTO every VALUES (1, 'one', true, 2, 3, 4.5, 6.7, 8.90, 12.34, 'varying', 'fixed', '\\x0102', '2024-02-29', \
     '2024-02-29 12:34:56.789', '1999-12-31 23:59:59+01', '1 year 2 months 3 days 04:05:06.7')",
    "INSERT INTO every VALUES (-70000, '', false, -32768, 2147483647, -0.5, 1e300, -12345678901234567890.123, -0.01, '', '', '', \
     '0001-01-01', '9999-12-31', '1970-01-01', '-1 month')",
    "INSERT INTO every (a, s) VALUES (9, 'nothing else')",
];

/// Reads that look at each column in its own way.
const QUERIES: [&str; 11] = [
    "SELECT * FROM every",
    "SELECT a FROM every WHERE n > 0 ORDER BY n, d DESC, v, f8",
    "SELECT count(*), min(d), max(t), min(p), max(n), sum(n), avg(f8), sum(i4), max(z), min(v) FROM every",
    "SELECT d + 1, d - date '2000-01-01', extract(year FROM d), extract(dow FROM d), date_trunc('month', t), to_char(t, 'YYYY-MM-DD') FROM every",
    "SELECT t + p, t - timestamp '2000-01-01', z + p, p * 2, p + p, -p, extract(epoch FROM p), justify_interval(p), age(t) FROM every",
    "SELECT i2 + 1, i4 * 2, -i4, abs(a), a % 7, n * n, n / 3, round(n, 2), m + 1, f4 + f8, n::float8, n::int4 FROM every",
    "SELECT length(v), upper(s), c || v, substr(v, 2, 3), y || y, encode(y, 'hex'), s LIKE '%n%', position('a' IN v), md5(v) FROM every",
    "SELECT v, n, d, p, count(*) FROM every GROUP BY v, n, d, p ORDER BY 1, 2, 3, 4",
    "SELECT x.a FROM every x JOIN every y ON x.n = y.n AND x.d = y.d AND x.p = y.p WHERE x.v >= y.v",
    "SELECT d::text, t::text, z::text, p::text, n::text, f8::text, f4::text, c::text, y::text, b::text FROM every",
    "SELECT z::date, t::date, d::timestamp, d::timestamptz, date_trunc('day', z) FROM every",
];

/// What changes rows, and so reads and writes all of them again.
const CHANGES: [&str; 3] = [
    "UPDATE every SET i4 = 1",
    "ALTER TABLE every ADD COLUMN w int DEFAULT 7",
    "DELETE FROM every WHERE a >= 0",
];

/// What a statement may end with when the rows it reads are forged: damage, or numbers that are too large for what is computed.
fn allowed(state: &str) -> bool {
    // A limit; damage; division by zero.
    sql::LIMITS.contains(&state) || state == "XX001" || state.starts_with("22") || state == "23514"
}

fn say(session: &mut Session, text: &str) -> Option<u64> {
    match session
        .execute(text, &[])
        .and_then(godb_sql::StatementResult::finish)
    {
        Ok(rows) => Some(rows),
        Err(error) => {
            let state = error.state.0;
            assert!(allowed(state), "{text}: {state} {}", error.message);
            None
        }
    }
}

/// A table with one sound row, its tree, and the tree of its index.
struct Bench {
    sql: Arc<Sql>,
    table: TreeId,
    index: TreeId,
}

thread_local! {
    static BENCH: RefCell<Option<Bench>> = const { RefCell::new(None) };
}

impl Bench {
    fn new() -> Self {
        let sql = sql::fresh(Limits::default());
        let mut session = sql.session();
        for text in [TABLE, INDEX, ROWS[0]] {
            say(&mut session, text).expect("a sound database takes it");
        }
        let uses = sql.tree_uses().expect("the catalog is sound");
        let tree = |index: bool| {
            let found = uses.iter().find(|found| found.index.is_some() == index);
            found.expect("the table has both").tree
        };
        let (table, index) = (tree(false), tree(true));
        Self { sql, table, index }
    }
}

/// The input: the length of the row's key and that of an entry's, then key, entry, row.
pub(super) fn rows(data: &[u8]) {
    BENCH.with(|bench| {
        let mut bench = bench.borrow_mut();
        let bench = bench.get_or_insert_with(Bench::new);
        let mut input = Reader(data);
        let (key, entry) = (input.byte(), input.byte());
        let (key, entry) = (input.bytes(usize::from(key)), input.bytes(usize::from(entry)));
        let mut session = bench.sql.session();
        session.begin(Begin::default()).expect("a transaction begins");
        let tx = session.transaction_mut().expect("it is open");
        let mut put = |tree, key: &[u8], value: &[u8]| tx.put(tree, key, value).expect("memory takes rows");
        if !key.is_empty() {
            put(bench.table, key, input.0);
        }
        if !entry.is_empty() {
            put(bench.index, entry, b"");
        }
        for text in QUERIES.iter().chain(&CHANGES) {
            // A statement that failed is undone, as a client would have it.
            let point = session.mark().expect("the transaction is open");
            if say(&mut session, text).is_none() {
                session.return_to(point).expect("it can be undone");
            }
        }
        session.roll_back().expect("nothing is left");
    });
}

fn contents(engine: &Arc<dyn StorageEngine>, tree: TreeId) -> Vec<(Vec<u8>, Vec<u8>)> {
    let tx = engine
        .clone()
        .begin(Begin::default())
        .expect("a transaction begins");
    let mut cursor = tx.scan(tree, godb_sql::Range::ALL).expect("memory can be read");
    let mut rows = Vec::new();
    while cursor
        .next(&mut |key, value| {
            rows.push((key.to_vec(), value.to_vec()));
            ControlFlow::Continue(())
        })
        .expect("memory can be read")
    {}
    rows
}

/// Each of some rows as it is stored.
pub(super) fn seeds() -> Vec<Vec<u8>> {
    let bench = Bench::new();
    let mut session = bench.sql.session();
    for row in &ROWS[1..] {
        say(&mut session, row).expect("a sound database takes it");
    }
    let engine = bench.sql.engine();
    let entries = contents(engine, bench.index);
    let byte = |length: usize| u8::try_from(length).expect("keys are short");
    let rows = contents(engine, bench.table).into_iter().zip(entries);
    rows.map(|((key, row), (entry, _))| {
        let lengths = [byte(key.len()), byte(entry.len())];
        [&lengths, &*key, &*entry, &*row].concat()
    })
    .collect()
}

/// What a sound catalog is made by.
const SCHEMA: [&str; 6] = [
    TABLE,
    INDEX,
    "CREATE TABLE o (id int PRIMARY KEY, x int UNIQUE DEFAULT 5, y varchar(3) CHECK (y <> 'no'))",
    "CREATE VIEW w AS SELECT a, s FROM every WHERE b",
    "INSERT INTO o VALUES (1, 2, 'yes')",
    ROWS[0],
];

const STATEMENTS: [&str; 9] = [
    "SELECT * FROM every",
    "SELECT * FROM o WHERE x = 2",
    "SELECT * FROM w",
    "INSERT INTO o (id) VALUES (2)",
    "UPDATE every SET i4 = 2, s = 'two'",
    "ALTER TABLE o ADD COLUMN more text DEFAULT 'x'",
    "CREATE INDEX o_y ON o (y, x)",
    "CREATE TABLE p (q int PRIMARY KEY)",
    "DROP TABLE every CASCADE",
];

/// The input: which row of the catalog, whether its key is replaced too, and its bytes.
pub(super) fn catalog(data: &[u8]) {
    let sound = sound_catalog();
    let mut input = Reader(data);
    let which = input.choose(sound.len());
    let key = input.byte();
    let engine = sql::engine();
    let mut tx = engine
        .clone()
        .begin(Begin::default())
        .expect("a transaction begins");
    for tree in 0..8 {
        // As many trees as the catalog may name.
        let made = tx.create_tree().expect("memory takes trees");
        assert!(tree < made.raw());
    }
    for (number, (old, value)) in sound.iter().enumerate() {
        let put = match number == which {
            false => tx.put(engine.root(), old, value),
            true if key >= 0x80 => {
                let key = input.bytes(usize::from(key - 0x80));
                tx.put(engine.root(), if key.is_empty() { old } else { key }, input.0)
            }
            true => tx.put(engine.root(), old, input.0),
        };
        put.expect("memory takes rows");
    }
    tx.commit().expect("memory commits");
    let sql = match sql::open(engine, Limits::default()) {
        Ok(sql) => sql,
        Err(error) => return refused("opening", &error),
    };
    use_catalog(&sql);
}

/// What may come of a forged catalog: damage, formats and features of another version, names that are not there or there twice.
fn refused(doing: &str, error: &godb_sql::SqlError) {
    let state = error.state.0;
    let fine = allowed(state)
        || ["0A", "23", "42", "55"]
            .iter()
            .any(|class| state.starts_with(class));
    assert!(fine, "{doing}: {state} {}", error.message);
}

fn use_catalog(sql: &Arc<Sql>) {
    let names = sql.tables().unwrap_or_default();
    for name in names.iter().chain(&sql.views().unwrap_or_default()) {
        if let Err(error) = sql.describe(name) {
            refused("describing", &error);
        }
    }
    if let Err(error) = sql.check() {
        refused("checking", &error);
    }
    let mut session = sql.session();
    for text in STATEMENTS {
        if let Err(error) = session
            .execute(text, &[])
            .and_then(godb_sql::StatementResult::finish)
        {
            refused(text, &error);
        }
    }
    if let Err(error) = sql.mend_indexes() {
        refused("mending", &error);
    }
    let other = sql::fresh(Limits::default());
    if let Err(error) = other.adopt_catalog(&contents(sql.engine(), sql.engine().root())) {
        refused("adopting", &error);
    }
}

fn sound_catalog() -> &'static [(Vec<u8>, Vec<u8>)] {
    static ROWS: std::sync::OnceLock<Vec<(Vec<u8>, Vec<u8>)>> = std::sync::OnceLock::new();
    ROWS.get_or_init(|| {
        let sql = sql::fresh(Limits::default());
        let mut session = sql.session();
        for text in SCHEMA {
            say(&mut session, text).expect("a sound database takes it");
        }
        contents(sql.engine(), sql.engine().root())
    })
}

/// Each row of a sound catalog in its own place, and in another.
pub(super) fn catalog_seeds() -> Vec<Vec<u8>> {
    let mut seeds = Vec::new();
    for (number, (key, value)) in (0_u8..).zip(sound_catalog()) {
        seeds.push([&[number, 0], &**value].concat());
        let length = 0x80 + u8::try_from(key.len()).unwrap_or(0).min(0x7F);
        seeds.push([&[number, length], &**key, &**value].concat());
    }
    seeds
}
