//! Writing one key: what may be done about the version that is there, and doing it.

use super::commits::Status;
use super::keys;
use super::shared::{Shared, View};
use super::transaction::MvccTransaction;
use super::version::{Header, Version};
use crate::engine::Timestamp;
use crate::error::Error;
use godb_txn::{Mode, Resource, Transactions, Tree, TreeId, TxnId, Value};

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

impl Decision {
    /// Decides; refuses with [`Error::Conflict`] when a commit that the view does not see wrote it.
    pub(super) fn about<T: Transactions>(
        shared: &Shared<T>,
        view: View,
        newest: Option<Version>,
    ) -> Result<Self, Error> {
        let Some(version) = newest else {
            return Ok(Self::Absent);
        };
        let writer = version.header.writer;
        if view.own == Some(writer) {
            return Ok(Self::Own(version));
        }
        match shared.commits.status(writer) {
            Status::Running => Ok(Self::WaitFor(writer)),
            Status::Committed(at) if at > view.at => Err(Error::Conflict),
            Status::Committed(at) => Ok(Self::Seen(version, at)),
            // When exactly is not known any more, and matters to nobody who can still look: no later than the horizon.
            Status::BelowFloor => Ok(Self::Seen(version, shared.snapshots.horizon())),
        }
    }
}

impl<T: Transactions> MvccTransaction<T> {
    /// Writes a key: `value` gives what to store behind a header, or `None` to delete. Tells whether this transaction saw a value before.
    pub(super) fn write<'v>(
        &mut self,
        by: TxnId,
        tree: TreeId,
        key: &[u8],
        value: impl Fn(Header) -> Option<(Header, Value<'v>)>,
    ) -> Result<bool, Error> {
        let shared = self.shared.clone();
        loop {
            let wait_for = {
                let _stripe = shared.stripe(tree, key);
                if shared.has_explicit(tree)
                    && !shared
                        .below
                        .try_lock(by, Resource::Key(tree, key), Mode::Exclusive)?
                {
                    None
                } else {
                    match Decision::about(&shared, self.view(), shared.newest(tree, key)?)? {
                        Decision::WaitFor(writer) => Some(writer),
                        decision => return self.apply(by, tree, key, decision, value),
                    }
                }
            };
            match wait_for {
                Some(writer) => self.wait_for(by, writer)?,
                None => shared.below.lock(by, Resource::Key(tree, key), Mode::Exclusive)?,
            }
        }
    }

    /// Does it, under the key's stripe.
    fn apply<'v>(
        &mut self,
        by: TxnId,
        tree: TreeId,
        key: &[u8],
        decision: Decision,
        value: impl Fn(Header) -> Option<(Header, Value<'v>)>,
    ) -> Result<bool, Error> {
        let (seen, previous, own) = match &decision {
            Decision::Absent | Decision::WaitFor(_) => (false, None, false),
            Decision::Own(version) => (!version.header.tombstone, version.header.previous, true),
            Decision::Seen(version, at) => (!version.header.tombstone, Some(*at), false),
        };
        let header = Header {
            writer: by,
            tombstone: false,
            previous,
        };
        let new = value(header);
        if new.is_none() && !seen {
            return Ok(false);
        }
        let shared = self.shared.clone();
        let store = shared.tree();
        match new {
            Some((header, value)) => {
                let mut stored = Vec::with_capacity(super::version::MAX_HEADER + value.inline.len());
                header.encode(&mut stored);
                stored.extend_from_slice(value.inline);
                store.put(
                    by,
                    tree,
                    key,
                    Value {
                        inline: &stored,
                        chain: value.chain,
                    },
                )?;
            }
            None if own && previous.is_none() => {
                store.remove(by, tree, key)?;
            }
            None => {
                let mut stored = Vec::with_capacity(super::version::MAX_HEADER);
                Header {
                    tombstone: true,
                    ..header
                }
                .encode(&mut stored);
                store.put(by, tree, key, Value::inline(&stored))?;
            }
        }
        // The old version goes to the history after the new one stands in its place, so that rollback, which goes the other way, puts it
        // back last: as long as anything is left to undo the key shows its writer, and nobody else touches it.
        match decision {
            Decision::Own(version) => self.give_up_chain(by, &version)?,
            Decision::Seen(version, at) => self.move_to_history(by, tree, key, &version, at)?,
            Decision::Absent | Decision::WaitFor(_) => {}
        }
        Ok(seen)
    }

    /// Moves a committed version to the history tree; a chain goes along by its head.
    fn move_to_history(
        &mut self,
        by: TxnId,
        tree: TreeId,
        key: &[u8],
        version: &Version,
        at: Timestamp,
    ) -> Result<(), Error> {
        let full = keys::version(tree, key, at.raw());
        let stored = version.encode();
        let value = Value {
            inline: &stored,
            chain: version.chain,
        };
        self.shared
            .tree()
            .put(by, self.shared.trees.history, &full, value)?;
        self.garbage.push(full);
        Ok(())
    }

    /// A long value of this transaction's own that it replaces itself: nobody else ever saw it.
    fn give_up_chain(&mut self, by: TxnId, version: &Version) -> Result<(), Error> {
        if version.chain.is_some() {
            let full = keys::chain(by, self.chains);
            self.chains += 1;
            let stored = version.encode();
            let value = Value {
                inline: &stored,
                chain: version.chain,
            };
            self.shared
                .tree()
                .put(by, self.shared.trees.history, &full, value)?;
            self.garbage.push(full);
        }
        Ok(())
    }
}
