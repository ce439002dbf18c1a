//! [`Table`]: which page is in which frame, in parts with a lock each.

use godb_page::PageId;
use godb_page::sync::{Mutex, MutexGuard};
use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};

/// How many parts: enough that threads seldom meet.
const PARTS: usize = 64;

/// One part of the table.
#[derive(Default)]
pub(super) struct Part {
    /// Page to frame.
    pub(super) frames: HashMap<PageId, usize, BuildHasherDefault<PageHasher>>,
    /// How often a page was found here. Counted here because the lock is held anyway.
    pub(super) hits: u64,
}

/// Which page is in which frame.
pub(super) struct Table {
    parts: Box<[Mutex<Part>]>,
}

impl Table {
    /// An empty table.
    pub(super) fn new() -> Self {
        Self {
            parts: (0..PARTS).map(|_| Mutex::new(Part::default())).collect(),
        }
    }

    /// The part that knows of `page`, locked.
    pub(super) fn part(&self, page: PageId) -> MutexGuard<'_, Part> {
        self.parts[page.raw() as usize % PARTS].lock()
    }

    /// How often a page was found.
    pub(super) fn hits(&self) -> u64 {
        self.parts.iter().map(|part| part.lock().hits).sum()
    }
}

/// Page numbers are handed out in order; one multiplication spreads them well.
#[derive(Default)]
pub(super) struct PageHasher(u64);

impl Hasher for PageHasher {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = (self.0 ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01B3);
        }
    }

    fn write_u32(&mut self, number: u32) {
        self.0 = u64::from(number).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    }
}
