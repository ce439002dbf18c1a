//! [`Tree`]: ordered maps from bytes to bytes, many in one file.

use crate::btree::Compaction;
use crate::journal::UndoNext;
use crate::too_large;
use godb_buffer::{Fault, Lsn, PageId, TreeId, TxnId};
use smallvec::SmallVec;
use std::io::Read;
use std::ops::{Bound, ControlFlow};

/// A value too large for a leaf: a chain of overflow pages, known by its first page and its length.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Chain {
    /// The first overflow page.
    pub head: PageId,
    /// The length in bytes.
    pub len: u64,
}

/// What a tree stores under a key: bytes in the leaf, and behind them, maybe, a chain of overflow pages.
///
/// The tree never frees a chain by itself when a value is replaced or removed: an older version may have moved elsewhere by
/// its head. Whoever owns the last reference calls [`Tree::release`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Value<'a> {
    /// The bytes kept in the leaf, at most [`Tree::max_inline`] of them.
    pub inline: &'a [u8],
    /// The rest, where there is one.
    pub chain: Option<Chain>,
}

impl<'a> Value<'a> {
    /// A value that lies in the leaf whole.
    #[must_use]
    pub fn inline(bytes: &'a [u8]) -> Self {
        Self {
            inline: bytes,
            chain: None,
        }
    }
}

/// A row of a run.
#[derive(Clone, Copy, Debug)]
pub struct Row<'a> {
    /// Its key.
    pub key: &'a [u8],
    /// What is to be stored under it.
    pub value: Value<'a>,
}

/// The most bytes that a [`NewHead`] cuts, and brings.
pub const MAX_HEAD: usize = 64;

/// How a value is to begin.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewHead {
    /// How many of its first bytes go, at most [`MAX_HEAD`].
    pub cut: u16,
    /// What comes in their place, at most [`MAX_HEAD`] bytes.
    pub with: SmallVec<[u8; 24]>,
}

impl NewHead {
    /// How many bytes go and how many come, if neither are too many.
    pub(crate) fn sizes(&self) -> Result<(usize, u16), Fault> {
        let (cut, with) = (usize::from(self.cut), self.with.len());
        too_large("the head of a row", cut.max(with), MAX_HEAD)?;
        Ok((cut, u16::try_from(with).unwrap_or_default()))
    }
}

/// What came of amending a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Amended {
    /// There is no such row.
    Absent,
    /// It was left as it is.
    Left,
    /// It begins differently now.
    Done,
    /// Its page has no room for what it would become, so it is as it was.
    Full,
}

/// Which keys a scan visits, and in which direction.
#[derive(Clone, Copy, Debug)]
pub struct Range<'a> {
    /// Where it begins, in key order.
    pub from: Bound<&'a [u8]>,
    /// Where it ends, in key order.
    pub to: Bound<&'a [u8]>,
    /// From the last key to the first.
    pub backward: bool,
}

impl Range<'_> {
    /// Every key, in order.
    pub const ALL: Self = Self {
        from: Bound::Unbounded,
        to: Bound::Unbounded,
        backward: false,
    };
}

/// The part of a log record that is about one page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PageChange<'a> {
    /// The page.
    pub page: PageId,
    /// The record's position.
    pub lsn: Lsn,
    /// What the tree wrote into the record for this page.
    pub bytes: &'a [u8],
}

