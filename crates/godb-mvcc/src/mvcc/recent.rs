//! [`Recent`]: the latest commits, in order.

use super::history::Committed;
use crate::engine::Timestamp;
use godb_txn::TxnId;
use std::collections::VecDeque;

/// How many commits are kept in memory for the sake of old snapshots; those before go to the timeline.
const CROWD: usize = if cfg!(godb_loom) {
    2
} else if cfg!(test) {
    20
} else {
    50_000
};

/// When a transaction committed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Commit {
    /// Who.
    pub(super) id: TxnId,
    /// Its place in the order of commits.
    pub(super) at: Timestamp,
    /// The wall clock, in microseconds since 1970; later than that of the commit before.
    pub(super) wall_micros: i64,
}

/// Commits in order, from some commit on up to the newest; without a gap. Both times grow with the place in it.
#[derive(Debug, Default)]
pub(super) struct Recent {
    commits: VecDeque<Commit>,
    /// How many of them, from the front, the timeline holds too.
    persisted: usize,
    /// Those of them whose id is smaller than the ids of all later ones; so their ids ascend, and the first after some moment has the smallest id after it.
    lows: VecDeque<(Timestamp, TxnId)>,
}

impl Recent {
    /// How many there are.
    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.commits.len()
    }

    /// Adds a commit; one that is not newer than the last is known already.
    pub(super) fn push(&mut self, commit: Commit) -> bool {
        let new = self.commits.back().is_none_or(|last| last.at < commit.at);
        if new {
            self.commits.push_back(commit);
            while self.lows.pop_back_if(|(_, id)| *id > commit.id).is_some() {}
            self.lows.push_back((commit.at, commit.id));
        }
        new
    }

    /// All of them, the newest first.
    pub(super) fn newest_first(&self) -> impl Iterator<Item = Committed> {
        self.commits.iter().rev().map(|commit| Committed {
            id: commit.id,
            at: commit.at,
            wall_micros: commit.wall_micros,
        })
    }

    /// The last commit at `wall_micros` or before; `None` when it is not among these.
    pub(super) fn before_wall(&self, wall_micros: i64) -> Option<Commit> {
        let later = self
            .commits
            .partition_point(|commit| commit.wall_micros <= wall_micros);
        self.commits.get(later.checked_sub(1)?).copied()
    }

    /// The last commit at `at` or before; `None` when it is not among these.
    pub(super) fn before(&self, at: Timestamp) -> Option<Commit> {
        self.commits.get(self.behind(at).checked_sub(1)?).copied()
    }

    /// When this transaction committed, if it is among these.
    pub(super) fn of(&self, id: TxnId) -> Option<Timestamp> {
        let found = self.commits.iter().rev().find(|commit| commit.id == id);
        found.map(|commit| commit.at)
    }

    /// The smallest id among the commits after `at`.
    pub(super) fn first_id_after(&self, at: Timestamp) -> Option<TxnId> {
        let behind = self.lows.partition_point(|(low, _)| *low <= at);
        self.lows.get(behind).map(|(_, id)| *id)
    }

    /// The next commits that the timeline does not hold yet, at most `limit`.
    pub(super) fn unpersisted(&self, limit: usize) -> Vec<Commit> {
        self.commits
            .range(self.persisted..)
            .take(limit)
            .copied()
            .collect()
    }

    /// How many commits the timeline does not hold yet.
    pub(super) fn unpersisted_count(&self) -> usize {
        self.commits.len() - self.persisted
    }

    /// The timeline holds everything up to `at` now.
    pub(super) fn persisted_up_to(&mut self, at: Timestamp) {
        self.persisted = self.persisted.max(self.behind(at));
    }

    /// With too many commits here, the first that must stay.
    pub(super) fn crowded_before(&self) -> Option<Timestamp> {
        let surplus = self
            .commits
            .len()
            .checked_sub(CROWD)
            .filter(|surplus| *surplus > 0)?;
        self.commits.get(surplus).map(|commit| commit.at)
    }

    /// Whether there are so many that a committer had better do something about it himself.
    pub(super) fn is_overcrowded(&self) -> bool {
        self.commits.len() > 2 * CROWD
    }

    /// Takes out the oldest commit if it is older than `at` and nobody will ask for it here: it is no later than the horizon, or in the timeline.
    pub(super) fn pop_before(&mut self, at: Timestamp, horizon: Timestamp) -> Option<Commit> {
        let persisted = self.persisted > 0;
        let popped = self
            .commits
            .pop_front_if(|commit| commit.at < at && (persisted || commit.at <= horizon))?;
        self.persisted = self.persisted.saturating_sub(1);
        self.lows.pop_front_if(|(low, _)| *low == popped.at);
        Some(popped)
    }

    /// How many commits are at `at` or before.
    fn behind(&self, at: Timestamp) -> usize {
        self.commits.partition_point(|commit| commit.at <= at)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn commit(n: u64) -> Commit {
        Commit {
            id: TxnId::from_raw(100 - n),
            at: Timestamp(10 * n),
            wall_micros: i64::try_from(n).unwrap() - 3,
        }
    }

    #[test]
    fn commits_are_found_by_both_times() {
        let mut recent = Recent::default();
        (1..=5).for_each(|n| assert!(recent.push(commit(n))));
        assert!(!recent.push(commit(5)), "it is known");
        assert_eq!(recent.before_wall(-3), None);
        assert_eq!(recent.before_wall(0), Some(commit(3)));
        assert_eq!(recent.before_wall(1000), Some(commit(5)));
        assert_eq!(recent.before(Timestamp(9)), None);
        assert_eq!(recent.before(Timestamp(35)), Some(commit(3)));
    }

    #[test]
    fn what_somebody_may_ask_for_is_forgotten_only_when_it_is_in_the_timeline() {
        let mut recent = Recent::default();
        (1..=3).for_each(|n| assert!(recent.push(commit(n))));
        let before_all = Timestamp(0);
        assert_eq!(recent.pop_before(Timestamp(30), before_all), None);
        recent.persisted_up_to(Timestamp(10));
        assert_eq!(recent.unpersisted(9), [commit(2), commit(3)]);
        assert_eq!(recent.pop_before(Timestamp(30), before_all), Some(commit(1)));
        assert_eq!(recent.pop_before(Timestamp(30), before_all), None);
        assert_eq!(recent.pop_before(Timestamp(30), Timestamp(30)), Some(commit(2)));
        assert_eq!(
            recent.pop_before(Timestamp(30), Timestamp(30)),
            None,
            "the one in use stays"
        );
        assert_eq!(recent.unpersisted_count(), 1);
    }

    proptest! {
        #[test]
        fn the_smallest_id_after_a_moment_is_known(
            ids in proptest::collection::vec(0_u64..1000, 0..40),
            popped in 0_usize..40,
            at in 0_u64..42,
        ) {
            let mut recent = Recent::default();
            for (n, id) in (1_u64..).zip(&ids) {
                let wall_micros = i64::try_from(n).unwrap();
                recent.push(Commit { id: TxnId::from_raw(*id), at: Timestamp(n), wall_micros });
            }
            for _ in 0..popped {
                recent.pop_before(Timestamp(u64::MAX), Timestamp(u64::MAX));
            }
            let left = ids.iter().enumerate().skip(popped);
            let expected = left.filter(|(n, _)| *n as u64 + 1 > at).map(|(_, id)| TxnId::from_raw(*id)).min();
            prop_assert_eq!(recent.first_id_after(Timestamp(at)), expected);
        }
    }
}
