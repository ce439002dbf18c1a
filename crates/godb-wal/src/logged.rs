//! [`LoggedTree`]: a tree and the log in files that it journals into.

use crate::log::Log;
use crate::record::Record;
use crate::wal::{ActiveTransaction, Wal};
use godb_btree::{Fault, Lsn, Tree, TxnId};
use std::sync::Arc;

/// A tree together with the [`Log`] that was given to it as its journal.
pub struct LoggedTree<T> {
    log: Arc<Log>,
    tree: T,
}

impl<T: Tree> LoggedTree<T> {
    /// Puts the two together. `tree` must journal into `log`.
    pub fn new(log: Arc<Log>, tree: T) -> Self {
        Self { log, tree }
    }

    /// The log, for its background [`step`](Log::step) and its [`close`](Log::close).
    pub fn log(&self) -> &Arc<Log> {
        &self.log
    }
}

impl<T: Tree> Wal for LoggedTree<T> {
    type Tree = T;

    fn tree(&self) -> &T {
        &self.tree
    }

    fn append(&self, record: Record) -> Result<Lsn, Fault> {
        self.log.append_record(&record)
    }

    fn acknowledge(&self, upto: Lsn) -> Result<(), Fault> {
        self.log.acknowledge(upto)
    }

    fn wait_durable(&self, upto: Lsn) -> Result<(), Fault> {
        self.log.wait_synced(upto)
    }

    fn read(&self, from: Lsn) -> impl Iterator<Item = Result<(Lsn, Record), Fault>> + Send {
        self.log.records(from)
    }

    fn end(&self) -> Lsn {
        self.log.end()
    }

    fn last_of(&self, by: TxnId) -> Lsn {
        self.log.last_of(by)
    }

    fn active(&self) -> Vec<ActiveTransaction> {
        self.log.active()
    }

    fn adopt(&self, found: ActiveTransaction) {
        self.log.adopt(found);
    }

    fn floor(&self) -> Lsn {
        self.log.floor()
    }

    fn last_checkpoint(&self) -> Lsn {
        self.log.last_checkpoint()
    }

    fn checkpointed(&self, checkpoint: Lsn, keep: Lsn) -> Result<(), Fault> {
        self.log.checkpointed(checkpoint, keep)
    }
}
