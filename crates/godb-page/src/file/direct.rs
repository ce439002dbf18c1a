//! [`Direct`]: which pages are read past the system's cache, and which through it.
//!
//! A pool that holds most of the memory gains nothing from a second cache below it: what was just read is in both, and the second one's memory is missing in the first. But
//! hints are carried out in the system's cache. So a page that was hinted at is read from there, once, and all others straight from the disk.

use crate::file_system::File;
use crate::ids::PageId;
use crate::sync::Arc;
use crate::sync::atomic::{AtomicU32, Ordering};

/// How many hints are remembered. One that was forgotten costs a read that is not ahead.
const HINTS: usize = 1024;

/// The file past the cache, and the pages that are in the cache all the same.
pub(super) struct Direct {
    file: Arc<dyn File>,
    /// Page numbers, each at its own place, where another one may take it; zero is the header's and never hinted at.
    hinted: Box<[AtomicU32]>,
}

impl Direct {
    pub(super) fn new(file: Arc<dyn File>) -> Self {
        Self {
            file,
            hinted: (0..HINTS).map(|_| AtomicU32::new(0)).collect(),
        }
    }

    fn hint(&self, page: u32) -> &AtomicU32 {
        &self.hinted[page as usize % HINTS]
    }

    /// The system's cache was asked for some pages.
    pub(super) fn will_come(&self, first: PageId, count: u32) {
        for page in (first.raw()..).take(count as usize) {
            self.hint(page).store(page, Ordering::Relaxed);
        }
    }

    /// From where a page is to be read. A wrong answer costs time, nothing else.
    pub(super) fn for_reading<'f>(&'f self, id: PageId, cached: &'f Arc<dyn File>) -> &'f Arc<dyn File> {
        let hint = self.hint(id.raw());
        if id.raw() != 0 && hint.load(Ordering::Relaxed) == id.raw() {
            hint.store(0, Ordering::Relaxed);
            return cached;
        }
        &self.file
    }
}
