//! [`Cancellation`]: ending what a session runs, from another thread.
//!
//! Each statement has a number, and a request names the last statement that has begun. So a request that comes late, when that statement has ended, meets nobody: the next one has a
//! higher number. And a result that is still being read while the session has gone on to another statement is ended with it. One flag for all, which each
//! statement lowers when it begins, would fail in the second.

use godb_txn::sync::Arc;
use godb_txn::sync::atomic::{AtomicU64, Ordering};

/// Requests to end what a session runs, seen by one of its statements. Cheap to clone; the clones belong to the same session.
#[derive(Clone, Debug)]
pub struct Cancellation {
    shared: Arc<Requests>,
    /// The statement that this one speaks for.
    of: u64,
}

#[derive(Debug)]
struct Requests {
    /// The number of the last statement that has begun.
    begun: AtomicU64,
    /// Every statement up to this one shall end.
    ended: AtomicU64,
}

impl Default for Cancellation {
    /// For a new session, or for a statement without one.
    fn default() -> Self {
        let (begun, ended) = (AtomicU64::new(1), AtomicU64::new(0));
        Self {
            shared: Arc::new(Requests { begun, ended }),
            of: 1,
        }
    }
}

impl Cancellation {
    /// Asks whatever the session runs now to end: its statement, and results that are still being read.
    pub fn request(&self) {
        let last = self.shared.begun.load(Ordering::Acquire);
        let upto = last + u64::from(cfg!(godb_plant = "cancel-next-too"));
        self.shared.ended.fetch_max(upto, Ordering::AcqRel);
    }

    /// A new statement begins; this, and what is cloned from it now, speaks for that one.
    pub fn begin(&mut self) {
        self.of = self.shared.begun.fetch_add(1, Ordering::AcqRel) + 1;
        if cfg!(godb_plant = "begin-forgives") {
            self.shared.ended.store(0, Ordering::Release);
        }
    }

    /// Whether the statement shall end.
    #[must_use]
    pub fn is_requested(&self) -> bool {
        self.shared.ended.load(Ordering::Acquire) >= self.of
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_is_for_what_has_begun() {
        let mut session = Cancellation::default();
        let handle = session.clone();
        handle.request();
        assert!(session.is_requested());
        session.begin();
        assert!(!session.is_requested(), "that was for the one before");
        let (first, idle) = (session.clone(), Cancellation::default());
        session.begin();
        handle.request();
        assert!(first.is_requested() && session.is_requested() && !idle.is_requested());
        session.begin();
        assert!(first.is_requested() && !session.is_requested());
    }
}
