//! Collection: dropping what no snapshot can see any more.
//!
//! Each commit tells which history entries it superseded; when the horizon has passed it, they go, the oldest first. What a crash or a restart made
//! forget is found by a slow sweep over the history tree, which begins when the database opens. With the last old version of a
//! deleted key its tombstone goes too.

use super::commits::Status;
use super::keys::{self, Entry};
use super::shared::{Garbage, Shared, View};
use super::version::Header;
use crate::engine::Timestamp;
use crate::error::Error;
use godb_txn::{Range, Transactions, Tree, TreeId, TxnId};
use std::ops::{Bound, ControlFlow};

/// How many entries are looked at in one call.
const BATCH: usize = 256;

/// Where the sweep after opening stands.
#[derive(Default)]
pub(super) struct Sweep {
    /// The last key looked at.
    after: Vec<u8>,
    /// The whole tree was looked at.
    done: bool,
}

impl<T: Transactions> Shared<T> {
    /// The newest commit that retention does not ask for.
    fn retained_from(&self) -> Option<Timestamp> {
        let kept = i64::try_from(self.options.retention.as_micros()).unwrap_or(i64::MAX);
        if kept == 0 {
            return None;
        }
        // What was the state at the beginning of the retained time is still needed, hence the commit before it.
        let from = self.clock.wall_micros().saturating_sub(kept);
        Some(
            self.commits
                .before_wall(from)
                .unwrap_or_else(|| self.snapshots.horizon()),
        )
    }

    /// Drops what can go, up to a bounded amount; tells whether there is more.
    pub(super) fn collect(&self) -> Result<bool, Error> {
        let horizon = self.snapshots.advance(self.retained_from());
        self.sweep_some()?;
        let ready = self.take_ready(horizon);
        let more = ready.len() == BATCH;
        if !ready.is_empty() {
            self.drop_entries(ready, horizon)?;
        }
        self.commits.forget_before(horizon);
        Ok(more || !self.sweep.lock().done)
    }

    /// Entries whose successor is behind the horizon.
    fn take_ready(&self, horizon: Timestamp) -> Vec<Garbage> {
        let mut queue = self.garbage.lock();
        let mut ready = Vec::new();
        while ready.len() < BATCH
            && let Some(garbage) = queue.pop_front_if(|garbage| garbage.since <= horizon)
        {
            ready.push(garbage);
        }
        ready
    }

    fn drop_entries(&self, entries: Vec<Garbage>, horizon: Timestamp) -> Result<(), Error> {
        let by = self.commits.begin(|| self.below.begin());
        let result = entries
            .into_iter()
            .try_for_each(|garbage| self.drop_entry(by, &garbage.key, horizon));
        let ended = match &result {
            Ok(()) => self.below.commit(by).map(|at| at.raw() != 0),
            Err(_) => self.below.roll_back(by).map(|()| false),
        };
        if !ended? {
            self.commits.rolled_back(by);
        }
        result
    }

    fn drop_entry(&self, by: TxnId, full: &[u8], horizon: Timestamp) -> Result<(), Error> {
        match Entry::decode(full) {
            Some(Entry::Dropped(tree)) => {
                // The sweep may have told of it a second time.
                if self.tree().get(self.trees.history, full, |_| ())?.is_none() {
                    return Ok(());
                }
                self.drop_history_of(by, tree)?;
                self.tree().destroy(tree)?;
                self.tree().remove(by, self.trees.history, full)?;
            }
            Some(Entry::Chain(_)) => {
                self.tree().release(self.trees.history, full)?;
            }
            Some(Entry::Version { tree, key, .. }) => {
                let has_chain = self
                    .tree()
                    .get(self.trees.history, full, |value| value.chain.is_some())?;
                // It went with its tree.
                let Some(has_chain) = has_chain else { return Ok(()) };
                self.drop_version(by, full, has_chain)?;
                self.drop_tombstone(by, tree, &key, horizon)?;
            }
            None => {}
        }
        Ok(())
    }

    fn drop_version(&self, by: TxnId, full: &[u8], has_chain: bool) -> Result<(), Error> {
        if has_chain {
            self.tree().release(self.trees.history, full)?;
        } else {
            self.tree().remove(by, self.trees.history, full)?;
        }
        Ok(())
    }

    /// Removes every old version of a tree that is about to be destroyed.
    fn drop_history_of(&self, by: TxnId, tree: TreeId) -> Result<(), Error> {
        let (from, to) = (tree.raw().to_be_bytes(), (tree.raw() + 1).to_be_bytes());
        let range = Range {
            from: Bound::Included(&from),
            to: Bound::Excluded(&to),
            backward: false,
        };
        let mut more = true;
        while more {
            let mut entries = Vec::new();
            let mut cursor = self.tree().seek(self.trees.history, range)?;
            more = self.tree().next(&mut cursor, |full, value| {
                entries.push((full.to_vec(), value.chain.is_some()));
                ControlFlow::Continue(())
            })?;
            more |= !entries.is_empty();
            for (full, has_chain) in entries {
                self.drop_version(by, &full, has_chain)?;
            }
        }
        Ok(())
    }

