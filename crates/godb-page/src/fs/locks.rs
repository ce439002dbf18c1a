//! [`Locks`]: who has which file, to write or to read.

use std::collections::BTreeMap;

/// How a file is held.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Hold {
    /// By one, to write.
    Owner,
    /// By so many, to read.
    Readers(u32),
}

impl Hold {
    /// One reader more or the first.
    pub(super) const READER: Self = Self::Readers(1);
}

/// The files that are held.
#[derive(Clone, Debug)]
pub(super) struct Locks<K> {
    held: BTreeMap<K, Hold>,
}

impl<K> Default for Locks<K> {
    fn default() -> Self {
        Self {
            held: BTreeMap::new(),
        }
    }
}

impl<K: Ord + Clone> Locks<K> {
    /// Takes `file` as `wanted`; tells whether that could be.
    pub(super) fn take(&mut self, file: &K, wanted: Hold) -> bool {
        let hold = match (self.held.get(file), wanted) {
            (None, wanted) => wanted,
            (Some(Hold::Readers(count)), Hold::Readers(_)) => Hold::Readers(count + 1),
            (Some(_), _) => return false,
        };
        self.held.insert(file.clone(), hold);
        true
    }

    /// Gives one hold on `file` back.
    pub(super) fn give(&mut self, file: &K) {
        match self.held.get_mut(file) {
            Some(Hold::Readers(count)) if *count > 1 => *count -= 1,
            _ => drop(self.held.remove(file)),
        }
    }
}
