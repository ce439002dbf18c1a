//! [`Recent`]: the latest commits, in order.

use crate::engine::Timestamp;
use godb_txn::TxnId;
use std::collections::VecDeque;

/// When a transaction committed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Commit {
    /// Who.
    pub id: TxnId,
    /// Its place in the order of commits.
    pub at: Timestamp,
    /// The wall clock, in microseconds since 1970; later than that of the commit before.
    pub wall_micros: i64,
}

/// Commits in order, from some commit on up to the newest; without a gap. Both times grow with the place in it.
#[derive(Debug, Default)]
pub(super) struct Recent {
    commits: VecDeque<Commit>,
    /// How many of them, from the front, the timeline tree holds too.
    persisted: usize,
}

impl Recent {
    /// Adds a commit; one that is not newer than the last is known already.
    pub(super) fn push(&mut self, commit: Commit) -> bool {
        let new = self.commits.back().is_none_or(|last| last.at < commit.at);
        if new {
            self.commits.push_back(commit);
        }
        new
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

    /// The smallest id among the commits after `at`.
    pub(super) fn first_id_after(&self, at: Timestamp) -> Option<TxnId> {
        self.commits
            .range(self.behind(at)..)
            .map(|commit| commit.id)
            .min()
    }

    /// The next commits that the timeline tree does not hold yet, at most `limit`.
    pub(super) fn unpersisted(&self, limit: usize) -> Vec<Commit> {
        self.commits
            .range(self.persisted..)
            .take(limit)
            .copied()
            .collect()
    }

    /// How many commits the timeline tree does not hold yet.
    pub(super) fn unpersisted_count(&self) -> usize {
        self.commits.len() - self.persisted
    }

    /// The timeline tree holds everything up to `at` now.
    pub(super) fn persisted_up_to(&mut self, at: Timestamp) {
        self.persisted = self.persisted.max(self.behind(at));
    }

    /// Takes out the oldest commit if it is older than `at` and of an id below `floor`, and, when `kept`, in the timeline tree.
    pub(super) fn pop_before(&mut self, at: Timestamp, floor: TxnId, kept: bool) -> Option<Commit> {
        if kept && self.persisted == 0 {
            return None;
        }
        let popped = self
            .commits
            .pop_front_if(|commit| commit.at < at && commit.id < floor)?;
        self.persisted = self.persisted.saturating_sub(1);
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
        assert_eq!(recent.first_id_after(Timestamp(30)), Some(TxnId::from_raw(95)));
        assert_eq!(recent.first_id_after(Timestamp(50)), None);
    }

    #[test]
    fn what_must_be_kept_is_forgotten_only_when_it_is_in_the_timeline() {
        let mut recent = Recent::default();
        (1..=3).for_each(|n| assert!(recent.push(commit(n))));
        let all = TxnId::from_raw(1000);
        assert_eq!(recent.pop_before(Timestamp(30), all, true), None);
        recent.persisted_up_to(Timestamp(10));
        assert_eq!(recent.unpersisted(9), [commit(2), commit(3)]);
        assert_eq!(recent.pop_before(Timestamp(30), all, true), Some(commit(1)));
        assert_eq!(recent.pop_before(Timestamp(30), all, true), None);
        assert_eq!(
            recent.pop_before(Timestamp(30), TxnId::from_raw(98), false),
            None,
            "an id at the floor"
        );
        assert_eq!(recent.pop_before(Timestamp(30), all, false), Some(commit(2)));
        assert_eq!(
            recent.pop_before(Timestamp(30), all, false),
            None,
            "not older than that"
        );
        assert_eq!(recent.unpersisted_count(), 1);
    }
}
