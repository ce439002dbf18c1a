//! [`Counts`]: how many rows each tree has, for every snapshot in use, without looking at them.
//!
//! Counting rows by walking over them takes as long as reading them, and many ask. A plain counter would not do: each snapshot has a number of its own. So each commit
//! tells by how much it changed each tree, in its commit record; what is kept is
//!
//! - the *total* of each tree after the newest commit, and
//! - the *differences* of the commits that some snapshot does not see, in commit order.
//!
//! A snapshot's number is the total without the differences of later commits: exact, and as quick as these are few. Two writers of one key never commit
//! beside each other (the second one waits and is refused, or sees what the first one did), so each difference is right when its commit is, whatever else happens.
//!
//! A checkpoint remembers the totals as of the newest commit that it knows; the commits after it come back from the log with their differences. So the totals
//! survive a crash without being written anywhere else, and a rolled-back transaction has none.
//!
//! The same books say how many rows of a tree were [deleted in their place](super::deletions) and wait to be removed, as if those were a tree of their own. Their
//! removal is nobody's commit, so after a crash the books may say too many; never too few.
//!
//! A reader of the past is older than the differences that are kept. He counts by walking.

use crate::engine::Timestamp;
use godb_txn::sync::Mutex;
use godb_txn::{ById, TreeId};
use smallvec::SmallVec;
use std::collections::{HashMap, VecDeque};

/// How many commits' differences are kept, whoever looks; snapshots before them count by walking.
const CROWD: usize = if cfg!(test) { 20 } else { 50_000 };

/// How many commits are forgotten while others wait.
const AT_ONCE: usize = if cfg!(test) { 3 } else { 256 };

/// The rows of a tree that were deleted in their place, as if they were a tree.
pub(super) fn dead(tree: TreeId) -> TreeId {
    TreeId::from_raw(tree.raw() | DEAD)
}

/// The tree whose dead rows are meant.
fn living(tree: TreeId) -> TreeId {
    TreeId::from_raw(tree.raw() & !DEAD)
}

/// Ids of trees are given in order, and never so many.
const DEAD: u32 = 1 << 31;

/// By how much a transaction changes the number of rows of the trees it writes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Difference(SmallVec<[(TreeId, i64); 2]>);

impl Difference {
    /// Rows came, or went.
    pub(super) fn add(&mut self, tree: TreeId, rows: i64) {
        match self.0.iter_mut().find(|(of, _)| *of == tree) {
            Some((_, sum)) => *sum += rows,
            None => self.0.push((tree, rows)),
        }
    }

    /// What it is for one tree.
    pub(super) fn of(&self, tree: TreeId) -> i64 {
        self.0
            .iter()
            .find(|(of, _)| *of == tree)
            .map_or(0, |(_, rows)| *rows)
    }

    /// Those that are any.
    pub(super) fn changes(&self) -> impl Iterator<Item = (TreeId, i64)> {
        self.0.iter().copied().filter(|(_, rows)| *rows != 0)
    }
}

impl FromIterator<(TreeId, i64)> for Difference {
    fn from_iter<I: IntoIterator<Item = (TreeId, i64)>>(changes: I) -> Self {
        Self(changes.into_iter().collect())
    }
}

/// The numbers of rows.
#[derive(Debug, Default)]
pub(super) struct Counts(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    totals: HashMap<TreeId, i64, ById>,
    later: VecDeque<(Timestamp, Difference)>,
    /// Snapshots before this one are not kept account of.
    since: Timestamp,
    /// Counts changes of the numbers of dead rows.
    edition: u64,
}

impl State {
    /// The number for a snapshot; `None` when it is too old, or the number makes no sense.
    fn at(&self, tree: TreeId, at: Timestamp) -> Option<u64> {
        if at < self.since {
            return None;
        }
        let total = self.totals.get(&tree).copied().unwrap_or_default();
        let unseen = self.later.iter().rev().take_while(|(commit, _)| *commit > at);
        let unseen: i64 = unseen.map(|(_, difference)| difference.of(tree)).sum();
        u64::try_from(total.checked_sub(unseen)?).ok()
    }

    fn add_all(&mut self, as_of: Timestamp, all: impl IntoIterator<Item = (TreeId, u64)>) {
        self.since = self.since.max(as_of);
        for (tree, rows) in all {
            let total = self.totals.entry(tree).or_default();
            *total = total.saturating_add_unsigned(rows);
        }
    }

    /// Forgets some commits up to `before`; tells whether there are more.
    fn forget_some(&mut self, before: Timestamp) -> bool {
        for _ in 0..AT_ONCE {
            let Some((at, _)) = self.later.pop_front_if(|(at, _)| *at <= before) else {
                self.since = self.since.max(before);
                return false;
            };
            self.since = self.since.max(at);
        }
        true
    }
}

impl Counts {
    /// Takes in a commit, in commit order, before any snapshot sees it.
    pub(super) fn add(&self, at: Timestamp, difference: Difference) {
        if difference.changes().next().is_none() {
            return;
        }
        let mut state = self.0.lock();
        for (tree, rows) in difference.changes() {
            let total = state.totals.entry(tree).or_default();
            *total = total.saturating_add(rows);
            state.edition += u64::from(tree.raw() & DEAD != 0);
        }
        state.later.push_back((at, difference));
        if state.later.len() > CROWD
            && let Some((oldest, _)) = state.later.front()
        {
            let oldest = *oldest;
            state.forget_some(oldest);
        }
    }

    /// How many rows a tree has for a snapshot; `None` when that must be found out by walking.
    pub(super) fn at(&self, tree: TreeId, at: Timestamp) -> Option<u64> {
        self.0.lock().at(tree, at)
    }

