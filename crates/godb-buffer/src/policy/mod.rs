//! [`EvictionPolicy`]: which page leaves memory when room is needed.
//!
//! A policy never hears of single accesses: the hit path only leaves a mark on the frame, and that only when its last mark is some ticks old.
//! The policy reads the marks when a victim is wanted. A tick passes with every miss, so that "used since" means "used since that many pages were
//! brought in".
//!
//! What a hit costs is therefore the same for every policy: two relaxed loads, of the pool's tick and the frame's, from the cache line that the pin or glance
//! touches anyway, and, at most once while a sixteenth of the pool is brought in, two relaxed stores there. No lock, no list. What differs is what a **miss** costs, all of it under the
//! policy's lock:
//!
//! | policy | brings a page in | chooses a victim |
//! | --- | --- | --- |
//! | CLOCK | nothing | the hand moves on, a few frames as a rule |
//! | LRU | nothing | a look at every frame, once for a thirty-second of them |
//! | LRU-K | notes the page's first use | the same |
//! | S3-FIFO | a look in the table of ghosts, an entry in a queue | the front of a queue, a few entries as a rule |
//!
//! `cargo xtask bench --evict` replays traces through the pool itself and prints every policy's hit rate, and that of the best possible choice.

mod ahead;
mod clock;
mod lru;
mod lru_k;
mod s3_fifo;

pub use clock::Clock;
pub use lru::Lru;
pub use lru_k::LruK;
pub use s3_fifo::S3Fifo;

use godb_page::PageId;
use std::fmt;

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
    /// `page` was brought into this frame; whatever was there before has gone.
    fn loaded(&mut self, frame: usize, page: PageId, tick: u32);
    /// Up to `want` evictable frames whose pages are least likely to be wanted, the least likely first. None only when
    /// no frame is evictable, or all were used while the policy looked.
    fn victims(&mut self, frames: &dyn Frames, want: usize) -> Vec<usize>;
}

/// The policies that come with godb.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum EvictionKind {
    /// Second chance: a hand goes round and takes the first page that was not used since it last came by.
    Clock,
    /// The page whose last use is longest ago. Simple to understand; a scan washes everything else out.
    Lru,
    /// The page whose second last use is longest ago: a page read once, by a scan, goes first.
    LruK,
    /// New pages wait in a small queue and get into the main one only when somebody comes back for them: scans pass by the hot set, at CLOCK's price.
    #[default]
    S3Fifo,
}

impl EvictionKind {
    /// All of them, the default first.
    pub const ALL: [Self; 4] = [Self::S3Fifo, Self::Clock, Self::Lru, Self::LruK];

    /// The policy, for a pool of `frames`.
    #[must_use]
    pub fn build(self, frames: usize) -> Box<dyn EvictionPolicy> {
        match self {
            Self::Clock => Box::new(Clock::default()),
            Self::Lru => Box::new(Lru::default()),
            Self::LruK => Box::new(LruK::new(frames)),
            Self::S3Fifo => Box::new(S3Fifo::new(frames)),
        }
    }
}

impl fmt::Display for EvictionKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Clock => "clock",
            Self::Lru => "lru",
            Self::LruK => "lru-k",
            Self::S3Fifo => "s3-fifo",
        })
    }
}

#[cfg(test)]
mod model;
#[cfg(test)]
mod tests;
