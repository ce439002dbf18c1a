//! [`Frame`]: room for one page, and what the pool knows about the page in it.

use super::arena::Room;
use super::dirt::Dirt;
use super::latch::Latch;
use godb_page::sync::Mutex;
use godb_page::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};
use godb_page::{Fault, Lsn, PageId, ask_for};

/// No page, and the end of a chain. No page has this number.
pub(super) const NONE: u32 = u32::MAX;

/// Set in [`Frame::pins`] while one thread has the frame to itself: it is free, or about to change its page.
const CLAIMED: u64 = 1 << 31;

/// One pin: one in the lower half, the pins there are; one in the upper half, the pins there ever were.
const PIN: u64 = 1 << 32 | 1;

/// What a frame's bytes are worth.
pub(super) enum Content {
    /// They are the page.
    Good,
    /// The page could not be read; whoever waited for it is told.
    Failed(Box<Fault>),
    /// The page has left this frame; whoever waited for it looks again.
    Gone,
}

/// What lies behind a frame's latch.
pub(super) struct Body {
    /// The page's bytes.
    pub(super) bytes: Room,
    /// What they are worth.
    pub(super) content: Content,
}

/// Room for one page. What a hit touches, up to the latch and the address of the bytes, is one cache line.
#[repr(C, align(64))]
pub(super) struct Frame {
    /// Users now, users ever, and whether the frame is claimed: one word, so that a hit costs one atomic addition to pin
    /// and to count.
    pins: AtomicU64,
    /// Which page is in it. Changes only while the frame is claimed, or, to none, under the lock of the page's bucket.
    page: AtomicU32,
    /// The next frame of the same bucket.
    pub(super) next: AtomicU32,
    /// The pool's tick at the last use that counted.
    used_at: AtomicU32,
    /// Used since the policy last asked.
    used: AtomicBool,
    /// The page is being read from the store.
    pub(super) loading: AtomicBool,
    /// Its page was given up while others used it: free when the last of them has left.
    pub(super) gone: AtomicBool,
    /// Whether there is dirt, without taking the lock.
    dirty: AtomicBool,
    /// The page latch.
    pub(super) latch: Latch<Body>,
    /// How the page differs from the store's.
    dirt: Mutex<Dirt>,
}

impl Frame {
    /// An empty frame, claimed by whoever made it.
    pub(super) fn new(room: Room) -> Self {
        Self {
            pins: AtomicU64::new(CLAIMED),
            page: AtomicU32::new(NONE),
            next: AtomicU32::new(NONE),
            loading: AtomicBool::new(false),
            gone: AtomicBool::new(false),
            dirty: AtomicBool::new(false),
            used: AtomicBool::new(false),
            used_at: AtomicU32::new(0),
            dirt: Mutex::new(Dirt::default()),
            latch: Latch::new(Body {
                bytes: room,
                content: Content::Gone,
            }),
        }
    }

    /// Asks for what the frame says of its page.
    #[inline]
    pub(super) fn approach(&self) {
        let start = std::ptr::from_ref(self).addr();
        (0..size_of::<Self>())
            .step_by(64)
            .for_each(|line| ask_for(start + line));
    }

    /// The number of the page in it.
    pub(super) fn page(&self) -> u32 {
        self.page.load(Ordering::Acquire)
    }

    /// Gives it to a page, or to none.
    pub(super) fn set_page(&self, page: u32) {
        self.page.store(page, Ordering::Release);
    }

    /// Marks it as used at this tick, unless the use counted last was less than `period` ticks ago: an operation that looks at a page twice uses
    /// it once. Hot frames are therefore seldom written to, and a page that a scan passes over counts as used once.
    pub(super) fn touch(&self, tick: u32, period: u32) {
        if tick.wrapping_sub(self.used_at.load(Ordering::Relaxed)) >= period {
            self.used_at.store(tick, Ordering::Relaxed);
            self.used.store(true, Ordering::Relaxed);
        }
    }

    /// Begins to count the uses of another page, brought in at this tick.
    pub(super) fn begin_uses(&self, tick: u32) {
        self.used_at.store(tick, Ordering::Relaxed);
        self.used.store(false, Ordering::Relaxed);
    }

