//! The public API, as the README shows it.

use godb::{Config, Database, Error, params};
use std::io::Read;
use std::time::Duration;

#[test]
fn keys_and_values() {
    let db = Database::in_memory().unwrap();
    db.put(b"key", b"value").unwrap();
    assert_eq!(db.get(b"key").unwrap().as_deref(), Some(b"value".as_slice()));
    assert!(db.delete(b"key").unwrap());
    assert!(!db.delete(b"key").unwrap());
    assert_eq!(db.get(b"key").unwrap(), None);
}

#[test]
fn a_transaction_is_all_or_nothing() {
    let db = Database::in_memory().unwrap();
    let mut tx = db.begin().unwrap();
    tx.put(b"k1", b"v1").unwrap();
    tx.put(b"k2", b"v2").unwrap();
    assert_eq!(db.get(b"k1").unwrap(), None, "nobody sees it before the commit");
    tx.commit().unwrap();
    assert_eq!(db.get(b"k2").unwrap().as_deref(), Some(b"v2".as_slice()));

    let mut dropped = db.begin().unwrap();
    dropped.put(b"k1", b"other").unwrap();
    drop(dropped);
    assert_eq!(db.get(b"k1").unwrap().as_deref(), Some(b"v1".as_slice()));
}

#[test]
fn keys_and_sql_share_a_transaction() {
    let db = Database::in_memory().unwrap();
    db.execute(
        "CREATE TABLE users (id int PRIMARY KEY, name text NOT NULL, age int)",
        params![],
    )
    .unwrap();
    let mut tx = db.begin().unwrap();
    tx.put(b"last user", b"2").unwrap();
    assert_eq!(
        tx.execute(
            "INSERT INTO users VALUES (1, 'Ada', 36), (2, 'Grace', ?)",
            params![85]
        )
        .unwrap(),
        2
    );
    drop(tx);
    assert_eq!(count(&db), 0);
    assert_eq!(db.get(b"last user").unwrap(), None);

    let mut tx = db.begin().unwrap();
    tx.put(b"last user", b"2").unwrap();
    tx.execute(
        "INSERT INTO users VALUES (1, 'Ada', 36), (2, 'Grace', 85)",
        params![],
    )
    .unwrap();
    tx.commit().unwrap();
    let mut names = Vec::new();
    for row in db
        .query(
            "SELECT name, age FROM users WHERE age > ? ORDER BY age",
            params![25],
        )
        .unwrap()
    {
        let row = row.unwrap();
        names.push((row.get::<String>("name").unwrap(), row.get::<i32>(1).unwrap()));
    }
    assert_eq!(names, [("Ada".to_owned(), 36), ("Grace".to_owned(), 85)]);
}

fn count(db: &Database) -> i64 {
    db.query("SELECT count(*) FROM users", params![])
        .unwrap()
        .next()
        .unwrap()
        .unwrap()
        .get(0)
        .unwrap()
}

#[test]
fn a_range_of_keys_both_ways() {
    let db = Database::in_memory().unwrap();
    let mut tx = db.begin().unwrap();
    for n in 0..500_u32 {
        tx.put(&n.to_be_bytes(), b"x").unwrap();
    }
    tx.delete(&250_u32.to_be_bytes()).unwrap();
    let (from, to) = (100_u32.to_be_bytes(), 400_u32.to_be_bytes());
    let forward: Vec<_> = tx
        .range(&from[..]..&to[..])
        .unwrap()
        .map(|pair| pair.unwrap().0)
        .collect();
    let mut backward: Vec<_> = tx
        .range_backward(&from[..]..&to[..])
        .unwrap()
        .map(|pair| pair.unwrap().0)
        .collect();
    assert_eq!(forward.len(), 299);
    backward.reverse();
    assert_eq!(forward, backward);
}

#[test]
fn a_large_value_streams_in_and_out() {
    let db = Database::in_memory().unwrap();
    let size = 5_000_000;
    let mut tx = db.begin().unwrap();
    let source = std::io::repeat(7).take(size);
    assert_eq!(tx.put_reader(b"film", source).unwrap(), size);
    tx.commit().unwrap();
    let tx = db.begin().unwrap();
    let mut bytes = Vec::new();
    tx.get_reader(b"film")
        .unwrap()
        .unwrap()
        .read_to_end(&mut bytes)
        .unwrap();
    assert!(bytes.len() as u64 == size && bytes.iter().all(|byte| *byte == 7));
    assert!(tx.get_reader(b"no such").unwrap().is_none());
}

