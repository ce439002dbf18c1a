//! [`Latch`]: many readers or one writer of a page, with a second door for readers who only glance.
//!
//! Through the first door one waits, in a lock's queue. Through the second one does not: a reader who has [announced](super::glances) itself looks whether a
//! writer is inside, and is in if there is none. A writer takes the lock, says that it is inside, and waits until the announced readers have gone.

#![expect(
    unsafe_code,
    reason = "two doors lead to one value; the protocol, not one lock, keeps readers and the writer apart"
)]

use super::glances::{Announced, Glances};
use godb_page::sync::atomic::{AtomicBool, Ordering};
use godb_page::sync::cell::{ConstPtr, MutPtr, UnsafeCell};
use godb_page::sync::{RwLock, RwLockReadGuard, RwLockWriteGuard};
use std::ops::{Deref, DerefMut};

/// A value with a latch.
pub(super) struct Latch<T> {
    lock: RwLock<()>,
    /// A writer is inside, or waits inside for readers to go.
    writing: AtomicBool,
    value: UnsafeCell<T>,
}

// SAFETY: the value is sent between threads by writers, who are alone with it, and shared between readers, as by a lock of the standard library.
unsafe impl<T: Send + Sync> Sync for Latch<T> {}

/// Shared access, through the lock. Fields are dropped in order: the pointer first.
pub(super) struct LatchRead<'a, T> {
    value: ConstPtr<T>,
    _lock: RwLockReadGuard<'a, ()>,
}

/// Shared access, announced.
pub(super) struct Glance<'a, T> {
    value: ConstPtr<T>,
    _announced: Announced<'a>,
}

/// Exclusive access. Fields are dropped in order: the pointer, the word that a writer is inside, the lock.
pub(super) struct LatchWrite<'a, T> {
    value: MutPtr<T>,
    _inside: Inside<'a>,
    _lock: RwLockWriteGuard<'a, ()>,
}

/// A writer is inside.
struct Inside<'a>(&'a AtomicBool);

impl Drop for Inside<'_> {
    fn drop(&mut self) {
        // Release: who glances afterwards sees what was written.
        self.0.store(false, Ordering::Release);
    }
}

impl<T> Latch<T> {
    /// A latch on `value`.
    pub(super) fn new(value: T) -> Self {
        Self {
            lock: RwLock::new(()),
            writing: AtomicBool::new(false),
            value: UnsafeCell::new(value),
        }
    }

    /// Waits for shared access.
    pub(super) fn read(&self) -> LatchRead<'_, T> {
        self.reading(self.lock.read())
    }

    /// Takes shared access if nobody writes.
    pub(super) fn try_read(&self) -> Option<LatchRead<'_, T>> {
        Some(self.reading(self.lock.try_read()?))
    }

    fn reading<'a>(&'a self, lock: RwLockReadGuard<'a, ()>) -> LatchRead<'a, T> {
        LatchRead {
            value: self.value.get(),
            _lock: lock,
        }
    }

    /// Takes shared access for one who has announced itself, if nobody writes.
    #[inline]
    pub(super) fn glance<'a>(&'a self, announced: Announced<'a>) -> Option<Glance<'a, T>> {
        // Acquire, by SeqCst: what the last writer wrote is seen.
        if self.writing.load(Ordering::SeqCst) {
            return None;
        }
        Some(Glance {
            value: self.value.get(),
            _announced: announced,
        })
    }

    /// Waits for exclusive access. `frame` is the number under which readers of this latch announce themselves in `glances`.
    pub(super) fn write(&self, glances: &Glances, frame: u32) -> LatchWrite<'_, T> {
        let lock = self.lock.write();
        self.writing.store(true, Ordering::SeqCst);
        let inside = Inside(&self.writing);
        if !cfg!(godb_plant = "write-under-glances") {
            glances.wait_gone(frame);
        }
        LatchWrite {
            value: self.value.get_mut(),
            _inside: inside,
            _lock: lock,
        }
    }
}

impl<T> Deref for LatchRead<'_, T> {
    type Target = T;

    fn deref(&self) -> &T {
        // SAFETY: a writer has the lock exclusively, and this guard has it shared.
        unsafe { self.value.deref() }
    }
}

impl<T> Deref for Glance<'_, T> {
    type Target = T;

    #[inline]
    fn deref(&self) -> &T {
        // SAFETY: the announcement came before the look that found no writer inside. One that came in since waits until the announcement is withdrawn, which
        // happens when this guard is dropped.
        unsafe { self.value.deref() }
    }
}

impl<T> Deref for LatchWrite<'_, T> {
    type Target = T;

    fn deref(&self) -> &T {
        // SAFETY: the lock is held exclusively; readers who were announced before the word was set have gone, and those who announce themselves later see
        // the word. The guard is borrowed, so nobody follows its pointer for writing.
        unsafe { self.value.deref() }
    }
}

impl<T> DerefMut for LatchWrite<'_, T> {
    fn deref_mut(&mut self) -> &mut T {
        // SAFETY: as above, and the guard is borrowed exclusively.
        unsafe { self.value.deref() }
    }
}
