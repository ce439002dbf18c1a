//! A clock that cannot be trusted.

use super::survivors::mix;
use godb::Environment;
use godb_page::Clock;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::time::Duration;

/// A wall clock that goes back, jumps by years and stops, by a seed. Its monotonic time stands still or goes on.
struct Jumpy {
    seed: u64,
    asked: AtomicU64,
    wall: AtomicI64,
    monotonic: AtomicU64,
}

/// A year in microseconds.
const YEAR: i64 = 365 * 86_400 * 1_000_000;

impl Jumpy {
    fn next(&self) -> u64 {
        mix(self.seed, self.asked.fetch_add(1, Ordering::Relaxed))
    }
}

impl Clock for Jumpy {
    fn wall_micros(&self) -> i64 {
        let next = self.next();
        let by = match next % 6 {
            0 | 1 => 0,
            2 => 1 + ((next >> 8) % 65_536).cast_signed(),
            3 => -1 - ((next >> 8) % 65_536).cast_signed(),
            4 => YEAR,
            _ => -YEAR,
        };
        self.wall.fetch_add(by, Ordering::Relaxed) + by
    }

    fn monotonic(&self) -> Duration {
        let by = if self.next().is_multiple_of(3) {
            1_000_000
        } else {
            0
        };
        Duration::from_micros(self.monotonic.fetch_add(by, Ordering::Relaxed) + by)
    }
}

/// An environment with such a clock.
pub(super) fn jumpy(seed: u64) -> Environment {
    Environment {
        clock: Arc::new(Jumpy {
            seed,
            asked: AtomicU64::new(0),
            wall: AtomicI64::new(1_577_836_800_000_000),
            monotonic: AtomicU64::new(0),
        }),
        ..Environment::simulated(7)
    }
}
