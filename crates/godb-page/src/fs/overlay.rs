//! [`OverlayFileSystem`]: files that can be changed without a byte of them being changed.
//!
//! Reads come from the file system below; writes, new names, removals and lengths stay in memory, in blocks of 4 KiB, and are gone with the overlay.
//! Whoever opens a database through one sees it recovered, closed, mended, and the medium never hears of it. That is how a file is checked that must not be touched,
//! and how one is read that lies on a read-only medium and was not closed cleanly.

use crate::fault::Fault;
use crate::file_system::{File, FileLock, FileSystem, OpenMode};
use crate::fs::locks::{Hold, Locks};
use crate::sync::atomic::{AtomicU64, Ordering};
use crate::sync::{Arc, Mutex, RwLock};
use std::collections::{BTreeMap, BTreeSet};
use std::io::{Error, ErrorKind};

/// Bytes of a block.
const BLOCK: usize = 4096;

/// A layer of changes in memory over another file system, which is only ever read.
pub struct OverlayFileSystem {
    below: Arc<dyn FileSystem>,
    names: Mutex<Names>,
    locked: Arc<Mutex<Locks<String>>>,
    memory: Arc<Memory>,
}

/// What is called differently than below.
#[derive(Default)]
struct Names {
    /// Files that were opened, made, renamed; `None` for one that was removed.
    files: BTreeMap<String, Option<Arc<Contents>>>,
    made: BTreeSet<String>,
    removed: BTreeSet<String>,
}

/// How many bytes the changes take, and may.
struct Memory {
    used: AtomicU64,
    limit: u64,
}

impl Memory {
    fn take(&self, file: &str) -> Result<(), Fault> {
        let used = self.used.fetch_add(BLOCK as u64, Ordering::Relaxed) + BLOCK as u64;
        if used <= self.limit {
            return Ok(());
        }
        self.give(1);
        Err(Fault::Full {
            file: file.into(),
            what: format!(
                "reading it without changing it takes more than the {} bytes of memory allowed for that",
                self.limit
            )
            .into(),
        })
    }

    fn give(&self, blocks: usize) {
        self.used.fetch_sub((blocks * BLOCK) as u64, Ordering::Relaxed);
    }
}

/// A file with its changes.
struct Contents {
    below: Option<Arc<dyn File>>,
    pieces: RwLock<Pieces>,
    memory: Arc<Memory>,
}

/// The changes.
#[derive(Default)]
struct Pieces {
    len: u64,
    /// How many bytes of the file below still count.
    below: u64,
    blocks: BTreeMap<u64, Box<[u8]>>,
}

impl Drop for Contents {
    fn drop(&mut self) {
        let blocks = self.pieces.read().blocks.len();
        self.memory.give(blocks);
    }
}

impl OverlayFileSystem {
    /// An overlay over `below` that holds at most `limit` bytes of changes; more is [`Fault::Full`].
    #[must_use]
    pub fn new(below: Arc<dyn FileSystem>, limit: u64) -> Self {
        let used = AtomicU64::new(0);
        Self {
            below,
            names: Mutex::new(Names::default()),
            locked: Arc::default(),
            memory: Arc::new(Memory { used, limit }),
        }
    }

    /// The file of that name as it is now.
    fn contents(&self, names: &mut Names, name: &str) -> Result<Option<Arc<Contents>>, Fault> {
        if let Some(known) = names.files.get(name) {
            return Ok(known.clone());
        }
        if !self.below.exists(name)? {
            return Ok(None);
        }
        let file = self.below.open(name, OpenMode::ReadOnly)?;
        let len = file.len()?;
        let contents = self.make(Some(file), len);
        names.files.insert(name.to_owned(), Some(contents.clone()));
        Ok(Some(contents))
    }

    fn make(&self, below: Option<Arc<dyn File>>, len: u64) -> Arc<Contents> {
        Arc::new(Contents {
            below,
            pieces: RwLock::new(Pieces {
                len,
                below: len,
                blocks: BTreeMap::new(),
            }),
            memory: self.memory.clone(),
        })
    }

