//! What the pool counts about itself.

use super::frame::Frame;
use godb_page::sync::Mutex;
use godb_page::sync::atomic::{AtomicU64, Ordering};

/// Counters since the pool was made, read only for statistics and therefore relaxed.
pub(super) struct Counters {
    pub(super) misses: AtomicU64,
    pub(super) evictions: AtomicU64,
    pub(super) written: AtomicU64,
    pub(super) batches: AtomicU64,
    /// Pins that are not hits: by the pool itself, and of pages on their way in.
    pub(super) own_pins: AtomicU64,
    pins: Mutex<Pins>,
}

/// The frames' pin counts, which wrap, added up into one that does not.
struct Pins {
    seen: Vec<u32>,
    total: u64,
}

impl Counters {
    pub(super) fn new(frames: usize) -> Self {
        Self {
            misses: AtomicU64::new(0),
            evictions: AtomicU64::new(0),
            written: AtomicU64::new(0),
            batches: AtomicU64::new(0),
            own_pins: AtomicU64::new(0),
            pins: Mutex::new(Pins {
                seen: vec![0; frames],
                total: 0,
            }),
        }
    }

    pub(super) fn add(counter: &AtomicU64, n: usize) {
        counter.fetch_add(n as u64, Ordering::Relaxed);
    }

    pub(super) fn snapshot(&self, frames: &[Frame], dirty: usize, glances: u64) -> PoolStats {
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        PoolStats {
            frames: frames.len(),
            dirty,
            hits: glances + self.count_pins(frames).saturating_sub(read(&self.own_pins)),
            misses: read(&self.misses),
            evictions: read(&self.evictions),
            written: read(&self.written),
            batches: read(&self.batches),
        }
    }

    fn count_pins(&self, frames: &[Frame]) -> u64 {
        let mut pins = self.pins.lock();
        let Pins { seen, total } = &mut *pins;
        for (seen, frame) in seen.iter_mut().zip(frames) {
            let now = frame.pins_ever();
            *total += u64::from(now.wrapping_sub(*seen));
            *seen = now;
        }
        *total
    }
}

/// How the pool has fared since it was made.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PoolStats {
    /// How many frames it has.
    pub frames: usize,
    /// How many of them hold pages that are not written yet.
    pub dirty: usize,
    /// Pages asked for that were in memory. Exact when asked for at least once in 2³² hits of one frame.
    pub hits: u64,
    /// Pages that had to be read, or were begun afresh.
    pub misses: u64,
    /// Pages that had to leave.
    pub evictions: u64,
    /// Pages written to the store.
    pub written: u64,
    /// The batches in which they were written.
    pub batches: u64,
}

impl PoolStats {
    /// The share of pages asked for that were in memory; none when nobody asked.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "a share is as exact as that")]
    pub fn hit_rate(&self) -> Option<f64> {
        let asked = self.hits + self.misses;
        (asked > 0).then(|| self.hits as f64 / asked as f64)
    }
}
