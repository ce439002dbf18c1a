//! Files in memory: the simplest correct [`FileSystem`], and what a database in memory lives on.

use crate::fault::Fault;
use crate::file_system::{File, FileLock, FileSystem, OpenMode};
use crate::fs::locks::{Hold, Locks};
use crate::sync::{Arc, Mutex, RwLock};
use std::collections::{BTreeMap, BTreeSet};
use std::io::{Error, ErrorKind};

/// Files that live as long as this value and its clones.
#[derive(Clone, Default)]
pub struct MemoryFileSystem {
    shared: Arc<Shared>,
}

#[derive(Default)]
struct Shared {
    files: Mutex<BTreeMap<String, Arc<RwLock<Vec<u8>>>>>,
    directories: Mutex<BTreeSet<String>>,
    locked: Arc<Mutex<Locks<String>>>,
}

/// One open file.
struct MemoryFile {
    name: String,
    read_only: bool,
    bytes: Arc<RwLock<Vec<u8>>>,
}

/// Frees the lock on a name when dropped.
struct Locked {
    name: String,
    locked: Arc<Mutex<Locks<String>>>,
}

impl Drop for Locked {
    fn drop(&mut self) {
        self.locked.lock().give(&self.name);
    }
}

fn missing(doing: &'static str, name: &str) -> Fault {
    Fault::io(doing, name, Error::from(ErrorKind::NotFound))
}

impl FileSystem for MemoryFileSystem {
    fn open(&self, name: &str, mode: OpenMode) -> Result<Arc<dyn File>, Fault> {
        let mut files = self.shared.files.lock();
        let bytes = match files.get(name) {
            Some(bytes) => bytes.clone(),
            None if mode == OpenMode::Create => files.entry(name.to_owned()).or_default().clone(),
            None => return Err(missing("open", name)),
        };
        Ok(Arc::new(MemoryFile {
            name: name.to_owned(),
            read_only: mode == OpenMode::ReadOnly,
            bytes,
        }))
    }

    fn exists(&self, name: &str) -> Result<bool, Fault> {
        Ok(self.shared.files.lock().contains_key(name) || self.shared.directories.lock().contains(name))
    }

    fn list(&self, dir: &str) -> Result<Vec<String>, Fault> {
        let prefix = if dir.is_empty() {
            String::new()
        } else {
            format!("{dir}/")
        };
        let (files, directories) = (self.shared.files.lock(), self.shared.directories.lock());
        let inside = files
            .keys()
            .chain(&*directories)
            .filter_map(|name| name.strip_prefix(&prefix));
        let mut names: Vec<String> = inside
            .filter(|name| !name.is_empty() && !name.contains('/'))
            .map(str::to_owned)
            .collect();
        names.sort();
        Ok(names)
    }

    fn create_dir(&self, dir: &str) -> Result<(), Fault> {
        self.shared.directories.lock().insert(dir.to_owned());
        Ok(())
    }

    fn remove_dir(&self, dir: &str) -> Result<(), Fault> {
        if !self.list(dir)?.is_empty() {
            return Err(Fault::io(
                "remove",
                dir,
                Error::from(ErrorKind::DirectoryNotEmpty),
            ));
        }
        if self.shared.directories.lock().remove(dir) {
            Ok(())
        } else {
            Err(missing("remove", dir))
        }
    }

    fn rename(&self, from: &str, to: &str) -> Result<(), Fault> {
        let mut files = self.shared.files.lock();
        let bytes = files.remove(from).ok_or_else(|| missing("rename", from))?;
        files.insert(to.to_owned(), bytes);
        Ok(())
    }

    fn unlink(&self, name: &str) -> Result<(), Fault> {
        self.shared
            .files
            .lock()
            .remove(name)
            .map(drop)
            .ok_or_else(|| missing("remove", name))
    }

    fn sync_dir(&self, _dir: &str) -> Result<(), Fault> {
        Ok(())
    }

    fn lock(&self, name: &str) -> Result<FileLock, Fault> {
        self.hold(name, Hold::Owner)
    }

    fn lock_shared(&self, name: &str) -> Result<FileLock, Fault> {
        self.hold(name, Hold::READER)
    }
}

impl MemoryFileSystem {
    fn hold(&self, name: &str, wanted: Hold) -> Result<FileLock, Fault> {
        let locked = &self.shared.locked;
        if !locked.lock().take(&name.to_owned(), wanted) {
            return Err(Fault::InUse {
                file: name.into(),
                owner: Some(std::process::id()),
            });
        }
        Ok(Box::new(Locked {
            name: name.to_owned(),
            locked: locked.clone(),
        }))
    }
}

/// A position in memory.
fn place(name: &str, at: u64) -> Result<usize, Fault> {
    usize::try_from(at).map_err(|_| Fault::io("address", name, Error::from(ErrorKind::FileTooLarge)))
}

impl MemoryFile {
    fn writable(&self) -> Result<(), Fault> {
        if self.read_only {
            return Err(Fault::ReadOnly {
                file: self.name.as_str().into(),
            });
        }
        Ok(())
    }
}

impl File for MemoryFile {
    fn name(&self) -> &str {
        &self.name
    }

    fn len(&self) -> Result<u64, Fault> {
        Ok(self.bytes.read().len() as u64)
    }

    fn read_at(&self, at: u64, into: &mut [u8]) -> Result<usize, Fault> {
        let bytes = self.bytes.read();
        let from = place(&self.name, at)?.min(bytes.len());
        let count = into.len().min(bytes.len() - from);
        into[..count].copy_from_slice(&bytes[from..from + count]);
        Ok(count)
    }

    fn write_at(&self, at: u64, from: &[u8]) -> Result<(), Fault> {
        self.writable()?;
        let at = place(&self.name, at)?;
        let mut bytes = self.bytes.write();
        if bytes.len() < at + from.len() {
            bytes.resize(at + from.len(), 0);
        }
        bytes[at..at + from.len()].copy_from_slice(from);
        Ok(())
    }

    fn set_len(&self, len: u64) -> Result<(), Fault> {
        self.writable()?;
        self.bytes.write().resize(place(&self.name, len)?, 0);
        Ok(())
    }

    fn sync(&self) -> Result<(), Fault> {
        Ok(())
    }
}
