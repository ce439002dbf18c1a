//! Bad input: each a clear error, nothing lost, no panic.

use godb::{Config, Database, params};
use std::path::{Path, PathBuf};

fn state(result: godb::Result<u64>) -> &'static str {
    result.expect_err("this must fail").sqlstate()
}

#[test]
fn statements_that_make_no_sense() {
    let db = Database::in_memory().unwrap();
    db.execute(
        "CREATE TABLE t (a int PRIMARY KEY, b text NOT NULL, c int CHECK (c > 0))",
        params![],
    )
    .unwrap();
    db.execute("INSERT INTO t VALUES (1, 'one', 1)", params![])
        .unwrap();
    assert_eq!(state(db.execute("SELECT * FROM nowhere", params![])), "42P01");
    assert_eq!(state(db.execute("SELECT d FROM t", params![])), "42703");
    assert_eq!(
        state(db.execute("INSERT INTO t VALUES ('x', 'two', 1)", params![])),
        "22P02"
    );
    assert_eq!(
        state(db.execute("INSERT INTO t VALUES (1, 'again', 1)", params![])),
        "23505"
    );
    assert_eq!(
        state(db.execute("INSERT INTO t VALUES (2, NULL, 1)", params![])),
        "23502"
    );
    assert_eq!(
        state(db.execute("INSERT INTO t VALUES (2, 'two', 0)", params![])),
        "23514"
    );
    assert_eq!(state(db.execute("SELECT 2147483647 + 1", params![])), "22003");
    assert_eq!(state(db.execute("SELECT 1 / 0", params![])), "22012");
    assert_eq!(state(db.execute("SELECT FROM WHERE", params![])), "42601");
    assert_eq!(state(db.execute("SELECT true + 1", params![])), "42883");
    assert_eq!(db.query("SELECT * FROM t", params![]).unwrap().count(), 1);
}

#[test]
fn a_bad_line_is_named_and_the_whole_copy_undone() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("bad.csv");
    std::fs::write(&file, "a,b\n1,2\n3,4\nfive,6\n").unwrap();
    let db = Database::in_memory().unwrap();
    db.execute("CREATE TABLE t (a int, b int)", params![]).unwrap();
    let copy = format!("COPY t FROM '{}' WITH (FORMAT csv, HEADER true)", file.display());
    let error = db.execute(&copy, params![]).unwrap_err();
    assert_eq!(error.sqlstate(), "22P02");
    let context = error.context().unwrap();
    assert!(
        context.contains("line 4") && context.contains("column a"),
        "{context}"
    );
    assert_eq!(db.query("SELECT * FROM t", params![]).unwrap().count(), 0);
}

/// A database of some pages, closed, in a folder of its own.
fn closed_database(folder: &Path) -> PathBuf {
    let file = folder.join("some.godb");
    let db = Database::open(&file).unwrap();
    let mut tx = db.begin().unwrap();
    for n in 0..2000_u32 {
        tx.put(&n.to_be_bytes(), &[7; 100]).unwrap();
    }
    tx.commit().unwrap();
    db.close().unwrap();
    file
}

/// Reads everything; an error is fine, a wrong answer is not.
fn read_all(file: &Path) -> godb::Result<()> {
    let db = Database::open(file)?;
    let findings = db.check()?;
    let tx = db.begin()?;
    let mut n = 0_u32;
    for pair in tx.range(..)? {
        let (key, value) = pair?;
        assert_eq!(
            (key.as_slice(), value.as_slice()),
            (n.to_be_bytes().as_slice(), [7; 100].as_slice())
        );
        n += 1;
    }
    assert_eq!(
        n, 2000,
        "rows are missing without an error; findings: {findings:?}"
    );
    Ok(())
}

#[test]
fn other_files_are_not_databases() {
    let folder = tempfile::tempdir().unwrap();
    for (name, bytes) in [
        ("text", b"hello, I am a letter\n".repeat(500)),
        ("zeros", vec![0; 65536]),
        ("short", vec![1; 3]),
    ] {
        let file = folder.path().join(name);
        std::fs::write(&file, &bytes).unwrap();
        let error = Database::open(&file).err().expect("not a database");
        assert!(error.to_string().contains(name), "{error}");
        assert_eq!(std::fs::read(&file).unwrap(), bytes, "it was left alone");
    }
}

#[test]
fn a_truncated_file_is_never_a_shorter_database() {
    let folder = tempfile::tempdir().unwrap();
    let file = closed_database(folder.path());
    let whole = std::fs::read(&file).unwrap();
    for keep in [
        whole.len() - 1,
        whole.len() - 8192,
        whole.len() / 2,
        8192 * 3,
        8192,
        100,
    ] {
        std::fs::write(&file, &whole[..keep]).unwrap();
        assert!(
            read_all(&file).is_err(),
            "{keep} bytes of {} were accepted",
            whole.len()
        );
        std::fs::remove_dir_all(folder.path().join("some.godb-wal")).ok();
    }
    std::fs::write(&file, &whole).unwrap();
    read_all(&file).unwrap();
}

