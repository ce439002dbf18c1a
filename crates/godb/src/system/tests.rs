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
