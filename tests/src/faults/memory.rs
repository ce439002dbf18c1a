//! Row 19: memory runs out. Every buffer whose size a user controls has a limit, and who meets it gets an error; nobody else notices.
//!
//! Each probe is a process of its own under a limit of the operating system, for a Rust program that gets no memory ends. It does something large and says how that went:
//! done, or refused with an error of its own kind. A process that ends in any other way, or whose memory grew beyond its bound, is a failure.

use super::campaign::Campaign;
use godb::{Config, Database, Result, Value};
use std::io::Read;
use std::process::{Command, ExitCode};

/// How a process is told to be a probe, and which.
pub const PROBE: &str = "--probe";

/// Address space of a probe.
const LIMIT_KIB: u64 = 1_500_000;

/// The most memory that a probe may ever have had, in KiB, unless it says otherwise: pool, work memory, and what one statement's text and result need.
const MOST_KIB: u64 = 500_000;

/// SQLSTATEs of a limit: program limits, memory, disk, configuration; and what a text or a number too large says.
const LIMITS: &[&str] = &[
    "54000", "54001", "54011", "54023", "53200", "53100", "53400", "53000", "53300", "22003", "22023",
    "2201B",
];

/// Something large: a name, and what does it.
type Probe = (&'static str, fn(&Database) -> Result<()>);

const PROBES: &[Probe] = &[
    ("a value without end", endless_value),
    ("repeat()", |db| all(db, "SELECT repeat('x', 2000000000)")),
    ("repeat() of repeat()", |db| {
        all(db, "SELECT repeat(repeat('x', 30000), 30000)")
    }),
    ("long strings in many rows", |db| {
        all(
            db,
            "SELECT repeat('x', 20000000 + n) FROM generate_series(1, 1000) AS g(n)",
        )
    }),
    ("lpad()", |db| all(db, "SELECT lpad('x', 2000000000, 'abc')")),
    ("concatenation", |db| {
        all(
            db,
            "SELECT a || a || a || a || a || a || a || a FROM (SELECT repeat('x', 100000000) AS a) AS t",
        )
    }),
    ("replace()", |db| {
        all(
            db,
            "SELECT replace(repeat('x', 1000000), 'x', repeat('y', 10000))",
        )
    }),
    ("string_agg", |db| {
        all(
            db,
            "SELECT length(string_agg(repeat('x', 1000), ',')) FROM generate_series(1, 2000000)",
        )
    }),
    ("a sort", |db| {
        all(
            db,
            "SELECT count(*) FROM (SELECT n, repeat('x', 200) AS x FROM generate_series(1, 1000000) AS g(n) ORDER BY n % 1000, x) AS t",
        )
    }),
    ("groups", |db| {
        all(
            db,
            "SELECT count(*) FROM (SELECT n % 2000000 AS k, count(*) FROM generate_series(1, 2000000) AS g(n) GROUP BY 1) AS t",
        )
    }),
    ("distinct", |db| {
        all(
            db,
            "SELECT count(*) FROM (SELECT DISTINCT n, repeat('x', 100) FROM generate_series(1, 1500000) AS g(n)) AS t",
        )
    }),
    ("count(DISTINCT)", |db| {
        all(
            db,
            "SELECT count(DISTINCT n) FROM generate_series(1, 3000000) AS g(n)",
        )
    }),
    ("a join", |db| {
        all(
            db,
            "SELECT count(*) FROM (SELECT n, repeat('x', 100) AS x FROM generate_series(1, 1500000) AS g(n)) AS a JOIN generate_series(1, 1500000) AS b(n) ON a.n = b.n",
        )
    }),
    ("UNION", |db| {
        all(
            db,
            "SELECT count(*) FROM (SELECT n FROM generate_series(1, 2000000) AS g(n) UNION SELECT n + 1000000 FROM generate_series(1, 2000000) AS g(n)) AS t",
        )
    }),
    ("rows of a VALUES list", values_list),
    ("a statement's text", |db| {
        all(db, &format!("SELECT '{}'", "x".repeat(100 << 20)))
    }),
    ("a regular expression", |db| {
        all(db, "SELECT 'aaaa' ~ '((a{1,1000}){1,1000}){1,1000}'")
    }),
    ("a pattern of LIKE", |db| {
        all(db, "SELECT repeat('a', 100000) LIKE repeat('%a', 5000) || 'b'")
    }),
    ("a power", |db| all(db, "SELECT 10::numeric ^ 100000000::numeric")),
    ("a factorial", |db| all(db, "SELECT factorial(10000000)")),
    ("a transaction of many rows", |db| {
        all(db, "CREATE TABLE big (a bigint PRIMARY KEY, b text)")?;
        all(
            db,
            "INSERT INTO big SELECT n, repeat('x', 100) FROM generate_series(1, 400000) AS g(n)",
        )?;
        all(db, "UPDATE big SET b = b || 'y'")
    }),
    ("savepoints", savepoints),
    ("keys locked by one transaction", locks),
    ("sessions", |db| {
        let sessions: Result<Vec<_>> = (0..100_000).map(|_| db.session()).collect();
        sessions.map(drop)
    }),
    ("plans kept", plans),
    ("old versions for an old reader", old_versions),
];

/// Runs every probe.
pub(super) fn run(campaign: &mut Campaign) {
    let few = campaign.choose(7, usize::MAX);
    // In the quick run, those that are refused at once or end soon.
    let quick = [
        "repeat()",
        "lpad()",
        "a regular expression",
        "a power",
        "a factorial",
        "sessions",
        "savepoints",
    ];
    let chosen = PROBES
        .iter()
        .filter(|(name, _)| few == usize::MAX || quick.contains(name));
    for (name, _) in chosen {
        campaign.case(
            "buffers whose size a user controls",
            || (*name).to_owned(),
            || probe(name, MOST_KIB).map(drop),
        );
    }
}

/// Runs a probe in a process of its own; tells the most memory it ever had, in KiB.
///
/// # Errors
/// In words, when it ended in another way than it should.
fn probe(name: &str, most_kib: u64) -> std::result::Result<u64, String> {
    let program = std::env::current_exe().map_err(|error| error.to_string())?;
    probe_with(&program, name, most_kib)
}

/// The same, by the program of this path.
///
/// # Errors
/// In words, when it ended in another way than it should.
pub fn probe_with(program: &std::path::Path, name: &str, most_kib: u64) -> std::result::Result<u64, String> {
    let output = Command::new("sh")
        .arg("-c")
        .arg(format!("ulimit -v {LIMIT_KIB}; exec \"$0\" \"$@\""))
        .arg(program)
        .args([PROBE, name])
        .output()
        .map_err(|error| error.to_string())?;
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    if !output.status.success() {
        let why = String::from_utf8_lossy(&output.stderr).into_owned();
        return Err(format!("it ended with {}: {said} {why}", output.status));
    }
    let most = said
        .lines()
        .find_map(|line| line.strip_prefix("most memory "))
        .and_then(|number| number.parse::<u64>().ok())
        .ok_or("it does not say how much memory it had")?;
    match most <= most_kib {
        true => Ok(most),
        false => Err(format!("it took {most} KiB: {said}")),
    }
}

/// The life of a probe, in its own process.
#[must_use]
pub fn be_probe(name: &str) -> ExitCode {
    let Ok(folder) = tempfile::tempdir() else {
        return ExitCode::from(2);
    };
    let outcome = match PROBES.iter().find(|(known, _)| *known == name) {
        Some((_, body)) => open(folder.path()).and_then(|db| body(&db)),
        None => match super::large::be(name, folder.path()) {
            Some(outcome) => outcome,
            None => return ExitCode::from(2),
        },
    };
    report(&outcome);
    match outcome {
        Err(error) if !LIMITS.contains(&error.sqlstate()) => ExitCode::FAILURE,
        _ => ExitCode::SUCCESS,
    }
}

#[expect(clippy::print_stdout, reason = "a probe tells its parent by its output")]
fn report(outcome: &Result<()>) {
    match outcome {
        Ok(()) => println!("done"),
        Err(error) => println!("refused: {} {error}", error.sqlstate()),
    }
    println!("most memory {}", most_memory_kib());
}

/// The most memory that this process ever had, in KiB.
fn most_memory_kib() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    line.and_then(|rest| rest.trim().trim_end_matches(" kB").parse().ok())
        .unwrap_or(u64::MAX)
}

