//! [`Connection`]: one of the sessions and transactions that may be open at once.

use crate::error::{Error, Result};
use crate::instance::Instance;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// How many are open.
#[derive(Debug, Default)]
pub(crate) struct Connections(AtomicUsize);

/// Keeps the database open, and counts against its limit while it lives.
pub(crate) struct Connection {
    instance: Arc<Instance>,
}

impl Connection {
    /// One more, if the limit allows.
    pub(crate) fn open(instance: &Arc<Instance>) -> Result<Self> {
        let limit = instance.config.max_connections;
        let more = |open: usize| (open < limit).then_some(open + 1);
        match instance
            .connections
            .0
            .fetch_update(Ordering::AcqRel, Ordering::Acquire, more)
        {
            Ok(_) => Ok(Self {
                instance: instance.clone(),
            }),
            Err(_) => Err(Error::TooManyConnections { limit }),
        }
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        self.instance.connections.0.fetch_sub(1, Ordering::AcqRel);
    }
}
