//! [`Redone`]: pages as the log leaves them, where it can.
//!
//! Redo for a wreck differs from [that of recovery](crate::BTree) in what it does about a page that missed a change: it gives the page up and goes on.

use crate::change::{self, Basis};
use godb_buffer::{Fault, Lsn, PageId, PageStore, header};
use std::collections::HashMap;

/// What became of a page.
enum Page {
    /// These are its bytes.
    Now(Vec<u8>),
    /// It is free.
    Free,
    /// It missed a change that the log does not have: what is stored is too old.
    Lost,
}

/// A store of pages with the changes of a log made in memory.
pub struct Redone<S> {
    store: S,
    pages: HashMap<PageId, Page>,
}

impl<S: PageStore> Redone<S> {
    /// The pages of `store`, unchanged so far.
    pub fn new(store: S) -> Self {
        Self {
            store,
            pages: HashMap::new(),
        }
    }

    /// Bytes in a page.
    pub fn page_size(&self) -> usize {
        self.store.page_size()
    }

    /// How many pages there are.
    pub fn page_count(&self) -> u32 {
        let beyond = self.pages.keys().map(|id| id.raw().saturating_add(1)).max();
        self.store.page_count().max(beyond.unwrap_or(0))
    }

    /// A page, if it can be had: whole, in use as far as the log knows, and as new as the log says.
    ///
    /// # Errors
    /// Failures other than damage.
    pub fn page(&self, id: PageId) -> Result<Option<Vec<u8>>, Fault> {
        match self.pages.get(&id) {
            Some(Page::Now(bytes)) => Ok(Some(bytes.clone())),
            Some(Page::Free | Page::Lost) => Ok(None),
            None => self.stored(id),
        }
    }

    fn stored(&self, id: PageId) -> Result<Option<Vec<u8>>, Fault> {
        let mut bytes = vec![0; self.store.page_size()];
        match self.store.read(id, &mut bytes) {
            Ok(()) => Ok(Some(bytes)),
            Err(Fault::Corrupt { .. }) => Ok(None),
            Err(fault) => Err(fault),
        }
    }

    /// Makes one page's part of the log record at `lsn`, if it is not made and can be.
    ///
    /// # Errors
    /// Failures other than damage.
    pub fn redo(&mut self, lsn: Lsn, id: PageId, record: &[u8]) -> Result<(), Fault> {
        let Ok((basis, operations)) = change::basis(record) else {
            return Ok(());
        };
        let next = match basis {
            Basis::Freed => Page::Free,
            Basis::Whole => self.whole(lsn, id, operations)?,
            Basis::At(before) => self.step(lsn, before, id, operations)?,
        };
        self.pages.insert(id, next);
        Ok(())
    }

    fn whole(&mut self, lsn: Lsn, id: PageId, operations: &[u8]) -> Result<Page, Fault> {
        if let Some(page) = self.page(id)?
            && header::lsn(&page) >= lsn
        {
            return Ok(Page::Now(page));
        }
        let blank = vec![0; self.store.page_size()];
        Ok(changed(id, blank, lsn, operations))
    }

    fn step(&mut self, lsn: Lsn, before: Lsn, id: PageId, operations: &[u8]) -> Result<Page, Fault> {
        if let Some(Page::Lost) = self.pages.get(&id) {
            return Ok(Page::Lost);
        }
        // A page that is free in between was given out again by a change that says everything; so what is stored is newer than this step.
        let Some(page) = self.page(id)? else {
            return Ok(Page::Lost);
        };
        Ok(match header::lsn(&page) {
            stands if stands >= lsn => Page::Now(page),
            stands if stands == before => changed(id, page, lsn, operations),
            _ => Page::Lost,
        })
    }
}

fn changed(id: PageId, mut page: Vec<u8>, lsn: Lsn, operations: &[u8]) -> Page {
    match change::apply(id, &mut page, operations) {
        Ok(()) => {
            header::set_lsn(&mut page, lsn);
            Page::Now(page)
        }
        Err(_) => Page::Lost,
    }
}
