//! [`SafeCopies`]: the double-write area, which makes overwriting a page in place safe.
//!
//! A page is larger than what a disk writes atomically, so a crash can leave half of it old and half of it new. Before pages are overwritten, copies of the
//! whole batch are written here, one after the other, and made durable. Whatever then happens to the pages themselves, either the page or
//! its copy is whole. The same idea is InnoDB's doublewrite buffer.
//!
//! A copy stands at slot `n`, bytes `n × page size` and on; it carries its page id, database id, LSN and checksum in its own header, so the area needs
//! no index: on opening every slot is looked at, and one that is not whole is the end of a batch that never was.

use crate::fault::Fault;
use crate::file_system::{File, FileSystem, OpenMode};
use crate::ids::{DatabaseId, PageId};
use crate::page::header;
use std::sync::Arc;

/// The double-write area.
pub(super) struct SafeCopies {
    file: Arc<dyn File>,
    page_size: usize,
    /// Bytes that are already allocated: writing into them changes no length.
    allocated: u64,
}

impl SafeCopies {
    /// Opens or creates the area.
    pub(super) fn open(fs: &dyn FileSystem, name: &str, page_size: usize) -> Result<Self, Fault> {
        let file = fs.open(name, OpenMode::Create)?;
        let allocated = file.len()?;
        Ok(Self {
            file,
            page_size,
            allocated,
        })
    }

    /// Writes copies of sealed pages and makes them durable. The pages of the batch before must be durable in their places.
    pub(super) fn keep(&mut self, batch: &[(PageId, &mut [u8])]) -> Result<(), Fault> {
        let bytes: Vec<u8> = batch.iter().flat_map(|(_, page)| page.iter().copied()).collect();
        if (bytes.len() as u64) > self.allocated {
            self.file.set_len(bytes.len() as u64)?;
            self.allocated = bytes.len() as u64;
        }
        self.file.write_at(0, &bytes)?;
        self.file.sync()
    }

    /// Every whole copy in the area.
    pub(super) fn read(&self, database: DatabaseId) -> Result<Vec<(PageId, Vec<u8>)>, Fault> {
        let mut copies = Vec::new();
        let slots = self.allocated / self.page_size as u64;
        for slot in 0..slots {
            let mut page = vec![0; self.page_size];
            let got = self.file.read_at(slot * self.page_size as u64, &mut page)?;
            let id = header::page_id(&page);
            if got == self.page_size && header::verify(&page, id, database).is_ok() {
                copies.push((id, page));
            }
        }
        Ok(copies)
    }
}
