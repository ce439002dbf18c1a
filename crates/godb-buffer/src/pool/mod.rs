//! [`Pool`]: the buffer pool.
//!
//! A fixed number of frames, allocated once; a [table] that says which page is in which frame; pins that keep a page where it is and
//! latches that keep its bytes still.
//!
//! | file | says |
//! | --- | --- |
//! | `frame` | what one frame knows; the word that pins and claims it |
//! | `table` | finding a page without a lock, and how a frame changes hands |
//! | `latch`, `glances`, `lane` | the latch, and how readers pass it without writing to what others read |
//! | `arena`, `prepare` | where the bytes are, and how they come to lie on huge pages |
//! | `pages` | read, write, fresh, pin: the pool as [`Pages`](crate::Pages) |
//! | `evict` | where a frame comes from when none is free |
//! | `write_back`, `dirt` | how dirty pages reach the store, and stay dirty when changed meanwhile |
//! | `admission` | why nobody who holds latches ever waits for a frame |
//! | `shelf` | why readers go on while nothing can be written |
//! | `verify` | how rot in the store is found, and mended from memory |
//! | `witness` | how a store that returns old bytes is caught |
//!
//! Lock order: a latch; the writer; a bucket's lock; then the small locks (free list, policy, dirt, floors), one at a time. A latch is waited for only
//! with its page pinned.

mod admission;
mod arena;
mod dirt;
mod evict;
mod fetch;
mod frame;
mod glances;
mod guards;
mod lane;
mod latch;
mod pages;
mod prepare;
mod shelf;
mod stats;
mod table;
mod verify;
mod witness;
mod write_back;

pub use admission::Admission;
pub use guards::{PageGlance, PageReadGuard, PageWriteGuard, Pinned};
pub use stats::PoolStats;
pub use verify::Stored;

use crate::barrier::LogBarrier;
use crate::policy::{EvictionKind, EvictionPolicy};
use admission::Gate;
use frame::{Content, Frame, NONE};
use godb_page::page::header;
use godb_page::sync::atomic::{AtomicU32, Ordering};
use godb_page::sync::{Arc, Mutex};
use godb_page::{Fault, Lsn, PageId, PageStore};
use prepare::Preparation;
use shelf::Shelf;
use stats::Counters;
use table::Table;
use witness::Witness;
use write_back::Writer;

/// The fewest frames that every operation of the layers above can run in.
pub const MIN_FRAMES: usize = if cfg!(godb_loom) { 1 } else { 16 };

/// Frames that are never admitted to anybody: for prefetching, and for two threads that bring in the same page at once.
const SPARE: usize = if cfg!(godb_loom) { 0 } else { 2 };

/// Uses of a page count as one while fewer than this share of the pool was brought in between them.
const ONE_USE: usize = 16;

/// The most bytes by which the file grows ahead of what was asked for.
const GROW_AHEAD: usize = 4 << 20;

/// A bounded pool of pages over a store.
pub struct Pool<S: PageStore> {
    store: S,
    barrier: Arc<dyn LogBarrier>,
    table: Table,
    /// Claimed frames that hold no page.
    free: Mutex<Vec<u32>>,
    preparation: Preparation,
    policy: Mutex<Box<dyn EvictionPolicy>>,
    eviction: EvictionKind,
    gate: Gate,
    /// Passes with every miss: the policies' clock.
    tick: AtomicU32,
    /// Uses of a page less than so many ticks apart count as one.
    period: u32,
    writer: Mutex<Writer>,
    witness: Witness,
    shelf: Shelf,
    /// The smallest floor of the pages that were written since the store was last synced.
    unsynced: Mutex<Option<Lsn>>,
    /// What ended all writing: a failed sync, after which nothing is known of what was written before it, or the log's end.
    poisoned: Mutex<Option<Fault>>,
    /// Held while the file grows: two threads would otherwise undo each other's growth.
    growing: Mutex<()>,
    counters: Counters,
}

/// A frame's index as its number.
fn number(index: usize) -> u32 {
    u32::try_from(index).expect("a pool has fewer frames than page numbers")
}

impl<S: PageStore> Pool<S> {
    /// A pool of `frames` frames (at least [`MIN_FRAMES`]) over `store`, which writes a page only when `barrier` says that the log knows it.
    ///
    /// # Panics
    /// When there are more frames than page numbers.
    pub fn new(store: S, barrier: Arc<dyn LogBarrier>, frames: usize, eviction: EvictionKind) -> Self {
        let count = frames.max(MIN_FRAMES);
        let page_size = store.page_size();
        Self {
            barrier,
            table: Table::new(count, page_size),
            free: Mutex::new((0..number(count)).rev().collect()),
            preparation: Preparation::default(),
            policy: Mutex::new(eviction.build(count)),
            eviction,
            gate: Gate::new(count - SPARE),
            tick: AtomicU32::new(1),
            period: number(count / ONE_USE).max(1),
            writer: Mutex::new(Writer::new(page_size, count)),
            witness: Witness::new(count),
            shelf: Shelf::new(count),
            unsynced: Mutex::new(None),
            poisoned: Mutex::new(None),
            growing: Mutex::new(()),
            counters: Counters::new(count),
            store,
        }
    }

