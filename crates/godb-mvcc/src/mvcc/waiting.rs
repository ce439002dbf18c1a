//! Waiting for a row, and keeping others off one without writing it.
//!
//! A row that was written names its writer, so whoever wants it knows for whose end to wait. He *stands in line* meanwhile: he holds a lock on the key, so that those who
//! come later wait behind him and do not take the row before his eyes when it is free. Once anybody has locked keys in a tree, writers there ask the lock manager too.

use super::MvccEngine;
use super::transaction::{MvccTransaction, Writes};
use super::write::{Decision, New};
use crate::engine::Strength;
use crate::error::Error;
use godb_txn::{Mode, Resource, Transactions, TreeId, TxnId};

impl<T: Transactions> MvccTransaction<T> {
    /// Writes a key as soon as that may be done. Tells whether there was a value before.
    pub(super) fn write(
        &self,
        writes: &mut Writes,
        by: TxnId,
        tree: TreeId,
        key: &[u8],
        new: New<'_>,
    ) -> Result<bool, Error> {
        let was_there = self.write_uncounted(writes, by, tree, key, new)?;
        match (was_there, new) {
            (false, New::Put(_)) => writes.difference.add(tree, 1),
            (true, New::Delete) => writes.difference.add(tree, -1),
            (true, New::Put(_)) | (false, New::Delete) => {}
        }
        Ok(was_there)
    }

    fn write_uncounted(
        &self,
        writes: &mut Writes,
        by: TxnId,
        tree: TreeId,
        key: &[u8],
        new: New<'_>,
    ) -> Result<bool, Error> {
        let engine = self.engine();
        if matches!(new, New::Delete)
            && let Some(was_there) = engine.delete_in_place(writes, by, tree, key)?
        {
            return Ok(was_there);
        }
        if let New::Put(value) = new
            && engine.put_if_new(by, (tree, key), value)?
        {
            return Ok(false);
        }
        loop {
            let writer = {
                let _stripe = engine.stripe(tree, key);
                match engine.decide(self.view(), tree, key)? {
                    Decision::WaitFor(writer) => Some(writer),
                    // A row of one's own is nobody else's to lock: whoever has locked its key stands in line for it.
                    decision @ Decision::Own(_) => {
                        let decision = engine.forget_old(tree, decision, new, writes);
                        return engine.apply(by, (tree, key), &decision, new, writes);
                    }
                    _ if !engine.may_write(by, tree, key)? => None,
                    decision => {
                        let decision = engine.forget_old(tree, decision, new, writes);
                        return engine.apply(by, (tree, key), &decision, new, writes);
                    }
                }
            };
            self.lock_explicitly(writes, by, tree, key, Mode::Exclusive)?;
            if let Some(writer) = writer {
                self.wait_for(by, writer)?;
            }
        }
    }

    /// Keeps others from changing a key, after waiting for those who have; refuses like a write when it is not as seen.
    pub(super) fn lock_key(
        &self,
        writes: &mut Writes,
        by: TxnId,
        tree: TreeId,
        key: &[u8],
        strength: Strength,
    ) -> Result<(), Error> {
        let mode = mode_of(strength);
        let engine = self.engine();
        if let Decision::Own(_) = engine.decide(self.view(), tree, key)? {
            return Ok(());
        }
        self.lock_explicitly(writes, by, tree, key, mode)?;
        loop {
            let decision = {
                let _stripe = engine.stripe(tree, key);
                engine.decide(self.view(), tree, key)?
            };
            match decision {
                Decision::WaitFor(writer) => self.wait_for(by, writer)?,
                _ => return Ok(()),
            }
        }
    }

    /// The same without waiting; tells whether it is locked.
    pub(super) fn try_lock_key(
        &self,
        writes: &mut Writes,
        by: TxnId,
        tree: TreeId,
        key: &[u8],
        strength: Strength,
    ) -> Result<bool, Error> {
        let engine = self.engine();
        match engine.decide(self.view(), tree, key)? {
            Decision::Own(_) => return Ok(true),
            Decision::WaitFor(_) => return Ok(false),
            Decision::Absent | Decision::Seen(..) => {}
        }
        if writes.explicit.insert(tree) {
            engine.claims.begin_explicit(tree);
        }
        // The key first: from then on nobody else begins to write it, so what is found afterwards holds.
        if !engine
            .below
            .try_lock(by, Resource::Key(tree, key), mode_of(strength))?
        {
            return Ok(false);
        }
        let _stripe = engine.stripe(tree, key);
        let decision = engine.decide(self.view(), tree, key)?;
        Ok(!matches!(decision, Decision::WaitFor(_)))
    }

    /// Takes a lock on the key itself, which writers of the tree mind from now on.
    fn lock_explicitly(
        &self,
        writes: &mut Writes,
        by: TxnId,
        tree: TreeId,
        key: &[u8],
        mode: Mode,
    ) -> Result<(), Error> {
        let engine = self.engine();
        if writes.explicit.insert(tree) {
            engine.claims.begin_explicit(tree);
        }
        let key = Resource::Key(tree, key);
        Ok(engine.below.lock_patiently(by, key, mode, &self.patience)?)
    }

    /// Waits until a transaction has ended.
    fn wait_for(&self, by: TxnId, writer: TxnId) -> Result<(), Error> {
        let (below, writer) = (&self.engine().below, Resource::Transaction(writer));
        Ok(below.lock_patiently(by, writer, Mode::Shared, &self.patience)?)
    }
}

/// Gray's modes exclude each other as the strengths of row locks do: an intention to share stands for sharing the key alone.
fn mode_of(strength: Strength) -> Mode {
    match strength {
        Strength::SharedKey => Mode::IntentShared,
        Strength::Shared => Mode::Shared,
        Strength::ExclusiveButKey => Mode::SharedIntentExclusive,
        Strength::Exclusive => Mode::Exclusive,
    }
}

impl<T: Transactions> MvccEngine<T> {
    /// Whether nobody else has locked a key. If keys of its tree are locked at all, it is from now on.
    fn may_write(&self, by: TxnId, tree: TreeId, key: &[u8]) -> Result<bool, Error> {
        Ok(!self.claims.has_explicit(tree)
            || self
                .below
                .try_lock(by, Resource::Key(tree, key), Mode::Exclusive)?)
    }
}
