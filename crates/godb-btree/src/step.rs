//! [`Step`]: one atomic change, from the description to the changed pages.
//!
//! A step collects, page by page, what is to happen; [`Step::commit`] logs it and then makes exactly what was logged, with the function that redo
//! uses. So nothing can be changed that the log does not know, and redo cannot do otherwise than the first time.

use crate::change::{self, Operations};
use crate::journal::{Change, Room, Undo};
use godb_buffer::{Lsn, PageId, PageKind, PageWrite, TxnId, header};
use smallvec::SmallVec;
use std::ops::Range;

/// A page of a step; the latch is there unless the page is freed and nobody can reach it.
struct Part<'g, W> {
    page: PageId,
    guard: Option<&'g mut W>,
    bytes: Range<usize>,
}

/// A change of some latched pages, being described.
pub(crate) struct Step<'g, W> {
    bytes: Vec<u8>,
    parts: SmallVec<[Part<'g, W>; 6]>,
}

impl<'g, W: PageWrite> Step<'g, W> {
    pub(crate) fn new() -> Self {
        Self::large(256)
    }

    /// One whose description takes about so many bytes.
    pub(crate) fn large(bytes: usize) -> Self {
        Self {
            bytes: Vec::with_capacity(bytes),
            parts: SmallVec::new(),
        }
    }

    fn part(&mut self, page: PageId, guard: Option<&'g mut W>, begin: usize) {
        let bytes = begin..self.bytes.len();
        self.parts.push(Part { page, guard, bytes });
    }

    /// The page changes from what it is.
    pub(crate) fn change(
        &mut self,
        page: PageId,
        guard: &'g mut W,
        describe: impl FnOnce(&mut Operations<'_>),
    ) {
        let begin = self.bytes.len();
        describe(&mut Operations::step(&mut self.bytes, header::lsn(guard)));
        self.part(page, Some(guard), begin);
    }

    /// The page gets a content that has nothing to do with what it was.
    pub(crate) fn make(
        &mut self,
        page: PageId,
        guard: &'g mut W,
        describe: impl FnOnce(&mut Operations<'_>),
    ) {
        let begin = self.bytes.len();
        describe(&mut Operations::whole(&mut self.bytes));
        self.part(page, Some(guard), begin);
    }

    /// The page is unlinked. A reader who waits for its latch will see that it is no longer what it was.
    pub(crate) fn free(&mut self, page: PageId, guard: &'g mut W) {
        let begin = self.bytes.len();
        Operations::freed(&mut self.bytes);
        self.part(page, Some(guard), begin);
    }

    /// A page that nobody can reach any more is given up.
    pub(crate) fn free_unseen(&mut self, page: PageId) {
        let begin = self.bytes.len();
        Operations::freed(&mut self.bytes);
        self.part(page, None, begin);
    }

    /// Logs the change and makes it. Nothing in here may fail: the pages were checked when they were latched.
    pub(crate) fn commit(self, room: &mut Room<'_>, by: Option<TxnId>, undo: Undo<'_>) -> Lsn {
        let bytes = self.bytes;
        let pages: SmallVec<[(PageId, &[u8]); 6]> = self
            .parts
            .iter()
            .map(|part| (part.page, &bytes[part.bytes.clone()]))
            .collect();
        let floor = room.floor();
        let lsn = room.append(&Change {
            by,
            pages: &pages,
            undo,
        });
        for part in self.parts {
            if let Some(guard) = part.guard {
                make(part.page, guard.stamp(floor, lsn), &bytes[part.bytes]);
            }
        }
        lsn
    }
}

/// Makes a logged change on stamped bytes.
fn make(page: PageId, bytes: &mut [u8], part: &[u8]) {
    let (basis, operations) = change::basis(part).expect("what was just written can be read");
    if basis == change::Basis::Freed {
        header::set_kind(bytes, PageKind::Free);
        return;
    }
    if let Err(fault) = change::apply(page, bytes, operations) {
        panic!("a change that was checked and logged cannot be made: {fault}");
    }
}
