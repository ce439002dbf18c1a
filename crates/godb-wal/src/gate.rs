//! [`Gate`]: many wait for a position to be reached, one of them does the work for all.
//!
//! Group commit (DeWitt et al., 1984) rests on one observation: a sync costs the same for one commit as for fifty. So whoever
//! finds nobody at work becomes the *leader* and flushes everything logged so far; the others are *followers* and sleep.
//! When the leader comes back, those whose position was covered are done, and one of the rest leads the next flush, which by now has a whole batch to carry. A lone
//! committer is always a leader: it never waits for another thread to be woken.
//!
//! The log has two gates, one for writing and one for syncing; the leader of a sync passes through the gate for writing.
//!
//! # The rules
//!
//! - Only one leads at a time, and it runs without the lock.
//! - `reached` only grows, and only by what a leader brought back.
//! - **One failure fails everybody**: those who wait get the very error, those who come later are told that the log is poisoned, and nobody ever
//!   leads again. After a failed sync the kernel may have dropped the pages and marked them clean, so that a second attempt would succeed and prove
//!   nothing (Rebello et al., 2020).
//! - Each follower sleeps on a *seat* of its own. A leader that comes back first wakes one whose position it did not cover, so that the next flush begins while the others are being
//!   woken, and then all it covered. The rest sleep on: with one condition variable for all, everybody is woken for every flush, one after the other, and half of them for nothing.
//! - Waking the next leader is not choosing it. Whoever finds nobody at work leads; one who was woken for that and comes too late sits down again. So the device never waits for a
//!   thread to be woken while another is there.
//! - If nobody is woken to lead, the rest sleep for ever: that is the classic mistake.
//!
//! `tests/loom.rs` runs this very type through every interleaving of four committers, and finds the planted bugs.

use godb_btree::Fault;
use godb_btree::sync::{Arc, Condvar, Mutex};

/// A position that is waited for. See the module's text.
#[derive(Debug)]
pub struct Gate {
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    /// Everything before this position is done.
    reached: u64,
    /// Somebody is at work.
    leading: bool,
    /// The first failure.
    failed: Option<Fault>,
    /// Those who sleep, with the positions that they wait for, in the order in which they came.
    waiting: Vec<(u64, Arc<Seat>)>,
}

/// Where one follower sleeps.
#[derive(Debug, Default)]
struct Seat {
    called: Mutex<Option<Call>>,
    changed: Condvar,
}

/// What a follower is told.
#[derive(Debug)]
enum Call {
    /// Its position is reached.
    Done,
    /// Nobody is at work: it may be its turn to lead.
    Look,
    /// A flush failed.
    Failed(Fault),
}

impl Seat {
    fn call(&self, call: Call) {
        *self.called.lock() = Some(call);
        self.changed.notify_one();
    }

    fn sleep(&self) -> Call {
        let mut called = self.called.lock();
        loop {
            if let Some(call) = called.take() {
                return call;
            }
            self.changed.wait(&mut called);
        }
    }
}

impl Gate {
    /// A gate that has reached `reached`.
    #[must_use]
    pub fn new(reached: u64) -> Self {
        Self {
            state: Mutex::new(State {
                reached,
                leading: false,
                failed: None,
                waiting: Vec::new(),
            }),
        }
    }

    /// The position before which everything is done.
    pub fn reached(&self) -> u64 {
        self.state.lock().reached
    }

    /// Returns when everything before `upto` is done. `lead` does the work if this caller becomes the leader: it returns the position it reached, which
    /// must be at least `upto`, since whatever is waited for was logged before.
    pub fn wait(&self, upto: u64, lead: impl Fn() -> Result<u64, Fault>) -> Result<(), Fault> {
        let mut state = self.state.lock();
        if state.reached < upto
            && let Some(fault) = &state.failed
        {
            return Err(poisoned(fault));
        }
        loop {
            if state.reached >= upto {
                return Ok(());
            }
            if let Some(fault) = &state.failed {
                return Err(fault.clone());
            }
            if state.leading {
                let seat = Arc::new(Seat::default());
                state.waiting.push((upto, seat.clone()));
                drop(state);
                match seat.sleep() {
                    Call::Done => return Ok(()),
                    Call::Failed(fault) => return Err(fault),
                    Call::Look => {}
                }
            } else {
                state.leading = true;
                drop(state);
                self.lead(&lead);
            }
            state = self.state.lock();
        }
    }

    /// Fails everybody who waits and everybody who will.
    pub fn fail(&self, fault: &Fault) {
        let mut state = self.state.lock();
        state.failed.get_or_insert_with(|| fault.clone());
        let calls = state.calls();
        drop(state);
        tell(calls);
    }

