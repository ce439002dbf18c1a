//! [`Pool`]: the buffer pool.
//!
//! A fixed number of frames, allocated once; a table that says which page is in which frame; pins that keep a page where it is and
//! latches that keep its bytes still. Lock order: a part of the table, then a frame's own small locks. A latch is waited for
//! only with the page pinned and no part of the table locked.
//!
//! A frame changes hands like this. It is *free*: in nobody's table. It is *loading*: in the table, pinned by the thread that reads the page, which holds the
//! latch meanwhile; others who want the page pin it too and wait for the latch. It is *resident*. It is *evicted* when it is unpinned and
//! clean, both checked under the lock of its page's part of the table, where pins are raised: so nobody can come in between.

mod admission;
mod evict;
mod frame;
mod guards;
mod pages;
mod stats;
mod table;
mod write_back;

pub use admission::Admission;
pub use guards::{PageReadGuard, PageWriteGuard, Pinned};
pub use stats::PoolStats;

use crate::barrier::LogBarrier;
use crate::policy::{EvictionKind, EvictionPolicy};
use admission::Gate;
use frame::Frame;
use godb_page::sync::atomic::{AtomicU32, Ordering};
use godb_page::sync::{Arc, Mutex};
use godb_page::{Fault, Lsn, PageId, PageStore};
use stats::Counters;
use table::Table;
use write_back::Writer;

/// The fewest frames that every operation of the layers above can run in.
pub const MIN_FRAMES: usize = 16;

/// A bounded pool of pages over a store.
pub struct Pool<S: PageStore> {
    store: S,
    barrier: Arc<dyn LogBarrier>,
    frames: Box<[Frame]>,
    table: Table,
    free: Mutex<Vec<usize>>,
    policy: Mutex<Box<dyn EvictionPolicy>>,
    gate: Gate,
    tick: AtomicU32,
    writer: Mutex<Writer>,
    /// The smallest floor of the pages that were written since the store was last synced.
    unsynced: Mutex<Option<Lsn>>,
    /// The sync that failed: nothing is known of what was written before it.
    poisoned: Mutex<Option<Fault>>,
    counters: Counters,
}

impl<S: PageStore> Pool<S> {
    /// A pool of `frames` frames (at least [`MIN_FRAMES`]) over `store`, which writes a page only when `barrier` says that the log knows it.
    pub fn new(store: S, barrier: Arc<dyn LogBarrier>, frames: usize, eviction: EvictionKind) -> Self {
        let count = frames.max(MIN_FRAMES);
        let frames: Box<[Frame]> = (0..count).map(|_| Frame::new(store.page_size())).collect();
        Self {
            barrier,
            table: Table::new(),
            free: Mutex::new((0..count).rev().collect()),
            policy: Mutex::new(eviction.build(count)),
            // Two frames stay outside, for prefetching and for pages on their way in.
            gate: Gate::new(count - 2),
            tick: AtomicU32::new(1),
            writer: Mutex::new(Writer::new(store.page_size(), count)),
            unsynced: Mutex::new(None),
            poisoned: Mutex::new(None),
            counters: Counters::default(),
            frames,
            store,
        }
    }

    /// The store under the pool.
    pub fn store(&self) -> &S {
        &self.store
    }

    /// How the pool has fared.
    pub fn stats(&self) -> PoolStats {
        self.counters.snapshot(self.table.hits())
    }

    /// How many frames it has.
    pub fn frame_count(&self) -> usize {
        self.frames.len()
    }

    /// Pins the page if it is in memory. With `settled`, a page that is still being read does not count.
    fn lookup(&self, id: PageId, settled: bool) -> Option<Pinned<'_>> {
        let mut part = self.table.part(id);
        let frame = &self.frames[*part.frames.get(&id)?];
        if settled && frame.loading.load(Ordering::Acquire) {
            return None;
        }
        frame.pin();
        part.hits += 1;
        drop(part);
        frame.touch(self.tick.load(Ordering::Relaxed));
        Some(Pinned::new(frame))
    }

    /// Pins the page, reading it if need be.
    fn fetch(&self, id: PageId) -> Result<Pinned<'_>, Fault> {
        match self.lookup(id, false) {
            Some(pin) => Ok(pin),
            None => self.bring_in(id, |bytes| self.store.read(id, bytes)),
        }
    }

    /// Puts the page into a frame, with the bytes that `fill` gives.
    fn bring_in(
        &self,
        id: PageId,
        fill: impl FnOnce(&mut [u8]) -> Result<(), Fault>,
    ) -> Result<Pinned<'_>, Fault> {
        let at = self.take_frame()?;
        let frame = &self.frames[at];
        // Nobody knows the frame yet, so its latch is free.
        let mut body = frame.latch.write();
        {
            let mut part = self.table.part(id);
            if let Some(&other) = part.frames.get(&id) {
                let other = &self.frames[other];
                other.pin();
                drop(part);
                drop(body);
                self.free.lock().push(at);
                return Ok(Pinned::new(other));
            }
            frame.assign(id);
            frame.loading.store(true, Ordering::Release);
            frame.pin();
            part.frames.insert(id, at);
        }
        let pin = Pinned::new(frame);
        let tick = self.tick.fetch_add(1, Ordering::Relaxed);
        frame.touch(tick);
        self.policy.lock().loaded(at, tick);
        Counters::add(&self.counters.misses, 1);
        let filled = fill(&mut body.bytes);
        body.failed = filled.as_ref().err().cloned();
        if filled.is_err() {
            // Out of the table, so that the next one tries again; the frame is free when the last waiter has gone.
            self.table.part(id).frames.remove(&id);
        }
        frame.loading.store(false, Ordering::Release);
        drop(body);
        match filled {
            Ok(()) => Ok(pin),
            Err(fault) => {
                drop(pin);
                self.reclaim(at);
                Err(fault)
            }
        }
    }

    /// Puts a frame that left the table with users still on it back among the free ones, when they have gone.
    fn reclaim(&self, at: usize) {
        while !self.frames[at].is_unpinned() {
            godb_page::sync::thread::yield_now();
        }
        self.free.lock().push(at);
    }

    /// The first failed sync, if there was one.
    fn check_poison(&self) -> Result<(), Fault> {
        match &*self.poisoned.lock() {
            Some(fault) => Err(Fault::Poisoned {
                why: fault.to_string().into(),
            }),
            None => Ok(()),
        }
    }
}
