//! What is kept of the past, for those who ask: which moments can be looked at, who committed when, and how much old versions take.
//!
//! Nothing of this is counted while transactions run: it is found by walking through the history tree when somebody wants to know.

use super::MvccEngine;
use super::keys::{self, Entry};
use super::rows::{Ids, SHARE, decode_walls};
use crate::engine::Timestamp;
use crate::error::Error;
use godb_txn::{Range, Transactions, Tree, TreeId, TxnId, Value};
use std::collections::BTreeMap;
use std::ops::{Bound, ControlFlow};

/// How much of a tree's past is kept.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct KeptVersions {
    /// Old versions, of all keys.
    pub versions: u64,
    /// Bytes of their keys and values, long values included.
    pub bytes: u64,
    /// When the oldest of them was committed.
    pub oldest: Timestamp,
}

/// A transaction that has committed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Committed {
    /// Its id.
    pub id: TxnId,
    /// Its place in the order of commits.
    pub at: Timestamp,
    /// The wall clock then, in microseconds since 1970-01-01 UTC.
    pub wall_micros: i64,
}

impl<T: Transactions> MvccEngine<T> {
    /// The oldest moment that can be asked for: a commit, and a time on the wall clock. Without retention that is now.
    pub fn oldest_moment(&self) -> (Timestamp, i64) {
        let now = self.commits.wall_now();
        if !self.keeps_past() {
            return (self.commits.newest(), now);
        }
        let kept = self.kept();
        let retained = now.saturating_sub(self.options.retention_micros());
        (kept.horizon, retained.max(kept.horizon_wall))
    }

    /// How many old versions there are of each tree that has any. Takes as long as walking through them; what changes meanwhile may be counted or not.
    ///
    /// # Errors
    /// The history cannot be read.
    pub fn kept_versions(&self) -> Result<BTreeMap<TreeId, KeptVersions>, Error> {
        let mut trees = BTreeMap::<TreeId, KeptVersions>::new();
        let end = keys::end_of_versions();
        self.walk_history(b"", &end, |key, value| {
            if let Some(Entry::Version { tree, timestamp, .. }) = Entry::decode(key) {
                let kept = trees.entry(tree).or_insert(KeptVersions {
                    oldest: Timestamp(timestamp),
                    ..KeptVersions::default()
                });
                let chain = value.chain.map_or(0, |chain| chain.len);
                kept.versions += 1;
                kept.bytes += (key.len() + value.inline.len()) as u64 + chain;
                kept.oldest = kept.oldest.min(Timestamp(timestamp));
            }
            ControlFlow::Continue(())
        })?;
        Ok(trees)
    }

    /// The newest commits that are remembered, the newest first; with retention all whose moments can be asked for, as far as `limit` goes.
    ///
    /// # Errors
    /// The timeline cannot be read.
    pub fn newest_commits(&self, limit: usize) -> Result<Vec<Committed>, Error> {
        let mut commits = BTreeMap::new();
        self.commits.recent(|recent| {
            let newest = recent.newest_first().take(limit);
            commits.extend(newest.map(|commit| (commit.at, commit)));
        });
        if commits.len() < limit {
            for commit in self.commits_of_timeline(limit)? {
                commits.entry(commit.at).or_insert(commit);
            }
        }
        Ok(commits.into_values().rev().take(limit).collect())
    }

    /// The newest commits that stand in the timeline.
    fn commits_of_timeline(&self, limit: usize) -> Result<Vec<Committed>, Error> {
        let clocks = self.clocks(limit)?;
        let Some(oldest) = clocks.keys().next().copied() else {
            return Ok(Vec::new());
        };
        let mut commits = Vec::new();
        self.walk_history(&keys::ids(0), &keys::walls(i64::MIN), |key, value| {
            let block = keys::number(key).zip(Ids::decode(value.inline));
            for (place, at) in block.iter().flat_map(|(_, ids)| &ids.0) {
                let first = block.as_ref().map_or(0, |(block, _)| block * SHARE);
                if let Some(wall_micros) = clocks.get(at).filter(|_| *at >= oldest) {
                    commits.push(Committed {
                        id: TxnId::from_raw(first + u64::from(*place)),
                        at: *at,
                        wall_micros: *wall_micros,
                    });
                }
            }
            ControlFlow::Continue(())
        })?;
        Ok(commits)
    }

    /// When the newest commits of the timeline were made.
    fn clocks(&self, limit: usize) -> Result<BTreeMap<Timestamp, i64>, Error> {
        let (from, to) = (keys::walls(i64::MIN), keys::walls(i64::MAX));
        let range = Range {
            from: Bound::Included(&from),
            to: Bound::Included(&to),
            backward: true,
        };
        let mut clocks = BTreeMap::new();
        self.walk(range, |key, value| {
            let row = keys::first_of_walls(key).and_then(|first| decode_walls(first, value.inline));
            clocks.extend(row.into_iter().flatten());
            match clocks.len() < limit {
                true => ControlFlow::Continue(()),
                false => ControlFlow::Break(()),
            }
        })?;
        Ok(clocks)
    }

    fn walk_history(
        &self,
        from: &[u8],
        to: &[u8],
        show: impl FnMut(&[u8], Value<'_>) -> ControlFlow<()>,
    ) -> Result<(), Error> {
        let range = Range {
            from: Bound::Included(from),
            to: Bound::Excluded(to),
            backward: false,
        };
        self.walk(range, show)
    }

    fn walk(
        &self,
        range: Range<'_>,
        mut show: impl FnMut(&[u8], Value<'_>) -> ControlFlow<()>,
    ) -> Result<(), Error> {
        let mut cursor = self.tree().seek(self.trees.history, range)?;
        let mut ended = false;
        while !ended
            && self.tree().next(&mut cursor, |key, value| {
                let next = show(key, value);
                ended |= next.is_break();
                next
            })?
        {}
        Ok(())
    }
}