    /// Removes a key whose newest version is a deletion behind the horizon, once no older version is left.
    fn drop_tombstone(&self, by: TxnId, tree: TreeId, key: &[u8], horizon: Timestamp) -> Result<(), Error> {
        let _stripe = self.stripe(tree, key);
        let Some(newest) = self.newest(tree, key)? else {
            return Ok(());
        };
        let view = View {
            own: None,
            at: horizon,
        };
        if newest.header.tombstone
            && self.sees(view, newest.header.writer)
            && !self.has_versions(tree, key)?
        {
            self.tree().remove(by, tree, key)?;
        }
        Ok(())
    }

    /// Whether the history has any version of a key.
    fn has_versions(&self, tree: TreeId, key: &[u8]) -> Result<bool, Error> {
        let prefix = keys::prefix(tree, key);
        let range = Range {
            from: Bound::Included(&prefix),
            to: Bound::Unbounded,
            backward: false,
        };
        let mut found = false;
        let mut cursor = self.tree().seek(self.trees.history, range)?;
        let mut seen_one = false;
        while !seen_one {
            let more = self.tree().next(&mut cursor, |full, _| {
                seen_one = true;
                found = full.starts_with(&prefix);
                ControlFlow::Break(())
            })?;
            if !more {
                break;
            }
        }
        Ok(found)
    }

    /// Looks at some entries of the history tree and puts into the queue what is garbage, with the commit since when.
    fn sweep_some(&self) -> Result<(), Error> {
        let mut sweep = self.sweep.lock();
        if sweep.done {
            return Ok(());
        }
        let entries = self.entries_after(&sweep.after)?;
        let Some((last, _)) = entries.last() else {
            sweep.done = true;
            return Ok(());
        };
        sweep.after.clone_from(last);
        for (key, writer) in entries {
            if let Some(since) = self.superseded_since(&key, writer)? {
                self.garbage.lock().push_front(Garbage { since, key });
            }
        }
        Ok(())
    }

    fn entries_after(&self, after: &[u8]) -> Result<Vec<(Vec<u8>, TxnId)>, Error> {
        let range = Range {
            from: Bound::Excluded(after),
            to: Bound::Unbounded,
            backward: false,
        };
        let mut cursor = self.tree().seek(self.trees.history, range)?;
        let mut entries = Vec::new();
        let mut more = true;
        while more && entries.len() < BATCH {
            more = self.tree().next(&mut cursor, |key, value| {
                let writer =
                    Header::decode(value.inline).map_or(TxnId::default(), |(header, _)| header.writer);
                entries.push((key.to_vec(), writer));
                if entries.len() < BATCH {
                    ControlFlow::Continue(())
                } else {
                    ControlFlow::Break(())
                }
            })?;
        }
        Ok(entries)
    }

    /// The commit that made an entry unnecessary; `None` while that has not committed.
    fn superseded_since(&self, full: &[u8], writer: TxnId) -> Result<Option<Timestamp>, Error> {
        let of = |writer| match self.commits.status(writer) {
            Status::Running => None,
            Status::Committed(at) => Some(at),
            Status::BelowFloor => Some(self.snapshots.horizon()),
        };
        match Entry::decode(full) {
            Some(Entry::Dropped(_)) => Ok(of(writer)),
            Some(Entry::Chain(by)) => Ok(of(by)),
            Some(Entry::Version { tree, key, timestamp }) => match self.next_newer(tree, &key, timestamp)? {
                Some(newer) => Ok(Some(newer)),
                // A writer may have taken its change back since the entry was read: then nothing has superseded it.
                None => Ok(self
                    .newest(tree, &key)?
                    .filter(|newest| newest.header.writer != writer)
                    .and_then(|newest| of(newest.header.writer))),
            },
            None => Ok(None),
        }
    }

    /// The timestamp of the version after the one at `timestamp`, where that is in the history too.
    fn next_newer(&self, tree: TreeId, key: &[u8], timestamp: u64) -> Result<Option<Timestamp>, Error> {
        let (from, to) = (keys::prefix(tree, key), keys::version(tree, key, timestamp));
        let range = Range {
            from: Bound::Included(&from),
            to: Bound::Excluded(&to),
            backward: true,
        };
        let mut cursor = self.tree().seek(self.trees.history, range)?;
        let mut newer = None;
        while newer.is_none() {
            let more = self.tree().next(&mut cursor, |full, _| {
                if let Some(Entry::Version { timestamp, .. }) = Entry::decode(full) {
                    newer = Some(Timestamp(timestamp));
                }
                ControlFlow::Break(())
            })?;
            if !more {
                break;
            }
        }
        Ok(newer)
    }
}
