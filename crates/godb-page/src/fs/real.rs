//! The operating system's files.
//!
//! Reads and writes go to positions and are repeated until they are [whole](super::whole). Growing a file takes its blocks at once, where the file
//! system can do that, so that a write-back never meets a full disk. The lock on a database is one that the kernel holds and drops with
//! the process: there is no lock file that a crash could leave behind.

use super::whole::{RawFile, WholeFile};
use crate::fault::Fault;
use crate::file_system::{File, FileLock, FileSystem, OpenMode};
use crate::fs::locks::{Hold, Locks};
use crate::sync::{Arc, Mutex};
use direct::DirectFile;
use rustix::fs::{Advice, FallocateFlags, FlockOperation};
use std::fs;
use std::io::{Error, ErrorKind};
use std::os::unix::fs::{FileExt, MetadataExt};
use std::path::Path;
use std::sync::LazyLock;

/// The files of the machine. Names are paths.
#[derive(Clone, Copy, Debug, Default)]
pub struct RealFileSystem;

/// What identifies a file whatever it is called: device and inode.
type Identity = (u64, u64);

/// The databases that this process has open, by identity: the kernel's lock would let the same process in twice
/// through another descriptor of its own on some file systems.
static OPEN_HERE: LazyLock<Mutex<Locks<Identity>>> = LazyLock::new(Mutex::default);

/// A held lock: the descriptor carries the kernel's.
struct Held {
    identity: Identity,
    file: Option<fs::File>,
}

impl Drop for Held {
    fn drop(&mut self) {
        // The kernel's lock goes first, under ours: whoever finds ours free finds the kernel's free too.
        let mut open_here = OPEN_HERE.lock();
        if let Some(file) = self.file.take() {
            // Said and not left to the closing: a child that another thread is just starting has a copy of the descriptor for a moment, and would keep the lock.
            let _ = rustix::fs::flock(&file, FlockOperation::Unlock);
        }
        open_here.give(&self.identity);
    }
}

/// Which process holds the lock on a file, as the kernel's list of locks tells it: a line is
/// `1: FLOCK ADVISORY WRITE pid major:minor:inode start end`.
fn owner_of(identity: Identity) -> Option<u32> {
    let locks = fs::read_to_string("/proc/locks").ok()?;
    let inode = format!(":{}", identity.1);
    locks
        .lines()
        .filter(|line| line.contains("FLOCK"))
        .find_map(|line| {
            let words: Vec<&str> = line.split_whitespace().collect();
            let (pid, file) = (words.get(4)?, words.get(5)?);
            if file.ends_with(&inode) {
                pid.parse().ok()
            } else {
                None
            }
        })
}

impl FileSystem for RealFileSystem {
    fn open(&self, name: &str, mode: OpenMode) -> Result<Arc<dyn File>, Fault> {
        let mut options = fs::OpenOptions::new();
        options
            .read(true)
            .write(mode != OpenMode::ReadOnly)
            .create(mode == OpenMode::Create);
        let file = options
            .open(name)
            .map_err(|error| Fault::io("open", name, error))?;
        if file
            .metadata()
            .map_err(|error| Fault::io("look at", name, error))?
            .is_dir()
        {
            return Err(Fault::io("open", name, Error::from(ErrorKind::IsADirectory)));
        }
        Ok(Arc::new(WholeFile::new(name, mode == OpenMode::ReadOnly, file)))
    }

    fn open_direct(&self, name: &str) -> Result<Option<Arc<dyn File>>, Fault> {
        let file = DirectFile::open(Path::new(name)).map_err(|error| Fault::io("open", name, error))?;
        Ok(file.map(|file| Arc::new(WholeFile::new(name, true, file)) as Arc<dyn File>))
    }

    fn exists(&self, name: &str) -> Result<bool, Fault> {
        fs::exists(name).map_err(|error| Fault::io("look for", name, error))
    }

