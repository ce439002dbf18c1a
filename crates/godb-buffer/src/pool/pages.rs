//! The pool as [`Pages`].

use super::frame::Content;
use super::guards::{PageGlance, PageReadGuard, PageWriteGuard, Pinned};
use super::{Admission, Pool};
use crate::pages::Pages;
use godb_page::sync::atomic::Ordering;
use godb_page::{DatabaseId, Fault, Lsn, PageId, PageStore};

impl<S: PageStore> Pool<S> {
    /// Latches a pinned page for reading; `None` when it has left the frame meanwhile.
    fn latch_shared<'a>(&'a self, pin: Pinned<'a>) -> Result<Option<PageReadGuard<'a>>, Fault> {
        let body = pin.frame().latch.read();
        match &body.content {
            Content::Good => Ok(Some(PageReadGuard::new(body, pin))),
            Content::Failed(fault) => Err((**fault).clone()),
            Content::Gone => Ok(None),
        }
    }

    /// Latches a pinned page for writing; `None` when it has left the frame meanwhile.
    fn latch_exclusive<'a>(&'a self, pin: Pinned<'a>) -> Result<Option<PageWriteGuard<'a>>, Fault> {
        let body = self.table.latch(pin.at());
        match &body.content {
            Content::Good => Ok(Some(PageWriteGuard::new(body, pin, false))),
            Content::Failed(fault) => Err((**fault).clone()),
            Content::Gone => Ok(None),
        }
    }

    /// Pins the page if it is in memory and not on its way in.
    fn lookup_settled(&self, id: PageId) -> Option<Pinned<'_>> {
        self.lookup(id)
            .filter(|pin| !pin.frame().loading.load(Ordering::Acquire))
    }

    /// Latches a page that begins afresh in its frame, if it is in memory and its frame is its own.
    fn fresh_resident(&self, id: PageId) -> Option<PageWriteGuard<'_>> {
        let pin = self.lookup(id)?;
        let mut body = self.table.latch(pin.at());
        if !matches!(body.content, Content::Good) {
            return None;
        }
        self.blank(id, pin.frame().is_dirty(), &mut body.bytes);
        Some(PageWriteGuard::new(body, pin, true))
    }

    /// Latches a page that begins afresh in an empty frame; `None` when another thread was faster.
    fn fresh_absent(&self, id: PageId) -> Result<Option<PageWriteGuard<'_>>, Fault> {
        let at = self.take_frame()?;
        let mut body = self.table.latch(at);
        let Ok(pin) = self.table.install(id, at, false) else {
            drop(body);
            self.give_back(at);
            return Ok(None);
        };
        self.arrived(&pin, id);
        self.blank(id, false, &mut body.bytes);
        body.content = Content::Good;
        Ok(Some(PageWriteGuard::new(body, pin, true)))
    }
}

impl<S: PageStore> Pages for Pool<S> {
    type Admission<'a> = Admission<'a>;
    type Read<'a> = PageReadGuard<'a>;
    type Write<'a> = PageWriteGuard<'a>;
    type Pin<'a> = Pinned<'a>;
    type Glance<'a> = PageGlance<'a>;

    fn page_size(&self) -> usize {
        self.store.page_size()
    }

    fn database_id(&self) -> DatabaseId {
        self.store.database_id()
    }

    fn file_name(&self) -> &str {
        self.store.file_name()
    }

    fn admit(&self, pages: usize) -> Result<Admission<'_>, Fault> {
        Ok(self.gate.enter(pages))
    }

    #[inline]
    fn glance(&self, id: PageId) -> Option<PageGlance<'_>> {
        let tick = self.tick.load(Ordering::Relaxed);
        self.table.glance(id, |frame| frame.touch(tick, self.period))
    }

    fn read(&self, id: PageId) -> Result<PageReadGuard<'_>, Fault> {
        loop {
            if let Some(page) = self.latch_shared(self.fetch(id)?)? {
                return Ok(page);
            }
        }
    }

    fn try_read(&self, id: PageId) -> Result<Option<PageReadGuard<'_>>, Fault> {
        match self.lookup_settled(id) {
            Some(pin) => self.latch_shared(pin),
            None => Ok(None),
        }
    }

    fn write(&self, id: PageId) -> Result<PageWriteGuard<'_>, Fault> {
        loop {
            if let Some(page) = self.latch_exclusive(self.fetch(id)?)? {
                return Ok(page);
            }
        }
    }

    fn try_write(&self, id: PageId) -> Result<Option<PageWriteGuard<'_>>, Fault> {
        match self.lookup_settled(id) {
            Some(pin) => self.latch_exclusive(pin),
            None => Ok(None),
        }
    }

    fn fresh(&self, id: PageId) -> Result<PageWriteGuard<'_>, Fault> {
        self.check_number(id)?;
        loop {
            if self.shelf.has(id) {
                // It begins afresh, but what is known of its changes counts on.
                drop(self.fetch(id)?);
            }
            if let Some(page) = self.fresh_resident(id) {
                return Ok(page);
            }
            if let Some(page) = self.fresh_absent(id)? {
                return Ok(page);
            }
        }
    }

    fn pin(&self, id: PageId) -> Result<Pinned<'_>, Fault> {
        loop {
            let pin = self.fetch(id)?;
            // Waits until the page has been read, by whomever.
            if pin.frame().loading.load(Ordering::Acquire) {
                match &pin.frame().latch.read().content {
                    Content::Good => {}
                    Content::Failed(fault) => return Err((**fault).clone()),
                    Content::Gone => continue,
                }
            }
            return Ok(pin);
        }
    }

    fn discard(&self, id: PageId) {
        self.forget(id);
    }

    #[inline]
    fn approach(&self, ids: &[PageId]) {
        self.table.approach(ids);
    }

    fn prefetch(&self, id: PageId) {
        // Into the operating system's cache only: no frame is taken, and nobody waits.
        if self.table.pin(id).is_none() {
            self.store.will_need(id, 1);
        }
    }

    fn ensure_capacity(&self, pages: u32) -> Result<(), Fault> {
        if pages <= self.store.page_count() {
            return Ok(());
        }
        self.grow(pages)
    }

    fn capacity(&self) -> u32 {
        self.store.page_count()
    }

    fn shrink(&self, pages: u32) -> Result<bool, Fault> {
        Pool::shrink(self, pages)
    }

    fn flush(&self) -> Result<(), Fault> {
        Pool::flush(self)
    }

    fn oldest_dirty(&self) -> Option<Lsn> {
        self.oldest_floor()
    }
}
