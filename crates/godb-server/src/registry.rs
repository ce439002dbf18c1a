//! [`Registry`]: who is connected, and how to reach what they run.

use crate::wire::Socket;
use godb::Canceller;
use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicI32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// A connected client.
pub(crate) struct Entry {
    /// The number that stands for it.
    pub(crate) process: i32,
    /// What has to be known to cancel its statements.
    secret: i32,
    /// Ends what it runs.
    pub(crate) canceller: Canceller,
    /// Its socket.
    pub(crate) socket: Arc<Socket>,
    /// It runs a statement that may take long.
    pub(crate) busy: AtomicBool,
}

/// Everybody who is logged in.
#[derive(Default)]
pub(crate) struct Registry {
    entries: Mutex<HashMap<i32, Arc<Entry>>>,
    last: AtomicI32,
}

impl Registry {
    fn entries(&self) -> MutexGuard<'_, HashMap<i32, Arc<Entry>>> {
        self.entries.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A number that nobody has.
    pub(crate) fn number(&self) -> i32 {
        let next = |last: i32| Some(if last == i32::MAX { 1 } else { last + 1 });
        self.last
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, next)
            .map_or(1, |last| last.wrapping_add(1).max(1))
    }

    /// Adds a client; it is taken out when the result is dropped.
    pub(crate) fn enter(
        self: &Arc<Self>,
        process: i32,
        secret: i32,
        canceller: Canceller,
        socket: Arc<Socket>,
    ) -> Registered {
        let entry = Arc::new(Entry {
            process,
            secret,
            canceller,
            socket,
            busy: AtomicBool::new(false),
        });
        self.entries().insert(process, entry.clone());
        Registered {
            entry,
            registry: self.clone(),
        }
    }

    /// Ends what a client runs, if the secret is right. It has taken effect on return.
    pub(crate) fn cancel(&self, process: i32, secret: i32) -> bool {
        let entry = self.entries().get(&process).cloned();
        let Some(entry) = entry.filter(|entry| entry.secret == secret) else {
            return false;
        };
        entry.canceller.cancel();
        true
    }

    /// All of them.
    pub(crate) fn all(&self) -> Vec<Arc<Entry>> {
        self.entries().values().cloned().collect()
    }
}

/// A client's place in the registry.
pub(crate) struct Registered {
    pub(crate) entry: Arc<Entry>,
    registry: Arc<Registry>,
}

impl Drop for Registered {
    fn drop(&mut self) {
        self.registry.entries().remove(&self.entry.process);
    }
}
