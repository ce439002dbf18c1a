//! The timeline: which transactions committed when, for those who look further back than memory does. It lies in the history tree.
//!
//! Who asks? A reader of the past, about writers and about the clock; and a transaction that has run so long that more has been committed meanwhile than is
//! kept in memory. Without retention there is no past to read, so unless somebody runs for so long nothing is ever written here.
//!
//! Two kinds of [rows](super::rows) answer two questions: when did this transaction commit, and which was the last commit before this time? Commits come here in order, many
//! at a time, in the background; until then they are in the checkpoint's note, or in the log. A commit that is no later than anybody looks back needs no row, so a
//! transaction without a row committed early enough for everybody.
//!
//! The row of what is [`Kept`] is always ahead: the frontier in it is written, and durable, before anything behind it is collected. So after a crash a read of the past is
//! refused rather than answered with what is left of it.

use super::MvccEngine;
use super::keys;
use super::note::damaged;
use super::recent::Commit;
use super::rows::{Ids, Kept, SHARE, decode_walls, encode_walls};
use crate::engine::Timestamp;
use crate::error::Error;
use godb_txn::sync::atomic::Ordering;
use godb_txn::{Range, Transactions, Tree, TxnId, Value};
use std::collections::BTreeMap;
use std::ops::{Bound, ControlFlow};

/// How many commits one transaction writes here.
pub(super) const COMMITS_AT_ONCE: usize = 2000;

/// How many rows of each kind one transaction removes.
const ROWS_AT_ONCE: usize = 200;

impl<T: Transactions> MvccEngine<T> {
    /// When an old transaction committed; `None` when that was no later than anybody looks back.
    pub(super) fn time_of_old(&self, id: TxnId) -> Result<Option<Timestamp>, Error> {
        if !self.has_timeline.load(Ordering::Acquire) || id < self.kept().first_id {
            return Ok(None);
        }
        let row = keys::ids(Ids::block(id));
        let at = self
            .tree()
            .get(self.trees.history, &row, |value| Ids::find(value.inline, id))?;
        Ok(at.flatten())
    }

    /// The last commit at `wall_micros` or before, with its clock; `None` when that is before all that is kept.
    pub(super) fn before_wall(&self, wall_micros: i64) -> Result<Option<(Timestamp, i64)>, Error> {
        if let Some(commit) = self.commits.recent(|recent| recent.before_wall(wall_micros)) {
            return Ok(Some((commit.at, commit.wall_micros)));
        }
        let kept = self.kept();
        let row = self.row_before_wall(wall_micros)?;
        let base = (kept.horizon_wall <= wall_micros).then_some((kept.horizon, kept.horizon_wall));
        Ok(row.into_iter().chain(base).max())
    }

    /// The clock at a commit, or at the last one before it; `None` when that is before all that is kept.
    pub(super) fn wall_of(&self, at: Timestamp) -> Result<Option<i64>, Error> {
        if let Some(commit) = self.commits.recent(|recent| recent.before(at)) {
            return Ok(Some(commit.wall_micros));
        }
        let kept = self.kept();
        if at < kept.horizon {
            return Ok(None);
        }
        // Both times grow together, so the timestamp is looked for among the clocks by halving.
        let (mut wall, mut low, mut high) = (kept.horizon_wall, kept.horizon_wall, self.commits.last_wall());
        while low <= high {
            let middle = low.midpoint(high);
            let row = self.row_before_wall(middle)?;
            if let Some((_, found_wall)) = row.filter(|(found, _)| *found <= at) {
                wall = wall.max(found_wall);
            }
            // A clock may show anything, also the first and the last number.
            let next = match row.is_some_and(|(found, _)| found > at) {
                true => middle.checked_sub(1).map(|end| (low, end)),
                false => middle.checked_add(1).map(|start| (start, high)),
            };
            let Some(rest) = next else { break };
            (low, high) = rest;
        }
        Ok(Some(wall))
    }

    /// The last commit that has a row at `wall_micros` or before.
    fn row_before_wall(&self, wall_micros: i64) -> Result<Option<(Timestamp, i64)>, Error> {
        let (from, to) = (keys::walls(i64::MIN), keys::walls(wall_micros));
        let range = Range {
            from: Bound::Included(&from),
            to: Bound::Included(&to),
            backward: true,
        };
        let row = self.first_in(self.trees.history, range, |key, value| {
            decode_walls(keys::first_of_walls(key)?, value.inline)
        })?;
        let Some(row) = row else { return Ok(None) };
        let commits = row.ok_or_else(unreadable)?;
        Ok(commits.into_iter().rfind(|(_, wall)| *wall <= wall_micros))
    }

    /// The last commit that has a row.
    pub(super) fn last_in_timeline(&self) -> Result<Option<Timestamp>, Error> {
        Ok(self.row_before_wall(i64::MAX)?.map(|(at, _)| at))
    }

    /// Writes some commits here that are not here yet and must be, and removes some rows that nobody needs. Tells whether there is more to do.
    pub(super) fn tend_timeline(&self) -> Result<bool, Error> {
        let _one_at_a_time = self.tending.lock();
        let new =
            self.commits.recent(
                |recent| match self.keeps_past() || recent.crowded_before().is_some() {
                    true => recent.unpersisted(COMMITS_AT_ONCE),
                    false => Vec::new(),
                },
            );
        let mut kept = self.kept();
        let old = self.unneeded_rows(&mut kept)?;
        *self.kept.write() = kept;
        if new.is_empty() && old.is_empty() {
            return Ok(false);
        }
        self.has_timeline.store(true, Ordering::Release);
        self.quietly(|by| {
            // First, for a new commit may belong to the row of an old transaction that began when it did.
            old.iter()
                .try_for_each(|key| self.tree().remove(by, self.trees.history, key).map(drop))?;
            self.write_commits(by, &new)?;
            self.write_kept(by, kept)
        })?;
        if let Some(last) = new.last() {
            self.commits.recent(|recent| recent.persisted_up_to(last.at));
        }
        Ok(new.len() == COMMITS_AT_ONCE || old.len() >= ROWS_AT_ONCE)
    }