    /// Does the work as the leader and tells everybody how it ended. A panic in it counts as a failure, or the followers would sleep for ever.
    fn lead(&self, work: &impl Fn() -> Result<u64, Fault>) {
        let mut term = Term {
            gate: self,
            outcome: Err(Fault::Poisoned {
                why: "the thread that flushed the log panicked".into(),
            }),
        };
        term.outcome = work();
    }
}

/// A leader's time in office; ends when dropped.
struct Term<'a> {
    gate: &'a Gate,
    outcome: Result<u64, Fault>,
}

impl Drop for Term<'_> {
    fn drop(&mut self) {
        let mut state = self.gate.state.lock();
        state.leading = false;
        match &self.outcome {
            Ok(reached) => state.reached = state.reached.max(*reached),
            Err(_) if cfg!(godb_plant = "gate_forgets_failure") => {}
            Err(fault) => {
                state.failed.get_or_insert_with(|| fault.clone());
            }
        }
        let calls = state.calls();
        drop(state);
        tell(calls);
    }
}

impl State {
    /// Takes out those who need not sleep any longer, each with what it is told; the one who may lead now is the first.
    fn calls(&mut self) -> Vec<(Arc<Seat>, Call)> {
        let waiting = std::mem::take(&mut self.waiting);
        if let Some(fault) = &self.failed {
            let failed = waiting.into_iter();
            return failed
                .map(|(_, seat)| (seat, Call::Failed(fault.clone())))
                .collect();
        }
        let (done, rest): (Vec<_>, Vec<_>) = waiting.into_iter().partition(|(upto, _)| *upto <= self.reached);
        let mut rest = rest.into_iter();
        let next = match cfg!(godb_plant = "gate_wakes_nobody_to_lead") {
            true => None,
            false => rest.next(),
        };
        self.waiting = rest.collect();
        let next = next.map(|(_, seat)| (seat, Call::Look));
        let done = done.into_iter().map(|(_, seat)| (seat, Call::Done));
        next.into_iter().chain(done).collect()
    }
}

fn tell(calls: Vec<(Arc<Seat>, Call)>) {
    let calls = calls.into_iter();
    let at_most = if cfg!(godb_plant = "gate_wakes_one") {
        1
    } else {
        usize::MAX
    };
    calls.take(at_most).for_each(|(seat, call)| seat.call(call));
}

/// What those are told who come after the failure.
pub(crate) fn poisoned(first: &Fault) -> Fault {
    match first {
        Fault::Poisoned { .. } => first.clone(),
        other => Fault::Poisoned {
            why: other.to_string().into(),
        },
    }
}

#[cfg(test)]
#[cfg(not(godb_loom))]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicU64, Ordering};

    #[test]
    fn a_lone_waiter_leads_and_a_covered_one_does_not() {
        let gate = Gate::new(10);
        let led = AtomicU64::new(0);
        let lead = || {
            led.fetch_add(1, Ordering::Relaxed);
            Ok(50)
        };
        gate.wait(10, lead).unwrap();
        assert_eq!(led.load(Ordering::Relaxed), 0);
        gate.wait(20, lead).unwrap();
        gate.wait(50, lead).unwrap();
        assert_eq!(led.load(Ordering::Relaxed), 1, "one flush covered both");
    }

    #[test]
    fn after_a_failure_what_was_reached_stays_and_nothing_else_is_tried() {
        let gate = Gate::new(0);
        gate.wait(5, || Ok(5)).unwrap();
        let refused = || {
            Err(Fault::Full {
                file: "log".into(),
                what: "test".into(),
            })
        };
        assert!(matches!(gate.wait(6, refused), Err(Fault::Full { .. })));
        let never = || panic!("nobody leads again");
        assert!(matches!(gate.wait(6, never), Err(Fault::Poisoned { .. })));
        gate.wait(5, never).unwrap();
    }

    #[test]
    fn whoever_fails_the_gate_fails_all_who_come_later() {
        let gate = Gate::new(3);
        let fault = Fault::Full {
            file: "log".into(),
            what: "test".into(),
        };
        gate.fail(&fault);
        gate.wait(3, || panic!("that was reached")).unwrap();
        let refused = gate.wait(4, || panic!("nobody leads any more"));
        assert!(matches!(refused, Err(Fault::Poisoned { .. })));
    }

    #[test]
    fn a_leader_that_panics_fails_the_others() {
        let gate = Gate::new(0);
        let panicked =
            std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| gate.wait(1, || panic!("boom"))));
        assert!(panicked.is_err());
        assert!(matches!(gate.wait(1, || Ok(1)), Err(Fault::Poisoned { .. })));
    }
}
