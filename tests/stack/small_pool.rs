//! The whole stack in sixteen frames of four KiB: what does not fit in memory must still be right.

use godb::{Config, Database, EvictionKind, params};

const FRAMES: usize = 16;
const PAGE: usize = 4096;

fn tiny() -> Config {
    Config {
        page_size: PAGE,
        buffer_pool_size: FRAMES * PAGE,
        ..Config::default()
    }
}

/// The same with every eviction policy.
fn tiny_with_each() -> impl Iterator<Item = Config> {
    EvictionKind::ALL
        .into_iter()
        .map(|eviction| Config { eviction, ..tiny() })
}

/// Ten times what the pool holds.
const ROWS: u32 = 10 * 16 * 4096 / 120;

fn fill(tx: &mut godb::Transaction, byte: u8) {
    for n in 0..ROWS {
        tx.put(&n.to_be_bytes(), &[byte; 100]).unwrap();
    }
}

fn assert_all(db: &Database, byte: u8) {
    let tx = db.begin().unwrap();
    let mut n = 0_u32;
    for pair in tx.range(..).unwrap() {
        let (key, value) = pair.unwrap();
        assert_eq!(
            (key.as_slice(), value.as_slice()),
            (n.to_be_bytes().as_slice(), [byte; 100].as_slice())
        );
        n += 1;
    }
    assert_eq!(n, ROWS);
}

#[test]
fn a_transaction_of_ten_pools_commits_and_rolls_back() {
    tiny_with_each().for_each(commit_and_roll_back);
}

fn commit_and_roll_back(config: Config) {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("tiny.godb");
    let db = Database::open_with(&file, config.clone()).unwrap();
    let mut tx = db.begin().unwrap();
    fill(&mut tx, 1);
    tx.commit().unwrap();
    assert_all(&db, 1);
    let mut tx = db.begin().unwrap();
    fill(&mut tx, 2);
    tx.roll_back().unwrap();
    assert_all(&db, 1);
    assert_eq!(db.check().unwrap(), Vec::<String>::new());
    db.close().unwrap();
    assert_all(&Database::open_with(&file, config).unwrap(), 1);
}

#[test]
fn a_rollback_that_cannot_read_is_finished_by_the_next_writer() {
    use godb_page::{Effect, Injection, Operations, SimulatedDisk};
    let disk = SimulatedDisk::new();
    let config = Config {
        background_threads: false,
        ..tiny()
    };
    let files = std::sync::Arc::new(disk.clone());
    let environment = godb::Environment::simulated(1);
    let path = std::path::Path::new("tiny.godb");
    let db = Database::open_on(files, &environment, path, config).unwrap();
    let mut tx = db.begin().unwrap();
    fill(&mut tx, 1);
    tx.commit().unwrap();
    let mut tx = db.begin().unwrap();
    fill(&mut tx, 2);
    disk.inject(Injection::lasting(Operations::READ, 1, Effect::IoError));
    assert!(tx.roll_back().is_err());
    disk.heal();
    db.put(b"another", b"1").unwrap();
    db.delete(b"another").unwrap();
    assert_all(&db, 1);
    assert_eq!(db.check().unwrap(), Vec::<String>::new());
}

#[test]
fn many_threads_share_sixteen_frames() {
    tiny_with_each().for_each(share_sixteen_frames);
}

fn share_sixteen_frames(config: Config) {
    let db = Database::in_memory_with(config).unwrap();
    let threads: Vec<_> = (0..8_u32)
        .map(|thread| {
            let db = db.clone();
            std::thread::spawn(move || {
                for n in 0..150_u32 {
                    db.put(&(n * 8 + thread).to_be_bytes(), &[1; 300]).unwrap();
                    db.get(&(n * 4).to_be_bytes()).unwrap();
                }
            })
        })
        .collect();
    threads.into_iter().for_each(|thread| thread.join().unwrap());
    assert_eq!(db.begin().unwrap().range(..).unwrap().count(), 1200);
    assert_eq!(db.check().unwrap(), Vec::<String>::new());
}

#[test]
fn sql_runs_in_sixteen_frames() {
    tiny_with_each().for_each(run_sql);
}

fn run_sql(config: Config) {
    let db = Database::in_memory_with(config).unwrap();
    db.execute("CREATE TABLE t (a int PRIMARY KEY, b int, c text)", params![])
        .unwrap();
    db.execute("CREATE INDEX t_b ON t (b)", params![]).unwrap();
    db.execute("INSERT INTO t SELECT n, n % 100, 'a text of some length for row' FROM generate_series(1, 5000) AS g(n)", params![])
        .unwrap();
    db.execute("UPDATE t SET b = b + 1 WHERE a % 3 = 0", params![])
        .unwrap();
    db.execute("DELETE FROM t WHERE a % 5 = 0", params![]).unwrap();
    let one = |sql: &str| -> i64 {
        db.query(sql, params![])
            .unwrap()
            .next()
            .unwrap()
            .unwrap()
            .get(0)
            .unwrap()
    };
    assert_eq!(one("SELECT count(*) FROM t"), 4000);
    assert_eq!(
        one("SELECT count(*) FROM t WHERE b = 7"),
        one("SELECT count(*) FROM t WHERE b + 0 = 7")
    );
    assert_eq!(one("SELECT count(*) FROM t x JOIN t y ON x.a = y.a + 1"), 3000);
    assert_eq!(db.check().unwrap(), Vec::<String>::new());
}
