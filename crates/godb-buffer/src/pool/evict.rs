//! Finding a frame for another page.

use super::Pool;
use super::stats::Counters;
use crate::policy::Frames;
use godb_page::{Fault, PageStore};

/// How many frames are emptied at once: choosing victims may have to look at all of them.
const AT_ONCE: usize = 8;

/// How many dirty pages are written when there is no clean one to give away.
const WRITE_AT_ONCE: usize = 32;

impl<S: PageStore> Frames for Pool<S> {
    fn count(&self) -> usize {
        self.frames.len()
    }

    fn evictable(&self, frame: usize) -> bool {
        let frame = &self.frames[frame];
        frame.is_unpinned() && !frame.is_dirty()
    }

    fn last_used(&self, frame: usize) -> u32 {
        self.frames[frame].used_at()
    }

    fn take_used(&self, frame: usize) -> bool {
        self.frames[frame].take_used()
    }
}

impl<S: PageStore> Pool<S> {
    /// A frame that is in nobody's table. Waits for others' pins where it must: admission sees to it that those go away.
    pub(super) fn take_frame(&self) -> Result<usize, Fault> {
        loop {
            if let Some(frame) = self.free.lock().pop() {
                return Ok(frame);
            }
            if self.evict_some() == 0 && self.write_back(WRITE_AT_ONCE)? == 0 {
                godb_page::sync::thread::yield_now();
            }
        }
    }

    /// Empties some clean frames; returns how many.
    fn evict_some(&self) -> usize {
        let want = AT_ONCE.min(1 + self.frames.len() / 16);
        let victims = self.policy.lock().victims(self, want);
        let emptied: Vec<usize> = victims.into_iter().filter(|frame| self.empty(*frame)).collect();
        Counters::add(&self.counters.evictions, emptied.len() as u64);
        let count = emptied.len();
        self.free.lock().extend(emptied);
        count
    }

    /// Takes a frame's page out of the table, if nobody has begun to use or change it meanwhile.
    fn empty(&self, at: usize) -> bool {
        let frame = &self.frames[at];
        let page = frame.page();
        let mut part = self.table.part(page);
        let still_there = part.frames.get(&page) == Some(&at);
        if !still_there || !self.evictable(at) {
            return false;
        }
        part.frames.remove(&page);
        true
    }

    /// Forgets a page whose bytes nobody wants. One that is in use stays and is written like any other.
    pub(super) fn forget(&self, page: godb_page::PageId) {
        let mut part = self.table.part(page);
        let Some(&at) = part.frames.get(&page) else { return };
        let frame = &self.frames[at];
        if frame.is_unpinned() {
            frame.clean();
            part.frames.remove(&page);
            drop(part);
            self.free.lock().push(at);
        }
    }
}
