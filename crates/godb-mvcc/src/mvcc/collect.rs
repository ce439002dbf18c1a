//! Collection: dropping what no snapshot can see any more.
//!
//! An old version was *current* from its own commit until the commit that replaced it. It can go when that time is behind the frontier, so that nobody will begin to look
//! into it, and holds no moment at which somebody is looking already. So one long transaction keeps the versions of its own moment, and not
//! all those that came and went since (Wu et al. 2017 call the usual rule, which does keep them, the weak side of watermarks; HANA and Steam collect by intervals as here).
//!
//! Each commit tells which history entries it superseded; they stand in a queue, and when their time has come they go. One that a moment in use holds is set aside under that
//! moment and looked at again when nobody uses it any more. With the last old version of a deleted key its tombstone goes too. What the
//! queue does not know of, because of a restart or because it was full, the [sweep](super::sweep) finds.
//!
//! Nothing here is part of a transaction. A removal that a crash or an error could take back would bring back a tombstone under which somebody has meanwhile
//! written and committed; so entries are *released*, which is never undone. That is safe, for what nobody can see is never wanted again.

use super::MvccEngine;
use super::keys::{self, Entry};
use super::snapshots::InUse;
use super::write::Leftovers;
use crate::engine::Timestamp;
use crate::error::Error;
use godb_txn::{Range, Transactions, Tree, TreeId};
use std::collections::{BTreeMap, VecDeque};
use std::ops::{Bound, ControlFlow};

/// How many entries are dropped in one call.
pub(super) const BATCH: usize = 256;

/// How many entries the queue holds; the rest is left to the sweep.
const QUEUE_LIMIT: usize = if cfg!(test) { 50 } else { 100_000 };

/// An entry of the history tree that can go when a commit is behind the frontier.
#[derive(Debug)]
pub(super) struct Garbage {
    /// The commit that made it unnecessary.
    pub(super) since: Timestamp,
    /// The entry's key.
    pub(super) key: Vec<u8>,
}

/// What came of trying to drop an entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Dropped {
    /// It is gone.
    Gone,
    /// Some of it is gone; there was too much for one call.
    Partly,
    /// Somebody who looks at this moment may need it.
    Held(Timestamp),
}

/// Garbage, roughly in the order in which it can go.
#[derive(Default)]
pub(super) struct Queue {
    entries: VecDeque<Garbage>,
    /// Set aside, under the moment that holds it.
    held: BTreeMap<Timestamp, Vec<Garbage>>,
    held_count: usize,
    /// Something was turned away.
    pub(super) overflowed: bool,
}

impl Queue {
    /// Adds what a commit at `since` superseded; tells whether all of it was.
    pub(super) fn add(&mut self, since: Timestamp, left: &mut Leftovers) -> bool {
        let room = QUEUE_LIMIT.saturating_sub(self.entries.len() + self.held_count);
        let all = !left.more && left.keys.len() <= room;
        self.overflowed |= !all;
        let added = left.keys.drain(..).take(room);
        self.entries.extend(added.map(|key| Garbage { since, key }));
        all
    }

    /// Takes some entries out that may go now: their commit is behind the frontier, and what held them is not in use any more.
    fn take_ready(&mut self, in_use: &InUse) -> Vec<Garbage> {
        let mut ready = Vec::new();
        while ready.len() < BATCH
            && let Some(mut freed) = self.held.first_entry()
            && !in_use.has(*freed.key())
        {
            let count = freed.get().len().min(BATCH - ready.len());
            ready.extend(freed.get_mut().drain(..count));
            self.held_count -= count;
            if freed.get().is_empty() {
                freed.remove();
            }
        }
        while ready.len() < BATCH
            && let Some(garbage) = self
                .entries
                .pop_front_if(|garbage| garbage.since <= in_use.frontier)
        {
            ready.push(garbage);
        }
        ready
    }

    /// Puts back what was not dropped.
    fn put_back(&mut self, rest: impl DoubleEndedIterator<Item = Garbage>) {
        rest.rev().for_each(|garbage| self.entries.push_front(garbage));
    }

    /// Sets something aside until nobody uses `moment`.
    fn hold(&mut self, moment: Timestamp, garbage: Garbage) {
        self.held.entry(moment).or_default().push(garbage);
        self.held_count += 1;
    }
}

impl<T: Transactions> MvccEngine<T> {
    /// Does a bounded amount of housekeeping; tells whether there is more to do now.
    pub(super) fn collect_some(&self) -> Result<bool, Error> {
        let in_use = self.look_around()?;
        let mut more = self.sweep_some(&in_use)?;
        let ready = self.queue.lock().take_ready(&in_use);
        more |= ready.len() == BATCH;
        more |= self.drop_all(ready, &in_use)?;
        more |= self.walk_some(&in_use)?;
        more |= self.keep_books(&in_use)?;
        Ok(more)
    }

    /// Drops entries whose time has come; puts back what was too much for one call, or failed. Tells whether it did.
    fn drop_all(&self, mut ready: Vec<Garbage>, in_use: &InUse) -> Result<bool, Error> {
        // Those of one page follow each other.
        ready.sort_unstable_by(|one, other| one.key.cmp(&other.key));
        let mut ready = ready.into_iter();
        let mut up_to = None;
        while let Some(garbage) = ready.next() {
            match self.drop_garbage(&garbage, in_use, &mut up_to) {
                Ok(Dropped::Gone) => {}
                Ok(Dropped::Held(moment)) => self.queue.lock().hold(moment, garbage),
                unfinished => {
                    let rest: Vec<_> = std::iter::once(garbage).chain(ready).collect();
                    self.queue.lock().put_back(rest.into_iter());
                    return unfinished.map(|_| true);
                }
            }
        }
        Ok(false)
    }

