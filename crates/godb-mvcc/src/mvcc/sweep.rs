//! The sweep: walks through the history tree, a little at a time, and drops what can go and nobody told of.
//!
//! One begins when the database opens, since the queue of the process before is gone. Where entries are left that cannot go yet and may not be in the queue, there is another one later. How much later
//! weighs the work of looking at everything against the space of what could go already: an eighth of retention, or a second.

use super::MvccEngine;
use super::collect::{BATCH, Dropped};
use super::commits::When;
use super::keys::{self, Entry};
use super::snapshots::InUse;
use super::version::{Header, not_a_version};
use crate::engine::Timestamp;
use crate::error::Error;
use godb_txn::{Range, Transactions, Tree, TreeId, TxnId};
use std::ops::{Bound, ControlFlow};
use std::time::Duration;

/// How far apart sweeps are at least.
const PAUSE: Duration = Duration::from_secs(1);

/// Where the sweep stands.
#[derive(Default)]
pub(super) struct Sweep {
    stage: Stage,
    /// Something was left that could not go yet.
    left_some: bool,
    /// How far collection could go when it began: the frontier and the horizon.
    reach: (Timestamp, Timestamp),
}

enum Stage {
    /// Everything up to this key was looked at.
    Under(Vec<u8>),
    /// It ended then.
    Ended(Duration),
}

impl Default for Stage {
    fn default() -> Self {
        Self::Under(Vec::new())
    }
}

impl<T: Transactions> MvccEngine<T> {
    /// Looks at some entries of the history tree; tells whether the sweep goes on.
    pub(super) fn sweep_some(&self, in_use: &InUse) -> Result<bool, Error> {
        let Some(mut sweep) = self.sweep.try_lock() else {
            return Ok(false);
        };
        let after = match &sweep.stage {
            Stage::Under(after) => after.clone(),
            Stage::Ended(then) => {
                if !self.is_sweep_due(&sweep, *then, in_use) {
                    return Ok(false);
                }
                self.queue.lock().overflowed = false;
                sweep.left_some = false;
                Vec::new()
            }
        };
        if after.is_empty() {
            sweep.reach = reach(in_use);
        }
        let entries = self.entries_after(&after)?;
        let Some((last, ..)) = entries.last() else {
            sweep.stage = Stage::Ended(self.clock.monotonic());
            return Ok(false);
        };
        let last = last.clone();
        for (full, writer, when) in entries {
            match self.superseded_since(&full, writer, when)? {
                Some(since) if since <= in_use.frontier => match self.drop_entry(&full, since, in_use)? {
                    Dropped::Gone => {}
                    Dropped::Partly => return Ok(true),
                    Dropped::Held(_) => sweep.left_some = true,
                },
                _ => sweep.left_some = true,
            }
        }
        sweep.stage = Stage::Under(last);
        Ok(true)
    }

    fn is_sweep_due(&self, sweep: &Sweep, ended: Duration, in_use: &InUse) -> bool {
        let pause = (self.options.retention / 8).max(PAUSE);
        (sweep.left_some || self.queue.lock().overflowed)
            && reach(in_use) != sweep.reach
            && self.clock.monotonic().saturating_sub(ended) >= pause
    }

    /// Some entries that may be garbage, with their writer and when that committed.
    fn entries_after(&self, after: &[u8]) -> Result<Vec<(Vec<u8>, TxnId, When)>, Error> {
        let to = keys::timeline();
        let range = Range {
            from: Bound::Excluded(after),
            to: Bound::Excluded(&to),
            backward: false,
        };
        let mut entries = Vec::new();
        let mut sound = true;
        let mut cursor = self.tree().seek(self.trees.history, range)?;
        let mut more = true;
        while more && sound && entries.len() < BATCH {
            more = self.tree().next(&mut cursor, |key, value| {
                match Header::decode(value.inline) {
                    Some((Header { writer, .. }, _)) => {
                        entries.push((key.to_vec(), writer, self.commits.when(putter(key, writer))));
                    }
                    None => sound = false,
                }
                match sound && entries.len() < BATCH {
                    true => ControlFlow::Continue(()),
                    false => ControlFlow::Break(()),
                }
            })?;
        }
        if sound { Ok(entries) } else { Err(not_a_version()) }
    }

    /// The commit that made an entry unnecessary; `None` while that has not committed.
    fn superseded_since(&self, full: &[u8], writer: TxnId, when: When) -> Result<Option<Timestamp>, Error> {
        let since = match Entry::decode(full) {
            Some(Entry::Dropped(_) | Entry::Chain(_)) => self.committed_at(putter(full, writer), when)?,
            Some(Entry::Version { tree, key, timestamp }) => {
                self.successor(tree, &key, Timestamp(timestamp))?
            }
            Some(Entry::Deleted(..)) | None => return Err(not_a_version()),
        };
        match since {
            None if godb_txn::sync::planted("page-reused-too-early") => Ok(Some(self.snapshots.horizon())),
            since => Ok(since),
        }
    }

    /// When the version after the one of `at` was committed.
    fn successor(&self, tree: TreeId, key: &[u8], at: Timestamp) -> Result<Option<Timestamp>, Error> {
        if let Some(newer) = self.next_newer(tree, key, at)? {
            return Ok(Some(newer));
        }
        let newest = match self.newest_when(tree, key) {
            Ok(newest) => newest,
            // It is left of a tree whose destruction was interrupted.
            Err(error) => match self.about_tree(tree, error) {
                Error::NoSuchTree => return Ok(Some(self.snapshots.horizon())),
                error => return Err(error),
            },
        };
        let Some((newest, when)) = newest else {
            return Ok(None);
        };
        match newest.header.previous {
            // The one that was deleted in its place came after it, and was seen by everybody before that.
            Some(_) if newest.header.kept => Ok(Some(self.snapshots.horizon())),
            Some(previous) if previous == at => self.committed_at(newest.header.writer, when),
            // One that is on its way to the history lies between.
            Some(previous) if previous > at => Ok(Some(previous)),
            // The writer that put it into the history has just taken that back.
            _ => Ok(None),
        }
    }

    /// The timestamp of the version after the one of `at`, where that is in the history too.
    fn next_newer(&self, tree: TreeId, key: &[u8], at: Timestamp) -> Result<Option<Timestamp>, Error> {
        let from = keys::version(tree, key, u64::MAX);
        let to = keys::version(tree, key, at.raw());
        let range = Range {
            from: Bound::Included(&from),
            to: Bound::Excluded(&to),
            backward: true,
        };
        let newer = self.first_in(self.trees.history, range, |full, _| Entry::decode(full))?;
        Ok(match newer.flatten() {
            Some(Entry::Version { timestamp, .. }) => Some(Timestamp(timestamp)),
            _ => None,
        })
    }
}

/// By whose commit an entry that is no version can go: a chain was given up by the transaction in its key, a tree dropped by the one in its header.
fn putter(full: &[u8], writer: TxnId) -> TxnId {
    match Entry::decode(full) {
        Some(Entry::Chain(by)) => by,
        _ => writer,
    }
}

fn reach(in_use: &InUse) -> (Timestamp, Timestamp) {
    (in_use.frontier, in_use.horizon)
}