    fn has_directory(&self, names: &Names, dir: &str) -> Result<bool, Fault> {
        if names.made.contains(dir) {
            return Ok(true);
        }
        Ok(!names.removed.contains(dir) && (dir.is_empty() || self.below.exists(dir)?))
    }

    fn entries(&self, names: &Names, dir: &str) -> Result<Vec<String>, Fault> {
        let inside = |name: &str| {
            let last = match dir {
                "" => name,
                dir => name.strip_prefix(dir)?.strip_prefix('/')?,
            };
            (!last.is_empty() && !last.contains('/')).then(|| last.to_owned())
        };
        let mut found = BTreeSet::new();
        if !names.removed.contains(dir) && (dir.is_empty() || self.below.exists(dir)?) {
            found.extend(self.below.list(dir)?);
        }
        for (name, contents) in &names.files {
            if let Some(last) = inside(name) {
                match contents {
                    Some(_) => found.insert(last),
                    None => found.remove(&last),
                };
            }
        }
        names
            .removed
            .iter()
            .filter_map(|name| inside(name))
            .for_each(|last| {
                found.remove(&last);
            });
        found.extend(names.made.iter().filter_map(|name| inside(name)));
        Ok(found.into_iter().collect())
    }
}

fn refused(doing: &'static str, name: &str, kind: ErrorKind) -> Fault {
    Fault::io(doing, name, Error::from(kind))
}

impl FileSystem for OverlayFileSystem {
    fn open(&self, name: &str, mode: OpenMode) -> Result<Arc<dyn File>, Fault> {
        let mut names = self.names.lock();
        let contents = match self.contents(&mut names, name)? {
            Some(contents) => contents,
            None if mode == OpenMode::Create => {
                let new = self.make(None, 0);
                names.files.insert(name.to_owned(), Some(new.clone()));
                new
            }
            None => return Err(refused("open", name, ErrorKind::NotFound)),
        };
        Ok(Arc::new(OverlayFile {
            name: name.to_owned(),
            read_only: mode == OpenMode::ReadOnly,
            contents,
        }))
    }

    fn exists(&self, name: &str) -> Result<bool, Fault> {
        let names = self.names.lock();
        match names.files.get(name) {
            Some(known) => Ok(known.is_some()),
            None => self.has_directory(&names, name),
        }
    }

    fn list(&self, dir: &str) -> Result<Vec<String>, Fault> {
        self.entries(&self.names.lock(), dir)
    }

    fn create_dir(&self, dir: &str) -> Result<(), Fault> {
        let mut names = self.names.lock();
        if !self.has_directory(&names, dir)? {
            names.made.insert(dir.to_owned());
        }
        Ok(())
    }

    fn remove_dir(&self, dir: &str) -> Result<(), Fault> {
        let mut names = self.names.lock();
        if !self.has_directory(&names, dir)? {
            return Err(refused("remove", dir, ErrorKind::NotFound));
        }
        if !self.entries(&names, dir)?.is_empty() {
            return Err(refused("remove", dir, ErrorKind::DirectoryNotEmpty));
        }
        names.made.remove(dir);
        names.removed.insert(dir.to_owned());
        Ok(())
    }

    fn rename(&self, from: &str, to: &str) -> Result<(), Fault> {
        let mut names = self.names.lock();
        let contents = self.contents(&mut names, from)?;
        let contents = contents.ok_or_else(|| refused("rename", from, ErrorKind::NotFound))?;
        names.files.insert(from.to_owned(), None);
        names.files.insert(to.to_owned(), Some(contents));
        Ok(())
    }

    fn unlink(&self, name: &str) -> Result<(), Fault> {
        let mut names = self.names.lock();
        if self.contents(&mut names, name)?.is_none() {
            return Err(refused("remove", name, ErrorKind::NotFound));
        }
        names.files.insert(name.to_owned(), None);
        Ok(())
    }

    fn sync_dir(&self, _dir: &str) -> Result<(), Fault> {
        Ok(())
    }

