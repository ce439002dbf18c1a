//! Pins, latches, eviction, write-back and admission under every interleaving: the product's own [`Pool`], with one frame or two, over a store that
//! remembers what was written.
//!
//! ```text
//! RUSTFLAGS="--cfg godb_loom" cargo test -p godb-buffer --test loom --release
//! RUSTFLAGS='--cfg godb_loom --cfg godb_plant="claim-pinned"' cargo test -p godb-buffer --test loom --release     # must fail
//! ```
//!
//! The planted bugs, each of which must make a model fail: `claim-pinned` (a frame is taken from under its user), `trust-first-look` (a lookup does
//! not check again after pinning), `evict-dirty` (a page is dropped before it is written), `clean-after-write` (a change made while the page was being
//! written is forgotten), `failure-stays` (a page that could not be read stays in the table), `gate-looks-first` (a leaving operation misses a waiter),
//! `announce-unordered` (a glance may look before its announcement is seen), `write-under-glances` (a writer does not wait for them), `claim-glanced` (a frame is
//! emptied under one), `glance-at-claimed` (one begins while the frame is being emptied).
//! `cargo xtask loom --plant` tries them all.
//!
//! A model that loom cuts short would pass without having looked, so [`explore`] sets no limit on time or iterations, and counts the executions.
#![cfg(godb_loom)]

use godb_buffer::sync::atomic::{AtomicU64, Ordering};
use godb_buffer::sync::{Arc, explore, thread};
use godb_buffer::{DatabaseId, EvictionKind, Fault, Lsn, NoLog, PageId, PageStore, PageWrite, Pages, Pool};
use std::collections::BTreeMap;
use std::sync::Mutex as Plain;

const SIZE: usize = 128;

/// Where a page keeps the number that tells its version.
const AT: usize = 100;

/// Pages by number. Its own lock is not modelled: each operation is one step, with a point before it where another thread may come in.
struct Store {
    pages: Plain<BTreeMap<u32, Vec<u8>>>,
    step: AtomicU64,
    /// How many reads are still to fail.
    failures: Plain<u32>,
}

impl Store {
    /// Pages 1 and 2, with their own numbers in them.
    fn new(failures: u32) -> Self {
        let page = |id: u8| {
            let mut bytes = vec![0; SIZE];
            bytes[AT] = id;
            (u32::from(id), bytes)
        };
        Self {
            pages: Plain::new([page(1), page(2)].into()),
            step: AtomicU64::new(0),
            failures: Plain::new(failures),
        }
    }

    fn version(&self, id: u32) -> u8 {
        self.pages.lock().expect("no thread panicked")[&id][AT]
    }
}

impl PageStore for Store {
    fn page_size(&self) -> usize {
        SIZE
    }

    fn database_id(&self) -> DatabaseId {
        DatabaseId::default()
    }

    fn page_count(&self) -> u32 {
        3
    }

    fn read(&self, id: PageId, into: &mut [u8]) -> Result<(), Fault> {
        self.step.fetch_add(1, Ordering::Relaxed);
        let mut failures = self.failures.lock().expect("no thread panicked");
        if *failures > 0 {
            *failures -= 1;
            return Err(Fault::corrupt_page("store", id, "planted by the test"));
        }
        into.copy_from_slice(&self.pages.lock().expect("no thread panicked")[&id.raw()]);
        Ok(())
    }

    fn write(&self, batch: &mut [(PageId, &mut [u8])]) -> Result<(), Fault> {
        self.step.fetch_add(1, Ordering::Relaxed);
        let mut pages = self.pages.lock().expect("no thread panicked");
        for (id, page) in batch {
            pages.insert(id.raw(), page.to_vec());
        }
        Ok(())
    }

    fn resize(&self, _pages: u32) -> Result<(), Fault> {
        Ok(())
    }

    fn sync(&self) -> Result<(), Fault> {
        Ok(())
    }
}

type Small = Arc<Pool<Store>>;

fn pool(frames: usize, failures: u32) -> Small {
    Arc::new(Pool::new(
        Store::new(failures),
        Arc::new(NoLog),
        frames,
        EvictionKind::Clock,
    ))
}

fn id(raw: u32) -> PageId {
    PageId::from_raw(raw)
}

fn read(pool: &Small, page: u32) -> Result<u8, Fault> {
    Ok(pool.read(id(page))?[AT])
}

fn set(pool: &Small, page: u32, lsn: u64, version: u8) {
    let mut guard = pool.write(id(page)).expect("the store does not fail");
    guard.stamp(Lsn::from_raw(lsn), Lsn::from_raw(lsn))[AT] = version;
}

/// Runs `body` under every interleaving.
fn exhaust(protocol: &str, body: impl Fn() + Send + Sync + 'static) {
    let runs = explore(protocol, 3, body);
    assert!(runs > 100, "the model was not explored");
}

fn spawn(pool: &Small, body: impl FnOnce(&Small) + Send + 'static) -> thread::JoinHandle<()> {
    let pool = pool.clone();
    thread::spawn(move || body(&pool))
}

