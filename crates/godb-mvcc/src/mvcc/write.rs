//! Writing one key: what may be done about the version that is there, and doing it.
//!
//! The new version is put in its place first and the old one into the history then; rollback goes the other way. So as long as anything is left to do or to undo, the row in its place
//! shows its writer, nobody else touches the key, and a reader who misses the old version knows that it is on its way.

use super::counts::dead;
use super::keys;
use super::reading::View;
use super::transaction::Writes;
use super::version::{Header, MAX_HEADER, Version};
use super::{MvccEngine, Timestamp};
use crate::error::Error;
use godb_txn::sync::atomic::Ordering;
use godb_txn::sync::planted;
use godb_txn::{Transactions, Tree, TreeId, TxnId, Value};

/// What the newest version of a key means for somebody who wants to write it.
pub(super) enum Decision {
    /// There is none.
    Absent,
    /// It is the writer's own.
    Own(Version),
    /// It was committed, at this time, and the writer sees it.
    Seen(Version, Timestamp),
    /// A running transaction wrote it.
    WaitFor(TxnId),
}

/// What is to be stored under a key.
#[derive(Clone, Copy)]
pub(super) enum New<'a> {
    /// A value.
    Put(Value<'a>),
    /// Nothing.
    Delete,
}

/// How many leftovers a transaction remembers; the sweep finds the rest. So what a transaction takes in memory does not grow with what it writes.
const REMEMBERED: usize = if cfg!(test) { 20 } else { 4096 };

/// Entries of the history tree that a transaction's commit makes unnecessary, sooner or later.
#[derive(Default)]
pub(super) struct Leftovers {
    pub(super) keys: Vec<Vec<u8>>,
    /// There are more.
    pub(super) more: bool,
    /// Chains that were given up, for numbering them.
    chains: u32,
}

impl Leftovers {
    /// One that the sweep or the walk would find, too.
    pub(super) fn add(&mut self, key: Vec<u8>) {
        match self.keys.len() < REMEMBERED {
            true => self.keys.push(key),
            false => self.more = true,
        }
    }

    /// One that goes with the commit, and must be heard of.
    pub(super) fn add_surely(&mut self, key: Vec<u8>) {
        self.keys.push(key);
    }
}

/// A value that nothing was before, as it is stored.
fn first_version(by: TxnId, value: &[u8]) -> Vec<u8> {
    let header = Header {
        writer: by,
        tombstone: false,
        kept: false,
        previous: None,
    };
    let mut stored = Vec::with_capacity(MAX_HEADER + value.len());
    header.encode(&mut stored);
    stored.extend_from_slice(value);
    stored
}

impl Decision {
    /// Whether something must be kept when the version is replaced.
    fn leaves_something(&self) -> bool {
        match self {
            Self::Seen(..) => true,
            Self::Own(version) => version.chain.is_some() || version.header.kept,
            Self::Absent | Self::WaitFor(_) => false,
        }
    }
}

impl<T: Transactions> MvccEngine<T> {
    /// Decides what the newest version of a key means for `view`; refuses with [`Error::Conflict`] when a commit that it does not see wrote it.
    pub(super) fn decide(&self, view: View, tree: TreeId, key: &[u8]) -> Result<Decision, Error> {
        let Some((version, when)) = self.newest_when(tree, key)? else {
            return Ok(Decision::Absent);
        };
        let writer = version.header.writer;
        if view.own == writer {
            return Ok(Decision::Own(version));
        }
        let Some(at) = self.committed_at(writer, when)? else {
            return Ok(match planted("writer-not-awaited") {
                true => Decision::Seen(version, view.at),
                false => Decision::WaitFor(writer),
            });
        };
        if at > view.at && !planted("second-updater-wins") {
            return Err(Error::Conflict);
        }
        Ok(Decision::Seen(version, at))
    }

    /// The moment to name for the value of a row that was deleted in its place: everybody who looks saw it by then, and it lies before the deletion.
    fn moment_of_kept(&self, decision: &Decision) -> Option<Timestamp> {
        let horizon = self.snapshots.horizon();
        match decision {
            Decision::Seen(version, at) if version.header.kept => {
                Some(horizon.min(Timestamp(at.raw().saturating_sub(1))))
            }
            Decision::Own(version) if version.header.kept => Some(horizon),
            _ => None,
        }
    }

