//! [`MvccTransaction`]: reading at a snapshot, writing the newest version.
//!
//! Writing a key: under the key's stripe look at the newest version. If a running transaction wrote it, let the stripe go, [stand in line](super::waiting) for the key, wait for
//! that transaction's end, look again. If a commit that the snapshot does not see wrote it, refuse: the first to update wins. Else [put](super::write) the new version in its
//! place and the old one into the history tree. So a row needs no entry in the lock table: its writer's id is its lock, and only those who wait
//! lock the key itself, first come, first served.
//!
//! What a transaction remembers is bounded: its id, its snapshot, a few thousand [leftovers](super::write::Leftovers), its savepoints, the trees it drops, and
//! its part of the memory for [gathered puts](super::batch).

use super::MvccEngine;
use super::batch::Batch;
use super::counts::Difference;
use super::cursor::MvccCursor;
use super::keys;
use super::reader::ChainReader;
use super::reading::View;
use super::snapshots::Snapshot;
use super::source::Source;
use super::ssi::{Extent, Ticket};
use super::version::{Header, MAX_HEADER, Version};
use super::write::{Leftovers, New};
use crate::engine::{
    Begin, EngineCursor, EngineSavepoint, EngineTransaction, Isolation, MAX_VALUE, Strength, Timestamp,
    count_by_walking,
};
use crate::error::Error;
use godb_txn::sync::atomic::{AtomicU64, Ordering};
use godb_txn::sync::{Mutex, planted};
use godb_txn::{Chain, Fault, Mode, Patience, Range, Savepoint, Transactions, Tree, TreeId, TxnId, Value};
use std::collections::BTreeSet;
use std::io::Read;
use std::sync::Arc;

/// What a transaction's cursors and readers must know of it.
#[derive(Default)]
pub(super) struct Own {
    id: AtomicU64,
    rollbacks: AtomicU64,
}

impl Own {
    /// What the transaction sees at `at`.
    pub(super) fn view(&self, at: Timestamp) -> View {
        View {
            own: TxnId::from_raw(self.id.load(Ordering::Acquire)),
            at,
        }
    }

    /// How often something was taken back.
    pub(super) fn rollbacks(&self) -> u64 {
        self.rollbacks.load(Ordering::Acquire)
    }

    fn count_rollback(&self) {
        self.rollbacks.fetch_add(1, Ordering::AcqRel);
    }
}

/// A point to return to: in the log, and in the lists of what happens at commit.
#[derive(Clone)]
struct Point {
    log: Savepoint,
    left: usize,
    dropped: usize,
    difference: Difference,
}

/// A transaction of the engine.
pub(super) struct MvccTransaction<T: Transactions> {
    pub(super) how: Begin,
    pub(super) snapshot: Arc<Snapshot<T>>,
    wall: i64,
    own: Arc<Own>,
    /// Given at the first write.
    id: Option<TxnId>,
    /// How it waits for others.
    pub(super) patience: Patience,
    /// Its part in the watching over serializable transactions, if it is one.
    pub(super) ticket: Option<Arc<Ticket>>,
    dropped: Vec<TreeId>,
    points: Vec<Point>,
    /// Behind a lock because a read makes the puts that were gathered.
    writes: Mutex<Writes>,
}

/// What a transaction remembers of its writing.
#[derive(Default)]
pub(super) struct Writes {
    pub(super) left: Leftovers,
    /// Trees in which it holds explicit key locks.
    pub(super) explicit: BTreeSet<TreeId>,
    /// By how much the numbers of rows have changed.
    pub(super) difference: Difference,
    /// Puts that are not made yet.
    pub(super) batch: Batch,
    /// Why nothing but rolling back is right.
    pub(super) failed: Option<Error>,
}

impl<T: Transactions> MvccTransaction<T> {
    pub(super) fn new(
        how: Begin,
        snapshot: Arc<Snapshot<T>>,
        wall: i64,
        ticket: Option<Arc<Ticket>>,
    ) -> Self {
        // Without versions one needs an id to lock what one reads.
        let id = (!snapshot.engine.keeps_versions()).then(|| snapshot.engine.give_id(how));
        let own = Own::default();
        own.id.store(id.unwrap_or_default().raw(), Ordering::Release);
        Self {
            how,
            snapshot,
            wall,
            own: Arc::new(own),
            id,
            patience: Patience::default(),
            ticket,
            dropped: Vec::new(),
            points: Vec::new(),
            writes: Mutex::default(),
        }
    }

