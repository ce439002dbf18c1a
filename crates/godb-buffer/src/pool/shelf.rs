//! [`Shelf`]: where changed pages go when nothing can be written any more.
//!
//! After a failed sync no page may be written until the database is opened again, and none that differs from the store's may be lost: readers still want to see it.
//! A pool full of such pages would have no frame left for anything else. So a frame's changed page is put on the shelf, outside the pool, and the
//! frame is free. Nothing new can be logged then, so little is changed but by rollbacks; the shelf takes as many pages as the pool has frames, and no more. In a
//! database that is well it is empty.

use godb_page::PageId;
use godb_page::sync::Mutex;
use std::collections::HashMap;

/// Pages that differ from the store's and have no frame.
pub(super) struct Shelf {
    room: usize,
    pages: Mutex<HashMap<PageId, Box<[u8]>>>,
}

impl Shelf {
    /// An empty shelf for so many pages.
    pub(super) fn new(room: usize) -> Self {
        Self {
            room,
            pages: Mutex::default(),
        }
    }

    /// Keeps a page, in place of an older state of it; tells whether there was room.
    pub(super) fn keep(&self, page: PageId, bytes: &[u8]) -> bool {
        let mut pages = self.pages.lock();
        let has_room = pages.len() < self.room || pages.contains_key(&page);
        if has_room {
            pages.insert(page, bytes.into());
        }
        has_room
    }

    /// Copies a page that is kept; tells whether it is.
    pub(super) fn copy(&self, page: PageId, into: &mut [u8]) -> bool {
        let pages = self.pages.lock();
        let Some(bytes) = pages.get(&page) else {
            return false;
        };
        into.copy_from_slice(bytes);
        true
    }
}
