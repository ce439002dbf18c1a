//! Collection: dropping what no snapshot can see any more.
//!
//! Each commit tells which history entries it superseded; they stand in a queue, and when the horizon has passed the commit they go. With the last old version of
//! a deleted key its tombstone goes too. What the queue does not know of, because of a restart or because it was full, the [sweep](super::sweep) finds.
//!
//! Nothing here is part of a transaction. A removal that a crash or an error could take back would bring back a tombstone under which somebody has meanwhile
//! written and committed; so entries are *released*, which is never undone. That is safe, for what nobody can see is never wanted again.

use super::MvccEngine;
use super::keys::{self, Entry};
use super::reading::View;
use crate::engine::Timestamp;
use crate::error::Error;
use godb_txn::{Range, Transactions, Tree, TreeId, TxnId};
use std::collections::VecDeque;
use std::ops::{Bound, ControlFlow};

/// How many entries are dropped in one call.
pub(super) const BATCH: usize = 256;

/// How many entries the queue holds; the rest is left to the sweep.
const QUEUE_LIMIT: usize = if cfg!(test) { 50 } else { 100_000 };

/// An entry of the history tree that can go when a commit is behind the horizon.
pub(super) struct Garbage {
    /// The commit that made it unnecessary.
    pub(super) since: Timestamp,
    /// The entry's key.
    pub(super) key: Vec<u8>,
}

/// Garbage, roughly in the order in which it can go.
#[derive(Default)]
pub(super) struct Queue {
    entries: VecDeque<Garbage>,
    /// Something was turned away.
    pub(super) overflowed: bool,
}

impl Queue {
    /// Adds what a commit at `since` superseded.
    pub(super) fn add(&mut self, since: Timestamp, keys: impl Iterator<Item = Vec<u8>>) {
        for key in keys {
            if self.entries.len() >= QUEUE_LIMIT {
                self.overflowed = true;
                return;
            }
            self.entries.push_back(Garbage { since, key });
        }
    }

    /// Takes some entries out that can go now.
    fn take_ready(&mut self, horizon: Timestamp) -> Vec<Garbage> {
        let mut ready = Vec::new();
        while ready.len() < BATCH
            && let Some(garbage) = self.entries.pop_front_if(|garbage| garbage.since <= horizon)
        {
            ready.push(garbage);
        }
        ready
    }

    /// Puts back what was not dropped.
    pub(super) fn put_back(&mut self, rest: impl DoubleEndedIterator<Item = Garbage>) {
        rest.rev().for_each(|garbage| self.entries.push_front(garbage));
    }
}

impl<T: Transactions> MvccEngine<T> {
    /// Does a bounded amount of housekeeping; tells whether there is more to do now.
    pub(super) fn collect_some(&self) -> Result<bool, Error> {
        let horizon = self.move_horizon()?;
        let mut more = self.sweep_some(horizon)?;
        let ready = self.queue.lock().take_ready(horizon);
        more |= ready.len() == BATCH;
        more |= self.drop_all(ready, horizon)?;
        if self.commits.recent(|recent| recent.unpersisted_count()) >= super::timeline::ROWS_AT_ONCE
            || !self.keeps_past()
        {
            more |= self.tend_timeline()?;
        }
        Ok(more)
    }

    /// Drops entries whose time has come; puts back what was too much for one call, or failed. Tells whether it did.
    fn drop_all(&self, ready: Vec<Garbage>, horizon: Timestamp) -> Result<bool, Error> {
        for (number, garbage) in ready.iter().enumerate() {
            let finished = self.drop_entry(&garbage.key, horizon);
            if !matches!(finished, Ok(true)) {
                self.queue.lock().put_back(ready.into_iter().skip(number).collect::<Vec<_>>().into_iter());
                return finished.map(|_| true);
            }
        }
        Ok(false)
    }

    /// Drops an entry whose time has come. `false` when that is not finished.
    pub(super) fn drop_entry(&self, full: &[u8], horizon: Timestamp) -> Result<bool, Error> {
        match Entry::decode(full) {
            Some(Entry::Dropped(tree)) => return self.drop_tree_for_good(tree, full),
            Some(Entry::Chain(_)) | None => {
                self.tree().release(self.trees.history, full)?;
            }
            Some(Entry::Version { tree, key, .. }) => {
                // It may have gone with its tree, or be told of a second time.
                if self.tree().release(self.trees.history, full)? {
                    self.drop_tombstone(tree, &key, horizon)?;
                }
            }
        }
        Ok(true)
    }

    /// Destroys a tree, some of its old versions first.
    fn drop_tree_for_good(&self, tree: TreeId, full: &[u8]) -> Result<bool, Error> {
        let versions = self.some_versions_of(tree)?;
        for version in &versions {
            self.tree().release(self.trees.history, version)?;
        }
        if !versions.is_empty() {
            return Ok(false);
        }
        self.tree().destroy(tree)?;
        self.tree().release(self.trees.history, full)?;
        self.dropped.remove(tree);
        Ok(true)
    }

    fn some_versions_of(&self, tree: TreeId) -> Result<Vec<Vec<u8>>, Error> {
        let (from, to) = (tree.raw().to_be_bytes(), (tree.raw() + 1).to_be_bytes());
        let range = Range {
            from: Bound::Included(&from),
            to: Bound::Excluded(&to),
            backward: false,
        };
        let mut found = Vec::new();
        let mut cursor = self.tree().seek(self.trees.history, range)?;
        let mut more = true;
        while more && found.len() < BATCH {
            more = self.tree().next(&mut cursor, |full, _| {
                found.push(full.to_vec());
                match found.len() < BATCH {
                    true => ControlFlow::Continue(()),
                    false => ControlFlow::Break(()),
                }
            })?;
        }
        Ok(found)
    }

    /// Removes a key whose newest version is a deletion that everybody sees, once no older version is left.
    fn drop_tombstone(&self, tree: TreeId, key: &[u8], horizon: Timestamp) -> Result<(), Error> {
        let _stripe = self.stripe(tree, key);
        let newest = match self.newest(tree, key) {
            Ok(newest) => newest,
            // It went with its tree.
            Err(error) => match self.about_tree(tree, error) {
                Error::NoSuchTree => return Ok(()),
                error => return Err(error),
            },
        };
        let view = View {
            own: TxnId::default(),
            at: horizon,
        };
        if let Some(newest) = newest
            && newest.header.tombstone
            && self.sees(view, newest.header.writer)?
            && !self.has_versions(tree, key)?
        {
            self.tree().release(tree, key)?;
        }
        Ok(())
    }

    /// Whether the history has any version of a key.
    fn has_versions(&self, tree: TreeId, key: &[u8]) -> Result<bool, Error> {
        let (from, to) = (keys::version(tree, key, u64::MAX), keys::version(tree, key, 0));
        let range = Range {
            from: Bound::Included(&from),
            to: Bound::Included(&to),
            backward: false,
        };
        Ok(self.first_in(self.trees.history, range, |_, _| ())?.is_some())
    }
}