    /// One owner of the overlay at a time. The file below is held for reading: writers stay away, others who only read may come.
    fn lock(&self, name: &str) -> Result<FileLock, Fault> {
        if !self.locked.lock().take(&name.to_owned(), Hold::Owner) {
            return Err(Fault::InUse {
                file: name.into(),
                owner: Some(std::process::id()),
            });
        }
        let held = Held {
            name: name.to_owned(),
            locked: self.locked.clone(),
        };
        Ok(Box::new((held, self.below.lock_shared(name)?)))
    }
}

/// Frees the lock on a name when dropped.
struct Held {
    name: String,
    locked: Arc<Mutex<Locks<String>>>,
}

impl Drop for Held {
    fn drop(&mut self) {
        self.locked.lock().give(&self.name);
    }
}

/// One open file.
struct OverlayFile {
    name: String,
    read_only: bool,
    contents: Arc<Contents>,
}

impl OverlayFile {
    fn writable(&self) -> Result<(), Fault> {
        if self.read_only {
            return Err(Fault::ReadOnly {
                file: self.name.as_str().into(),
            });
        }
        Ok(())
    }
}

/// Where a position lies: the block's number, and the offset in it.
fn split(at: u64) -> (u64, usize) {
    let offset = usize::try_from(at % BLOCK as u64).expect("an offset in a block is small");
    (at / BLOCK as u64, offset)
}

/// How many of `left` bytes from `at` on lie in the same block.
fn in_block(at: u64, left: usize) -> usize {
    left.min(BLOCK - split(at).1)
}

impl Contents {
    /// Fills `into`, which lies within one block, from the changes, the file below, or with zeros.
    fn read_piece(&self, pieces: &Pieces, at: u64, into: &mut [u8]) -> Result<(), Fault> {
        let (number, offset) = split(at);
        if let Some(block) = pieces.blocks.get(&number) {
            into.copy_from_slice(&block[offset..offset + into.len()]);
            return Ok(());
        }
        into.fill(0);
        let there = usize::try_from(pieces.below.saturating_sub(at)).unwrap_or(usize::MAX);
        let count = there.min(into.len());
        match &self.below {
            Some(below) if count > 0 => below.read_at(at, &mut into[..count]).map(drop),
            _ => Ok(()),
        }
    }

    fn write_piece(&self, name: &str, pieces: &mut Pieces, at: u64, from: &[u8]) -> Result<(), Fault> {
        let (number, offset) = split(at);
        if !pieces.blocks.contains_key(&number) {
            let mut block = vec![0; BLOCK].into_boxed_slice();
            self.read_piece(pieces, number * BLOCK as u64, &mut block)?;
            self.memory.take(name)?;
            pieces.blocks.insert(number, block);
        }
        if let Some(block) = pieces.blocks.get_mut(&number) {
            block[offset..offset + from.len()].copy_from_slice(from);
        }
        pieces.len = pieces.len.max(at + from.len() as u64);
        Ok(())
    }

    /// Cuts the file: what lies beyond is zero if it grows again.
    fn shorten(&self, pieces: &mut Pieces, len: u64) {
        pieces.below = pieces.below.min(len);
        let (number, offset) = split(len);
        if offset > 0
            && let Some(block) = pieces.blocks.get_mut(&number)
        {
            block[offset..].fill(0);
        }
        let gone = pieces.blocks.split_off(&(number + u64::from(offset > 0)));
        self.memory.give(gone.len());
    }
}

impl File for OverlayFile {
    fn name(&self) -> &str {
        &self.name
    }

    fn len(&self) -> Result<u64, Fault> {
        Ok(self.contents.pieces.read().len)
    }

    fn read_at(&self, at: u64, into: &mut [u8]) -> Result<usize, Fault> {
        let pieces = self.contents.pieces.read();
        let there = usize::try_from(pieces.len.saturating_sub(at)).unwrap_or(usize::MAX);
        let count = there.min(into.len());
        if pieces.blocks.is_empty()
            && at + count as u64 <= pieces.below
            && let Some(below) = &self.contents.below
        {
            return below.read_at(at, &mut into[..count]);
        }
        let mut done = 0;
        while done < count {
            let here = at + done as u64;
            let step = in_block(here, count - done);
            self.contents
                .read_piece(&pieces, here, &mut into[done..done + step])?;
            done += step;
        }
        Ok(count)
    }