    /// Drops what the queue told of; `up_to` is how far rows that were deleted in their places have been removed.
    fn drop_garbage(
        &self,
        garbage: &Garbage,
        in_use: &InUse,
        up_to: &mut Option<(TreeId, Vec<u8>)>,
    ) -> Result<Dropped, Error> {
        let Some(Entry::Deleted(tree, key)) = Entry::decode(&garbage.key) else {
            return self.drop_entry(&garbage.key, garbage.since, in_use);
        };
        if let Some(moment) = in_use.holder(Timestamp::default(), garbage.since) {
            return Ok(Dropped::Held(moment));
        }
        self.drop_deleted(tree, &key, in_use, up_to)?;
        Ok(Dropped::Gone)
    }

    /// Drops an entry that a commit behind the frontier superseded, unless somebody looks at a moment when it was current.
    pub(super) fn drop_entry(&self, full: &[u8], since: Timestamp, in_use: &InUse) -> Result<Dropped, Error> {
        let entry = Entry::decode(full);
        let begin = match &entry {
            Some(Entry::Version { timestamp, .. }) => Timestamp(*timestamp),
            _ => Timestamp::default(),
        };
        if let Some(moment) = in_use.holder(begin, since) {
            return Ok(Dropped::Held(moment));
        }
        match entry {
            Some(Entry::Dropped(tree)) => self.drop_tree_for_good(tree, full),
            Some(Entry::Version { tree, key, .. }) => self.drop_version(tree, &key, full, in_use),
            Some(Entry::Chain(_) | Entry::Deleted(..)) | None => {
                self.tree().release(self.trees.history, full)?;
                Ok(Dropped::Gone)
            }
        }
    }

    /// Destroys a tree, some of its old versions first.
    fn drop_tree_for_good(&self, tree: TreeId, full: &[u8]) -> Result<Dropped, Error> {
        let versions = self.some_versions_of(tree)?;
        for version in &versions {
            self.tree().release(self.trees.history, version)?;
        }
        if !versions.is_empty() {
            return Ok(Dropped::Partly);
        }
        self.tree().destroy(tree)?;
        self.tree().release(self.trees.history, full)?;
        self.dropped.remove(tree);
        self.commits.counts.drop_tree(tree);
        Ok(Dropped::Gone)
    }

    fn some_versions_of(&self, tree: TreeId) -> Result<Vec<Vec<u8>>, Error> {
        // The last number is no tree's: this layer's own rows have it.
        let (from, to) = (
            tree.raw().to_be_bytes(),
            tree.raw().saturating_add(1).to_be_bytes(),
        );
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

    /// Drops a version; and with the last one of a deleted key its tombstone, once everybody sees the deletion. Until then that last one stays, so that somebody comes back.
    fn drop_version(&self, tree: TreeId, key: &[u8], full: &[u8], in_use: &InUse) -> Result<Dropped, Error> {
        let _stripe = self.stripe(tree, key);
        let deleted = self.deleted_since(tree, key)?;
        let is_last = deleted.is_some() && !self.has_other_version(tree, key, full)?;
        if is_last
            && let Some((deleted, _)) = deleted
            && let Some(moment) = in_use.holder(Timestamp::default(), deleted)
        {
            return Ok(Dropped::Held(moment));
        }
        self.tree().release(self.trees.history, full)?;
        if is_last {
            self.tree().release(tree, key)?;
            let in_its_place = deleted.is_some_and(|(_, kept)| kept);
            self.commits.counts.bury(tree, i64::from(in_its_place));
        }
        Ok(Dropped::Gone)
    }

    /// When the deletion committed that is a key's newest version, and whether it was made in its place; `None` when there is none.
    fn deleted_since(&self, tree: TreeId, key: &[u8]) -> Result<Option<(Timestamp, bool)>, Error> {
        let newest = match self.newest_when(tree, key) {
            Ok(newest) => newest,
            // It went with its tree.
            Err(error) => match self.about_tree(tree, error) {
                Error::NoSuchTree => return Ok(None),
                error => return Err(error),
            },
        };
        match newest {
            Some((newest, when)) if newest.header.tombstone => {
                let at = self.committed_at(newest.header.writer, when)?;
                Ok(at.map(|at| (at, newest.header.kept)))
            }
            _ => Ok(None),
        }
    }

    /// Whether the history has a version of a key besides this one.
    fn has_other_version(&self, tree: TreeId, key: &[u8], full: &[u8]) -> Result<bool, Error> {
        let (from, to) = (keys::version(tree, key, u64::MAX), keys::version(tree, key, 0));
        let other = |from: Bound<&[u8]>, to: Bound<&[u8]>| {
            let range = Range {
                from,
                to,
                backward: false,
            };
            let first = self.first_in(self.trees.history, range, |_, _| ())?;
            Ok::<_, Error>(first.is_some())
        };
        Ok(other(Bound::Included(&from), Bound::Excluded(full))?
            || other(Bound::Excluded(full), Bound::Included(&to))?)
    }
}
