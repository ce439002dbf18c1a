//! [`Journal`]: what the tree asks of the log. The tree describes each change before it makes it.

use godb_buffer::sync::atomic::{AtomicU64, Ordering};
use godb_buffer::{Fault, Lsn, PageId, TxnId};

/// How a change is taken back when its transaction rolls back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Undo<'a> {
    /// Never: a structure change, which stays whatever becomes of the transaction that needed it.
    Never,
    /// By a logical operation on the tree, described by these bytes.
    Logical(&'a [u8]),
    /// By so many logical operations, one a row, described together by these bytes.
    Run(&'a [u8], u16),
    /// It is itself the taking back of a change, or of one row of it; undo goes on there and skips what lies between.
    Compensates(UndoNext),
}

/// Where a rollback goes on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct UndoNext {
    /// The next record of the transaction to undo; zero when none is left.
    pub next: Lsn,
    /// So many rows of it have been taken back already.
    pub done: u16,
}

impl UndoNext {
    /// At a record of which nothing has been taken back.
    #[must_use]
    pub fn at(next: Lsn) -> Self {
        Self { next, done: 0 }
    }
}

/// One atomic change of one or more pages. For each page it holds all that redo of that page needs.
#[derive(Clone, Copy, Debug)]
pub struct Change<'a> {
    /// The transaction that makes it; none for housekeeping.
    pub by: Option<TxnId>,
    /// The pages changed, each with the bytes that [`Tree::redo`](crate::Tree::redo) applies to it.
    pub pages: &'a [(PageId, &'a [u8])],
    /// How it is taken back.
    pub undo: Undo<'a>,
}

/// The log, as the tree sees it.
pub trait Journal: Send + Sync {
    /// Reserves `bytes` of log space, and as much again for the rollback of what will be written there. Called
    /// before the first latch: may wait, may fail. While the [`Room`] lives no checkpoint moves redo past its floor.
    fn reserve(&self, bytes: usize) -> Result<Room<'_>, Fault>;
    /// Like [`reserve`](Self::reserve), for the work of [`Tree::undo`](crate::Tree::undo): draws on what was set aside
    /// when the change now taken back was reserved, so that it never finds the log full.
    fn reserve_undo(&self, bytes: usize) -> Result<Room<'_>, Fault> {
        self.reserve(bytes)
    }
    /// Appends under latches: never waits for the disk, never fails. `floor` is the room's.
    fn append(&self, floor: Lsn, change: &Change<'_>) -> Lsn;
    /// Gives an unused rest of a reservation back. Called by [`Room`] when it drops.
    fn close(&self, floor: Lsn, unused: usize);
}

/// Reserved log space, given back when dropped.
pub struct Room<'a> {
    journal: &'a dyn Journal,
    floor: Lsn,
    left: usize,
}

impl<'a> Room<'a> {
    /// For implementors of [`Journal::reserve`].
    #[must_use]
    pub fn new(journal: &'a dyn Journal, floor: Lsn, bytes: usize) -> Self {
        Self {
            journal,
            floor,
            left: bytes,
        }
    }

    /// The log position that redo cannot pass while this room lives.
    #[must_use]
    pub fn floor(&self) -> Lsn {
        self.floor
    }

    /// Appends a change; its pages must be latched and are changed right after.
    pub fn append(&mut self, change: &Change<'_>) -> Lsn {
        let size = size_of_change(change);
        debug_assert!(
            size <= self.left,
            "a change of {size} bytes exceeds the {} reserved",
            self.left
        );
        self.left = self.left.saturating_sub(size);
        self.journal.append(self.floor, change)
    }
}

impl Drop for Room<'_> {
    fn drop(&mut self) {
        self.journal.close(self.floor, self.left);
    }
}

/// An upper bound of the log space that `change` takes, in bytes.
#[must_use]
pub fn size_of_change(change: &Change<'_>) -> usize {
    64 + size_of_undo(change.undo).1 + size_of_pages(change)
}

fn size_of_pages(change: &Change<'_>) -> usize {
    change.pages.iter().map(|(_, bytes)| 16 + bytes.len()).sum()
}

/// How many rows have to be taken back, and the bytes that tell how.
fn size_of_undo(undo: Undo<'_>) -> (usize, usize) {
    match undo {
        Undo::Logical(back) => (1, back.len()),
        Undo::Run(back, rows) => (usize::from(rows), back.len()),
        Undo::Never | Undo::Compensates(_) => (0, 0),
    }
}

/// An upper bound of the log space that taking `change` back takes, in bytes: a compensation for each row, the old rows that come back, and the share of the
/// structure changes that this causes. Where rows come back, pages are split, and half of what fills them is logged once more; where
/// rows go, pages are merged, and less than half of it is.
#[must_use]
pub fn size_of_rollback(change: &Change<'_>) -> usize {
    let (rows, back) = size_of_undo(change.undo);
    match rows {
        0 => 0,
        _ => rows * 128 + back + back.max(size_of_pages(change) / 2),
    }
}

/// A journal that forgets: for trees that need not survive a crash, and for tests of the tree alone.
#[derive(Debug)]
pub struct NoJournal {
    next: AtomicU64,
}

impl Default for NoJournal {
    fn default() -> Self {
        Self {
            next: AtomicU64::new(1),
        }
    }
}

impl Journal for NoJournal {
    fn reserve(&self, bytes: usize) -> Result<Room<'_>, Fault> {
        Ok(Room::new(self, Lsn::from_raw(1), bytes))
    }

    fn append(&self, _floor: Lsn, _change: &Change<'_>) -> Lsn {
        Lsn::from_raw(self.next.fetch_add(1, Ordering::Relaxed))
    }

    fn close(&self, _floor: Lsn, _unused: usize) {}
}