fn open(folder: &std::path::Path) -> Result<Database> {
    let config = Config {
        buffer_pool_size: 16 << 20,
        work_memory: 8 << 20,
        max_file_size: Some(512 << 20),
        max_connections: 100,
        background_threads: false,
        ..Config::default()
    };
    Database::open_with(folder.join("probe.godb"), config)
}

fn all(db: &Database, sql: &str) -> Result<()> {
    db.query(sql, &[])?.try_for_each(|row| row.map(drop))
}

fn endless_value(db: &Database) -> Result<()> {
    let mut tx = db.begin()?;
    tx.put_reader(b"long", std::io::repeat(1).take(u64::MAX))?;
    tx.commit().map(drop)
}

fn values_list(db: &Database) -> Result<()> {
    let rows: Vec<String> = (0..200_000).map(|n| format!("({n}, 'x')")).collect();
    all(
        db,
        &format!("SELECT count(*) FROM (VALUES {}) AS v(a, b)", rows.join(", ")),
    )
}

fn savepoints(db: &Database) -> Result<()> {
    let mut tx = db.begin()?;
    for n in 0..300_000_u32 {
        tx.savepoint()?;
        if n % 1000 == 0 {
            tx.put(&n.to_be_bytes(), b"1")?;
        }
    }
    let mut session = db.session()?;
    session.run("BEGIN", &[])?;
    for n in 0..100_000 {
        session.run(&format!("SAVEPOINT s{n}"), &[])?;
    }
    tx.commit().map(drop)
}

fn locks(db: &Database) -> Result<()> {
    let mut tx = db.begin()?;
    for n in 0..1_000_000_u32 {
        tx.lock(&n.to_be_bytes())?;
    }
    tx.commit().map(drop)
}

fn plans(db: &Database) -> Result<()> {
    let prepared: Result<Vec<_>> = (0..90).map(|n| db.prepare(&format!("SELECT {n}"))).collect();
    drop(prepared?);
    (0..30_000).try_for_each(|n| {
        all(
            db,
            &format!("SELECT {n} + $1::bigint").replace("$1", &n.to_string()),
        )
    })
}

/// A reader who sees the beginning, while everything is changed again and again.
fn old_versions(db: &Database) -> Result<()> {
    db.put(b"key", b"first")?;
    let reader = db.begin()?;
    let first = reader.get(b"key")?;
    for n in 0..30_000_u32 {
        db.put(b"key", &[1; 500])?;
        db.execute("SELECT 1", &[Value::Int(1)][..0])?;
        if n % 1000 == 0 {
            db.step()?;
        }
    }
    match reader.get(b"key")? == first {
        true => Ok(()),
        false => Err(godb::Error::NoSuchColumn(
            "(the reader sees something else)".to_owned(),
        )),
    }
}