    /// Who it is to those who meet its rows, once it has written.
    pub(super) fn writer(&self) -> Option<TxnId> {
        self.id
    }

    /// Whether a cursor or a reader of it is alive.
    pub(super) fn is_watched(&self) -> bool {
        Arc::strong_count(&self.own) > 1
    }

    pub(super) fn engine(&self) -> &MvccEngine<T> {
        &self.snapshot.engine
    }

    pub(super) fn view(&self) -> View {
        self.own.view(self.snapshot.view_at())
    }

    /// Before a read: what was gathered is made, for it is to be seen.
    pub(super) fn check_readable(&self, tree: TreeId) -> Result<(), Error> {
        if self.id.is_some() {
            let mut writes = self.writes.lock();
            if let Some(error) = &writes.failed {
                return Err(error.clone());
            }
            self.end_streak(&mut writes)?;
        }
        if self.dropped.contains(&tree) {
            return Err(Error::NoSuchTree);
        }
        self.engine().dropped.check_read(tree, self.snapshot.view_at())
    }

    /// The id, given now if this is the first write.
    fn writing(&mut self) -> Result<TxnId, Error> {
        if self.how.read_only || self.how.as_of.is_some() {
            return Err(Error::ReadOnlyTransaction);
        }
        if let Some(error) = &self.writes.lock().failed {
            return Err(error.clone());
        }
        let engine = self.engine();
        if let Some(id) = self.id {
            // A row that is written is its own lock: nobody else would tell that an older transaction waits for it.
            if let Err(error) = engine.below.check(id) {
                let error = Error::from(error);
                self.writes.lock().failed = Some(error.clone());
                return Err(error);
            }
            return Ok(id);
        }
        let id = engine.give_id(self.how);
        self.id = Some(id);
        self.own.id.store(id.raw(), Ordering::Release);
        Ok(id)
    }

    fn writing_key(&mut self, tree: TreeId, key: &[u8]) -> Result<TxnId, Error> {
        let by = self.writing()?;
        if self.dropped.contains(&tree) {
            return Err(Error::NoSuchTree);
        }
        let limit = self.engine().longest_key();
        if key.len() > limit {
            let (what, got, limit) = ("a key", key.len() as u64, limit as u64);
            return Err(Fault::TooLarge { what, got, limit }.into());
        }
        self.engine().dropped.check_write(tree, self.snapshot.view_at())?;
        Ok(by)
    }

    /// For a change that is not a put of bytes: what was gathered comes first.
    fn changing_key(&mut self, tree: TreeId, key: &[u8]) -> Result<TxnId, Error> {
        let by = self.writing_key(tree, key)?;
        self.end_streak(&mut self.writes.lock())?;
        Ok(by)
    }

    /// After a fatal error only rolling back is right.
    pub(super) fn note_failure(&self, error: &Error) {
        if error.is_fatal_to_transaction() {
            self.writes.lock().failed = Some(error.clone());
        }
    }

    /// The same for the result of a request.
    fn note<R>(&self, tree: TreeId, result: Result<R, Error>) -> Result<R, Error> {
        let result = result.map_err(|error| self.engine().about_tree(tree, error));
        result.inspect_err(|error| self.note_failure(error))
    }

    /// The longest value that lies in its leaf.
    fn max_inline(&self) -> usize {
        self.engine().tree().max_inline().saturating_sub(MAX_HEADER)
    }

    fn put_bytes(&self, by: TxnId, tree: TreeId, key: &[u8], value: &[u8]) -> Result<(), Error> {
        let mut writes = self.writes.lock();
        if value.len() > self.max_inline() {
            self.end_streak(&mut writes)?;
            let mut bytes = value;
            return self
                .put_stream(&mut writes, by, (tree, key), Source::new(&mut bytes))
                .map(drop);
        }
        if self.gathers(&mut writes, by, (tree, key), value)? {
            return Ok(());
        }
        self.write(&mut writes, by, tree, key, New::Put(Value::inline(value)))
            .map(drop)
    }

