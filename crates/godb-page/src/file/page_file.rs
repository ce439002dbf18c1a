//! [`PageFile`]: a [`PageStore`] in a file.
//!
//! Reading is a read and a check. Writing takes four steps, so that no crash leaves a page half old and half new:
//!
//! 1. if the batch before may not be durable in its places yet, sync the file: its copies are about to be overwritten;
//! 2. write copies of this batch into the [double-write area](super::safe_copies), and sync that;
//! 3. overwrite the pages in place;
//! 4. remember that they are in doubt, until the next sync of the file.
//!
//! So one batch costs one sync of the area and, shared with whatever else syncs the file, at most one of the file. Copies count from the
//! moment when step 2 ends; opening the file puts them in place again, also where the page looks right, because after a failed sync the operating system may
//! show bytes that the disk does not have.
//!
//! A failed sync says that *some* write was lost, not which, and the next one may succeed without it. Therefore the first one ends all writing until the file
//! is opened again ([`Fault::Poisoned`]). Other failures end nothing: the disk may have room again later.

use super::direct::Direct;
use super::header::HEADER_PAGES;
use super::safe_copies::SafeCopies;
use crate::fault::Fault;
use crate::file_system::{File, FileSystem};
use crate::ids::{DatabaseId, PageId};
use crate::page::header;
use crate::store::PageStore;
use crate::sync::atomic::{AtomicU32, Ordering};
use crate::sync::{Arc, Mutex, MutexGuard};

/// How a page file is opened.
#[derive(Clone, Debug)]
pub struct PageFileOptions {
    /// Bytes in a page.
    pub page_size: usize,
    /// The identity that every page carries.
    pub database_id: DatabaseId,
    /// The most bytes that the file may have.
    pub max_size: Option<u64>,
    /// The name of the double-write area.
    pub safe_copies: String,
    /// Read past the system's cache, where the file system can.
    pub direct: bool,
}

/// What writing needs, one batch at a time.
struct Writing {
    /// None in a file that is open for reading only.
    area: Option<SafeCopies>,
    /// The batch in the area may not be durable in its places.
    in_doubt: bool,
    /// The batch in the area was not written in place to its end: pages may be torn until it is.
    unfinished: bool,
    /// The sync that failed.
    failed: Option<Fault>,
}

/// Pages in a file.
pub struct PageFile {
    file: Arc<dyn File>,
    /// The same file, read past the system's cache.
    direct: Option<Direct>,
    page_size: usize,
    database: DatabaseId,
    max_size: Option<u64>,
    pages: AtomicU32,
    writing: Mutex<Writing>,
}

impl PageFile {
    /// Opens the pages of `file`, whose header was read or written before, and mends what a crash tore. Creates the double-write area when it is
    /// missing. Also returns how many pages were restored from their safe copies.
    ///
    /// # Errors
    /// Any that reading, writing and syncing the two files can give; opening again may then succeed.
    pub fn open(
        fs: &dyn FileSystem,
        file: Arc<dyn File>,
        options: PageFileOptions,
    ) -> Result<(Self, usize), Fault> {
        let PageFileOptions {
            page_size,
            database_id,
            max_size,
            safe_copies,
            direct,
        } = options;
        let area = SafeCopies::open(fs, &safe_copies, page_size)?;
        let past_the_cache = match direct {
            true => fs.open_direct(file.name())?.map(Direct::new),
            false => None,
        };
        let mut opened = Self::new(file, page_size, database_id, Some(area))?;
        opened.direct = past_the_cache;
        opened.max_size = max_size;
        let restored = opened.restore()?;
        Ok((opened, restored))
    }

    /// Opens the pages of a cleanly closed file for reading only: nothing is mended, and writing is [`Fault::ReadOnly`].
    ///
    /// # Errors
    /// When the file's length cannot be read.
    pub fn open_read_only(
        file: Arc<dyn File>,
        page_size: usize,
        database_id: DatabaseId,
    ) -> Result<Self, Fault> {
        Self::new(file, page_size, database_id, None)
    }

    fn new(
        file: Arc<dyn File>,
        page_size: usize,
        database: DatabaseId,
        area: Option<SafeCopies>,
    ) -> Result<Self, Fault> {
        Ok(Self {
            pages: AtomicU32::new(page_count(&*file, page_size)?),
            file,
            direct: None,
            page_size,
            database,
            max_size: None,
            writing: Mutex::new(Writing {
                area,
                in_doubt: false,
                unfinished: false,
                failed: None,
            }),
        })
    }

    /// Puts the newest batch of safe copies in place; tells how many pages were damaged or older.
    fn restore(&self) -> Result<usize, Fault> {
        let mut writing = self.writing.lock();
        if crate::sync::planted("safe-copies-not-restored") {
            return Ok(0);
        }
        let Some(area) = &mut writing.area else {
            return Ok(0);
        };
        area.read(self.database)?;
        let mut restored = 0;
        let mut copies = Vec::new();
        for (id, copy) in area
            .copies(self.database)
            .filter(|(id, _)| id.raw() >= HEADER_PAGES)
        {
            match self.compare(id, copy)? {
                Standing::Newer => continue,
                Standing::Same => {}
                Standing::Worse => restored += 1,
            }
            copies.push((id, copy.to_vec()));
        }
        if copies.is_empty() {
            return Ok(0);
        }
        area.secure()?;
        for (id, copy) in &copies {
            self.file.write_at(self.place(*id), copy)?;
        }
        self.file.sync()?;
        area.end_restoring()?;
        self.pages
            .store(page_count(&*self.file, self.page_size)?, Ordering::Release);
        Ok(restored)
    }

