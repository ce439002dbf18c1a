//! [`Recovered`]: the transactions of a database that has been recovered.

use crate::checkpoint::Checkpoint;
use crate::recoverable::Recoverable;
use crate::resume::Resume;
use crate::undo::roll_back;
use godb_wal::sync::Mutex;
use godb_wal::sync::atomic::{AtomicU64, Ordering};
use godb_wal::{Fault, Lsn, Record, Tree, TxnId, Wal};

/// A logged tree that has been recovered, ready for transactions. Only [`recover()`](crate::recover()) makes one.
pub struct Recovered<W> {
    wal: W,
    next: AtomicU64,
    /// Where the log ended when the last checkpoint was complete. Its own record does not count towards the next.
    counted_from: AtomicU64,
    checkpoint_every: u64,
    /// One checkpoint at a time.
    checkpointing: Mutex<()>,
}

impl<W: Wal> Recovered<W> {
    pub(crate) fn new(wal: W, next: TxnId, checkpoint_began: Lsn, checkpoint_every: u64) -> Self {
        let from = match checkpoint_began == Lsn::default() {
            true => wal.end(),
            false => checkpoint_began,
        };
        Self {
            wal,
            next: AtomicU64::new(next.raw()),
            counted_from: AtomicU64::new(from.raw()),
            checkpoint_every,
            checkpointing: Mutex::new(()),
        }
    }

    /// The log and the tree.
    pub fn wal(&self) -> &W {
        &self.wal
    }

    /// A slice of background work: takes a checkpoint when enough has been logged since the last. Returns whether it did.
    pub fn step(&self, note: &dyn Fn() -> Vec<u8>) -> Result<bool, Fault> {
        let due = self.log_since_checkpoint() >= self.checkpoint_every;
        if due {
            self.checkpoint(note)?;
        }
        Ok(due)
    }

    /// Ends the use of the log: takes back transactions that are still active, writes every page, and tells what to store in the file's header before the log is
    /// removed. Nothing may be changed afterwards.
    pub fn close(&self, note: Vec<u8>) -> Result<Resume, Fault> {
        for active in self.wal.active() {
            roll_back(&self.wal, active.id, Lsn::default())?;
        }
        self.wal.tree().flush()?;
        let end = self.wal.end();
        self.wal.wait_durable(end)?;
        Ok(Resume {
            end,
            next: self.next_id(),
            note,
        })
    }

    fn next_id(&self) -> TxnId {
        TxnId::from_raw(self.next.load(Ordering::Acquire))
    }
}

impl<W: Wal> Recoverable for Recovered<W> {
    type Tree = W::Tree;

    fn tree(&self) -> &W::Tree {
        self.wal.tree()
    }

    fn begin(&self) -> TxnId {
        TxnId::from_raw(self.next.fetch_add(1, Ordering::AcqRel))
    }

    fn mark(&self, by: TxnId) -> Lsn {
        self.wal.last_of(by)
    }

    fn roll_back(&self, by: TxnId, to: Lsn) -> Result<(), Fault> {
        roll_back(&self.wal, by, to)
    }

    fn commit(&self, by: TxnId, note: &[u8]) -> Result<Lsn, Fault> {
        self.wal.append(Record::Commit {
            by,
            previous: Lsn::default(),
            note: note.to_vec(),
        })
    }

    fn acknowledge(&self, commit: Lsn) -> Result<(), Fault> {
        self.wal.acknowledge(commit)
    }

    fn checkpoint(&self, note: &dyn Fn() -> Vec<u8>) -> Result<(), Fault> {
        let _one = self.checkpointing.lock();
        // Pages dirtied long ago would hold the redo point back. Those dirtied while this runs may stay dirty.
        self.wal.tree().flush()?;
        let checkpoint = Checkpoint::gather(&self.wal, || self.next_id(), note);
        checkpoint.take(&self.wal)?;
        self.counted_from.store(self.wal.end().raw(), Ordering::Release);
        Ok(())
    }

    fn log_since_checkpoint(&self) -> u64 {
        let from = self.counted_from.load(Ordering::Acquire);
        self.wal.end().raw().saturating_sub(from)
    }
}
