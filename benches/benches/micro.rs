//! What the critical path of each layer costs, from the page up: `cargo xtask bench --micro`.
//!
//! Everything is in memory and done by one thread, so that a figure speaks of the code and not of the disk or of others. Words after `--micro` are handed to
//! Criterion: a part of a name runs only those, `--save-baseline NAME` and `--baseline NAME` compare two states of the code.

use criterion::{BatchSize, Criterion, Throughput};
use godb::{Config, Database};
use godb_btree::{BTree, Change, Journal, NoJournal, Tree, Undo, Value, size_of_change};
use godb_buffer::slotted::{self, Slots};
use godb_buffer::{
    DatabaseId, EvictionKind, Lsn, MemoryPageStore, NoLog, PageId, PageKind, PageWrite, Pages, Pool, TreeId,
    TxnId,
};
use godb_txn::{LockManager, LockOptions, Mode, Resource};
use godb_wal::{Environment, FileSystem, Log, LogOptions, MemoryFileSystem, SyncMode};
use std::hint::black_box;
use std::sync::Arc;
use std::time::Duration;

/// Bytes in a page.
const PAGE: usize = 8192;

/// Rows of the tree and of the database.
const ROWS: u64 = 100_000;

/// Rows that are put into an empty tree.
const NEW_ROWS: u64 = 10_000;

/// Bytes of a value.
const VALUE: [u8; 100] = [7; 100];

/// Changes that are appended to one log.
const CHANGES: u64 = 2000;

fn main() {
    let mut criterion = Criterion::default()
        .warm_up_time(Duration::from_millis(300))
        .measurement_time(Duration::from_secs(1))
        .sample_size(30)
        .configure_from_args();
    page_search(&mut criterion);
    page_edit(&mut criterion);
    pool_hit(&mut criterion);
    pool_miss(&mut criterion);
    tree(&mut criterion);
    log_append(&mut criterion);
    lock(&mut criterion);
    transactions(&mut criterion);
    criterion.final_summary();
}

/// Numbers below `count`, each different from the last, in an order that is random to a tree.
fn numbers(count: u64) -> impl FnMut() -> u64 {
    let mut random = fastrand::Rng::with_seed(1);
    move || random.u64(..count)
}

/// A key of 24 bytes, of which the last eight count.
fn key(number: u64) -> [u8; 24] {
    let mut key = *b"micro-benchmark.        ";
    key[16..].copy_from_slice(&number.to_be_bytes());
    key
}

/// A leaf as full as it gets; tells how many keys it has.
fn full_leaf() -> (Vec<u8>, u64) {
    let mut page = vec![0; PAGE];
    slotted::format(&mut page, PageKind::Leaf, 0, TreeId::default());
    let mut count = 0;
    loop {
        let key = key(count);
        let length = u16::try_from(key.len()).expect("a key is short");
        let cell = [&length.to_le_bytes(), &key[..], &VALUE].concat();
        if !slotted::fits(&page, cell.len(), None).expect("the page is sound") {
            return (page, count);
        }
        let at = usize::try_from(count).expect("a page has few rows");
        slotted::insert(&mut page, at, &cell).expect("it fits");
        count += 1;
    }
}

fn page_search(criterion: &mut Criterion) {
    let (page, count) = full_leaf();
    let mut next = numbers(count);
    criterion.bench_function("page: search a full leaf of 8 KiB", |bench| {
        bench.iter(|| {
            let slots = Slots::of(&page).expect("the page is sound");
            slots.search(black_box(&key(next()))).expect("the page is sound")
        });
    });
}

fn page_edit(criterion: &mut Criterion) {
    let (mut page, count) = full_leaf();
    let mut next = numbers(count);
    criterion.bench_function("page: remove a row of a full leaf and insert it again", |bench| {
        bench.iter(|| {
            let at = usize::try_from(next()).expect("a page has few rows");
            let cell = Slots::of(&page).and_then(|slots| slots.cell(at));
            let cell = cell.expect("the page is sound").to_vec();
            slotted::remove(&mut page, at).expect("it is there");
            slotted::insert(&mut page, at, &cell).expect("it was there before");
        });
    });
}

/// A pool in which all pages have room.
fn pool(frames: usize) -> Arc<Pool<MemoryPageStore>> {
    let store = MemoryPageStore::new(PAGE, DatabaseId::default());
    Arc::new(Pool::new(store, Arc::new(NoLog), frames, EvictionKind::default()))
}

fn pool_hit(criterion: &mut Criterion) {
    const PAGES: u64 = 4096;
    let pool = pool(8192);
    let id = |number: u64| PageId::from_raw(u32::try_from(number).expect("there are few pages"));
    for number in 0..PAGES {
        let lsn = Lsn::from_raw(1);
        pool.fresh(id(number)).expect("a frame is free").stamp(lsn, lsn);
    }
    let mut next = numbers(PAGES);
    criterion.bench_function("pool: glance at a page in memory", |bench| {
        bench.iter(|| pool.glance(id(next())).expect("it is in memory")[100]);
    });
    criterion.bench_function("pool: latch a page in memory for reading", |bench| {
        bench.iter(|| pool.read(id(next())).expect("it is in memory")[100]);
    });
    criterion.bench_function("pool: latch a page in memory for writing", |bench| {
        bench.iter(|| pool.write(id(next())).expect("it is in memory")[100]);
    });
}

