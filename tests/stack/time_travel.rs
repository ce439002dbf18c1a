//! Reading the past: by timestamp and by interval, through restarts, and the errors at its edges.

use godb::{Config, Database, Moment, params};
use std::time::Duration;

fn keeping(hours: u64) -> Config {
    Config {
        retention: Duration::from_secs(hours * 3600),
        ..Config::default()
    }
}

fn price(db: &Database, as_of: &str) -> Vec<i64> {
    let sql = format!("SELECT price FROM goods {as_of} ORDER BY price");
    db.query(&sql, params![])
        .unwrap()
        .map(|row| row.unwrap().get(0).unwrap())
        .collect()
}

#[test]
fn the_past_survives_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("past.godb");
    let db = Database::open_with(&file, keeping(1)).unwrap();
    db.execute(
        "CREATE TABLE goods (name text PRIMARY KEY, price bigint)",
        params![],
    )
    .unwrap();
    db.execute("INSERT INTO goods VALUES ('tea', 3), ('salt', 1)", params![])
        .unwrap();
    let before = db.now();
    std::thread::sleep(Duration::from_millis(1100));
    db.execute("UPDATE goods SET price = price * 10", params![])
        .unwrap();
    db.execute("DELETE FROM goods WHERE name = 'salt'", params![])
        .unwrap();
    assert_eq!(price(&db, ""), [30]);
    assert_eq!(price(&db, "AS OF SYSTEM TIME '-1s'"), [1, 3]);
    assert_eq!(price(&db, "FOR SYSTEM_TIME AS OF '-1s'"), [1, 3]);
    db.close().unwrap();

    let db = Database::open_with(&file, keeping(1)).unwrap();
    assert_eq!(price(&db, ""), [30]);
    let mut then = db.as_of(Moment::At(before)).unwrap();
    let rows = then
        .query("SELECT count(*) FROM goods", params![])
        .unwrap()
        .next()
        .unwrap()
        .unwrap();
    assert_eq!(rows.get::<i64>(0).unwrap(), 2);
}

#[test]
fn the_schema_is_that_of_the_moment() {
    let db = Database::in_memory_with(keeping(1)).unwrap();
    db.execute(
        "CREATE TABLE goods (name text PRIMARY KEY, price bigint)",
        params![],
    )
    .unwrap();
    db.execute("INSERT INTO goods VALUES ('tea', 3)", params![])
        .unwrap();
    let with_price = db.now();
    db.execute("ALTER TABLE goods DROP COLUMN price", params![])
        .unwrap();
    assert_eq!(
        db.query("SELECT price FROM goods", params![])
            .err()
            .unwrap()
            .sqlstate(),
        "42703"
    );
    db.execute("DROP TABLE goods", params![]).unwrap();
    assert_eq!(
        db.query("SELECT name FROM goods", params![])
            .err()
            .unwrap()
            .sqlstate(),
        "42P01"
    );
    let mut then = db.as_of(Moment::At(with_price)).unwrap();
    let row = then
        .query("SELECT price FROM goods", params![])
        .unwrap()
        .next()
        .unwrap()
        .unwrap();
    assert_eq!(row.get::<i64>(0).unwrap(), 3);
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
    let db = Database::in_memory_with(keeping(1)).unwrap();
    db.put(b"a", b"1").unwrap();
    let mut then = db.as_of(Moment::At(db.now())).unwrap();
    assert_eq!(then.put(b"a", b"2").unwrap_err().sqlstate(), "25006");
}
