//! The process that things happen to.
//!
//! - `write FILE ROUND COUNT`: four threads commit rows `ROUND/thread/0`, `ROUND/thread/1`, … one transaction each (every tenth a batch), `COUNT` of them; each says
//!   `thread n` on standard output once the commit of row `n` has returned, or `error …` when it has not.
//! - `hold FILE`: opens the database, says `open` or `refused …`, and keeps it open until standard input ends.
//! - `read FILE`: says `rows N`, and `written` or `refused SQLSTATE` when it has tried to write.

use godb::{Config, Database, Result};
use std::io::{Read, Write};
use std::process::ExitCode;
use std::time::Duration;

/// Threads of `write`.
pub(super) const THREADS: usize = 4;

/// Does what the words say.
#[must_use]
pub fn child(words: &[String]) -> ExitCode {
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let result = match words[..] {
        ["write", file, round, count] => count.parse().map_or(Ok(()), |count| write(file, round, count)),
        ["hold", file] => hold(file),
        ["read", file] => read(file),
        _ => return ExitCode::from(2),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            say(&format!("error {error}"));
            ExitCode::FAILURE
        }
    }
}

/// Standard output may be gone: then nobody wants to know.
fn say(words: &str) {
    let mut out = std::io::stdout().lock();
    drop(writeln!(out, "{words}").and_then(|()| out.flush()));
}

/// Small, so that pages are written, checkpoints taken and segments used again all the time.
fn config() -> Config {
    Config {
        buffer_pool_size: 64 * 8192,
        checkpoint_interval: Duration::from_millis(20),
        checkpoint_log_size: Some(1 << 18),
        ..Config::default()
    }
}

fn write(file: &str, round: &str, count: usize) -> Result<()> {
    let db = Database::open_with(file, config())?;
    say("open");
    let writers: Vec<_> = (0..THREADS)
        .map(|thread| {
            let (db, round) = (db.clone(), round.to_owned());
            std::thread::spawn(move || write_rows(&db, &round, thread, count))
        })
        .collect();
    for writer in writers {
        if let Ok(Err(error)) = writer.join() {
            say(&format!("error {error}"));
        }
    }
    db.close()
}

fn write_rows(db: &Database, round: &str, thread: usize, count: usize) -> Result<()> {
    for n in 0..count {
        let mut tx = db.begin()?;
        for part in 0..parts_of(n) {
            tx.put(&key_of(round, thread, n, part), &vec![b'x'; length_of(n, part)])?;
        }
        if deletes(n) {
            tx.delete(&key_of(round, thread, n - 1, 0))?;
        }
        tx.commit()?;
        say(&format!("{thread} {n}"));
    }
    Ok(())
}

/// How many keys transaction `n` sets.
pub(super) fn parts_of(n: usize) -> usize {
    if n % 10 == 9 { 41 } else { 1 }
}

/// How long the value of one of them is.
pub(super) fn length_of(n: usize, part: usize) -> usize {
    20 + (n * 37 + part) % 400
}

/// Whether transaction `n` deletes the first key of the one before.
pub(super) fn deletes(n: usize) -> bool {
    n % 7 == 3
}

pub(super) fn key_of(round: &str, thread: usize, n: usize, part: usize) -> Vec<u8> {
    format!("{round}/{thread}/{n}/{part}").into_bytes()
}

fn hold(file: &str) -> Result<()> {
    match Database::open(file) {
        Ok(db) => {
            say("open");
            drop(std::io::stdin().read_to_end(&mut Vec::new()));
            db.close()
        }
        Err(error) => {
            say(&format!("refused {error}"));
            Ok(())
        }
    }
}

fn read(file: &str) -> Result<()> {
    let db = Database::open(file)?;
    let rows = db.begin()?.range(..)?.count();
    say(&format!("rows {rows}"));
    let mut tx = db.begin()?;
    match tx.put(b"new", b"row").and_then(|()| tx.commit()) {
        Ok(_) => say("written"),
        Err(error) => say(&format!("refused {}", error.sqlstate())),
    }
    db.close()
}