    /// The store under the pool.
    pub fn store(&self) -> &S {
        &self.store
    }

    /// How the pool has fared.
    pub fn stats(&self) -> PoolStats {
        self.counters
            .snapshot(self.frames(), self.table.dirty(), self.table.glances())
    }

    /// Which pages leave first.
    pub fn eviction(&self) -> EvictionKind {
        self.eviction
    }

    /// How many frames hold pages that are not written yet.
    pub fn dirty_count(&self) -> usize {
        self.table.dirty()
    }

    /// How many frames it has.
    pub fn frame_count(&self) -> usize {
        self.frames().len()
    }

    fn frames(&self) -> &[Frame] {
        self.table.frames()
    }

    /// Pins the page if it is in memory.
    fn lookup(&self, id: PageId) -> Option<Pinned<'_>> {
        let pin = self.table.pin(id)?;
        pin.frame().touch(self.tick.load(Ordering::Relaxed), self.period);
        Some(pin)
    }

    /// Pins the page, reading it if need be.
    fn fetch(&self, id: PageId) -> Result<Pinned<'_>, Fault> {
        match self.lookup(id) {
            Some(pin) => Ok(pin),
            None => self.load(id),
        }
    }

    /// Reads the page into a frame. Others who want it find the frame, and wait for its latch.
    fn load(&self, id: PageId) -> Result<Pinned<'_>, Fault> {
        self.check_number(id)?;
        let at = self.take_frame()?;
        // The frame is claimed, so its latch is free.
        let mut body = self.table.latch(at);
        let pin = match self.table.install(id, at, true) {
            Ok(pin) => pin,
            Err(faster) => {
                drop(body);
                self.give_back(at);
                return Ok(faster);
            }
        };
        self.arrived(&pin, id);
        let read = self.read_checked(id, &mut body.bytes);
        match &read {
            Ok(shelved) => {
                if let Some((record, floor)) = *shelved {
                    // In this order: at no moment does nobody know that the page is to be written.
                    self.table.soil(at, floor, record);
                    self.shelf.take(id);
                }
                body.content = Content::Good;
            }
            Err(fault) => {
                // Out of the table, so that the next one tries again; the frame is free when the last waiter has gone.
                body.content = Content::Failed(Box::new(fault.clone()));
                if !cfg!(godb_plant = "failure-stays") {
                    self.table.forsake(at);
                }
            }
        }
        pin.frame().loading.store(false, Ordering::Release);
        drop(body);
        read.map(|_| pin)
    }

    /// Gets the page from the store, or from the shelf: then with its last record and its floor.
    fn read_checked(&self, id: PageId, into: &mut [u8]) -> Result<Option<(Lsn, Lsn)>, Fault> {
        if let Some(shelved) = self.shelf.copy(id, into) {
            return Ok(Some(shelved));
        }
        self.store.read(id, into)?;
        if self.witness.accepts(id, header::lsn(into)) {
            return Ok(None);
        }
        let what = "an older state of it came back than was written: a write was lost";
        Err(Fault::corrupt_page(self.store.file_name(), id, what))
    }

    /// A page was put into a frame.
    fn arrived(&self, pin: &Pinned<'_>, page: PageId) {
        let tick = self.tick.fetch_add(1, Ordering::Relaxed);
        pin.frame().begin_uses(tick);
        self.policy.lock().loaded(pin.at() as usize, page, tick);
        Counters::add(&self.counters.misses, 1);
    }

    /// Gives the file's room from page `pages` on back to the file system. Those pages must be free, and everything
    /// [flushed](Self::flush). `false` when somebody still uses one of them.
    ///
    /// # Errors
    /// Those of the store.
    pub fn shrink(&self, pages: u32) -> Result<bool, Fault> {
        let _growing = self.growing.lock();
        if pages >= self.store.page_count() {
            return Ok(true);
        }
        for frame in self.frames() {
            if let Some(page) = frame.page_id().filter(|page| page.raw() >= pages) {
                self.forget(page);
            }
        }
        let beyond = |frame: &Frame| frame.page_id().is_some_and(|page| page.raw() >= pages);
        if self.frames().iter().any(beyond) && !godb_page::sync::planted("cut-before-checkpoint") {
            return Ok(false);
        }
        self.store.resize(pages).map(|()| true)
    }

    /// Makes the file hold `pages` pages, and some more, so that it grows seldom; where that is too much, just these.
    fn grow(&self, pages: u32) -> Result<(), Fault> {
        let _growing = self.growing.lock();
        let now = self.store.page_count();
        if pages <= now {
            return Ok(());
        }
        let ahead = (now / 8).min(number(GROW_AHEAD / self.store.page_size()));
        match self.store.resize(pages.saturating_add(ahead)) {
            Err(Fault::Full { .. }) if ahead > 0 => self.store.resize(pages),
            done => done,
        }
    }

    /// The one number that no page has.
    fn check_number(&self, id: PageId) -> Result<(), Fault> {
        if id.raw() == NONE {
            return Err(Fault::corrupt_page(
                self.store.file_name(),
                id,
                "no page has this number",
            ));
        }
        Ok(())
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

#[cfg(test)]
mod tests;
