//! [`Pool::prepare_memory`]: memory is taken from the system, and made huge pages of, before anybody has to wait for that.
//!
//! Frames are used one behind the other until all are in use once. So a mark tells which memory is touched. While it rises, the memory beyond it is taken: as much as was needed since
//! the last look, which is what the next frames will need if nothing changes. As soon as it rests, the stretches below it are joined to huge pages; not earlier, for whoever moves
//! it would wait for the joins, since both change the same tables of the system.

use super::Pool;
use super::arena::Arena;
use godb_page::PageStore;
use godb_page::sync::Mutex;
use godb_page::sync::atomic::{AtomicU32, Ordering};

/// Stretches joined by one call: 16 MiB, a few milliseconds.
const AT_ONCE: usize = 8;

/// How far the frames were used, and joined.
#[derive(Default)]
pub(super) struct Preparation {
    /// No frame from here on was ever used.
    mark: AtomicU32,
    progress: Mutex<Progress>,
}

#[derive(Default)]
struct Progress {
    /// Where the mark was at the last look.
    seen: usize,
    /// The memory of the frames below is taken.
    taken: usize,
    /// Stretches that are joined.
    joined: usize,
}

impl Preparation {
    /// A frame is used.
    pub(super) fn uses(&self, frame: u32) {
        if self.mark.load(Ordering::Relaxed) <= frame {
            self.mark.fetch_max(frame + 1, Ordering::Relaxed);
        }
    }

    /// Takes or joins what is due, of `frames` in all.
    fn step(&self, arena: &Arena, frames: usize) {
        let mut progress = self.progress.lock();
        let mark = self.mark.load(Ordering::Relaxed) as usize;
        let grown = mark - progress.seen;
        progress.seen = mark;
        if grown > 0 {
            let end = frames.min(mark + grown);
            let start = mark.max(progress.taken);
            progress.taken = end.max(progress.taken);
            if start < end {
                arena.take(start..end);
            }
            return;
        }
        let used = mark / arena.frames;
        let end = used.min(progress.joined + AT_ONCE);
        (progress.joined..end).for_each(|stretch| arena.join(stretch));
        progress.joined = end;
    }
}

impl<S: PageStore> Pool<S> {
    /// Takes memory for the frames that will be used next, or, when none came into use since the last call, joins some of it to huge pages. To be called now and then, by one who has
    /// time.
    pub fn prepare_memory(&self) {
        if let Some(arena) = self.table.arena() {
            self.preparation.step(arena, self.frames().len());
        }
    }
}
