//! [`Table`]: the frames, and which page is in which.
//!
//! A hash table whose entries are the frames themselves: each bucket is a chain of frames. Chains change under a lock (a bucket's, shared with some others);
//! **lookups take none.** A lookup walks the chain, and when it meets a frame with the right page number it pins the frame and *then* reads the
//! number again. A frame's number cannot change while it is pinned, since changing it takes a claim and a claim takes zero pins; so
//! if the second reading is right, the page is here and stays. If not, the pin is taken back and nothing happened.
//!
//! A walk may be led astray: the frame it stands on may be moved to another chain under its feet. Then it finds nothing, or gives up after
//! as many steps as no real chain has, and the caller looks again under the lock. A wrong answer is impossible, a slow one is rare.
//!
//! ```text
//! free     claimed, in no chain, on the pool's free list
//! resident in its page's chain, unclaimed; evicted by: lock bucket, claim, check that it is clean, unlink
//! gone     unclaimed, in no chain, page none: a read that failed, or a fresh page given up; free when its last user has left
//! ```

use super::arena::{self, Arena};
use super::fetch::Fetch;
use super::frame::{Body, Frame, NONE};
use super::glances::Glances;
use super::guards::{PageGlance, Pinned};
use super::latch::LatchWrite;
use super::shelf::Shelved;
use godb_page::sync::atomic::{AtomicU32, AtomicUsize, Ordering};
use godb_page::sync::{Mutex, MutexGuard};
use godb_page::{Lsn, PageId, ask_for};

/// More steps than any real chain has: buckets are twice as many as frames.
const STEPS: usize = 64;

/// How many locks the buckets share.
const LOCKS: usize = if cfg!(godb_loom) { 1 } else { 64 };

/// A lock on a cache line of its own.
#[repr(align(128))]
struct Padded(Mutex<()>);

/// The frames, and which page is in which.
pub(super) struct Table {
    /// The memory of the frames, where it is one piece.
    arena: Option<Arena>,
    frames: Box<[Frame]>,
    /// The first frame of each chain.
    heads: Box<[AtomicU32]>,
    locks: Box<[Padded]>,
    /// Held while a frame whose page is gone becomes free.
    reclaiming: Mutex<()>,
    /// Where their pages are in memory.
    fetch: Fetch,
    /// Who reads a frame without a pin.
    glances: Glances,
    /// How many frames hold pages that are not written yet.
    dirty: AtomicUsize,
}

/// A bucket, locked.
struct Bucket<'a> {
    table: &'a Table,
    head: &'a AtomicU32,
    _lock: MutexGuard<'a, ()>,
}

impl Table {
    /// A table of `count` empty, claimed frames.
    pub(super) fn new(count: usize, page_size: usize) -> Self {
        let buckets = (2 * count).next_power_of_two();
        let (rooms, arena) = arena::rooms(count, page_size);
        Self {
            arena,
            fetch: Fetch::new(&rooms),
            frames: rooms.into_iter().map(Frame::new).collect(),
            heads: (0..buckets).map(|_| AtomicU32::new(NONE)).collect(),
            locks: (0..LOCKS).map(|_| Padded(Mutex::new(()))).collect(),
            reclaiming: Mutex::new(()),
            glances: Glances::new(),
            dirty: AtomicUsize::new(0),
        }
    }

    /// The memory of the frames, where it is one piece.
    pub(super) fn arena(&self) -> Option<&Arena> {
        self.arena.as_ref()
    }

    /// Every frame.
    pub(super) fn frames(&self) -> &[Frame] {
        &self.frames
    }

    /// One of them.
    pub(super) fn frame(&self, at: u32) -> &Frame {
        &self.frames[at as usize]
    }

    /// The number of a page is its own hash: numbers are dense, so buckets fill evenly, and the heads of all pages in memory lie on as few cache lines as can be.
    fn bucket_of(&self, page: PageId) -> usize {
        page.raw() as usize & (self.heads.len() - 1)
    }