/// Ordered trees of one file, changed under a journal.
///
/// Closures given to `get` and `next` run under a page latch: they look and copy, and call nothing of the engine.
/// Trees know no transactions beyond the id they write into the journal, and no locks: whoever changes the same key
/// from two transactions at once gets what he asked for.
pub trait Tree: Send + Sync + 'static {
    /// An owned position of a scan; holds no latch and no pin between calls.
    type Cursor: Send + 'static;

    /// The longest key, in bytes.
    fn max_key(&self) -> usize;
    /// The most bytes of a value that a leaf holds; the rest goes to a chain.
    fn max_inline(&self) -> usize;

    /// Makes a new, empty tree. Rolled back with `by`.
    fn create(&self, by: TxnId) -> Result<TreeId, Fault>;
    /// Removes a tree and gives its pages back, those of its overflow chains included. Not undoable: called when no
    /// transaction can want it any more. A crash in between leaves a tree that nobody finds, and its destruction goes
    /// on by itself. Destroying a tree that is not there is no error.
    fn destroy(&self, tree: TreeId) -> Result<(), Fault>;
    /// Every tree there is, in order.
    fn trees(&self) -> Result<Vec<TreeId>, Fault>;

    /// Shows the value of `key`.
    fn get<R>(&self, tree: TreeId, key: &[u8], show: impl FnOnce(Value<'_>) -> R)
    -> Result<Option<R>, Fault>;
    /// Sets the value of `key`, in place of one that may be there.
    fn put(&self, by: TxnId, tree: TreeId, key: &[u8], value: Value<'_>) -> Result<(), Fault>;
    /// Looks at the value of `key` and, if `decide` says so, changes its first bytes: the rest stays where it is, a chain too. One way to the row, and a short log record:
    /// the cheapest change of a row that says something about itself in front. Nobody changes the row between the look and the change.
    fn amend(
        &self,
        by: TxnId,
        tree: TreeId,
        key: &[u8],
        decide: impl FnOnce(Value<'_>) -> Option<NewHead>,
    ) -> Result<Amended, Fault>;
    /// Adds many rows, given in the strictly ascending order of their keys. A row whose key is there already is left alone, and its number told to `present`.
    /// The cheapest way to many rows: what they share on the way to their place is paid once. When it fails, some of the rows may have been added.
    fn add(
        &self,
        by: TxnId,
        tree: TreeId,
        rows: &[Row<'_>],
        present: &mut dyn FnMut(usize),
    ) -> Result<(), Fault>;

    /// This key will be written in a moment: what is known of the way to its row is asked for from memory meanwhile. Changes nothing, and need do nothing.
    fn expect(&self, _tree: TreeId, _key: &[u8]) {}

    /// Puts a row whose key is new; `false`, with nothing changed, when the key is there. One way down where [`get`](Self::get) and [`put`](Self::put) are two.
    fn put_new(&self, by: TxnId, tree: TreeId, key: &[u8], value: Value<'_>) -> Result<bool, Fault> {
        let mut is_new = true;
        self.add(by, tree, &[Row { key, value }], &mut |_| is_new = false)?;
        Ok(is_new)
    }
    /// Removes `key`; tells whether it was there.
    fn remove(&self, by: TxnId, tree: TreeId, key: &[u8]) -> Result<bool, Fault>;

    /// Stores what `from` gives in overflow pages of `tree`, in bounded memory. Rolled back with `by`.
    /// More than `limit` bytes are refused with [`Fault::TooLarge`], and an error of `from` is returned as it is.
    fn write_chain(&self, by: TxnId, tree: TreeId, from: &mut dyn Read, limit: u64) -> Result<Chain, Fault>;
    /// Reads from byte `at` of a chain; returns how many bytes, zero at its end. `hint` remembers the way, so that
    /// reading on costs one page a page; it starts as `None`.
    fn read_chain(
        &self,
        chain: Chain,
        at: u64,
        hint: &mut Option<(u64, PageId)>,
        into: &mut [u8],
    ) -> Result<usize, Fault>;
    /// Removes `key` for good and frees the chain its value has. Not undoable: for versions that nobody can see. A crash
    /// in between leaves a shorter chain under the key, which `release` finishes.
    fn release(&self, tree: TreeId, key: &[u8]) -> Result<bool, Fault>;

    /// Removes for good, among `key` and its neighbours in one page, all rows that `dead` says are, but for those with a chain. Not undoable: for versions that
    /// nobody can see. Returns the last key that it looked at, if there was any: beyond it there may be more.
    fn purge(
        &self,
        tree: TreeId,
        key: &[u8],
        dead: impl FnMut(&[u8], Value<'_>) -> bool,
    ) -> Result<Option<Vec<u8>>, Fault>;

    /// Begins a scan.
    fn seek(&self, tree: TreeId, range: Range<'_>) -> Result<Self::Cursor, Fault>;
    /// Shows the rows of one page, from the cursor's position on, until `show` breaks; the row it broke at counts as
    /// shown. `false` when the range is exhausted.
    fn next(
        &self,
        at: &mut Self::Cursor,
        show: impl FnMut(&[u8], Value<'_>) -> ControlFlow<()>,
    ) -> Result<bool, Fault>;

    /// Applies a journaled change to one page again, unless the page has seen it.
    fn redo(&self, lsn: Lsn, page: PageId, change: &[u8]) -> Result<(), Fault>;
    /// Applies changes of one page, in the order of the log: what many calls of [`redo`](Self::redo) would do, with the page looked up once.
    fn redo_all(&self, page: PageId, changes: &[PageChange<'_>]) -> Result<(), Fault> {
        changes
            .iter()
            .try_for_each(|change| self.redo(change.lsn, page, change.bytes))
    }
    /// Called once between the last redo and the first undo: reads back what the tree keeps in memory about its file.
    fn redone(&self) -> Result<(), Fault>;
    /// Takes a change back, by its logical description. `at` is the record that tells of it, and how many of its rows are taken back already; the journal gets a
    /// compensation for each other row, which points to the row after it, and the last one to `next`.
    fn undo(&self, by: TxnId, change: &[u8], at: UndoNext, next: Lsn) -> Result<(), Fault>;
    /// Does a bounded part of a compaction: packs rows into fewer pages and moves pages to the beginning of the file, while others read and write. `false`
    /// when there is no more to do. Each change is one record that is never undone, so it may be stopped after any part. A tree that has no pages has nothing to do.
    fn compact_some(&self, _at: &mut Compaction) -> Result<bool, Fault> {
        Ok(false)
    }
    /// Notes which pages at the end of the file are free now. Before they are [cut off](Self::cut_free_end) a checkpoint has to end, so that the log is durable that says they are free,
    /// and none of them is still to be written.
    fn free_end(&self) -> Result<(), Fault> {
        Ok(())
    }
    /// Gives back to the file system what has been free since [`free_end`](Self::free_end); returns how many bytes. `None` when somebody uses such a page just now: try again.
    fn cut_free_end(&self) -> Result<Option<u64>, Fault> {
        Ok(Some(0))
    }

    /// Where redo would have to start after a crash now, as far as dirty pages decide.
    fn redo_from(&self) -> Option<Lsn>;
    /// Writes every dirty page and makes it durable, sharp enough for a clean close. New changes may go on meanwhile.
    fn flush(&self) -> Result<(), Fault>;
}