/// One page in eight is in memory; those that come in are copied from a store in memory.
fn pool_miss(criterion: &mut Criterion) {
    const PAGES: u32 = 8192;
    for policy in EvictionKind::ALL {
        let store = MemoryPageStore::new(PAGE, DatabaseId::default());
        let pool = Pool::new(store, Arc::new(NoLog), 1024, policy);
        for number in 0..PAGES {
            let lsn = Lsn::from_raw(1);
            let mut page = pool.fresh(PageId::from_raw(number)).expect("a frame is free");
            page.stamp(lsn, lsn);
        }
        pool.flush().expect("memory has room");
        let mut number = 0;
        criterion.bench_function(&format!("pool: bring a page in, {policy}"), |bench| {
            bench.iter(|| {
                number = (number + 1) % PAGES;
                pool.read(PageId::from_raw(number)).expect("it was written")[100]
            });
        });
    }
}

fn tree(criterion: &mut Criterion) {
    let me = TxnId::from_raw(1);
    let trees = BTree::create(pool(16_384), Arc::new(NoJournal::default())).expect("memory has room");
    let tree = trees.create(me).expect("memory has room");
    let put = |number| {
        let done = trees.put(me, tree, &key(number), Value::inline(&VALUE));
        done.expect("memory has room");
    };
    (0..ROWS).for_each(put);
    let mut next = numbers(ROWS);
    criterion.bench_function("tree: get one of 100,000 rows", |bench| {
        bench.iter(|| {
            trees
                .get(tree, &key(next()), |value| value.inline[0])
                .expect("memory can be read")
        });
    });
    criterion.bench_function("tree: put over one of 100,000 rows", |bench| {
        bench.iter(|| put(next()));
    });
    let mut group = criterion.benchmark_group("tree");
    group.throughput(Throughput::Elements(NEW_ROWS));
    let mut anywhere = numbers(u64::MAX);
    let empty = || {
        let trees = BTree::create(pool(1024), Arc::new(NoJournal::default())).expect("memory has room");
        let tree = trees.create(me).expect("memory has room");
        (trees, tree)
    };
    // Finding the leaf, inserting, sharing with a neighbour, splitting.
    group.bench_function("put 10,000 new rows in any order", |bench| {
        let put_all = |(trees, tree): &mut (BTree<Pool<MemoryPageStore>>, TreeId)| {
            for _ in 0..NEW_ROWS {
                let done = trees.put(me, *tree, &key(anywhere()), Value::inline(&VALUE));
                done.expect("memory has room");
            }
        };
        bench.iter_batched_ref(empty, put_all, BatchSize::PerIteration);
    });
    group.finish();
}

/// A log that waits for nothing.
fn empty_log() -> Arc<Log> {
    let files: Arc<dyn FileSystem> = Arc::new(MemoryFileSystem::default());
    let options = LogOptions {
        mode: SyncMode::Off,
        ..LogOptions::new(DatabaseId::default(), 1)
    };
    Log::create(&files, "log", &options, &Environment::simulated(1)).expect("memory has room")
}

fn log_append(criterion: &mut Criterion) {
    let row = [7; 150];
    let change = Change {
        by: Some(TxnId::from_raw(1)),
        pages: &[(PageId::from_raw(1), &row)],
        undo: Undo::Logical(&row[..30]),
    };
    let size = size_of_change(&change);
    let mut group = criterion.benchmark_group("log");
    group.throughput(Throughput::Elements(CHANGES));
    group.bench_function("append 2,000 changes of 150 bytes", |bench| {
        let append = |log: &mut Arc<Log>| {
            for _ in 0..CHANGES {
                let mut room = log.reserve(size).expect("the log has room");
                black_box(room.append(&change));
            }
        };
        bench.iter_batched_ref(empty_log, append, BatchSize::PerIteration);
    });
    group.finish();
}

fn lock(criterion: &mut Criterion) {
    let locks = LockManager::new(LockOptions {
        timeout: Duration::from_secs(1),
        ..LockOptions::default()
    });
    let (me, table) = (TxnId::from_raw(1), TreeId::default());
    let mut next = numbers(ROWS);
    criterion.bench_function("lock: table and key, and release both", |bench| {
        bench.iter(|| {
            let locked = locks.lock(me, Resource::Table(table), Mode::IntentExclusive);
            locked.expect("nobody else is here");
            let locked = locks.lock(me, Resource::Key(table, &key(next())), Mode::Exclusive);
            locked.expect("nobody else is here");
            locks.release_all(me);
        });
    });
}

fn transactions(criterion: &mut Criterion) {
    let config = Config {
        buffer_pool_size: 256 << 20,
        ..Config::default()
    };
    let db = Database::in_memory_with(config).expect("memory has room");
    let put_all = || {
        let mut tx = db.begin().expect("there are few transactions");
        (0..ROWS).for_each(|number| tx.put(&key(number), &VALUE).expect("memory has room"));
        tx.commit().expect("nobody else is here");
    };
    put_all();
    let mut next = numbers(ROWS);
    criterion.bench_function("commit: one put, nothing to wait for", |bench| {
        bench.iter(|| db.put(&key(next()), &VALUE).expect("memory has room"));
    });
    criterion.bench_function("snapshot: take and give back", |bench| {
        bench.iter(|| db.begin().expect("there are few transactions"));
    });
    let old = db.begin().expect("there are few transactions");
    black_box(old.get(&key(0)).expect("memory can be read"));
    criterion.bench_function("visibility: read a row's only version", |bench| {
        bench.iter(|| {
            old.get_with(&key(next()), |value| value[0])
                .expect("memory can be read")
        });
    });
    put_all();
    criterion.bench_function("visibility: read the version before the newest", |bench| {
        bench.iter(|| {
            old.get_with(&key(next()), |value| value[0])
                .expect("memory can be read")
        });
    });
}
