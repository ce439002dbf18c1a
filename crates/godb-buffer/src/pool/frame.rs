//! [`Frame`]: room for one page, and what the pool knows about the page in it.

use godb_page::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use godb_page::sync::{Mutex, RwLock};
use godb_page::{Fault, Lsn, PageId};

/// What lies behind a frame's latch.
pub(super) struct Body {
    /// The page's bytes.
    pub(super) bytes: Box<[u8]>,
    /// Why the page could not be read, if it could not: whoever waited for it is told.
    pub(super) failed: Option<Fault>,
}

/// How the page differs from the store's.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Dirt {
    /// Redo after a crash must start here or before; `None` when the page is clean.
    pub(super) floor: Option<Lsn>,
    /// The record of the last change.
    pub(super) lsn: Lsn,
    /// A copy of it is being written.
    pub(super) writing: bool,
    /// The floor of the first change after that copy was taken.
    pub(super) since_copy: Option<Lsn>,
}

/// Room for one page.
pub(super) struct Frame {
    /// The page latch.
    pub(super) latch: RwLock<Body>,
    /// Which page is in it; means something only while the table says so too.
    page: AtomicU32,
    /// How many users it has. Raised only under the lock of its page's part of the table.
    pins: AtomicU32,
    /// The page is being read from the store.
    pub(super) loading: AtomicBool,
    /// Whether there is dirt, without taking the lock.
    dirty: AtomicBool,
    /// How the page differs from the store's.
    dirt: Mutex<Dirt>,
    /// The pool's tick at the last use.
    used_at: AtomicU32,
    /// Used since the policy last asked.
    used: AtomicBool,
}

impl Frame {
    /// An empty frame.
    pub(super) fn new(page_size: usize) -> Self {
        Self {
            latch: RwLock::new(Body {
                bytes: vec![0; page_size].into_boxed_slice(),
                failed: None,
            }),
            page: AtomicU32::new(0),
            pins: AtomicU32::new(0),
            loading: AtomicBool::new(false),
            dirty: AtomicBool::new(false),
            dirt: Mutex::new(Dirt::default()),
            used_at: AtomicU32::new(0),
            used: AtomicBool::new(false),
        }
    }

    /// Which page is in it.
    pub(super) fn page(&self) -> PageId {
        PageId::from_raw(self.page.load(Ordering::Acquire))
    }

    /// Gives it to a page.
    pub(super) fn assign(&self, page: PageId) {
        self.page.store(page.raw(), Ordering::Release);
    }

    /// Marks it as used now. Writes nothing when it was marked in this tick already: hot frames stay unshared.
    pub(super) fn touch(&self, tick: u32) {
        if self.used_at.load(Ordering::Relaxed) != tick {
            self.used_at.store(tick, Ordering::Relaxed);
        }
        if !self.used.load(Ordering::Relaxed) {
            self.used.store(true, Ordering::Relaxed);
        }
    }

    /// The tick of its last use.
    pub(super) fn used_at(&self) -> u32 {
        self.used_at.load(Ordering::Relaxed)
    }

    /// Whether it was used since this was last asked.
    pub(super) fn take_used(&self) -> bool {
        self.used.swap(false, Ordering::Relaxed)
    }

    /// One more user.
    pub(super) fn pin(&self) {
        self.pins.fetch_add(1, Ordering::AcqRel);
    }

    /// One user less.
    pub(super) fn unpin(&self) {
        self.pins.fetch_sub(1, Ordering::AcqRel);
    }

    /// Whether nobody uses it.
    pub(super) fn is_unpinned(&self) -> bool {
        self.pins.load(Ordering::Acquire) == 0
    }

    /// Whether the page must be written before the frame can be given away.
    pub(super) fn is_dirty(&self) -> bool {
        self.dirty.load(Ordering::Acquire)
    }

    /// Notes a change. Called with the latch held for writing.
    pub(super) fn soil(&self, floor: Lsn, lsn: Lsn) {
        let mut dirt = self.dirt.lock();
        dirt.floor.get_or_insert(floor);
        if dirt.writing {
            dirt.since_copy.get_or_insert(floor);
        }
        dirt.lsn = lsn;
        self.dirty.store(true, Ordering::Release);
    }

    /// Notes that a copy is being taken for writing, unless the page is clean; returns its last record and its floor.
    /// Called with the latch held.
    pub(super) fn begin_writing(&self) -> Option<(Lsn, Lsn)> {
        let mut dirt = self.dirt.lock();
        let floor = dirt.floor?;
        dirt.writing = true;
        dirt.since_copy = None;
        Some((dirt.lsn, floor))
    }

    /// The copy was written, or not.
    pub(super) fn end_writing(&self, written: bool) {
        let mut dirt = self.dirt.lock();
        if !dirt.writing {
            return;
        }
        dirt.writing = false;
        if written {
            dirt.floor = dirt.since_copy;
        }
        self.dirty.store(dirt.floor.is_some(), Ordering::Release);
    }

    /// Forgets all dirt: nobody wants the bytes.
    pub(super) fn clean(&self) {
        *self.dirt.lock() = Dirt::default();
        self.dirty.store(false, Ordering::Release);
    }

    /// Where redo would have to start for this page.
    pub(super) fn floor(&self) -> Option<Lsn> {
        if self.is_dirty() {
            self.dirt.lock().floor
        } else {
            None
        }
    }
}
