//! What the pool counts about itself.

use godb_page::sync::atomic::{AtomicU64, Ordering};

/// Counters since the pool was made, read only for statistics and therefore relaxed.
#[derive(Default)]
pub(super) struct Counters {
    pub(super) misses: AtomicU64,
    pub(super) evictions: AtomicU64,
    pub(super) written: AtomicU64,
}

impl Counters {
    pub(super) fn add(counter: &AtomicU64, n: u64) {
        counter.fetch_add(n, Ordering::Relaxed);
    }

    pub(super) fn snapshot(&self, hits: u64) -> PoolStats {
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        PoolStats {
            hits,
            misses: read(&self.misses),
            evictions: read(&self.evictions),
            written: read(&self.written),
        }
    }
}

/// How the pool has fared since it was made.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PoolStats {
    /// Pages asked for that were in memory.
    pub hits: u64,
    /// Pages that had to be read.
    pub misses: u64,
    /// Pages that had to leave.
    pub evictions: u64,
    /// Pages written to the store.
    pub written: u64,
}
