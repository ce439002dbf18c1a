//! A transaction of the engine in memory.

use super::cursor::{MemoryCursor, places};
use super::row::Content;
use super::{MemoryEngine, Place, State};
use crate::engine::{
    Begin, EngineCursor, EngineSavepoint, EngineTransaction, Isolation, MAX_VALUE, Strength, Timestamp,
};
use crate::error::Error;
use godb_txn::sync::{Mutex, wait_for};
use godb_txn::{Fault, Patience, Range, TreeId, TxnId};
use std::collections::BTreeSet;
use std::io::Read;
use std::ops::Bound;
use std::sync::Arc;
use std::time::Duration;

/// How often one who waits looks whether to go on.
const BETWEEN_LOOKS: Duration = Duration::from_millis(10);

/// A tree, and what of it was read.
type Span = (TreeId, Bound<Vec<u8>>, Bound<Vec<u8>>);

/// One change, with what it replaced, for undoing.
enum Undo {
    Row(Place, Option<(u64, Content)>),
    Created(TreeId),
    Dropped(TreeId),
}

/// The range of one key.
fn one(key: &[u8]) -> Range<'_> {
    Range {
        from: Bound::Included(key),
        to: Bound::Included(key),
        backward: false,
    }
}

/// A transaction.
pub(super) struct MemoryTransaction {
    engine: Arc<MemoryEngine>,
    how: Begin,
    owner: u64,
    snapshot: u64,
    wall: i64,
    undo: Vec<Undo>,
    locked: BTreeSet<Place>,
    dropped: BTreeSet<TreeId>,
    /// What it has read, if that must not have changed when it commits.
    read: Option<Mutex<Vec<Span>>>,
    /// It hit an error after which only rolling back is right.
    failed: Option<Error>,
    ended: bool,
    patience: Patience,
}

impl MemoryTransaction {
    pub(super) fn new(engine: Arc<MemoryEngine>, how: Begin, owner: u64, snapshot: u64, wall: i64) -> Self {
        let validates = how.isolation == Isolation::Serializable && !how.read_only && how.as_of.is_none();
        Self {
            engine,
            how,
            owner,
            snapshot,
            wall,
            undo: Vec::new(),
            locked: BTreeSet::new(),
            dropped: BTreeSet::new(),
            read: validates.then(Mutex::default),
            failed: None,
            ended: false,
            patience: Patience::default(),
        }
    }

    /// Remembers what is read, where that matters.
    fn note_read(&self, tree: TreeId, range: Range<'_>) {
        if let Some(read) = &self.read {
            let own = |bound: Bound<&[u8]>| bound.map(<[u8]>::to_vec);
            read.lock().push((tree, own(range.from), own(range.to)));
        }
    }

    /// Whether all that was read is as it was.
    fn validate(&self, state: &State) -> Result<(), Error> {
        let Some(read) = &self.read else { return Ok(()) };
        for (tree, from, to) in &*read.lock() {
            let rows = places(*tree, from, to).map(|places| state.rows.range(places));
            if rows
                .into_iter()
                .flatten()
                .any(|(_, row)| row.changed_since(self.snapshot))
            {
                return Err(Error::Dependencies);
            }
        }
        Ok(())
    }

    fn check(&self, state: &State, tree: TreeId) -> Result<(), Error> {
        if let Some(error) = &self.failed {
            return Err(error.clone());
        }
        // A tree that was dropped after this snapshot is still there for it.
        let there = match state.trees.get(&tree) {
            None => false,
            Some(None) => true,
            Some(Some(at)) => *at > self.snapshot,
        };
        if there && !self.dropped.contains(&tree) {
            Ok(())
        } else {
            Err(Error::NoSuchTree)
        }
    }

    /// A tree that was dropped after this snapshot can be read but not written.
    fn check_write(&self, state: &State, tree: TreeId) -> Result<(), Error> {
        self.check(state, tree)?;
        match state.trees.get(&tree) {
            Some(Some(_)) => Err(Error::Conflict),
            _ => Ok(()),
        }
    }

    fn writable(&self, key: &[u8]) -> Result<(), Error> {
        if self.how.read_only || self.how.as_of.is_some() {
            return Err(Error::ReadOnlyTransaction);
        }
        if key.len() > super::MAX_KEY {
            let (got, limit) = (key.len() as u64, super::MAX_KEY as u64);
            return Err(Fault::TooLarge {
                what: "a key",
                got,
                limit,
            }
            .into());
        }
        Ok(())
    }

    /// Locks a row, waiting for those who hold it, and sees to it that it is the row this transaction sees.
    fn lock_row(&mut self, tree: TreeId, key: &[u8], strength: Strength) -> Result<(), Error> {
        self.lock_row_or_not(tree, key, strength, true).map(drop)
    }

