//! [`Gate`]: how many pages may be held at once, so that nobody who holds latches ever waits for a frame.
//!
//! An operation says beforehand how many pages it will hold. The sum over all admitted operations never exceeds the frames,
//! hence there is always a frame that no admitted operation needs, and fetching never dead-locks.

use godb_page::sync::atomic::{AtomicUsize, Ordering};
use godb_page::sync::{Condvar, Mutex};

/// Counts what may still be held.
pub(super) struct Gate {
    free: AtomicUsize,
    total: usize,
    /// How many wait; their number changes only under this lock.
    waiting: Mutex<usize>,
    /// A copy of it that leaving operations look at without the lock.
    crowded: AtomicUsize,
    changed: Condvar,
}

impl Gate {
    /// A gate for `total` pages.
    pub(super) fn new(total: usize) -> Self {
        Self {
            free: AtomicUsize::new(total),
            total,
            waiting: Mutex::new(0),
            crowded: AtomicUsize::new(0),
            changed: Condvar::new(),
        }
    }

    /// Waits until `pages` more may be held. More than there are is cut to all there are.
    pub(super) fn enter(&self, pages: usize) -> Admission<'_> {
        let pages = pages.min(self.total);
        if !self.try_take(pages) {
            self.wait(pages);
        }
        Admission { gate: self, pages }
    }

    fn try_take(&self, pages: usize) -> bool {
        let take = |free: usize| free.checked_sub(pages);
        self.free
            .fetch_update(Ordering::SeqCst, Ordering::SeqCst, take)
            .is_ok()
    }

    fn wait(&self, pages: usize) {
        let mut waiting = self.waiting.lock();
        *waiting += 1;
        // From here on whoever leaves takes the lock and notifies; one who left before is seen by the check below.
        self.crowded.store(*waiting, Ordering::SeqCst);
        while !self.try_take(pages) {
            self.changed.wait(&mut waiting);
        }
        *waiting -= 1;
        self.crowded.store(*waiting, Ordering::SeqCst);
    }

    fn leave(&self, pages: usize) {
        self.free.fetch_add(pages, Ordering::SeqCst);
        if self.crowded.load(Ordering::SeqCst) > 0 {
            let _waiting = self.waiting.lock();
            self.changed.notify_all();
        }
    }
}

/// The right to hold some pages; given back when dropped.
pub struct Admission<'a> {
    gate: &'a Gate,
    pages: usize,
}

impl Drop for Admission<'_> {
    fn drop(&mut self) {
        self.gate.leave(self.pages);
    }
}