    fn write_commits(&self, by: TxnId, commits: &[Commit]) -> Result<(), Error> {
        let mut blocks = BTreeMap::<u64, Ids>::new();
        for commit in commits {
            let ids = &mut blocks.entry(Ids::block(commit.id)).or_default().0;
            ids.insert(Ids::place(commit.id), commit.at);
        }
        for (block, ids) in blocks {
            self.add_ids(by, block, ids)?;
        }
        for some in commits.chunks(usize::try_from(SHARE).unwrap_or(1)) {
            self.put_row(by, &keys::walls(some[0].wall_micros), &encode_walls(some))?;
        }
        Ok(())
    }

    /// Adds to a row about ids: transactions that began together may commit far apart.
    fn add_ids(&self, by: TxnId, block: u64, mut new: Ids) -> Result<(), Error> {
        let key = keys::ids(block);
        let decode = |value: Value<'_>| Ids::decode(value.inline);
        if let Some(there) = self.tree().get(self.trees.history, &key, decode)? {
            new.0.extend(there.ok_or_else(unreadable)?.0);
        }
        self.put_row(by, &key, &new.encode())
    }

    fn put_row(&self, by: TxnId, key: &[u8], row: &[u8]) -> Result<(), Error> {
        Ok(self.tree().put(by, self.trees.history, key, Value::inline(row))?)
    }

    /// Reads what is kept.
    pub(super) fn read_kept(&self) -> Result<Kept, Error> {
        let decode = |value: Value<'_>| Kept::decode(value.inline);
        let row = self.tree().get(self.trees.history, &keys::kept(), decode)?;
        row.map_or(Ok(Kept::default()), |kept| {
            kept.ok_or_else(|| damaged("what is kept of the past cannot be read"))
        })
    }

    /// Writes what is kept.
    pub(super) fn write_kept(&self, by: TxnId, kept: Kept) -> Result<(), Error> {
        self.put_row(by, &keys::kept(), &kept.encode())
    }

    /// Keys of some rows of commits that are no later than anybody looks back, from the first on; moves `kept` past their transactions.
    fn unneeded_rows(&self, kept: &mut Kept) -> Result<Vec<Vec<u8>>, Error> {
        let horizon = self.snapshots.horizon();
        // Read before the rows: what moves from memory to there in between is seen in one of the two.
        let later = self.commits.recent(|recent| recent.first_id_after(horizon));
        let mut first_kept = later.into_iter().fold(self.commits.floor(), TxnId::min);
        let mut old = Vec::new();
        if !self.has_timeline.load(Ordering::Acquire) {
            kept.first_id = kept.first_id.max(first_kept);
            return Ok(old);
        }
        self.walk_rows(&keys::ids(0), &keys::walls(i64::MIN), |key, row| {
            let unneeded = Ids::decode(row)?.newest() <= horizon && old.len() < ROWS_AT_ONCE;
            match unneeded {
                true => old.push(key.to_vec()),
                false => {
                    let id = keys::number(key)?.checked_mul(SHARE)?;
                    first_kept = first_kept.min(TxnId::from_raw(id));
                }
            }
            Some(unneeded)
        })?;
        kept.first_id = kept.first_id.max(first_kept);
        self.walk_rows(&keys::walls(i64::MIN), &keys::walls(i64::MAX), |key, row| {
            let (newest, _) = *decode_walls(keys::first_of_walls(key)?, row)?.last()?;
            let unneeded = newest < horizon && old.len() < 2 * ROWS_AT_ONCE;
            if unneeded {
                old.push(key.to_vec());
            }
            Some(unneeded)
        })?;
        Ok(old)
    }

    /// Shows rows in order, until `look` says that it is enough; or `None`, that a row makes no sense.
    fn walk_rows(
        &self,
        from: &[u8],
        to: &[u8],
        mut look: impl FnMut(&[u8], &[u8]) -> Option<bool>,
    ) -> Result<(), Error> {
        let range = Range {
            from: Bound::Included(from),
            to: Bound::Excluded(to),
            backward: false,
        };
        let mut cursor = self.tree().seek(self.trees.history, range)?;
        let (mut go_on, mut more) = (Some(true), true);
        while more && go_on == Some(true) {
            more = self.tree().next(&mut cursor, |key, value| {
                go_on = look(key, value.inline);
                match go_on {
                    Some(true) => ControlFlow::Continue(()),
                    _ => ControlFlow::Break(()),
                }
            })?;
        }
        go_on.map(drop).ok_or_else(unreadable)
    }

    /// Does housekeeping in a transaction of its own that writes no versions.
    pub(super) fn quietly(&self, work: impl FnOnce(TxnId) -> Result<(), Error>) -> Result<(), Error> {
        self.below.finish_rollbacks();
        let by = self.commits.begin_quiet(|| self.below.begin());
        if let Err(error) = work(by) {
            self.below.roll_back(by)?;
            return Err(error);
        }
        self.below.commit(by)?;
        Ok(())
    }
}

fn unreadable() -> Error {
    damaged("a row of the timeline makes no sense")
}
