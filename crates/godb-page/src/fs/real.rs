//! The operating system's files.
//!
//! Reads and writes go to positions and are repeated until they are whole. Growing a file takes its blocks at once, where the file
//! system can do that, so that a write-back never meets a full disk. The lock on a database is one that the kernel holds and drops with
//! the process: there is no lock file that a crash could leave behind.

use crate::fault::Fault;
use crate::file_system::{File, FileLock, FileSystem, OpenMode};
use crate::fs::locks::{Hold, Locks};
use crate::sync::{Arc, Mutex};
use rustix::fs::{Advice, FallocateFlags, FlockOperation};
use std::fs;
use std::io::{Error, ErrorKind};
use std::os::unix::fs::{FileExt, MetadataExt};
use std::path::Path;
use std::sync::LazyLock;

/// The files of the machine. Names are paths.
#[derive(Clone, Copy, Debug, Default)]
pub struct RealFileSystem;

/// One open file.
#[derive(Debug)]
struct RealFile {
    name: String,
    read_only: bool,
    file: fs::File,
}

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
        drop(self.file.take());
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
        Ok(Arc::new(RealFile {
            name: name.to_owned(),
            read_only: mode == OpenMode::ReadOnly,
            file,
        }))
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

impl RealFile {
    fn fault(&self, doing: &'static str) -> impl Fn(Error) -> Fault + '_ {
        move |error| Fault::io(doing, &self.name, error)
    }

    fn writable(&self) -> Result<(), Fault> {
        if self.read_only {
            return Err(Fault::ReadOnly {
                file: self.name.as_str().into(),
            });
        }
        Ok(())
    }

    /// Takes the blocks between the old length and the new.
    fn grow(&self, from: u64, to: u64) -> Result<(), Fault> {
        match rustix::fs::fallocate(&self.file, FallocateFlags::empty(), from, to - from) {
            Ok(()) => Ok(()),
            Err(rustix::io::Errno::INTR) => self.grow(from, to),
            // The file system cannot take blocks beforehand: writing zeros does the same, slowly.
            Err(rustix::io::Errno::OPNOTSUPP | rustix::io::Errno::NOSYS) => self.fill(from, to),
            Err(error) => Err(self.fault("grow")(error.into())),
        }
    }

    fn fill(&self, mut from: u64, to: u64) -> Result<(), Fault> {
        let zeros = [0; 65536];
        while from < to {
            let count = usize::try_from(to - from).unwrap_or(usize::MAX).min(zeros.len());
            self.file
                .write_all_at(&zeros[..count], from)
                .map_err(self.fault("grow"))?;
            from += count as u64;
        }
        Ok(())
    }
}

impl File for RealFile {
    fn name(&self) -> &str {
        &self.name
    }

    fn len(&self) -> Result<u64, Fault> {
        Ok(self.file.metadata().map_err(self.fault("look at"))?.len())
    }

    fn read_at(&self, at: u64, into: &mut [u8]) -> Result<usize, Fault> {
        let mut done = 0;
        while done < into.len() {
            match self.file.read_at(&mut into[done..], at + done as u64) {
                Ok(0) => break,
                Ok(count) => done += count,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(self.fault("read")(error)),
            }
        }
        Ok(done)
    }

    fn write_at(&self, at: u64, from: &[u8]) -> Result<(), Fault> {
        self.writable()?;
        self.file.write_all_at(from, at).map_err(self.fault("write"))
    }

    fn set_len(&self, len: u64) -> Result<(), Fault> {
        self.writable()?;
        let now = self.len()?;
        if len > now {
            return self.grow(now, len);
        }
        self.file.set_len(len).map_err(self.fault("shorten"))
    }

    fn sync(&self) -> Result<(), Fault> {
        self.file.sync_data().map_err(self.fault("sync"))
    }

    fn will_need(&self, at: u64, len: u64) {
        // Only a hint: a file system that takes none loses nothing but time.
        let _ = rustix::fs::fadvise(&self.file, at, std::num::NonZeroU64::new(len), Advice::WillNeed);
    }
}

#[cfg(test)]
mod tests;
