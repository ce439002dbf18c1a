//! The pool as [`Pages`].

use super::guards::{PageReadGuard, PageWriteGuard, Pinned};
use super::{Admission, Pool};
use crate::pages::Pages;
use godb_page::{DatabaseId, Fault, Lsn, PageId, PageStore};

impl<S: PageStore> Pool<S> {
    fn latch_shared<'a>(&'a self, pin: Pinned<'a>) -> Result<PageReadGuard<'a>, Fault> {
        let body = pin.frame().latch.read();
        match &body.failed {
            Some(fault) => Err(fault.clone()),
            None => Ok(PageReadGuard::new(body, pin)),
        }
    }

    fn latch_exclusive<'a>(&'a self, pin: Pinned<'a>) -> Result<PageWriteGuard<'a>, Fault> {
        let body = pin.frame().latch.write();
        match &body.failed {
            Some(fault) => Err(fault.clone()),
            None => Ok(PageWriteGuard::new(body, pin)),
        }
    }
}

impl<S: PageStore> Pages for Pool<S> {
    type Admission<'a> = Admission<'a>;
    type Read<'a> = PageReadGuard<'a>;
    type Write<'a> = PageWriteGuard<'a>;
    type Pin<'a> = Pinned<'a>;

    fn page_size(&self) -> usize {
        self.store.page_size()
    }

    fn database_id(&self) -> DatabaseId {
        self.store.database_id()
    }

    fn admit(&self, pages: usize) -> Result<Admission<'_>, Fault> {
        Ok(self.gate.enter(pages))
    }

    fn read(&self, id: PageId) -> Result<PageReadGuard<'_>, Fault> {
        self.latch_shared(self.fetch(id)?)
    }

    fn try_read(&self, id: PageId) -> Result<Option<PageReadGuard<'_>>, Fault> {
        self.lookup(id, true)
            .map(|pin| self.latch_shared(pin))
            .transpose()
    }

    fn write(&self, id: PageId) -> Result<PageWriteGuard<'_>, Fault> {
        self.latch_exclusive(self.fetch(id)?)
    }

    fn try_write(&self, id: PageId) -> Result<Option<PageWriteGuard<'_>>, Fault> {
        self.lookup(id, true)
            .map(|pin| self.latch_exclusive(pin))
            .transpose()
    }

    fn fresh(&self, id: PageId) -> Result<PageWriteGuard<'_>, Fault> {
        loop {
            let pin = match self.lookup(id, false) {
                Some(pin) => pin,
                None => self.bring_in(id, |_| Ok(()))?,
            };
            let mut guard = PageWriteGuard::new(pin.frame().latch.write(), pin);
            let body = guard.body();
            // Somebody tried to read the page and could not: that frame has left the table, so look again.
            if body.failed.is_none() {
                self.blank(id, &mut body.bytes);
                return Ok(guard);
            }
        }
    }

    fn pin(&self, id: PageId) -> Result<Pinned<'_>, Fault> {
        let pin = self.fetch(id)?;
        // Waits until the page has been read, by whomever.
        let failed = pin.frame().latch.read().failed.clone();
        failed.map_or(Ok(pin), Err)
    }

    fn discard(&self, id: PageId) {
        self.forget(id);
    }

    fn prefetch(&self, id: PageId) {
        // An error will be met again by whoever really wants the page.
        drop(self.fetch(id));
    }

    fn ensure_capacity(&self, pages: u32) -> Result<(), Fault> {
        if pages <= self.store.page_count() {
            return Ok(());
        }
        self.store.resize(pages)
    }

    fn capacity(&self) -> u32 {
        self.store.page_count()
    }

    fn flush(&self) -> Result<(), Fault> {
        Pool::flush(self)
    }

    fn oldest_dirty(&self) -> Option<Lsn> {
        self.oldest_floor()
    }
}
