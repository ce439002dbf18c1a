//! [`Ticket`]: what a waiting request sleeps on.

use super::patience::Interrupt;
use godb_recovery::sync::{Condvar, Mutex, wait_for};
use godb_recovery::{Fault, TxnId};
use std::time::Duration;

/// How often one who waits looks whether to go on. Long enough that hundreds who wait cost nothing, and short for who asked for the end.
const BETWEEN_LOOKS: Duration = Duration::from_millis(10);

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
    /// Was told to wait no longer.
    Interrupted,
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

    /// The same, but looks every few milliseconds whether to wait no longer.
    pub(super) fn wait_unless(&self, timeout: Duration, interrupt: &dyn Interrupt) -> Outcome {
        let mut left = timeout;
        let mut outcome = self.outcome.lock();
        while outcome.is_waiting() {
            let slice = left.min(BETWEEN_LOOKS);
            if interrupt.is_requested() {
                *outcome = Outcome::Interrupted;
            } else if left.is_zero() {
                *outcome = Outcome::TimedOut;
            } else if wait_for(&self.settled, &mut outcome, slice) {
                left -= slice;
            }
        }
        outcome.clone()
    }
}
