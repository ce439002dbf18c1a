//! Repeating history, page by page.
//!
//! A whole change is made on a fresh page, whatever the disk holds. A step is made on a page that stands exactly where the step begins; one that is
//! further on has seen it. A page that is *behind* (its bytes could not be read, or are older than what the log begins with) missed something that the log no longer
//! has. That is as it should be for a page that is freed later on, whose last bytes nobody had to write; if it is still behind at the end, a write was lost.

use super::{BTree, Behind};
use crate::change::{self, Basis};
use crate::tree::PageChange;
use godb_buffer::{Fault, Lsn, PageId, PageWrite, Pages, header};

impl<P: Pages> BTree<P> {
    /// Repeats changes of one page. What comes before the last record that says all of the page, or frees it, need not be made: nothing of it would be left.
    pub(super) fn redo_changes(&self, id: PageId, changes: &[PageChange<'_>]) -> Result<(), Fault> {
        let mut steps = changes.len();
        while let Some(earlier) = steps.checked_sub(1)
            && matches!(change::basis(changes[earlier].bytes)?.0, Basis::At(_))
        {
            steps = earlier;
        }
        if let Some(base) = steps.checked_sub(1) {
            self.redo_page(changes[base].lsn, id, changes[base].bytes)?;
        }
        self.redo_steps(id, &changes[steps..])
    }

    pub(super) fn redo_page(&self, lsn: Lsn, id: PageId, record: &[u8]) -> Result<(), Fault> {
        let (basis, operations) = change::basis(record)?;
        match basis {
            Basis::Whole => self.redo_whole(lsn, id, operations),
            Basis::At(before) => {
                self.with_page(id, lsn, |page| self.redo_step(page, id, lsn, before, operations))
            }
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

    /// Repeats changes that are all steps.
    fn redo_steps(&self, id: PageId, steps: &[PageChange<'_>]) -> Result<(), Fault> {
        let Some(first) = steps.first() else {
            return Ok(());
        };
        self.with_page(id, first.lsn, |page| {
            for step in steps {
                if let (Basis::At(before), operations) = change::basis(step.bytes)?
                    && !self.redo_step(page, id, step.lsn, before, operations)?
                {
                    break;
                }
            }
            Ok(true)
        })
    }

    /// Latches a page for steps that begin with the record at `lsn`, unless it is behind or turns out to be.
    fn with_page(
        &self,
        id: PageId,
        lsn: Lsn,
        redo: impl FnOnce(&mut P::Write<'_>) -> Result<bool, Fault>,
    ) -> Result<(), Fault> {
        if self.behind.lock().contains_key(&id) {
            return Ok(());
        }
        let _admitted = self.pages.admit(1)?;
        match self.pages.write(id) {
            Ok(mut page) => redo(&mut page).map(drop),
            Err(fault @ Fault::Corrupt { .. }) => {
                self.fall_behind(id, lsn, Some(fault));
                Ok(())
            }
            Err(fault) => Err(fault),
        }
    }

    /// Makes one step, unless the page has seen it; `false` when the page is behind.
    fn redo_step(
        &self,
        page: &mut P::Write<'_>,
        id: PageId,
        lsn: Lsn,
        before: Lsn,
        operations: &[u8],
    ) -> Result<bool, Fault> {
        let stands = header::lsn(page);
        if godb_buffer::sync::planted("page-lsn-unchecked") {
            change::apply(id, page.stamp(lsn, lsn), operations)?;
        } else if stands < lsn {
            if stands != before {
                self.fall_behind(id, lsn, None);
                return Ok(false);
            }
            change::apply(id, page.stamp(lsn, lsn), operations)?;
        }
        Ok(true)
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
