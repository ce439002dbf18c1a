//! LRU-K with K = 2: the page whose second last use is longest ago goes first (O'Neil, O'Neil and Weikum, 1993).
//!
//! A page used once has no second last use and goes before all others, which is what keeps a scan from washing out the hot set.
//! Uses between two looks of the policy count as one: they are mostly the same query looking twice.

use super::ahead::Ahead;
use super::{EvictionPolicy, Frames};

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
    ahead: Ahead,
}

impl LruK {
    /// For a pool of `frames`.
    #[must_use]
    pub fn new(frames: usize) -> Self {
        Self {
            histories: vec![History::default(); frames],
            ahead: Ahead::default(),
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
        if self.ahead.is_spent(frames) {
            self.observe(frames);
            let Self { histories, ahead } = self;
            ahead.choose(frames, want, |frame| {
                (histories[frame].previous, histories[frame].last)
            });
        }
        self.ahead.take(frames, want)
    }
}
