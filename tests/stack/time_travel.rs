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

fn one<T: godb::FromValue>(db: &Database, sql: &str) -> T {
    let row = db.query(sql, params![]).unwrap().next().unwrap().unwrap();
    row.get(0).unwrap()
}

/// What one finds in `godb_commits` leads back, also after a restart: to rows, to columns and to tables that are gone.
#[test]
fn transactions_and_commits_are_moments() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("past.godb");
    let db = Database::open_with(&file, keeping(1)).unwrap();
    db.execute(
        "CREATE TABLE goods (name text PRIMARY KEY, price bigint)",
        params![],
    )
    .unwrap();
    db.execute("CREATE INDEX by_price ON goods (price)", params![])
        .unwrap();
    let mut tx = db.begin().unwrap();
    assert_eq!(tx.id().unwrap(), None);
    tx.execute("INSERT INTO goods VALUES ('tea', 3), ('salt', 1)", params![])
        .unwrap();
    let inserted = tx.id().unwrap().unwrap();
    let at = tx.commit().unwrap();
    db.execute("UPDATE goods SET price = price * 10", params![])
        .unwrap();
    db.execute("ALTER TABLE goods DROP COLUMN price", params![])
        .unwrap();
    db.execute("DROP TABLE goods", params![]).unwrap();
    let check = |db: &Database| {
        let after = format!("AS OF SYSTEM TIME TRANSACTION {inserted}");
        assert_eq!(price(db, &after), [1, 3]);
        assert_eq!(
            price(db, &format!("AS OF SYSTEM TIME COMMIT {}", at.raw())),
            [1, 3]
        );
        let sql = format!("SELECT name FROM goods {after} WHERE price = 3");
        assert_eq!(one::<String>(db, &sql), "tea", "through the index as it was");
        let listed = format!("SELECT commit FROM godb_commits WHERE transaction_id = {inserted}");
        assert_eq!(one::<i64>(db, &listed), at.raw().cast_signed());
        assert_eq!(db.as_of(Moment::After(inserted)).unwrap().snapshot().unwrap(), at);
    };
    check(&db);
    db.close().unwrap();
    let db = Database::open_with(&file, keeping(1)).unwrap();
    check(&db);
    let all: i64 = one(
        &db,
        "SELECT count(*) FROM godb_commits a JOIN godb_commits b ON a.commit < b.commit AND a.committed_at > b.committed_at",
    );
    assert_eq!(all, 0, "both orders are one");
    db.put(b"a", b"1").unwrap();
    let running = db.begin().unwrap();
    drop(running);
    let never = db.query(
        "SELECT * FROM goods AS OF SYSTEM TIME TRANSACTION 4000000000",
        params![],
    );
    assert_eq!(never.err().unwrap().sqlstate(), "22023");
}

/// The lesson on how to get rows back, one by one or with their table.
#[test]
fn what_is_gone_comes_back_by_plain_sql() {
    let db = Database::in_memory_with(keeping(1)).unwrap();
    let run = |sql: &str| db.execute(sql, params![]).unwrap();
    run("CREATE TABLE goods (name text PRIMARY KEY, price bigint)");
    run("INSERT INTO goods VALUES ('tea', 3), ('salt', 1), ('oil', 7)");
    let good = format!("AS OF SYSTEM TIME COMMIT {}", db.now().raw());
    run("DELETE FROM goods WHERE name = 'salt'");
    run("UPDATE goods SET price = 0");
    // A row that was deleted.
    run(&format!(
        "INSERT INTO goods SELECT * FROM goods {good} WHERE name = 'salt'"
    ));
    // A column that was overwritten.
    run(&format!(
        "UPDATE goods SET price = old.price FROM goods {good} AS old WHERE old.name = goods.name"
    ));
    assert_eq!(price(&db, ""), [1, 3, 7]);
    // A table that was dropped.
    run("DROP TABLE goods");
    run(&format!("CREATE TABLE back AS SELECT * FROM goods {good}"));
    assert_eq!(one::<i64>(&db, "SELECT sum(price)::bigint FROM back"), 11);
}

#[test]
fn godb_history_tells_what_the_past_takes() {
    let db = Database::in_memory_with(keeping(1)).unwrap();
    let run = |sql: &str| db.execute(sql, params![]).unwrap();
    run("CREATE TABLE goods (name text PRIMARY KEY, price bigint)");
    run("CREATE INDEX by_price ON goods (price)");
    let versions = "SELECT old_versions FROM godb_history WHERE table_name = 'goods' AND index_name IS NULL";
    assert_eq!(one::<i64>(&db, versions), 0);
    run("INSERT INTO goods SELECT n::text, n FROM generate_series(1, 50) AS g (n)");
    run("UPDATE goods SET price = price + 100");
    run("UPDATE goods SET price = price + 100");
    assert_eq!(one::<i64>(&db, versions), 100);
    let bytes: i64 = one(
        &db,
        "SELECT bytes FROM godb_history WHERE table_name = 'goods' AND index_name IS NULL",
    );
    assert!((1000..10_000).contains(&bytes), "{bytes}");
    let old: bool = one(
        &db,
        "SELECT bool_and(oldest_moment <= now() AND oldest_moment > now() - interval '2 hours') FROM godb_history",
    );
    assert!(old);
    // Of a dropped table the past is there, and it has no name any more.
    run("DROP TABLE goods");
    let nameless = "SELECT max(old_versions) FROM godb_history WHERE table_name IS NULL";
    assert_eq!(one::<i64>(&db, nameless), 100);
}
