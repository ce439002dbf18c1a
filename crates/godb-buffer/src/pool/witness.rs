//! [`Witness`]: remembers what was written, so that a store that gives back older bytes is caught.
//!
//! A disk can lose a write and report it done. What it then returns is an old page with a right checksum in the right place; only its LSN gives it away. So for
//! every page written, the lower half of its LSN is kept in a table of fixed size, and compared when the page is read again. Two pages may share an entry;
//! then the later one has it, and the other is no longer checked: the table catches most lost writes in bounded memory, and accuses nobody wrongly.

use godb_page::sync::atomic::{AtomicU64, Ordering};
use godb_page::{Lsn, PageId};

/// Entries per frame.
const PER_FRAME: usize = if cfg!(godb_loom) { 1 } else { 4 };

/// The table: page number in the upper half, LSN in the lower.
pub(super) struct Witness {
    words: Box<[AtomicU64]>,
}

impl Witness {
    /// For a pool of `frames`.
    pub(super) fn new(frames: usize) -> Self {
        let words = (frames * PER_FRAME).next_power_of_two();
        Self {
            words: (0..words).map(|_| AtomicU64::new(u64::MAX)).collect(),
        }
    }

    fn word(&self, page: PageId) -> &AtomicU64 {
        let spread = u64::from(page.raw()).wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 32;
        &self.words[usize::try_from(spread).expect("32 bits fit") & (self.words.len() - 1)]
    }

    /// A page was written in the state of this LSN.
    pub(super) fn note(&self, page: PageId, lsn: Lsn) {
        self.word(page).store(pack(page, lsn), Ordering::Release);
    }

    /// Whether a page that was read may be the one that was written last.
    pub(super) fn accepts(&self, page: PageId, lsn: Lsn) -> bool {
        let word = self.word(page).load(Ordering::Acquire);
        word >> 32 != u64::from(page.raw()) || word == pack(page, lsn)
    }
}

fn pack(page: PageId, lsn: Lsn) -> u64 {
    u64::from(page.raw()) << 32 | lsn.raw() & u64::from(u32::MAX)
}
