//! [`SafeCopies`]: the double-write area, which makes overwriting a page in place safe.
//!
//! A page is larger than what a disk writes atomically, so a crash can leave half of it old and half of it new. Before pages are
//! overwritten, copies of the whole batch are written here, one after the other, and made durable. Whatever then happens to the pages
//! themselves, either the page or its copy is whole. The same idea is InnoDB's doublewrite buffer.
//!
//! ```text
//!    0  16 B magic          40  u32  number of copies
//!   16  16 B database id    44  u32  CRC-32 of bytes 0..44 and of the entries
//!   32  u64  sequence       48       entries: u32 page id, u32 the copy's CRC-32
//! 4096  the copies, one after the other
//! ```
//!
//! The index in front says which copies belong to the newest batch. Without it a copy of an earlier, longer batch would still look whole, and could
//! take the place of a page that rotted long after: old bytes passed off as good ones.
//!
//! Restoring needs the area twice. After a failed sync the batch that is read here may be in the system's cache only, and pages must not be
//! overwritten on its strength; writing it again in the same place could tear it. So it is first written to a second bank behind the first, and that one is
//! emptied when all pages are durable.

use crate::fault::Fault;
use crate::file_system::{File, FileSystem, OpenMode};
use crate::ids::{DatabaseId, PageId};
use crate::page::header;
use crate::sync::Arc;
use std::cmp::Ordering;

/// Bytes before the first copy.
const INDEX: usize = 4096;

/// Bytes before the first entry.
const ENTRIES: usize = 48;

const MAGIC: [u8; 16] = *b"godb safe copies";

/// The most pages of a batch.
const MOST: usize = 256;

/// How many pages there is always room for, so that write-back goes on, slowly, when the disk is full.
const AT_LEAST: usize = 16;

/// The double-write area.
pub(super) struct SafeCopies {
    file: Arc<dyn File>,
    page_size: usize,
    /// Bytes that are already allocated: writing into them changes no length.
    allocated: usize,
    /// Counts the batches.
    sequence: u64,
    /// The newest batch, as it is in the file.
    batch: Vec<u8>,
}

impl SafeCopies {
    /// Opens or creates the area, and makes its name durable: pages are about to depend on it.
    pub(super) fn open(fs: &dyn FileSystem, name: &str, page_size: usize) -> Result<Self, Fault> {
        let file = fs.open(name, OpenMode::Create)?;
        let least = INDEX + AT_LEAST * page_size;
        if file.len()? < least as u64 {
            file.set_len(least as u64)?;
        }
        sync_parents(fs, name)?;
        let allocated = usize::try_from(file.len()?)
            .unwrap_or(usize::MAX)
            .min(INDEX + MOST * page_size);
        Ok(Self {
            file,
            page_size,
            allocated,
            sequence: 0,
            batch: Vec::new(),
        })
    }

    /// How many of `wanted` pages fit in one batch. Grows the area for them where the disk lets it.
    pub(super) fn room_for(&mut self, wanted: usize) -> Result<usize, Fault> {
        let wanted = wanted.min(MOST);
        let size = INDEX + wanted * self.page_size;
        if size > self.allocated {
            match self.file.set_len(size as u64) {
                Ok(()) => self.allocated = size,
                Err(Fault::Full { .. }) => {}
                Err(fault) => return Err(fault),
            }
        }
        Ok(wanted.min((self.allocated - INDEX) / self.page_size))
    }

    /// Writes copies of sealed pages; durable after [`sync`](Self::sync). The batch before must be durable in its places.
    pub(super) fn keep(&mut self, database: DatabaseId, pages: &[(PageId, &mut [u8])]) -> Result<(), Fault> {
        self.batch.clear();
        self.batch.resize(INDEX, 0);
        self.batch[..16].copy_from_slice(&MAGIC);
        self.batch[16..32].copy_from_slice(&database.to_bytes());
        self.sequence += 1;
        self.batch[32..40].copy_from_slice(&self.sequence.to_le_bytes());
        let count = u32::try_from(pages.len()).expect("a batch has few pages");
        self.batch[40..44].copy_from_slice(&count.to_le_bytes());
        for (at, (id, page)) in pages.iter().enumerate() {
            let entry = ENTRIES + at * 8;
            self.batch[entry..entry + 4].copy_from_slice(&id.raw().to_le_bytes());
            self.batch[entry + 4..entry + 8].copy_from_slice(&header::crc(page).to_le_bytes());
            self.batch.extend_from_slice(page);
        }
        let crc = index_crc(&self.batch, pages.len());
        self.batch[44..48].copy_from_slice(&crc.to_le_bytes());
        self.file.write_at(0, &self.batch)
    }

    /// Makes the batch durable.
    pub(super) fn sync(&self) -> Result<(), Fault> {
        if crate::sync::planted("safe-copies-not-synced") {
            return Ok(());
        }
        self.file.sync()
    }

