//! The system relations of a real database.

use crate::{Database, params};
use std::time::{Duration, Instant};

fn count(db: &Database, query: &str) -> i64 {
    let row = db.query(query, params![]).unwrap().next().unwrap().unwrap();
    row.get(0).unwrap()
}

#[test]
fn godb_transactions_shows_who_waits_for_whom() {
    let db = Database::in_memory().unwrap();
    assert_eq!(count(&db, "SELECT count(*) FROM godb_transactions"), 0);
    let mut first = db.begin().unwrap();
    first.put(b"key", b"1").unwrap();
    assert_eq!(
        count(
            &db,
            "SELECT count(*) FROM godb_transactions WHERE state = 'running' AND locks > 0"
        ),
        1
    );
    let other = db.clone();
    let second = std::thread::spawn(move || other.put(b"key", b"2"));
    let waiting = "SELECT count(*) FROM godb_transactions w JOIN godb_transactions r \
                   ON w.waits_for = r.transaction_id::text WHERE w.state = 'waiting' AND r.state = 'running'";
    let begun = Instant::now();
    while count(&db, waiting) == 0 {
        assert!(begun.elapsed() < Duration::from_secs(8), "nobody is seen to wait");
        std::thread::yield_now();
    }
    first.commit().unwrap();
    second.join().unwrap().unwrap();
    assert_eq!(count(&db, "SELECT count(*) FROM godb_transactions"), 0);
}

#[test]
fn godb_locks_and_godb_lock_waits_name_the_table() {
    let db = Database::in_memory().unwrap();
    db.execute("CREATE TABLE t (id int PRIMARY KEY)", params![])
        .unwrap();
    db.execute("INSERT INTO t VALUES (1)", params![]).unwrap();
    let mut first = db.begin().unwrap();
    first.execute("DELETE FROM t WHERE id = 1", params![]).unwrap();
    let other = db.clone();
    let second = std::thread::spawn(move || other.execute("DELETE FROM t WHERE id = 1", params![]));
    let waiting =
        "SELECT count(*) FROM godb_locks WHERE locked = 'transaction' AND mode = 'S' AND NOT granted";
    let begun = Instant::now();
    while count(&db, waiting) == 0 {
        assert!(begun.elapsed() < Duration::from_secs(8), "nobody is seen to wait");
        std::thread::yield_now();
    }
    let in_line = "SELECT count(*) FROM godb_locks WHERE table_name = 't' AND locked = 'key' AND mode = 'X' AND granted";
    assert_eq!(
        count(&db, in_line),
        1,
        "who waits for the row keeps its place by a lock on the key"
    );
    first.commit().unwrap();
    second.join().unwrap().unwrap();
    assert_eq!(count(&db, "SELECT count(*) FROM godb_locks"), 0);
    assert_eq!(
        count(
            &db,
            "SELECT waits FROM godb_lock_waits WHERE locked = 'transaction'"
        ),
        1
    );
}

/// Many move money between few accounts, each over random pairs, so that circles arise all the time: every transfer comes to its end under each policy.
#[test]
fn transfers_end_under_every_deadlock_policy() {
    use crate::{Config, DeadlockPolicy};
    for policy in [
        DeadlockPolicy::WaitForGraph,
        DeadlockPolicy::WaitDie,
        DeadlockPolicy::WoundWait,
        DeadlockPolicy::Timeout,
    ] {
        let config = Config {
            deadlock_policy: policy,
            lock_timeout: Duration::from_millis(if policy == DeadlockPolicy::Timeout {
                5
            } else {
                20_000
            }),
            ..Config::default()
        };
        let db = Database::in_memory_with(config).unwrap();
        (0..4u8).for_each(|account| db.put(&[account], &100u64.to_le_bytes()).unwrap());
        let threads = (0..4u64).map(|thread| {
            let db = db.clone();
            std::thread::spawn(move || transfers(&db, thread))
        });
        threads
            .collect::<Vec<_>>()
            .into_iter()
            .for_each(|thread| thread.join().unwrap());
        let balance =
            |account: u8| u64::from_le_bytes(db.get(&[account]).unwrap().unwrap().try_into().unwrap());
        assert_eq!((0..4).map(balance).sum::<u64>(), 400, "{policy:?}");
        assert_eq!(count(&db, "SELECT count(*) FROM godb_locks"), 0, "{policy:?}");
    }
}

fn transfers(db: &Database, seed: u64) {
    let mut random = seed;
    for _ in 0..50 {
        random = random
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(seed * 2 + 1);
        let [_, _, _, _, from, to, ..] = random.to_le_bytes();
        let (from, to) = ([from % 4], [to % 4]);
        let moved = db.transaction(|tx| {
            for (key, less) in [(from, true), (to, false)] {
                let old = u64::from_le_bytes(tx.get(&key)?.unwrap().try_into().unwrap());
                let new = if less {
                    old.wrapping_sub(1)
                } else {
                    old.wrapping_add(1)
                };
                tx.put(&key, &new.to_le_bytes())?;
                std::thread::yield_now();
            }
            Ok(())
        });
        moved.unwrap();
    }
}

#[test]
fn godb_buffer_pool_and_godb_wal_count_what_happens() {
    let folder = tempfile::tempdir().unwrap();
    let db = Database::open(folder.path().join("a.godb")).unwrap();
    db.put(b"key", b"value").unwrap();
    let flushes = count(&db, "SELECT flushes FROM godb_wal");
    let bytes = count(&db, "SELECT bytes_written FROM godb_wal");
    db.put(b"key", b"other").unwrap();
    assert!(count(&db, "SELECT flushes FROM godb_wal") > flushes);
    assert!(count(&db, "SELECT bytes_written FROM godb_wal") >= bytes + 4096);
    let in_order = "SELECT count(*) FROM godb_wal WHERE checkpoint_lsn <= durable_lsn \
                    AND durable_lsn <= written_lsn AND written_lsn <= logged_lsn + 4096 AND allocated > 0";
    assert_eq!(count(&db, in_order), 1);
    db.checkpoint().unwrap();
    assert!(count(&db, "SELECT since_checkpoint FROM godb_wal") < 65536);
    let pool = "SELECT count(*) FROM godb_buffer_pool WHERE policy = 's3-fifo' AND page_size = 8192 \
                AND frames > 0 AND dirty <= frames AND hits > 0 AND hit_rate > 0 AND hit_rate <= 1 AND pages_written > 0";
    assert_eq!(count(&db, pool), 1);
}
