//! What the checks find, and that they change nothing; the scrubber; opening for reading only.

use super::{CheckReport, Wrong};
use crate::config::Config;
use crate::database::Database;
use godb_page::{Environment, Fault, File, FileLock, FileSystem, ManualClock, MemoryFileSystem, OpenMode};
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

const NAME: &str = "a.godb";
const PAGE: usize = 4096;

fn config() -> Config {
    Config {
        page_size: PAGE,
        buffer_pool_size: 64 * PAGE,
        background_threads: false,
        ..Config::default()
    }
}

fn open(files: &Arc<dyn FileSystem>, config: Config) -> Database {
    Database::open_on(files.clone(), &Environment::simulated(1), Path::new(NAME), config).unwrap()
}

fn check(files: &Arc<dyn FileSystem>) -> CheckReport {
    Database::check_file_on(files, &Environment::simulated(1), Path::new(NAME), &config()).unwrap()
}

/// A database with two tables, an index and pairs.
fn filled() -> (Arc<dyn FileSystem>, Database) {
    let files: Arc<dyn FileSystem> = Arc::new(MemoryFileSystem::default());
    let db = open(&files, config());
    db.execute("CREATE TABLE people (id int PRIMARY KEY, name text)", &[])
        .unwrap();
    db.execute("CREATE INDEX people_name ON people (name)", &[])
        .unwrap();
    db.execute("CREATE TABLE things (id int PRIMARY KEY, what text)", &[])
        .unwrap();
    for table in ["people", "things"] {
        let sql = format!(
            "INSERT INTO {table} SELECT n, 'text number ' || n || repeat('x', 40) FROM generate_series(1, 600) n"
        );
        db.execute(&sql, &[]).unwrap();
    }
    db.put(b"a pair", &[7; 20_000]).unwrap();
    (files, db)
}

fn closed() -> Arc<dyn FileSystem> {
    let (files, db) = filled();
    db.close().unwrap();
    files
}

fn bytes(files: &Arc<dyn FileSystem>, name: &str) -> Vec<u8> {
    let file = files.open(name, OpenMode::ReadOnly).unwrap();
    let mut bytes = vec![0; usize::try_from(file.len().unwrap()).unwrap()];
    file.read_at(0, &mut bytes).unwrap();
    bytes
}

/// Every file, with its bytes.
fn everything(files: &Arc<dyn FileSystem>) -> BTreeMap<String, Vec<u8>> {
    let mut all = BTreeMap::from([(NAME.to_owned(), bytes(files, NAME))]);
    let dir = format!("{NAME}-wal");
    for name in files.list(&dir).unwrap_or_default() {
        let name = format!("{dir}/{name}");
        all.insert(name.clone(), bytes(files, &name));
    }
    all
}

fn write(files: &Arc<dyn FileSystem>, name: &str, at: usize, from: &[u8]) {
    let file = files.open(name, OpenMode::Existing).unwrap();
    file.write_at(at as u64, from).unwrap();
}

/// The page that holds these bytes first.
fn page_with(files: &Arc<dyn FileSystem>, wanted: &[u8]) -> usize {
    let all = bytes(files, NAME);
    all.windows(wanted.len())
        .position(|window| window == wanted)
        .unwrap()
        / PAGE
}

#[test]
fn a_sound_file_has_no_findings_and_stays_as_it_is() {
    let files = closed();
    let before = everything(&files);
    let report = check(&files);
    assert!(report.is_sound(), "{:?}", report.findings);
    assert_eq!((report.tables, report.rows, report.entries), (2, 1200, 600));
    assert!(report.pages > 40 && report.trees >= 6, "{report:?}");
    assert_eq!(everything(&files), before);
}

#[test]
fn a_file_that_was_not_closed_is_checked_as_recovery_would_leave_it() {
    let (files, db) = filled();
    std::mem::forget(db);
    let copied: Arc<dyn FileSystem> = Arc::new(MemoryFileSystem::default());
    copied.create_dir(&format!("{NAME}-wal")).unwrap();
    for (name, bytes) in everything(&files) {
        copied
            .open(&name, OpenMode::Create)
            .unwrap()
            .write_at(0, &bytes)
            .unwrap();
    }
    let before = everything(&copied);
    let report = check(&copied);
    assert!(report.is_sound(), "{:?}", report.findings);
    assert_eq!(report.rows, 1200);
    assert!(report.log_bytes > 0);
    assert_eq!(everything(&copied), before);
    // A slot of the control file, which opening would silently write again.
    write(&copied, &format!("{NAME}-wal/control"), 4096 + 40, b"x");
    let report = check(&copied);
    assert_eq!(report.findings.len(), 1, "{:?}", report.findings);
    assert_eq!(report.findings[0].wrong, Wrong::Log);
}

