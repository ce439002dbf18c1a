//! [`Ticket`]: what a waiting request sleeps on.

use godb_recovery::sync::{Condvar, Mutex, wait_for};
use godb_recovery::{Fault, TxnId};
use std::time::Duration;

/// How a wait stands.
#[derive(Clone, Debug)]
pub(super) enum Outcome {
    /// Still waiting.
    Waiting,
    /// The lock is held now.
    Granted,
    /// Chosen to give way in this cycle.
    Victim(Vec<TxnId>),
    /// Has to give way to this one, that nobody may come to wait for ever.
    GaveWay(TxnId),
    /// Waited long enough.
    TimedOut,
    /// Nobody gets locks any more, for this reason.
    Refused(Fault),
}

impl Outcome {
    fn is_waiting(&self) -> bool {
        matches!(self, Self::Waiting)
    }
}

/// Where a request waits. Whoever settles it first decides: a grant, a victim's choice, a time-out and a refusal exclude each other.
#[derive(Debug)]
pub(super) struct Ticket {
    outcome: Mutex<Outcome>,
    settled: Condvar,
}

impl Ticket {
    pub(super) fn new() -> Self {
        Self {
            outcome: Mutex::new(Outcome::Waiting),
            settled: Condvar::new(),
        }
    }

    /// Settles the wait, unless it is settled; tells whether it was this call.
    pub(super) fn settle(&self, outcome: Outcome) -> bool {
        let mut now = self.outcome.lock();
        if !now.is_waiting() {
            return false;
        }
        *now = outcome;
        drop(now);
        #[cfg(not(godb_plant = "settle-quietly"))]
        self.settled.notify_all();
        true
    }

    /// Whether nothing is decided yet.
    pub(super) fn is_waiting(&self) -> bool {
        self.outcome.lock().is_waiting()
    }

    /// Sleeps until settled, or until `timeout` is over, which settles it too. Without any time it is over at once.
    pub(super) fn wait(&self, timeout: Duration) -> Outcome {
        let mut outcome = self.outcome.lock();
        if timeout.is_zero() && outcome.is_waiting() {
            *outcome = Outcome::TimedOut;
        }
        while outcome.is_waiting() {
            if wait_for(&self.settled, &mut outcome, timeout) && outcome.is_waiting() {
                *outcome = Outcome::TimedOut;
            }
        }
        outcome.clone()
    }
}