fn join(threads: impl IntoIterator<Item = thread::JoinHandle<()>>) {
    for thread in threads {
        thread.join().expect("no thread panics");
    }
}

#[test]
fn a_reader_sees_the_page_it_asked_for() {
    exhaust("pin and evict", || {
        let pool = pool(1, 0);
        assert_eq!(read(&pool, 1).expect("it is there"), 1);
        let other = spawn(&pool, |pool| assert_eq!(read(pool, 2).expect("it is there"), 2));
        assert_eq!(read(&pool, 1).expect("it is there"), 1);
        join([other]);
    });
}

#[test]
fn readers_of_one_page_share_one_frame() {
    exhaust("pin and evict", || {
        let pool = pool(2, 0);
        let other = spawn(&pool, |pool| assert_eq!(read(pool, 1).expect("it is there"), 1));
        assert_eq!(read(&pool, 1).expect("it is there"), 1);
        join([other]);
        assert_eq!(
            pool.store().step.load(Ordering::Relaxed),
            1,
            "read from the store once"
        );
    });
}

#[test]
fn a_changed_page_comes_back_changed() {
    exhaust("pin and evict", || {
        let pool = pool(1, 0);
        let other = spawn(&pool, |pool| set(pool, 1, 10, 77));
        assert_eq!(read(&pool, 2).expect("it is there"), 2);
        join([other]);
        assert_eq!(read(&pool, 2).expect("it is there"), 2);
        assert_eq!(read(&pool, 1).expect("it is there"), 77);
    });
}

#[test]
fn a_change_during_write_back_is_written_by_the_next() {
    exhaust("write-back", || {
        let pool = pool(1, 0);
        set(&pool, 1, 10, 50);
        let writer = spawn(&pool, |pool| assert!(pool.write_back(1).is_ok()));
        set(&pool, 1, 20, 60);
        set(&pool, 1, 30, 70);
        join([writer]);
        pool.flush().expect("the store does not fail");
        assert_eq!(pool.store().version(1), 70);
        assert_eq!(pool.oldest_dirty(), None);
    });
}

#[test]
fn two_writers_back_never_bring_an_old_copy_last() {
    exhaust("write-back", || {
        let pool = pool(1, 0);
        set(&pool, 1, 10, 50);
        let writer = spawn(&pool, |pool| assert!(pool.write_back(1).is_ok()));
        set(&pool, 1, 20, 60);
        pool.flush().expect("the store does not fail");
        join([writer]);
        assert_eq!(pool.store().version(1), 60);
    });
}

#[test]
fn a_failed_read_is_told_to_whoever_waited_and_to_nobody_later() {
    exhaust("pin and evict", || {
        let pool = pool(2, 1);
        let other = spawn(&pool, |pool| drop(read(pool, 1)));
        drop(read(&pool, 1));
        join([other]);
        assert_eq!(read(&pool, 1).expect("the failure has passed"), 1);
    });
}

#[test]
fn a_fresh_page_given_up_shows_the_store_again() {
    exhaust("pin and evict", || {
        let pool = pool(2, 0);
        let other = spawn(&pool, |pool| drop(pool.fresh(id(1)).expect("a frame is free")));
        assert_eq!(read(&pool, 1).expect("it is there"), 1, "never the blank");
        join([other]);
        assert_eq!(read(&pool, 1).expect("it is there"), 1);
    });
}

#[test]
fn a_page_does_not_change_under_a_glance() {
    exhaust("latch and glance", || {
        let pool = pool(1, 0);
        assert_eq!(read(&pool, 1).expect("it is there"), 1);
        let other = spawn(&pool, |pool| set(pool, 1, 10, 77));
        if let Some(page) = pool.glance(id(1)) {
            let first = page[AT];
            thread::yield_now();
            assert_eq!(page[AT], first);
        }
        join([other]);
        assert_eq!(pool.glance(id(1)).expect("nobody writes")[AT], 77);
    });
}

#[test]
fn a_page_does_not_leave_under_a_glance() {
    exhaust("latch and glance", || {
        let pool = pool(2, 0);
        assert_eq!(read(&pool, 1).expect("it is there"), 1);
        assert_eq!(read(&pool, 2).expect("it is there"), 2);
        let done = Arc::new(AtomicU64::new(0));
        let told = done.clone();
        let other = spawn(&pool, move |pool| {
            pool.discard(id(1));
            pool.discard(id(2));
            set(pool, 1, 10, 77);
            told.store(1, Ordering::Release);
        });
        if let Some(page) = pool.glance(id(1)) {
            let changed = done.load(Ordering::Acquire) == 1;
            assert!(
                !changed || page[AT] == 77,
                "the change is over, and this is not it"
            );
        }
        join([other]);
    });
}

#[test]
fn everybody_is_admitted_in_the_end() {
    exhaust("admission", || {
        let pool = pool(1, 0);
        let enter = |pool: &Small| drop(pool.admit(1).expect("admission does not fail"));
        let others = [spawn(&pool, enter), spawn(&pool, enter)];
        enter(&pool);
        join(others);
    });
}