    /// How the page in place stands against its copy.
    fn compare(&self, id: PageId, copy: &[u8]) -> Result<Standing, Fault> {
        let mut page = vec![0; self.page_size];
        match self.read(id, &mut page) {
            Ok(()) if header::lsn(&page) > header::lsn(copy) => Ok(Standing::Newer),
            Ok(()) if page == copy => Ok(Standing::Same),
            Ok(()) | Err(Fault::Corrupt { .. }) => Ok(Standing::Worse),
            Err(fault) => Err(fault),
        }
    }

    fn place(&self, id: PageId) -> u64 {
        u64::from(id.raw()) * self.page_size as u64
    }

    fn corrupt(&self, id: PageId, what: impl Into<std::borrow::Cow<'static, str>>) -> Fault {
        Fault::corrupt_page(self.file.name(), id, what)
    }

    /// The right to write, unless an earlier sync failed.
    fn begin_writing(&self) -> Result<MutexGuard<'_, Writing>, Fault> {
        let writing = self.writing.lock();
        match &writing.failed {
            Some(fault) => Err(Fault::Poisoned {
                why: fault.to_string().into(),
            }),
            None => Ok(writing),
        }
    }

    fn read_only(&self) -> Fault {
        Fault::ReadOnly {
            file: self.file.name().into(),
        }
    }

    /// Writes the beginning of a batch of sealed pages; returns how many of them.
    fn write_some(&self, writing: &mut Writing, batch: &[(PageId, &mut [u8])]) -> Result<usize, Fault> {
        if writing.unfinished {
            self.overwrite(writing)?;
        }
        if writing.in_doubt {
            self.sync_in_place(writing)?;
        }
        let area = writing.area.as_mut().ok_or_else(|| self.read_only())?;
        let count = area.room_for(batch.len())?;
        area.keep(self.database, &batch[..count])?;
        if let Err(fault) = area.sync() {
            writing.failed = Some(fault.clone());
            return Err(fault);
        }
        self.overwrite(writing)?;
        Ok(count)
    }

    /// Writes the batch that is in the area in its places, neighbours in one go.
    fn overwrite(&self, writing: &mut Writing) -> Result<(), Fault> {
        writing.in_doubt = true;
        writing.unfinished = true;
        if let Some(area) = &writing.area {
            for (first, run) in area.runs() {
                self.file.write_at(self.place(first), run)?;
            }
        }
        writing.unfinished = false;
        Ok(())
    }

    fn sync_in_place(&self, writing: &mut Writing) -> Result<(), Fault> {
        if crate::sync::planted("pages-not-synced") {
            writing.in_doubt = false;
            return Ok(());
        }
        if let Err(fault) = self.file.sync() {
            writing.failed = Some(fault.clone());
            return Err(fault);
        }
        writing.in_doubt = false;
        Ok(())
    }
}

/// How a page stands against its copy in the double-write area.
enum Standing {
    Newer,
    Same,
    Worse,
}

fn page_count(file: &dyn File, page_size: usize) -> Result<u32, Fault> {
    let pages = file.len()? / page_size as u64;
    u32::try_from(pages).map_err(|_| Fault::Unusable {
        file: file.name().into(),
        why: "it has more pages than page numbers".into(),
    })
}

impl PageStore for PageFile {
    fn page_size(&self) -> usize {
        self.page_size
    }

    fn database_id(&self) -> DatabaseId {
        self.database
    }

    fn file_name(&self) -> &str {
        self.file.name()
    }

    fn page_count(&self) -> u32 {
        self.pages.load(Ordering::Acquire)
    }

    fn read(&self, id: PageId, into: &mut [u8]) -> Result<(), Fault> {
        let file = match &self.direct {
            Some(direct) => direct.for_reading(id, &self.file),
            None => &self.file,
        };
        let got = file.read_at(self.place(id), into)?;
        if got < into.len() {
            return Err(self.corrupt(id, "the file ends before it or inside it"));
        }
        header::verify(into, id, self.database).map_err(|flaw| self.corrupt(id, flaw.to_string()))
    }

    fn write(&self, batch: &mut [(PageId, &mut [u8])]) -> Result<(), Fault> {
        for (id, page) in batch.iter_mut() {
            header::seal(page, *id, self.database);
        }
        let mut writing = self.begin_writing()?;
        let mut rest = &*batch;
        while !rest.is_empty() {
            let count = self.write_some(&mut writing, rest)?;
            rest = &rest[count..];
        }
        if let Some(highest) = batch.iter().map(|(id, _)| id.raw()).max() {
            self.pages.fetch_max(highest.saturating_add(1), Ordering::AcqRel);
        }
        Ok(())
    }

    fn resize(&self, pages: u32) -> Result<(), Fault> {
        let writing = self.begin_writing()?;
        if writing.area.is_none() {
            return Err(self.read_only());
        }
        let size = u64::from(pages) * self.page_size as u64;
        let grows = pages > self.page_count();
        if grows && self.max_size.is_some_and(|max| size > max) {
            return Err(Fault::Full {
                file: self.file.name().into(),
                what: "the configured max_file_size is reached".into(),
            });
        }
        self.file.set_len(size)?;
        self.pages.store(pages, Ordering::Release);
        Ok(())
    }

    fn sync(&self) -> Result<(), Fault> {
        let mut writing = self.begin_writing()?;
        if writing.unfinished {
            self.overwrite(&mut writing)?;
        }
        self.sync_in_place(&mut writing)
    }

    fn is_poisoned(&self) -> bool {
        self.writing.lock().failed.is_some()
    }

    fn will_need(&self, first: PageId, count: u32) {
        if let Some(direct) = &self.direct {
            direct.will_come(first, count);
        }
        self.file
            .will_need(self.place(first), u64::from(count) * self.page_size as u64);
    }
}

#[cfg(test)]
mod tests;
