//! [`MemoryTree`]: the simplest correct [`Tree`]: ordered maps behind one lock.
//!
//! It is the specification to read first, and what the layers above are tested on. It journals like the real tree and
//! is rebuilt by redo, with one page of the journal standing for one whole tree and the logical operation itself as
//! the change. Since nothing reaches a disk but the log, redo must always start at the very first record:
//! [`Tree::redo_from`] says so.

mod state;

use crate::codec::{FILE, bad_record};
use crate::journal::{Change, Journal, Room, Undo, UndoNext, size_of_change};
use crate::logical::{self, Operation};
use crate::tree::{Amended, Chain, MAX_HEAD, NewHead, Range, Row, Tree, Value};
use crate::{chunk, too_large};
use godb_buffer::sync::{RwLock, RwLockReadGuard, RwLockWriteGuard};
use godb_buffer::{Fault, Lsn, PageId, TreeId, TxnId};
use state::{State, Stored};
use std::io::Read;
use std::ops::{Bound, ControlFlow};
use std::sync::Arc;

/// Keys and inline values are held to the limits of an 8 KiB page, so that what works here works on pages.
const MAX_KEY: usize = 1990;
const MAX_INLINE: usize = 1990;
/// Rows that one call of `next` shows at most.
const ROWS_A_STEP: usize = 50;
/// Bytes of a chain in one record.
const CHAIN_PIECE: usize = 32 * 1024;

/// Trees in memory, behind one lock.
pub struct MemoryTree {
    journal: Arc<dyn Journal>,
    state: RwLock<State>,
}

/// A position in a [`MemoryTree`]: what is left of the range.
#[derive(Clone, Debug)]
pub struct MemoryCursor {
    tree: TreeId,
    from: Bound<Vec<u8>>,
    to: Bound<Vec<u8>>,
    backward: bool,
}

impl MemoryTree {
    /// No trees yet; every change will be described to `journal` first.
    #[must_use]
    pub fn new(journal: Arc<dyn Journal>) -> Self {
        Self {
            journal,
            state: RwLock::new(State::default()),
        }
    }

    /// How many overflow chains exist, referred to or not.
    #[must_use]
    pub fn chain_count(&self) -> usize {
        self.look().chain_count()
    }

    fn look(&self) -> RwLockReadGuard<'_, State> {
        self.state.read()
    }

    fn change(&self) -> RwLockWriteGuard<'_, State> {
        self.state.write()
    }

    /// Logs an operation and makes it.
    fn log(
        room: &mut Room<'_>,
        state: &mut State,
        by: Option<TxnId>,
        tree: TreeId,
        operation: &Operation<'_>,
        undo: Undo<'_>,
    ) {
        let bytes = logical::encode(tree, operation);
        let page = PageId::from_raw(tree.raw());
        let pages = [(page, bytes.as_slice())];
        let lsn = room.append(&Change {
            by,
            pages: &pages,
            undo,
        });
        state.apply(lsn, tree, operation);
    }

    /// An operation whose taking back is known beforehand.
    fn log_alone(
        &self,
        by: Option<TxnId>,
        tree: TreeId,
        operation: &Operation<'_>,
        undo: Undo<'_>,
    ) -> Result<(), Fault> {
        let mut room = self.journal.reserve(room_for(operation, undo))?;
        Self::log(&mut room, &mut self.change(), by, tree, operation, undo);
        Ok(())
    }
}

/// Log space for an operation, and for one that restores a whole row.
fn room_for(operation: &Operation<'_>, undo: Undo<'_>) -> usize {
    let bytes = logical::encode(TreeId::default(), operation);
    let pages = [(PageId::default(), bytes.as_slice())];
    size_of_change(&Change {
        by: None,
        pages: &pages,
        undo,
    })
}

/// What sets a key back to the value it had.
fn taking_back(tree: TreeId, key: &[u8], old: Option<&Stored>) -> Vec<u8> {
    let operation = match old {
        Some(old) => Operation::Put(key, old.as_value()),
        None => Operation::Remove(key),
    };
    logical::encode(tree, &operation)
}

fn as_slices(bound: &Bound<Vec<u8>>) -> Bound<&[u8]> {
    bound.as_ref().map(Vec::as_slice)
}

/// Whether no key can lie between the two; `BTreeMap::range` panics on ranges that are the wrong way round.
fn is_empty(from: Bound<&[u8]>, to: Bound<&[u8]>) -> bool {
    match (from, to) {
        (Bound::Unbounded, _) | (_, Bound::Unbounded) => false,
        (Bound::Included(from), Bound::Included(to)) => from > to,
        (Bound::Included(from) | Bound::Excluded(from), Bound::Excluded(to) | Bound::Included(to)) => {
            from >= to
        }
    }
}

