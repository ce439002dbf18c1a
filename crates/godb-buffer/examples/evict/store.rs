//! [`Blank`]: a store that has every page, and nothing in it.

use godb_buffer::{DatabaseId, Fault, PageId, PageStore};

/// Bytes in a page; nobody looks at them.
const SIZE: usize = 4096;

/// Every page, empty.
pub(crate) struct Blank;

impl PageStore for Blank {
    fn page_size(&self) -> usize {
        SIZE
    }

    fn database_id(&self) -> DatabaseId {
        DatabaseId::default()
    }

    fn page_count(&self) -> u32 {
        crate::PAGES
    }

    fn read(&self, _id: PageId, _into: &mut [u8]) -> Result<(), Fault> {
        Ok(())
    }

    fn write(&self, _batch: &mut [(PageId, &mut [u8])]) -> Result<(), Fault> {
        Ok(())
    }

    fn resize(&self, _pages: u32) -> Result<(), Fault> {
        Ok(())
    }

    fn sync(&self) -> Result<(), Fault> {
        Ok(())
    }
}
