//! The same locks, atomics and threads for loom, in the shape of parking_lot's: `lock()` gives the guard itself.

use std::ops::{Deref, DerefMut};
/// The standard library's: loom's own cannot hold trait objects, and counting references is not what the models are about.
pub use std::sync::Arc;

/// Atomic numbers.
pub mod atomic {
    pub use loom::sync::atomic::{AtomicBool, AtomicI64, AtomicU32, AtomicU64, AtomicUsize, Ordering, fence};
}

/// A cell that reports accesses which no protocol orders.
pub mod cell {
    pub use loom::cell::{ConstPtr, MutPtr, UnsafeCell};
}

/// Threads.
pub mod thread {
    pub use loom::thread::{JoinHandle, spawn, yield_now};

    /// Threads that may borrow, of which loom has none: each runs at once, on the thread that starts it. So models do not explore them.
    #[derive(Debug)]
    pub struct Scope(());

    impl Scope {
        /// Runs `body`.
        pub fn spawn(&self, body: impl FnOnce()) {
            body();
        }
    }

    /// Runs `body`.
    pub fn scope<R>(body: impl FnOnce(&Scope) -> R) -> R {
        body(&Scope(()))
    }
}

const POISONED: &str = "a thread of the model panicked";

/// Mutual exclusion.
#[derive(Debug, Default)]
pub struct Mutex<T>(loom::sync::Mutex<T>);

/// Access to what a [`Mutex`] holds. The option is empty only while a condition variable has the lock.
#[derive(Debug)]
pub struct MutexGuard<'a, T>(Option<loom::sync::MutexGuard<'a, T>>);

impl<T> Mutex<T> {
    /// A lock around `value`.
    pub fn new(value: T) -> Self {
        Self(loom::sync::Mutex::new(value))
    }

    /// Waits for the lock.
    pub fn lock(&self) -> MutexGuard<'_, T> {
        MutexGuard(Some(self.0.lock().expect(POISONED)))
    }

    /// Takes the lock if it is free.
    pub fn try_lock(&self) -> Option<MutexGuard<'_, T>> {
        self.0.try_lock().ok().map(|guard| MutexGuard(Some(guard)))
    }

    /// Takes the value out.
    pub fn into_inner(self) -> T {
        self.0.into_inner().expect(POISONED)
    }
}

impl<T> Deref for MutexGuard<'_, T> {
    type Target = T;

    fn deref(&self) -> &T {
        self.0.as_ref().expect("the lock is held")
    }
}

impl<T> DerefMut for MutexGuard<'_, T> {
    fn deref_mut(&mut self) -> &mut T {
        self.0.as_mut().expect("the lock is held")
    }
}

/// Many readers or one writer.
#[derive(Debug, Default)]
pub struct RwLock<T>(loom::sync::RwLock<T>);

/// Shared access.
#[derive(Debug)]
pub struct RwLockReadGuard<'a, T>(loom::sync::RwLockReadGuard<'a, T>);

/// Exclusive access.
#[derive(Debug)]
pub struct RwLockWriteGuard<'a, T>(loom::sync::RwLockWriteGuard<'a, T>);

impl<T> RwLock<T> {
    /// A lock around `value`.
    pub fn new(value: T) -> Self {
        Self(loom::sync::RwLock::new(value))
    }

    /// Waits for shared access.
    pub fn read(&self) -> RwLockReadGuard<'_, T> {
        RwLockReadGuard(self.0.read().expect(POISONED))
    }

    /// Waits for exclusive access.
    pub fn write(&self) -> RwLockWriteGuard<'_, T> {
        RwLockWriteGuard(self.0.write().expect(POISONED))
    }

    /// Takes shared access if nobody writes.
    pub fn try_read(&self) -> Option<RwLockReadGuard<'_, T>> {
        self.0.try_read().ok().map(RwLockReadGuard)
    }

    /// Takes exclusive access if nobody has any.
    pub fn try_write(&self) -> Option<RwLockWriteGuard<'_, T>> {
        self.0.try_write().ok().map(RwLockWriteGuard)
    }
}

impl<T> Deref for RwLockReadGuard<'_, T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.0
    }
}

impl<T> Deref for RwLockWriteGuard<'_, T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.0
    }
}

impl<T> DerefMut for RwLockWriteGuard<'_, T> {
    fn deref_mut(&mut self) -> &mut T {
        &mut self.0
    }
}

/// Waiting for something to change under a [`Mutex`].
#[derive(Debug, Default)]
pub struct Condvar(loom::sync::Condvar);

impl Condvar {
    /// A new one, with nobody waiting.
    pub fn new() -> Self {
        Self(loom::sync::Condvar::new())
    }

    /// Lets go of the lock, waits for a notification, takes the lock again.
    pub fn wait<T>(&self, guard: &mut MutexGuard<'_, T>) {
        let held = guard.0.take().expect("the lock is held");
        guard.0 = Some(self.0.wait(held).expect(POISONED));
    }

    /// Wakes one waiter.
    pub fn notify_one(&self) {
        self.0.notify_one();
    }

    /// Wakes every waiter.
    pub fn notify_all(&self) {
        self.0.notify_all();
    }
}

/// A model has no time: waits until notified.
pub fn wait_for<T>(condvar: &Condvar, guard: &mut MutexGuard<'_, T>, _timeout: std::time::Duration) -> bool {
    condvar.wait(guard);
    false
}

/// Runs `body` under every interleaving with up to `preemptions` preemptions, prints how many there were, for `protocol`, and returns it.
///
/// A run that ends early counts as a pass for loom, so nothing here limits it but its own end, and nothing from outside may.
///
/// # Panics
/// When the model fails in any interleaving, when the environment would cut it short, or when there was only one way to go, so that nothing was explored.
#[expect(
    clippy::print_stdout,
    reason = "it runs in tests; `cargo xtask loom` reads the line"
)]
pub fn explore(protocol: &str, preemptions: usize, body: impl Fn() + Send + Sync + 'static) -> u64 {
    for cut in [
        "LOOM_MAX_DURATION",
        "LOOM_MAX_PERMUTATIONS",
        "LOOM_CHECKPOINT_FILE",
    ] {
        assert!(
            std::env::var_os(cut).is_none(),
            "{cut}: a model that is cut short proves nothing"
        );
    }
    let runs = Arc::new(std::sync::atomic::AtomicU64::new(0));
    let counted = runs.clone();
    let mut builder = loom::model::Builder::new();
    builder.preemption_bound = Some(preemptions);
    builder.max_duration = None;
    builder.max_permutations = None;
    builder.checkpoint_file = None;
    builder.max_branches = 100_000;
    builder.check(move || {
        counted.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        body();
    });
    let runs = runs.load(std::sync::atomic::Ordering::Relaxed);
    println!("model of {protocol}: {runs} interleavings");
    assert!(runs > 1, "{protocol}: there was only one way to go");
    runs
}
