//! What can be repaired is, what cannot be is refused, and nobody's file is touched unasked.

use super::{RepairReport, RepairTo};
use crate::config::Config;
use crate::database::Database;
use crate::error::Result;
use godb_page::{Environment, FileSystem, MemoryFileSystem, OpenMode, PageId, page::header};
use std::path::Path;
use std::sync::Arc;

const PAGE: usize = 4096;

type Files = Arc<dyn FileSystem>;

/// Chooses pages.
type Pages = Box<dyn Fn(&Files) -> Vec<usize>>;

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

/// A closed database with a table of several levels, an index, and pairs.
fn closed() -> Files {
    let files: Files = Arc::new(MemoryFileSystem::default());
    let db = open(&files, "a");
    for sql in [
        "CREATE TABLE t (id int PRIMARY KEY, v text)",
        "CREATE INDEX t_v ON t (v)",
        "INSERT INTO t SELECT n, 'row ' || n || repeat('y', 60) FROM generate_series(1, 800) n",
    ] {
        db.execute(sql, &[]).unwrap();
    }
    db.put(b"long", &[7; 30_000]).unwrap();
    db.close().unwrap();
    files
}

fn bytes(files: &Files, name: &str) -> Vec<u8> {
    let file = files.open(name, OpenMode::ReadOnly).unwrap();
    let mut bytes = vec![0; usize::try_from(file.len().unwrap()).unwrap()];
    file.read_at(0, &mut bytes).unwrap();
    bytes
}

fn overwrite(files: &Files, at: usize, bytes: &[u8]) {
    files
        .open("a", OpenMode::Existing)
        .unwrap()
        .write_at(at as u64, bytes)
        .unwrap();
}

fn tree_of(page: &[u8]) -> u32 {
    header::tree_id(page).raw()
}

/// The pages of a kind that belong to the tree that holds these bytes in a leaf.
fn pages_of(files: &Files, kind: u8, wanted: &[u8]) -> Vec<usize> {
    let all = bytes(files, "a");
    let pages: Vec<&[u8]> = all.chunks(PAGE).collect();
    let holds = |page: &&&[u8]| page[36] == 4 && page.windows(wanted.len()).any(|window| window == wanted);
    let tree = tree_of(pages.iter().find(holds).unwrap());
    (0..pages.len())
        .filter(|at| pages[*at][36] == kind && tree_of(pages[*at]) == tree)
        .collect()
}

fn repair(files: &Files, to: &RepairTo) -> Result<RepairReport> {
    Database::repair_on(files, &Environment::simulated(3), Path::new("a"), to, &config())
}

fn to_copy() -> RepairTo {
    RepairTo::Copy("b".into())
}

fn is_whole(files: &Files, name: &str) {
    let db = open(files, name);
    assert_eq!(db.check().unwrap(), Vec::<String>::new());
    let sql = "SELECT count(*), count(DISTINCT v) FROM t";
    let row = db.query(sql, &[]).unwrap().next().unwrap().unwrap();
    assert_eq!(
        (row.get::<i64>(0).unwrap(), row.get::<i64>(1).unwrap()),
        (800, 800)
    );
    let found = db
        .query("SELECT id FROM t WHERE v = 'row 77' || repeat('y', 60)", &[])
        .unwrap();
    assert_eq!(found.count(), 1);
    assert_eq!(db.get(b"long").unwrap(), Some(vec![7; 30_000]));
    db.close().unwrap();
}

#[test]
fn a_sound_file_needs_no_repair() {
    let files = closed();
    let report = repair(&files, &to_copy()).unwrap();
    assert!(report.done.is_empty() && report.before.is_sound());
    assert!(!files.exists("b").unwrap());
}

#[test]
fn a_copy_of_the_header_is_written_again() {
    for copy in 0..2 {
        let files = closed();
        overwrite(&files, copy * PAGE + 500, b"rot");
        let before = bytes(&files, "a");
        let report = repair(&files, &to_copy()).unwrap();
        assert_eq!(
            (report.before.findings.len(), report.after.findings.len()),
            (1, 0),
            "{report:?}"
        );
        assert!(report.done[0].contains("header"), "{:?}", report.done);
        is_whole(&files, "b");
        assert_eq!(bytes(&files, "a"), before);
    }
}

#[test]
fn structure_is_rebuilt_from_the_rows() {
    let rows = b"row 77yyy";
    let inner = |files: &Files| pages_of(files, 5, rows);
    let damages: Vec<(&str, Pages)> = vec![
        ("the counters", Box::new(|_| vec![2])),
        ("the free map", Box::new(|_| vec![4])),
        ("a root", Box::new(move |files| inner(files)[..1].to_vec())),
        ("counters and map", Box::new(|_| vec![2, 4])),
        (
            "counters and root",
            Box::new(move |files| vec![2, inner(files)[0]]),
        ),
    ];
    for (what, pages) in damages {
        let files = closed();
        for page in pages(&files) {
            overwrite(&files, page * PAGE + 700, b"rot");
        }
        let before = bytes(&files, "a");
        let report = repair(&files, &to_copy()).unwrap_or_else(|error| panic!("{what}: {error}"));
        assert!(
            !report.before.is_sound() && report.after.is_sound(),
            "{what}: {report:?}"
        );
        is_whole(&files, "b");
        assert_eq!(bytes(&files, "a"), before, "{what}");
    }
}

