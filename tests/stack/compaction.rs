//! A file that becomes shorter while it is used.

use godb::{CompactionPhase, Config, Database, Environment, Error, params};
use godb_page::SimulatedDisk;
use std::io::Read;
use std::ops::ControlFlow;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

const ROWS: u32 = 30_000;

fn key(n: u32) -> [u8; 24] {
    let mut key = [0x55; 24];
    key[..4].copy_from_slice(&n.wrapping_mul(2_654_435_761).to_be_bytes());
    key
}

fn value(n: u32, version: u8) -> [u8; 150] {
    let mut value = [version; 150];
    value[..4].copy_from_slice(&n.to_be_bytes());
    value
}

fn without_threads() -> Config {
    Config {
        background_threads: false,
        ..Config::default()
    }
}

/// Rows in random order; every second is removed again.
fn half_empty(db: &Database) {
    for from in (0..ROWS).step_by(1000) {
        db.transaction(|tx| (from..from + 1000).try_for_each(|n| tx.put(&key(n), &value(n, 1))))
            .unwrap();
    }
    for from in (0..ROWS).step_by(1000) {
        db.transaction(|tx| {
            (from..from + 1000)
                .step_by(2)
                .try_for_each(|n| tx.delete(&key(n)).map(drop))
        })
        .unwrap();
    }
}

/// The odd rows are there, with a version each, and no other of them.
fn assert_odd_rows(db: &Database) {
    let tx = db.begin().unwrap();
    for n in 0..ROWS {
        let found = tx.get(&key(n)).unwrap();
        match found {
            Some(found) => assert!(n % 2 == 1 && found[..4] == n.to_be_bytes() && found.len() == 150),
            None => assert_eq!(n % 2, 0, "row {n} is missing"),
        }
    }
}

fn go_on(_: godb::CompactionProgress) -> ControlFlow<()> {
    ControlFlow::Continue(())
}

fn assert_sound(db: &Database) {
    assert_eq!(db.check().unwrap(), Vec::<String>::new());
}

#[test]
fn the_file_becomes_as_short_as_what_is_in_it() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("shrinks.godb");
    let db = Database::open_with(&file, without_threads()).unwrap();
    half_empty(&db);
    while db.step().unwrap() {}
    db.checkpoint().unwrap();
    let before = file.metadata().unwrap().len();
    let mut phases = Vec::new();
    let bytes = db
        .compact(|progress| {
            if phases.last() != Some(&progress.phase) {
                phases.push(progress.phase);
            }
            ControlFlow::Continue(())
        })
        .unwrap();
    let after = file.metadata().unwrap().len();
    assert_eq!(before - after, bytes);
    let raw = u64::from(ROWS / 2) * 174;
    assert!(after * 100 < raw * 118, "{after} bytes for {raw} (from {before})");
    let expected = [
        CompactionPhase::Packing,
        CompactionPhase::Moving,
        CompactionPhase::Cutting,
    ];
    assert!(phases.ends_with(&expected), "{phases:?}");
    assert_odd_rows(&db);
    assert_sound(&db);
    db.put(b"more", b"rows").unwrap();
    db.close().unwrap();
    let db = Database::open(&file).unwrap();
    assert_odd_rows(&db);
    assert_sound(&db);
}

#[test]
fn readers_and_writers_go_on() {
    let folder = tempfile::tempdir().unwrap();
    let db = Database::open(folder.path().join("busy.godb")).unwrap();
    half_empty(&db);
    let past = db.begin().unwrap();
    let over = AtomicBool::new(false);
    std::thread::scope(|scope| {
        for seed in 0..2_u32 {
            let (db, over) = (&db, &over);
            scope.spawn(move || {
                let mut n = seed * 7919;
                while !over.load(Ordering::Acquire) {
                    n = (n.wrapping_mul(1_103_515_245).wrapping_add(12_345) % ROWS) | 1;
                    db.transaction(|tx| tx.put(&key(n), &value(n, 2))).unwrap();
                    db.transaction(|tx| {
                        tx.put(&key(n + ROWS + seed), &value(n, 3))?;
                        tx.delete(&key(n + ROWS + seed)).map(drop)
                    })
                    .unwrap();
                }
            });
        }
        scope.spawn(|| {
            while !over.load(Ordering::Acquire) {
                assert_odd_rows(&db);
                let tx = db.begin().unwrap();
                assert_eq!(tx.range(..).unwrap().count(), ROWS as usize / 2);
            }
        });
        scope.spawn(|| {
            while !over.load(Ordering::Acquire) {
                assert_sound(&db);
            }
        });
        for _ in 0..4 {
            db.compact(go_on).unwrap();
        }
        over.store(true, Ordering::Release);
    });
    assert_odd_rows(&db);
    let old = past
        .range(..)
        .unwrap()
        .filter(|pair| pair.as_ref().unwrap().1[4] == 1);
    assert_eq!(old.count(), ROWS as usize / 2, "the past is as it was");
    drop(past);
    assert!(db.compact(go_on).is_ok());
    assert_sound(&db);
}

