//! Implementations of [`Clock`], [`Random`] and [`Spawn`]: the machine's own, and ones that a test commands.

use crate::environment::{Clock, Environment, Joining, Random, Spawn};
use crate::sync::Mutex;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

/// The machine's clock.
#[derive(Debug)]
pub struct SystemClock {
    start: Instant,
}

impl Default for SystemClock {
    fn default() -> Self {
        Self {
            start: Instant::now(),
        }
    }
}

impl Clock for SystemClock {
    fn wall_micros(&self) -> i64 {
        let micros = |time: Duration| i64::try_from(time.as_micros()).unwrap_or(i64::MAX);
        match SystemTime::now().duration_since(SystemTime::UNIX_EPOCH) {
            Ok(since) => micros(since),
            Err(before) => -micros(before.duration()),
        }
    }

    fn monotonic(&self) -> Duration {
        self.start.elapsed()
    }
}

/// A clock that a test sets.
#[derive(Debug, Default)]
pub struct ManualClock {
    now: Mutex<(i64, Duration)>,
}

impl ManualClock {
    /// A clock that shows `wall_micros` until it is moved.
    #[must_use]
    pub fn at(wall_micros: i64) -> Self {
        Self {
            now: Mutex::new((wall_micros, Duration::ZERO)),
        }
    }

    /// Lets time pass.
    pub fn advance(&self, by: Duration) {
        let mut now = self.now.lock();
        now.0 = now
            .0
            .saturating_add(i64::try_from(by.as_micros()).unwrap_or(i64::MAX));
        now.1 += by;
    }

    /// Sets the wall clock, backwards too.
    pub fn set_wall(&self, wall_micros: i64) {
        self.now.lock().0 = wall_micros;
    }
}

impl Clock for ManualClock {
    fn wall_micros(&self) -> i64 {
        self.now.lock().0
    }

    fn monotonic(&self) -> Duration {
        self.now.lock().1
    }
}

/// Randomness from the operating system.
#[derive(Debug, Default)]
pub struct SystemRandom;

impl Random for SystemRandom {
    /// # Panics
    /// When the system has no randomness to give, which no Linux does after it has started.
    fn fill(&self, into: &mut [u8]) {
        let mut done = 0;
        while done < into.len() {
            match rustix::rand::getrandom(&mut into[done..], rustix::rand::GetRandomFlags::empty()) {
                Ok(count) => done += count,
                Err(rustix::io::Errno::INTR) => {}
                Err(error) => panic!("the operating system gives no randomness: {error}"),
            }
        }
    }
}

/// Numbers that only look random: the same seed gives the same ones (Steele, Lea and Flood's SplitMix64, 2014).
#[derive(Debug)]
pub struct SeededRandom {
    state: Mutex<u64>,
}

impl SeededRandom {
    /// From a seed.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self {
            state: Mutex::new(seed),
        }
    }

    fn step(&self) -> u64 {
        let mut state = self.state.lock();
        *state = state.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = *state;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }
}

impl Random for SeededRandom {
    fn fill(&self, into: &mut [u8]) {
        for chunk in into.chunks_mut(8) {
            chunk.copy_from_slice(&self.step().to_le_bytes()[..chunk.len()]);
        }
    }
}

/// More helpers than this would wait for the one who deals out the work.
const MOST_HELPERS: usize = 3;

/// Real threads.
#[derive(Debug, Default)]
pub struct SystemSpawn;

struct Thread(std::thread::JoinHandle<()>);

impl Joining for Thread {
    fn join(self: Box<Self>) {
        // A panic of a background thread was printed when it happened; there is nobody here to act on it.
        drop(self.0.join());
    }
}

impl Spawn for SystemSpawn {
    fn spawn(&self, name: &str, body: Box<dyn FnOnce() + Send>) -> Option<Box<dyn Joining>> {
        let thread = std::thread::Builder::new()
            .name(name.to_owned())
            .spawn(body)
            .ok()?;
        Some(Box::new(Thread(thread)))
    }

    /// One for each processor but the caller's, up to [`MOST_HELPERS`].
    fn helpers(&self) -> usize {
        let processors = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        (processors - 1).min(MOST_HELPERS)
    }
}

/// No threads: whoever wants background work done does it.
#[derive(Debug, Default)]
pub struct NoThreads;

impl Spawn for NoThreads {
    fn spawn(&self, _name: &str, _body: Box<dyn FnOnce() + Send>) -> Option<Box<dyn Joining>> {
        None
    }
}

impl Environment {
    /// The machine's own clock, randomness and threads.
    #[must_use]
    pub fn system() -> Self {
        Self {
            clock: Arc::new(SystemClock::default()),
            random: Arc::new(SystemRandom),
            spawn: Arc::new(SystemSpawn),
        }
    }

    /// A clock that stands at the year 2020, randomness from a seed, no threads.
    #[must_use]
    pub fn simulated(seed: u64) -> Self {
        let clock = ManualClock::at(1_577_836_800_000_000);
        Self {
            clock: Arc::new(clock),
            random: Arc::new(SeededRandom::new(seed)),
            spawn: Arc::new(NoThreads),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_repeats_and_the_system_does_not() {
        let draw = |random: &dyn Random| (random.next_u64(), random.next_u64());
        assert_eq!(draw(&SeededRandom::new(7)), draw(&SeededRandom::new(7)));
        assert_ne!(draw(&SeededRandom::new(7)), draw(&SeededRandom::new(8)));
        assert_ne!(draw(&SystemRandom), draw(&SystemRandom));
        let mut bytes = [0; 1000];
        SystemRandom.fill(&mut bytes);
        assert!(bytes.chunks(100).all(|part| part.iter().any(|byte| *byte != 0)));
    }

    #[test]
    fn a_manual_clock_goes_where_it_is_told() {
        let clock = ManualClock::at(1_000_000);
        clock.advance(Duration::from_secs(2));
        assert_eq!(
            (clock.wall_micros(), clock.monotonic()),
            (3_000_000, Duration::from_secs(2))
        );
        clock.set_wall(5);
        assert_eq!(
            (clock.wall_micros(), clock.monotonic()),
            (5, Duration::from_secs(2)),
            "only the wall went back"
        );
        assert!(SystemClock::default().wall_micros() > 1_577_836_800_000_000);
    }

    #[test]
    fn threads_run_or_are_refused() {
        let ran = Arc::new(Mutex::new(false));
        let body = |ran: Arc<Mutex<bool>>| Box::new(move || *ran.lock() = true) as Box<dyn FnOnce() + Send>;
        assert!(NoThreads.spawn("none", body(ran.clone())).is_none());
        SystemSpawn
            .spawn("one", body(ran.clone()))
            .expect("a thread starts")
            .join();
        assert!(*ran.lock());
        assert_eq!(NoThreads.helpers(), 0);
        assert!(SystemSpawn.helpers() <= MOST_HELPERS);
    }
}
