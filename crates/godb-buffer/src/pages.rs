//! [`Pages`]: what the layers above see of the buffer pool.

use godb_page::sync::Arc;
use godb_page::{DATABASE_FILE, DatabaseId, Fault, Lsn, PageId};
use std::ops::Deref;

/// A page latched for writing. Its bytes can be read freely; they can be changed only after [`stamp`](Self::stamp),
/// which takes the log position of the record that describes the change. That is the first clause of the
/// write-ahead rule, and the type system keeps it.
pub trait PageWrite: Deref<Target = [u8]> {
    /// Marks the page as changed by the record at `lsn` and hands out its bytes. `floor` is the log position that
    /// redo must not pass while this page is dirty: the reservation under which `lsn` was appended.
    /// The page's LSN field is set to `lsn`.
    fn stamp(&mut self, floor: Lsn, lsn: Lsn) -> &mut [u8];
}

/// Access to the pages of one file through a bounded memory.
///
/// An operation first asks to be [admitted](Self::admit) with as many pages as it will ever hold at once; after that no
/// page access waits for memory, so holding latches while fetching the next page cannot dead-lock.
pub trait Pages: Send + Sync + 'static {
    /// The right to hold a number of pages at once.
    type Admission<'a>: Send
    where
        Self: 'a;
    /// A page latched for reading; shared with other readers.
    type Read<'a>: Deref<Target = [u8]>
    where
        Self: 'a;
    /// A page latched for writing; excludes everybody else.
    type Write<'a>: PageWrite
    where
        Self: 'a;
    /// Keeps a page in memory without latching it.
    type Pin<'a>
    where
        Self: 'a;
    /// A page that is looked at without waiting for anything.
    type Glance<'a>: Deref<Target = [u8]>
    where
        Self: 'a;

    /// Bytes in a page.
    fn page_size(&self) -> usize;
    /// The identity that the pages carry.
    fn database_id(&self) -> DatabaseId;
    /// What the file is called, for messages.
    fn file_name(&self) -> &str {
        DATABASE_FILE
    }
    /// Waits until the caller may hold `pages` pages (read, write, fresh or pinned) at once. Taken before the first
    /// latch, dropped after the last.
    fn admit(&self, pages: usize) -> Result<Self::Admission<'_>, Fault>;
    /// Looks at a page, if it is in memory and nobody changes it. Needs no admission, because it never waits: one who glances must not
    /// wait for anything either while it does (so it glances at a child and lets the parent go, but does not [`read`](Self::read) meanwhile). `None` means nothing but
    /// that the caller should take the slow way.
    fn glance(&self, id: PageId) -> Option<Self::Glance<'_>>;
    /// Latches a page for reading, fetching it from the store if need be. May do I/O: hold no latch meanwhile
    /// unless [`try_read`](Self::try_read) says that the page is not in memory.
    fn read(&self, id: PageId) -> Result<Self::Read<'_>, Fault>;
    /// Latches a page for reading if it is in memory. Waits for its latch, never for the disk.
    fn try_read(&self, id: PageId) -> Result<Option<Self::Read<'_>>, Fault>;
    /// Latches a page for writing, fetching it if need be.
    fn write(&self, id: PageId) -> Result<Self::Write<'_>, Fault>;
    /// Latches a page for writing if it is in memory.
    fn try_write(&self, id: PageId) -> Result<Option<Self::Write<'_>>, Fault>;
    /// Latches a page for writing without reading it: its old bytes matter to nobody. The bytes are zero, apart
    /// from page id and database id, and the LSN where the page is in memory and changed. Never does I/O on the page itself. A guard dropped
    /// without a stamp leaves no page.
    fn fresh(&self, id: PageId) -> Result<Self::Write<'_>, Fault>;
    /// Brings a page into memory and keeps it there, unlatched.
    fn pin(&self, id: PageId) -> Result<Self::Pin<'_>, Fault>;
    /// Tells the pool that nobody will want this page's bytes again, until it begins afresh. Only a hint; never waits.
    fn discard(&self, id: PageId);
    /// Hints that a page will be wanted soon. Never waits.
    fn prefetch(&self, id: PageId);
    /// Hints that pages will be looked at in a moment: where they are in memory, the processor begins to get their bytes, side by side. Never waits.
    fn approach(&self, _ids: &[PageId]) {}
    /// Makes room in the file for pages below `pages`, so that writing them back cannot find the disk full.
    fn ensure_capacity(&self, pages: u32) -> Result<(), Fault>;
    /// How many pages the file has room for.
    fn capacity(&self) -> u32;
    /// Gives the file's room from page `pages` on back. Those pages must be free, and clean. `false` when somebody still uses one of them.
    fn shrink(&self, pages: u32) -> Result<bool, Fault>;
    /// Writes every page that is dirty now and makes the file durable. New changes may go on meanwhile.
    fn flush(&self) -> Result<(), Fault>;
    /// The oldest floor among pages whose changes are not durable in the file yet: redo after a crash would have to start
    /// there. Ask for the oldest open reservation *before* this: a reservation that closes in between has soiled its pages by then.
    fn oldest_dirty(&self) -> Option<Lsn>;
}

/// Shared pages are pages: the facade keeps a handle for write-back and statistics while the tree owns another.
impl<P: Pages> Pages for Arc<P> {
    type Admission<'a> = P::Admission<'a>;
    type Read<'a> = P::Read<'a>;
    type Write<'a> = P::Write<'a>;
    type Pin<'a> = P::Pin<'a>;
    type Glance<'a> = P::Glance<'a>;

    fn page_size(&self) -> usize {
        P::page_size(self)
    }

    fn database_id(&self) -> DatabaseId {
        P::database_id(self)
    }

    fn file_name(&self) -> &str {
        P::file_name(self)
    }

    fn admit(&self, pages: usize) -> Result<P::Admission<'_>, Fault> {
        P::admit(self, pages)
    }

    #[inline]
    fn glance(&self, id: PageId) -> Option<P::Glance<'_>> {
        P::glance(self, id)
    }

    fn read(&self, id: PageId) -> Result<P::Read<'_>, Fault> {
        P::read(self, id)
    }

    fn try_read(&self, id: PageId) -> Result<Option<P::Read<'_>>, Fault> {
        P::try_read(self, id)
    }

    fn write(&self, id: PageId) -> Result<P::Write<'_>, Fault> {
        P::write(self, id)
    }

    fn try_write(&self, id: PageId) -> Result<Option<P::Write<'_>>, Fault> {
        P::try_write(self, id)
    }

    fn fresh(&self, id: PageId) -> Result<P::Write<'_>, Fault> {
        P::fresh(self, id)
    }

    fn pin(&self, id: PageId) -> Result<P::Pin<'_>, Fault> {
        P::pin(self, id)
    }

    fn discard(&self, id: PageId) {
        P::discard(self, id);
    }

    fn prefetch(&self, id: PageId) {
        P::prefetch(self, id);
    }

    #[inline]
    fn approach(&self, ids: &[PageId]) {
        P::approach(self, ids);
    }

    fn ensure_capacity(&self, pages: u32) -> Result<(), Fault> {
        P::ensure_capacity(self, pages)
    }

    fn capacity(&self) -> u32 {
        P::capacity(self)
    }

    fn shrink(&self, pages: u32) -> Result<bool, Fault> {
        P::shrink(self, pages)
    }

    fn flush(&self) -> Result<(), Fault> {
        P::flush(self)
    }

    fn oldest_dirty(&self) -> Option<Lsn> {
        P::oldest_dirty(self)
    }
}
