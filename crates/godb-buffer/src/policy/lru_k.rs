//! LRU-K with K = 2: the page whose second last use is longest ago goes first (O'Neil, O'Neil and Weikum, 1993).
//!
//! A page used once has no second last use and goes before all others, which is what keeps a scan from washing out the hot set.
//! Uses shortly after one another count as one: the frame's mark moves only after a while.
//!
//! The danger of this order is a hot set that has grown cold: its pages were used twice, long ago, and new pages, used once, would go before them for ever. The paper keeps
//! the history of pages that have left memory; here a page not used while four times the pool was brought in counts as used once.

use super::ahead::Ahead;
use super::{EvictionPolicy, Frames};
use godb_page::PageId;

/// What is remembered of a frame's page: its last use but one, and its last.
#[derive(Clone, Copy, Debug, Default)]
struct History {
    previous: Option<u32>,
    last: u32,
}

impl History {
    /// Where the page stands: the smallest goes first.
    fn rank(self, now: u32, stale: u32) -> (Option<u32>, u32) {
        let lately = now.wrapping_sub(self.last) < stale;
        (self.previous.filter(|_| lately), self.last)
    }
}

/// Least recently used, but one.
#[derive(Debug)]
pub struct LruK {
    histories: Vec<History>,
    ahead: Ahead,
    /// The tick of the newest page.
    now: u32,
}

impl LruK {
    /// For a pool of `frames`.
    #[must_use]
    pub fn new(frames: usize) -> Self {
        Self {
            histories: vec![History::default(); frames],
            ahead: Ahead::default(),
            now: 0,
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
    fn loaded(&mut self, frame: usize, _page: PageId, tick: u32) {
        self.now = tick;
        self.histories[frame] = History {
            previous: None,
            last: tick,
        };
    }

    fn victims(&mut self, frames: &dyn Frames, want: usize) -> Vec<usize> {
        if self.ahead.is_spent(frames) {
            self.observe(frames);
            let Self {
                histories,
                ahead,
                now,
            } = self;
            let stale = u32::try_from(4 * frames.count()).unwrap_or(u32::MAX);
            ahead.choose(frames, want, |frame| histories[frame].rank(*now, stale));
        }
        self.ahead.take(frames, want)
    }
}
