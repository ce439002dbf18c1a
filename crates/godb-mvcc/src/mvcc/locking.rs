//! Without versions: strict two-phase locking (Eswaran, Gray, Lorie and Traiger, 1976), for those who want no history and would rather wait.
//!
//! The same trees, pages and rows as with versions, so that a database can be opened either way. What is different:
//!
//! - Whoever reads a key locks it shared until its transaction ends, whether it is there or not; a scan locks its range, a number of rows the table. Whoever writes a key locks it exclusively. So
//!   nobody can come between, and every isolation level is serializable: the weaker ones allow more than they get.
//! - What is locked is read as it lies there: there is no snapshot to compare with, and no conflict; there are waits, and deadlocks.
//! - A version that is replaced goes nowhere, and a deleted row is removed. Undo is all that remembers them. Only a long value that is given up waits in the history for its chain to be freed, and versions that
//!   an earlier session with versions left there are swept like any other.
//!
//! A statement cannot read the past, and a retention is refused.

use super::counts::dead;
use super::transaction::{MvccTransaction, Writes};
use super::write::{Decision, New};
use super::{MvccEngine, Timestamp};
use crate::engine::Begin;
use crate::error::Error;
use godb_txn::{Mode, Range, Resource, Transactions, TreeId, TxnId};
use std::ops::Bound;

/// The moment at which one looks who has locked what it looks at: after every commit.
pub(super) const NOW: Timestamp = Timestamp(u64::MAX);

impl<T: Transactions> MvccTransaction<T> {
    /// Locks a key that is read, where there are no versions.
    pub(super) fn lock_to_read(&self, tree: TreeId, key: &[u8]) -> Result<(), Error> {
        self.lock_all(Resource::Key(tree, key), Mode::Shared)
    }

    /// Locks a range that is read.
    pub(super) fn lock_to_scan(&self, tree: TreeId, range: Range<'_>) -> Result<(), Error> {
        if self.engine().keeps_versions() {
            return Ok(());
        }
        let from = match range.from {
            Bound::Unbounded => Vec::new(),
            Bound::Included(key) => key.to_vec(),
            Bound::Excluded(key) => next(key),
        };
        let to = match range.to {
            Bound::Unbounded => None,
            Bound::Included(key) => Some(next(key)),
            Bound::Excluded(key) => Some(key.to_vec()),
        };
        if to.as_ref().is_some_and(|to| *to <= from) {
            return Ok(());
        }
        self.lock_all(Resource::KeyRange(tree, &from, to.as_deref()), Mode::Shared)
    }

    /// Locks all that is in a tree.
    pub(super) fn lock_to_count(&self, tree: TreeId, mode: Mode) -> Result<(), Error> {
        self.lock_all(Resource::Table(tree), mode)
    }

    fn lock_all(&self, what: Resource<'_>, mode: Mode) -> Result<(), Error> {
        let engine = self.engine();
        let Some(by) = self.writer().filter(|_| !engine.keeps_versions()) else {
            return Ok(());
        };
        let locked = engine
            .below
            .lock_patiently(by, what, mode, &self.patience)
            .map_err(Error::from);
        locked.inspect_err(|error| self.note_failure(error))
    }
}

impl<T: Transactions> MvccEngine<T> {
    /// A new transaction's id.
    pub(super) fn give_id(&self, how: Begin) -> TxnId {
        self.below.finish_rollbacks();
        self.commits.begin(|| match how.first_try {
            Some(first) => self.below.begin_again(first),
            None => self.below.begin(),
        })
    }

    /// Whether writers keep old versions.
    pub(super) fn keeps_versions(&self) -> bool {
        self.options.versions
    }

    /// Without versions a row that is written over is taken for the writer's own: nobody else will look for what it was.
    pub(super) fn forget_old(
        &self,
        tree: TreeId,
        decision: Decision,
        new: New<'_>,
        writes: &mut Writes,
    ) -> Decision {
        match decision {
            Decision::Seen(mut version, _) | Decision::Own(mut version) if !self.keeps_versions() => {
                // It was deleted in its place when there were versions, and goes now.
                if version.header.kept && matches!(new, New::Put(_)) {
                    writes.difference.add(dead(tree), -1);
                }
                version.header.kept = false;
                version.header.previous = None;
                Decision::Own(version)
            }
            decision => decision,
        }
    }
}

/// The first key behind another.
fn next(key: &[u8]) -> Vec<u8> {
    [key, &[0]].concat()
}
