//! Finding a frame for another page.

use super::Pool;
use super::stats::Counters;
use crate::policy::Frames;
use godb_page::{Fault, PageId, PageStore};

/// How many frames are emptied at once: choosing victims may have to look at all of them.
const AT_ONCE: usize = 8;

/// How many dirty pages are written at once when every victim is dirty: the safe copies of a batch cost one sync,
/// however many there are.
const WRITE_AT_ONCE: usize = 32;

/// How often the search for a frame is repeated when every page is held. Admission sees to it that somebody lets go
/// soon; this bound turns a caller who holds more than he asked for into an error instead of a standstill.
const PATIENCE: u32 = 1 << 20;

impl<S: PageStore> Frames for Pool<S> {
    fn count(&self) -> usize {
        self.frames().len()
    }

    fn evictable(&self, frame: usize) -> bool {
        self.frames()[frame].is_idle()
    }

    fn last_used(&self, frame: usize) -> u32 {
        self.frames()[frame].used_at()
    }

    fn take_used(&self, frame: usize) -> bool {
        self.frames()[frame].take_used()
    }
}

impl<S: PageStore> Pool<S> {
    /// A claimed frame that holds no page.
    pub(super) fn take_frame(&self) -> Result<u32, Fault> {
        for _ in 0..PATIENCE {
            if let Some(frame) = self.free.lock().pop() {
                self.preparation.uses(frame);
                return Ok(frame);
            }
            if self.evict_some()? == 0 {
                godb_page::sync::thread::yield_now();
            }
        }
        Err(Fault::Full {
            file: "the buffer pool".into(),
            what: "every page in it is held".into(),
        })
    }

    /// Gives a claimed frame that holds no page back.
    pub(super) fn give_back(&self, frame: u32) {
        self.free.lock().push(frame);
    }

    /// Empties some frames; returns how many. Clean victims go at once; when all are dirty, a batch of them is written first.
    fn evict_some(&self) -> Result<usize, Fault> {
        let want = AT_ONCE.min(1 + self.frames().len() / 16);
        let victims = self.victims(want);
        let emptied = self.empty_all(&victims);
        if emptied > 0 || victims.is_empty() {
            return Ok(emptied);
        }
        let mut batch = victims;
        batch.extend(self.victims(WRITE_AT_ONCE));
        batch.sort_unstable();
        batch.dedup();
        match self.write_frames(&mut batch.iter().copied()) {
            Ok(_) => Ok(self.empty_all(&batch)),
            Err(fault) => self.shelve_all(&batch, fault),
        }
    }

    /// Writing failed: puts the pages aside, since whoever wants a frame may only want to read.
    fn shelve_all(&self, frames: &[u32], failed: Fault) -> Result<usize, Fault> {
        let keep = |page, shelved| self.shelf.keep(page, shelved);
        let room = |at: &u32| self.table.empty(*at) || self.table.shelve(*at, keep);
        let emptied: Vec<u32> = frames.iter().copied().filter(room).collect();
        let count = emptied.len();
        self.free.lock().extend(emptied);
        match count {
            // Neither written nor put aside: there is no room for another page until somebody lets go of one.
            0 => Err(failed),
            some => Ok(some),
        }
    }

    fn victims(&self, want: usize) -> Vec<u32> {
        let victims = self.policy.lock().victims(self, want);
        victims.into_iter().map(super::number).collect()
    }

    /// Empties those of the frames that are idle and clean.
    fn empty_all(&self, victims: &[u32]) -> usize {
        let emptied: Vec<u32> = victims
            .iter()
            .copied()
            .filter(|at| self.table.empty(*at))
            .collect();
        Counters::add(&self.counters.evictions, emptied.len());
        let count = emptied.len();
        self.free.lock().extend(emptied);
        count
    }

    /// Forgets a page whose bytes nobody wants. One that is in use stays, and so does one that is dirty: redo from a point
    /// before its last change would otherwise find a page without the changes that came before that point.
    pub(super) fn forget(&self, page: PageId) {
        if let Some(at) = self.table.empty_page(page) {
            self.give_back(at);
        }
    }
}
