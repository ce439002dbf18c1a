//! [`MvccTransaction`]: reading at a snapshot, writing the newest version.
//!
//! Writing a key: under the key's stripe look at the newest version. If a running transaction wrote it, let the stripe go, wait for that transaction's end
//! (a shared lock on the transaction itself, which it holds exclusively), look again. If a commit that the snapshot does not see wrote it, refuse: the first to
//! update wins. Else move it to the history tree and put the new version in its place. So a row needs no entry in the lock table: its writer's id is its lock.

use super::cursor::MvccCursor;
use super::keys;
use super::reader::ChainReader;
use super::shared::{AtOnce, Garbage, Shared, View};
use super::snapshots::Snapshot;
use super::version::{Header, MAX_HEADER, Version};
use super::write::Decision;
use crate::engine::{
    Begin, EngineCursor, EngineSavepoint, EngineTransaction, Isolation, Strength, Timestamp,
};
use crate::error::Error;
use godb_txn::{Fault, Mode, Range, Resource, Savepoint, Transactions, Tree, TreeId, TxnId, Value};
use std::collections::BTreeSet;
use std::io::Read;
use std::sync::Arc;

/// The largest value, in bytes.
pub(super) const MAX_VALUE: u64 = 1 << 30;

/// A point to return to: in the log, and in the list of what will be garbage.
struct Point {
    log: Option<Savepoint>,
    garbage: usize,
    dropped: usize,
}

/// A transaction of the engine.
pub(super) struct MvccTransaction<T: Transactions> {
    pub(super) shared: Arc<Shared<T>>,
    how: Begin,
    snapshot: Arc<Snapshot>,
    wall: i64,
    /// Given at the first write.
    pub(super) id: Option<TxnId>,
    /// History entries that this transaction's commit makes unnecessary, sooner or later.
    pub(super) garbage: Vec<Vec<u8>>,
    dropped: Vec<TreeId>,
    points: Vec<Point>,
    explicit: BTreeSet<TreeId>,
    pub(super) chains: u32,
    failed: Option<Error>,
}

impl<T: Transactions> MvccTransaction<T> {
    pub(super) fn new(shared: Arc<Shared<T>>, how: Begin, snapshot: Arc<Snapshot>, wall: i64) -> Self {
        Self {
            shared,
            how,
            snapshot,
            wall,
            id: None,
            garbage: Vec::new(),
            dropped: Vec::new(),
            points: Vec::new(),
            explicit: BTreeSet::new(),
            chains: 0,
            failed: None,
        }
    }

    pub(super) fn view(&self) -> View {
        View {
            own: self.id,
            at: self.snapshot.at(),
        }
    }

    /// The id, given now if this is the first write.
    fn writing(&mut self) -> Result<TxnId, Error> {
        if self.how.read_only || self.how.as_of.is_some() {
            return Err(Error::ReadOnlyTransaction);
        }
        if let Some(error) = &self.failed {
            return Err(error.clone());
        }
        let shared = &self.shared;
        Ok(*self
            .id
            .get_or_insert_with(|| shared.commits.begin(|| shared.below.begin())))
    }

    fn check_readable(&self) -> Result<(), Error> {
        self.failed.clone().map_or(Ok(()), Err)
    }

    fn check_key(&self, key: &[u8]) -> Result<(), Error> {
        let limit = super::max_key(&self.shared);
        // The history key is longer by its escapes: a key of nothing but zeros takes twice its length.
        let zeros = key.iter().filter(|byte| **byte == 0).count();
        if key.len() + zeros <= limit {
            return Ok(());
        }
        Err(Fault::TooLarge {
            what: "a key",
            got: (key.len() + zeros) as u64,
            limit: limit as u64,
        }
        .into())
    }

    /// After this error only rolling back is right.
    fn note<R>(&mut self, result: Result<R, Error>) -> Result<R, Error> {
        if let Err(error) = &result
            && error.is_fatal_to_transaction()
        {
            self.failed = Some(error.clone());
        }
        result
    }

    fn put_bytes(&mut self, tree: TreeId, key: &[u8], value: &[u8]) -> Result<(), Error> {
        self.check_key(key)?;
        let by = self.writing()?;
        if value.len() + MAX_HEADER > self.shared.tree().max_inline() {
            return self.put_stream(by, tree, key, &mut &*value).map(drop);
        }
        self.write(by, tree, key, |header| Some((header, Value::inline(value))))
            .map(drop)
    }

