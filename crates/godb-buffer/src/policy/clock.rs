//! CLOCK: an approximation of LRU with one bit a page (Corbató, 1968).

use super::{EvictionPolicy, Frames};
use godb_page::PageId;

/// The hand of the clock.
#[derive(Debug, Default)]
pub struct Clock {
    hand: usize,
}

impl EvictionPolicy for Clock {
    fn loaded(&mut self, _frame: usize, _page: PageId, _tick: u32) {}

    fn victims(&mut self, frames: &dyn Frames, want: usize) -> Vec<usize> {
        let mut victims = Vec::with_capacity(want);
        // Twice round: the first round may only clear marks.
        for _ in 0..2 * frames.count() {
            if victims.len() == want {
                break;
            }
            let frame = self.hand;
            self.hand = (self.hand + 1) % frames.count();
            if frames.evictable(frame) && !frames.take_used(frame) && !victims.contains(&frame) {
                victims.push(frame);
            }
        }
        victims
    }
}
