//! Row 20: values, rows, keys, names, lists as large as they may be, and one larger. At a limit everything works and comes back as it was put in; beyond it there is an error that
//! names the limit, before memory is taken for what cannot be.

use super::campaign::Campaign;
use godb::{Config, Database, Error, Result, Value, params};
use std::io::Read;

/// A limit: what it is about, the largest that is allowed, what is used up to there, and the SQLSTATEs of one more.
struct Limit {
    what: &'static str,
    most: usize,
    attempt: fn(&Database, usize) -> Result<()>,
    refusals: &'static [&'static str],
    /// Too slow for the quick run.
    slow: bool,
}

const fn limit(
    what: &'static str,
    most: usize,
    attempt: fn(&Database, usize) -> Result<()>,
    refusals: &'static [&'static str],
) -> Limit {
    Limit {
        what,
        most,
        attempt,
        refusals,
        slow: false,
    }
}

const fn slow(mut limit: Limit) -> Limit {
    limit.slow = true;
    limit
}

/// Program limit exceeded, and the more exact states beside it.
const TOO_LARGE: &[&str] = &["54000", "54001", "54011", "54023"];

/// A quarter of what a page of 8 KiB holds, less what a row and an old version of it need besides.
const LONGEST_KEY: usize = 1978;

/// The largest `bigint`.
const LARGEST_BIGINT: usize = usize::MAX / 2;

const LIMITS: &[Limit] = &[
    limit("bytes in a key", LONGEST_KEY, key, TOO_LARGE),
    slow(limit("bytes in a value", 1 << 30, value, TOO_LARGE)),
    limit("columns in a table", 1600, columns, TOO_LARGE),
    limit("bytes in a name", 63, name, &["42622", "54000"]),
    limit("parameters of a statement", 65_535, parameters, TOO_LARGE),
    slow(limit("bytes in a statement", 64 << 20, statement, TOO_LARGE)),
    limit("relations in a FROM", 200, relations, TOO_LARGE),
    limit("characters of varchar(n)", 100, varchar, &["22001"]),
    limit("n of varchar(n)", 10_485_760, varchar_type, &["22023", "54000"]),
    limit("digits of numeric(p)", 1000, precision, &["22023"]),
    limit("whole digits of a numeric", 131_072, digits, &["22003"]),
    limit("a smallint", 32_767, |db, n| cast(db, n, "smallint"), &["22003"]),
    limit(
        "an integer",
        2_147_483_647,
        |db, n| cast(db, n, "integer"),
        &["22003"],
    ),
    limit(
        "a bigint",
        LARGEST_BIGINT,
        |db, n| cast(db, n, "bigint"),
        &["22003"],
    ),
    limit("a year of date", 5_874_897, year, &["22008"]),
    limit("bytes of repeat()", 128 << 20, repeat, TOO_LARGE),
    limit("a length for lpad()", 128 << 20, lpad, TOO_LARGE),
    limit("open transactions", 50, transactions, &["53300"]),
];

/// Tries each limit, one below, and one above; and far above.
pub(super) fn run(campaign: &mut Campaign) {
    let quick = campaign.quick;
    for limit in LIMITS.iter().filter(|limit| !(limit.slow && quick)) {
        let beyond = limit.most.saturating_add(1);
        let far = limit.most.saturating_mul(2);
        for n in [limit.most - 1, limit.most, beyond, far] {
            if limit.most == LARGEST_BIGINT && n == far {
                continue;
            }
            campaign.case(
                limit.what,
                || format!("{n}, where {} is the most", limit.most),
                || at(limit, n),
            );
        }
    }
}

fn at(limit: &Limit, n: usize) -> std::result::Result<(), String> {
    let config = Config {
        buffer_pool_size: 8 << 20,
        max_connections: 50,
        background_threads: false,
        ..Config::default()
    };
    let folder = tempfile::tempdir().map_err(|error| error.to_string())?;
    // In memory unless it is about gigabytes.
    let db = match limit.slow {
        true => Database::open_with(folder.path().join("limits.godb"), config),
        false => Database::in_memory_with(config),
    };
    let db = db.map_err(|error| error.to_string())?;
    let outcome = (limit.attempt)(&db, n);
    db.put(b"alive", b"yes")
        .map_err(|error| format!("afterwards it takes no writes: {error}"))?;
    match outcome {
        Ok(()) if n <= limit.most => Ok(()),
        Ok(()) => Err("it was allowed".to_owned()),
        Err(error) if n <= limit.most => Err(format!("{} {error}", error.sqlstate())),
        Err(error) if limit.refusals.contains(&error.sqlstate()) => Ok(()),
        Err(error) => Err(format!("another error: {} {error}", error.sqlstate())),
    }
}

/// What was not as it was put in.
fn wrong(what: &str) -> Error {
    Error::NoSuchColumn(format!("({what} came back wrong)"))
}

fn same(what: &str, is: bool) -> Result<()> {
    if is { Ok(()) } else { Err(wrong(what)) }
}

fn key(db: &Database, n: usize) -> Result<()> {
    let key = vec![7; n];
    db.put(&key, b"1")?;
    same("the key", db.get(&key)?.as_deref() == Some(b"1"))
}

