//! A real process with four writers is killed by SIGKILL a hundred times; every acknowledged row is there afterwards.

use godb::{Config, Database};
use std::collections::HashMap;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

/// What each thread of a round was told is durable: the highest number.
type Acknowledged = HashMap<(usize, usize), usize>;

#[test]
fn a_hundred_kills_lose_nothing_acknowledged() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("killed.godb");
    let mut acknowledged = Acknowledged::new();
    for round in 0..100 {
        run_and_kill(&file, round, &mut acknowledged);
        if round % 10 == 9 {
            verify(&file, &acknowledged);
        }
    }
    assert!(
        acknowledged.len() > 100,
        "too few commits to mean anything: {}",
        acknowledged.len()
    );
}

/// Starts the writer, reads what it acknowledges, kills it in the midst of it.
fn run_and_kill(file: &Path, round: usize, acknowledged: &mut Acknowledged) {
    let mut child = Command::new(env!("CARGO_BIN_EXE_killed-writer"))
        .arg(file)
        .arg(round.to_string())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let pid = child.id();
    let reader = std::thread::spawn(move || {
        let mut seen = Vec::new();
        for line in lines.map_while(Result::ok) {
            seen.push(line);
        }
        seen
    });
    std::thread::sleep(Duration::from_millis(20 + (round as u64 * 13) % 90));
    child.kill().unwrap();
    child.wait().unwrap();
    for line in reader.join().unwrap() {
        if let Some(error) = line.strip_prefix("error ") {
            panic!("the writer {pid} failed: {error}");
        }
        let Some((thread, n)) = line.split_once(' ') else {
            continue;
        };
        acknowledged.insert((round, thread.parse().unwrap()), n.parse().unwrap());
    }
}

/// Opens the database and looks for every row that must be there, and for none that must not.
fn verify(file: &Path, acknowledged: &Acknowledged) {
    let db = Database::open_with(file, Config::default()).unwrap();
    assert_eq!(db.check().unwrap(), Vec::<String>::new());
    let tx = db.begin().unwrap();
    for (&(round, thread), &last) in acknowledged {
        for n in 0..=last {
            let (gone, may_be_gone) = (n % 7 == 2 && last > n, n % 7 == 2);
            let found = tx.get(format!("{round}/{thread}/{n}/0").as_bytes()).unwrap();
            match found {
                Some(value) => assert!(
                    !gone && value.len() == 20 + (n * 37) % 400,
                    "row {round}/{thread}/{n} is wrong"
                ),
                None => assert!(
                    may_be_gone,
                    "row {round}/{thread}/{n} was acknowledged and is lost"
                ),
            }
        }
        all_or_nothing(&tx, round, thread, last + 1);
    }
    drop(tx);
    db.close().unwrap();
}

/// The first transaction that was not acknowledged is there whole, or not at all.
fn all_or_nothing(tx: &godb::Transaction, round: usize, thread: usize, n: usize) {
    let parts = if n % 10 == 9 { 41 } else { 1 };
    let found = (0..parts).filter(|part| {
        tx.get(format!("{round}/{thread}/{n}/{part}").as_bytes())
            .unwrap()
            .is_some()
    });
    let found = found.count();
    assert!(
        found == 0 || found == parts,
        "{found} of {parts} rows of {round}/{thread}/{n} survived"
    );
}
