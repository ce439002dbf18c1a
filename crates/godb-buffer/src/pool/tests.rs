//! The pool against a model, against a store that fails, and against its own promises.

use super::*;
use crate::pages::{PageWrite, Pages};
use crate::{NoLog, testing};
use godb_page::{DatabaseId, Effect, FileSystem, Injection, MemoryPageStore, OpenMode, Operations};
use godb_page::{PageFile, PageFileOptions, SimulatedDisk};
use proptest::prelude::*;
use std::collections::HashMap;

const SIZE: usize = 4096;

fn id(raw: u32) -> PageId {
    PageId::from_raw(raw)
}

fn lsn(raw: u64) -> Lsn {
    Lsn::from_raw(raw)
}

fn memory(eviction: EvictionKind) -> Pool<MemoryPageStore> {
    let store = MemoryPageStore::new(SIZE, DatabaseId::from_bytes([1; 16]));
    Pool::new(store, Arc::new(NoLog), MIN_FRAMES, eviction)
}

/// A pool over a file on a simulated disk, with room for 100 pages.
fn on_disk(barrier: Arc<dyn LogBarrier>) -> (SimulatedDisk, Pool<PageFile>) {
    let disk = SimulatedDisk::new();
    let file = disk.open("db", OpenMode::Create).unwrap();
    let options = PageFileOptions {
        page_size: SIZE,
        database_id: DatabaseId::from_bytes([1; 16]),
        max_size: None,
        safe_copies: "safe-copies".to_owned(),
        direct: false,
    };
    let (store, _) = PageFile::open(&disk, file, options).unwrap();
    let pool = Pool::new(store, barrier, MIN_FRAMES, EvictionKind::Clock);
    pool.ensure_capacity(100).unwrap();
    (disk, pool)
}

/// Sets a byte of a page, beginning it afresh where it is not there.
fn set<S: PageStore>(pool: &Pool<S>, page: u32, at: u64, byte: u8) -> Result<(), Fault> {
    let mut guard = match pool.write(id(page)) {
        Err(Fault::Corrupt { .. }) => pool.fresh(id(page))?,
        other => other?,
    };
    guard.stamp(lsn(at), lsn(at))[1000] = byte;
    Ok(())
}

fn get<S: PageStore>(pool: &Pool<S>, page: u32) -> Result<u8, Fault> {
    Ok(pool.read(id(page))?[1000])
}

#[test]
fn it_conforms_with_every_policy_and_store() {
    for eviction in EvictionKind::ALL {
        testing::pages(|| memory(eviction));
        testing::pages(|| Arc::new(memory(eviction)));
    }
    testing::pages(|| on_disk(Arc::new(NoLog)).1);
}

#[derive(Clone, Debug)]
enum Step {
    Set(u32, u8),
    Get(u32),
    Fresh(u32),
    GiveUp(u32),
    WriteBack(usize),
    Flush,
    Discard(u32),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let page = 0..40_u32;
    let step = prop_oneof![
        6 => (page.clone(), any::<u8>()).prop_map(|(page, byte)| Step::Set(page, byte)),
        6 => page.clone().prop_map(Step::Get),
        1 => page.clone().prop_map(Step::Fresh),
        1 => page.clone().prop_map(Step::GiveUp),
        1 => (1..20_usize).prop_map(Step::WriteBack),
        1 => Just(Step::Flush),
        1 => page.prop_map(Step::Discard),
    ];
    prop::collection::vec(step, 1..300)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn it_behaves_like_a_map(steps in steps(), policy in 0..4_usize) {
        let pool = memory(EvictionKind::ALL[policy]);
        // None: the page's bytes are nobody's any more, and may be anything.
        let mut model: HashMap<u32, Option<u8>> = HashMap::new();
        for (at, step) in (1_u64..).zip(steps) {
            match step {
                Step::Set(page, byte) => {
                    set(&pool, page, at, byte).unwrap();
                    model.insert(page, Some(byte));
                }
                Step::Get(page) => match model.get(&page) {
                    Some(Some(byte)) => prop_assert_eq!(get(&pool, page).unwrap(), *byte),
                    Some(None) => {}
                    None => prop_assert!(get(&pool, page).is_err()),
                },
                Step::Fresh(page) => {
                    let mut guard = pool.fresh(id(page)).unwrap();
                    prop_assert!(guard[header::LEN..].iter().all(|byte| *byte == 0));
                    guard.stamp(lsn(at), lsn(at));
                    model.insert(page, Some(0));
                }
                Step::GiveUp(page) => {
                    drop(pool.fresh(id(page)).unwrap());
                    if model.contains_key(&page) {
                        model.insert(page, None);
                    }
                }
                Step::WriteBack(most) => prop_assert!(pool.write_back(most).unwrap() <= MIN_FRAMES),
                Step::Flush => {
                    pool.flush().unwrap();
                    prop_assert_eq!(pool.oldest_dirty(), None);
                }
                Step::Discard(page) => {
                    pool.discard(id(page));
                    // Only a hint: the page may still be there, so the model keeps it.
                }
            }
        }
    }
}