    /// Puts a value into a chain first, and then the row. What was written of the chain is given back when either fails.
    fn put_stream(
        &self,
        writes: &mut Writes,
        by: TxnId,
        (tree, key): (TreeId, &[u8]),
        value: Source<'_>,
    ) -> Result<u64, Error> {
        let snapshot = self.snapshot.clone();
        let engine = &*snapshot.engine;
        let mark = engine.below.savepoint(by);
        let result = write_chain(engine, by, tree, value).and_then(|chain| {
            let stored = Value {
                inline: b"",
                chain: Some(chain),
            };
            self.write(writes, by, tree, key, New::Put(stored))?;
            Ok(chain.len)
        });
        if result.is_err() {
            engine.below.roll_back_to(by, mark)?;
        }
        result
    }

    fn put_from(&mut self, tree: TreeId, key: &[u8], value: &mut dyn Read) -> Result<u64, Error> {
        let by = self.changing_key(tree, key)?;
        self.mark_write(by, tree, Extent::key(key))?;
        // A short value lies in the leaf like any other; what was read to find out comes first in the stream.
        let room = self.max_inline();
        let head = Source::new(value).read_some(room + 1)?;
        let mut writes = self.writes.lock();
        if head.len() <= room {
            self.write(&mut writes, by, tree, key, New::Put(Value::inline(&head)))?;
            return Ok(head.len() as u64);
        }
        let value = &mut head.as_slice().chain(value);
        self.put_stream(&mut writes, by, (tree, key), Source::new(value))
    }

    fn drop_whole(&mut self, by: TxnId, tree: TreeId) -> Result<(), Error> {
        let header = Header {
            writer: by,
            tombstone: false,
            kept: false,
            previous: None,
        };
        let (bytes, chain) = (Vec::new(), None);
        let stored = Version { header, bytes, chain }.encode();
        let (key, history) = (keys::dropped(tree), self.engine().trees.history);
        self.engine()
            .tree()
            .put(by, history, &key, Value::inline(&stored))?;
        self.writes.lock().left.add_surely(key);
        self.dropped.push(tree);
        Ok(())
    }

    /// Frees what the transaction holds outside the lock manager.
    fn let_go(&mut self) {
        let mut writes = self.writes.lock();
        self.drop_batch(&mut writes);
        for tree in std::mem::take(&mut writes.explicit) {
            self.engine().claims.end_explicit(tree);
        }
    }

    fn undo_all(&mut self) -> Result<(), Error> {
        let result = match self.id.take() {
            Some(id) => {
                self.own.count_rollback();
                self.engine().below.roll_back(id)
            }
            None => Ok(()),
        };
        self.stop_watching(false);
        self.let_go();
        Ok(result?)
    }

    /// Commits what was changed; whatever comes of that, there is nothing left to take back.
    fn commit_changes(&mut self, id: TxnId) -> Result<Timestamp, Error> {
        let engine = self.snapshot.engine.clone();
        // Writers are kept off before anybody can see that the trees are gone.
        for tree in &self.dropped {
            engine.dropped.add(*tree, Timestamp(u64::MAX));
        }
        let difference = std::mem::take(&mut self.writes.lock().difference);
        engine.commits.announce(id, difference);
        let result = engine.below.commit(id);
        self.id = None;
        self.let_go();
        let at = match result {
            Ok(at) if at.raw() > 0 => Timestamp(at.raw()),
            other => {
                self.stop_watching(other.is_ok());
                self.dropped.iter().for_each(|tree| engine.dropped.remove(*tree));
                return Ok(other.map(|_| self.snapshot.at())?);
            }
        };
        if let Some(ticket) = self.ticket.take() {
            engine.serial.committed(&ticket, at);
        }
        for tree in &self.dropped {
            engine.dropped.add(*tree, at);
        }
        if !engine.queue.lock().add(at, &mut self.writes.lock().left) {
            engine.deletions_lost.store(true, Ordering::Release);
        }
        engine.help_out();
        Ok(at)
    }
}

fn write_chain<T: Transactions>(
    engine: &MvccEngine<T>,
    by: TxnId,
    tree: TreeId,
    mut value: Source<'_>,
) -> Result<Chain, Error> {
    let chain = engine.tree().write_chain(by, tree, &mut value, MAX_VALUE);
    chain.map_err(|fault| value.blame(fault))
}

