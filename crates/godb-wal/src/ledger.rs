//! The log's state under its one short lock: the unwritten end, the promises, the active transactions.
//!
//! An append takes this lock once, copies the record into the buffer and is done: a few hundred nanoseconds with nothing in it
//! that waits. Positions are therefore given out in the order of the bytes, and whoever sees the end of the log sees every record before it.

use crate::active::{ActiveTable, Floors};
use crate::buffer::Buffer;
use crate::codec::Entry;
use crate::doorbell::Doorbell;
use crate::space::Space;
use godb_btree::sync::{Condvar, Mutex};
use godb_btree::{Change, Fault, Journal, Lsn, Room, Undo, size_of_change, size_of_rollback};
use std::sync::Arc;

/// Shared by the log and the [`UndoDoor`].
#[derive(Debug)]
pub(crate) struct Ledger {
    pub(crate) tail: Mutex<Tail>,
    /// Signalled when promised buffer comes free.
    pub(crate) freed: Condvar,
    /// Rung when there is so much to write that it had better be begun.
    pub(crate) bell: Doorbell,
    /// How many bytes that is.
    heavy: usize,
}

/// What the lock protects.
#[derive(Debug)]
pub(crate) struct Tail {
    pub(crate) buffer: Buffer,
    pub(crate) space: Space,
    pub(crate) active: ActiveTable,
    pub(crate) floors: Floors,
    /// Why nothing can be logged any more.
    pub(crate) poisoned: Option<Fault>,
}

impl Ledger {
    pub(crate) fn new(buffer: Buffer, space: Space, heavy: usize) -> Self {
        Self {
            tail: Mutex::new(Tail {
                buffer,
                space,
                active: ActiveTable::default(),
                floors: Floors::default(),
                poisoned: None,
            }),
            freed: Condvar::new(),
            bell: Doorbell::new(),
            heavy,
        }
    }

    /// Whether there is so much to write that the background should.
    pub(crate) fn is_heavy(&self) -> bool {
        self.tail.lock().buffer.unsealed() > self.heavy
    }

    fn append_change(&self, change: &Change<'_>, for_undo: bool) -> Lsn {
        let size = size_of_change(change);
        let mut tail = self.tail.lock();
        tail.space.take(size, for_undo);
        let previous = change.by.map_or(Lsn::default(), |by| tail.active.last_of(by));
        let lsn = tail.buffer.append(&Entry::Change {
            by: change.by,
            previous,
            pages: change.pages,
            undo: change.undo,
        });
        if let Some(by) = change.by {
            let Tail { space, active, .. } = &mut *tail;
            let aside = active.logged(by, lsn);
            match change.undo {
                Undo::Logical(_) | Undo::Run(..) if !for_undo => {
                    *aside += space.set_aside(size_of_rollback(change));
                }
                Undo::Never if !for_undo => {}
                _ => *aside -= space.release((*aside).min(size as u64)),
            }
        }
        lsn
    }

    fn close(&self, floor: Lsn, unused: usize, for_undo: bool) {
        let mut tail = self.tail.lock();
        tail.floors.close(floor);
        tail.space.take(unused, for_undo);
        let heavy = tail.buffer.unsealed() > self.heavy;
        drop(tail);
        if heavy {
            self.bell.ring();
        }
        if !cfg!(godb_plant = "close-quietly") {
            self.freed.notify_all();
        }
    }
}

impl Tail {
    /// Fails when the log is poisoned.
    pub(crate) fn check(&self) -> Result<(), Fault> {
        self.poisoned.clone().map_or(Ok(()), Err)
    }

    /// Where the next record goes.
    pub(crate) fn end(&self) -> Lsn {
        Lsn::from_raw(self.buffer.end())
    }

    /// Opens a room for `bytes`; returns its floor.
    pub(crate) fn open(&mut self, bytes: usize, for_undo: bool) -> Lsn {
        let floor = self.end();
        self.space.open(bytes, for_undo);
        self.floors.open(floor);
        floor
    }

    /// Adds an entry that is not a change made under a reservation, and keeps its transaction's chain.
    pub(crate) fn append(&mut self, entry: &Entry<'_>) -> Lsn {
        let lsn = self.buffer.append(entry);
        match entry {
            Entry::Change { by: Some(by), .. } => {
                self.active.logged(*by, lsn);
            }
            Entry::Commit { by, .. } | Entry::RolledBack { by } => {
                let aside = self.active.ended(*by);
                self.space.release(aside);
            }
            Entry::Change { by: None, .. } | Entry::Checkpoint(_) => {}
        }
        lsn
    }
}

