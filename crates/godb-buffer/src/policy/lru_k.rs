//! LRU-K with K = 2: the page whose second last use is longest ago goes first (O'Neil, O'Neil and Weikum, 1993).
//!
//! A page used once has no second last use and goes before all others, which is what keeps a scan from washing out the hot set.
//! Uses within one tick of each other count as one: they are the same query looking twice.

use super::{EvictionPolicy, Frames, smallest};

/// What is remembered of a frame's page: its last use but one, and its last.
#[derive(Clone, Copy, Debug, Default)]
struct History {
    previous: Option<u32>,
    last: u32,
}

/// Least recently used, but one.
#[derive(Debug)]
pub struct LruK {
    histories: Vec<History>,
}

impl LruK {
    /// For a pool of `frames`.
    #[must_use]
    pub fn new(frames: usize) -> Self {
        Self {
            histories: vec![History::default(); frames],
        }
    }

    /// Takes in the uses that the frames were marked with since the last time.
    fn observe(&mut self, frames: &dyn Frames) {
        for (frame, history) in self.histories.iter_mut().enumerate() {
            let used = frames.last_used(frame);
            if used != history.last {
                *history = History {
                    previous: Some(history.last),
                    last: used,
                };
            }
        }
    }
}

impl EvictionPolicy for LruK {
    fn loaded(&mut self, frame: usize, tick: u32) {
        self.histories[frame] = History {
            previous: None,
            last: tick,
        };
    }

    fn victims(&mut self, frames: &dyn Frames, want: usize) -> Vec<usize> {
        self.observe(frames);
        smallest(frames, want, |frame| {
            (self.histories[frame].previous, self.histories[frame].last)
        })
    }
}
