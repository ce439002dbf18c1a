//! [`Claims`]: what keeps two writers apart besides the versions themselves.
//!
//! A row that was written names its writer, and that is its lock. Two things are not in the row. *Deciding* about it: between looking at the newest version and
//! replacing it nobody else may do the same, so both happen under one of a fixed number of stripes. And *explicit* locks, of those who want to keep others off
//! without writing, or stand in line for a row: they are in the lock manager, and here is only counted in which trees there are any, so that a writer
//! need not ask the lock manager about every row.

use godb_txn::TreeId;
use godb_txn::sync::atomic::{AtomicUsize, Ordering};
use godb_txn::sync::{Mutex, MutexGuard};
use std::collections::HashMap;

/// How many stripes there are; few in a model.
const STRIPES: usize = if cfg!(godb_loom) { 1 } else { 256 };

/// The stripe of a key. Nobody gains by choosing keys that share one: at worst writers of different keys wait for each other for a moment, so a cheap hash will do.
fn number(tree: TreeId, key: &[u8]) -> usize {
    let mix = |hash: u64, word: u64| {
        let mixed = (hash ^ word).wrapping_mul(0x9E37_79B9_7F4A_7C15);
        mixed ^ (mixed >> 32)
    };
    let (words, rest) = key.as_chunks::<8>();
    let hash = words.iter().fold(u64::from(tree.raw()), |hash, word| {
        mix(hash, u64::from_le_bytes(*word))
    });
    let last = rest
        .iter()
        .fold(key.len() as u64, |last, byte| last << 8 | u64::from(*byte));
    usize::try_from(mix(hash, last) % STRIPES as u64).unwrap_or(0)
}

/// Stripes, and counts of explicit locks.
pub(super) struct Claims {
    stripes: Box<[Mutex<()>]>,
    /// Trees in which transactions have explicit key locks, with how many do.
    explicit: Mutex<HashMap<TreeId, usize>>,
    /// The sum of those.
    any: AtomicUsize,
    /// Whoever reads or writes a key locks it: there are no versions.
    always: bool,
}

impl Claims {
    pub(super) fn new(always: bool) -> Self {
        Self {
            stripes: (0..STRIPES).map(|_| Mutex::new(())).collect(),
            explicit: Mutex::new(HashMap::new()),
            any: AtomicUsize::new(0),
            always,
        }
    }

    /// Keeps others from deciding about the same key. Held for a few tree operations, never while waiting for a transaction.
    pub(super) fn stripe(&self, tree: TreeId, key: &[u8]) -> MutexGuard<'_, ()> {
        self.stripes[number(tree, key)].lock()
    }

    /// Keeps others from deciding about any of these keys. Taken in the order of their numbers, so that two who take several cannot wait for each other.
    pub(super) fn stripes<'k>(
        &self,
        tree: TreeId,
        keys: impl Iterator<Item = &'k [u8]>,
    ) -> Vec<MutexGuard<'_, ()>> {
        let mut taken = [false; STRIPES];
        keys.for_each(|key| taken[number(tree, key)] = true);
        let stripes = self.stripes.iter().zip(taken);
        stripes
            .filter(|(_, taken)| *taken)
            .map(|(stripe, _)| stripe.lock())
            .collect()
    }

    /// A transaction is going to hold explicit key locks in a tree. Whoever takes a key's stripe after this sees it.
    pub(super) fn begin_explicit(&self, tree: TreeId) {
        *self.explicit.lock().entry(tree).or_default() += 1;
        self.any.fetch_add(1, Ordering::SeqCst);
    }

    /// A transaction with explicit key locks in a tree has ended.
    pub(super) fn end_explicit(&self, tree: TreeId) {
        let mut explicit = self.explicit.lock();
        if let Some(count) = explicit.get_mut(&tree) {
            *count -= 1;
            if *count == 0 {
                explicit.remove(&tree);
            }
        }
        self.any.fetch_sub(1, Ordering::SeqCst);
    }

    /// Whether writers of this tree must mind explicit key locks.
    pub(super) fn has_explicit(&self, tree: TreeId) -> bool {
        self.always || self.any.load(Ordering::SeqCst) > 0 && self.explicit.lock().contains_key(&tree)
    }
}