    fn put_stream(
        &mut self,
        by: TxnId,
        tree: TreeId,
        key: &[u8],
        value: &mut dyn Read,
    ) -> Result<u64, Error> {
        let chain = self.shared.tree().write_chain(by, tree, value, MAX_VALUE)?;
        self.write(by, tree, key, |header| {
            Some((
                header,
                Value {
                    inline: b"",
                    chain: Some(chain),
                },
            ))
        })?;
        Ok(chain.len)
    }

    fn lock_key(&mut self, tree: TreeId, key: &[u8], strength: Strength) -> Result<(), Error> {
        self.check_key(key)?;
        let by = self.writing()?;
        if self.explicit.insert(tree) {
            self.shared.begin_explicit(tree);
        }
        let mode = match strength {
            Strength::Shared => Mode::Shared,
            Strength::Exclusive => Mode::Exclusive,
        };
        self.shared.below.lock(by, Resource::Key(tree, key), mode)?;
        let view = self.view();
        loop {
            let decision = {
                let _stripe = self.shared.stripe(tree, key);
                Decision::about(&self.shared, view, self.shared.newest(tree, key)?)?
            };
            match decision {
                Decision::WaitFor(writer) => self.wait_for(by, writer)?,
                _ => return Ok(()),
            }
        }
    }

    /// Waits until a transaction has ended.
    pub(super) fn wait_for(&self, by: TxnId, writer: TxnId) -> Result<(), Error> {
        Ok(self
            .shared
            .below
            .lock(by, Resource::Transaction(writer), Mode::Shared)?)
    }

    /// Frees what the transaction holds outside the lock manager.
    fn let_go(&mut self) {
        for tree in std::mem::take(&mut self.explicit) {
            self.shared.end_explicit(tree);
        }
    }

    fn undo_all(&mut self) -> Result<(), Error> {
        let result = match self.id.take() {
            Some(id) => {
                let result = self.shared.below.roll_back(id);
                if result.is_ok() {
                    self.shared.commits.rolled_back(id);
                }
                result
            }
            None => Ok(()),
        };
        self.let_go();
        Ok(result?)
    }

    /// What was replaced goes to the collector.
    fn hand_over_garbage(&mut self, since: Timestamp) {
        if !self.garbage.is_empty() {
            let mut queue = self.shared.garbage.lock();
            queue.extend(self.garbage.drain(..).map(|key| Garbage { since, key }));
        }
    }
}

impl<T: Transactions> Drop for MvccTransaction<T> {
    fn drop(&mut self) {
        // Nobody is left to hear of a failure; it leaves the database poisoned, which the next one hears of.
        drop(self.undo_all());
    }
}

impl<T: Transactions> EngineTransaction for MvccTransaction<T> {
    fn get(&self, tree: TreeId, key: &[u8], show: &mut dyn FnMut(&[u8])) -> Result<bool, Error> {
        self.check_readable()?;
        let view = self.view();
        let glance = self
            .shared
            .tree()
            .get(tree, key, |value| self.shared.at_once(view, value, &mut *show))?;
        match glance.transpose()? {
            None | Some(AtOnce::Invisible) => Ok(false),
            Some(AtOnce::Shown(())) => Ok(true),
            Some(AtOnce::LookFurther) => match self.shared.visible(view, tree, key)? {
                Some(version) => {
                    show(&self.shared.bytes(version)?);
                    Ok(true)
                }
                None => Ok(false),
            },
        }
    }

    fn get_reader(&self, tree: TreeId, key: &[u8]) -> Result<Option<Box<dyn Read + Send>>, Error> {
        self.check_readable()?;
        let Some(version) = self.shared.visible(self.view(), tree, key)? else {
            return Ok(None);
        };
        Ok(Some(match version.chain {
            None => Box::new(std::io::Cursor::new(version.bytes)),
            Some(chain) => Box::new(ChainReader {
                shared: self.shared.clone(),
                chain,
                at: 0,
                hint: None,
                _snapshot: self.snapshot.clone(),
            }),
        }))
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
        let result = self.put_bytes(tree, key, value);
        self.note(result)
    }