    /// No ordinary snapshot before this one is in use, or will be.
    pub(super) fn forget(&self, before: Timestamp) {
        while self.0.lock().forget_some(before) {}
    }

    /// What a checkpoint remembers: all numbers as of the moment that `newest` gives.
    pub(super) fn all(&self, newest: impl FnOnce() -> Timestamp) -> (Timestamp, Vec<(TreeId, u64)>) {
        let state = self.0.lock();
        let newest = newest();
        let number = |tree: &TreeId| Some((*tree, state.at(*tree, newest)?));
        let mut all: Vec<_> = state.totals.keys().filter_map(number).collect();
        all.retain(|(_, rows)| *rows > 0);
        all.sort_unstable();
        (newest, all)
    }

    /// Takes in what was remembered as of a moment, when the database was closed or by a checkpoint. By how much the commits before it changed what is not known.
    pub(super) fn add_all(&self, as_of: Timestamp, all: impl IntoIterator<Item = (TreeId, u64)>) {
        self.0.lock().add_all(as_of, all);
    }

    /// Forgets everything for what a walk has found, in which the newest commit was `as_of`.
    pub(super) fn replace(&self, as_of: Timestamp, all: impl IntoIterator<Item = (TreeId, u64)>) {
        let mut state = self.0.lock();
        state.totals.clear();
        state.later.clear();
        state.add_all(as_of, all);
    }

    /// Only these trees are there.
    pub(super) fn keep_only(&self, trees: &[TreeId]) {
        let there = |tree: &TreeId| trees.contains(&living(*tree));
        self.0.lock().totals.retain(|tree, _| there(tree));
    }

    /// The tree is gone for good.
    pub(super) fn drop_tree(&self, tree: TreeId) {
        let mut state = self.0.lock();
        state.totals.remove(&tree);
        state.totals.remove(&dead(tree));
    }

    /// Trees with dead rows.
    pub(super) fn with_dead(&self) -> Vec<TreeId> {
        let state = self.0.lock();
        let some = state.totals.iter().filter(|(_, rows)| **rows > 0);
        let dead = some.filter(|(tree, _)| tree.raw() & DEAD != 0);
        dead.map(|(tree, _)| living(*tree)).collect()
    }

    /// Dead rows of a tree were removed.
    pub(super) fn bury(&self, tree: TreeId, rows: i64) {
        let mut state = self.0.lock();
        state.edition += 1;
        if let Some(total) = state.totals.get_mut(&dead(tree)) {
            *total = total.saturating_sub(rows);
        }
    }

    /// Which edition of the numbers of dead rows this is.
    pub(super) fn edition(&self) -> u64 {
        self.0.lock().edition
    }

    /// A walk through a tree removed some dead rows and left others. If the books are those of its beginning then that is all there are.
    pub(super) fn settle_dead(&self, tree: TreeId, edition: u64, removed: i64, left: i64) {
        let mut state = self.0.lock();
        let same = state.edition == edition;
        if let Some(total) = state.totals.get_mut(&dead(tree)) {
            *total = if same { left } else { total.saturating_sub(removed) };
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ONE: TreeId = TreeId::from_raw(1);
    const TWO: TreeId = TreeId::from_raw(2);

    fn difference(one: i64, two: i64) -> Difference {
        [(ONE, one), (TWO, two)].into_iter().collect()
    }

    #[test]
    fn each_snapshot_has_its_own_number() {
        let counts = Counts::default();
        counts.add(Timestamp(10), difference(5, 0));
        counts.add(Timestamp(20), difference(-2, 7));
        counts.add(Timestamp(30), difference(1, 1));
        let seen = |at| (counts.at(ONE, Timestamp(at)), counts.at(TWO, Timestamp(at)));
        assert_eq!(seen(9), (Some(0), Some(0)));
        assert_eq!(seen(10), (Some(5), Some(0)));
        assert_eq!(seen(25), (Some(3), Some(7)));
        assert_eq!(seen(30), (Some(4), Some(8)));
        counts.forget(Timestamp(20));
        assert_eq!(seen(20), (Some(3), Some(7)));
        assert_eq!(seen(19), (None, None), "it may be wrong by now");
    }

    #[test]
    fn what_a_checkpoint_remembers_is_of_one_moment() {
        let counts = Counts::default();
        counts.add(Timestamp(10), difference(5, 3));
        counts.add(Timestamp(20), difference(1, -3));
        let (at, all) = counts.all(|| Timestamp(10));
        assert_eq!((at, all), (Timestamp(10), vec![(ONE, 5), (TWO, 3)]));
        let again = Counts::default();
        again.add_all(Timestamp(20), counts.all(|| Timestamp(20)).1);
        again.add(Timestamp(30), difference(1, 1));
        assert_eq!(again.at(ONE, Timestamp(20)), Some(6));
        assert_eq!(
            again.at(ONE, Timestamp(19)),
            None,
            "the commit at 20 changed it in ways that are not known"
        );
        assert_eq!(again.at(ONE, Timestamp(30)), Some(7));
        assert_eq!(again.at(TWO, Timestamp(30)), Some(1));
    }

    #[test]
    fn a_number_that_makes_no_sense_is_not_told() {
        let counts = Counts::default();
        counts.add(Timestamp(10), difference(-1, 0));
        assert_eq!(counts.at(ONE, Timestamp(10)), None);
    }

    #[test]
    fn memory_is_bounded_whoever_looks() {
        let counts = Counts::default();
        for at in 1..=100 {
            counts.add(Timestamp(at), difference(1, 0));
        }
        assert_eq!(counts.at(ONE, Timestamp(100)), Some(100));
        assert_eq!(counts.at(ONE, Timestamp(90)), Some(90));
        assert_eq!(counts.at(ONE, Timestamp(50)), None);
    }
}
