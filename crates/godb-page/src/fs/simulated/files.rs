//! The simulated disk as a [`FileSystem`], and its files.

use super::SimulatedDisk;
use super::faults::{Effect, Operations};
use super::state::{Change, Entry, State, full, has_directory};
use crate::fault::Fault;
use crate::file_system::{File, FileLock, FileSystem, OpenMode};
use crate::fs::locks::Hold;
use crate::sync::{Arc, Mutex};
use std::io::{Error, ErrorKind};

/// One open file.
struct SimulatedFile {
    name: String,
    read_only: bool,
    file: usize,
    state: Arc<Mutex<State>>,
}

/// Frees the lock on a name when dropped.
struct Locked {
    name: String,
    state: Arc<Mutex<State>>,
}

impl Drop for Locked {
    fn drop(&mut self) {
        self.state.lock().locked.give(&self.name);
    }
}

fn refused(doing: &'static str, name: &str, kind: ErrorKind) -> Fault {
    Fault::io(doing, name, Error::from(kind))
}

impl State {
    /// Refuses changes on a file system that is mounted for reading.
    fn writable(&self, doing: &'static str, name: &str) -> Result<(), Fault> {
        if self.read_only {
            return Err(refused(doing, name, ErrorKind::ReadOnlyFilesystem));
        }
        Ok(())
    }

    fn find(&self, doing: &'static str, name: &str) -> Result<Entry, Fault> {
        self.names
            .get(name)
            .copied()
            .ok_or_else(|| refused(doing, name, ErrorKind::NotFound))
    }

    /// Adds a name; a file's contents begin empty.
    fn enter(&mut self, name: &str, entry: Entry) {
        self.change(Change::Enter {
            name: name.to_owned(),
            entry,
        });
    }

    fn inside(&self, dir: &str) -> Vec<String> {
        let prefix = if dir.is_empty() {
            String::new()
        } else {
            format!("{dir}/")
        };
        let inside = self.names.keys().filter_map(|name| name.strip_prefix(&prefix));
        inside
            .filter(|name| !name.is_empty() && !name.contains('/'))
            .map(str::to_owned)
            .collect()
    }
}

impl FileSystem for SimulatedDisk {
    fn open(&self, name: &str, mode: OpenMode) -> Result<Arc<dyn File>, Fault> {
        let mut state = self.state.lock();
        let there = state.names.get(name).copied();
        let kind = if there.is_none() && mode == OpenMode::Create {
            Operations::CREATE
        } else {
            Operations::OPEN
        };
        state.begin(kind, "open", name)?;
        if mode != OpenMode::ReadOnly {
            state.writable("open", name)?;
        }
        let file = match there {
            Some(Entry::File(file)) => file,
            Some(Entry::Directory) => return Err(refused("open", name, ErrorKind::IsADirectory)),
            None if mode != OpenMode::Create => return Err(refused("open", name, ErrorKind::NotFound)),
            None if !has_directory(&state.names, name) => {
                return Err(refused("open", name, ErrorKind::NotFound));
            }
            None => {
                let file = state.files.len();
                state.files.push(super::state::Contents::default());
                state.enter(name, Entry::File(file));
                file
            }
        };
        Ok(Arc::new(SimulatedFile {
            name: name.to_owned(),
            read_only: mode == OpenMode::ReadOnly,
            file,
            state: self.state.clone(),
        }))
    }

    fn exists(&self, name: &str) -> Result<bool, Fault> {
        let mut state = self.state.lock();
        state.begin(Operations::LOOK, "look for", name)?;
        Ok(state.names.contains_key(name))
    }

    fn list(&self, dir: &str) -> Result<Vec<String>, Fault> {
        let mut state = self.state.lock();
        state.begin(Operations::LOOK, "list", dir)?;
        if !dir.is_empty() && state.find("list", dir)? != Entry::Directory {
            return Err(refused("list", dir, ErrorKind::NotADirectory));
        }
        Ok(state.inside(dir))
    }

    fn create_dir(&self, dir: &str) -> Result<(), Fault> {
        let mut state = self.state.lock();
        state.begin(Operations::CREATE, "create", dir)?;
        state.writable("create", dir)?;
        match state.names.get(dir) {
            Some(Entry::Directory) => Ok(()),
            Some(Entry::File(_)) => Err(refused("create", dir, ErrorKind::AlreadyExists)),
            None => {
                state.enter(dir, Entry::Directory);
                Ok(())
            }
        }
    }

    fn remove_dir(&self, dir: &str) -> Result<(), Fault> {
        let mut state = self.state.lock();
        state.begin(Operations::UNLINK, "remove", dir)?;
        state.writable("remove", dir)?;
        if state.find("remove", dir)? != Entry::Directory {
            return Err(refused("remove", dir, ErrorKind::NotADirectory));
        }
        if !state.inside(dir).is_empty() {
            return Err(refused("remove", dir, ErrorKind::DirectoryNotEmpty));
        }
        state.change(Change::Leave { name: dir.to_owned() });
        Ok(())
    }

    fn rename(&self, from: &str, to: &str) -> Result<(), Fault> {
        let mut state = self.state.lock();
        state.begin(Operations::RENAME, "rename", from)?;
        state.writable("rename", from)?;
        let entry = state.find("rename", from)?;
        let (from, to) = (from.to_owned(), to.to_owned());
        state.change(Change::Move { from, to, entry });
        Ok(())
    }

