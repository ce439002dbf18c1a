//! Reading one key, and what a serializable transaction leaves behind of what it reads and writes.

use super::reading::{Glance, glance};
use super::ssi::Extent;
use super::transaction::MvccTransaction;
use crate::error::Error;
use godb_txn::{Transactions, Tree, TreeId, TxnId, Value};

impl<T: Transactions> MvccTransaction<T> {
    /// Shows the value of a key.
    #[inline]
    pub(super) fn look_up(
        &self,
        tree: TreeId,
        key: &[u8],
        show: &mut dyn FnMut(&[u8]),
    ) -> Result<bool, Error> {
        self.check_readable(tree)?;
        let (engine, view) = (self.engine(), self.view());
        let look = |value: Value<'_>| glance(value, |writer| engine.sight(view, writer), &mut *show);
        let found = engine.tree().get(tree, key, look);
        let found = found.map_err(|fault| engine.about_tree(tree, fault.into()))?;
        let version = match found.transpose()? {
            None | Some(Glance::Absent) => return Ok(false),
            Some(Glance::Shown(())) => return Ok(true),
            Some(Glance::Older(previous)) => engine.older(view, tree, key, previous)?,
            Some(Glance::Long(head, chain)) => {
                show(&engine.whole(head, Some(chain))?);
                return Ok(true);
            }
            Some(Glance::Unsure(_)) => engine.visible(view, tree, key)?,
        };
        let Some(version) = version else { return Ok(false) };
        show(&engine.whole(version.bytes, version.chain)?);
        Ok(true)
    }

    /// Leaves a mark on what is read, in a serializable transaction.
    #[inline]
    pub(super) fn mark_read(&self, tree: TreeId, extent: Extent<'_>) -> Result<(), Error> {
        match &self.ticket {
            Some(ticket) => self.engine().serial.read(ticket, tree, extent),
            None => Ok(()),
        }
    }

    /// Leaves a mark on what is written, in a serializable transaction.
    #[inline]
    pub(super) fn mark_write(&self, by: TxnId, tree: TreeId, extent: Extent<'_>) -> Result<(), Error> {
        match &self.ticket {
            Some(ticket) => self.engine().serial.write(ticket, by, tree, extent),
            None => Ok(()),
        }
    }

    /// It has ended without a commit that changed anything. What one that only reads has read is known outside, however it ends.
    pub(super) fn stop_watching(&mut self, committed: bool) {
        if let Some(ticket) = self.ticket.take() {
            let kept = committed || self.how.read_only;
            self.engine().serial.ended_unchanged(&ticket, kept);
        }
    }
}
