//! What runs in the processes that are made to fail: each role writes and tells on standard output what was acknowledged.

#![expect(
    clippy::print_stdout,
    reason = "standard output is how a process tells what was acknowledged"
)]

use godb::{Config, Database, Error, Fault};
use std::io::{BufRead, Write};
use std::time::Duration;

/// Runs the role that the words name: `one FILE ROWS`, `many FILE ROUND` or `hold FILE`. What it came to is told in lines.
#[must_use]
pub fn work(words: &[String]) -> bool {
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let result = match words[..] {
        ["one", file, rows] => rows.parse().is_ok_and(|rows| one(file, rows).is_ok()),
        ["many", file, round] => many(file, round).is_ok(),
        ["hold", file, twice] => hold(file, twice == "twice").is_ok(),
        _ => false,
    };
    tell("end");
    result
}

/// A small pool and very frequent checkpoints, so that every kind of write happens often.
#[must_use]
pub fn config() -> Config {
    Config {
        buffer_pool_size: 64 * 8192,
        checkpoint_interval: Duration::from_millis(20),
        checkpoint_log_size: Some(1 << 18),
        ..Config::default()
    }
}

/// The value of row `n`.
#[must_use]
pub fn value(n: u64) -> Vec<u8> {
    let letter = b'a' + u8::try_from(n % 26).unwrap_or(0);
    vec![letter; usize::try_from(20 + n * 37 % 400).unwrap_or(20)]
}

/// The key of row `n`.
#[must_use]
pub fn key(n: u64) -> Vec<u8> {
    format!("row {n:08}").into_bytes()
}

/// A line on standard output, at once. When nobody listens any more there is nobody to disappoint.
fn tell(line: &str) {
    let mut out = std::io::stdout().lock();
    drop(writeln!(out, "{line}").and_then(|()| out.flush()));
}

/// One thread commits rows until there are `rows`. After an error it reads back what was acknowledged, waits for a line of input, and goes on once more.
fn one(file: &str, rows: u64) -> godb::Result<()> {
    let db = Database::open_with(file, config()).inspect_err(|error| tell(&told_error(error)))?;
    tell("open");
    let mut failed = false;
    let mut n = 0;
    while n < rows {
        match db.put(&key(n), &value(n)) {
            Ok(()) => {
                tell(&format!("ok {n}"));
                n += 1;
            }
            Err(error) => {
                tell(&told_error(&error));
                tell(if reads(&db, n) { "readable" } else { "unreadable" });
                if failed || !wait_for_a_line() {
                    break;
                }
                failed = true;
            }
        }
    }
    if let Err(error) = db.close() {
        tell(&told_error(&error));
    }
    tell(&format!("memory {}", peak_kib()));
    Ok(())
}

fn told_error(error: &Error) -> String {
    format!("error {error}")
}

fn reads(db: &Database, rows: u64) -> bool {
    (0..rows).all(|n| db.get(&key(n)).is_ok_and(|found| found == Some(value(n))))
}

/// False at the end of the input.
fn wait_for_a_line() -> bool {
    std::io::stdin()
        .lock()
        .read_line(&mut String::new())
        .is_ok_and(|read| read > 0)
}

/// The most memory that was resident, in KiB, as Linux tells it; zero elsewhere.
fn peak_kib() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let number = line.and_then(|line| line.split_whitespace().next()?.parse().ok());
    number.unwrap_or(0)
}

/// Four threads commit until the process is killed: thread `t` the rows `ROUND/t/0`, `ROUND/t/1`, …, every tenth a batch; it tells `t n` once the commit
/// of row `n` has returned.
fn many(file: &str, round: &str) -> godb::Result<()> {
    let db = Database::open_with(file, config()).inspect_err(|error| tell(&told_error(error)))?;
    tell("open");
    std::thread::scope(|scope| {
        for thread in 0..4 {
            let (db, round) = (&db, round);
            scope.spawn(move || {
                if let Err(error) = write(db, round, thread) {
                    tell(&told_error(&error));
                }
            });
        }
    });
    Ok(())
}

fn write(db: &Database, round: &str, thread: usize) -> godb::Result<()> {
    for n in 0..1_000_000 {
        let mut tx = db.begin()?;
        let more = if n % 10 == 9 { 40 } else { 0 };
        for part in 0..=more {
            let key = format!("{round}/{thread}/{n}/{part}");
            tx.put(key.as_bytes(), &vec![b'x'; 20 + (n * 37 + part) % 400])?;
        }
        if n % 7 == 3 {
            tx.delete(format!("{round}/{thread}/{}/0", n - 1).as_bytes())?;
        }
        tx.commit()?;
        tell(&format!("{thread} {n}"));
    }
    Ok(())
}

/// Opens the database, tells whether it got it, and holds it until the input ends. With `twice`, opens it once more, which must be refused.
fn hold(file: &str, twice: bool) -> godb::Result<()> {
    let db = match Database::open_with(file, config()) {
        Ok(db) => db,
        Err(error) => {
            tell(&told_owner(&error));
            return Err(error);
        }
    };
    db.put(b"owner", std::process::id().to_string().as_bytes())?;
    tell("mine");
    if twice {
        match Database::open_with(file, config()) {
            Ok(_) => tell("twice"),
            Err(error) => tell(&told_owner(&error)),
        }
    }
    while wait_for_a_line() {}
    db.close()
}

fn told_owner(error: &Error) -> String {
    match error {
        Error::Fault(Fault::InUse {
            owner: Some(owner), ..
        }) => format!("used {owner}"),
        other => told_error(other),
    }
}