/// Large values lie behind a table that is gone. They come to the front; who reads one goes on reading it.
#[test]
fn large_values_come_to_the_front() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("large.godb");
    let db = Database::open_with(&file, without_threads()).unwrap();
    half_empty(&db);
    let large: Vec<u8> = (0..400_000_u32).map(|n| n.to_le_bytes()[0]).collect();
    for n in 0..5 {
        db.put(format!("large {n}").as_bytes(), &large).unwrap();
    }
    for from in (1..ROWS).step_by(1000) {
        db.transaction(|tx| (from..from + 1000).try_for_each(|n| tx.delete(&key(n)).map(drop)))
            .unwrap();
    }
    let reader = db.begin().unwrap();
    let mut stream = reader.get_reader(b"large 4").unwrap().unwrap();
    let mut begin = vec![0; 10_000];
    stream.read_exact(&mut begin).unwrap();
    db.compact(go_on).unwrap();
    let mut rest = Vec::new();
    stream.read_to_end(&mut rest).unwrap();
    assert!(large == [begin, rest].concat());
    drop((stream, reader));
    let mut tries = 0;
    while file.metadata().unwrap().len() > 3_000_000 {
        db.compact(go_on).unwrap();
        tries += 1;
        assert!(tries < 4, "{} bytes for 2 MB", file.metadata().unwrap().len());
    }
    for n in 0..5 {
        assert!(db.get(format!("large {n}").as_bytes()).unwrap().unwrap() == large);
    }
    assert_sound(&db);
}

#[test]
fn it_can_be_ended_at_every_part() {
    let db = Database::in_memory_with(without_threads()).unwrap();
    half_empty(&db);
    let (mut parts, mut whole) = (0, false);
    while !whole {
        parts += 7;
        let mut left = parts;
        db.compact(|_| {
            left -= 1;
            match left {
                0 => ControlFlow::Break(()),
                _ => ControlFlow::Continue(()),
            }
        })
        .unwrap();
        whole = left > 0;
        assert_odd_rows(&db);
    }
    assert_sound(&db);
    let mut session = db.session().unwrap();
    let canceller = session.canceller();
    session.on_progress(move |progress| {
        if progress.compaction.is_some() {
            canceller.cancel();
        }
    });
    let error = session.run("VACUUM", params![]).err().unwrap();
    assert_eq!(error.sqlstate(), "57014");
    assert_eq!(db.execute("VACUUM", params![]).unwrap(), 0);
}

#[test]
fn a_database_that_is_open_for_reading_refuses() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("read.godb");
    Database::open(&file).unwrap().close().unwrap();
    let config = Config {
        read_only: true,
        ..Config::default()
    };
    let db = Database::open_with(&file, config).unwrap();
    let refused = |error: Error| assert_eq!(error.sqlstate(), "25006");
    refused(db.compact(go_on).unwrap_err());
    refused(db.execute("VACUUM", params![]).unwrap_err());
}

/// A disk without room for the log of it.
#[test]
fn a_full_disk_is_an_error_and_does_no_harm() {
    let disk = SimulatedDisk::new();
    let config = Config {
        checkpoint_log_size: Some(1 << 20),
        log_segment_size: 1 << 20,
        ..without_threads()
    };
    let path = Path::new("full.godb");
    let open = || {
        Database::open_on(
            Arc::new(disk.clone()),
            &Environment::system(),
            path,
            config.clone(),
        )
    };
    let db = open().unwrap();
    half_empty(&db);
    db.checkpoint().unwrap();
    let used: usize = disk
        .files()
        .iter()
        .map(|file| disk.bytes(file).unwrap().len())
        .sum();
    disk.set_capacity(Some(used as u64));
    match db.compact(go_on) {
        Err(error) => assert_eq!(error.sqlstate(), "53100", "{error}"),
        Ok(_) => panic!("there was room for the log of it"),
    }
    assert_odd_rows(&db);
    disk.set_capacity(None);
    assert!(db.compact(go_on).unwrap() > 0);
    assert_odd_rows(&db);
    assert_sound(&db);
    db.close().unwrap();
    assert_odd_rows(&open().unwrap());
}

#[test]
fn it_happens_by_itself_when_enough_is_free() {
    let config = Config {
        compaction_threshold: Some(0.3),
        ..Config::default()
    };
    for background_threads in [false, true] {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("by-itself.godb");
        let config = Config {
            background_threads,
            ..config.clone()
        };
        let db = Database::open_with(&file, config).unwrap();
        half_empty(&db);
        db.execute("CREATE TABLE t (a int PRIMARY KEY, b text)", params![])
            .unwrap();
        let sql = "INSERT INTO t SELECT n, repeat('x', 1000) FROM generate_series(1, 6000) AS g (n)";
        db.execute(sql, params![]).unwrap();
        let before = file.metadata().unwrap().len();
        db.execute("DROP TABLE t", params![]).unwrap();
        let began = Instant::now();
        while file.metadata().unwrap().len() * 10 > before * 6 {
            if !background_threads {
                db.step().unwrap();
            }
            assert!(began.elapsed() < Duration::from_secs(60), "it does not");
            std::thread::sleep(Duration::from_millis(20));
        }
        assert_odd_rows(&db);
        assert_sound(&db);
    }
}