#[test]
fn counts_are_right() {
    let pool = memory(EvictionKind::Clock);
    for page in 0..10 {
        set(&pool, page, 1, 1).unwrap();
    }
    let before = pool.stats();
    for page in 0..10 {
        get(&pool, page).unwrap();
    }
    let after = pool.stats();
    assert_eq!((after.hits - before.hits, after.misses - before.misses), (10, 0));
    assert_eq!((after.frames, after.dirty), (MIN_FRAMES, 10));
    assert_eq!(pool.write_back(4).unwrap(), 4);
    let written = pool.stats();
    assert_eq!((written.written, written.batches, written.dirty), (4, 1, 6));
    assert_eq!(written.hits, after.hits, "write-back hits nothing");
}

/// Answers how far the log is durable, and remembers the largest question.
#[derive(Default)]
struct Log {
    asked: godb_page::sync::atomic::AtomicU64,
    broken: godb_page::sync::atomic::AtomicBool,
}

impl LogBarrier for Log {
    fn wait_durable(&self, upto: Lsn) -> Result<(), Fault> {
        self.asked.fetch_max(upto.raw(), Ordering::SeqCst);
        if self.broken.load(Ordering::SeqCst) {
            return Err(Fault::Poisoned {
                why: "the log".into(),
            });
        }
        Ok(())
    }
}

#[test]
fn no_page_before_its_record() {
    let log = Arc::new(Log::default());
    let (disk, pool) = on_disk(log.clone());
    set(&pool, 5, 70, 1).unwrap();
    pool.flush().unwrap();
    assert_eq!(log.asked.load(Ordering::SeqCst), 70);
    set(&pool, 5, 75, 1).unwrap();
    set(&pool, 6, 80, 1).unwrap();
    log.broken.store(true, Ordering::SeqCst);
    let before = disk.count(Operations::WRITE);
    assert!(pool.flush().is_err());
    assert_eq!(
        disk.count(Operations::WRITE),
        before,
        "nothing is written without the log's word"
    );
    assert_eq!(log.asked.load(Ordering::SeqCst), 80);
    assert_eq!(pool.oldest_dirty(), Some(lsn(75)));
    log.broken.store(false, Ordering::SeqCst);
    let after = pool.flush();
    assert!(
        matches!(after, Err(Fault::Poisoned { .. })),
        "a log that failed once is not asked again"
    );
}

#[test]
fn floors_stay_until_the_sync() {
    let (_disk, pool) = on_disk(Arc::new(NoLog));
    set(&pool, 5, 70, 1).unwrap();
    set(&pool, 6, 80, 1).unwrap();
    assert_eq!(pool.write_back(100).unwrap(), 2);
    assert_eq!(pool.oldest_dirty(), Some(lsn(70)), "written is not durable");
    set(&pool, 6, 90, 2).unwrap();
    pool.sync().unwrap();
    assert_eq!(pool.oldest_dirty(), Some(lsn(90)));
    set(&pool, 7, 95, 2).unwrap();
    assert_eq!(pool.write_older(lsn(95)).unwrap(), 1);
    assert_eq!(pool.oldest_dirty(), Some(lsn(95)));
}

#[test]
fn a_failed_sync_poisons_and_reading_goes_on() {
    let (disk, pool) = on_disk(Arc::new(NoLog));
    for page in 2..8 {
        set(&pool, page, 5, 9).unwrap();
    }
    pool.write_back(100).unwrap();
    disk.inject(Injection::once(Operations::SYNC, 1, Effect::SyncForgets { seed: None }).on_file("db"));
    assert!(matches!(pool.flush(), Err(Fault::Io { .. })));
    set(&pool, 3, 6, 10).unwrap();
    assert!(matches!(pool.flush(), Err(Fault::Poisoned { .. })));
    assert!(matches!(pool.write_back(1), Err(Fault::Poisoned { .. })));
    assert_eq!(
        pool.oldest_dirty(),
        Some(lsn(5)),
        "redo must begin before what the sync lost"
    );
    assert_eq!((get(&pool, 3).unwrap(), get(&pool, 4).unwrap()), (10, 9));
}

