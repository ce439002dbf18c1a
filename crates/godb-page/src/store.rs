//! The seam between pages and files: whole pages in, whole pages out, checked on the way.

use crate::fault::{DATABASE_FILE, Fault};
use crate::ids::{DatabaseId, PageId};

/// Pages by number, on some medium.
///
/// The store seals each page on its way out (page id, database id, checksum) and verifies it on the way in.
pub trait PageStore: Send + Sync + 'static {
    /// Bytes in a page: a power of two from 4 KiB to 64 KiB.
    fn page_size(&self) -> usize;
    /// The identity that every page of this store carries.
    fn database_id(&self) -> DatabaseId;
    /// What the medium is called, for messages.
    fn file_name(&self) -> &str {
        DATABASE_FILE
    }
    /// How many pages the medium has room for now. Pages at or beyond this were never written.
    fn page_count(&self) -> u32;
    /// Reads page `id` into `into` and verifies it: damage, a page of another place or another database, and a page that
    /// was never written (beyond the end, or all zeros) are [`Fault::Corrupt`]. Whoever repeats history after a crash therefore begins a
    /// page that may never have reached the medium without reading it.
    fn read(&self, id: PageId, into: &mut [u8]) -> Result<(), Fault>;
    /// Seals and writes a batch of pages. A crash at any moment leaves every page of the batch either as it was
    /// or as it is given here, never torn; durable only after [`sync`](Self::sync). No page occurs twice in a batch.
    /// After an error each page may be the one or the other, and writing them again mends that.
    fn write(&self, batch: &mut [(PageId, &mut [u8])]) -> Result<(), Fault>;
    /// Makes room for `pages` pages, or gives the room beyond them back.
    fn resize(&self, pages: u32) -> Result<(), Fault>;
    /// Makes every completed write durable. When that fails nothing is known of the writes since the last success, and all
    /// later writes and syncs fail with [`Fault::Poisoned`] until the store is opened again.
    fn sync(&self) -> Result<(), Fault>;
    /// Whether a failed sync has ended all writing.
    fn is_poisoned(&self) -> bool {
        false
    }
    /// Hints that `count` pages from `first` on will be read soon. Never waits.
    fn will_need(&self, _first: PageId, _count: u32) {}
}