    /// Locks a row; tells whether it did, which without waiting it may not.
    fn lock_row_or_not(
        &mut self,
        tree: TreeId,
        key: &[u8],
        strength: Strength,
        wait: bool,
    ) -> Result<bool, Error> {
        self.writable(key)?;
        let result = self.take_row(tree, key, strength, wait);
        if let Err(error) = &result
            && error.is_fatal_to_transaction()
        {
            self.failed = Some(error.clone());
        }
        result
    }

    /// Whether it was told to wait no longer.
    fn is_interrupted(&self) -> bool {
        let interrupt = self.patience.interrupt.as_ref();
        interrupt.is_some_and(|interrupt| interrupt.is_requested())
    }

    fn take_row(&mut self, tree: TreeId, key: &[u8], strength: Strength, wait: bool) -> Result<bool, Error> {
        let place = (tree, key.to_vec());
        let engine = self.engine.clone();
        let timeout = self.patience.timeout.unwrap_or(engine.lock_timeout);
        let mut left = timeout;
        let mut state = engine.state.lock();
        self.check_write(&state, tree)?;
        while !state
            .rows
            .entry(place.clone())
            .or_default()
            .lock(self.owner, strength)
        {
            if !wait {
                return Ok(false);
            }
            if self.is_interrupted() {
                return Err(Error::Interrupted);
            }
            if left.is_zero() {
                let waited_ms = u64::try_from(timeout.as_millis()).unwrap_or(u64::MAX);
                return Err(Error::LockTimeout { waited_ms });
            }
            let slice = left.min(BETWEEN_LOOKS);
            if wait_for(&engine.ended, &mut state, slice) {
                left -= slice;
            }
        }
        let changed = state
            .rows
            .get(&place)
            .is_some_and(|row| row.changed_since(self.snapshot));
        self.locked.insert(place);
        if changed { Err(Error::Conflict) } else { Ok(true) }
    }

    /// Sets a row; tells whether this transaction saw it before.
    fn set(&mut self, tree: TreeId, key: &[u8], content: Content) -> Result<bool, Error> {
        let place = (tree, key.to_vec());
        let held_before = self.locked.contains(&place);
        self.lock_row(tree, key, Strength::Exclusive)?;
        let engine = self.engine.clone();
        let mut state = engine.state.lock();
        let row = state.rows.entry(place.clone()).or_default();
        let seen = row.visible(self.owner, self.snapshot).is_some();
        if content.is_some() || seen {
            let before = row.set_pending(Some((self.owner, content)));
            self.undo.push(Undo::Row(place, before));
        } else if !held_before {
            // Nothing to delete, so nothing to keep others off.
            row.unlock(self.owner);
            state.garbage.insert(place.clone());
            self.locked.remove(&place);
            engine.ended.notify_all();
        }
        Ok(seen)
    }

    fn undo_to(&mut self, length: usize) {
        let mut state = self.engine.state.lock();
        while self.undo.len() > length {
            match self.undo.pop() {
                Some(Undo::Row(place, before)) => {
                    if let Some(row) = state.rows.get_mut(&place) {
                        row.set_pending(before);
                    }
                }
                Some(Undo::Created(tree)) => {
                    state.trees.remove(&tree);
                }
                Some(Undo::Dropped(tree)) => {
                    self.dropped.remove(&tree);
                }
                None => {}
            }
        }
    }

    /// Frees everything the transaction holds.
    fn end(&mut self, state: &mut State) {
        self.ended = true;
        for place in std::mem::take(&mut self.locked) {
            if let Some(row) = state.rows.get_mut(&place) {
                row.unlock(self.owner);
                state.garbage.insert(place);
            }
        }
        state.release_snapshot(self.snapshot);
        self.engine.ended.notify_all();
    }

    fn abandon(&mut self) {
        if !self.ended {
            self.undo_to(0);
            let engine = self.engine.clone();
            self.end(&mut engine.state.lock());
        }
    }
}

impl Drop for MemoryTransaction {
    fn drop(&mut self) {
        self.abandon();
    }
}

impl EngineTransaction for MemoryTransaction {
    fn get(&self, tree: TreeId, key: &[u8], show: &mut dyn FnMut(&[u8])) -> Result<bool, Error> {
        let state = self.engine.state.lock();
        self.check(&state, tree)?;
        self.note_read(tree, one(key));
        let row = state.rows.get(&(tree, key.to_vec()));
        let content = row.and_then(|row| row.visible(self.owner, self.snapshot));
        if let Some(content) = content {
            show(content);
        }
        Ok(content.is_some())
    }

    fn get_reader(&self, tree: TreeId, key: &[u8]) -> Result<Option<Box<dyn Read + Send>>, Error> {
        let mut value = Vec::new();
        let there = self.get(tree, key, &mut |bytes| value.extend_from_slice(bytes))?;
        Ok(there.then(|| Box::new(std::io::Cursor::new(value)) as Box<dyn Read + Send>))
    }

