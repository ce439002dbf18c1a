//! A file system that crashes and fails on command, for this crate's tests.
//!
//! Each file has what programs see, what is on the medium, and the list of changes in between; each directory change waits for its own sync. A crash keeps
//! any subset of what was not synced, writes torn into sectors of 512 bytes.

use godb_btree::sync::Mutex;
use godb_btree::{Fault, File, FileSystem, OpenMode, Random, SeededRandom};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

const SECTOR: usize = 512;

/// What goes wrong, once, at the operation with the number chosen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Failure {
    /// Nothing reaches the disk from here on, and every operation fails.
    Dead,
    /// The operation is refused for lack of room; so is all growth until it is allowed again.
    Full,
    /// An error; a failing sync loses what it should have made durable, and the next one succeeds.
    Error,
}

#[derive(Clone)]
enum Change {
    Write(usize, Vec<u8>),
    SetLen(usize),
}

#[derive(Clone, Default)]
struct Inode {
    seen: Vec<u8>,
    durable: Vec<u8>,
    pending: Vec<Change>,
}

#[derive(Clone)]
enum Entry {
    Add(String, usize),
    Move(String, String),
    Remove(String),
}

#[derive(Clone, Default)]
struct Disk {
    inodes: Vec<Inode>,
    names: BTreeMap<String, usize>,
    durable_names: BTreeMap<String, usize>,
    entries: Vec<Entry>,
    dirs: BTreeSet<String>,
    operations: u64,
    planned: Option<(u64, Failure)>,
    dead: bool,
    full: bool,
}

/// The file system.
#[derive(Clone, Default)]
pub(super) struct FaultyFs(Arc<Mutex<Disk>>);

impl FaultyFs {
    /// How many operations there have been.
    pub(super) fn operations(&self) -> u64 {
        self.0.lock().operations
    }

    /// Plans a failure at the operation with that number.
    pub(super) fn plan(&self, at: u64, failure: Failure) {
        self.0.lock().planned = Some((at, failure));
    }

    /// The disk has room again, and nothing else is planned.
    pub(super) fn heal(&self) {
        let mut disk = self.0.lock();
        disk.full = false;
        disk.planned = None;
    }

    /// What is there after a power cut. Seed zero loses everything that was not synced, seed one keeps it all.
    pub(super) fn crashed(&self, seed: u64) -> Self {
        let disk = self.0.lock();
        let random = SeededRandom::new(seed);
        let keep = || match seed {
            0 => false,
            1 => true,
            _ => random.next_u64().is_multiple_of(2),
        };
        let mut next = Disk {
            dirs: disk.dirs.clone(),
            names: disk.durable_names.clone(),
            ..Disk::default()
        };
        for entry in disk.entries.iter().filter(|_| keep()) {
            entry.apply(&mut next.names);
        }
        next.durable_names = next.names.clone();
        for inode in &disk.inodes {
            let mut bytes = inode.durable.clone();
            for change in &inode.pending {
                change.apply_torn(&mut bytes, &keep);
            }
            next.inodes.push(Inode {
                seen: bytes.clone(),
                durable: bytes,
                pending: Vec::new(),
            });
        }
        Self(Arc::new(Mutex::new(next)))
    }

    /// Changes what is stored in a file, behind everybody's back.
    pub(super) fn tamper(&self, name: &str, change: impl FnOnce(&mut Vec<u8>)) {
        let mut disk = self.0.lock();
        let id = disk.names[name];
        change(&mut disk.inodes[id].seen);
        disk.inodes[id].durable = disk.inodes[id].seen.clone();
    }

    /// An independent copy.
    pub(super) fn copy(&self) -> Self {
        Self(Arc::new(Mutex::new(self.0.lock().clone())))
    }

    /// Counts an operation that changes something, and lets it fail if that was planned.
    fn operate<R>(&self, file: &str, grows: bool, change: impl FnOnce(&mut Disk) -> R) -> Result<R, Fault> {
        let mut disk = self.0.lock();
        disk.operations += 1;
        if let Some((at, failure)) = disk.planned
            && disk.operations == at
        {
            match failure {
                Failure::Dead => disk.dead = true,
                Failure::Full => disk.full = true,
                Failure::Error => return Err(Fault::io("use", file, std::io::Error::other("planned"))),
            }
        }
        if disk.dead {
            return Err(Fault::io("use", file, std::io::Error::other("the power is off")));
        }
        if disk.full && grows {
            return Err(Fault::io("grow", file, std::io::ErrorKind::StorageFull.into()));
        }
        Ok(change(&mut disk))
    }
}

impl Entry {
    fn apply(&self, names: &mut BTreeMap<String, usize>) {
        match self {
            Self::Add(name, id) => {
                names.insert(name.clone(), *id);
            }
            Self::Move(from, to) => {
                if let Some(id) = names.remove(from) {
                    names.insert(to.clone(), id);
                }
            }
            Self::Remove(name) => {
                names.remove(name);
            }
        }
    }
}

impl Change {
    fn apply(&self, bytes: &mut Vec<u8>) {
        self.apply_torn(bytes, &|| true);
    }

