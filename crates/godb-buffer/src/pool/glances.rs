//! [`Glances`]: who is reading which frame, announced without a shared cache line.
//!
//! A reader that pins and latches a page writes to the page's frame, four times. For the root of a tree that is the same cache line for every reader of the
//! database, and it wanders from core to core: eight readers are no faster than two. So the usual reader writes nothing there. It puts the frame's number
//! into a slot of its own lane, *then* looks whether anybody changes the page or empties the frame. Who wants to do either says so in the frame, *then*
//! looks through the lanes and waits until the frame's number has gone. Whichever comes second sees the first: Dekker's protocol, in the form of
//! BRAVO (Dice and Kogan, *BRAVO: Biased Locking for Reader-Writer Locks*, 2019) and of Michael's hazard pointers (2004).
//!
//! A glance never waits. When the page is not in memory, or is being changed, there is none, and the reader goes the slow way.

use super::lane::lane;
use godb_page::sync::atomic::{AtomicU32, AtomicU64, AtomicUsize, Ordering};
use godb_page::sync::thread;

/// How many lanes there are. More threads than that share them.
const LANES: usize = if cfg!(godb_loom) { 1 } else { 64 };

/// How many pages a thread can glance at at once: a parent, a child, and the same for a read within a read.
const SLOTS: usize = 4;

/// How often a writer looks before it lets others run.
const SPINS: u32 = if cfg!(godb_loom) { 1 } else { 64 };

/// The announcements of the threads of one lane, on a cache line of their own.
#[repr(align(128))]
#[derive(Default)]
struct Lane {
    /// A frame's number plus one, or zero.
    slots: [AtomicU32; SLOTS],
    /// How many glances there were. Approximate where threads share a lane.
    count: AtomicU64,
}

/// Who is reading which frame.
pub(super) struct Glances {
    lanes: Box<[Lane]>,
    /// Lanes from here on were never used.
    used: AtomicUsize,
}

/// An announcement; withdrawn when dropped.
pub(super) struct Announced<'a>(&'a AtomicU32);

impl Drop for Announced<'_> {
    fn drop(&mut self) {
        // Release: what was read was read before the slot is empty.
        self.0.store(0, Ordering::Release);
    }
}

/// Orders an announcement before the look that follows it. In Rust's memory model `SeqCst` operations do that by themselves; loom knows it of fences only.
pub(super) fn announce_before_looking() {
    if cfg!(godb_loom) && !cfg!(godb_plant = "announce-unordered") {
        godb_page::sync::atomic::fence(Ordering::SeqCst);
    }
}

impl Glances {
    /// Nobody reads.
    pub(super) fn new() -> Self {
        Self {
            lanes: (0..LANES).map(|_| Lane::default()).collect(),
            used: AtomicUsize::new(0),
        }
    }

    /// Announces a look at `frame`; `None` when the lane is full. The caller then looks whether it may.
    #[inline]
    pub(super) fn announce(&self, frame: u32) -> Option<Announced<'_>> {
        let at = lane() % LANES;
        if self.used.load(Ordering::Relaxed) <= at {
            self.used.fetch_max(at + 1, Ordering::SeqCst);
        }
        let lane = &self.lanes[at];
        let take = |slot: &&AtomicU32| {
            slot.load(Ordering::Relaxed) == 0
                && slot
                    .compare_exchange(0, frame + 1, Ordering::SeqCst, Ordering::Relaxed)
                    .is_ok()
        };
        let slot = lane.slots.iter().find(take)?;
        let count = lane.count.load(Ordering::Relaxed);
        lane.count.store(count + 1, Ordering::Relaxed);
        announce_before_looking();
        Some(Announced(slot))
    }

    /// Whether anybody reads `frame`. The caller has said in the frame what it is about to do.
    pub(super) fn any(&self, frame: u32) -> bool {
        announce_before_looking();
        self.slots_in_use()
            .any(|slot| slot.load(Ordering::SeqCst) == frame + 1)
    }

    /// Waits until nobody reads `frame` who began before the caller said in the frame that it is about to change the page.
    pub(super) fn wait_gone(&self, frame: u32) {
        announce_before_looking();
        for slot in self.slots_in_use() {
            let mut spins = 0;
            while slot.load(Ordering::SeqCst) == frame + 1 {
                spins += 1;
                if spins >= SPINS {
                    thread::yield_now();
                } else {
                    std::hint::spin_loop();
                }
            }
        }
    }

    /// How many glances there were.
    pub(super) fn count(&self) -> u64 {
        let lanes = self.lanes.iter();
        lanes.map(|lane| lane.count.load(Ordering::Relaxed)).sum()
    }

    fn slots_in_use(&self) -> impl Iterator<Item = &AtomicU32> {
        let used = self.used.load(Ordering::SeqCst);
        self.lanes[..used].iter().flat_map(|lane| &lane.slots)
    }
}
