//! The timeline tree: which transactions committed when, as far back as retention reaches.
//!
//! Without retention it is empty: no snapshot outlives its process, so after an opening everything that is there is visible to everybody, and
//! nobody can ask about earlier. With retention its rows are
//!
//! ```text
//! 0                                  what is kept: u8 whether anything | u64 horizon | i64 its clock | u64 first transaction
//! 1 | u64 transaction                u64 timestamp | i64 clock
//! 2 | u64 clock, sign flipped        u64 timestamp
//! ```
//!
//! with big-endian numbers in keys. Commits come here in order, many at a time, in the background; until then they are in the checkpoint's note, or in the
//! log. Both times grow from commit to commit, so a timestamp can be looked for among the rows of the clock by halving.
//!
//! Row 0 is always ahead: the horizon in it is written, and durable, before anything behind it is collected. So after a crash a read of the past is refused rather than
//! answered with what is left of it.

use super::MvccEngine;
use super::note::damaged;
use super::recent::Commit;
use crate::engine::Timestamp;
use crate::error::Error;
use godb_txn::{Range, Transactions, Tree, TreeId, TxnId, Value};
use std::ops::{Bound, ControlFlow};

/// How many commits one transaction writes here, or removes.
pub(super) const ROWS_AT_ONCE: usize = 2000;

/// The key of row 0.
const KEPT: [u8; 1] = [0];

/// What is kept.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Kept {
    /// Whether the past is kept at all.
    pub(super) anything: bool,
    /// The oldest moment that can be looked at.
    pub(super) horizon: Timestamp,
    /// The clock then.
    pub(super) horizon_wall: i64,
    /// Transactions below this committed at the horizon or before.
    pub(super) first_id: TxnId,
}

impl Kept {
    fn encode(self) -> Vec<u8> {
        let mut bytes = vec![u8::from(self.anything)];
        bytes.extend_from_slice(&self.horizon.raw().to_le_bytes());
        bytes.extend_from_slice(&self.horizon_wall.to_le_bytes());
        bytes.extend_from_slice(&self.first_id.raw().to_le_bytes());
        bytes
    }

    fn decode(bytes: &[u8]) -> Option<Self> {
        let (&anything, rest) = bytes.split_first()?;
        let ([horizon, wall, id], []) = rest.as_chunks::<8>() else {
            return None;
        };
        Some(Self {
            anything: anything != 0,
            horizon: Timestamp(u64::from_le_bytes(*horizon)),
            horizon_wall: i64::from_le_bytes(*wall),
            first_id: TxnId::from_raw(u64::from_le_bytes(*id)),
        })
    }

    /// Reads row 0.
    pub(super) fn read<T: Tree>(tree: &T, timeline: TreeId) -> Result<Self, Error> {
        let row = tree.get(timeline, &KEPT, |value| Self::decode(value.inline))?;
        row.map_or(Ok(Self::default()), |kept| {
            kept.ok_or_else(|| damaged("what is kept of the past cannot be read"))
        })
    }
}

fn id_key(id: TxnId) -> [u8; 9] {
    let mut key = [1; 9];
    key[1..].copy_from_slice(&id.raw().to_be_bytes());
    key
}

fn wall_key(wall_micros: i64) -> [u8; 9] {
    let mut key = [2; 9];
    key[1..].copy_from_slice(&(wall_micros.cast_unsigned() ^ (1 << 63)).to_be_bytes());
    key
}

fn number(key: &[u8]) -> Option<u64> {
    Some(u64::from_be_bytes(key.get(1..)?.try_into().ok()?))
}

fn wall_of_key(key: &[u8]) -> Option<i64> {
    Some((number(key)? ^ (1 << 63)).cast_signed())
}

/// The timestamp at the beginning of a row.
fn time(row: &[u8]) -> Option<Timestamp> {
    Some(Timestamp(u64::from_le_bytes(*row.first_chunk()?)))
}

impl<T: Transactions> MvccEngine<T> {
    /// When a transaction below the floor committed; `None` when nobody can look that far back.
    pub(super) fn time_of_old(&self, id: TxnId) -> Result<Option<Timestamp>, Error> {
        if !self.keeps_past() || id < self.kept().first_id {
            return Ok(None);
        }
        let row = self
            .tree()
            .get(self.trees.timeline, &id_key(id), |value| time(value.inline))?;
        match row {
            Some(at) => Ok(Some(at.ok_or_else(unreadable)?)),
            // Removed between the two looks: what is kept is moved before rows are removed.
            None if id < self.kept().first_id => Ok(None),
            None => Err(damaged("a version was written by a transaction that never committed")),
        }
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
        let (mut wall, mut low, mut high) = (kept.horizon_wall, kept.horizon_wall, self.commits.last_wall());
        while low <= high {
            let middle = low.midpoint(high);
            match self.row_before_wall(middle)? {
                Some((found, _)) if found > at => high = middle - 1,
                Some((_, found_wall)) => {
                    wall = wall.max(found_wall);
                    low = middle + 1;
                }
                None => low = middle + 1,
            }
        }
        Ok(Some(wall))
    }