    /// Reads the newest batch back from the file.
    pub(super) fn read(&mut self, database: DatabaseId) -> Result<(), Fault> {
        self.batch = self.read_bank(0, database)?;
        let second = self.read_bank(self.bank(), database)?;
        match sequence(&second).cmp(&sequence(&self.batch)) {
            Ordering::Greater => self.batch = second,
            Ordering::Equal => self.complete_from(&second),
            Ordering::Less => {}
        }
        self.sequence = sequence(&self.batch);
        Ok(())
    }

    /// Takes from another writing of the same batch what is not whole in this one.
    fn complete_from(&mut self, same: &[u8]) {
        for (at, start) in (INDEX..self.batch.len()).step_by(self.page_size).enumerate() {
            let copy = start..start + self.page_size;
            if crc32fast::hash(&self.batch[copy.start + 4..copy.end])
                != u32_at(&self.batch, ENTRIES + 4 + at * 8)
            {
                self.batch[copy.clone()].copy_from_slice(&same[copy]);
            }
        }
    }

    /// The batch in the bank that begins at `at`; empty when its index is not whole.
    fn read_bank(&self, at: u64, database: DatabaseId) -> Result<Vec<u8>, Fault> {
        let mut bytes = vec![0; INDEX];
        self.file.read_at(at, &mut bytes)?;
        let count = u32_at(&bytes, 40) as usize;
        let known = bytes[..16] == MAGIC && bytes[16..32] == database.to_bytes() && count <= MOST;
        if !known || u32_at(&bytes, 44) != index_crc(&bytes, count) {
            return Ok(Vec::new());
        }
        bytes.resize(INDEX + count * self.page_size, 0);
        self.file.read_at(at + INDEX as u64, &mut bytes[INDEX..])?;
        Ok(bytes)
    }

    /// Where the second bank begins.
    fn bank(&self) -> u64 {
        (INDEX + MOST * self.page_size) as u64
    }

    /// Makes the batch that was read durable for certain, in the second bank. On a full disk the first has to do.
    pub(super) fn secure(&self) -> Result<(), Fault> {
        match self.file.write_at(self.bank(), &self.batch) {
            Ok(()) | Err(Fault::Full { .. }) => self.file.sync(),
            Err(fault) => Err(fault),
        }
    }

    /// Empties the second bank; durable no later than the next batch.
    pub(super) fn end_restoring(&self) -> Result<(), Fault> {
        if self.file.len()? > self.bank() {
            self.file.set_len(self.bank())?;
        }
        Ok(())
    }

    /// The whole copies of the newest batch.
    pub(super) fn copies(&self, database: DatabaseId) -> impl Iterator<Item = (PageId, &[u8])> {
        let whole = move |(at, (id, copy)): (usize, (PageId, _))| {
            let crc = u32_at(&self.batch, ENTRIES + 4 + at * 8);
            (header::crc(copy) == crc && header::verify(copy, id, database).is_ok()).then_some((id, copy))
        };
        self.places().enumerate().filter_map(whole)
    }

    /// Runs of pages of the newest batch that are neighbours in the main file: the first one's id and all their bytes.
    pub(super) fn runs(&self) -> impl Iterator<Item = (PageId, &[u8])> {
        let mut ids = self.places().map(|(id, _)| id).peekable();
        let mut start = INDEX;
        std::iter::from_fn(move || {
            let first = ids.next()?;
            let mut last = first.raw();
            let mut end = start + self.page_size;
            while let Some(next) = ids.next_if(|next| last.checked_add(1) == Some(next.raw())) {
                last = next.raw();
                end += self.page_size;
            }
            let run = &self.batch[start..end];
            start = end;
            Some((first, run))
        })
    }

    /// Every copy with the page it is of, whole or not.
    fn places(&self) -> impl Iterator<Item = (PageId, &[u8])> {
        let copies = self
            .batch
            .get(INDEX..)
            .unwrap_or_default()
            .chunks_exact(self.page_size);
        copies
            .enumerate()
            .map(|(at, copy)| (PageId::from_raw(u32_at(&self.batch, ENTRIES + at * 8)), copy))
    }
}

/// Makes a new file's name durable, and that of the directory it is in, which may be new too.
fn sync_parents(fs: &dyn FileSystem, name: &str) -> Result<(), Fault> {
    let parent = |name: &str| name.rsplit_once('/').map(|(directory, _)| directory.to_owned());
    let directory = parent(name).unwrap_or_default();
    fs.sync_dir(&directory)?;
    if directory.is_empty() {
        return Ok(());
    }
    fs.sync_dir(&parent(&directory).unwrap_or_default())
}

/// The sequence of a batch; zero of none.
fn sequence(batch: &[u8]) -> u64 {
    batch
        .get(32..40)
        .and_then(|bytes| bytes.try_into().ok())
        .map_or(0, u64::from_le_bytes)
}

fn index_crc(index: &[u8], count: usize) -> u32 {
    let mut hasher = crc32fast::Hasher::new();
    hasher.update(&index[..44]);
    hasher.update(&index[ENTRIES..ENTRIES + count * 8]);
    hasher.finalize()
}

fn u32_at(bytes: &[u8], at: usize) -> u32 {
    u32::from_le_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]])
}
