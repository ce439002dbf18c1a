//! The disk's state: what a reader sees now, what is durable, and the changes in between, in order.

use super::crash::toss;
use super::faults::{Armed, Effect, Operations};
use super::image::Image;
use crate::fault::Fault;
use crate::fs::locks::Locks;
use std::collections::BTreeMap;
use std::io::{Error, ErrorKind};
use std::sync::Arc;

/// What a name stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Entry {
    File(usize),
    Directory,
}

/// One change that is not durable yet.
#[derive(Clone, Debug)]
pub(super) enum Change {
    Write {
        file: usize,
        at: u64,
        bytes: Arc<[u8]>,
    },
    SetLen {
        file: usize,
        len: u64,
    },
    /// A name appears: a file or directory made.
    Enter {
        name: String,
        entry: Entry,
    },
    /// A name disappears.
    Leave {
        name: String,
    },
    /// A name is replaced by another.
    Move {
        from: String,
        to: String,
        entry: Entry,
    },
}

impl Change {
    /// The file whose sync makes it durable.
    fn file(&self) -> Option<usize> {
        match self {
            Self::Write { file, .. } | Self::SetLen { file, .. } => Some(*file),
            _ => None,
        }
    }

    /// The directory whose sync makes it durable.
    fn directory(&self) -> Option<&str> {
        match self {
            Self::Enter { name, .. } | Self::Leave { name } => Some(directory_of(name)),
            Self::Move { to, .. } => Some(directory_of(to)),
            _ => None,
        }
    }
}

/// The part of a name before its last `/`; empty for names at the top.
pub(super) fn directory_of(name: &str) -> &str {
    name.rsplit_once('/').map_or("", |(directory, _)| directory)
}

/// Whether the directory of a name is there. The top is, and so are absolute directories: somebody else made those.
pub(super) fn has_directory(names: &BTreeMap<String, Entry>, name: &str) -> bool {
    let directory = directory_of(name);
    directory.is_empty() || directory.starts_with('/') || names.get(directory) == Some(&Entry::Directory)
}

/// A file as it is read now, and as a crash would leave it.
#[derive(Clone, Default)]
pub(super) struct Contents {
    pub(super) current: Image,
    pub(super) durable: Image,
}

/// Everything there is.
#[derive(Clone)]
pub(super) struct State {
    pub(super) files: Vec<Contents>,
    pub(super) names: BTreeMap<String, Entry>,
    durable_names: BTreeMap<String, Entry>,
    pub(super) pending: Vec<Change>,
    pub(super) locked: Locks<String>,
    pub(super) armed: Vec<Armed>,
    /// How many operations an injection met.
    pub(super) struck: u64,
    counts: [u64; Operations::EACH.len()],
    pub(super) power_off: bool,
    /// The most bytes that all files together may have.
    pub(super) capacity: Option<u64>,
    pub(super) read_only: bool,
    /// The size in which parts of a write are lost independently.
    pub(super) fragment: usize,
    /// Before which operations the disk is copied, and the copies.
    pub(super) watched: Option<(Operations, Vec<State>)>,
}

impl State {
    pub(super) fn new() -> Self {
        Self {
            files: Vec::new(),
            names: BTreeMap::new(),
            durable_names: BTreeMap::new(),
            pending: Vec::new(),
            locked: Locks::default(),
            armed: Vec::new(),
            struck: 0,
            counts: [0; Operations::EACH.len()],
            power_off: false,
            capacity: None,
            read_only: false,
            fragment: 4096,
            watched: None,
        }
    }

    /// Counts an operation and tells what becomes of it; an error when it fails.
    pub(super) fn begin(
        &mut self,
        kind: Operations,
        doing: &'static str,
        file: &str,
    ) -> Result<Option<Effect>, Fault> {
        self.begin_at(kind, doing, file, (0, u64::MAX))
    }

    /// The same, for one that touches the bytes from the first number up to the second.
    pub(super) fn begin_at(
        &mut self,
        kind: Operations,
        doing: &'static str,
        file: &str,
        bytes: (u64, u64),
    ) -> Result<Option<Effect>, Fault> {
        self.remember(kind);
        if !self.power_off {
            for (count, each) in self.counts.iter_mut().zip(Operations::EACH) {
                *count += u64::from(each.meets(kind));
            }
        }
        let hits: Vec<Effect> = self
            .armed
            .iter_mut()
            .filter_map(|armed| armed.meets(kind, file, bytes))
            .collect();
        self.struck += u64::from(!hits.is_empty());
        if hits.contains(&Effect::PowerOff) {
            self.power_off = true;
        }
        if self.power_off {
            return Err(Fault::io(doing, file, Error::other("the power is off")));
        }
        match hits.first() {
            Some(Effect::IoError) => Err(Fault::io(doing, file, Error::from_raw_os_error(5))),
            Some(Effect::DiskFull) => Err(full(doing, file)),
            Some(Effect::Refused { errno }) => Err(Fault::io(doing, file, Error::from_raw_os_error(*errno))),
            other => Ok(other.copied()),
        }
    }