    fn apply_torn(&self, bytes: &mut Vec<u8>, keep: &dyn Fn() -> bool) {
        match self {
            Self::SetLen(len) => {
                if keep() {
                    bytes.resize(*len, 0);
                }
            }
            Self::Write(at, data) => {
                for (index, sector) in data.chunks(SECTOR).enumerate().filter(|_| keep()) {
                    let start = at + index * SECTOR;
                    let len = bytes.len().max(start + sector.len());
                    bytes.resize(len, 0);
                    bytes[start..start + sector.len()].copy_from_slice(sector);
                }
            }
        }
    }
}

impl FileSystem for FaultyFs {
    fn open(&self, name: &str, mode: OpenMode) -> Result<Arc<dyn File>, Fault> {
        let known = self.0.lock().names.get(name).copied();
        let id = match known {
            Some(id) => id,
            None if mode == OpenMode::Create => self.operate(name, false, |disk| {
                let id = disk.inodes.len();
                disk.inodes.push(Inode::default());
                let entry = Entry::Add(name.to_owned(), id);
                entry.apply(&mut disk.names);
                disk.entries.push(entry);
                id
            })?,
            None => return Err(Fault::io("open", name, std::io::ErrorKind::NotFound.into())),
        };
        Ok(Arc::new(FaultyFile {
            fs: self.clone(),
            name: name.to_owned(),
            id,
        }))
    }

    fn exists(&self, name: &str) -> Result<bool, Fault> {
        let disk = self.0.lock();
        Ok(disk.names.contains_key(name) || disk.dirs.contains(name))
    }

    fn list(&self, dir: &str) -> Result<Vec<String>, Fault> {
        let prefix = format!("{dir}/");
        let disk = self.0.lock();
        Ok(disk
            .names
            .keys()
            .filter_map(|name| name.strip_prefix(&prefix).map(str::to_owned))
            .collect())
    }

    fn create_dir(&self, dir: &str) -> Result<(), Fault> {
        self.0.lock().dirs.insert(dir.to_owned());
        Ok(())
    }

    fn remove_dir(&self, dir: &str) -> Result<(), Fault> {
        self.0.lock().dirs.remove(dir);
        Ok(())
    }

    fn rename(&self, from: &str, to: &str) -> Result<(), Fault> {
        self.operate(from, false, |disk| {
            let entry = Entry::Move(from.to_owned(), to.to_owned());
            entry.apply(&mut disk.names);
            disk.entries.push(entry);
        })
    }

    fn unlink(&self, name: &str) -> Result<(), Fault> {
        self.operate(name, false, |disk| {
            let entry = Entry::Remove(name.to_owned());
            entry.apply(&mut disk.names);
            disk.entries.push(entry);
        })
    }

    fn sync_dir(&self, dir: &str) -> Result<(), Fault> {
        self.operate(dir, false, |disk| {
            disk.durable_names = disk.names.clone();
            disk.entries.clear();
        })
    }

    fn lock(&self, _name: &str) -> Result<godb_btree::FileLock, Fault> {
        Ok(Box::new(()))
    }
}

struct FaultyFile {
    fs: FaultyFs,
    name: String,
    id: usize,
}

impl FaultyFile {
    fn change(&self, change: Change, grows: bool) -> Result<(), Fault> {
        self.fs.operate(&self.name, grows, |disk| {
            let inode = &mut disk.inodes[self.id];
            change.apply(&mut inode.seen);
            inode.pending.push(change);
        })
    }

    fn seen_len(&self) -> usize {
        self.fs.0.lock().inodes[self.id].seen.len()
    }
}

impl File for FaultyFile {
    fn name(&self) -> &str {
        &self.name
    }

    fn len(&self) -> Result<u64, Fault> {
        Ok(self.seen_len() as u64)
    }

    fn read_at(&self, at: u64, into: &mut [u8]) -> Result<usize, Fault> {
        let disk = self.fs.0.lock();
        let bytes = &disk.inodes[self.id].seen;
        let rest = bytes.get(usize::try_from(at).unwrap()..).unwrap_or_default();
        let len = rest.len().min(into.len());
        into[..len].copy_from_slice(&rest[..len]);
        Ok(len)
    }

    fn write_at(&self, at: u64, from: &[u8]) -> Result<(), Fault> {
        let at = usize::try_from(at).unwrap();
        let grows = at + from.len() > self.seen_len();
        self.change(Change::Write(at, from.to_vec()), grows)
    }

    fn set_len(&self, len: u64) -> Result<(), Fault> {
        let len = usize::try_from(len).unwrap();
        self.change(Change::SetLen(len), len > self.seen_len())
    }

    fn sync(&self) -> Result<(), Fault> {
        let synced = self.fs.operate(&self.name, false, |disk| {
            let inode = &mut disk.inodes[self.id];
            inode.durable = inode.seen.clone();
            inode.pending.clear();
        });
        if synced.is_err() {
            // The system marks the pages clean all the same: what programs see stays, and no later sync writes it.
            let mut disk = self.fs.0.lock();
            if !disk.dead {
                disk.inodes[self.id].pending.clear();
            }
        }
        synced
    }
}