impl<T: Transactions> Drop for MvccTransaction<T> {
    fn drop(&mut self) {
        // Nobody is left to hear of a failure; the layer below goes on with the rollback by itself.
        drop(self.undo_all());
    }
}

impl<T: Transactions> EngineTransaction for MvccTransaction<T> {
    fn get(&self, tree: TreeId, key: &[u8], show: &mut dyn FnMut(&[u8])) -> Result<bool, Error> {
        self.lock_to_read(tree, key)?;
        let found = self.look_up(tree, key, show)?;
        // That a key is not there was read, too.
        if found || !planted("missing-keys-unmarked") {
            self.mark_read(tree, Extent::key(key))?;
        }
        Ok(found)
    }

    fn get_reader(&self, tree: TreeId, key: &[u8]) -> Result<Option<Box<dyn Read + Send>>, Error> {
        self.check_readable(tree)?;
        self.lock_to_read(tree, key)?;
        self.mark_read(tree, Extent::key(key))?;
        let view = self.view();
        let visible = self.engine().visible(view, tree, key);
        let visible = visible.map_err(|error| self.engine().about_tree(tree, error))?;
        let Some(version) = visible else { return Ok(None) };
        Ok(Some(match version.chain {
            None => Box::new(std::io::Cursor::new(version.bytes)),
            Some(chain) => {
                let own = (version.header.writer == view.own).then(|| self.own.clone());
                let snapshot = self.snapshot.clone();
                Box::new(ChainReader::new(snapshot, version.bytes, chain, own))
            }
        }))
    }

    fn put(&mut self, tree: TreeId, key: &[u8], value: &[u8]) -> Result<(), Error> {
        if value.len() as u64 > MAX_VALUE {
            let (what, got, limit) = ("a value", value.len() as u64, MAX_VALUE);
            return Err(Fault::TooLarge { what, got, limit }.into());
        }
        if self.id.is_none() {
            // What the first write has to do besides takes as long as its leaf from memory.
            self.engine().tree().expect(tree, key);
        }
        let by = self.writing_key(tree, key)?;
        self.mark_write(by, tree, Extent::key(key))?;
        let result = self.put_bytes(by, tree, key, value);
        self.note(tree, result)
    }

    fn put_reader(&mut self, tree: TreeId, key: &[u8], value: &mut dyn Read) -> Result<u64, Error> {
        let result = self.put_from(tree, key, value);
        self.note(tree, result)
    }

    fn delete(&mut self, tree: TreeId, key: &[u8]) -> Result<bool, Error> {
        let by = self.changing_key(tree, key)?;
        // It tells whether the key was there.
        self.mark_read(tree, Extent::key(key))?;
        let result = self.write(&mut self.writes.lock(), by, tree, key, New::Delete);
        let was_there = self.note(tree, result)?;
        if was_there {
            self.mark_write(by, tree, Extent::key(key))?;
        }
        Ok(was_there)
    }

    fn lock(&mut self, tree: TreeId, key: &[u8], strength: Strength) -> Result<(), Error> {
        let by = self.changing_key(tree, key)?;
        let result = self.lock_key(&mut self.writes.lock(), by, tree, key, strength);
        self.note(tree, result)
    }

    fn try_lock(&mut self, tree: TreeId, key: &[u8], strength: Strength) -> Result<bool, Error> {
        let by = self.changing_key(tree, key)?;
        let result = self.try_lock_key(&mut self.writes.lock(), by, tree, key, strength);
        self.note(tree, result)
    }

    fn scan(&self, tree: TreeId, range: Range<'_>) -> Result<Box<dyn EngineCursor>, Error> {
        self.check_readable(tree)?;
        self.lock_to_scan(tree, range)?;
        let (snapshot, own) = (self.snapshot.clone(), self.own.clone());
        let cursor = MvccCursor::open(snapshot, own, self.ticket.clone(), tree, range);
        let cursor = cursor.map_err(|error| self.engine().about_tree(tree, error))?;
        Ok(Box::new(cursor))
    }

