//! Keys and values at each limit and beyond, in the largest and the smallest of everything: it works, or says clearly why not.

use godb::{Config, Database};
use std::path::{Path, PathBuf};

fn database(page_size: usize) -> Database {
    let config = Config {
        page_size,
        buffer_pool_size: 64 * page_size,
        ..Config::default()
    };
    Database::in_memory_with(config).unwrap()
}

/// The longest key, found by trying.
fn longest_key(db: &Database) -> usize {
    let fits = |length: &usize| {
        let mut tx = db.begin().unwrap();
        tx.put(&vec![1; *length], b"").is_ok()
    };
    let lengths: Vec<usize> = (0..70_000).collect();
    lengths.partition_point(fits) - 1
}

#[test]
fn keys_are_as_long_as_the_page_allows_and_no_longer() {
    for page_size in [4096, 8192, 65_536] {
        let db = database(page_size);
        let longest = longest_key(&db);
        assert!(
            longest >= page_size / 16,
            "{longest} bytes in a page of {page_size}"
        );
        let mut tx = db.begin().unwrap();
        // All of one length, so that only the last byte tells them apart.
        for last in 0..=255 {
            let mut key = vec![1; longest];
            *key.last_mut().unwrap() = last;
            tx.put(&key, &[last; 50]).unwrap();
        }
        let refused = tx.put(&vec![1; longest + 1], b"").unwrap_err();
        assert_eq!(refused.sqlstate(), "54000");
        assert!(refused.to_string().contains(&longest.to_string()), "{refused}");
        tx.commit().unwrap();
        assert_eq!(db.begin().unwrap().range(..).unwrap().count(), 256);
        assert_eq!(db.check().unwrap(), Vec::<String>::new());
        let mut tx = db.begin().unwrap();
        let keys: Vec<Vec<u8>> = tx.range(..).unwrap().map(|pair| pair.unwrap().0).collect();
        keys.iter().for_each(|key| assert!(tx.delete(key).unwrap()));
        tx.commit().unwrap();
        assert_eq!(db.begin().unwrap().count().unwrap(), 0);
    }
}

#[test]
fn a_key_may_be_empty_and_so_may_a_value() {
    let db = database(4096);
    for value in [&b""[..], b"v", &[7; 10_000], b""] {
        db.put(b"", value).unwrap();
        db.put(b"\0", value).unwrap();
        assert_eq!(db.get(b"").unwrap().as_deref(), Some(value));
        let tx = db.begin().unwrap();
        let first = tx.range(..).unwrap().next().unwrap().unwrap();
        assert_eq!(first, (Vec::new(), value.to_vec()));
        let last = tx.range_backward(..).unwrap().last().unwrap().unwrap();
        assert!(last.0.is_empty());
    }
    assert!(db.delete(b"").unwrap() && !db.delete(b"").unwrap());
    assert_eq!(db.get(b"").unwrap(), None);
    assert_eq!(db.get(b"\0").unwrap().as_deref(), Some(&b""[..]));
    assert_eq!(db.check().unwrap(), Vec::<String>::new());
}

/// Around each length at which a value goes from a row into pages of its own, and from so many to one more.
#[test]
fn values_of_every_length_around_the_borders_of_pages() {
    let db = database(4096);
    let borders = [0, 256, 500, 1000, 1024, 2048, 4000, 4096, 8000, 8192, 40_000];
    let lengths = || {
        borders
            .into_iter()
            .flat_map(|border: usize| border.saturating_sub(6)..border + 6)
    };
    let value = |length: usize| vec![u8::try_from(length % 251).unwrap(); length];
    let mut tx = db.begin().unwrap();
    for length in lengths() {
        tx.put(&length.to_be_bytes(), &value(length)).unwrap();
    }
    tx.commit().unwrap();
    for length in lengths() {
        assert!(
            db.get(&length.to_be_bytes()).unwrap() == Some(value(length)),
            "{length}"
        );
    }
    assert_eq!(db.check().unwrap(), Vec::<String>::new());
}

#[test]
fn a_value_beyond_the_limit_is_refused_at_once() {
    let db = database(4096);
    db.put(b"k", b"before").unwrap();
    let mut tx = db.begin().unwrap();
    let refused = tx.put(b"k", &vec![0; (1 << 30) + 1]).unwrap_err();
    assert_eq!(refused.sqlstate(), "54000");
    tx.put(b"l", b"after").unwrap();
    tx.commit().unwrap();
    assert_eq!(db.get(b"k").unwrap().as_deref(), Some(&b"before"[..]));
    assert_eq!(db.get(b"l").unwrap().as_deref(), Some(&b"after"[..]));
}

#[test]
fn what_is_smaller_than_the_smallest_is_refused() {
    let refused = |change: &dyn Fn(&mut Config)| {
        let mut config = Config {
            page_size: 4096,
            ..Config::default()
        };
        change(&mut config);
        Database::in_memory_with(config)
            .err()
            .map(|error| error.to_string())
    };
    let pool = |bytes: usize| refused(&|config| config.buffer_pool_size = bytes);
    assert_eq!(pool(16 * 4096), None);
    assert!(pool(16 * 4096 - 1).unwrap().contains("buffer_pool_size"));
    assert!(pool(0).unwrap().contains("buffer_pool_size"));
    for size in [0, 1, 2048, 5000, 131_072] {
        assert!(
            refused(&|config| config.page_size = size)
                .unwrap()
                .contains("page_size")
        );
    }
}

/// Writes and reads several times the pool, past the system's cache as far as the folder lets it.
fn use_direct_io(folder: &Path, frames: usize) {
    let file: PathBuf = folder.join("direct.godb");
    let config = Config {
        page_size: 4096,
        buffer_pool_size: frames * 4096,
        direct_io: true,
        ..Config::default()
    };
    let rows = u32::try_from(frames * 30).unwrap();
    for round in [1, 2] {
        let db = Database::open_with(&file, config.clone()).unwrap();
        let mut tx = db.begin().unwrap();
        for n in 0..rows {
            let key = n.wrapping_mul(2_654_435_761).to_be_bytes();
            tx.put(&key, &[round; 150]).unwrap();
        }
        tx.commit().unwrap();
        let tx = db.begin().unwrap();
        let mut count = 0;
        for pair in tx.range(..).unwrap() {
            assert_eq!(pair.unwrap().1, [round; 150]);
            count += 1;
        }
        assert_eq!(count, rows);
        drop(tx);
        assert_eq!(db.check().unwrap(), Vec::<String>::new());
        db.close().unwrap();
    }
    std::fs::remove_file(file).unwrap();
}

/// On a disk, and in memory, where some systems can read past no cache. The frames of the small pool are not where a disk could put pages by itself; those of the large one are.
#[test]
fn pages_are_read_past_the_cache_or_through_it() {
    let folders = [tempfile::tempdir().ok(), tempfile::tempdir_in("/dev/shm").ok()];
    for folder in folders.into_iter().flatten() {
        for frames in [16, 600] {
            use_direct_io(folder.path(), frames);
        }
    }
}
