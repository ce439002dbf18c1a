//! Settings that are changed while a database is open, and what comes of it.

use crate::{Config, Database, params};
use std::time::{Duration, Instant};

fn refused<T>(result: crate::Result<T>) -> &'static str {
    let state = result.err().expect("it must be refused").sqlstate();
    ["22023", "42704", "55P03", "0A000"]
        .into_iter()
        .find(|known| *known == state)
        .unwrap_or_else(|| panic!("{state}"))
}

/// Waits for something that background work does.
fn eventually(what: &str, mut happened: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !happened() {
        assert!(begun.elapsed() < Duration::from_secs(20), "{what}");
        std::thread::sleep(Duration::from_millis(10));
    }
}

#[test]
fn they_are_shown_changed_and_set_back() {
    let db = Database::in_memory().unwrap();
    assert_eq!(db.setting("checkpoint_interval").unwrap(), "1min");
    db.set("checkpoint_interval", "1500ms").unwrap();
    assert_eq!(db.setting("godb.checkpoint_interval").unwrap(), "1500ms");
    db.execute("SET godb.checkpoint_interval = '2s'", params![])
        .unwrap();
    assert_eq!(db.setting("checkpoint_interval").unwrap(), "2s");
    let shown: String = db
        .query("SHOW godb.checkpoint_interval", params![])
        .unwrap()
        .next()
        .unwrap()
        .unwrap()
        .get(0)
        .unwrap();
    assert_eq!(shown, "2s");
    let row = "SELECT setting || ' ' || opened_with FROM godb_settings WHERE name = 'checkpoint_interval'";
    let both: String = db
        .query(row, params![])
        .unwrap()
        .next()
        .unwrap()
        .unwrap()
        .get(0)
        .unwrap();
    assert_eq!(both, "2s 1min");
    db.execute("RESET godb.checkpoint_interval", params![]).unwrap();
    assert_eq!(db.setting("checkpoint_interval").unwrap(), "1min");
}

#[test]
fn what_they_cannot_be_is_refused() {
    let db = Database::in_memory().unwrap();
    for (name, value, state) in [
        ("checkpoint_interval", "soon", "22023"),
        ("checkpoint_interval", "1 parsec", "22023"),
        ("checkpoint_interval", "0", "22023"),
        ("checkpoint_log_size", "-1MB", "22023"),
        ("compaction_threshold", "5", "22023"),
        ("compaction_threshold", "101", "22023"),
        ("page_size", "4096", "42704"),
        ("godb.nothing", "1", "42704"),
    ] {
        assert_eq!(refused(db.set(name, value)), state, "{name} = {value}");
    }
    assert_eq!(refused(db.setting("nothing")), "42704");
    assert_eq!(
        refused(db.execute("SET godb.nothing = 1", params![])),
        "42704",
        "not taken for a setting of the client's own"
    );
    assert_eq!(
        refused(db.execute("SET LOCAL godb.scrub_rate = 0", params![])),
        "0A000"
    );
}

#[test]
fn a_shorter_lock_timeout_counts_for_those_who_ask_next() {
    let db = Database::in_memory().unwrap();
    db.set("lock_timeout", "30ms").unwrap();
    let mut holder = db.begin().unwrap();
    holder.put(b"key", b"1").unwrap();
    let begun = Instant::now();
    let mut waiter = db.begin().unwrap();
    assert_eq!(refused(waiter.put(b"key", b"2")), "55P03");
    assert!(
        begun.elapsed() < Duration::from_secs(5),
        "ten seconds are the default"
    );
    drop(waiter);
    db.execute("SET godb.lock_timeout = '1h'", params![]).unwrap();
    let other = db.clone();
    let waiting = std::thread::spawn(move || other.put(b"key", b"2"));
    std::thread::sleep(Duration::from_millis(100));
    holder.roll_back().unwrap();
    waiting.join().unwrap().unwrap();
}

#[test]
fn checkpoints_come_as_often_as_is_set() {
    let folder = tempfile::tempdir().unwrap();
    let config = Config {
        checkpoint_interval: Duration::from_secs(3600),
        ..Config::default()
    };
    let db = Database::open_with(folder.path().join("a.godb"), config).unwrap();
    db.put(b"key", b"1").unwrap();
    let engine = db.instance().engine().clone();
    assert!(engine.log_since_checkpoint() > 0);
    db.set("checkpoint_interval", "10ms").unwrap();
    eventually("a checkpoint", || engine.log_since_checkpoint() == 0);
    db.set("checkpoint_interval", "1h").unwrap();
    db.set("checkpoint_log_size", "64kB").unwrap();
    db.put(b"key", &[7; 100_000]).unwrap();
    eventually("a checkpoint", || engine.log_since_checkpoint() < 64 << 10);
}

#[test]
fn scrubbing_begins_and_ends_as_is_set() {
    let folder = tempfile::tempdir().unwrap();
    let config = Config {
        scrub_rate: 0,
        ..Config::default()
    };
    let db = Database::open_with(folder.path().join("a.godb"), config).unwrap();
    db.put(b"key", &[7; 100_000]).unwrap();
    db.checkpoint().unwrap();
    assert_eq!(db.scrub_report().pages, 0);
    db.set("scrub_rate", "100MB").unwrap();
    eventually("pages are read", || db.scrub_report().pages > 0);
    db.set("scrub_rate", "0").unwrap();
    std::thread::sleep(Duration::from_millis(150));
    let pages = db.scrub_report().pages;
    std::thread::sleep(Duration::from_millis(150));
    assert_eq!(db.scrub_report().pages, pages);
}