    /// The tick of its last use.
    pub(super) fn used_at(&self) -> u32 {
        self.used_at.load(Ordering::Relaxed)
    }

    /// Whether it was used since this was last asked.
    pub(super) fn take_used(&self) -> bool {
        self.used.load(Ordering::Relaxed) && self.used.swap(false, Ordering::Relaxed)
    }

    /// One more user, unless the frame is claimed. The caller then makes sure that it holds the page it wants.
    pub(super) fn try_pin(&self) -> bool {
        // Acquire: what the claimer wrote before it let go, the page's number above all, is seen.
        let before = self.pins.fetch_add(PIN, Ordering::AcqRel);
        if before & CLAIMED == 0 {
            return true;
        }
        self.pins.fetch_sub(PIN, Ordering::AcqRel);
        false
    }

    /// One user less.
    pub(super) fn unpin(&self) {
        self.pins.fetch_sub(1, Ordering::AcqRel);
    }

    /// How many pins there ever were, modulo 2³².
    pub(super) fn pins_ever(&self) -> u32 {
        u32::try_from(self.pins.load(Ordering::Relaxed) >> 32).expect("the upper half has 32 bits")
    }

    /// Whether nobody uses it, and it is not claimed.
    pub(super) fn is_idle(&self) -> bool {
        self.pins.load(Ordering::Acquire) << 32 == 0
    }

    /// Whether one thread has the frame to itself.
    pub(super) fn is_claimed(&self) -> bool {
        self.pins.load(Ordering::SeqCst) & CLAIMED != 0
    }

    /// Takes an idle frame for this thread alone. Who glances at it is not asked: see [`Table::empty`](super::table::Table::empty).
    pub(super) fn try_claim(&self) -> bool {
        let now = self.pins.load(Ordering::Acquire);
        let idle = now << 32 == 0;
        if cfg!(godb_plant = "claim-pinned") {
            self.pins.fetch_or(CLAIMED, Ordering::AcqRel);
            return now & CLAIMED == 0;
        }
        // Acquire: the changes of every user that has gone are seen, the dirty mark above all.
        idle && self
            .pins
            .compare_exchange(now, now | CLAIMED, Ordering::SeqCst, Ordering::Relaxed)
            .is_ok()
    }

    /// Gives a claim up.
    pub(super) fn unclaim(&self) {
        self.pins.fetch_sub(CLAIMED, Ordering::AcqRel);
    }

    /// Turns a claim into a pin.
    pub(super) fn unclaim_pinned(&self) {
        self.pins.fetch_sub(CLAIMED - 1, Ordering::AcqRel);
    }

    /// Whether the page must be written before the frame can be given away.
    pub(super) fn is_dirty(&self) -> bool {
        self.dirty.load(Ordering::Acquire)
    }

    /// Notes a change; tells whether the page was clean. Called with the latch held for writing.
    pub(super) fn soil(&self, floor: Lsn, lsn: Lsn) -> bool {
        let mut dirt = self.dirt.lock();
        let was_clean = dirt.floor().is_none();
        dirt.add(floor, lsn);
        self.dirty.store(true, Ordering::Release);
        was_clean
    }

    /// Notes that a copy is being taken for writing, unless the page is clean or another copy is on its way; returns its
    /// last record and its floor. Called with the latch held.
    pub(super) fn begin_writing(&self) -> Option<(Lsn, Lsn)> {
        self.dirt.lock().begin_writing()
    }

    /// The copy was written, or not; tells whether the page is clean now.
    pub(super) fn end_writing(&self, written: bool) -> bool {
        let mut dirt = self.dirt.lock();
        dirt.end_writing(written);
        let is_clean = dirt.floor().is_none();
        self.dirty.store(!is_clean, Ordering::Release);
        is_clean
    }

    /// Where redo would have to start for this page.
    pub(super) fn floor(&self) -> Option<Lsn> {
        if self.is_dirty() {
            self.dirt.lock().floor()
        } else {
            None
        }
    }

    /// The page in it as an id; none for an empty frame.
    pub(super) fn page_id(&self) -> Option<PageId> {
        let page = self.page();
        (page != NONE).then(|| PageId::from_raw(page))
    }
}