#[test]
fn a_pool_full_of_pages_that_cannot_be_written_still_reads() {
    for file in ["db", "safe-copies"] {
        let (disk, pool) = on_disk(Arc::new(NoLog));
        for page in 0..60 {
            set(&pool, page, 1, 1).unwrap();
        }
        pool.flush().unwrap();
        disk.inject(
            Injection::lasting(Operations::SYNC, 1, Effect::SyncForgets { seed: None }).on_file(file),
        );
        let mut changed = 0;
        while changed < 25 && set(&pool, changed, 2, 2).is_ok() {
            changed += 1;
        }
        pool.flush().unwrap_err();
        for _ in 0..2 {
            for page in 0..60 {
                let expected = if page < changed { 2 } else { 1 };
                assert_eq!(get(&pool, page).unwrap(), expected, "page {page}");
            }
        }
        assert!(pool.flush().is_err(), "what is on the shelf is not written");
    }
}

#[test]
fn a_failed_write_is_tried_again_and_a_failed_read_is_told() {
    let (disk, pool) = on_disk(Arc::new(NoLog));
    for page in 2..40 {
        set(&pool, page, u64::from(page), 3).unwrap();
    }
    disk.inject(Injection::lasting(Operations::WRITE, 1, Effect::DiskFull));
    set(&pool, 39, 100, 4).unwrap();
    assert!(matches!(pool.flush(), Err(Fault::Full { .. })));
    let oldest = pool.oldest_dirty();
    assert!(oldest.is_some());
    for page in 2..39 {
        assert_eq!(get(&pool, page).unwrap(), 3, "reading goes on");
    }
    assert_eq!(pool.oldest_dirty(), oldest, "what is put aside is not forgotten");
    disk.heal();
    pool.flush().unwrap();
    assert_eq!(pool.oldest_dirty(), None);
    disk.inject(Injection::once(Operations::READ, 1, Effect::IoError));
    assert!(matches!(get(&pool, 2), Err(Fault::Io { .. })));
    assert_eq!(get(&pool, 2).unwrap(), 3, "the fault has passed");
    disk.inject(Injection::once(
        Operations::READ,
        1,
        Effect::FlipBit { bit: 7777 },
    ));
    assert!(matches!(get(&pool, 10), Err(Fault::Corrupt { page: Some(page), .. }) if page == id(10)));
    for page in 2..39 {
        assert_eq!(get(&pool, page).unwrap(), 3, "page {page}");
    }
}

#[test]
fn a_lost_write_is_found_when_the_page_comes_back() {
    let (disk, pool) = on_disk(Arc::new(NoLog));
    for (at, byte) in [(10, 1), (20, 2)] {
        set(&pool, 5, at, byte).unwrap();
        if at == 20 {
            // The safe copies are written, the page itself is not.
            disk.inject(Injection::once(Operations::WRITE, 1, Effect::LoseWrite).on_file("db"));
        }
        pool.flush().unwrap();
    }
    for page in 20..60 {
        set(&pool, page, 30, 0).unwrap();
    }
    let read = get(&pool, 5);
    assert!(
        matches!(&read, Err(Fault::Corrupt { what, .. }) if what.contains("lost")),
        "{read:?}"
    );
}

#[test]
fn the_file_shrinks_to_what_is_used() {
    let (disk, pool) = on_disk(Arc::new(NoLog));
    for page in 2..30 {
        set(&pool, page, 1, 1).unwrap();
    }
    pool.flush().unwrap();
    let pin = pool.pin(id(29)).unwrap();
    assert!(!pool.shrink(10).unwrap(), "a page in use stays");
    drop(pin);
    assert!(pool.shrink(10).unwrap());
    assert_eq!(
        (pool.capacity(), disk.bytes("db").unwrap().len()),
        (10, 10 * SIZE)
    );
    pool.ensure_capacity(30).unwrap();
    assert!(get(&pool, 29).is_err() && get(&pool, 9).is_ok());
}

#[test]
fn holding_every_page_is_an_error_and_no_standstill() {
    let pool = memory(EvictionKind::Clock);
    let held: Vec<_> = (0..16).map(|page| pool.fresh(id(page)).unwrap()).collect();
    assert!(matches!(pool.fresh(id(99)), Err(Fault::Full { .. })));
    drop(held);
    pool.fresh(id(99)).unwrap();
}

#[test]
fn sixteen_frames_are_enough_for_sixteen_threads() {
    let (_disk, pool) = on_disk(Arc::new(NoLog));
    for page in 2..80 {
        set(&pool, page, 1, 0).unwrap();
    }
    let log = godb_page::sync::atomic::AtomicU64::new(2);
    godb_page::sync::thread::scope(|scope| {
        for thread in 0..16_u32 {
            let (pool, log) = (&pool, &log);
            scope.spawn(move || {
                for n in 0..200_u32 {
                    let _room = pool.admit(6).unwrap();
                    let first = 2 + (n * 13 + thread * 5) % 70;
                    // Six pages held at once, in order, as an operation that splits pages would.
                    let mut held: Vec<_> = (first..first + 6)
                        .map(|page| pool.write(id(page)).unwrap())
                        .collect();
                    let at = lsn(log.fetch_add(1, Ordering::SeqCst));
                    for page in &mut held {
                        let next = page[1000].wrapping_add(1);
                        page.stamp(at, at)[1000] = next;
                    }
                }
            });
        }
        scope.spawn(|| (0..50).for_each(|_| assert!(pool.write_back(8).unwrap() <= MIN_FRAMES)));
    });
    let sum: u32 = (2..80).map(|page| u32::from(get(&pool, page).unwrap())).sum();
    assert_eq!(sum % 256, 16 * 200 * 6 % 256);
}

