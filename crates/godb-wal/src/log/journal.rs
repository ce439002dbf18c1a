//! Getting records into the log: reservations, and the tree's and the pool's side of the log.

use super::Log;
use crate::codec::{Entry, MAX_BODY};
use crate::ledger::Tail;
use crate::record::Record;
use crate::segments::Trouble;
use crate::wal::ActiveTransaction;
use godb_btree::sync::MutexGuard;
use godb_btree::{Change, Fault, Journal, LogBarrier, Lsn, Room, TxnId};

impl Journal for Log {
    fn reserve(&self, bytes: usize) -> Result<Room<'_>, Fault> {
        let mut tail = self.admit(bytes, true)?;
        if cfg!(godb_plant = "room-after-look") {
            drop(tail);
            tail = self.ledger.tail.lock();
        }
        debug_assert!(
            tail.space.fits_buffer(tail.buffer.len(), bytes),
            "room is granted once"
        );
        let floor = tail.open(bytes, false);
        drop(tail);
        Ok(Room::new(self, floor, bytes))
    }

    fn reserve_undo(&self, bytes: usize) -> Result<Room<'_>, Fault> {
        let floor = self.admit(bytes, false)?.open(bytes, true);
        Ok(Room::new(&self.undo, floor, bytes))
    }

    fn append(&self, _floor: Lsn, change: &Change<'_>) -> Lsn {
        self.ledger.append_forward(change)
    }

    fn close(&self, floor: Lsn, unused: usize) {
        self.ledger.close_forward(floor, unused);
    }
}

impl LogBarrier for Log {
    /// In [`SyncMode::Off`](crate::SyncMode::Off) pages wait only until the log is with the operating system; otherwise until it is on the medium.
    fn wait_durable(&self, upto: Lsn) -> Result<(), Fault> {
        match self.mode() {
            crate::SyncMode::Off => self.wait_written(upto),
            _ => self.wait_synced(upto),
        }
    }

    fn store_failed(&self, fault: &Fault) {
        self.poison(fault);
    }
}

impl Log {
    /// Appends a record that is not a page change; its `previous` is filled in, and a `Commit` or `RolledBack` ends its transaction.
    pub fn append_record(&self, record: &Record) -> Result<Lsn, Fault> {
        record.with_entry(|entry| {
            // The end of a rollback was paid for when its transaction logged its first change.
            let pays = !matches!(entry, Entry::RolledBack { .. });
            let mut tail = self.admit(entry.size(), pays)?;
            let previous = entry.by().map_or(Lsn::default(), |by| tail.active.last_of(by));
            Ok(tail.append(&entry.after(previous)))
        })
    }

    /// The newest record of a transaction, or zero.
    pub fn last_of(&self, by: TxnId) -> Lsn {
        self.ledger.tail.lock().active.last_of(by)
    }

    /// Every transaction that has logged something and has not ended.
    pub fn active(&self) -> Vec<ActiveTransaction> {
        self.ledger.tail.lock().active.list()
    }

    /// Tells the log of a transaction that analysis found active.
    pub fn adopt(&self, found: ActiveTransaction) {
        self.ledger.tail.lock().active.adopt(found);
    }

    /// The oldest floor of any open reservation, or the end of the log.
    pub fn floor(&self) -> Lsn {
        let tail = self.ledger.tail.lock();
        if cfg!(godb_plant = "floor-without-rooms") {
            return tail.end();
        }
        tail.floors.oldest().unwrap_or_else(|| tail.end())
    }

    /// Waits until `bytes` fit into the buffer and, where the disk has to `pay` for them, into the files; what was paid for before is let in even when the log
    /// is poisoned. What is then done under the
    /// lock that is returned can neither wait nor fail.
    fn admit(&self, bytes: usize, pay: bool) -> Result<MutexGuard<'_, Tail>, Fault> {
        if bytes > MAX_BODY {
            return Err(Fault::TooLarge {
                what: "a log record",
                got: bytes as u64,
                limit: MAX_BODY as u64,
            });
        }
        let mut tail = self.ledger.tail.lock();
        loop {
            if !pay && tail.poisoned.is_some() {
                // No disk will see what is taken back now, and no restart needs it. But readers want their versions back, and others their locks.
                tail.buffer.shorten(self.buffer);
                return Ok(tail);
            }
            tail.check()?;
            let buffered = tail.buffer.len();
            if !tail.space.fits_buffer(buffered, bytes) {
                if buffered == 0 {
                    self.ledger.freed.wait(&mut tail);
                    continue;
                }
                drop(tail);
                self.write_everything()?;
            } else {
                let needs = tail.space.needs(tail.buffer.block_end(), bytes);
                if !pay || needs <= self.segments.allocated() {
                    return Ok(tail);
                }
                drop(tail);
                self.make_room(needs)?;
            }
            tail = self.ledger.tail.lock();
        }
    }

    /// Lengthens the files until they reach `upto`.
    pub(super) fn make_room(&self, upto: u64) -> Result<(), Fault> {
        self.segments.grow(upto).map_err(|trouble| self.judge(trouble))
    }

    /// A refusal passes; a failed sync poisons the log.
    pub(super) fn judge(&self, trouble: Trouble) -> Fault {
        if let Trouble::Unsure(fault) = &trouble {
            self.poison(fault);
        }
        trouble.into_fault()
    }
}