    fn write_at(&self, at: u64, from: &[u8]) -> Result<(), Fault> {
        self.writable()?;
        let mut pieces = self.contents.pieces.write();
        let mut done = 0;
        while done < from.len() {
            let here = at + done as u64;
            let step = in_block(here, from.len() - done);
            self.contents
                .write_piece(&self.name, &mut pieces, here, &from[done..done + step])?;
            done += step;
        }
        Ok(())
    }

    fn set_len(&self, len: u64) -> Result<(), Fault> {
        self.writable()?;
        let mut pieces = self.contents.pieces.write();
        if len < pieces.len {
            self.contents.shorten(&mut pieces, len);
        }
        pieces.len = len;
        Ok(())
    }

    fn sync(&self) -> Result<(), Fault> {
        Ok(())
    }

    fn will_need(&self, at: u64, len: u64) {
        if let Some(below) = &self.contents.below {
            below.will_need(at, len);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fs::MemoryFileSystem;

    fn below() -> Arc<MemoryFileSystem> {
        let fs = MemoryFileSystem::default();
        fs.create_dir("d").unwrap();
        for name in ["a", "d/b"] {
            let file = fs.open(name, OpenMode::Create).unwrap();
            file.write_at(0, &vec![7; 3 * BLOCK + 100]).unwrap();
        }
        Arc::new(fs)
    }

    fn bytes(fs: &dyn FileSystem, name: &str) -> Vec<u8> {
        let file = fs.open(name, OpenMode::ReadOnly).unwrap();
        let mut bytes = vec![1; usize::try_from(file.len().unwrap()).unwrap() + 10];
        let got = file.read_at(0, &mut bytes).unwrap();
        bytes.truncate(got);
        bytes
    }

    #[test]
    fn nothing_that_is_done_above_is_seen_below() {
        let below = below();
        let over = OverlayFileSystem::new(below.clone(), u64::MAX);
        let file = over.open("a", OpenMode::Existing).unwrap();
        file.write_at(BLOCK as u64 - 2, b"12345").unwrap();
        file.set_len(BLOCK as u64).unwrap();
        file.set_len(2 * BLOCK as u64 + 50).unwrap();
        file.write_at(3 * BLOCK as u64, b"x").unwrap();
        over.unlink("d/b").unwrap();
        over.remove_dir("d").unwrap();
        over.create_dir("e").unwrap();
        over.rename("a", "e/c").unwrap();

        let mut expected = vec![7; BLOCK - 2];
        expected.extend_from_slice(b"12");
        expected.resize(3 * BLOCK, 0);
        expected.push(b'x');
        assert!(bytes(&over, "e/c") == expected);
        assert!(!over.exists("a").unwrap() && !over.exists("d").unwrap());
        assert_eq!(over.list("").unwrap(), ["e"]);
        assert_eq!(over.list("e").unwrap(), ["c"]);

        assert!(bytes(&*below, "a") == vec![7; 3 * BLOCK + 100]);
        assert_eq!(below.list("").unwrap(), ["a", "d"]);
        assert_eq!(below.list("d").unwrap(), ["b"]);
    }

    #[test]
    fn what_does_not_fit_memory_is_refused_and_what_is_cut_off_makes_room() {
        let over = OverlayFileSystem::new(below(), 2 * BLOCK as u64);
        let file = over.open("a", OpenMode::Existing).unwrap();
        file.write_at(0, &[1; 2 * BLOCK]).unwrap();
        let refused = file.write_at(2 * BLOCK as u64, b"1").unwrap_err();
        assert!(matches!(refused, Fault::Full { .. }), "{refused}");
        file.set_len(BLOCK as u64).unwrap();
        file.write_at(2 * BLOCK as u64, b"1").unwrap();
        drop(file);
        over.unlink("a").unwrap();
        let new = over.open("b", OpenMode::Create).unwrap();
        new.write_at(0, &[1; 2 * BLOCK]).unwrap();
    }
}
