//! Reading the past: by commit and by the clock, through restarts, and the errors at its edges.

use godb::{Config, Database, Moment};
use std::time::Duration;

fn keeping_an_hour() -> Config {
    Config {
        retention: Duration::from_secs(3600),
        ..Config::default()
    }
}

#[test]
fn the_past_survives_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("past.godb");
    let db = Database::open_with(&file, keeping_an_hour()).unwrap();
    db.put(b"tea", b"3").unwrap();
    db.put(b"salt", b"1").unwrap();
    let before = db.now();
    std::thread::sleep(Duration::from_millis(300));
    db.put(b"tea", b"30").unwrap();
    db.delete(b"salt").unwrap();
    let ago = db.as_of(Moment::Ago(200_000)).unwrap();
    assert_eq!(ago.get(b"salt").unwrap().unwrap(), b"1");
    drop(ago);
    db.close().unwrap();

    let db = Database::open_with(&file, keeping_an_hour()).unwrap();
    assert_eq!(db.get(b"tea").unwrap().unwrap(), b"30");
    let then = db.as_of(Moment::At(before)).unwrap();
    assert_eq!(then.get(b"tea").unwrap().unwrap(), b"3");
    assert_eq!(then.range(..).unwrap().count(), 2);
}

#[test]
fn moments_out_of_reach_are_errors() {
    let db = Database::in_memory().unwrap();
    db.put(b"a", b"1").unwrap();
    std::thread::sleep(Duration::from_millis(20));
    db.put(b"a", b"2").unwrap();
    let error = db
        .as_of(Moment::Ago(3_600_000_000))
        .err()
        .expect("nothing is kept from an hour ago");
    assert_eq!(error.sqlstate(), "72000", "{error}");
    let error = db
        .as_of(Moment::Ago(-3_600_000_000))
        .err()
        .expect("the future is not known");
    assert_eq!(error.sqlstate(), "22023", "{error}");
}

#[test]
fn the_past_is_read_only() {
    let db = Database::in_memory_with(keeping_an_hour()).unwrap();
    db.put(b"a", b"1").unwrap();
    let mut then = db.as_of(Moment::At(db.now())).unwrap();
    assert_eq!(then.put(b"a", b"2").unwrap_err().sqlstate(), "25006");
}
