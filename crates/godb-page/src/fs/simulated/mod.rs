//! [`SimulatedDisk`]: a disk that loses power, tears writes, lies and refuses, repeatably.
//!
//! What a file system promises is little: a write may stay in a cache, in any part and in any order, until a sync of its file returns; a new file's *name*
//! stays there until its directory is synced; a failed sync may have thrown the data away while reads still show it. Programs are tested on
//! machines that do better than they promise, and lose data on the day one does not. This disk does no better than it must, and does it by seed.
//!
//! For each file it keeps two images, what a reader sees and what is durable, and between them the ordered list of pending changes. A crash is a choice
//! among those: [`crash`](SimulatedDisk::crash) returns the disk that a machine would find after the power came back. Images share unchanged pieces, so
//! a crash costs microseconds and a test can look at thousands of them. The idea is that of CrashMonkey (Mohan and others, OSDI 2018) and of
//! ALICE (Pillai and others, OSDI 2014): enumerate what the promises allow, rather than pull real plugs.
//!
//! ```
//! use godb_page::{Crash, FileSystem, OpenMode, SimulatedDisk};
//! let disk = SimulatedDisk::new();
//! let file = disk.open("a", OpenMode::Create).unwrap();
//! file.write_at(0, b"hello").unwrap();
//! file.sync().unwrap();
//! assert!(!disk.crash(Crash::KeepNone).exists("a").unwrap(), "the bytes were synced, their name was not");
//! disk.sync_dir("").unwrap();
//! assert!(disk.crash(Crash::KeepNone).exists("a").unwrap());
//! ```
//!
//! Left out: reordering of a file's changes among each other beyond losing some (what is kept is applied in order); a sync that
//! returns success and lies, except through [`Effect::LoseWrite`].

mod crash;
mod faults;
mod files;
mod image;
mod moments;
mod state;

pub use crash::{Crash, Tear};
pub use faults::{Effect, Injection, Operations};

use crate::fault::Fault;
use crate::fs::locks::Locks;
use crate::sync::{Arc, Mutex};
use faults::Armed;
use state::{Entry, State};
use std::io::{Error, ErrorKind};

/// A disk in memory that a test commands. Clones are handles on the same disk; [`fork`](Self::fork) copies it.
#[derive(Clone)]
pub struct SimulatedDisk {
    state: Arc<Mutex<State>>,
}

impl Default for SimulatedDisk {
    fn default() -> Self {
        Self::new()
    }
}

impl SimulatedDisk {
    /// An empty disk.
    #[must_use]
    pub fn new() -> Self {
        Self::of(State::new())
    }

    fn of(state: State) -> Self {
        Self {
            state: Arc::new(Mutex::new(state)),
        }
    }

    /// A disk of its own in the same state: files, pending changes and injections; locks are not taken over.
    #[must_use]
    pub fn fork(&self) -> Self {
        let mut state = self.state.lock().clone();
        state.locked = Locks::default();
        Self::of(state)
    }

    /// The disk as it is found after a power loss now. This one is left as it is.
    #[must_use]
    pub fn crash(&self, crash: Crash) -> Self {
        Self::of(crash::survivors(&self.state.lock(), crash))
    }

    /// From now on every operation fails, as after [`Effect::PowerOff`].
    pub fn power_off(&self) {
        self.state.lock().power_off = true;
    }

    /// Whether the power is off.
    #[must_use]
    pub fn is_off(&self) -> bool {
        self.state.lock().power_off
    }

    /// How many operations of these kinds were asked for while the power was on.
    #[must_use]
    pub fn count(&self, kinds: Operations) -> u64 {
        self.state.lock().count(kinds)
    }

    /// How many changes a crash now could keep or lose, one by one.
    #[must_use]
    pub fn pending(&self) -> usize {
        let state = self.state.lock();
        crash::units(&state.pending, state.fragment).len()
    }

