//! LRU: the page whose last use is longest ago goes first. The policy to read first.

use super::{EvictionPolicy, Frames, smallest};

/// Least recently used.
#[derive(Debug, Default)]
pub struct Lru;

impl EvictionPolicy for Lru {
    fn loaded(&mut self, _frame: usize, _tick: u32) {}

    fn victims(&mut self, frames: &dyn Frames, want: usize) -> Vec<usize> {
        smallest(frames, want, |frame| frames.last_used(frame))
    }
}
