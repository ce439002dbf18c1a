//! [`EvictionPolicy`]: which page leaves memory when room is needed.
//!
//! A policy never hears of single accesses: the hit path only leaves a mark on the frame, and that only when its last mark is some ticks old.
//! The policy reads the marks when a victim is wanted. A tick passes with every miss, so that "used since" means "used since that many pages were
//! brought in".

mod ahead;
mod clock;
mod lru;
mod lru_k;

pub use clock::Clock;
pub use lru::Lru;
pub use lru_k::LruK;

/// The pool's frames, as a policy sees them.
pub trait Frames {
    /// How many there are.
    fn count(&self) -> usize;
    /// Whether a frame could be emptied: nobody uses it. It may have to be written first.
    fn evictable(&self, frame: usize) -> bool;
    /// The tick at which the frame's page was last used.
    fn last_used(&self, frame: usize) -> u32;
    /// Tells whether the frame was used since this was last asked.
    fn take_used(&self, frame: usize) -> bool;
}

/// Chooses victims. Called under a lock of the pool's, never concurrently.
pub trait EvictionPolicy: Send {
    /// A page was brought into this frame.
    fn loaded(&mut self, frame: usize, tick: u32);
    /// Up to `want` evictable frames whose pages are least likely to be wanted, the least likely first. None only when
    /// no frame is evictable, or all were used while the policy looked.
    fn victims(&mut self, frames: &dyn Frames, want: usize) -> Vec<usize>;
}

/// The policies that come with godb.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum EvictionKind {
    /// Second chance: a hand goes round and takes the first page that was not used since it last came by.
    #[default]
    Clock,
    /// The page whose last use is longest ago. Simple to understand; a scan washes everything else out.
    Lru,
    /// The page whose second last use is longest ago: a page read once, by a scan, goes first.
    LruK,
}

impl EvictionKind {
    /// The policy, for a pool of `frames`.
    #[must_use]
    pub fn build(self, frames: usize) -> Box<dyn EvictionPolicy> {
        match self {
            Self::Clock => Box::new(Clock::default()),
            Self::Lru => Box::new(Lru::default()),
            Self::LruK => Box::new(LruK::new(frames)),
        }
    }
}

#[cfg(test)]
mod tests;
