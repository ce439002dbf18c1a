//! The wired stack below SQL: what is committed is there after a clean close, after a crash, and in a pool that holds next to nothing.

use super::{Storage, files_in_memory};
use crate::config::Config;
use godb_mvcc::{Begin, StorageEngine};
use godb_page::{Environment, FileSystem};
use std::ops::ControlFlow;
use std::path::Path;
use std::sync::Arc;

fn open(files: &Arc<dyn FileSystem>, config: &Config) -> Storage {
    Storage::open(
        files.clone(),
        &Environment::simulated(1),
        Path::new("a.godb"),
        config,
    )
    .unwrap()
}

fn tiny() -> Config {
    Config {
        page_size: 4096,
        buffer_pool_size: 16 * 4096,
        ..Config::default()
    }
}

fn put(engine: &Arc<dyn StorageEngine>, from: u32, to: u32, value: &[u8]) {
    let mut tx = engine.clone().begin(Begin::default()).unwrap();
    for n in from..to {
        tx.put(engine.root(), &n.to_be_bytes(), value).unwrap();
    }
    tx.commit().unwrap();
}

fn count(engine: &Arc<dyn StorageEngine>) -> usize {
    let tx = engine.clone().begin(Begin::default()).unwrap();
    let mut cursor = tx.scan(engine.root(), godb_mvcc::Range::ALL).unwrap();
    let mut rows = 0;
    while cursor
        .next(&mut |_, _| {
            rows += 1;
            ControlFlow::Continue(())
        })
        .unwrap()
    {}
    rows
}

#[test]
fn a_clean_close_keeps_everything_in_one_file() {
    for config in [Config::default(), tiny()] {
        let files = files_in_memory();
        for round in 0..3_u32 {
            let storage = open(&files, &config);
            let engine = storage.engine();
            assert_eq!(count(&engine), round as usize * 2000);
            put(&engine, round * 2000, (round + 1) * 2000, &[7; 90]);
            assert_eq!(storage.tree().check().unwrap().findings, Vec::new());
            storage.close().unwrap();
            assert!(!files.exists("a.godb-wal").unwrap());
        }
    }
}

#[test]
fn a_crash_before_the_checkpoint_after_a_recovery_repeats_the_log_of_both_lives() {
    for config in [Config::default(), tiny()] {
        let files = files_in_memory();
        drop(open(&files, &config));
        let mut length = 0;
        for life in 0..4_u32 {
            let storage = open(&files, &config);
            let engine = storage.engine();
            assert_eq!(count(&engine), life as usize * 300);
            assert!(
                storage.log().length() > length,
                "the log of the lives before stays"
            );
            let mut lost = engine.clone().begin(Begin::default()).unwrap();
            for n in 0..100_u32 {
                lost.put(engine.root(), &(n + (1 << 20)).to_be_bytes(), &[8; 200])
                    .unwrap();
            }
            put(&engine, life * 300, (life + 1) * 300, &[7; 90]);
            length = storage.log().length();
            std::mem::forget(lost);
        }
        let storage = open(&files, &config);
        assert!(storage.settle().unwrap());
        assert!(!storage.settle().unwrap(), "it is taken once");
        assert!(storage.engine().log_since_checkpoint() < 1000);
        drop(storage);
        let storage = open(&files, &config);
        assert_eq!(count(&storage.engine()), 4 * 300);
        assert_eq!(storage.tree().check().unwrap().findings, Vec::new());
        storage.close().unwrap();
        drop(storage);
        assert!(
            !open(&files, &config).settle().unwrap(),
            "after a clean close there is nothing to settle"
        );
    }
}

#[test]
fn an_abandoned_database_is_recovered() {
    for config in [Config::default(), tiny()] {
        let files = files_in_memory();
        for round in 0..3_u32 {
            let storage = open(&files, &config);
            let engine = storage.engine();
            assert_eq!(count(&engine), round as usize * 1000);
            put(&engine, round * 1000, (round + 1) * 1000, &[7; 90]);
            let mut lost = engine.clone().begin(Begin::default()).unwrap();
            for n in 0..500_u32 {
                lost.put(engine.root(), &n.to_be_bytes(), &[8; 200]).unwrap();
            }
            std::mem::forget(lost);
            drop(engine);
            drop(storage);
        }
    }
}

#[test]
fn write_back_keeps_clean_frames_ready() {
    let config = Config {
        buffer_pool_size: 64 * 4096,
        ..tiny()
    };
    let storage = open(&files_in_memory(), &config);
    let engine = storage.engine();
    put(&engine, 0, 4000, &[7; 90]);
    assert!(
        storage.pool.dirty_count() * super::DIRTY_SHARE >= storage.pool.frame_count(),
        "dirty pages crowd the pool"
    );
    while storage.write_back().unwrap() {}
    assert!(storage.pool.dirty_count() * super::DIRTY_SHARE < storage.pool.frame_count());
    let before = storage.pool.stats();
    assert_eq!(count(&engine), 4000);
    let after = storage.pool.stats();
    assert!(
        after.evictions > before.evictions + 50,
        "the rows are more than the pool holds"
    );
    assert_eq!(
        after.written, before.written,
        "nobody who wanted a frame had to write a page"
    );
}

/// The numbers of rows of a few trees go into the file header, those of many lie apart; the check compares them with the rows.
#[test]
fn the_numbers_of_rows_survive_a_close_and_a_crash() {
    for trees in [2_u64, 150] {
        let files = files_in_memory();
        let storage = open(&files, &tiny());
        let engine = storage.engine();
        let mut tx = engine.clone().begin(Begin::default()).unwrap();
        let made: Vec<_> = (0..trees).map(|_| tx.create_tree().unwrap()).collect();
        for (rows, tree) in (0_u64..).zip(&made) {
            for row in 0..=rows % 7 {
                tx.put(*tree, &row.to_be_bytes(), b"row").unwrap();
            }
        }
        tx.commit().unwrap();
        drop(engine);
        storage.close().unwrap();
        drop(storage);
        for round in 1..4 {
            let storage = open(&files, &tiny());
            let engine = storage.engine();
            let found = storage.check_versions(true).unwrap().findings;
            assert_eq!(found, Vec::new(), "round {round} of {trees} trees");
            let mut tx = engine.clone().begin(Begin::default()).unwrap();
            for (rows, tree) in (0_u64..).zip(&made) {
                let expected = rows % 7 + round;
                assert_eq!(
                    tx.count(*tree).unwrap(),
                    expected,
                    "round {round} of {trees} trees"
                );
                tx.put(*tree, &(100 + round).to_be_bytes(), b"one more").unwrap();
            }
            tx.commit().unwrap();
            drop(engine);
            if round % 2 == 0 {
                storage.close().unwrap();
            }
        }
    }
}