#[test]
fn what_is_committed_is_there_after_reopening() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("shop.godb");
    let db = Database::open(&file).unwrap();
    db.put(b"a", b"1").unwrap();
    db.execute(
        "CREATE TABLE t (a int PRIMARY KEY, b numeric(8,2) DEFAULT 1.5)",
        params![],
    )
    .unwrap();
    db.execute("INSERT INTO t (a) VALUES (1), (2)", params![])
        .unwrap();
    db.close().unwrap();
    assert!(
        !folder.path().join("shop.godb-wal").exists(),
        "a clean close leaves one file"
    );

    let db = Database::open(&file).unwrap();
    assert_eq!(db.get(b"a").unwrap().as_deref(), Some(b"1".as_slice()));
    let sum: String = db
        .query("SELECT sum(b) FROM t", params![])
        .unwrap()
        .next()
        .unwrap()
        .unwrap()
        .get(0)
        .unwrap();
    assert_eq!(sum, "3.00");
}

#[test]
fn an_empty_closed_database_is_a_small_file() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("empty.godb");
    Database::open(&file).unwrap().close().unwrap();
    let size = std::fs::metadata(&file).unwrap().len();
    assert!(size < 64 * 1024, "{size} bytes");
}

#[test]
fn savepoints_undo_a_part() {
    let db = Database::in_memory().unwrap();
    let mut tx = db.begin().unwrap();
    tx.put(b"kept", b"1").unwrap();
    let point = tx.savepoint().unwrap();
    tx.put(b"kept", b"2").unwrap();
    tx.put(b"lost", b"1").unwrap();
    tx.roll_back_to(point).unwrap();
    tx.commit().unwrap();
    assert_eq!(db.get(b"kept").unwrap().as_deref(), Some(b"1".as_slice()));
    assert_eq!(db.get(b"lost").unwrap(), None);
}

#[test]
fn a_conflict_is_retryable_and_retried() {
    let db = Database::in_memory().unwrap();
    db.put(b"n", b"0").unwrap();
    let mut late = db.begin().unwrap();
    late.get(b"n").unwrap();
    db.put(b"n", b"1").unwrap();
    let error = late.put(b"n", b"2").unwrap_err();
    assert!(error.is_retryable() && error.sqlstate() == "40001", "{error}");
    drop(late);

    let threads: Vec<_> = (0..4)
        .map(|_| {
            let db = db.clone();
            std::thread::spawn(move || (0..50).for_each(|_| increment(&db)))
        })
        .collect();
    threads.into_iter().for_each(|thread| thread.join().unwrap());
    assert_eq!(db.get(b"n").unwrap().unwrap(), b"201");
}

fn increment(db: &Database) {
    db.transaction(|tx| {
        let n: u32 = String::from_utf8(tx.get(b"n")?.unwrap())
            .unwrap()
            .parse()
            .unwrap();
        tx.put(b"n", (n + 1).to_string().as_bytes())
    })
    .unwrap();
}

#[test]
fn features_that_are_not_there_are_refused_by_name() {
    let refused = |config: Config| match Database::in_memory_with(config) {
        Err(Error::Config { field, .. }) => field,
        Err(other) => panic!("{other}"),
        Ok(_) => panic!("accepted"),
    };
    let base = Config::default;
    assert_eq!(
        refused(Config {
            adaptive_indexing: true,
            ..base()
        }),
        "adaptive_indexing"
    );
    assert_eq!(
        refused(Config {
            ml_optimizer: true,
            ..base()
        }),
        "ml_optimizer"
    );
    assert_eq!(
        refused(Config {
            mvcc: false,
            retention: Duration::from_secs(1),
            ..base()
        }),
        "retention"
    );
    assert_eq!(
        refused(Config {
            compression: godb::Compression::Lz4,
            ..base()
        }),
        "compression"
    );
    assert_eq!(
        refused(Config {
            compaction_threshold: Some(1.5),
            ..base()
        }),
        "compaction_threshold"
    );
    assert_eq!(
        refused(Config {
            page_size: 5000,
            ..base()
        }),
        "page_size"
    );
    assert_eq!(
        refused(Config {
            buffer_pool_size: 1,
            ..base()
        }),
        "buffer_pool_size"
    );
}

#[test]
fn too_many_connections_are_refused_until_one_ends() {
    let db = Database::in_memory_with(Config {
        max_connections: 2,
        ..Config::default()
    })
    .unwrap();
    let (first, _second) = (db.begin().unwrap(), db.begin().unwrap());
    let error = db.begin().err().unwrap();
    assert_eq!(error.sqlstate(), "53300");
    drop(first);
    db.begin().unwrap();
}

#[test]
fn lock_timeout_is_kept() {
    let config = Config {
        lock_timeout: Duration::from_millis(50),
        ..Config::default()
    };
    let db = Database::in_memory_with(config).unwrap();
    let mut holder = db.begin().unwrap();
    holder.put(b"k", b"1").unwrap();
    let mut waiter = db.begin().unwrap();
    let error = waiter.put(b"k", b"2").unwrap_err();
    assert_eq!(error.sqlstate(), "55P03", "{error}");
}

#[test]
fn handles_go_between_threads() {
    fn shared<T: Send + Sync + Clone + 'static>() {}
    fn sent<T: Send + 'static>() {}
    shared::<Database>();
    sent::<godb::Transaction>();
    sent::<godb::Rows>();
    sent::<godb::Prepared>();
}
