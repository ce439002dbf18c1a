//! [`Shelf`]: where changed pages go while they cannot be written.
//!
//! A page that differs from the store's is never lost, so its frame is given away only when it has been written. When writing fails, because the disk refuses or because a
//! failed sync has ended it, a pool full of such pages would have no frame for anybody who only wants to read. So the page is put on the shelf, outside the pool, with what is
//! known of its changes, and comes back when somebody wants it or when everything is written. The shelf takes as many pages as the pool has frames and no more; while the
//! disk is well it is empty.

use godb_page::sync::Mutex;
use godb_page::{Lsn, PageId};
use std::collections::HashMap;

/// A changed page without a frame.
pub(super) struct Shelved {
    pub(super) bytes: Box<[u8]>,
    /// The record of the last change, and where redo would have to start.
    pub(super) record: Lsn,
    pub(super) floor: Lsn,
}

/// Changed pages that have no frame.
pub(super) struct Shelf {
    room: usize,
    pages: Mutex<HashMap<PageId, Shelved>>,
}

impl Shelf {
    /// An empty shelf for so many pages.
    pub(super) fn new(room: usize) -> Self {
        Self {
            room,
            pages: Mutex::default(),
        }
    }

    /// Keeps a page; tells whether there was room.
    pub(super) fn keep(&self, page: PageId, shelved: Shelved) -> bool {
        let mut pages = self.pages.lock();
        let has_room = pages.len() < self.room;
        if has_room {
            pages.insert(page, shelved);
        }
        has_room
    }

    /// Whether a page is kept.
    pub(super) fn has(&self, page: PageId) -> bool {
        self.pages.lock().contains_key(&page)
    }

    /// Copies a page that is kept; tells its last record and its floor. It is kept until it is [taken](Self::take).
    pub(super) fn copy(&self, page: PageId, into: &mut [u8]) -> Option<(Lsn, Lsn)> {
        let pages = self.pages.lock();
        let shelved = pages.get(&page)?;
        into.copy_from_slice(&shelved.bytes);
        Some((shelved.record, shelved.floor))
    }

    /// The page has a frame again.
    pub(super) fn take(&self, page: PageId) {
        self.pages.lock().remove(&page);
    }

    /// Every page that is kept.
    pub(super) fn pages(&self) -> Vec<PageId> {
        self.pages.lock().keys().copied().collect()
    }

    /// Where redo would have to start for the pages that are kept.
    pub(super) fn floor(&self) -> Option<Lsn> {
        self.pages.lock().values().map(|shelved| shelved.floor).min()
    }
}
