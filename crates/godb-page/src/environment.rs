//! What a database takes from the machine besides files: the time, randomness, and threads.
//!
//! All three come through here, so that a test can run a whole database from one seed.

use std::sync::Arc;
use std::time::Duration;

/// Tells the time.
pub trait Clock: Send + Sync {
    /// Microseconds since 1970-01-01 00:00:00 UTC. May go backwards: nothing may be correct only because of it.
    fn wall_micros(&self) -> i64;
    /// Time since some fixed moment; never goes backwards. For time-outs and measurements.
    fn monotonic(&self) -> Duration;
}

/// Gives random bytes, unpredictable in production and repeatable in a simulation.
pub trait Random: Send + Sync {
    /// Fills `into`.
    fn fill(&self, into: &mut [u8]);

    /// A random number.
    fn next_u64(&self) -> u64 {
        let mut bytes = [0; 8];
        self.fill(&mut bytes);
        u64::from_le_bytes(bytes)
    }
}

/// A background thread that was started; joined when the database closes.
pub trait Joining: Send {
    /// Waits until it has ended.
    fn join(self: Box<Self>);
}

/// Starts the few named background threads.
pub trait Spawn: Send + Sync {
    /// Runs `body` on a thread called `name`, or returns `None` where no threads are wanted:
    /// whoever asked then calls the same `step()` itself.
    fn spawn(&self, name: &str, body: Box<dyn FnOnce() + Send>) -> Option<Box<dyn Joining>>;

    /// How many short-lived threads may help the caller's with a piece of work that can be divided. None, where everything shall happen in one order.
    fn helpers(&self) -> usize {
        0
    }
}

/// The three together, as a database is given them.
#[derive(Clone)]
pub struct Environment {
    /// Tells the time.
    pub clock: Arc<dyn Clock>,
    /// Gives random bytes.
    pub random: Arc<dyn Random>,
    /// Starts threads.
    pub spawn: Arc<dyn Spawn>,
}