/// The journal as a room for undo sees it: the same log, but what is appended was set aside before.
#[derive(Debug)]
pub(crate) struct UndoDoor(pub(crate) Arc<Ledger>);

impl Journal for UndoDoor {
    /// Opens a room without asking whether there is one; the log has made sure of it.
    fn reserve(&self, bytes: usize) -> Result<Room<'_>, Fault> {
        let floor = self.0.tail.lock().open(bytes, true);
        Ok(Room::new(self, floor, bytes))
    }

    fn append(&self, _floor: Lsn, change: &Change<'_>) -> Lsn {
        self.0.append_change(change, true)
    }

    fn close(&self, floor: Lsn, unused: usize) {
        self.0.close(floor, unused, true);
    }
}

/// The journal as all other rooms see it.
impl Ledger {
    pub(crate) fn append_forward(&self, change: &Change<'_>) -> Lsn {
        self.append_change(change, false)
    }

    pub(crate) fn close_forward(&self, floor: Lsn, unused: usize) {
        self.close(floor, unused, false);
    }
}

#[cfg(test)]
#[cfg(not(godb_loom))]
mod tests {
    use super::*;
    use godb_btree::{PageId, TxnId, UndoNext};
    use std::time::Duration;

    const LONG: Duration = Duration::from_secs(600);

    fn ledger(heavy: usize) -> Ledger {
        Ledger::new(Buffer::new(4096, 0), Space::new(4096, 1 << 20), heavy)
    }

    fn log(ledger: &Ledger, undo: Undo<'_>, for_undo: bool) {
        // Taking a change back is half of it.
        let bytes = vec![7; if for_undo { 20_000 } else { 40_000 }];
        let pages = [(PageId::from_raw(3), &bytes[..])];
        let change = Change {
            by: Some(TxnId::from_raw(1)),
            pages: &pages,
            undo,
        };
        let size = size_of_change(&change);
        let floor = ledger.tail.lock().open(size, for_undo);
        ledger.append_change(&change, for_undo);
        ledger.close(floor, 0, for_undo);
    }

    /// How much room on the disk is set aside, over a log of no length.
    fn promised(ledger: &Ledger) -> u64 {
        ledger.tail.lock().space.needs(0, 0)
    }

    #[test]
    fn what_is_set_aside_for_a_rollback_is_given_back_by_the_rollback() {
        let ledger = ledger(1 << 20);
        log(&ledger, Undo::Never, false);
        let nothing = promised(&ledger);
        log(&ledger, Undo::Logical(b"back"), false);
        let one = promised(&ledger);
        assert!(one > nothing);
        log(&ledger, Undo::Never, false);
        assert_eq!(
            promised(&ledger),
            one,
            "what is never undone needs no room for that"
        );
        log(&ledger, Undo::Logical(b"back"), false);
        let two = promised(&ledger);
        assert!(two > one);
        for expected in [one, nothing] {
            log(&ledger, Undo::Compensates(UndoNext::default()), true);
            let left = promised(&ledger);
            assert!(left.abs_diff(expected) <= 4096, "{left} is not about {expected}");
        }
        let by = TxnId::from_raw(1);
        ledger.tail.lock().append(&Entry::RolledBack { by });
        assert_eq!(promised(&ledger), nothing);
    }

    #[test]
    fn a_change_under_a_room_for_undo_sets_nothing_aside() {
        let ledger = ledger(1 << 20);
        log(&ledger, Undo::Never, true);
        let nothing = promised(&ledger);
        log(&ledger, Undo::Logical(b"back"), true);
        assert_eq!(promised(&ledger), nothing);
    }

    #[test]
    fn closing_a_room_rings_the_bell_when_there_is_much_to_write() {
        let light = ledger(1 << 20);
        log(&light, Undo::Never, false);
        let begun = std::time::Instant::now();
        light.bell.wait(Duration::from_millis(20));
        assert!(begun.elapsed() >= Duration::from_millis(20), "nobody rang");
        let heavy = ledger(4000);
        log(&heavy, Undo::Never, false);
        let begun = std::time::Instant::now();
        heavy.bell.wait(LONG);
        assert!(begun.elapsed() < LONG / 2);
        assert!(heavy.is_heavy() && !light.is_heavy());
    }
}