impl Tree for MemoryTree {
    type Cursor = MemoryCursor;

    fn max_key(&self) -> usize {
        MAX_KEY
    }

    fn max_inline(&self) -> usize {
        MAX_INLINE
    }

    fn create(&self, by: TxnId) -> Result<TreeId, Fault> {
        let mut room = self.journal.reserve(256)?;
        let mut state = self.change();
        let tree = state.next_tree();
        let back = logical::encode(tree, &Operation::Destroy);
        let undo = Undo::Logical(&back);
        Self::log(&mut room, &mut state, Some(by), tree, &Operation::Create, undo);
        Ok(tree)
    }

    fn destroy(&self, tree: TreeId) -> Result<(), Fault> {
        if self.look().tree(tree).is_err() {
            return Ok(());
        }
        self.log_alone(None, tree, &Operation::Destroy, Undo::Never)
    }

    fn trees(&self) -> Result<Vec<TreeId>, Fault> {
        Ok(self.look().living())
    }

    fn get<R>(
        &self,
        tree: TreeId,
        key: &[u8],
        show: impl FnOnce(Value<'_>) -> R,
    ) -> Result<Option<R>, Fault> {
        let state = self.look();
        let found = state.tree(tree)?.rows.get(key);
        Ok(found.map(|stored| show(stored.as_value())))
    }

    fn put(&self, by: TxnId, tree: TreeId, key: &[u8], value: Value<'_>) -> Result<(), Fault> {
        too_large("a key", key.len(), MAX_KEY)?;
        too_large("a value in a leaf", value.inline.len(), MAX_INLINE)?;
        let operation = Operation::Put(key, value);
        let mut room = self
            .journal
            .reserve(room_for(&operation, Undo::Never) + key.len() + MAX_INLINE + 64)?;
        let mut state = self.change();
        let back = taking_back(tree, key, state.tree(tree)?.rows.get(key));
        Self::log(
            &mut room,
            &mut state,
            Some(by),
            tree,
            &operation,
            Undo::Logical(&back),
        );
        Ok(())
    }

    fn amend(
        &self,
        by: TxnId,
        tree: TreeId,
        key: &[u8],
        decide: impl FnOnce(Value<'_>) -> Option<NewHead>,
    ) -> Result<Amended, Fault> {
        let mut room = self.journal.reserve(2 * key.len() + 4 * MAX_HEAD + 256)?;
        let mut state = self.change();
        let Some(row) = state.tree(tree)?.rows.get(key) else {
            return Ok(Amended::Absent);
        };
        let Some(head) = decide(row.as_value()) else {
            return Ok(Amended::Left);
        };
        let (cut, added) = head.sizes()?;
        let Some(old) = row.inline.get(..cut) else {
            return Err(bad_record("a row is shorter than what is to be changed of it"));
        };
        if row.inline.len() - old.len() + head.with.len() > MAX_INLINE {
            return Ok(Amended::Full);
        }
        let back = logical::encode(tree, &Operation::Amend(key, added, old));
        let (operation, undo) = (Operation::Amend(key, head.cut, &head.with), Undo::Logical(&back));
        Self::log(&mut room, &mut state, Some(by), tree, &operation, undo);
        Ok(Amended::Done)
    }

    fn add(
        &self,
        by: TxnId,
        tree: TreeId,
        rows: &[Row<'_>],
        present: &mut dyn FnMut(usize),
    ) -> Result<(), Fault> {
        for (number, row) in rows.iter().enumerate() {
            match self.get(tree, row.key, |_| ())? {
                Some(()) => present(number),
                None => self.put(by, tree, row.key, row.value)?,
            }
        }
        Ok(())
    }

    fn remove(&self, by: TxnId, tree: TreeId, key: &[u8]) -> Result<bool, Fault> {
        let mut room = self.journal.reserve(2 * key.len() + MAX_INLINE + 256)?;
        let mut state = self.change();
        let Some(old) = state.tree(tree)?.rows.get(key) else {
            return Ok(false);
        };
        let back = taking_back(tree, key, Some(old));
        let undo = Undo::Logical(&back);
        Self::log(
            &mut room,
            &mut state,
            Some(by),
            tree,
            &Operation::Remove(key),
            undo,
        );
        Ok(true)
    }

    fn write_chain(&self, by: TxnId, tree: TreeId, from: &mut dyn Read, limit: u64) -> Result<Chain, Fault> {
        self.look().tree(tree)?;
        let head = self.change().next_head();
        let free = logical::encode(tree, &Operation::Free(head));
        let mut piece = vec![0; CHAIN_PIECE];
        let mut len = 0;
        loop {
            let count = chunk::fill(from, &mut piece)?;
            len = chunk::grow(len, count, limit)?;
            if count == 0 && len > 0 {
                return Ok(Chain { head, len });
            }
            let operation = Operation::Extend(head, &piece[..count]);
            self.log_alone(Some(by), tree, &operation, Undo::Logical(&free))?;
            if count < piece.len() {
                return Ok(Chain { head, len });
            }
        }
    }

    fn read_chain(
        &self,
        chain: Chain,
        at: u64,
        _hint: &mut Option<(u64, PageId)>,
        into: &mut [u8],
    ) -> Result<usize, Fault> {
        let state = self.look();
        let bytes = state.chain(chain.head)?;
        let rest = usize::try_from(at)
            .ok()
            .and_then(|at| bytes.get(at..))
            .unwrap_or(&[]);
        let count = rest.len().min(into.len());
        into[..count].copy_from_slice(&rest[..count]);
        Ok(count)
    }

    fn release(&self, tree: TreeId, key: &[u8]) -> Result<bool, Fault> {
        let operation = Operation::Release(key);
        let mut room = self.journal.reserve(room_for(&operation, Undo::Never))?;
        let mut state = self.change();
        if !state.tree(tree)?.rows.contains_key(key) {
            return Ok(false);
        }
        Self::log(&mut room, &mut state, None, tree, &operation, Undo::Never);
        Ok(true)
    }

    fn purge(
        &self,
        tree: TreeId,
        key: &[u8],
        mut dead: impl FnMut(&[u8], Value<'_>) -> bool,
    ) -> Result<Option<Vec<u8>>, Fault> {
        let mut room = self.journal.reserve(ROWS_A_STEP * (MAX_KEY + 256))?;
        let (mut last, mut found) = (None, Vec::new());
        let mut state = self.change();
        for (key, row) in state
            .tree(tree)?
            .rows
            .range::<[u8], _>((Bound::Included(key), Bound::Unbounded))
            .take(ROWS_A_STEP)
        {
            if dead(key, row.as_value()) && row.chain.is_none() {
                found.push(key.clone());
            }
            last = Some(key.clone());
        }
        for key in found {
            let operation = Operation::Release(&key);
            Self::log(&mut room, &mut state, None, tree, &operation, Undo::Never);
        }
        Ok(last)
    }

    fn seek(&self, tree: TreeId, range: Range<'_>) -> Result<Self::Cursor, Fault> {
        self.look().tree(tree)?;
        Ok(MemoryCursor {
            tree,
            from: range.from.map(<[u8]>::to_vec),
            to: range.to.map(<[u8]>::to_vec),
            backward: range.backward,
        })
    }

    fn next(
        &self,
        at: &mut Self::Cursor,
        mut show: impl FnMut(&[u8], Value<'_>) -> ControlFlow<()>,
    ) -> Result<bool, Fault> {
        let state = self.look();
        let (from, to) = (as_slices(&at.from), as_slices(&at.to));
        if is_empty(from, to) {
            return Ok(false);
        }
        let rows = state.tree(at.tree)?.rows.range::<[u8], _>((from, to));
        let mut last = None;
        let mut visit = |(key, stored): (&Vec<u8>, &Stored)| {
            last = Some(key.clone());
            show(key, stored.as_value()).is_break()
        };
        let _stopped = if at.backward {
            rows.rev().take(ROWS_A_STEP).any(&mut visit)
        } else {
            rows.take(ROWS_A_STEP).any(&mut visit)
        };
        let Some(last) = last else { return Ok(false) };
        if at.backward {
            at.to = Bound::Excluded(last);
        } else {
            at.from = Bound::Excluded(last);
        }
        Ok(true)
    }

    fn redo(&self, lsn: Lsn, page: PageId, change: &[u8]) -> Result<(), Fault> {
        let (tree, operation) = logical::decode(change)?;
        if tree.raw() != page.raw() {
            return Err(Fault::corrupt_log(
                FILE,
                lsn,
                "an operation on another tree than its page says",
            ));
        }
        self.change().apply(lsn, tree, &operation);
        Ok(())
    }

    fn redone(&self) -> Result<(), Fault> {
        Ok(())
    }

    fn undo(&self, by: TxnId, change: &[u8], at: UndoNext, next: Lsn) -> Result<(), Fault> {
        let (tree, operation) = logical::decode(change)?;
        logical::check_done(&operation, at.done)?;
        let undo = Undo::Compensates(UndoNext::at(next));
        let mut room = self.journal.reserve_undo(room_for(&operation, undo))?;
        Self::log(&mut room, &mut self.change(), Some(by), tree, &operation, undo);
        Ok(())
    }

    fn redo_from(&self) -> Option<Lsn> {
        self.look().first
    }

    fn flush(&self) -> Result<(), Fault> {
        Ok(())
    }
}

#[cfg(test)]
mod tests;