    fn put_reader(&mut self, tree: TreeId, key: &[u8], value: &mut dyn Read) -> Result<u64, Error> {
        self.check_key(key)?;
        // A short value lies in the leaf like any other; what was read to find out comes first in the stream.
        let room = self.shared.tree().max_inline().saturating_sub(MAX_HEADER);
        let mut head = Vec::new();
        let read = value.take(room as u64 + 1).read_to_end(&mut head);
        read.map_err(|error| Error::Source {
            why: error.to_string(),
        })?;
        let by = self.writing()?;
        let result = if head.len() <= room {
            self.put_bytes(tree, key, &head).map(|()| head.len() as u64)
        } else {
            self.put_stream(by, tree, key, &mut head.as_slice().chain(value))
        };
        self.note(result)
    }

    fn delete(&mut self, tree: TreeId, key: &[u8]) -> Result<bool, Error> {
        self.check_key(key)?;
        let by = self.writing()?;
        let result = self.write(by, tree, key, |_| None);
        self.note(result)
    }

    fn lock(&mut self, tree: TreeId, key: &[u8], strength: Strength) -> Result<(), Error> {
        let result = self.lock_key(tree, key, strength);
        self.note(result)
    }

    fn scan(&self, tree: TreeId, range: Range<'_>) -> Result<Box<dyn EngineCursor>, Error> {
        self.check_readable()?;
        let cursor = MvccCursor::open(
            self.shared.clone(),
            self.view(),
            self.snapshot.clone(),
            tree,
            range,
        )?;
        Ok(Box::new(cursor))
    }

    fn create_tree(&mut self) -> Result<TreeId, Error> {
        let by = self.writing()?;
        let result = self.shared.tree().create(by).map_err(Error::from);
        self.note(result)
    }

    fn drop_tree(&mut self, tree: TreeId) -> Result<(), Error> {
        let by = self.writing()?;
        let header = Header {
            writer: by,
            tombstone: false,
            previous: None,
        };
        let stored = Version {
            header,
            bytes: Vec::new(),
            chain: None,
        }
        .encode();
        let key = keys::dropped(tree);
        let result = self
            .shared
            .tree()
            .put(by, self.shared.trees.history, &key, Value::inline(&stored));
        self.note(result.map_err(Error::from))?;
        self.garbage.push(key);
        self.dropped.push(tree);
        Ok(())
    }

    fn savepoint(&mut self) -> Result<EngineSavepoint, Error> {
        let log = self.id.map(|id| self.shared.below.savepoint(id));
        self.points.push(Point {
            log,
            garbage: self.garbage.len(),
            dropped: self.dropped.len(),
        });
        Ok(EngineSavepoint(self.points.len() as u64 - 1))
    }

    fn roll_back_to(&mut self, to: EngineSavepoint) -> Result<(), Error> {
        let at = usize::try_from(to.raw()).unwrap_or(usize::MAX);
        let Some(point) = self.points.get(at) else {
            return Err(Error::Unsupported {
                what: "rolling back to a savepoint that is gone",
            });
        };
        let (log, garbage, dropped) = (point.log, point.garbage, point.dropped);
        if let Some(id) = self.id {
            let log = log.unwrap_or_else(Savepoint::beginning);
            self.shared.below.roll_back_to(id, log)?;
        }
        self.garbage.truncate(garbage);
        self.dropped.truncate(dropped);
        self.points.truncate(at + 1);
        Ok(())
    }

    fn next_statement(&mut self) -> Result<(), Error> {
        if self.how.isolation == Isolation::ReadCommitted && self.how.as_of.is_none() {
            self.snapshot = self.shared.snapshots.take();
            // A conflict was with the statement before; this one sees what it conflicted with.
            self.failed.take_if(|error| matches!(error, Error::Conflict));
        }
        self.check_readable()
    }

    fn snapshot(&self) -> Timestamp {
        self.snapshot.at()
    }

    fn wall_micros(&self) -> i64 {
        self.wall
    }

    fn commit(mut self: Box<Self>) -> Result<Timestamp, Error> {
        self.check_readable()?;
        let Some(id) = self.id else {
            return Ok(self.snapshot.at());
        };
        let result = self.shared.below.commit(id);
        // Committed, or of unknown outcome: either way there is nothing left to roll back.
        self.id = None;
        let at = match result {
            Ok(at) if at.raw() == 0 => {
                self.shared.commits.rolled_back(id);
                self.snapshot.at()
            }
            Ok(at) => Timestamp(at.raw()),
            Err(error) => {
                self.let_go();
                return Err(error.into());
            }
        };
        self.hand_over_garbage(at);
        self.let_go();
        Ok(at)
    }

    fn roll_back(mut self: Box<Self>) -> Result<(), Error> {
        self.undo_all()
    }
}
