//! Repeating history, page by page.
//!
//! A whole change is made on a fresh page, whatever the disk holds. A step is made on a page that stands exactly where the step begins; one that is
//! further on has seen it. A page that is *behind* (its bytes could not be read, or are older than what the log begins with) missed something that the log no longer
//! has. That is as it should be for a page that is freed later on, whose last bytes nobody had to write; if it is still behind at the end, a write was lost.

use super::{BTree, Behind};
use crate::change::{self, Basis};
use godb_buffer::{Fault, Lsn, PageId, PageWrite, Pages, header};

impl<P: Pages> BTree<P> {
    pub(super) fn redo_page(&self, lsn: Lsn, id: PageId, record: &[u8]) -> Result<(), Fault> {
        let (basis, operations) = change::basis(record)?;
        match basis {
            Basis::Whole => self.redo_whole(lsn, id, operations),
            Basis::At(before) => self.redo_step(lsn, before, id, operations),
            Basis::Freed => {
                self.behind.lock().remove(&id);
                self.pages.discard(id);
                Ok(())
            }
        }
    }

    fn redo_whole(&self, lsn: Lsn, id: PageId, operations: &[u8]) -> Result<(), Fault> {
        if id.raw() >= self.pages.capacity() {
            self.pages.ensure_capacity(id.raw().saturating_add(1))?;
        }
        let _admitted = self.pages.admit(1)?;
        if let Ok(Some(page)) = self.pages.try_read(id)
            && header::lsn(&page) >= lsn
        {
            return Ok(());
        }
        let mut page = self.pages.fresh(id)?;
        change::apply(id, page.stamp(lsn, lsn), operations)?;
        self.behind.lock().remove(&id);
        Ok(())
    }

    fn redo_step(&self, lsn: Lsn, before: Lsn, id: PageId, operations: &[u8]) -> Result<(), Fault> {
        if self.behind.lock().contains_key(&id) {
            return Ok(());
        }
        let _admitted = self.pages.admit(1)?;
        let mut page = match self.pages.write(id) {
            Ok(page) => page,
            Err(fault @ Fault::Corrupt { .. }) => {
                self.fall_behind(id, lsn, Some(fault));
                return Ok(());
            }
            Err(fault) => return Err(fault),
        };
        let stands = header::lsn(&page);
        if godb_buffer::sync::planted("page-lsn-unchecked") {
            return change::apply(id, page.stamp(lsn, lsn), operations);
        }
        if stands >= lsn {
            return Ok(());
        }
        if stands != before {
            self.fall_behind(id, lsn, None);
            return Ok(());
        }
        change::apply(id, page.stamp(lsn, lsn), operations)
    }

    fn fall_behind(&self, id: PageId, lsn: Lsn, unreadable: Option<Fault>) {
        self.behind.lock().insert(id, Behind { lsn, unreadable });
    }

    /// After redo every page that is still in use must have seen all its changes.
    pub(super) fn check_all_caught_up(&self) -> Result<(), Fault> {
        let behind = self.behind.lock();
        let Some((&page, first)) = behind.first_key_value() else {
            return Ok(());
        };
        let what = match &first.unreadable {
            Some(Fault::Corrupt { what, .. }) => format!("{what}, and the log does not say all of it"),
            _ => "the page is older than the log's first record of it: a write was lost".to_owned(),
        };
        Err(Fault::Corrupt {
            file: self.pages.file_name().into(),
            page: Some(page),
            tree: None,
            lsn: Some(first.lsn),
            what: what.into(),
        })
    }

    /// The pages that redo left behind: their bytes, where they can be read at all, are older than the log.
    pub fn pages_behind(&self) -> Vec<PageId> {
        self.behind.lock().keys().copied().collect()
    }
}