    fn count(&self, tree: TreeId) -> Result<u64, Error> {
        self.check_readable(tree)?;
        self.lock_to_count(tree, Mode::Shared)?;
        self.mark_read(tree, Extent::ALL)?;
        let committed = self.engine().commits.counts.at(tree, self.snapshot.view_at());
        let own = self.writes.lock().difference.of(tree);
        match committed.and_then(|rows| rows.checked_add_signed(own)) {
            Some(rows) if rows > 0 => Ok(rows),
            // Or the tree is not there any more.
            _ => count_by_walking(self, tree),
        }
    }

    fn create_tree(&mut self) -> Result<TreeId, Error> {
        let by = self.writing()?;
        self.end_streak(&mut self.writes.lock())?;
        let created = self.engine().tree().create(by);
        self.note(self.engine().trees.root, created.map_err(Error::from))
    }

    fn drop_tree(&mut self, tree: TreeId) -> Result<(), Error> {
        let by = self.changing_key(tree, b"")?;
        self.lock_to_count(tree, Mode::Exclusive)?;
        self.mark_write(by, tree, Extent::ALL)?;
        let result = self.drop_whole(by, tree);
        self.note(tree, result)
    }

    fn savepoint(&mut self) -> Result<EngineSavepoint, Error> {
        self.end_streak(&mut self.writes.lock())?;
        let below = &self.engine().below;
        let log = self
            .id
            .map_or_else(Savepoint::beginning, |id| below.savepoint(id));
        let writes = self.writes.lock();
        self.points.push(Point {
            log,
            left: writes.left.keys.len(),
            dropped: self.dropped.len(),
            difference: writes.difference.clone(),
        });
        drop(writes);
        Ok(EngineSavepoint(self.points.len() as u64 - 1))
    }

    fn roll_back_to(&mut self, to: EngineSavepoint) -> Result<(), Error> {
        let at = usize::try_from(to.raw()).unwrap_or(usize::MAX);
        let Some(point) = self.points.get(at).cloned() else {
            return Err(Error::Unsupported {
                what: "rolling back to a savepoint that is gone",
            });
        };
        self.drop_batch(&mut self.writes.lock());
        if let Some(id) = self.id {
            self.own.count_rollback();
            let result = self.engine().below.roll_back_to(id, point.log);
            self.note(self.engine().trees.root, result.map_err(Error::from))?;
        }
        let mut writes = self.writes.lock();
        writes.left.keys.truncate(point.left);
        writes.difference = point.difference;
        // What a batch lost was put since the savepoint, too.
        writes.failed.take_if(|error| !error.is_fatal_to_transaction());
        self.dropped.truncate(point.dropped);
        self.points.truncate(at + 1);
        Ok(())
    }

    fn set_patience(&mut self, patience: Patience) {
        self.patience = patience;
    }

    fn next_statement(&mut self) -> Result<(), Error> {
        self.end_streak(&mut self.writes.lock())?;
        if self.how.isolation == Isolation::ReadCommitted && self.how.as_of.is_none() {
            let engine = self.snapshot.engine.clone();
            let place = engine.snapshots.take(&engine.commits);
            self.snapshot = Snapshot::new(engine, place);
            // A conflict was with the statement before; this one sees what it conflicted with.
            let mut writes = self.writes.lock();
            writes.failed.take_if(|error| matches!(error, Error::Conflict));
        }
        self.writes.lock().failed.clone().map_or(Ok(()), Err)
    }

    fn id(&self) -> Option<TxnId> {
        self.id
    }

    fn snapshot(&self) -> Timestamp {
        self.snapshot.at()
    }

    fn wall_micros(&self) -> i64 {
        self.wall
    }

    fn commit(mut self: Box<Self>) -> Result<Timestamp, Error> {
        self.end_streak(&mut self.writes.lock())?;
        if let Some(error) = &self.writes.lock().failed {
            return Err(error.clone());
        }
        if let Some(ticket) = &self.ticket {
            self.engine().serial.prepare(ticket)?;
        }
        match self.id {
            Some(id) => self.commit_changes(id),
            None => {
                self.stop_watching(true);
                Ok(self.snapshot.at())
            }
        }
    }

    fn roll_back(mut self: Box<Self>) -> Result<(), Error> {
        self.undo_all()
    }
}
