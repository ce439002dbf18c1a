//! Analysis: who had committed, and who was in the middle of something, when the log ended.

use crate::checkpoint::Checkpoint;
use godb_wal::{ActiveTransaction, Lsn, Record, TxnId};
use std::collections::HashMap;

/// A commit found in the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Committed {
    /// Who.
    pub by: TxnId,
    /// The position of the commit record: its place in commit order.
    pub at: Lsn,
    /// The version layer's bytes.
    pub note: Vec<u8>,
}

/// What is known after reading the log from a checkpoint's beginning up to some record.
#[derive(Debug)]
pub(crate) struct Analysis {
    active: HashMap<TxnId, ActiveTransaction>,
    pub(crate) committed: Vec<Committed>,
    next: u64,
}

impl Analysis {
    /// Starts from what the checkpoint gathered. That may be newer than the first records to be seen; whatever they say about a
    /// transaction is said again, up to the truth, by the records that follow.
    pub(crate) fn from(checkpoint: &Checkpoint) -> Self {
        let active = checkpoint.active.iter().map(|a| (a.id, *a)).collect();
        Self {
            active,
            committed: Vec::new(),
            next: checkpoint.next.raw().max(1),
        }
    }

    /// Takes the next record into account.
    pub(crate) fn see(&mut self, at: Lsn, record: Record) {
        if let Some(by) = record.by() {
            self.next = self.next.max(by.raw() + 1);
        }
        match record {
            Record::Change { by: Some(id), .. } => {
                let fresh = ActiveTransaction {
                    id,
                    first: at,
                    last: at,
                };
                self.active.entry(id).or_insert(fresh).last = at;
            }
            Record::Commit { by, note, .. } => {
                self.active.remove(&by);
                self.committed.push(Committed { by, at, note });
            }
            Record::RolledBack { by } => {
                self.active.remove(&by);
            }
            Record::Change { by: None, .. } | Record::Checkpoint(_) => {}
        }
    }

    /// The next transaction id.
    pub(crate) fn next(&self) -> TxnId {
        TxnId::from_raw(self.next)
    }

    /// Those that neither committed nor were rolled back.
    pub(crate) fn losers(&self) -> Vec<ActiveTransaction> {
        self.active.values().copied().collect()
    }
}
