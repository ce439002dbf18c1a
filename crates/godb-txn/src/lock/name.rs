//! [`Name`]: a resource that owns its key, with its hash beside it, so that it is computed once for a lock and its release.

use crate::transactions::Resource;
use godb_recovery::{TreeId, TxnId};
use std::hash::{BuildHasherDefault, Hash, Hasher};
use std::sync::Arc;

/// A key, shared by the table of locks and its holder.
pub(super) type Key = Arc<[u8]>;

/// A resource as the lock manager keeps and shows it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum LockedResource {
    /// Everything.
    Database,
    /// One tree.
    Table(TreeId),
    /// One key of a tree.
    Key(TreeId, Arc<[u8]>),
    /// The keys from the first on, up to and without the second, or to the end.
    KeyRange(TreeId, Arc<[u8]>, Option<Arc<[u8]>>),
    /// A transaction itself.
    Transaction(TxnId),
}

impl From<Resource<'_>> for LockedResource {
    fn from(resource: Resource<'_>) -> Self {
        match resource {
            Resource::Database => Self::Database,
            Resource::Table(tree) => Self::Table(tree),
            Resource::Key(tree, key) => Self::Key(tree, key.into()),
            Resource::KeyRange(tree, from, to) => Self::KeyRange(tree, from.into(), to.map(Into::into)),
            Resource::Transaction(id) => Self::Transaction(id),
        }
    }
}

impl LockedResource {
    /// The tree that it is or is part of.
    #[must_use]
    pub fn tree(&self) -> Option<TreeId> {
        match self {
            Self::Table(tree) | Self::Key(tree, _) | Self::KeyRange(tree, ..) => Some(*tree),
            Self::Database | Self::Transaction(_) => None,
        }
    }

    /// The tree that it is a key or a range of.
    pub(super) fn tree_around(&self) -> Option<TreeId> {
        self.tree().filter(|_| !matches!(self, Self::Table(_)))
    }
}

/// A resource with its hash. Cheap to clone.
#[derive(Clone, Debug)]
pub(super) struct Name {
    hash: u64,
    pub(super) resource: LockedResource,
}

impl Name {
    /// Which of so many parts of a table it falls on.
    pub(super) fn part(&self, parts: usize) -> usize {
        usize::try_from((self.hash >> 40) % parts as u64).unwrap_or(0)
    }
}

impl From<Resource<'_>> for Name {
    fn from(resource: Resource<'_>) -> Self {
        let resource = LockedResource::from(resource);
        let mut hasher = Mix::default();
        resource.hash(&mut hasher);
        Self {
            hash: hasher.finish(),
            resource,
        }
    }
}

impl PartialEq for Name {
    fn eq(&self, other: &Self) -> bool {
        self.hash == other.hash && self.resource == other.resource
    }
}

impl Eq for Name {}

impl Hash for Name {
    fn hash<H: Hasher>(&self, state: &mut H) {
        state.write_u64(self.hash);
    }
}

/// Eight bytes a step, without a seed, so that a model runs the same way each time. Who chooses keys that collide makes his own locks slow, and others' on the same part.
#[derive(Default)]
pub struct Mix(u64);

impl Hasher for Mix {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        let (words, rest) = bytes.as_chunks::<8>();
        for word in words {
            self.write_u64(u64::from_le_bytes(*word));
        }
        let last = rest
            .iter()
            .fold(bytes.len() as u64, |last, byte| last << 8 | u64::from(*byte));
        self.write_u64(last);
    }

    fn write_u64(&mut self, word: u64) {
        let mixed = (self.0.rotate_left(5) ^ word).wrapping_mul(0x9E37_79B9_7F4A_7C15);
        self.0 = mixed ^ (mixed >> 32);
    }

    fn write_u32(&mut self, word: u32) {
        self.write_u64(u64::from(word));
    }

    fn write_usize(&mut self, word: usize) {
        self.write_u64(word as u64);
    }

    fn write_isize(&mut self, word: isize) {
        self.write_u64(word.unsigned_abs() as u64);
    }
}

/// Takes a hash that is there already.
#[derive(Default)]
pub(super) struct Known(u64);

impl Hasher for Known {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        let mut mix = Mix(self.0);
        mix.write(bytes);
        self.0 = mix.0;
    }

    fn write_u64(&mut self, hash: u64) {
        self.0 = hash;
    }
}

/// For maps by name.
pub(super) type ByName = BuildHasherDefault<Known>;
/// For maps by id: ids are given by the program itself, so nobody can choose them to collide.
pub type ById = BuildHasherDefault<Mix>;
