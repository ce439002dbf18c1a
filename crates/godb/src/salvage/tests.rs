//! Salvage gives back what is there, and only that.

use super::SalvageReport;
use crate::config::Config;
use crate::database::Database;
use godb_page::{Environment, FileSystem, MemoryFileSystem, OpenMode};
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

const PAGE: usize = 4096;

type Files = Arc<dyn FileSystem>;

/// Rows of both tables and the pairs, as text.
type Contents = BTreeMap<String, String>;

fn config() -> Config {
    Config {
        page_size: PAGE,
        buffer_pool_size: 64 * PAGE,
        background_threads: false,
        ..Config::default()
    }
}

fn open(files: &Files, name: &str) -> Database {
    Database::open_on(
        files.clone(),
        &Environment::simulated(1),
        Path::new(name),
        config(),
    )
    .unwrap()
}

fn filled() -> (Files, Database) {
    let files: Files = Arc::new(MemoryFileSystem::default());
    let db = open(&files, "a");
    for sql in [
        "CREATE TABLE t (id int PRIMARY KEY, v text, n int)",
        "CREATE INDEX t_v ON t (v)",
        "CREATE UNIQUE INDEX t_n ON t (n)",
        "CREATE TABLE u (a int, b text)",
        "CREATE VIEW few AS SELECT id FROM t WHERE id < 10",
        "INSERT INTO t SELECT n, 'row ' || n || repeat('y', 50), n FROM generate_series(1, 700) n",
        "INSERT INTO u SELECT n, repeat('long', 3000) FROM generate_series(1, 5) n",
        "ALTER TABLE t ADD COLUMN late int DEFAULT 5",
        "UPDATE t SET v = 'changed' WHERE id % 50 = 0",
        "DELETE FROM t WHERE id % 7 = 3",
    ] {
        db.execute(sql, &[]).unwrap();
    }
    (0..60_u8).for_each(|n| db.put(&[n], &vec![n; 60 * usize::from(n)]).unwrap());
    (files, db)
}

fn contents(db: &Database) -> Contents {
    let mut all = Contents::new();
    for (table, columns) in [("t", "id, v, n, late"), ("u", "a, b")] {
        let sql = format!("SELECT {columns} FROM {table}");
        let Ok(rows) = db.query(&sql, &[]) else { continue };
        for row in rows {
            let row = row.unwrap();
            let texts: Vec<_> = (0..row.columns().len()).map(|at| row.text(at)).collect();
            all.insert(format!("{table} {:?}", texts[0]), format!("{texts:?}"));
        }
    }
    for n in 0..60_u8 {
        if let Some(value) = db.get(&[n]).unwrap() {
            all.insert(format!("pair {n}"), format!("{value:?}"));
        }
    }
    all
}

fn salvage(files: &Files) -> (SalvageReport, Database) {
    let environment = Environment::simulated(2);
    let report =
        Database::salvage_on(files, &environment, Path::new("a"), Path::new("b"), &config()).unwrap();
    let db = open(files, "b");
    assert_eq!(db.check().unwrap(), Vec::<String>::new());
    (report, db)
}

/// The files as they are, in another file system.
fn copy(files: &Files) -> Files {
    let copied: Files = Arc::new(MemoryFileSystem::default());
    copied.create_dir("a-wal").unwrap();
    let mut names = vec!["a".to_owned()];
    names.extend(
        files
            .list("a-wal")
            .unwrap_or_default()
            .iter()
            .map(|name| format!("a-wal/{name}")),
    );
    for name in names {
        let from = files.open(&name, OpenMode::ReadOnly).unwrap();
        let mut bytes = vec![0; usize::try_from(from.len().unwrap()).unwrap()];
        from.read_at(0, &mut bytes).unwrap();
        copied
            .open(&name, OpenMode::Create)
            .unwrap()
            .write_at(0, &bytes)
            .unwrap();
    }
    copied
}

fn overwrite(files: &Files, name: &str, at: usize, bytes: &[u8]) {
    files
        .open(name, OpenMode::Existing)
        .unwrap()
        .write_at(at as u64, bytes)
        .unwrap();
}