    /// The sizes in bytes of the writes that a crash now could tear, in order.
    #[must_use]
    pub fn pending_writes(&self) -> Vec<usize> {
        let size = |change: &state::Change| match change {
            state::Change::Write { bytes, .. } => Some(bytes.len()),
            _ => None,
        };
        self.state.lock().pending.iter().filter_map(size).collect()
    }

    /// Sets the size in bytes of what is lost or kept as one: 4096 at first.
    ///
    /// # Panics
    /// When it is zero.
    pub fn set_fragment(&self, bytes: usize) {
        assert!(bytes > 0, "a fragment has at least one byte");
        self.state.lock().fragment = bytes;
    }

    /// Makes some later operations go wrong, besides those that already will.
    pub fn inject(&self, injection: Injection) {
        self.state.lock().armed.push(Armed::new(injection));
    }

    /// Forgets every injection.
    pub fn heal(&self) {
        self.state.lock().armed.clear();
    }

    /// How many operations an injection has met so far.
    #[must_use]
    pub fn struck(&self) -> u64 {
        self.state.lock().struck
    }

    /// Limits what all files together may hold, in bytes.
    pub fn set_capacity(&self, bytes: Option<u64>) {
        self.state.lock().capacity = bytes;
    }

    /// Makes it a disk mounted for reading, or for writing again.
    pub fn set_read_only(&self, read_only: bool) {
        self.state.lock().read_only = read_only;
    }

    /// The names of all files, sorted.
    #[must_use]
    pub fn files(&self) -> Vec<String> {
        let state = self.state.lock();
        let files = state
            .names
            .iter()
            .filter(|(_, entry)| matches!(entry, Entry::File(_)));
        files.map(|(name, _)| name.clone()).collect()
    }

    /// A file's bytes as a reader sees them.
    ///
    /// # Errors
    /// When there is no such file.
    pub fn bytes(&self, name: &str) -> Result<Vec<u8>, Fault> {
        let state = self.state.lock();
        let current = &state.files[file(&state, name)?].current;
        let mut bytes = vec![0; image::index(current.len())];
        current.read(0, &mut bytes);
        Ok(bytes)
    }

    /// Replaces a file's bytes behind everybody's back, durably: bit rot, truncation, another database's file. Creates it if need be.
    pub fn set_bytes(&self, name: &str, bytes: &[u8]) {
        let mut state = self.state.lock();
        let at = file(&state, name).unwrap_or_else(|_| {
            state.files.push(state::Contents::default());
            let entry = Entry::File(state.files.len() - 1);
            let change = state::Change::Enter {
                name: name.to_owned(),
                entry,
            };
            state.keep([&change]);
            state.names.insert(name.to_owned(), entry);
            state.files.len() - 1
        });
        let contents = &mut state.files[at];
        for image in [&mut contents.current, &mut contents.durable] {
            image.set_len(0);
            image.write(0, bytes);
        }
    }

    /// Flips one bit of a file, durably.
    ///
    /// # Errors
    /// When there is no such file, or it is shorter.
    pub fn flip_bit(&self, name: &str, bit: u64) -> Result<(), Fault> {
        let mut state = self.state.lock();
        let at = file(&state, name)?;
        let contents = &mut state.files[at];
        let mut byte = [0];
        if contents.current.read(bit / 8, &mut byte) == 0 {
            return Err(Fault::io(
                "flip a bit of",
                name,
                Error::from(ErrorKind::UnexpectedEof),
            ));
        }
        byte[0] ^= 1 << (bit % 8);
        contents.current.write(bit / 8, &byte);
        contents.durable.write(bit / 8, &byte);
        Ok(())
    }
}

fn file(state: &State, name: &str) -> Result<usize, Fault> {
    match state.names.get(name) {
        Some(Entry::File(file)) => Ok(*file),
        _ => Err(Fault::io("find", name, Error::from(ErrorKind::NotFound))),
    }
}

#[cfg(test)]
mod tests;
