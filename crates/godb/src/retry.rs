//! Trying a transaction again after a conflict, with a pause that grows.
//!
//! Two that fail because of each other and begin again at once will often meet again. So each waits a random time, up to a limit that doubles with each attempt (exponential back-off with
//! "full jitter": what counts is that the times differ). The first attempt again is made at once, since the other one is mostly done by then. The limits are small: a conflict is over when a
//! commit is.

use godb_page::Random;
use godb_page::sync::{Condvar, Mutex, wait_for};
use std::time::Duration;

/// How often a transaction is tried again before its error is given back.
const MOST: u32 = 100;
/// The longest pause before the second attempt again.
const FIRST: Duration = Duration::from_micros(200);
/// The longest pause of all: with it, all attempts together take a few seconds.
const LONGEST: Duration = Duration::from_millis(50);

/// Counts the attempts of one transaction.
#[derive(Default)]
pub(crate) struct Retry {
    attempts: u32,
}

impl Retry {
    /// Whether to try again; pauses before it says yes.
    pub(crate) fn again(&mut self, random: &dyn Random) -> bool {
        if self.attempts == MOST {
            return false;
        }
        let pause = pause(self.attempts, random.next_u64());
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
    fn it_ends() {
        let random = Environment::simulated(1).random;
        let mut retry = Retry { attempts: MOST - 2 };
        assert!(retry.again(&*random) && retry.again(&*random));
        assert!(!retry.again(&*random));
    }
}
