//! [`Registry`]: the sessions of a database by the numbers their clients know them by.

use super::SessionContext;
use godb_mvcc::sync::Mutex;
use std::collections::HashMap;
use std::sync::{Arc, Weak};

/// Sessions that were given a number. Those of embedded use were not.
#[derive(Debug, Default)]
pub(crate) struct Registry(Mutex<HashMap<i32, Weak<SessionContext>>>);

impl Registry {
    /// The session of that number; those that are gone make room.
    pub(super) fn enter(&self, process: i32, context: &Arc<SessionContext>) {
        let mut sessions = self.0.lock();
        sessions.retain(|_, session| session.strong_count() > 0);
        sessions.insert(process, Arc::downgrade(context));
    }

    /// Finds a session.
    pub(crate) fn find(&self, process: i32) -> Option<Arc<SessionContext>> {
        self.0.lock().get(&process)?.upgrade()
    }
}