#[test]
fn a_sound_file_is_copied_whole() {
    let (files, db) = filled();
    let all = contents(&db);
    db.close().unwrap();
    let (report, db) = salvage(&files);
    assert!(report.is_complete(), "{report}");
    assert_eq!((report.pairs, report.views, report.tables.len()), (60, 1, 2));
    assert_eq!(contents(&db), all);
    assert_eq!(
        db.query("SELECT count(*) FROM few", &[])
            .unwrap()
            .next()
            .unwrap()
            .unwrap()
            .get::<i64>(0)
            .unwrap(),
        8
    );
    let found = db
        .query("SELECT id FROM t WHERE v = 'changed' ORDER BY id", &[])
        .unwrap();
    assert_eq!(found.count(), 12, "indexes are built anew");
    db.execute("INSERT INTO t VALUES (10000, 'new', 10000)", &[])
        .unwrap();
    db.execute("INSERT INTO u VALUES (6, 'new')", &[]).unwrap();
    assert_eq!(contents(&db).len(), all.len() + 2);
    db.execute("CREATE TABLE w (a int)", &[]).unwrap();
    let again = Database::salvage_on(
        &files,
        &Environment::simulated(2),
        Path::new("a"),
        Path::new("b"),
        &config(),
    );
    assert!(again.is_err(), "it overwrites nothing");
}

#[test]
fn what_is_only_in_the_log_is_there_and_what_did_not_commit_is_not() {
    let (files, db) = filled();
    db.checkpoint().unwrap();
    db.execute(
        "UPDATE t SET v = 'after the checkpoint' WHERE id BETWEEN 100 AND 200",
        &[],
    )
    .unwrap();
    let all = contents(&db);
    let mut open_still = db.session().unwrap();
    for sql in [
        "BEGIN",
        "UPDATE t SET v = 'never' WHERE id BETWEEN 150 AND 300",
        "DELETE FROM t WHERE id < 20",
        "INSERT INTO t VALUES (20000, 'never', 20000)",
        "INSERT INTO u VALUES (7, repeat('never', 2000))",
    ] {
        open_still.run(sql, &[]).unwrap();
    }
    // Makes durable what was logged so far, the open transaction's work included; and brings its pages into the file.
    db.put(b"other", b"commit").unwrap();
    db.checkpoint().unwrap();
    db.execute("DELETE FROM u WHERE a = 5", &[]).unwrap();
    let copied = copy(&files);
    let (report, saved) = salvage(&copied);
    let mut expected = all;
    expected.remove("u Some(\"5\")");
    assert_eq!(contents(&saved), expected, "{report}");
    assert!(report.taken_back > 100 && report.is_complete(), "{report}");
}

#[test]
fn without_header_maps_and_inner_pages_every_leaf_is_found() {
    let (files, db) = filled();
    let all = contents(&db);
    db.close().unwrap();
    overwrite(&files, "a", 0, &[0xAA; 3 * PAGE]);
    overwrite(&files, "a", 4 * PAGE, &[0xAA; PAGE]);
    let file = files.open("a", OpenMode::Existing).unwrap();
    let pages = usize::try_from(file.len().unwrap()).unwrap() / PAGE;
    let mut inner = 0;
    for page in 5..pages {
        let mut bytes = vec![0; PAGE];
        file.read_at((page * PAGE) as u64, &mut bytes).unwrap();
        if bytes[36] == 5 {
            inner += 1;
            overwrite(&files, "a", page * PAGE + 1000, b"rot");
        }
    }
    assert!(inner >= 3, "{inner}");
    let (report, db) = salvage(&files);
    assert_eq!(contents(&db), all, "{report}");
    assert_eq!(report.damaged_pages.len(), inner + 2, "{report}");
}

#[test]
fn without_a_catalog_the_rows_are_in_tables_of_keys_and_values() {
    let (files, db) = filled();
    db.close().unwrap();
    let file = files.open("a", OpenMode::Existing).unwrap();
    for page in 5..file.len().unwrap() / PAGE as u64 {
        let mut bytes = vec![0; PAGE];
        file.read_at(page * PAGE as u64, &mut bytes).unwrap();
        if bytes[32] == 2 {
            file.write_at(page * PAGE as u64 + 1000, b"rot").unwrap();
        }
    }
    let (report, db) = salvage(&files);
    assert!(report.tables.is_empty() && report.unnamed.len() >= 3, "{report}");
    let rows: u64 = report.unnamed.iter().map(|salvaged| salvaged.rows).sum();
    assert!(rows >= 700, "{report}");
    let sql = format!("SELECT count(*) FROM {}", report.unnamed[0].table);
    let count: i64 = db
        .query(&sql, &[])
        .unwrap()
        .next()
        .unwrap()
        .unwrap()
        .get(0)
        .unwrap();
    assert_eq!(u64::try_from(count).unwrap(), report.unnamed[0].rows);
}
