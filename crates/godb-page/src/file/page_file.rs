//! [`PageFile`]: a [`PageStore`] in a file.

use super::header::HEADER_PAGES;
use super::safe_copies::SafeCopies;
use crate::fault::Fault;
use crate::file_system::{File, FileSystem};
use crate::ids::{DatabaseId, PageId};
use crate::page::header;
use crate::store::PageStore;
use crate::sync::atomic::{AtomicU32, Ordering};
use crate::sync::{Arc, Mutex};

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
}

/// Whether the pages of the last batch are known to be durable in their places.
struct Area {
    copies: SafeCopies,
    in_doubt: bool,
}

/// Pages in a file.
pub struct PageFile {
    file: Arc<dyn File>,
    options: PageFileOptions,
    pages: AtomicU32,
    area: Mutex<Area>,
}

impl PageFile {
    /// Opens the pages of `file`, whose header was read or written before, and mends what a crash tore: returns how many pages
    /// were restored from their safe copies.
    pub fn open(
        fs: &dyn FileSystem,
        file: Arc<dyn File>,
        options: PageFileOptions,
    ) -> Result<(Self, usize), Fault> {
        let pages = page_count(&*file, options.page_size)?;
        let copies = SafeCopies::open(fs, &options.safe_copies, options.page_size)?;
        let area = Mutex::new(Area {
            copies,
            in_doubt: false,
        });
        let opened = Self {
            file,
            options,
            pages: AtomicU32::new(pages),
            area,
        };
        let restored = opened.restore()?;
        Ok((opened, restored))
    }

    /// Puts whole copies in the place of pages that are damaged or older.
    fn restore(&self) -> Result<usize, Fault> {
        let copies = self.area.lock().copies.read(self.options.database_id)?;
        let mut restored = 0;
        for (id, copy) in copies {
            if id.raw() >= HEADER_PAGES && self.needs(id, &copy)? {
                self.file.write_at(self.place(id), &copy)?;
                restored += 1;
            }
        }
        if restored > 0 {
            self.file.sync()?;
            self.pages.store(
                page_count(&*self.file, self.options.page_size)?,
                Ordering::Release,
            );
        }
        Ok(restored)
    }

    fn needs(&self, id: PageId, copy: &[u8]) -> Result<bool, Fault> {
        let mut page = vec![0; self.options.page_size];
        match self.read(id, &mut page) {
            Ok(()) => Ok(header::lsn(&page) < header::lsn(copy)),
            Err(Fault::Corrupt { .. }) => Ok(true),
            Err(fault) => Err(fault),
        }
    }

    fn place(&self, id: PageId) -> u64 {
        u64::from(id.raw()) * self.options.page_size as u64
    }

    fn corrupt(&self, id: PageId, what: String) -> Fault {
        Fault::corrupt_page(self.file.name(), id, what)
    }

    /// Writes sealed pages in their places, neighbours in one go.
    fn overwrite(&self, batch: &[(PageId, &mut [u8])]) -> Result<(), Fault> {
        let mut run: Vec<u8> = Vec::new();
        let mut start = 0;
        for (at, (id, page)) in batch.iter().enumerate() {
            if run.is_empty() {
                start = self.place(*id);
            }
            run.extend_from_slice(page);
            let next = batch.get(at + 1).map(|(next, _)| next.raw());
            if next != Some(id.raw() + 1) {
                self.file.write_at(start, &run)?;
                run.clear();
            }
        }
        Ok(())
    }
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
        self.options.page_size
    }

    fn database_id(&self) -> DatabaseId {
        self.options.database_id
    }

    fn page_count(&self) -> u32 {
        self.pages.load(Ordering::Acquire)
    }

    fn read(&self, id: PageId, into: &mut [u8]) -> Result<(), Fault> {
        let got = self.file.read_at(self.place(id), into)?;
        if got < into.len() {
            return Err(self.corrupt(id, "the file ends before it or inside it".to_owned()));
        }
        header::verify(into, id, self.options.database_id).map_err(|flaw| self.corrupt(id, flaw.to_string()))
    }

    fn write(&self, batch: &mut [(PageId, &mut [u8])]) -> Result<(), Fault> {
        for (id, page) in batch.iter_mut() {
            header::seal(page, *id, self.options.database_id);
        }
        let mut area = self.area.lock();
        if area.in_doubt {
            // The area still guards the batch before: its pages must be safe in their places first.
            self.file.sync()?;
            area.in_doubt = false;
        }
        area.copies.keep(batch)?;
        area.in_doubt = true;
        self.overwrite(batch)?;
        if let Some(highest) = batch.iter().map(|(id, _)| id.raw()).max() {
            self.pages.fetch_max(highest + 1, Ordering::AcqRel);
        }
        Ok(())
    }

    fn resize(&self, pages: u32) -> Result<(), Fault> {
        let size = u64::from(pages) * self.options.page_size as u64;
        let shrinks = pages < self.page_count();
        if !shrinks && self.options.max_size.is_some_and(|max| size > max) {
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
        let mut area = self.area.lock();
        self.file.sync()?;
        area.in_doubt = false;
        Ok(())
    }
}
