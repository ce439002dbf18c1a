//! [`Ahead`]: victims chosen ahead of time.
//!
//! Choosing by order of use means looking at every frame. Doing so for each miss would make a miss cost more the larger the pool is; so a share of the frames is
//! chosen in one go and used up one after the other. A frame that is used meanwhile drops out when its turn comes.

use super::Frames;
use std::collections::VecDeque;

/// One in so many frames is chosen at once.
const SHARE: usize = 32;

/// Victims chosen ahead of time, the first to go in front.
#[derive(Debug, Default)]
pub(super) struct Ahead {
    /// Frames, and the tick of their last use when they were chosen.
    chosen: VecDeque<(usize, u32)>,
}

impl Ahead {
    /// Drops those that were used meanwhile from the front; whether none are left.
    pub(super) fn is_spent(&mut self, frames: &dyn Frames) -> bool {
        while let Some((frame, used)) = self.chosen.front() {
            if frames.evictable(*frame) && frames.last_used(*frame) == *used {
                return false;
            }
            self.chosen.pop_front();
        }
        true
    }

    /// Chooses anew: at least `want` frames, those with the smallest key.
    pub(super) fn choose<K: Ord>(&mut self, frames: &dyn Frames, want: usize, key: impl Fn(usize) -> K) {
        let count = want.max(frames.count() / SHARE);
        let mut candidates: Vec<usize> = (0..frames.count())
            .filter(|frame| frames.evictable(*frame))
            .collect();
        if candidates.len() > count && count > 0 {
            candidates.select_nth_unstable_by_key(count - 1, |frame| key(*frame));
            candidates.truncate(count);
        }
        candidates.sort_unstable_by_key(|frame| key(*frame));
        self.chosen = candidates
            .into_iter()
            .map(|frame| (frame, frames.last_used(frame)))
            .collect();
    }

    /// The next `want` of those that are left.
    pub(super) fn take(&mut self, frames: &dyn Frames, want: usize) -> Vec<usize> {
        let mut victims = Vec::with_capacity(want);
        while victims.len() < want && !self.is_spent(frames) {
            victims.extend(self.chosen.pop_front().map(|(frame, _)| frame));
        }
        victims
    }
}