    fn unlink(&self, name: &str) -> Result<(), Fault> {
        let mut state = self.state.lock();
        state.begin(Operations::UNLINK, "remove", name)?;
        state.writable("remove", name)?;
        if state.find("remove", name)? == Entry::Directory {
            return Err(refused("remove", name, ErrorKind::IsADirectory));
        }
        state.change(Change::Leave {
            name: name.to_owned(),
        });
        Ok(())
    }

    fn sync_dir(&self, dir: &str) -> Result<(), Fault> {
        let mut state = self.state.lock();
        match state.begin(Operations::SYNC_DIR, "sync", dir)? {
            Some(Effect::SyncForgets { seed }) => {
                state.forget_names(dir, seed);
                Err(Fault::io("sync", dir, Error::from_raw_os_error(5)))
            }
            _ => {
                state.sync_directory(dir);
                Ok(())
            }
        }
    }

    fn lock(&self, name: &str) -> Result<FileLock, Fault> {
        self.hold(name, Hold::Owner)
    }

    fn lock_shared(&self, name: &str) -> Result<FileLock, Fault> {
        self.hold(name, Hold::READER)
    }
}

impl SimulatedDisk {
    fn hold(&self, name: &str, wanted: Hold) -> Result<FileLock, Fault> {
        let mut state = self.state.lock();
        state.begin(Operations::LOOK, "lock", name)?;
        state.find("lock", name)?;
        if !state.locked.take(&name.to_owned(), wanted) {
            return Err(Fault::InUse {
                file: name.into(),
                owner: Some(std::process::id()),
            });
        }
        Ok(Box::new(Locked {
            name: name.to_owned(),
            state: self.state.clone(),
        }))
    }
}

impl SimulatedFile {
    fn may_write(&self) -> Result<(), Fault> {
        if self.read_only {
            return Err(Fault::ReadOnly {
                file: self.name.as_str().into(),
            });
        }
        Ok(())
    }
}

/// A position moved by a fault; below zero it stays at zero.
fn shifted(at: u64, by: i64) -> u64 {
    at.saturating_add_signed(by)
}

fn flip(bytes: &mut [u8], bit: u64) {
    if !bytes.is_empty() {
        let bit = bit % (bytes.len() as u64 * 8);
        bytes[super::image::index(bit / 8)] ^= 1 << (bit % 8);
    }
}

impl File for SimulatedFile {
    fn name(&self) -> &str {
        &self.name
    }

    fn len(&self) -> Result<u64, Fault> {
        let mut state = self.state.lock();
        state.begin(Operations::LOOK, "look at", &self.name)?;
        Ok(state.files[self.file].current.len())
    }

    fn read_at(&self, at: u64, into: &mut [u8]) -> Result<usize, Fault> {
        let mut state = self.state.lock();
        let effect = state.begin_at(Operations::READ, "read", &self.name, (at, at + into.len() as u64))?;
        let at = match effect {
            Some(Effect::Misdirect { by }) => shifted(at, by),
            _ => at,
        };
        let count = state.files[self.file].current.read(at, into);
        if let Some(Effect::FlipBit { bit }) = effect {
            flip(&mut into[..count], bit);
        }
        Ok(count)
    }

    fn write_at(&self, at: u64, from: &[u8]) -> Result<(), Fault> {
        self.may_write()?;
        let mut state = self.state.lock();
        let effect = state.begin_at(
            Operations::WRITE,
            "write",
            &self.name,
            (at, at + from.len() as u64),
        )?;
        let grows = (at + from.len() as u64).saturating_sub(state.files[self.file].current.len());
        if !state.has_room(grows) {
            return Err(full("write", &self.name));
        }
        let mut bytes: Arc<[u8]> = from.into();
        let mut place = at;
        match effect {
            Some(Effect::LoseWrite) => return Ok(()),
            Some(Effect::Misdirect { by }) => place = shifted(at, by),
            Some(Effect::FlipBit { bit }) => flip(Arc::make_mut(&mut bytes), bit),
            Some(Effect::PartlyFull { bytes: count }) => bytes = from[..count.min(from.len())].into(),
            _ => {}
        }
        state.change(Change::Write {
            file: self.file,
            at: place,
            bytes,
        });
        match effect {
            Some(Effect::PartlyFull { .. }) => Err(full("write", &self.name)),
            _ => Ok(()),
        }
    }

    fn set_len(&self, len: u64) -> Result<(), Fault> {
        self.may_write()?;
        let mut state = self.state.lock();
        state.begin(Operations::SET_LEN, "resize", &self.name)?;
        let grows = len.saturating_sub(state.files[self.file].current.len());
        if grows > 0 && !state.has_room(grows) {
            return Err(full("grow", &self.name));
        }
        state.change(Change::SetLen { file: self.file, len });
        Ok(())
    }

    fn sync(&self) -> Result<(), Fault> {
        let mut state = self.state.lock();
        match state.begin(Operations::SYNC, "sync", &self.name)? {
            Some(Effect::SyncForgets { seed }) => {
                state.forget(self.file, seed);
                Err(Fault::io("sync", &self.name, Error::from_raw_os_error(5)))
            }
            _ => {
                state.sync_file(self.file);
                Ok(())
            }
        }
    }
}
