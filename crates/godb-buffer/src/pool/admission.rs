//! [`Gate`]: how many pages may be held at once, so that nobody who holds latches ever waits for a frame.
//!
//! An operation says beforehand how many pages it will hold. The sum over all admitted operations never exceeds the frames,
//! hence there is always a frame that no admitted operation needs, and fetching never dead-locks.
//!
//! What is free and who waits are one atomic word. Were they two, a leaving operation could look for waiters just before one announces itself, and that one look
//! for room just before it is given back; with one word, whichever comes second sees the first.

use godb_page::sync::atomic::{AtomicU64, Ordering};
use godb_page::sync::{Condvar, Mutex};

/// One waiter, in the upper half of the word; the lower half is how many pages are free.
const WAITER: u64 = 1 << 32;

/// Counts what may still be held.
pub(super) struct Gate {
    word: AtomicU64,
    total: usize,
    /// Waiters sleep under this lock, and are woken under it.
    sleeping: Mutex<()>,
    changed: Condvar,
}

impl Gate {
    /// A gate for `total` pages.
    pub(super) fn new(total: usize) -> Self {
        Self {
            word: AtomicU64::new(total as u64),
            total,
            sleeping: Mutex::new(()),
            changed: Condvar::new(),
        }
    }

    /// Waits until `pages` more may be held. More than there are is cut to all there are.
    pub(super) fn enter(&self, pages: usize) -> Admission<'_> {
        let pages = pages.min(self.total) as u64;
        if !self.try_take(pages, 0) {
            self.wait(pages);
        }
        Admission { gate: self, pages }
    }

    /// Takes pages, and with them some waiters' words, if so many are free.
    fn try_take(&self, pages: u64, waiters: u64) -> bool {
        let take = |word: u64| (word % WAITER >= pages).then(|| word - pages - waiters);
        self.word
            .fetch_update(Ordering::AcqRel, Ordering::Acquire, take)
            .is_ok()
    }

    fn wait(&self, pages: u64) {
        let mut sleeping = self.sleeping.lock();
        self.word.fetch_add(WAITER, Ordering::AcqRel);
        while !self.try_take(pages, WAITER) {
            self.changed.wait(&mut sleeping);
        }
    }

    fn leave(&self, pages: u64) {
        let planted = cfg!(godb_plant = "gate-looks-first").then(|| self.word.load(Ordering::Acquire));
        let before = self.word.fetch_add(pages, Ordering::AcqRel);
        if planted.unwrap_or(before) >= WAITER {
            // A waiter that has announced itself is asleep or holds the lock: it cannot miss this.
            let _sleeping = self.sleeping.lock();
            self.changed.notify_all();
        }
    }
}

/// The right to hold some pages; given back when dropped.
pub struct Admission<'a> {
    gate: &'a Gate,
    pages: u64,
}

impl Drop for Admission<'_> {
    fn drop(&mut self) {
        self.gate.leave(self.pages);
    }
}