    fn put(&mut self, tree: TreeId, key: &[u8], value: &[u8]) -> Result<(), Error> {
        if value.len() as u64 > MAX_VALUE {
            return Err(Fault::TooLarge {
                what: "a value",
                got: value.len() as u64,
                limit: MAX_VALUE,
            }
            .into());
        }
        self.set(tree, key, Some(value.into())).map(drop)
    }

    fn put_reader(&mut self, tree: TreeId, key: &[u8], value: &mut dyn Read) -> Result<u64, Error> {
        let mut bytes = Vec::new();
        let read = value.take(MAX_VALUE + 1).read_to_end(&mut bytes);
        read.map_err(|error| Error::Source {
            why: error.to_string(),
        })?;
        self.put(tree, key, &bytes)?;
        Ok(bytes.len() as u64)
    }

    fn delete(&mut self, tree: TreeId, key: &[u8]) -> Result<bool, Error> {
        self.note_read(tree, one(key));
        self.set(tree, key, None)
    }

    fn lock(&mut self, tree: TreeId, key: &[u8], strength: Strength) -> Result<(), Error> {
        self.lock_row(tree, key, strength)
    }

    fn try_lock(&mut self, tree: TreeId, key: &[u8], strength: Strength) -> Result<bool, Error> {
        self.lock_row_or_not(tree, key, strength, false)
    }

    fn scan(&self, tree: TreeId, range: Range<'_>) -> Result<Box<dyn EngineCursor>, Error> {
        self.check(&self.engine.state.lock(), tree)?;
        self.note_read(tree, range);
        Ok(Box::new(MemoryCursor::new(
            self.engine.clone(),
            self.owner,
            self.snapshot,
            tree,
            range,
        )))
    }

    fn create_tree(&mut self) -> Result<TreeId, Error> {
        self.writable(b"")?;
        let mut state = self.engine.state.lock();
        let tree = TreeId::from_raw(state.next_tree);
        state.next_tree += 1;
        state.trees.insert(tree, None);
        self.undo.push(Undo::Created(tree));
        Ok(tree)
    }

    fn drop_tree(&mut self, tree: TreeId) -> Result<(), Error> {
        self.writable(b"")?;
        self.check_write(&self.engine.state.lock(), tree)?;
        self.dropped.insert(tree);
        self.undo.push(Undo::Dropped(tree));
        Ok(())
    }

    fn savepoint(&mut self) -> Result<EngineSavepoint, Error> {
        Ok(EngineSavepoint(self.undo.len() as u64))
    }

    fn roll_back_to(&mut self, to: EngineSavepoint) -> Result<(), Error> {
        self.undo_to(usize::try_from(to.raw()).unwrap_or(usize::MAX));
        Ok(())
    }

    fn set_patience(&mut self, patience: Patience) {
        self.patience = patience;
    }

    fn next_statement(&mut self) -> Result<(), Error> {
        if self.how.isolation == Isolation::ReadCommitted && self.how.as_of.is_none() {
            let mut state = self.engine.state.lock();
            let now = state.now;
            state.use_snapshot(now);
            state.release_snapshot(self.snapshot);
            drop(state);
            self.snapshot = now;
            // A conflict was with the statement before; this one sees what it conflicted with.
            self.failed.take_if(|error| matches!(error, Error::Conflict));
        }
        self.failed.clone().map_or(Ok(()), Err)
    }

    fn id(&self) -> Option<TxnId> {
        (!self.undo.is_empty()).then_some(TxnId::from_raw(self.owner))
    }

    fn snapshot(&self) -> Timestamp {
        Timestamp(self.snapshot)
    }

    fn wall_micros(&self) -> i64 {
        self.wall
    }

    fn commit(mut self: Box<Self>) -> Result<Timestamp, Error> {
        if let Some(error) = self.failed.clone() {
            return Err(error);
        }
        let engine = self.engine.clone();
        let mut state = engine.state.lock();
        let mut at = self.snapshot;
        if !self.undo.is_empty() {
            self.validate(&state)?;
            at = state.now + 1;
            state.commits.insert(self.owner, at);
            let last_wall = state.timeline.values().next_back().copied().unwrap_or(i64::MIN);
            state
                .timeline
                .insert(at, engine.environment.clock.wall_micros().max(last_wall));
            for undo in std::mem::take(&mut self.undo) {
                if let Undo::Row(place, _) = undo
                    && let Some(row) = state.rows.get_mut(&place)
                {
                    row.commit(self.owner, at);
                }
            }
            for tree in std::mem::take(&mut self.dropped) {
                state.trees.insert(tree, Some(at));
            }
            state.now = at;
        }
        self.end(&mut state);
        Ok(Timestamp(at))
    }

    fn roll_back(mut self: Box<Self>) -> Result<(), Error> {
        self.abandon();
        Ok(())
    }
}
