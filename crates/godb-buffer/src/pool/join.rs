//! [`Pool::join_memory`]: small pages of the system become huge ones when nobody has to wait for that.
//!
//! Frames are used one behind the other until all are in use once. So a mark tells which memory is touched, and of that the stretches below it are joined as soon as the
//! mark rests: while it rises, whoever moves it would wait for the joins, for both change the same tables of the system.

use super::Pool;
use super::arena::Arena;
use godb_page::PageStore;
use godb_page::sync::Mutex;
use godb_page::sync::atomic::{AtomicU32, Ordering};

/// Stretches joined by one call: 16 MiB, a few milliseconds.
const AT_ONCE: usize = 8;

/// How far the frames were used, and joined.
#[derive(Default)]
pub(super) struct Joiner {
    /// No frame from here on was ever used.
    mark: AtomicU32,
    progress: Mutex<Progress>,
}

#[derive(Default)]
struct Progress {
    /// Stretches that were in use at the last look.
    seen: usize,
    /// Stretches that are joined.
    joined: usize,
}

impl Joiner {
    /// A frame is used.
    pub(super) fn uses(&self, frame: u32) {
        if self.mark.load(Ordering::Relaxed) <= frame {
            self.mark.fetch_max(frame + 1, Ordering::Relaxed);
        }
    }

    /// Joins what is due.
    fn step(&self, arena: &Arena) {
        let used = self.mark.load(Ordering::Relaxed) as usize / arena.frames;
        let mut progress = self.progress.lock();
        let rests = progress.seen == used;
        progress.seen = used;
        if !rests {
            return;
        }
        let end = used.min(progress.joined + AT_ONCE);
        (progress.joined..end).for_each(|stretch| arena.join(stretch));
        progress.joined = end;
    }
}

impl<S: PageStore> Pool<S> {
    /// Joins some of the memory under the frames to huge pages, if no more frames came into use since the last call. To be called now and then, by one who has time.
    pub fn join_memory(&self) {
        if let Some(arena) = self.table.arena() {
            self.joiner.step(arena);
        }
    }
}