    fn lock(&self, page: PageId) -> Bucket<'_> {
        let bucket = self.bucket_of(page);
        Bucket {
            table: self,
            head: &self.heads[bucket],
            _lock: self.locks[bucket % LOCKS].0.lock(),
        }
    }

    /// Latches a frame's bytes for writing. The frame is pinned or claimed.
    pub(super) fn latch(&self, at: u32) -> LatchWrite<'_, Body> {
        self.frame(at).latch.write(&self.glances, at)
    }

    /// Notes a change of a page, which is latched for writing.
    pub(super) fn soil(&self, at: u32, floor: Lsn, lsn: Lsn) {
        if self.frame(at).soil(floor, lsn) {
            self.dirty.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// The copy of a page was written, or not.
    pub(super) fn end_writing(&self, at: u32, written: bool) {
        if self.frame(at).end_writing(written) {
            self.dirty.fetch_sub(1, Ordering::Relaxed);
        }
    }

    /// How many frames hold pages that are not written yet.
    pub(super) fn dirty(&self) -> usize {
        self.dirty.load(Ordering::Relaxed)
    }

    /// How many glances there were.
    pub(super) fn glances(&self) -> u64 {
        self.glances.count()
    }

    /// Glances at the page, if it is in memory, nobody changes it, and a walk without locks finds it.
    #[inline]
    pub(super) fn glance(&self, page: PageId, used: impl FnOnce(&Frame)) -> Option<PageGlance<'_>> {
        let mut at = self.heads[self.bucket_of(page)].load(Ordering::Acquire);
        for _ in 0..STEPS {
            let frame = self.frames.get(at as usize)?;
            if frame.page() == page.raw() {
                self.fetch.page(at);
                let announced = self.glances.announce(at)?;
                // From here on nobody claims the frame; so if it is not claimed now, the page stays in it.
                let unclaimed = !frame.is_claimed() || cfg!(godb_plant = "glance-at-claimed");
                if !unclaimed || frame.page() != page.raw() {
                    return None;
                }
                used(frame);
                return frame.latch.glance(announced).and_then(PageGlance::new);
            }
            at = frame.next.load(Ordering::Acquire);
        }
        None
    }

    /// Asks for the memory of the frames of pages, as far as a frame is the first of its bucket. Nearly all are.
    #[inline]
    pub(super) fn approach(&self, pages: &[PageId]) {
        for page in pages {
            ask_for(std::ptr::from_ref(&self.heads[self.bucket_of(*page)]).addr());
        }
        for page in pages {
            let at = self.heads[self.bucket_of(*page)].load(Ordering::Relaxed);
            if let Some(frame) = self.frames.get(at as usize) {
                frame.approach();
                self.fetch.page(at);
            }
        }
    }

    /// Pins the page if it is in memory.
    pub(super) fn pin(&self, page: PageId) -> Option<Pinned<'_>> {
        self.pin_unlocked(page).or_else(|| self.lock(page).pin(page))
    }

    /// Pins the page if a walk without locks finds it.
    fn pin_unlocked(&self, page: PageId) -> Option<Pinned<'_>> {
        let mut at = self.heads[self.bucket_of(page)].load(Ordering::Acquire);
        for _ in 0..STEPS {
            let frame = self.frames.get(at as usize)?;
            if frame.page() == page.raw() {
                let pin = self.pin_frame(at)?;
                let same = frame.page() == page.raw() || cfg!(godb_plant = "trust-first-look");
                return same.then_some(pin);
            }
            at = frame.next.load(Ordering::Acquire);
        }
        None
    }

    /// Pins whatever page is in a frame, unless it is claimed.
    pub(super) fn pin_frame(&self, at: u32) -> Option<Pinned<'_>> {
        self.frame(at).try_pin().then(|| Pinned::new(self, at))
    }

    /// Puts `page` into a claimed frame and pins it, or, when it is in memory already, pins it there: the error.
    pub(super) fn install(&self, page: PageId, at: u32, loading: bool) -> Result<Pinned<'_>, Pinned<'_>> {
        let bucket = self.lock(page);
        if let Some(other) = bucket.pin(page) {
            return Err(other);
        }
        let frame = self.frame(at);
        frame.loading.store(loading, Ordering::Release);
        frame.set_page(page.raw());
        bucket.link(at);
        frame.unclaim_pinned();
        Ok(Pinned::new(self, at))
    }

    /// Takes a pinned frame's page out of the table: nobody finds it any more.
    pub(super) fn forsake(&self, at: u32) {
        let frame = self.frame(at);
        if let Some(page) = frame.page_id() {
            self.lock(page).unlink(at);
            frame.gone.store(true, Ordering::Release);
        }
    }

    /// Claims a frame whose page is gone, if its last user has left. One that is merely free may have a page by now, so what counts is the mark, which nobody
    /// else takes away meanwhile.
    fn reclaim(&self, frame: &Frame) -> bool {
        let _alone = self.reclaiming.lock();
        let reclaimed = frame.gone.load(Ordering::Acquire) && frame.try_claim();
        if reclaimed {
            frame.gone.store(false, Ordering::Release);
        }
        reclaimed
    }

    /// Claims a frame, and takes its page out of the table, if nobody uses it and the store has the page.
    pub(super) fn empty(&self, at: u32) -> bool {
        let frame = self.frame(at);
        let Some(page) = frame.page_id() else {
            return self.reclaim(frame);
        };
        let bucket = self.lock(page);
        if frame.page() != page.raw() || !frame.try_claim() {
            return false;
        }
        let kept = frame.is_dirty() && !cfg!(godb_plant = "evict-dirty");
        if kept || self.is_glanced_at(at) {
            frame.unclaim();
            return false;
        }
        bucket.unlink(at);
        true
    }

    /// Claims a frame that nobody uses, gives its changed page away to be kept elsewhere, and takes it out of the table; `false` when that is refused.
    pub(super) fn shelve(&self, at: u32, keep: impl FnOnce(PageId, Shelved) -> bool) -> bool {
        let frame = self.frame(at);
        let Some(page) = frame.page_id() else {
            return false;
        };
        let bucket = self.lock(page);
        if frame.page() != page.raw() || !frame.try_claim() {
            return false;
        }
        let dirt = match self.is_glanced_at(at) {
            true => None,
            false => frame.begin_writing(),
        };
        let Some((record, floor)) = dirt else {
            frame.unclaim();
            return false;
        };
        let bytes = frame.latch.read().bytes.as_ref().into();
        let kept = keep(page, Shelved { bytes, record, floor });
        self.end_writing(at, kept);
        match kept {
            true => bucket.unlink(at),
            false => frame.unclaim(),
        }
        kept
    }

    /// Whether anybody glances at a frame that was just claimed.
    fn is_glanced_at(&self, at: u32) -> bool {
        self.glances.any(at) && !cfg!(godb_plant = "claim-glanced")
    }

    /// Empties the frame of this page, if it is in memory: see [`empty`](Self::empty).
    pub(super) fn empty_page(&self, page: PageId) -> Option<u32> {
        let at = self.lock(page).find(page)?;
        (self.frame(at).page() == page.raw() && self.empty(at)).then_some(at)
    }
}

