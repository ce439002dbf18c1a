//! Getting the log to disk: the work of the leaders at the two gates.

use super::Log;
use crate::block::Stamp;
use crate::gate::poisoned;
use crate::options::SyncMode;
use godb_btree::{Fault, Lsn};
use std::time::Duration;

/// So many bytes that are written but not synced are synced before anybody asks, so that the device works while the next ones are logged.
const SYNC_AHEAD: u64 = 8 << 20;

impl Log {
    /// Returns when a commit at `upto` may be acknowledged under the configured [`SyncMode`]. An error means that the
    /// outcome of the commit is unknown until the database is reopened.
    pub fn acknowledge(&self, upto: Lsn) -> Result<(), Fault> {
        match self.mode {
            SyncMode::Full if godb_btree::sync::planted("commit-acknowledged-early") => {
                self.wait_written(upto)
            }
            SyncMode::Full => self.wait_synced(upto),
            SyncMode::Normal => self.wait_written(upto),
            SyncMode::Off => self.ledger.tail.lock().check(),
        }
    }

    /// Returns when everything up to the record at `upto` is on the medium, whatever the sync mode.
    pub fn wait_synced(&self, upto: Lsn) -> Result<(), Fault> {
        self.syncs.wait(self.target(upto), || self.sync_out())
    }

    /// Returns when everything up to the record at `upto` is with the operating system.
    pub fn wait_written(&self, upto: Lsn) -> Result<(), Fault> {
        self.writes.wait(self.target(upto), || self.write_out())
    }

    /// Does a slice of background work: makes room ahead, writes a buffer that has grown, and syncs what has waited long enough in [`SyncMode::Normal`], or
    /// in [`SyncMode::Full`] so much that the commit of a large transaction would wait for it. Returns whether there was anything to do.
    pub fn step(&self) -> Result<bool, Fault> {
        let ahead = self.room_ahead();
        if let Some(upto) = ahead {
            self.make_room(upto)?;
        }
        let write = self.ledger.is_heavy();
        if write {
            self.write_everything()?;
        }
        let sync = match self.mode {
            SyncMode::Full => self.writes.reached().saturating_sub(self.syncs.reached()) >= SYNC_AHEAD,
            SyncMode::Normal => self.sync_is_due(),
            SyncMode::Off => false,
        };
        if sync {
            self.wait_synced(self.logged())?;
        }
        Ok(ahead.is_some() || write || sync)
    }

    /// Waits until there may be work for [`step`](Self::step), or until the time is over.
    pub fn rest(&self, at_most: Duration) {
        self.ledger.bell.wait(at_most);
    }

    /// Ends a rest.
    pub fn wake(&self) {
        self.ledger.bell.ring();
    }

    /// Writes whatever is logged so far.
    pub(super) fn write_everything(&self) -> Result<(), Fault> {
        self.wait_written(self.logged())
    }

    /// Nothing can be logged or acknowledged any more, but for rollbacks, which go on in memory.
    pub fn poison(&self, fault: &Fault) {
        {
            let mut tail = self.ledger.tail.lock();
            if tail.poisoned.is_none() {
                tail.poisoned = Some(poisoned(fault));
                // What is logged so far stays readable, for those who take it back.
                tail.buffer.seal();
            }
        }
        self.writes.fail(fault);
        self.syncs.fail(fault);
        if !cfg!(godb_plant = "poison-quietly") {
            self.ledger.freed.notify_all();
        }
    }

    /// The last position that is logged.
    fn logged(&self) -> Lsn {
        Lsn::from_raw(self.ledger.tail.lock().buffer.logged())
    }

    /// What the gates have to reach for the record at `upto` to be included. A seal never cuts a record in two, so one byte of it
    /// stands for all. Nobody waits for what is not logged.
    fn target(&self, upto: Lsn) -> u64 {
        upto.raw().saturating_add(1).min(self.logged().raw())
    }

    /// The work of the leader of a write: ends the current block and writes the batch. Returns how far the files are written.
    fn write_out(&self) -> Result<u64, Fault> {
        let sealed = self.ledger.tail.lock().buffer.seal();
        let Some(batch) = sealed else {
            return Ok(self.logged().raw());
        };
        let next = batch.next(self.block as u64);
        let written = self.write_batch(&batch, next);
        written.inspect_err(|fault| self.poison(fault))?;
        self.ledger.tail.lock().buffer.landed(batch);
        self.ledger.freed.notify_all();
        Ok(next)
    }

    fn write_batch(&self, batch: &crate::buffer::Batch, next: u64) -> Result<(), Fault> {
        if next > self.segments.allocated() {
            // Flushes during a long rollback on a full disk have used up the margin; this is the last attempt.
            self.make_room(next)?;
        }
        let stamp = Stamp {
            database: self.database,
            epoch: self.epoch,
            durable: self.syncs.reached(),
            allocated: self.segments.allocated(),
        };
        let mut image = self.image.lock();
        batch.image(self.block, &stamp, &mut image);
        let whole = image.len();
        if self.mode == SyncMode::Full {
            let zeros = self.segments.zeros_behind(batch.base, next)?;
            image.resize(whole + usize::try_from(zeros).expect("a part of a segment"), 0);
        }
        if image.len() > whole && godb_btree::sync::planted("zeros-over-a-commit") {
            image[whole - self.block..].fill(0);
        }
        self.segments.write(batch.base, &image)?;
        self.counters.wrote(image.len());
        Ok(())
    }

    /// The work of the leader of a sync. Returns how far the log is durable.
    fn sync_out(&self) -> Result<u64, Fault> {
        self.write_everything()?;
        let mut written = self.writes.reached();
        let synced = self.segments.sync(self.syncs.reached(), written);
        if cfg!(godb_plant = "look-after-sync") {
            written = self.writes.reached();
        }
        synced.inspect_err(|fault| self.poison(fault))?;
        self.counters.synced();
        if self.mode == SyncMode::Normal {
            *self.last_sync.lock() = self.clock.monotonic();
        }
        Ok(written)
    }

    fn sync_is_due(&self) -> bool {
        let waited = self.clock.monotonic().saturating_sub(*self.last_sync.lock());
        waited >= self.sync_every && self.syncs.reached() < self.logged().raw()
    }

    /// How far the files should reach, when they do not: half of the last file, at least, is kept free.
    fn room_ahead(&self) -> Option<u64> {
        let tail = self.ledger.tail.lock();
        let needs = tail.space.needs(tail.buffer.block_end(), 0);
        drop(tail);
        let allocated = self.segments.allocated();
        let last = match allocated % self.segments.size() {
            0 => self.segments.size(),
            part => part,
        };
        (needs + last / 2 > allocated).then_some((allocated + 1).max(needs))
    }
}
