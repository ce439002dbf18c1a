//! [`Doorbell`]: wakes whoever does background work when there is some.
//!
//! Ringing is cheap, so that it may be done with every change: unless the last ring was heard, one look at a flag that does not change.

use godb_btree::sync::atomic::{AtomicBool, Ordering};
use godb_btree::sync::{Condvar, Mutex, wait_for};
use std::time::Duration;

/// Rung by many, heard by one.
#[derive(Debug)]
pub(crate) struct Doorbell {
    rung: AtomicBool,
    door: Mutex<()>,
    sound: Condvar,
}

impl Doorbell {
    pub(crate) fn new() -> Self {
        Self {
            rung: AtomicBool::new(false),
            door: Mutex::new(()),
            sound: Condvar::new(),
        }
    }

    pub(crate) fn ring(&self) {
        if self.rung.load(Ordering::Acquire) || self.rung.swap(true, Ordering::AcqRel) {
            return;
        }
        // Whoever is about to wait has looked at the flag before this, and waits by now, or looks afterwards.
        drop(self.door.lock());
        self.sound.notify_all();
    }

    /// Returns when the bell was rung since the last time, or when the time is over.
    pub(crate) fn wait(&self, at_most: Duration) {
        let mut door = self.door.lock();
        if !self.rung.load(Ordering::Acquire) {
            wait_for(&self.sound, &mut door, at_most);
        }
        self.rung.store(false, Ordering::Release);
    }
}

#[cfg(all(test, not(godb_loom)))]
mod tests {
    use super::*;

    const LONG: Duration = Duration::from_secs(600);

    #[test]
    fn a_ring_before_the_wait_is_heard() {
        let bell = Doorbell::new();
        bell.ring();
        bell.ring();
        bell.wait(LONG);
        assert!(!bell.rung.load(Ordering::Acquire), "it was heard");
        bell.wait(Duration::from_millis(1));
    }

    #[test]
    fn a_ring_during_the_wait_is_heard() {
        let bell = Doorbell::new();
        std::thread::scope(|scope| {
            let waiter = scope.spawn(|| bell.wait(LONG));
            while !waiter.is_finished() {
                bell.ring();
                std::thread::yield_now();
            }
        });
    }
}
