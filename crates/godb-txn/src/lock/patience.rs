//! [`Patience`]: how long a request waits for a lock, and what ends the wait.

use std::sync::Arc;
use std::time::Duration;

/// Says whether whoever waits shall wait no longer: because a user asked for that, or because time has run out. It is asked every few milliseconds, must answer at
/// once, and must not use locks of this layer.
pub trait Interrupt: Send + Sync {
    /// Whether the wait is to end.
    fn is_requested(&self) -> bool;
}

/// How a transaction waits for locks. By default as long as is configured, and to the end.
#[derive(Clone, Default)]
pub struct Patience {
    /// How long at most; `None` is what is configured.
    pub timeout: Option<Duration>,
    /// What ends a wait before its time.
    pub interrupt: Option<Arc<dyn Interrupt>>,
}

impl std::fmt::Debug for Patience {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Patience")
            .field("timeout", &self.timeout)
            .field("interrupt", &self.interrupt.is_some())
            .finish()
    }
}