#[test]
fn every_damage_is_named_by_page_and_table() {
    let files = closed();
    let things = page_with(&files, b"text number 33x");
    let all = bytes(&files, NAME);
    let last = all
        .windows(15)
        .rposition(|window| window == b"text number 33x")
        .unwrap()
        / PAGE;
    assert_ne!(things, last);
    for page in [things, last] {
        write(&files, NAME, page * PAGE + 300, b"rot");
    }
    write(&files, NAME, PAGE + 200, b"rot");
    let before = everything(&files);
    let report = check(&files);
    let named: Vec<_> = report
        .findings
        .iter()
        .map(|finding| (finding.wrong, finding.page.unwrap() as usize))
        .collect();
    assert_eq!(report.findings[0].wrong, Wrong::Header);
    assert!(
        named.contains(&(Wrong::Page, things)) && named.contains(&(Wrong::Page, last)),
        "{report:?}"
    );
    assert_eq!(named.len(), 3, "{report:?}");
    let parts: Vec<_> = report
        .findings
        .iter()
        .filter_map(|finding| finding.part.as_deref())
        .collect();
    assert!(parts.iter().all(|part| part.contains("table \"")), "{parts:?}");
    assert_eq!(parts.len(), 2);
    assert_eq!(everything(&files), before);
}

#[test]
fn a_file_that_cannot_be_opened_is_looked_at_page_by_page() {
    let files = closed();
    let rows = page_with(&files, b"text number 33x");
    write(&files, NAME, 2 * PAGE + 100, b"rot");
    write(&files, NAME, rows * PAGE + 300, b"rot");
    let report = check(&files);
    let pages: Vec<_> = report
        .findings
        .iter()
        .filter_map(|finding| finding.page)
        .collect();
    assert!(
        pages.contains(&2) && pages.contains(&u32::try_from(rows).unwrap()),
        "{report:?}"
    );
    write(&files, NAME, 0, &[0; 2 * PAGE]);
    let report = check(&files);
    assert_eq!(report.findings[0].wrong, Wrong::Header);
    assert!(report.findings.len() >= 3, "{report:?}");
}

#[test]
fn a_check_runs_beside_writers() {
    let (_files, db) = filled();
    std::thread::scope(|scope| {
        let writers: Vec<_> = (0..2_i64)
            .map(|who| {
                let db = db.clone();
                scope.spawn(move || {
                    for n in 0..150 {
                        let id = 10_000 + who * 1000 + n;
                        let sql = format!("INSERT INTO people VALUES ({id}, 'new {id}')");
                        db.execute(&sql, &[]).unwrap();
                        let sql = format!("DELETE FROM things WHERE id = {}", who * 300 + n);
                        db.execute(&sql, &[]).unwrap();
                    }
                })
            })
            .collect();
        while !writers.iter().all(std::thread::ScopedJoinHandle::is_finished) {
            assert_eq!(db.check().unwrap(), Vec::<String>::new());
        }
    });
    assert!(db.check_report().unwrap().is_sound());
}

#[test]
fn the_scrubber_finds_rot_before_a_reader_does() {
    let files = closed();
    let page = page_with(&files, b"text number 33x");
    write(&files, NAME, page * PAGE + 300, b"rot");
    let clock = Arc::new(ManualClock::default());
    let environment = Environment {
        clock: clock.clone(),
        ..Environment::simulated(1)
    };
    let config = Config {
        scrub_rate: 16 * PAGE as u64,
        ..config()
    };
    let db = Database::open_on(files.clone(), &environment, Path::new(NAME), config).unwrap();
    db.step().unwrap();
    let idle = db.scrub_report();
    assert_eq!((idle.pages, idle.findings.len()), (0, 0), "no time has passed");
    clock.advance(Duration::from_secs(1));
    db.step().unwrap();
    assert_eq!(db.scrub_report().pages, 16, "as many pages as the rate says");
    while db.scrub_report().rounds == 0 {
        clock.advance(Duration::from_secs(1));
        db.step().unwrap();
    }
    let report = db.scrub_report();
    assert_eq!(report.findings.len(), 1, "{report:?}");
    assert_eq!(report.findings[0].page, u32::try_from(page).ok());
    db.scrub_step(1_000_000).unwrap();
    assert_eq!(db.scrub_report().rounds, 2);
    assert_eq!(db.scrub_report().findings.len(), 1, "each is listed once");
}

#[test]
fn the_scrubber_mends_from_memory() {
    let (files, db) = filled();
    db.checkpoint().unwrap();
    let page = page_with(&files, b"text number 600x");
    db.query("SELECT count(*) FROM people WHERE name > ''", &[])
        .unwrap()
        .for_each(drop);
    db.query("SELECT count(*) FROM things WHERE what > ''", &[])
        .unwrap()
        .for_each(drop);
    write(&files, NAME, page * PAGE + 300, b"rot");
    db.scrub_step(u64::MAX).unwrap();
    let report = db.scrub_report();
    assert_eq!((report.findings.len(), report.mended.len()), (0, 1), "{report:?}");
    assert!(db.check_report().unwrap().mended.is_empty());
}

