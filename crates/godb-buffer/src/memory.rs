//! [`MemoryPages`]: the simplest correct [`Pages`]. Every page stays in memory behind a lock of its own, and nothing is ever
//! written anywhere. It is the specification of the pool, and what the tree is tested on.

use crate::pages::{PageWrite, Pages};
use godb_page::page::header;
use godb_page::sync::atomic::{AtomicU32, Ordering};
use godb_page::sync::{RwLock, RwLockReadGuard, RwLockWriteGuard};
use godb_page::{DatabaseId, Fault, Lsn, PageId};
use std::ops::Deref;
use std::sync::OnceLock;

/// Slots of the first level; each holds [`CHUNK`] pages, made when the first of them is touched.
const CHUNKS: usize = 4096;
const CHUNK: usize = 1024;

type Chunk = Box<[RwLock<Box<[u8]>>]>;

/// Pages in memory.
pub struct MemoryPages {
    page_size: usize,
    database: DatabaseId,
    capacity: AtomicU32,
    chunks: Box<[OnceLock<Chunk>]>,
}

impl MemoryPages {
    /// No pages yet.
    #[must_use]
    pub fn new(page_size: usize, database: DatabaseId) -> Self {
        let chunks = (0..CHUNKS).map(|_| OnceLock::new()).collect();
        Self {
            page_size,
            database,
            capacity: AtomicU32::new(0),
            chunks,
        }
    }

    fn slot(&self, id: PageId) -> Result<&RwLock<Box<[u8]>>, Fault> {
        let number = id.raw() as usize;
        let chunk = self.chunks.get(number / CHUNK).ok_or_else(|| Self::absent(id))?;
        let chunk = chunk.get_or_init(|| (0..CHUNK).map(|_| RwLock::new(Box::default())).collect());
        Ok(&chunk[number % CHUNK])
    }

    fn absent(id: PageId) -> Fault {
        Fault::corrupt_page("memory", id, "it was never written")
    }
}

/// A page latched for reading.
pub struct MemoryRead<'a>(RwLockReadGuard<'a, Box<[u8]>>);

/// A page latched for writing.
pub struct MemoryWrite<'a> {
    bytes: RwLockWriteGuard<'a, Box<[u8]>>,
    /// Begun afresh and not stamped yet.
    blank: bool,
}

impl Deref for MemoryRead<'_> {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.0
    }
}

impl Deref for MemoryWrite<'_> {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.bytes
    }
}

impl PageWrite for MemoryWrite<'_> {
    fn stamp(&mut self, _floor: Lsn, lsn: Lsn) -> &mut [u8] {
        self.blank = false;
        header::set_lsn(&mut self.bytes, lsn);
        &mut self.bytes
    }
}

impl Drop for MemoryWrite<'_> {
    fn drop(&mut self) {
        if self.blank {
            *self.bytes = Box::default();
        }
    }
}

impl Pages for MemoryPages {
    type Admission<'a> = ();
    type Read<'a> = MemoryRead<'a>;
    type Write<'a> = MemoryWrite<'a>;
    type Pin<'a> = ();
    type Glance<'a> = MemoryRead<'a>;

    fn page_size(&self) -> usize {
        self.page_size
    }

    fn database_id(&self) -> DatabaseId {
        self.database
    }

    fn admit(&self, _pages: usize) -> Result<(), Fault> {
        Ok(())
    }

    fn glance(&self, id: PageId) -> Option<MemoryRead<'_>> {
        let bytes = self.slot(id).ok()?.try_read()?;
        (!bytes.is_empty()).then_some(MemoryRead(bytes))
    }

    fn read(&self, id: PageId) -> Result<MemoryRead<'_>, Fault> {
        let bytes = self.slot(id)?.read();
        if bytes.is_empty() {
            Err(Self::absent(id))
        } else {
            Ok(MemoryRead(bytes))
        }
    }

    fn try_read(&self, id: PageId) -> Result<Option<MemoryRead<'_>>, Fault> {
        self.read(id).map(Some)
    }

    fn write(&self, id: PageId) -> Result<MemoryWrite<'_>, Fault> {
        let bytes = self.slot(id)?.write();
        if bytes.is_empty() {
            Err(Self::absent(id))
        } else {
            Ok(MemoryWrite { bytes, blank: false })
        }
    }

    fn try_write(&self, id: PageId) -> Result<Option<MemoryWrite<'_>>, Fault> {
        self.write(id).map(Some)
    }

    fn fresh(&self, id: PageId) -> Result<MemoryWrite<'_>, Fault> {
        let mut bytes = self.slot(id)?.write();
        *bytes = vec![0; self.page_size].into_boxed_slice();
        header::set_page_id(&mut bytes, id);
        header::set_database_id(&mut bytes, self.database);
        Ok(MemoryWrite { bytes, blank: true })
    }

    fn pin(&self, id: PageId) -> Result<(), Fault> {
        self.read(id).map(drop)
    }

    fn discard(&self, id: PageId) {
        if let Some(mut bytes) = self.slot(id).ok().and_then(RwLock::try_write) {
            *bytes = Box::default();
        }
    }

    fn prefetch(&self, _id: PageId) {}

    fn ensure_capacity(&self, pages: u32) -> Result<(), Fault> {
        if pages as usize > CHUNKS * CHUNK {
            return Err(Fault::Full {
                file: "memory".into(),
                what: "it is full of pages".into(),
            });
        }
        self.capacity.fetch_max(pages, Ordering::AcqRel);
        Ok(())
    }

    fn capacity(&self) -> u32 {
        self.capacity.load(Ordering::Acquire)
    }

    fn shrink(&self, pages: u32) -> Result<bool, Fault> {
        let before = self.capacity.fetch_min(pages, Ordering::AcqRel);
        (pages..before).for_each(|page| self.discard(PageId::from_raw(page)));
        Ok(true)
    }

    fn flush(&self) -> Result<(), Fault> {
        Ok(())
    }

    fn oldest_dirty(&self) -> Option<Lsn> {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_conforms() {
        crate::testing::pages(|| MemoryPages::new(4096, DatabaseId::from_bytes([1; 16])));
    }
}