    fn list(&self, dir: &str) -> Result<Vec<String>, Fault> {
        let fault = |error| Fault::io("list", dir, error);
        let mut names = Vec::new();
        for entry in fs::read_dir(dir).map_err(fault)? {
            names.extend(entry.map_err(fault)?.file_name().into_string());
        }
        names.sort();
        Ok(names)
    }

    fn create_dir(&self, dir: &str) -> Result<(), Fault> {
        match fs::create_dir(dir) {
            Err(error) if error.kind() != ErrorKind::AlreadyExists => Err(Fault::io("create", dir, error)),
            _ => Ok(()),
        }
    }

    fn remove_dir(&self, dir: &str) -> Result<(), Fault> {
        fs::remove_dir(dir).map_err(|error| Fault::io("remove", dir, error))
    }

    fn rename(&self, from: &str, to: &str) -> Result<(), Fault> {
        fs::rename(from, to).map_err(|error| Fault::io("rename", from, error))
    }

    fn unlink(&self, name: &str) -> Result<(), Fault> {
        fs::remove_file(name).map_err(|error| Fault::io("remove", name, error))
    }

    fn sync_dir(&self, dir: &str) -> Result<(), Fault> {
        let dir = if dir.is_empty() { "." } else { dir };
        let synced = fs::File::open(Path::new(dir)).and_then(|opened| opened.sync_all());
        synced.map_err(|error| Fault::io("sync", dir, error))
    }

    fn lock(&self, name: &str) -> Result<FileLock, Fault> {
        hold(name, Hold::Owner)
    }

    fn lock_shared(&self, name: &str) -> Result<FileLock, Fault> {
        hold(name, Hold::READER)
    }
}

/// Takes the kernel's lock, and notes it for this process.
fn hold(name: &str, wanted: Hold) -> Result<FileLock, Fault> {
    let fault = |error: Error| Fault::io("lock", name, error);
    let file = fs::OpenOptions::new().read(true).open(name).map_err(fault)?;
    let metadata = file.metadata().map_err(fault)?;
    let identity = (metadata.dev(), metadata.ino());
    let mut open_here = OPEN_HERE.lock();
    if !open_here.take(&identity, wanted) {
        return Err(Fault::InUse {
            file: name.into(),
            owner: Some(std::process::id()),
        });
    }
    let operation = match wanted {
        Hold::Owner => FlockOperation::NonBlockingLockExclusive,
        Hold::Readers(_) => FlockOperation::NonBlockingLockShared,
    };
    let refused = match rustix::fs::flock(&file, operation) {
        Ok(()) => {
            let file = Some(file);
            return Ok(Box::new(Held { identity, file }));
        }
        Err(rustix::io::Errno::WOULDBLOCK) => Fault::InUse {
            file: name.into(),
            owner: owner_of(identity),
        },
        Err(error) => fault(error.into()),
    };
    open_here.give(&identity);
    Err(refused)
}

impl RawFile for fs::File {
    fn length(&self) -> Result<u64, Error> {
        Ok(self.metadata()?.len())
    }

    fn read_some(&self, at: u64, into: &mut [u8]) -> Result<usize, Error> {
        self.read_at(into, at)
    }

    fn write_some(&self, at: u64, from: &[u8]) -> Result<usize, Error> {
        FileExt::write_at(self, from, at)
    }

    fn allocate(&self, from: u64, to: u64) -> Result<(), Error> {
        match rustix::fs::fallocate(self, FallocateFlags::empty(), from, to - from) {
            Err(rustix::io::Errno::OPNOTSUPP | rustix::io::Errno::NOSYS) => {
                Err(Error::from(ErrorKind::Unsupported))
            }
            done => Ok(done?),
        }
    }

    fn truncate(&self, length: u64) -> Result<(), Error> {
        self.set_len(length)
    }

    fn sync_data(&self) -> Result<(), Error> {
        Self::sync_data(self)
    }

    fn advise(&self, at: u64, len: u64) {
        // Only a hint: a file system that takes none loses nothing but time.
        let _ = rustix::fs::fadvise(self, at, std::num::NonZeroU64::new(len), Advice::WillNeed);
    }
}

mod direct;
#[cfg(test)]
mod tests;
