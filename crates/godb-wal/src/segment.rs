//! [`Segment`]: one file of the log, and what is known of its blocks.
//!
//! A new file has its blocks from the disk, but nothing was ever written into them. The file system notes that for each stretch, and the first sync after a write changes
//! the note: a second write to the disk, in another place, for every commit. So the first small flush that comes to such blocks *writes ahead*: it carries zeros behind its own, and
//! those that follow find blocks that were written before. The writer of the log does that itself, because nobody else could write there without being in its way. What is flushed in
//! large pieces needs no such help, and the zeros would double it.
//!
//! The zeros have a price that has to be avoided. The system's cache remembers a large piece as one large unit, and brings a unit to the disk as a whole when any of it has changed: a commit of
//! 4 KiB would write 256. So it is asked to [let go](File::let_go) of the file, as soon as the zeros are durable. That goes for a file that is used again, too.

use godb_btree::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use godb_btree::{Fault, File};
use std::sync::Arc;

/// How far a small flush writes ahead: to the next multiple of this.
const AHEAD: u64 = 256 * 1024;

/// One file of the log.
pub(crate) struct Segment {
    pub(crate) file: Arc<dyn File>,
    /// Blocks before this offset were written before.
    written: AtomicU64,
    /// The system's cache may have it in large units.
    in_large_units: AtomicBool,
}

impl Segment {
    /// A new file.
    pub(crate) fn fresh(file: Arc<dyn File>) -> Self {
        Self {
            file,
            written: AtomicU64::new(0),
            in_large_units: AtomicBool::new(false),
        }
    }

    /// A file whose first `len` bytes were in use before.
    pub(crate) fn used(file: Arc<dyn File>, len: u64) -> Self {
        file.let_go();
        Self {
            file,
            written: AtomicU64::new(len),
            in_large_units: AtomicBool::new(false),
        }
    }

    /// How many zeros a flush of `flushed` bytes that ends at the offset `end` should carry behind its own, in a file of `len` bytes.
    pub(crate) fn zeros_behind(&self, flushed: u64, end: u64, len: u64) -> u64 {
        let known = end <= self.written.load(Ordering::Acquire);
        if known || flushed > AHEAD / 2 {
            return 0;
        }
        self.in_large_units.store(true, Ordering::Release);
        end.next_multiple_of(AHEAD).min(len).saturating_sub(end)
    }

    /// Everything before `end` was written.
    pub(crate) fn wrote(&self, end: u64) {
        self.written.fetch_max(end, Ordering::AcqRel);
    }

    /// Makes what was written durable.
    pub(crate) fn sync(&self) -> Result<(), Fault> {
        let let_go = self.in_large_units.swap(false, Ordering::AcqRel);
        self.file.sync()?;
        if let_go {
            self.file.let_go();
        }
        Ok(())
    }
}

#[cfg(test)]
#[cfg(not(godb_loom))]
mod tests {
    use super::*;
    use godb_btree::{FileSystem, MemoryFileSystem, OpenMode};

    const MIB: u64 = 1 << 20;

    fn file() -> Arc<dyn File> {
        MemoryFileSystem::default().open("a", OpenMode::Create).unwrap()
    }

    #[test]
    fn the_first_small_flush_writes_ahead_and_the_next_need_not() {
        let segment = Segment::fresh(file());
        assert_eq!(segment.zeros_behind(4096, 4096, MIB), AHEAD - 4096);
        segment.wrote(AHEAD);
        assert_eq!(segment.zeros_behind(4096, 8192, MIB), 0);
        assert_eq!(segment.zeros_behind(8192, AHEAD, MIB), 0);
        assert_eq!(segment.zeros_behind(4096, AHEAD + 4096, MIB), AHEAD - 4096);
        assert_eq!(
            segment.zeros_behind(4096, AHEAD + 4096, AHEAD + 8192),
            4096,
            "never beyond the file"
        );
    }

    #[test]
    fn large_flushes_and_used_files_need_no_zeros() {
        assert_eq!(Segment::fresh(file()).zeros_behind(MIB, MIB, 4 * MIB), 0);
        assert_eq!(Segment::used(file(), MIB).zeros_behind(4096, 4096, MIB), 0);
    }
}