#[test]
fn a_flipped_bit_is_found_or_harmless() {
    let folder = tempfile::tempdir().unwrap();
    let file = closed_database(folder.path());
    let whole = std::fs::read(&file).unwrap();
    for at in (0..whole.len()).step_by(whole.len() / 40) {
        let mut damaged = whole.clone();
        damaged[at] ^= 1 << (at % 8);
        std::fs::write(&file, &damaged).unwrap();
        std::fs::remove_dir_all(folder.path().join("some.godb-wal")).ok();
        // In a free page, or in one of two copies of the header, a flip may go unnoticed; `read_all` sees to it that answers are right.
        read_all(&file).ok();
    }
}

#[test]
fn a_database_in_use_says_so() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("used.godb");
    let db = Database::open(&file).unwrap();
    let error = Database::open(&file).err().expect("one opener at a time");
    assert_eq!(error.sqlstate(), "55006", "{error}");
    db.close().unwrap();
    Database::open(&file).unwrap();
}

#[test]
fn a_dirty_file_without_its_log_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let (file, copy) = (folder.path().join("a.godb"), folder.path().join("b.godb"));
    let db = Database::open(&file).unwrap();
    db.put(b"a", b"1").unwrap();
    db.checkpoint().unwrap();
    std::fs::copy(&file, &copy).unwrap();
    let error = Database::open(&copy).err().expect("its log is missing");
    assert!(error.to_string().contains("log"), "{error}");

    std::fs::create_dir(folder.path().join("c.godb-wal")).unwrap();
    let foreign = Database::open(folder.path().join("d.godb")).unwrap();
    foreign.put(b"x", b"y").unwrap();
    for entry in std::fs::read_dir(folder.path().join("d.godb-wal")).unwrap() {
        let entry = entry.unwrap();
        std::fs::copy(
            entry.path(),
            folder.path().join("c.godb-wal").join(entry.file_name()),
        )
        .unwrap();
    }
    std::fs::copy(&copy, folder.path().join("c.godb")).unwrap();
    let error = Database::open(folder.path().join("c.godb"))
        .err()
        .expect("that log belongs to another database");
    assert!(error.to_string().contains("another database"), "{error}");
    assert!(
        folder.path().join("c.godb-wal/control").exists(),
        "a foreign log is not deleted"
    );
}

#[test]
fn growth_beyond_the_limit_is_a_full_disk() {
    let config = Config {
        max_file_size: Some(1 << 20),
        ..Config::default()
    };
    let db = Database::in_memory_with(config).unwrap();
    db.put(b"first", b"1").unwrap();
    let error = fill(&db).expect_err("a MiB is not endless");
    assert_eq!(error.sqlstate(), "53100", "{error}");
    assert_eq!(db.get(b"first").unwrap().as_deref(), Some(b"1".as_slice()));
    db.delete(b"first").unwrap();
    assert_eq!(db.check().unwrap(), Vec::<String>::new());
}

fn fill(db: &Database) -> godb::Result<()> {
    for n in 0..1000_u32 {
        db.put(&n.to_be_bytes(), &[1; 3000])?;
    }
    Ok(())
}

#[test]
fn an_old_header_beside_a_log_with_commits_loses_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let (file, copy) = (folder.path().join("now.godb"), folder.path().join("old.godb"));
    let db = Database::open(&file).unwrap();
    db.put(b"before", b"1").unwrap();
    db.close().unwrap();
    std::fs::copy(&file, &copy).unwrap();
    let db = Database::open(&file).unwrap();
    db.put(b"after", b"2").unwrap();
    // The log as a crash would leave it; none of the file's own writes since the close has arrived.
    let (wal, to) = (
        folder.path().join("now.godb-wal"),
        folder.path().join("old.godb-wal"),
    );
    std::fs::create_dir(&to).unwrap();
    for entry in std::fs::read_dir(&wal).unwrap() {
        let entry = entry.unwrap();
        std::fs::copy(entry.path(), to.join(entry.file_name())).unwrap();
    }
    db.close().unwrap();
    let db = Database::open(&copy).unwrap();
    assert_eq!(db.get(b"before").unwrap().unwrap(), b"1");
    assert_eq!(db.get(b"after").unwrap().unwrap(), b"2");
    assert_eq!(db.check().unwrap(), Vec::<String>::new());
}
