//! Measures what a page access costs when the page is in memory: `cargo run --release -p godb-buffer --example hit_path`.
#![expect(
    clippy::print_stdout,
    reason = "it is a program that reports on its standard output"
)]

use godb_buffer::sync::Arc;
use godb_buffer::{DatabaseId, EvictionKind, NoLog, PageId, PageWrite, Pages, Pool};
use std::time::Instant;

const PAGES: u32 = 4096;
const ROUNDS: u32 = 4_000_000;

fn main() {
    let store = godb_page::MemoryPageStore::new(4096, DatabaseId::default());
    let pool = Arc::new(Pool::new(store, Arc::new(NoLog), 8192, EvictionKind::Clock));
    for id in 0..PAGES {
        let lsn = godb_buffer::Lsn::from_raw(1);
        pool.fresh(PageId::from_raw(id))
            .expect("a frame is free")
            .stamp(lsn, lsn);
    }
    for threads in [1, 2, 4] {
        measure(&pool, threads, "spread over 4096 pages", |n| {
            n.wrapping_mul(2_654_435_761) % PAGES
        });
        measure(&pool, threads, "all on one page", |_| 7);
    }
}

type MemoryPool = Pool<godb_page::MemoryPageStore>;

fn measure(pool: &Arc<MemoryPool>, threads: u32, what: &str, page: fn(u32) -> u32) {
    let start = Instant::now();
    let workers: Vec<_> = (0..threads)
        .map(|thread| {
            let pool = pool.clone();
            std::thread::spawn(move || read_many(&pool, thread, page))
        })
        .collect();
    let sum: u64 = workers
        .into_iter()
        .map(|worker| worker.join().expect("no reader panics"))
        .sum();
    let each = start.elapsed().as_nanos() / u128::from(ROUNDS);
    println!("{threads} threads, {what}: {each} ns a read in each thread (sum {sum})");
}

fn read_many(pool: &MemoryPool, thread: u32, page: fn(u32) -> u32) -> u64 {
    let mut sum = 0;
    for n in 0..ROUNDS {
        let page = pool
            .read(PageId::from_raw(page(n + thread * 1000)))
            .expect("the page is in memory");
        sum += u64::from(page[100]);
    }
    sum
}