/// How many reads of ten hot pages miss while a scan goes by that is four times the pool, with the hot pages read now and then.
fn hot_misses(eviction: EvictionKind, scanned_between: u32) -> u64 {
    let store = MemoryPageStore::new(SIZE, DatabaseId::from_bytes([1; 16]));
    let pool = Pool::new(store, Arc::new(NoLog), 64, eviction);
    (0..300).for_each(|page| set(&pool, page, 1, 0).unwrap());
    pool.flush().unwrap();
    let hot = || (0..10).for_each(|page| assert_eq!(get(&pool, page).unwrap(), 0));
    // The hot set makes itself known: used twice, with a while between.
    for other in 250..265 {
        hot();
        get(&pool, other).unwrap();
    }
    let mut misses = 0;
    for round in 0..30 {
        for page in 0..scanned_between {
            let page = 20 + (round * scanned_between + page) % 280;
            // Twice, as a tree does that first fetches a page and then descends again.
            (0..2).for_each(|_| assert_eq!(get(&pool, page).unwrap(), 0));
        }
        let before = pool.stats().misses;
        hot();
        misses += pool.stats().misses - before;
    }
    misses
}

#[test]
fn a_scan_does_not_wash_out_the_hot_set() {
    assert_eq!(hot_misses(EvictionKind::Clock, 30), 0);
    assert_eq!(
        hot_misses(EvictionKind::LruK, 100),
        0,
        "a hundred pages between two looks, in sixty-four frames"
    );
    assert_eq!(hot_misses(EvictionKind::S3Fifo, 100), 0);
    assert!(
        hot_misses(EvictionKind::Lru, 100) > 200,
        "which is too much for LRU"
    );
}

#[test]
fn rot_in_the_store_is_found_and_mended_from_memory() {
    let (disk, pool) = on_disk(Arc::new(NoLog));
    for page in 5..8 {
        set(&pool, page, 1, 7).unwrap();
    }
    pool.flush().unwrap();
    let mut buffer = vec![0; SIZE];
    let mut look = |page| pool.verify_stored(id(page), &mut buffer).unwrap();
    assert!(matches!(look(5), Stored::Sound));
    for page in 5..8_u64 {
        disk.flip_bit("db", (page * SIZE as u64 + 2000) * 8).unwrap();
    }
    set(&pool, 6, 2, 8).unwrap();
    pool.forget(id(7));
    assert!(matches!(look(5), Stored::Mended(Fault::Corrupt { page, .. }) if page == Some(id(5))));
    assert!(matches!(look(5), Stored::Sound));
    assert!(matches!(look(6), Stored::Pending));
    assert!(matches!(look(7), Stored::Damaged(_)));
    assert!(matches!(get(&pool, 7), Err(Fault::Corrupt { .. })));
    pool.flush().unwrap();
    assert!(matches!(look(6), Stored::Sound));
    assert_eq!(get(&pool, 6).unwrap(), 8);
}

/// A log during whose wait somebody changes more pages.
#[derive(Default)]
struct Busy {
    pool: std::sync::OnceLock<std::sync::Weak<Pool<MemoryPageStore>>>,
}

impl LogBarrier for Busy {
    fn wait_durable(&self, upto: Lsn) -> Result<(), Fault> {
        if let Some(pool) = self.pool.get().and_then(std::sync::Weak::upgrade)
            && upto < lsn(6)
        {
            (8..13).for_each(|page| set(&pool, page, 6, 1).unwrap());
        }
        Ok(())
    }
}

#[test]
fn a_flush_does_not_run_after_a_busy_writer() {
    let busy = Arc::new(Busy::default());
    let store = MemoryPageStore::new(SIZE, DatabaseId::from_bytes([1; 16]));
    let pool = Arc::new(Pool::new(store, busy.clone(), MIN_FRAMES, EvictionKind::Clock));
    assert!(busy.pool.set(Arc::downgrade(&pool)).is_ok());
    pool.ensure_capacity(20).unwrap();
    (2..5).for_each(|page| set(&pool, page, 5, 1).unwrap());
    pool.flush().unwrap();
    assert_eq!(pool.stats().written, 3);
    assert_eq!(
        pool.dirty_count(),
        5,
        "what was changed meanwhile is left to the next"
    );
}