impl<'a> Bucket<'a> {
    /// The frame of a page.
    fn find(&self, page: PageId) -> Option<u32> {
        let mut at = self.head.load(Ordering::Acquire);
        loop {
            let frame = self.table.frames.get(at as usize)?;
            if frame.page() == page.raw() {
                return Some(at);
            }
            at = frame.next.load(Ordering::Acquire);
        }
    }

    /// Pins a page. Frames in the chain are claimed only under this lock, and then leave it: so the pin succeeds.
    fn pin(&self, page: PageId) -> Option<Pinned<'a>> {
        let pin = self.table.pin_frame(self.find(page)?);
        debug_assert!(pin.is_some(), "a frame in a chain is not claimed");
        pin
    }

    /// Puts a frame in front of the chain.
    fn link(&self, at: u32) {
        let frame = self.table.frame(at);
        frame
            .next
            .store(self.head.load(Ordering::Acquire), Ordering::Release);
        self.head.store(at, Ordering::Release);
    }

    /// Takes a frame out of the chain, and its page out of the frame.
    fn unlink(&self, at: u32) {
        let next = self.table.frame(at).next.load(Ordering::Acquire);
        let mut link = self.head;
        while link.load(Ordering::Acquire) != at {
            link = &self.table.frame(link.load(Ordering::Acquire)).next;
        }
        link.store(next, Ordering::Release);
        self.table.frame(at).set_page(NONE);
    }
}