#[test]
fn read_only_databases_read_and_refuse_to_write() {
    let files = closed();
    let before = everything(&files);
    let reading = Config {
        read_only: true,
        ..config()
    };
    let db = open(&files, reading.clone());
    let second = open(&files, reading.clone());
    assert!(db.is_read_only());
    let rows = db.query("SELECT count(*) FROM people", &[]).unwrap();
    let count: Vec<i64> = rows.map(|row| row.unwrap().get(0).unwrap()).collect();
    assert_eq!(count, [600]);
    assert_eq!(db.get(b"a pair").unwrap(), Some(vec![7; 20_000]));
    let refused = [
        db.put(b"b", b"c").unwrap_err(),
        db.execute("INSERT INTO people VALUES (0, '')", &[]).unwrap_err(),
        db.execute("CREATE TABLE more (a int)", &[]).unwrap_err(),
        db.execute("DROP TABLE people", &[]).unwrap_err(),
        db.delete(b"a pair").unwrap_err(),
    ];
    for error in refused {
        assert_eq!(error.sqlstate(), "25006", "{error}");
    }
    assert!(db.check_report().unwrap().is_sound());
    db.close().unwrap();
    second.close().unwrap();
    assert_eq!(everything(&files), before);
    // While somebody writes, nobody else reads; and what was not closed cleanly is not read past its log.
    let writer = open(&files, config());
    let open_again = |config: &Config| {
        Database::open_on(
            files.clone(),
            &Environment::simulated(1),
            Path::new(NAME),
            config.clone(),
        )
    };
    assert_eq!(open_again(&reading).err().unwrap().sqlstate(), "55006");
    writer.put(b"b", b"c").unwrap();
    std::mem::forget(writer);
    let copied: Arc<dyn FileSystem> = Arc::new(MemoryFileSystem::default());
    copied
        .open(NAME, OpenMode::Create)
        .unwrap()
        .write_at(0, &bytes(&files, NAME))
        .unwrap();
    let refused = Database::open_on(copied, &Environment::simulated(1), Path::new(NAME), reading)
        .err()
        .unwrap();
    assert!(refused.to_string().contains("not closed cleanly"), "{refused}");
}

/// Files of which some cannot be written.
struct Refusing {
    below: Arc<dyn FileSystem>,
    /// The database file itself, and not only its directory.
    file_too: bool,
}

fn refusal(name: &str) -> Fault {
    Fault::io("open", name, std::io::ErrorKind::PermissionDenied.into())
}

impl FileSystem for Refusing {
    fn open(&self, name: &str, mode: OpenMode) -> Result<Arc<dyn File>, Fault> {
        let writes = mode != OpenMode::ReadOnly;
        match writes && (self.file_too || !self.below.exists(name)?) {
            true => Err(refusal(name)),
            false => self.below.open(name, mode),
        }
    }

    fn exists(&self, name: &str) -> Result<bool, Fault> {
        self.below.exists(name)
    }

    fn list(&self, dir: &str) -> Result<Vec<String>, Fault> {
        self.below.list(dir)
    }

    fn create_dir(&self, dir: &str) -> Result<(), Fault> {
        Err(refusal(dir))
    }

    fn remove_dir(&self, dir: &str) -> Result<(), Fault> {
        Err(refusal(dir))
    }

    fn rename(&self, from: &str, _to: &str) -> Result<(), Fault> {
        Err(refusal(from))
    }

    fn unlink(&self, name: &str) -> Result<(), Fault> {
        Err(refusal(name))
    }

    fn sync_dir(&self, _dir: &str) -> Result<(), Fault> {
        Ok(())
    }

    fn lock(&self, name: &str) -> Result<FileLock, Fault> {
        self.below.lock(name)
    }

    fn lock_shared(&self, name: &str) -> Result<FileLock, Fault> {
        self.below.lock_shared(name)
    }
}

#[test]
fn a_medium_that_takes_no_writes_is_read_by_itself() {
    for file_too in [true, false] {
        let below = closed();
        let before = everything(&below);
        let files: Arc<dyn FileSystem> = Arc::new(Refusing {
            below: below.clone(),
            file_too,
        });
        let db = open(&files, config());
        assert!(db.is_read_only());
        assert_eq!(db.get(b"a pair").unwrap(), Some(vec![7; 20_000]));
        assert_eq!(db.put(b"b", b"c").unwrap_err().sqlstate(), "25006");
        assert!(check(&files).is_sound());
        db.close().unwrap();
        assert_eq!(everything(&below), before);
        // Not closed cleanly: a clear error.
        let writer = open(&below, config());
        writer.put(b"b", b"c").unwrap();
        let left: Arc<dyn FileSystem> = Arc::new(MemoryFileSystem::default());
        left.create_dir(&format!("{NAME}-wal")).unwrap();
        for (name, bytes) in everything(&below) {
            left.open(&name, OpenMode::Create)
                .unwrap()
                .write_at(0, &bytes)
                .unwrap();
        }
        let files: Arc<dyn FileSystem> = Arc::new(Refusing {
            below: left,
            file_too: true,
        });
        let refused = Database::open_on(files, &Environment::simulated(1), Path::new(NAME), config());
        let error = refused.err().unwrap();
        assert!(error.to_string().contains("not closed cleanly"), "{error}");
    }
}