    /// The last row of the clock at `wall_micros` or before.
    fn row_before_wall(&self, wall_micros: i64) -> Result<Option<(Timestamp, i64)>, Error> {
        let (from, to) = (wall_key(i64::MIN), wall_key(wall_micros));
        let range = Range {
            from: Bound::Included(&from),
            to: Bound::Included(&to),
            backward: true,
        };
        let row = self.first_in(self.trees.timeline, range, |key, value| {
            Some((time(value.inline)?, wall_of_key(key)?))
        })?;
        row.map(|row| row.ok_or_else(unreadable)).transpose()
    }

    /// Writes some commits here that are not here yet, and removes some rows that nobody needs. Tells whether there is more to do.
    pub(super) fn tend_timeline(&self) -> Result<bool, Error> {
        let _one_at_a_time = self.tending.lock();
        let new = match self.keeps_past() {
            true => self.commits.recent(|recent| recent.unpersisted(ROWS_AT_ONCE)),
            false => Vec::new(),
        };
        let mut kept = self.kept();
        let old = self.unneeded_rows(&mut kept)?;
        if new.is_empty() && old.is_empty() {
            return Ok(false);
        }
        *self.kept.write() = kept;
        self.quietly(|by| {
            new.iter().try_for_each(|commit| self.write_commit(by, *commit))?;
            old.iter()
                .try_for_each(|key| self.tree().remove(by, self.trees.timeline, key).map(drop))?;
            self.write_kept(by, kept)
        })?;
        if let Some(last) = new.last() {
            self.commits.recent(|recent| recent.persisted_up_to(last.at));
        }
        Ok(new.len().max(old.len()) >= ROWS_AT_ONCE)
    }

    fn write_commit(&self, by: TxnId, commit: Commit) -> Result<(), Error> {
        let at = commit.at.raw().to_le_bytes();
        let mut row = at.to_vec();
        row.extend_from_slice(&commit.wall_micros.to_le_bytes());
        let (tree, timeline) = (self.tree(), self.trees.timeline);
        tree.put(by, timeline, &id_key(commit.id), Value::inline(&row))?;
        tree.put(by, timeline, &wall_key(commit.wall_micros), Value::inline(&at))?;
        Ok(())
    }

    /// Writes row 0.
    pub(super) fn write_kept(&self, by: TxnId, kept: Kept) -> Result<(), Error> {
        let row = kept.encode();
        Ok(self
            .tree()
            .put(by, self.trees.timeline, &KEPT, Value::inline(&row))?)
    }

    /// Keys of some rows of commits behind the horizon, from the first on; moves `kept` past their transactions.
    fn unneeded_rows(&self, kept: &mut Kept) -> Result<Vec<Vec<u8>>, Error> {
        let floor = self.commits.floor();
        let horizon = self.snapshots.horizon();
        let mut old = Vec::new();
        // Commits that are not here yet count too.
        let later = self.commits.recent(|recent| recent.first_id_after(horizon));
        let mut first_kept = later.into_iter().fold(floor, TxnId::min);
        self.walk_rows(&id_key(TxnId::default()), &wall_key(i64::MIN), |key, at| {
            let id = TxnId::from_raw(number(key)?);
            let unneeded = id < floor && at <= horizon && old.len() < ROWS_AT_ONCE;
            if unneeded {
                old.push(key.to_vec());
            } else {
                first_kept = first_kept.min(id);
            }
            Some(unneeded)
        })?;
        kept.first_id = kept.first_id.max(first_kept);
        self.walk_rows(&wall_key(i64::MIN), &wall_key(i64::MAX), |key, at| {
            let unneeded = at < horizon && old.len() < 2 * ROWS_AT_ONCE;
            if unneeded {
                old.push(key.to_vec());
            }
            Some(unneeded)
        })?;
        Ok(old)
    }

    /// Shows the keys and timestamps of rows in order, until `look` says that it is enough; or `None`, that a row makes no sense.
    fn walk_rows(
        &self,
        from: &[u8],
        to: &[u8],
        mut look: impl FnMut(&[u8], Timestamp) -> Option<bool>,
    ) -> Result<(), Error> {
        let range = Range {
            from: Bound::Included(from),
            to: Bound::Excluded(to),
            backward: false,
        };
        let mut cursor = self.tree().seek(self.trees.timeline, range)?;
        let mut go_on = Some(true);
        while go_on == Some(true) {
            let more = self.tree().next(&mut cursor, |key, value| {
                go_on = time(value.inline).and_then(|at| look(key, at));
                match go_on {
                    Some(true) => ControlFlow::Continue(()),
                    _ => ControlFlow::Break(()),
                }
            })?;
            if !more {
                break;
            }
        }
        go_on.map(drop).ok_or_else(unreadable)
    }

    /// Does housekeeping in a transaction of its own that writes no versions.
    pub(super) fn quietly(&self, work: impl FnOnce(TxnId) -> Result<(), Error>) -> Result<(), Error> {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_kept_comes_back() {
        let kept = Kept {
            anything: true,
            horizon: Timestamp(7),
            horizon_wall: -1,
            first_id: TxnId::from_raw(9),
        };
        assert_eq!(Kept::decode(&kept.encode()), Some(kept));
        assert_eq!(Kept::decode(&kept.encode()[..24]), None);
    }

    #[test]
    fn keys_of_the_clock_are_in_its_order() {
        let walls = [i64::MIN, -1, 0, 1, i64::MAX];
        assert!(walls.map(wall_key).is_sorted());
        assert_eq!(walls.map(|wall| wall_of_key(&wall_key(wall)).unwrap()), walls);
    }
}