    /// Writes a key about which was decided, under its stripe. All or nothing: when it fails, what was begun is taken back at once, so that readers find every
    /// version however long the transaction stays open. Tells whether there was a value before.
    pub(super) fn apply(
        &self,
        by: TxnId,
        (tree, key): (TreeId, &[u8]),
        decision: &Decision,
        new: New<'_>,
        writes: &mut Writes,
    ) -> Result<bool, Error> {
        if matches!(decision, Decision::Absent) && self.meets_rows.load(Ordering::Relaxed) {
            self.meets_rows.store(false, Ordering::Relaxed);
        }
        let seen = match decision {
            Decision::Absent | Decision::WaitFor(_) => false,
            Decision::Own(version) | Decision::Seen(version, _) => !version.header.tombstone,
        };
        if matches!(new, New::Delete) && !seen {
            return Ok(false);
        }
        let mark = decision.leaves_something().then(|| self.below.savepoint(by));
        let kept_at = self.moment_of_kept(decision);
        self.put_in_place(by, (tree, key), decision, kept_at, new)?;
        if let Some(mark) = mark
            && let Err(error) = self.keep_old(by, (tree, key), decision, kept_at, &mut writes.left)
        {
            self.below.roll_back_to(by, mark)?;
            return Err(error);
        }
        if kept_at.is_some() {
            writes.difference.add(dead(tree), -1);
        }
        Ok(seen)
    }

    /// Puts the first version of a key in one go, without a look beforehand. `false` when the key is there, when it mostly was of late, or when others may have locked it: then it
    /// is for [`decide`](Self::decide).
    pub(super) fn put_if_new(
        &self,
        by: TxnId,
        (tree, key): (TreeId, &[u8]),
        value: Value<'_>,
    ) -> Result<bool, Error> {
        if self.meets_rows.load(Ordering::Relaxed) {
            return Ok(false);
        }
        let _stripe = self.stripe(tree, key);
        if self.claims.has_explicit(tree) {
            return Ok(false);
        }
        let stored = first_version(by, value.inline);
        let value = Value {
            inline: &stored,
            chain: value.chain,
        };
        let is_new = self.tree().put_new(by, tree, key, value)?;
        if !is_new {
            self.meets_rows.store(true, Ordering::Relaxed);
        }
        Ok(is_new)
    }

    fn put_in_place(
        &self,
        by: TxnId,
        (tree, key): (TreeId, &[u8]),
        decision: &Decision,
        kept_at: Option<Timestamp>,
        new: New<'_>,
    ) -> Result<(), Error> {
        let previous = match decision {
            Decision::Absent | Decision::WaitFor(_) => None,
            Decision::Own(version) => kept_at.or(version.header.previous),
            Decision::Seen(_, at) => Some(*at),
        };
        let value = match new {
            New::Put(value) => value,
            New::Delete if previous.is_none() => {
                // Made and deleted by the same transaction: it never was.
                self.tree().remove(by, tree, key)?;
                return Ok(());
            }
            New::Delete => Value::inline(b""),
        };
        let header = Header {
            writer: by,
            tombstone: matches!(new, New::Delete),
            kept: false,
            previous,
        };
        let mut stored = Vec::with_capacity(MAX_HEADER + value.inline.len());
        header.encode(&mut stored);
        stored.extend_from_slice(value.inline);
        let value = Value {
            inline: &stored,
            chain: value.chain,
        };
        Ok(self.tree().put(by, tree, key, value)?)
    }

    /// Keeps what was replaced: a committed version for those who see it, a value that was deleted in its place likewise, a chain of the writer's own until it can be freed.
    fn keep_old(
        &self,
        by: TxnId,
        (tree, key): (TreeId, &[u8]),
        decision: &Decision,
        kept_at: Option<Timestamp>,
        left: &mut Leftovers,
    ) -> Result<(), Error> {
        let keep = |full: &[u8], version: &Version| {
            let stored = version.encode();
            let value = Value {
                inline: &stored,
                chain: version.chain,
            };
            self.tree().put(by, self.trees.history, full, value)
        };
        left.chains += u32::from(matches!((decision, kept_at), (Decision::Own(_), None)));
        let chain = keys::chain(by, left.chains);
        let mut add = |full: Vec<u8>, version: &Version| {
            keep(&full, version)?;
            left.add(full);
            Ok::<_, Error>(())
        };
        let at = |moment: Timestamp| keys::version(tree, key, moment.raw());
        match (decision, kept_at) {
            (Decision::Seen(version, deleted), Some(kept_at)) => {
                add(at(*deleted), &version.tombstone_after(kept_at))?;
                add(at(kept_at), &version.clone().undeleted())
            }
            (Decision::Own(version), Some(kept_at)) => add(at(kept_at), &version.clone().undeleted()),
            (Decision::Seen(version, committed), None) => add(at(*committed), version),
            (Decision::Own(version), None) => add(chain, version),
            (Decision::Absent | Decision::WaitFor(_), _) => Ok(()),
        }
    }
}
