//! [`MemoryPageStore`]: pages in memory, sealed and verified like those in a file. The simplest correct [`PageStore`].

use crate::fault::Fault;
use crate::ids::{DatabaseId, PageId};
use crate::page::header;
use crate::store::PageStore;
use crate::sync::RwLock;

/// Pages in memory.
pub struct MemoryPageStore {
    page_size: usize,
    database: DatabaseId,
    pages: RwLock<Vec<Option<Box<[u8]>>>>,
}

impl MemoryPageStore {
    /// No pages yet.
    #[must_use]
    pub fn new(page_size: usize, database: DatabaseId) -> Self {
        Self {
            page_size,
            database,
            pages: RwLock::new(Vec::new()),
        }
    }
}

impl PageStore for MemoryPageStore {
    fn page_size(&self) -> usize {
        self.page_size
    }

    fn database_id(&self) -> DatabaseId {
        self.database
    }

    fn page_count(&self) -> u32 {
        u32::try_from(self.pages.read().len()).expect("pages are numbered with 32 bits")
    }

    fn read(&self, id: PageId, into: &mut [u8]) -> Result<(), Fault> {
        let pages = self.pages.read();
        let Some(Some(page)) = pages.get(id.raw() as usize) else {
            return Err(Fault::corrupt_page("memory", id, "it was never written"));
        };
        into.copy_from_slice(page);
        header::verify(into, id, self.database)
            .map_err(|flaw| Fault::corrupt_page("memory", id, flaw.to_string()))
    }

    fn write(&self, batch: &mut [(PageId, &mut [u8])]) -> Result<(), Fault> {
        let mut pages = self.pages.write();
        for (id, page) in batch {
            header::seal(page, *id, self.database);
            let at = id.raw() as usize;
            if pages.len() <= at {
                pages.resize(at + 1, None);
            }
            pages[at] = Some((**page).into());
        }
        Ok(())
    }

    fn resize(&self, count: u32) -> Result<(), Fault> {
        self.pages.write().resize(count as usize, None);
        Ok(())
    }

    fn sync(&self) -> Result<(), Fault> {
        Ok(())
    }
}
