//! Trying a transaction again after a conflict, with a pause that grows.
//!
//! Two that fail because of each other and begin again at once will often meet again. So each waits a random time, up to a limit that doubles with each attempt (exponential back-off with
//! "full jitter": what counts is that the times differ). The first attempt again is made at once, since the other one is mostly done by then. The limits are small: a conflict is over when a
//! commit is.

use godb_page::sync::{Condvar, Mutex, wait_for};
use godb_page::{Clock, Random};
use std::time::Duration;

/// The longest pause before the second attempt again.
const FIRST: Duration = Duration::from_micros(200);
/// The longest pause of all: with it, all attempts together take a few seconds.
const LONGEST: Duration = Duration::from_millis(50);

/// How long [`Database::transaction_with`](crate::Database::transaction_with) goes on trying. What comes first ends it, with the error of the last attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Retries {
    /// How often a transaction is tried again. Zero tries once.
    pub attempts: u32,
    /// No attempt begins so long after the first one. It does not cut one short that is under way.
    pub deadline: Duration,
}

impl Default for Retries {
    /// A hundred times within a minute.
    fn default() -> Self {
        Self {
            attempts: 100,
            deadline: Duration::from_secs(60),
        }
    }
}

/// Counts the attempts of one transaction.
pub(crate) struct Retry<'a> {
    limits: Retries,
    clock: &'a dyn Clock,
    random: &'a dyn Random,
    began: Duration,
    attempts: u32,
}

impl<'a> Retry<'a> {
    /// The first attempt begins.
    pub(crate) fn new(limits: Retries, clock: &'a dyn Clock, random: &'a dyn Random) -> Self {
        Self {
            limits,
            clock,
            random,
            began: clock.monotonic(),
            attempts: 0,
        }
    }

    /// Whether to try again; pauses before it says yes.
    pub(crate) fn again(&mut self) -> bool {
        let pause = pause(self.attempts, self.random.next_u64());
        let next = self.clock.monotonic().saturating_sub(self.began) + pause;
        if self.attempts >= self.limits.attempts || next >= self.limits.deadline {
            return false;
        }
        self.attempts += 1;
        if !pause.is_zero() {
            rest(pause);
        }
        true
    }
}

/// How long to wait before the attempt after `attempts` others, by a random number.
fn pause(attempts: u32, random: u64) -> Duration {
    let Some(doublings) = attempts.checked_sub(1) else {
        return Duration::ZERO;
    };
    let limit = FIRST.saturating_mul(1 << doublings.min(16)).min(LONGEST);
    let micros = u64::try_from(limit.as_micros()).unwrap_or(u64::MAX);
    Duration::from_micros(random % (micros + 1))
}

/// Does nothing for a while. Nobody notifies: the wait ends by its time.
fn rest(pause: Duration) {
    let nothing = Mutex::new(());
    wait_for(&Condvar::new(), &mut nothing.lock(), pause);
}

#[cfg(test)]
mod tests {
    use super::*;
    use godb_page::Environment;

    #[test]
    fn pauses_grow_are_bounded_and_differ() {
        assert_eq!(pause(0, u64::MAX), Duration::ZERO, "once more at once");
        let longest = |attempts| (0..1000).map(|n| pause(attempts, n * 7919)).max().unwrap();
        assert!(longest(1) <= FIRST && longest(1) > FIRST / 2);
        assert!(longest(4) > FIRST && longest(4) <= FIRST * 8);
        for attempts in [9, 20, 99, u32::MAX] {
            assert!(longest(attempts) <= LONGEST && longest(attempts) > LONGEST / 2);
        }
        assert_ne!(pause(9, 1234), pause(9, 99_999));
    }

    #[test]
    fn it_ends_after_so_many_attempts() {
        let world = Environment::simulated(1);
        let attempts = 2;
        let limits = Retries {
            attempts,
            ..Retries::default()
        };
        let mut retry = Retry::new(limits, &*world.clock, &*world.random);
        assert!(retry.again() && retry.again());
        assert!(!retry.again());
    }

    #[test]
    fn it_ends_at_its_deadline() {
        let world = Environment::simulated(1);
        let limits = |deadline| Retries {
            attempts: u32::MAX,
            deadline,
        };
        let at_once = limits(Duration::ZERO);
        assert!(!Retry::new(at_once, &*world.clock, &*world.random).again());
        let system = Environment::system();
        let mut retry = Retry::new(limits(Duration::from_millis(5)), &*system.clock, &*system.random);
        while retry.again() {}
        assert!(system.clock.monotonic().saturating_sub(retry.began) < Duration::from_secs(5));
    }
}
