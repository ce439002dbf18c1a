//! [`MvccTransaction`]: reading at a snapshot, writing the newest version.
//!
//! Writing a key: under the key's stripe look at the newest version. If a running transaction wrote it, let the stripe go, stand in line for the key, wait for
//! that transaction's end, look again. If a commit that the snapshot does not see wrote it, refuse: the first to update wins. Else move it to the
//! history tree and put the new version in its place. So a row needs no entry in the lock table: its writer's id is its lock, and only those who wait
//! lock the key itself, first come, first served.

use super::MvccEngine;
use super::collect::Queue;
use super::cursor::MvccCursor;
use super::keys;
use super::reader::ChainReader;
use super::reading::{Glance, View, glance};
use super::snapshots::Snapshot;
use super::version::{Header, MAX_HEADER, Version};
use super::write::{Decision, Leftovers, New};
use crate::engine::{
    Begin, EngineCursor, EngineSavepoint, EngineTransaction, Isolation, MAX_VALUE, Strength, Timestamp,
};
use crate::error::Error;
use crate::source::Source;
use godb_txn::sync::atomic::{AtomicU64, Ordering};
use godb_txn::{Chain, Fault, Mode, Range, Resource, Savepoint, Transactions, Tree, TreeId, TxnId, Value};
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
struct Point {
    log: Savepoint,
    left: usize,
    dropped: usize,
}

/// A transaction of the engine.
pub(super) struct MvccTransaction<T: Transactions> {
    how: Begin,
    snapshot: Arc<Snapshot<T>>,
    wall: i64,
    own: Arc<Own>,
    /// Given at the first write.
    id: Option<TxnId>,
    left: Leftovers,
    dropped: Vec<TreeId>,
    points: Vec<Point>,
    /// Trees in which it holds explicit key locks.
    explicit: BTreeSet<TreeId>,
    failed: Option<Error>,
}

impl<T: Transactions> MvccTransaction<T> {
    pub(super) fn new(how: Begin, snapshot: Arc<Snapshot<T>>, wall: i64) -> Self {
        Self {
            how,
            snapshot,
            wall,
            own: Arc::default(),
            id: None,
            left: Leftovers::default(),
            dropped: Vec::new(),
            points: Vec::new(),
            explicit: BTreeSet::new(),
            failed: None,
        }
    }

    fn engine(&self) -> &MvccEngine<T> {
        &self.snapshot.engine
    }

    fn view(&self) -> View {
        self.own.view(self.snapshot.at())
    }

    fn check_readable(&self, tree: TreeId) -> Result<(), Error> {
        if let Some(error) = &self.failed {
            return Err(error.clone());
        }
        if self.dropped.contains(&tree) {
            return Err(Error::NoSuchTree);
        }
        self.engine().dropped.check_read(tree, self.snapshot.at())
    }

    /// The id, given now if this is the first write.
    fn writing(&mut self) -> Result<TxnId, Error> {
        if self.how.read_only || self.how.as_of.is_some() {
            return Err(Error::ReadOnlyTransaction);
        }
        if let Some(error) = &self.failed {
            return Err(error.clone());
        }
        if let Some(id) = self.id {
            return Ok(id);
        }
        let engine = self.engine();
        let id = engine.commits.begin(|| engine.below.begin());
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
        self.engine().dropped.check_write(tree, self.snapshot.at())?;
        Ok(by)
    }

    /// After a fatal error only rolling back is right.
    fn note<R>(&mut self, tree: TreeId, result: Result<R, Error>) -> Result<R, Error> {
        let result = result.map_err(|error| self.engine().about_tree(tree, error));
        if let Err(error) = &result
            && error.is_fatal_to_transaction()
        {
            self.failed = Some(error.clone());
        }
        result
    }

    fn write(&mut self, by: TxnId, tree: TreeId, key: &[u8], new: New<'_>) -> Result<bool, Error> {
        let snapshot = self.snapshot.clone();
        let engine = &*snapshot.engine;
        loop {
            let writer = {
                let _stripe = engine.stripe(tree, key);
                match engine.decide(self.view(), tree, key)? {
                    Decision::WaitFor(writer) => Some(writer),
                    Decision::Own(_) => None,
                    _ if self.must_lock(by, tree, key)? => None,
                    decision => return engine.apply(by, (tree, key), &decision, new, &mut self.left),
                }
            };
            // Looked at once more below, where nobody has come in between: a row of one's own is nobody else's to lock.
            match writer {
                Some(writer) => self.wait_in_line(by, tree, key, writer)?,
                None => {
                    if let Some(seen) = self.write_own(engine, by, tree, key, new)? {
                        return Ok(seen);
                    }
                    engine.below.lock(by, Resource::Key(tree, key), Mode::Exclusive)?;
                }
            }
        }
    }
}