/// The leaves of the index: leaves with the rows' texts that are not the table's.
fn index_leaves(files: &Files) -> Vec<usize> {
    let all = bytes(files, "a");
    let table = pages_of(files, 4, b"row 1yyy");
    let text = |page: &[u8]| page.windows(6).any(|window| window == b"yyyyyy");
    let leaves = all
        .chunks(PAGE)
        .enumerate()
        .filter(|(at, page)| page[36] == 4 && text(page) && !table.contains(at));
    leaves.map(|(at, _)| at).collect()
}

#[test]
fn an_index_is_built_again_from_its_table() {
    let files = closed();
    let leaves = index_leaves(&files);
    let index = match leaves.is_empty() {
        false => leaves,
        true => pages_of(&files, 4, b"row 77yyy"),
    };
    overwrite(&files, index[1] * PAGE + 700, b"rot");
    let report = repair(&files, &to_copy());
    let report = report.unwrap();
    assert!(
        report.before.findings[0].to_string().contains("index \"t_v\""),
        "{report:?}"
    );
    is_whole(&files, "b");
}

#[test]
fn lost_rows_are_refused_and_nothing_is_left_behind() {
    let files = closed();
    let leaf = pages_of(&files, 4, b"row 1yyy")[3];
    let root = pages_of(&files, 5, b"row 1yyy")[0];
    // A leaf; the directory; the free map and a root, after which nobody knows whether there were more leaves.
    for places in [vec![leaf], vec![3], vec![4, root]] {
        let files = closed();
        for page in places {
            overwrite(&files, page * PAGE + 200, b"rot");
        }
        let before = bytes(&files, "a");
        for to in [to_copy(), RepairTo::InPlace] {
            let error = repair(&files, &to).unwrap_err();
            assert_eq!(error.sqlstate(), "XX001");
            assert!(error.to_string().contains("salvage"), "{error}");
        }
        assert_eq!(bytes(&files, "a"), before);
        for name in ["b", "b-wal", "a-repaired", "a-repaired-wal"] {
            assert!(!files.exists(name).unwrap(), "{name}");
        }
    }
}

#[test]
fn a_file_that_was_cut_is_refused() {
    for keep in [12, 20, 30] {
        let files = closed();
        let file = files.open("a", OpenMode::Existing).unwrap();
        assert!(file.len().unwrap() > keep * PAGE as u64);
        file.set_len(keep * PAGE as u64).unwrap();
        assert_eq!(repair(&files, &to_copy()).unwrap_err().sqlstate(), "XX001");
    }
}

#[test]
fn in_place_the_repaired_file_takes_the_name() {
    let files = closed();
    overwrite(&files, 4 * PAGE + 700, b"rot");
    let report = repair(&files, &RepairTo::InPlace).unwrap();
    assert!(!report.done.is_empty());
    is_whole(&files, "a");
    assert!(!files.exists("a-repaired").unwrap());
    let again = repair(&files, &RepairTo::InPlace).unwrap();
    assert!(again.done.is_empty(), "{again:?}");
}

#[test]
fn a_page_that_the_log_tells_is_made_again() {
    let files: Files = Arc::new(MemoryFileSystem::default());
    let db = open(&files, "a");
    for sql in [
        "CREATE TABLE t (id int PRIMARY KEY, v text)",
        "CREATE INDEX t_v ON t (v)",
        "INSERT INTO t SELECT n, 'row ' || n || repeat('y', 60) FROM generate_series(1, 800) n",
    ] {
        db.execute(sql, &[]).unwrap();
    }
    db.put(b"long", &[7; 30_000]).unwrap();
    while db.step().unwrap() {}
    std::mem::forget(db);
    let killed: Files = Arc::new(MemoryFileSystem::default());
    killed.create_dir("a-wal").unwrap();
    let logs = files.list("a-wal").unwrap();
    for name in logs
        .iter()
        .map(|name| format!("a-wal/{name}"))
        .chain(["a".to_owned()])
    {
        let copy = killed.open(&name, OpenMode::Create).unwrap();
        copy.write_at(0, &bytes(&files, &name)).unwrap();
    }
    let file = killed.open("a", OpenMode::Existing).unwrap();
    let pages = u32::try_from(file.len().unwrap() / PAGE as u64).unwrap();
    for page in (2..pages).map(PageId::from_raw) {
        file.write_at(u64::from(page.raw()) * PAGE as u64 + 300, b"rot")
            .unwrap();
    }
    // One thing that recovery by itself does not mend for good, so that there is something to repair.
    overwrite(&killed, PAGE + 300, b"rot");
    let report = repair(&killed, &to_copy()).unwrap();
    assert!(report.done.iter().any(|done| done.contains("log")), "{report:?}");
    is_whole(&killed, "b");
}
