//! The product's locks, atomics and threads.

pub use parking_lot::{Condvar, Mutex, MutexGuard, RwLock, RwLockReadGuard, RwLockWriteGuard};
pub use std::sync::Arc;

/// Atomic numbers.
pub mod atomic {
    pub use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU32, AtomicU64, AtomicUsize, Ordering, fence};
}

/// Threads.
pub mod thread {
    pub use std::thread::{JoinHandle, spawn, yield_now};

    /// Threads that may borrow, and end before [`scope`] does.
    pub struct Scope<'scope, 'env> {
        inner: &'scope std::thread::Scope<'scope, 'env>,
        spawned: super::Mutex<Vec<std::thread::ScopedJoinHandle<'scope, ()>>>,
    }

    impl<'scope> Scope<'scope, '_> {
        /// Starts a thread. A panic in it is one of [`scope`].
        pub fn spawn(&self, body: impl FnOnce() + Send + 'scope) {
            self.spawned.lock().push(self.inner.spawn(body));
        }
    }

    /// Runs `body` and waits for the threads it starts. Unlike the standard library's, it joins each of them: the end of a thread that is not joined is told by atomics
    /// inside the compiled library, which ThreadSanitizer cannot see.
    pub fn scope<'env, R>(body: impl for<'scope> FnOnce(&Scope<'scope, 'env>) -> R) -> R {
        std::thread::scope(|inner| {
            let spawned = super::Mutex::default();
            let scope = Scope { inner, spawned };
            let result = body(&scope);
            for thread in scope.spawned.into_inner() {
                if let Err(panic) = thread.join() {
                    std::panic::resume_unwind(panic);
                }
            }
            result
        })
    }
}

/// Waits on `condvar` until it is notified or `timeout` is over; tells whether the time was over.
pub fn wait_for<T>(condvar: &Condvar, guard: &mut MutexGuard<'_, T>, timeout: std::time::Duration) -> bool {
    condvar.wait_for(guard, timeout).timed_out()
}
