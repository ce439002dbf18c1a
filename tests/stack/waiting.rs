//! Who waits for a row: gives way in a deadlock, and hears of it at once when nobody can commit any more.

use godb::{Config, Database, Environment, Error, params};
use godb_page::{Effect, Injection, Operations, SimulatedDisk};
use std::path::Path;
use std::sync::Arc;
use std::sync::mpsc;
use std::time::{Duration, Instant};

const SOON: Duration = Duration::from_secs(20);

fn patient() -> Config {
    Config {
        lock_timeout: Duration::from_secs(3600),
        background_threads: false,
        ..Config::default()
    }
}

fn two_rows(db: &Database) {
    db.execute("CREATE TABLE t (id INT PRIMARY KEY, a INT)", &[])
        .unwrap();
    db.execute("INSERT INTO t VALUES (1, 0), (2, 0)", &[]).unwrap();
}

fn add(tx: &mut godb::Transaction, id: i32) -> Result<u64, Error> {
    tx.execute("UPDATE t SET a = a + 1 WHERE id = $1", params![id])
}

/// Runs `body` in a thread and gives what it returns when it does.
fn apart<R: Send + 'static>(body: impl FnOnce() -> R + Send + 'static) -> mpsc::Receiver<R> {
    let (told, tell) = mpsc::channel();
    std::thread::spawn(move || told.send(body()));
    tell
}

#[test]
fn of_two_who_wait_for_each_other_the_younger_is_told_of_the_deadlock() {
    let db = Database::in_memory_with(patient()).unwrap();
    two_rows(&db);
    let (mut older, mut younger) = (db.begin().unwrap(), db.begin().unwrap());
    add(&mut older, 1).unwrap();
    add(&mut younger, 2).unwrap();
    let older = apart(move || add(&mut older, 2).and_then(|_| older.commit()).map(drop));
    let younger = apart(move || add(&mut younger, 1).and_then(|_| younger.commit()).map(drop));
    let refused = younger.recv_timeout(SOON).unwrap().unwrap_err();
    assert_eq!(refused.sqlstate(), "40P01", "{refused}");
    assert!(refused.is_retryable());
    older.recv_timeout(SOON).unwrap().unwrap();
    let rows = db.query("SELECT a FROM t ORDER BY id", &[]).unwrap();
    let values: Vec<i32> = rows.map(|row| row.unwrap().get(0).unwrap()).collect();
    assert_eq!(values, [1, 1], "the older went on");
}

#[test]
fn after_a_failed_sync_who_waits_for_an_idle_session_is_told_at_once() {
    let disk = SimulatedDisk::new();
    let db = Database::open_on(
        Arc::new(disk.clone()),
        &Environment::simulated(1),
        Path::new("a.godb"),
        patient(),
    )
    .unwrap();
    two_rows(&db);
    let mut idle = db.begin().unwrap();
    add(&mut idle, 1).unwrap();
    let waiters: Vec<_> = (0..3)
        .map(|_| {
            let db = db.clone();
            apart(move || add(&mut db.begin().unwrap(), 1))
        })
        .collect();
    let mut committer = db.begin().unwrap();
    add(&mut committer, 2).unwrap();
    // That they wait by now cannot be seen from outside; if one does not yet, it is refused when it begins to.
    std::thread::sleep(Duration::from_millis(100));
    disk.inject(Injection::lasting(
        Operations::SYNC,
        1,
        Effect::SyncForgets { seed: None },
    ));
    let began = Instant::now();
    let unknown = committer.commit().unwrap_err();
    assert_eq!(unknown.sqlstate(), "08007", "{unknown}");
    for waiter in waiters {
        let refused = waiter
            .recv_timeout(SOON)
            .expect("not after the time-out")
            .unwrap_err();
        assert_eq!(refused.sqlstate(), "55000", "{refused}");
    }
    assert!(began.elapsed() < SOON);
    assert!(db.put(b"k", b"v").is_err(), "nobody writes");
    assert_eq!(
        db.query("SELECT count(*) FROM t", &[]).unwrap().count(),
        1,
        "reading goes on"
    );
}
