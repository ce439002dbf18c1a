//! Compaction: fewer, fuller pages, all of them at the beginning of the file, so that its end can be given back.
//!
//! It goes through the trees twice, in steps of some pages. First it [packs](pack) leaves, in the order of their keys. Then as many pages as are in use fit below
//! a limit, and what lies beyond it is [moved](relocate) to the lowest free pages. At last the free end is [cut off](cut), which is not part of the steps: a checkpoint has to come before it.
//!
//! Between two records nothing is held, and what is remembered is a key. Whatever others do meanwhile, the next step looks where that key is now. So a compaction may miss a page that
//! was split or moved under it, never damage one; what it missed it finds when it is run again.

mod cut;
mod look;
mod pack;
mod relocate;
mod root;

use super::directory::HOME;
use super::{BTree, Spot};
use godb_buffer::{Fault, PageId, Pages, TreeId};
use look::target;
use pack::Plan;
use std::collections::VecDeque;

/// How many records one step makes at most.
const RECORDS: u32 = 16;

/// What a compaction is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CompactionPhase {
    /// Rows are moved into fewer pages.
    Packing,
    /// Pages are moved to the beginning of the file.
    Moving,
    /// There is nothing left but to give the end of the file back.
    Done,
}

/// How far a compaction is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CompactionProgress {
    /// What it is doing.
    pub phase: CompactionPhase,
    /// How many pages it has looked at, or moved, in this phase.
    pub done: u64,
    /// How many there were to look at, or to move, when the phase began. Others may make it more or fewer.
    pub total: u64,
    /// Pages that were freed by packing, in all.
    pub freed: u64,
    /// Pages that were moved, in all.
    pub moved: u64,
    /// When it is done: how many pages beyond the end it aimed at are in use still. Overflow pages are not moved.
    pub left: u64,
}

/// How far a compaction is, and where it goes on. Holds nothing of the trees.
#[derive(Debug)]
pub struct Compaction {
    /// The trees whose leaves are to be packed; none for all.
    only: Option<Vec<TreeId>>,
    /// Trees yet to come in this phase, the one at work first; none before the phase has begun.
    trees: Option<VecDeque<TreeId>>,
    /// Where the work in that tree goes on; none at its beginning.
    at: Option<Vec<u8>>,
    /// Whose children are being moved: pages of one more than this level.
    level: u8,
    plan: Plan,
    /// Pages from this one on are to be moved.
    limit: u32,
    progress: CompactionProgress,
}

impl Compaction {
    /// Of every tree.
    #[must_use]
    pub fn new() -> Self {
        Self {
            only: None,
            trees: None,
            at: None,
            level: 0,
            plan: Plan::default(),
            limit: 0,
            progress: CompactionProgress {
                phase: CompactionPhase::Packing,
                done: 0,
                total: 0,
                freed: 0,
                moved: 0,
                left: 0,
            },
        }
    }

    /// One that packs only these trees. Pages of any tree are moved.
    #[must_use]
    pub fn of(trees: Vec<TreeId>) -> Self {
        Self {
            only: Some(trees),
            ..Self::new()
        }
    }

    /// How far it is.
    #[must_use]
    pub fn progress(&self) -> CompactionProgress {
        self.progress
    }

    /// From here on pages were to be moved below; zero before that was known.
    #[must_use]
    pub fn limit(&self) -> PageId {
        PageId::from_raw(self.limit)
    }

    /// Goes to the next tree of the phase.
    fn end_tree(&mut self) {
        if let Some(trees) = &mut self.trees {
            trees.pop_front();
        }
        self.at = None;
        self.level = 0;
        self.plan.clear();
    }

    fn begin_phase(&mut self, phase: CompactionPhase, total: u32) {
        self.progress.phase = phase;
        self.progress.done = 0;
        self.progress.total = total.into();
        self.trees = None;
    }
}

impl Default for Compaction {
    fn default() -> Self {
        Self::new()
    }
}

impl<P: Pages> BTree<P> {
    /// One step; `false` when there is no more to do.
    pub(super) fn compact_step(&self, at: &mut Compaction) -> Result<bool, Fault> {
        let _one_at_a_time = self.compacting.lock();
        self.load_once()?;
        // Trees neither come nor go meanwhile: whoever destroys one trusts that nobody else works on it.
        let _alone = self.changing_trees.lock();
        match at.progress.phase {
            CompactionPhase::Packing => self.pack_step(at)?,
            CompactionPhase::Moving => self.move_step(at)?,
            CompactionPhase::Done => {}
        }
        Ok(at.progress.phase != CompactionPhase::Done)
    }

    /// The tree at work; none when the phase is over.
    fn tree_at_work(&self, at: &mut Compaction) -> Option<Spot> {
        let all = || {
            let mut all = VecDeque::from(self.directory.living());
            all.push_front(HOME.tree);
            all
        };
        let trees = at.trees.get_or_insert_with(all);
        while let Some(&tree) = trees.front() {
            if tree == HOME.tree {
                return Some(HOME);
            }
            if let Ok(spot) = self.spot(tree) {
                return Some(spot);
            }
            trees.pop_front();
            (at.at, at.level) = (None, 0);
            at.plan.clear();
        }
        None
    }

    fn pack_step(&self, at: &mut Compaction) -> Result<(), Fault> {
        if at.progress.total == 0 {
            at.progress.total = self.space.used().into();
        }
        if at.trees.is_none() {
            at.trees = at.only.clone().map(VecDeque::from);
        }
        let Some(spot) = self.tree_at_work(at) else {
            at.limit = self.space.used();
            at.begin_phase(CompactionPhase::Moving, self.space.used_from(at.limit));
            return Ok(());
        };
        let packed = self.pack_some(spot, at);
        if !self.located(spot.tree, packed)? {
            at.end_tree();
        }
        Ok(())
    }

    fn move_step(&self, at: &mut Compaction) -> Result<(), Fault> {
        let beyond = self.space.end() > at.limit;
        let Some(spot) = self.tree_at_work(at).filter(|_| beyond) else {
            at.begin_phase(CompactionPhase::Done, 0);
            at.progress.left = self.space.used_from(at.limit).into();
            return Ok(());
        };
        let moved = self.move_some(spot, at);
        if !self.located(spot.tree, moved)? {
            at.end_tree();
        }
        Ok(())
    }
}
