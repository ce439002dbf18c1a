//! LRU: the page whose last use is longest ago goes first. The policy to read first.

use super::ahead::Ahead;
use super::{EvictionPolicy, Frames};
use godb_page::PageId;

/// Least recently used.
#[derive(Debug, Default)]
pub struct Lru {
    ahead: Ahead,
}

impl EvictionPolicy for Lru {
    fn loaded(&mut self, _frame: usize, _page: PageId, _tick: u32) {}

    fn victims(&mut self, frames: &dyn Frames, want: usize) -> Vec<usize> {
        if self.ahead.is_spent(frames) {
            self.ahead.choose(frames, want, |frame| frames.last_used(frame));
        }
        self.ahead.take(frames, want)
    }
}