    /// How many operations of these kinds there were.
    pub(super) fn count(&self, kinds: Operations) -> u64 {
        let each = Operations::EACH.iter().zip(self.counts);
        each.filter(|(each, _)| kinds.meets(**each))
            .map(|(_, count)| count)
            .sum()
    }

    /// Makes a change that a crash may lose.
    pub(super) fn change(&mut self, change: Change) {
        match &change {
            Change::Write { file, at, bytes } => self.files[*file].current.write(*at, bytes),
            Change::SetLen { file, len } => self.files[*file].current.set_len(*len),
            names => rename(&mut self.names, names),
        }
        self.pending.push(change);
    }

    /// Whether the files may grow by so many bytes.
    pub(super) fn has_room(&self, more: u64) -> bool {
        let used = |state: &Self| state.names.values().map(|entry| state.size(*entry)).sum::<u64>();
        more == 0 || self.capacity.is_none_or(|capacity| used(self) + more <= capacity)
    }

    fn size(&self, entry: Entry) -> u64 {
        match entry {
            Entry::File(file) => self.files[file].current.len(),
            Entry::Directory => 0,
        }
    }

    /// Makes a file's changes durable.
    pub(super) fn sync_file(&mut self, file: usize) {
        self.make_durable(|change| change.file() == Some(file));
    }

    /// Makes a directory's names durable.
    pub(super) fn sync_directory(&mut self, directory: &str) {
        self.make_durable(|change| change.directory() == Some(directory));
    }

    fn make_durable(&mut self, now: impl Fn(&Change) -> bool) {
        let pending = std::mem::take(&mut self.pending);
        let (done, left): (Vec<Change>, Vec<Change>) = pending.into_iter().partition(now);
        self.pending = left;
        self.keep(&done);
    }

    /// A sync failed, and the system marks the file clean all the same.
    pub(super) fn forget(&mut self, file: usize, seed: Option<u64>) {
        let mut seed = seed;
        self.pending.retain(|change| {
            let odd = seed.as_mut().is_none_or(|seed| toss(seed) & 1 == 1);
            change.file() != Some(file) || !odd
        });
    }

    /// The same of a directory: its names are as they are shown, and no later sync brings them to the medium.
    pub(super) fn forget_names(&mut self, directory: &str, seed: Option<u64>) {
        let mut seed = seed;
        self.pending.retain(|change| {
            let odd = seed.as_mut().is_none_or(|seed| toss(seed) & 1 == 1);
            change.directory() != Some(directory) || !odd
        });
    }

    /// Applies changes to the durable state.
    pub(super) fn keep<'a>(&mut self, changes: impl IntoIterator<Item = &'a Change>) {
        for change in changes {
            match change {
                Change::Write { file, at, bytes } => self.files[*file].durable.write(*at, bytes),
                Change::SetLen { file, len } => self.files[*file].durable.set_len(*len),
                names => rename(&mut self.durable_names, names),
            }
        }
    }

    /// A copy for after a power loss, with nothing pending, nothing locked and nothing armed.
    pub(super) fn powered_on(&self) -> Self {
        Self {
            files: self.files.clone(),
            durable_names: self.durable_names.clone(),
            capacity: self.capacity,
            read_only: self.read_only,
            fragment: self.fragment,
            ..Self::new()
        }
    }

    /// What is durable is what is seen. A file whose directory was lost is lost with it.
    pub(super) fn settle(mut self) -> Self {
        let known = self.durable_names.clone();
        self.durable_names.retain(|name, _| has_directory(&known, name));
        self.names.clone_from(&self.durable_names);
        for file in &mut self.files {
            file.current = file.durable.clone();
        }
        self
    }
}

/// Applies a change of names.
fn rename(names: &mut BTreeMap<String, Entry>, change: &Change) {
    match change {
        Change::Enter { name, entry } => {
            names.insert(name.clone(), *entry);
        }
        Change::Leave { name } => {
            names.remove(name);
        }
        Change::Move { from, to, entry } => {
            names.remove(from);
            names.insert(to.clone(), *entry);
        }
        Change::Write { .. } | Change::SetLen { .. } => {}
    }
}

/// ENOSPC.
pub(super) fn full(doing: &'static str, file: &str) -> Fault {
    Fault::io(doing, file, Error::from(ErrorKind::StorageFull))
}
