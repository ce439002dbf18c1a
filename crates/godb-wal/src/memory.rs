//! [`MemoryLog`] and [`MemoryWal`]: the simplest correct log, a list of records.
//!
//! This is the specification of [`Wal`]: everything the file-level log does with blocks, gates and segments amounts to what the few
//! lines here say. It is durable the moment it is told to be, and a crash is simulated by [cutting](MemoryLog::cut) it.

use crate::active::{ActiveTable, Floors};
use crate::record::{Record, UndoRecord};
use crate::wal::{ActiveTransaction, Wal};
use godb_btree::sync::Mutex;
use godb_btree::{Change, Fault, Journal, Lsn, Room, Tree, TxnId, Undo};
use std::sync::Arc;

/// A log in memory. The position of a record is its number, counted from one.
#[derive(Debug, Default)]
pub struct MemoryLog(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    /// Positions of records that were given back; the list begins behind them.
    dropped: u64,
    records: Vec<Record>,
    active: ActiveTable,
    floors: Floors,
    checkpoint: Lsn,
}

impl State {
    fn end(&self) -> Lsn {
        Lsn::from_raw(self.dropped + self.records.len() as u64 + 1)
    }

    fn get(&self, at: Lsn) -> Option<&Record> {
        let index = at.raw().checked_sub(self.dropped + 1)?;
        self.records.get(usize::try_from(index).ok()?)
    }

    fn append(&mut self, mut record: Record) -> Lsn {
        let at = self.end();
        let last = record.by().map_or(Lsn::default(), |by| self.active.last_of(by));
        match &mut record {
            Record::Change { by, previous, .. } => {
                *previous = last;
                if let Some(by) = *by {
                    self.active.logged(by, at);
                }
            }
            Record::Commit { by, previous, .. } => {
                *previous = last;
                self.active.ended(*by);
            }
            Record::RolledBack { by } => {
                self.active.ended(*by);
            }
            Record::Checkpoint(_) => {}
        }
        self.records.push(record);
        at
    }
}

impl MemoryLog {
    /// An empty log.
    #[must_use]
    pub fn new() -> Arc<Self> {
        Arc::new(Self::default())
    }

    /// What is left of the log after a crash that loses every record at or behind `at`. The last completed checkpoint survives if its record does.
    #[must_use]
    pub fn cut(&self, at: Lsn) -> Arc<Self> {
        let state = self.0.lock();
        let kept = at.raw().saturating_sub(state.dropped + 1);
        let kept = usize::try_from(kept)
            .unwrap_or(usize::MAX)
            .min(state.records.len());
        let survivor = State {
            dropped: state.dropped,
            records: state.records[..kept].to_vec(),
            checkpoint: if state.checkpoint < at {
                state.checkpoint
            } else {
                Lsn::default()
            },
            ..State::default()
        };
        Arc::new(Self(Mutex::new(survivor)))
    }

    /// Where the next record will go.
    pub fn end(&self) -> Lsn {
        self.0.lock().end()
    }
}

impl Journal for MemoryLog {
    fn reserve(&self, bytes: usize) -> Result<Room<'_>, Fault> {
        let mut state = self.0.lock();
        let floor = state.end();
        state.floors.open(floor);
        Ok(Room::new(self, floor, bytes))
    }

    fn append(&self, _floor: Lsn, change: &Change<'_>) -> Lsn {
        let pages = change.pages.iter().map(|(id, bytes)| (*id, bytes.to_vec()));
        let undo = match change.undo {
            Undo::Never => UndoRecord::Never,
            Undo::Logical(bytes) | Undo::Run(bytes, _) => UndoRecord::Logical(bytes.to_vec()),
            Undo::Compensates(resume) => UndoRecord::Compensates(resume),
        };
        let record = Record::Change {
            by: change.by,
            previous: Lsn::default(),
            pages: pages.collect(),
            undo,
        };
        self.0.lock().append(record)
    }

    fn close(&self, floor: Lsn, _unused: usize) {
        self.0.lock().floors.close(floor);
    }
}

/// A tree and the [`MemoryLog`] that it journals into.
pub struct MemoryWal<T> {
    log: Arc<MemoryLog>,
    tree: T,
}

impl<T: Tree> MemoryWal<T> {
    /// Puts the two together. `tree` must journal into `log`.
    pub fn new(log: Arc<MemoryLog>, tree: T) -> Self {
        Self { log, tree }
    }

    /// The log, for tests that cut it.
    pub fn log(&self) -> &Arc<MemoryLog> {
        &self.log
    }
}

impl<T: Tree> Wal for MemoryWal<T> {
    type Tree = T;

    fn tree(&self) -> &T {
        &self.tree
    }

    fn append(&self, record: Record) -> Result<Lsn, Fault> {
        Ok(self.log.0.lock().append(record))
    }

    fn acknowledge(&self, _upto: Lsn) -> Result<(), Fault> {
        Ok(())
    }

    fn wait_durable(&self, _upto: Lsn) -> Result<(), Fault> {
        Ok(())
    }

    fn read(&self, from: Lsn) -> impl Iterator<Item = Result<(Lsn, Record), Fault>> + Send {
        let dropped = self.log.0.lock().dropped;
        let first = from.raw().max(dropped + 1);
        (first..).map_while(move |raw| {
            let at = Lsn::from_raw(raw);
            let record = self.log.0.lock().get(at).cloned();
            record.map(|record| Ok((at, record)))
        })
    }

    fn end(&self) -> Lsn {
        self.log.end()
    }

    fn last_of(&self, by: TxnId) -> Lsn {
        self.log.0.lock().active.last_of(by)
    }

    fn active(&self) -> Vec<ActiveTransaction> {
        self.log.0.lock().active.list()
    }

    fn adopt(&self, found: ActiveTransaction) {
        self.log.0.lock().active.adopt(found);
    }

    fn floor(&self) -> Lsn {
        let state = self.log.0.lock();
        state.floors.oldest().unwrap_or_else(|| state.end())
    }

    fn last_checkpoint(&self) -> Lsn {
        self.log.0.lock().checkpoint
    }

    fn checkpointed(&self, checkpoint: Lsn, keep: Lsn) -> Result<(), Fault> {
        let mut state = self.log.0.lock();
        state.checkpoint = checkpoint;
        let dropped = keep.raw().saturating_sub(state.dropped + 1);
        let dropped = usize::try_from(dropped)
            .unwrap_or(usize::MAX)
            .min(state.records.len());
        state.records.drain(..dropped);
        state.dropped += dropped as u64;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn floors_hold_while_a_reservation_lives() {
        let log = MemoryLog::new();
        let record = |by| Record::Commit {
            by: TxnId::from_raw(by),
            previous: Lsn::default(),
            note: Vec::new(),
        };
        log.0.lock().append(record(1));
        let floor = log.end();
        let room = log.reserve(10).unwrap();
        log.0.lock().append(record(2));
        assert_eq!(log.0.lock().floors.oldest(), Some(floor));
        drop(room);
        assert_eq!(log.0.lock().floors.oldest(), None);
    }
}
