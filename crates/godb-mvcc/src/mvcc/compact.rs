//! Compaction: the file as short as what is in it.
//!
//! The tree packs rows and moves pages. What it cannot do is here: old versions go first, large values are written anew whose pages lie at the end (their pages are known by number to
//! who reads and who may undo them, so a transaction like any other writes them, and the old ones go as old versions do), and a checkpoint comes before the end is cut off.

use super::MvccEngine;
use crate::compaction::{CompactionPhase, CompactionProgress, Heed};
use crate::engine::{Begin, Isolation, StorageEngine};
use crate::error::Error;
use godb_txn::sync::{Arc, thread};
use godb_txn::{Chain, Compaction, CompactionPhase as TreePhase, PageId, Range, Transactions, Tree, TreeId};
use std::ops::{Bound, ControlFlow};

/// A checkpoint is taken when so much log has been written since the last one: a compaction writes much, and need not fill the disk with it.
const LOG: u64 = 64 << 20;

/// So often the end is tried to be cut off while somebody has one of its pages in hand.
const ATTEMPTS: u32 = 16;

/// How many keys of large values are remembered at a time.
const KEYS: usize = 64;

/// Bytes that are read of a value to learn where its next page is: less than any page holds.
const PROBE: usize = 2048;

/// Somebody ended it.
struct Ended;

impl<T: Transactions> MvccEngine<T> {
    /// Compacts the trees, or all; returns by how many bytes the file became shorter.
    pub(super) fn compact_all(
        self: &Arc<Self>,
        trees: Option<&[TreeId]>,
        heed: &mut Heed<'_>,
    ) -> Result<u64, Error> {
        match self.compact_until_ended(trees, heed)? {
            Ok(bytes) => Ok(bytes),
            Err(Ended) => Ok(0),
        }
    }

    fn compact_until_ended(
        self: &Arc<Self>,
        trees: Option<&[TreeId]>,
        heed: &mut Heed<'_>,
    ) -> Result<Result<u64, Ended>, Error> {
        if self.collect_all(heed)?.is_err() {
            return Ok(Err(Ended));
        }
        let mut compaction = trees.map_or_else(Compaction::new, |trees| {
            let mut trees = trees.to_vec();
            trees.extend([self.trees.root, self.trees.history]);
            Compaction::of(trees)
        });
        while self.tree().compact_some(&mut compaction)? {
            let progress = compaction.progress();
            let phase = match progress.phase {
                TreePhase::Packing => CompactionPhase::Packing,
                TreePhase::Moving | TreePhase::Done => CompactionPhase::Moving,
            };
            if self.heed(heed, phase, progress.done, progress.total)?.is_err() {
                return Ok(Err(Ended));
            }
        }
        // With a past that is kept the old chains would stay, and the file would only grow.
        if compaction.progress().left > 0 && !self.keeps_past() {
            let rewritten = self.rewrite_beyond(compaction.limit(), heed)?;
            if rewritten.is_err() || self.collect_all(heed)?.is_err() {
                return Ok(Err(Ended));
            }
        }
        self.cut_off(heed)
    }

    /// Tells how far it is, and keeps the log short.
    fn heed(
        &self,
        heed: &mut Heed<'_>,
        phase: CompactionPhase,
        done: u64,
        total: u64,
    ) -> Result<Result<(), Ended>, Error> {
        if self.below.log_since_checkpoint() > LOG {
            self.checkpoint()?;
        }
        let progress = CompactionProgress { phase, done, total };
        match heed(progress) {
            ControlFlow::Continue(()) => Ok(Ok(())),
            ControlFlow::Break(()) => Ok(Err(Ended)),
        }
    }

    fn collect_all(&self, heed: &mut Heed<'_>) -> Result<Result<(), Ended>, Error> {
        let mut rounds = 0;
        while self.collect_some()? {
            rounds += 1;
            if self.heed(heed, CompactionPhase::Collecting, rounds, 0)?.is_err() {
                return Ok(Err(Ended));
            }
        }
        Ok(Ok(()))
    }