fn value(db: &Database, n: usize) -> Result<()> {
    let mut tx = db.begin()?;
    tx.put_reader(b"long", std::io::repeat(9).take(n as u64))?;
    tx.commit()?;
    let mut reader = db
        .begin()?
        .get_reader(b"long")?
        .ok_or_else(|| wrong("the value"))?;
    let mut piece = vec![0; 1 << 20];
    let mut length = 0;
    loop {
        match reader.read(&mut piece).map_err(|_| wrong("a piece"))? {
            0 => return same("the length", length == n),
            count => {
                same("a byte", piece[..count].iter().all(|byte| *byte == 9))?;
                length += count;
            }
        }
    }
}

fn columns(db: &Database, n: usize) -> Result<()> {
    let names: Vec<String> = (0..n).map(|at| format!("c{at} int")).collect();
    db.execute(&format!("CREATE TABLE t ({})", names.join(", ")), &[])?;
    db.execute(&format!("INSERT INTO t (c{}) VALUES (5)", n - 1), &[])?;
    number(db, &format!("SELECT c{} FROM t", n - 1), &[], 5)
}

fn number(db: &Database, sql: &str, params: &[Value], expected: i64) -> Result<()> {
    let row = db.query(sql, params)?.next().ok_or_else(|| wrong("a row"))??;
    same(sql, row.get::<i64>(0)? == expected)
}

fn name(db: &Database, n: usize) -> Result<()> {
    let name = "n".repeat(n);
    db.execute(&format!("CREATE TABLE {name} (a int)"), &[])?;
    db.execute(&format!("INSERT INTO {name} VALUES (5)"), &[])?;
    number(db, &format!("SELECT a FROM {name}"), &[], 5)
}

fn parameters(db: &Database, n: usize) -> Result<()> {
    let params = vec![Value::Int(5); n];
    number(db, &format!("SELECT ${n}::bigint + $1::bigint"), &params, 10)
}

fn statement(db: &Database, n: usize) -> Result<()> {
    let (begin, end) = ("SELECT length('", "')");
    let sql = format!("{begin}{}{end}", "x".repeat(n - begin.len() - end.len()));
    number(
        db,
        &sql,
        &[],
        i64::try_from(n - begin.len() - end.len()).unwrap_or(0),
    )
}

fn relations(db: &Database, n: usize) -> Result<()> {
    db.execute("CREATE TABLE one (a int)", &[])?;
    db.execute("INSERT INTO one VALUES (1)", &[])?;
    let from: Vec<String> = (0..n).map(|at| format!("one AS t{at}")).collect();
    number(db, &format!("SELECT count(*) FROM {}", from.join(", ")), &[], 1)
}

fn varchar(db: &Database, n: usize) -> Result<()> {
    db.execute("CREATE TABLE t (a varchar(100))", &[])?;
    db.execute("INSERT INTO t VALUES ($1)", params!["é".repeat(n)])?;
    number(db, "SELECT length(a) FROM t", &[], i64::try_from(n).unwrap_or(0))
}

fn varchar_type(db: &Database, n: usize) -> Result<()> {
    db.execute(&format!("CREATE TABLE t (a varchar({n}))"), &[])
        .map(drop)
}

fn precision(db: &Database, n: usize) -> Result<()> {
    db.execute(&format!("CREATE TABLE t (a numeric({n}))"), &[])?;
    db.execute(&format!("INSERT INTO t VALUES ({})", "9".repeat(n)), &[])?;
    number(
        db,
        "SELECT length(a::text) FROM t",
        &[],
        i64::try_from(n).unwrap_or(0),
    )
}

fn digits(db: &Database, n: usize) -> Result<()> {
    let sql = "SELECT length($1::text::numeric::text)";
    number(db, sql, params!["9".repeat(n)], i64::try_from(n).unwrap_or(0))
}

fn cast(db: &Database, n: usize, to: &str) -> Result<()> {
    number(
        db,
        &format!("SELECT '{n}'::text::{to}"),
        &[],
        i64::try_from(n).unwrap_or(0),
    )
}

fn year(db: &Database, n: usize) -> Result<()> {
    let sql = format!("SELECT extract(year FROM '{n}-06-01'::text::date)::bigint");
    number(db, &sql, &[], i64::try_from(n).unwrap_or(0))
}

/// The length is known before the text is made, so nobody need make it here.
fn repeat(db: &Database, n: usize) -> Result<()> {
    if n <= 128 << 20 {
        return number(db, "SELECT length(repeat('x', 1000))", &[], 1000);
    }
    db.query(&format!("SELECT repeat('x', {n})"), &[])?
        .try_for_each(|row| row.map(drop))
}

fn lpad(db: &Database, n: usize) -> Result<()> {
    if n <= 128 << 20 {
        return number(db, "SELECT length(lpad('x', 1000))", &[], 1000);
    }
    db.query(&format!("SELECT lpad('x', {n}, 'yz')"), &[])?
        .try_for_each(|row| row.map(drop))
}

fn transactions(db: &Database, n: usize) -> Result<()> {
    let open: Result<Vec<_>> = (0..n).map(|_| db.begin()).collect();
    open.map(drop)
}