    /// Gives the free end of the file back, after a checkpoint that knows it to be free.
    fn cut_off(&self, heed: &mut Heed<'_>) -> Result<Result<u64, Ended>, Error> {
        for attempt in 0..ATTEMPTS {
            if self
                .heed(heed, CompactionPhase::Cutting, attempt.into(), 0)?
                .is_err()
            {
                return Ok(Err(Ended));
            }
            self.tree().free_end()?;
            if !godb_txn::sync::planted("cut-before-checkpoint") {
                self.checkpoint()?;
            }
            if let Some(bytes) = self.tree().cut_free_end()? {
                return Ok(Ok(bytes));
            }
            thread::yield_now();
        }
        Ok(Ok(0))
    }

    /// Writes large values anew that have a page from `limit` on. Not while anybody has a snapshot: the old pages would stay for him, and he would conflict with a change that changes
    /// nothing.
    fn rewrite_beyond(
        self: &Arc<Self>,
        limit: PageId,
        heed: &mut Heed<'_>,
    ) -> Result<Result<(), Ended>, Error> {
        let mut done = 0;
        let trees = self.tree().trees()?;
        for tree in trees.into_iter().filter(|tree| *tree != self.trees.history) {
            let mut after = Vec::new();
            loop {
                let found = match self.chains_after(tree, &after) {
                    Ok(found) => found,
                    Err(error) => match self.about_tree(tree, error) {
                        Error::NoSuchTree => break,
                        error => return Err(error),
                    },
                };
                let Some((last, _)) = found.last() else { break };
                after.clone_from(last);
                for (key, chain) in found {
                    if !self.look_around()?.is_empty() {
                        return Ok(Ok(()));
                    }
                    if self.reaches(chain, limit)? {
                        self.rewrite(tree, &key)?;
                        done += 1;
                    }
                    if self.heed(heed, CompactionPhase::Rewriting, done, 0)?.is_err() {
                        return Ok(Err(Ended));
                    }
                }
            }
        }
        Ok(Ok(()))
    }

    /// Some keys behind `after` whose newest values are large.
    fn chains_after(&self, tree: TreeId, after: &[u8]) -> Result<Vec<(Vec<u8>, Chain)>, Error> {
        let range = Range {
            from: if after.is_empty() {
                Bound::Unbounded
            } else {
                Bound::Excluded(after)
            },
            ..Range::ALL
        };
        let mut found = Vec::new();
        let mut cursor = self.tree().seek(tree, range)?;
        let mut more = true;
        while more && found.len() < KEYS {
            more = self.tree().next(&mut cursor, |key, value| {
                found.extend(value.chain.map(|chain| (key.to_vec(), chain)));
                match found.len() < KEYS {
                    true => ControlFlow::Continue(()),
                    false => ControlFlow::Break(()),
                }
            })?;
        }
        Ok(found)
    }

    /// Whether a page of a chain lies beyond `limit`. One that cannot be followed has been given up meanwhile, or is for those to find who read it.
    fn reaches(&self, chain: Chain, limit: PageId) -> Result<bool, Error> {
        let (mut at, mut hint, mut probe) = (0, None, [0; PROBE]);
        let mut beyond = chain.head >= limit;
        while !beyond && at < chain.len {
            match self.tree().read_chain(chain, at, &mut hint, &mut probe) {
                Ok(0) | Err(godb_txn::Fault::Corrupt { .. }) => return Ok(false),
                Ok(count) => at += count as u64,
                Err(fault) => return Err(fault.into()),
            }
            beyond = hint.is_some_and(|(_, page)| page >= limit);
        }
        Ok(beyond)
    }

    /// Gives a key the value that it has, in new pages. When somebody else changes it just now it is his.
    fn rewrite(self: &Arc<Self>, tree: TreeId, key: &[u8]) -> Result<(), Error> {
        let how = Begin {
            isolation: Isolation::RepeatableRead,
            ..Begin::default()
        };
        let mut tx = self.clone().begin(how)?;
        let rewritten = match tx.get_reader(tree, key) {
            Ok(Some(mut value)) => tx.put_reader(tree, key, &mut value).map(drop),
            Ok(None) => Ok(()),
            Err(error) => Err(error),
        };
        match rewritten.and_then(|()| tx.commit().map(drop)) {
            Err(error) if error.is_retryable() => Ok(()),
            done => done,
        }
    }
}
