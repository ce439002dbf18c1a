//! The check of a whole file: every tree walked, every page accounted for.
//!
//! It keeps writers out while it walks one tree, and lets them in between two: see [`still`](super::still). Readers go on all the time. Pages that changed hands
//! meanwhile are sound or not like any others, but who owns them is not judged; on a database at rest there are none. It
//! reports what it finds and goes on; only a page that cannot be read at all for another reason than damage ends it.

mod walker;

use super::directory::HOME;
use super::still::Moved;
use super::{BTree, Spot};
use crate::map;
use crate::meta;
use crate::overflow;
use godb_buffer::slotted::Damaged;
use godb_buffer::{Fault, PageId, Pages, TreeId};
use std::collections::HashMap;
use walker::Walker;

/// What kind of thing is wrong, and so what can mend it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wrong {
    /// The page's bytes are not what was written: checksum, place, identity.
    Unreadable,
    /// The page is whole, but what it says contradicts itself or the pages that lead to it.
    Broken,
    /// The free maps and the trees disagree about who uses the page: it could be lost, or given out twice.
    Space,
    /// The page is whole, and counts something wrong.
    Count,
}

/// One thing that is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// What kind of thing.
    pub wrong: Wrong,
    /// The tree concerned, if one is.
    pub tree: Option<TreeId>,
    /// The page concerned, if one is.
    pub page: Option<PageId>,
    /// What is wrong, in words.
    pub what: String,
}

/// What a tree is made of.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TreeStatistics {
    /// The tree.
    pub tree: TreeId,
    /// Levels, the leaves included.
    pub height: u32,
    /// Inner pages.
    pub inner_pages: u32,
    /// Leaves.
    pub leaf_pages: u32,
    /// Overflow pages that its values refer to.
    pub overflow_pages: u32,
    /// Rows.
    pub rows: u64,
    /// Bytes in use in leaves, slots included.
    pub leaf_bytes: u64,
}

/// The result of a check.
#[derive(Clone, Debug, Default)]
pub struct Check {
    /// What is wrong; empty when all is well.
    pub findings: Vec<Finding>,
    /// Every tree, the directory first.
    pub trees: Vec<TreeStatistics>,
    /// Pages that the free maps call allocated.
    pub allocated_pages: u32,
    /// Pages that the free maps call free, below the highest allocated one.
    pub free_pages: u32,
    /// Pages and chains that changed hands while the check ran, and whose owners were not judged.
    pub moved: usize,
}

impl Check {
    fn find(&mut self, wrong: Wrong, tree: Option<TreeId>, page: Option<PageId>, what: impl Into<String>) {
        let what = what.into();
        self.findings.push(Finding {
            wrong,
            tree,
            page,
            what,
        });
    }

    /// Notes a fault met in `tree` at `page`.
    fn find_fault(&mut self, tree: Option<TreeId>, page: PageId, fault: &Fault) {
        let Fault::Corrupt { page: at, what, .. } = fault else {
            self.find(Wrong::Unreadable, tree, Some(page), fault.to_string());
            return;
        };
        self.find(Wrong::Unreadable, tree, at.or(Some(page)), what.clone());
    }

    /// Whether every page of every tree was reached: then a page that nothing leads to is lost for certain.
    #[must_use]
    pub fn reached_everything(&self) -> bool {
        let unseen = |finding: &Finding| matches!(finding.wrong, Wrong::Unreadable | Wrong::Broken);
        !self.findings.iter().any(unseen)
    }
}

/// Who uses the pages, as far as the check has seen.
#[derive(Default)]
struct Owners {
    trees: HashMap<PageId, TreeId>,
    /// Pages that were met twice: the page, the head of its chain where it is part of one, both trees.
    twice: Vec<(PageId, Option<PageId>, TreeId, TreeId)>,
}

impl<P: Pages> BTree<P> {
    /// Verifies every tree and the free maps: order, bounds, levels and links of pages, chains whole, every page used exactly once or
    /// free, no page lost. May run while others write; they wait while the tree is walked that they want to change, and others with them. Errors other than damage are returned.
    pub fn check(&self) -> Result<Check, Fault> {
        let mut check = Check::default();
        let mut owners = Owners::default();
        let _watch = self.still.watch();
        let trees = {
            let _still = self.still.keep();
            self.check_directory(&mut check)
        };
        for spot in trees {
            let _still = self.still.keep();
            if let Some(spot) = self.as_it_is_now(spot) {
                Walker::new(self, &mut check, &mut owners, spot).run()?;
            }
        }
        let _still = self.still.keep();
        let moved = self.still.moved();
        check.moved = moved.count();
        judge_twice(&mut check, &owners, &moved);
        self.check_maps(&mut check, owners, &moved)?;
        Ok(check)
    }

    /// Where the tree is now, unless it was destroyed meanwhile. One of which that cannot be said is walked where it was, for its damage to be found.
    fn as_it_is_now(&self, spot: Spot) -> Option<Spot> {
        if spot.tree == HOME.tree {
            return Some(spot);
        }
        match self.entry_of(spot.tree) {
            Ok(entry) => entry.map(|(now, _)| now),
            Err(_) => Some(spot),
        }
    }

    /// The trees to walk; a directory that cannot be read is itself walked, and so reported.
    fn check_directory(&self, check: &mut Check) -> Vec<Spot> {
        let mut trees = vec![HOME];
        match self.entries() {
            Ok(entries) => {
                trees.extend(entries.iter().map(|(spot, _)| *spot));
                self.check_counts(check, entries.len());
            }
            Err(fault) => check.find_fault(Some(HOME.tree), HOME.root, &fault),
        }
        trees
    }

    fn check_counts(&self, check: &mut Check, trees: usize) {
        match self.counts() {
            Ok(counts) if counts.trees as usize != trees => check.find(
                Wrong::Count,
                None,
                Some(meta::PAGE),
                format!(
                    "it counts {} trees, and the directory lists {trees}",
                    counts.trees
                ),
            ),
            Ok(_) => {}
            Err(fault) => check.find_fault(None, meta::PAGE, &fault),
        }
    }

    /// Compares the free maps with what the trees were seen to use.
    fn check_maps(&self, check: &mut Check, owners: Owners, moved: &Moved) -> Result<(), Fault> {
        let Ok(counts) = self.counts() else { return Ok(()) };
        let mut owned: Vec<(PageId, TreeId)> = owners.trees.into_iter().collect();
        owned.sort_unstable_by_key(|(page, _)| *page);
        let covers = u64::from(map::covers(self.page_size()));
        let mut owned = owned.as_slice();
        let mut highest = 0;
        for group in 0..counts.maps {
            let end = u64::from(group + 1) * covers;
            let count = owned.partition_point(|(page, _)| u64::from(page.raw()) < end);
            let (here, rest) = owned.split_at(count);
            owned = rest;
            let id = map::of_group(self.page_size(), group);
            match self.read_bits(id) {
                Ok(bits) => self.check_group(check, here, moved, group, &bits, &mut highest),
                Err(fault @ Fault::Corrupt { .. }) => check.find_fault(None, id, &fault),
                Err(fault) => return Err(fault),
            }
        }
        for (page, tree) in owned {
            if !moved.has(*page, self.chain_of(*page)) {
                let what = "it is in use and beyond the last free map";
                check.find(Wrong::Space, Some(*tree), Some(*page), what);
            }
        }
        check.free_pages = (highest + 1).saturating_sub(check.allocated_pages);
        Ok(())
    }

    /// Compares one map with the owners of its pages, in order.
    fn check_group(
        &self,
        check: &mut Check,
        owned: &[(PageId, TreeId)],
        moved: &Moved,
        group: u32,
        bits: &[u8],
        highest: &mut u32,
    ) {
        let mut owned = owned.iter().peekable();
        let first = group * map::covers(self.page_size());
        for bit in 0..map::covers(self.page_size()) {
            let page = PageId::from_raw(first + bit);
            let byte = bits[(bit / 8) as usize];
            let owner = owned.next_if(|(next, _)| *next == page).map(|(_, tree)| *tree);
            let fixed = bit < map::fixed(group);
            // Most of a map is empty in most files.
            if byte == 0 && owner.is_none() && !fixed {
                continue;
            }
            let taken = byte & (1 << (bit % 8)) != 0;
            let what = match (taken, owner) {
                (false, Some(_)) => Some("it is in use and marked free"),
                (true, None) if !fixed => Some("it is marked in use, and nothing leads to it"),
                (false, None) if fixed => Some("a page of the file itself is marked free"),
                _ => None,
            };
            if let Some(what) = what
                && !moved.has(page, self.chain_of(page))
            {
                check.find(Wrong::Space, owner, Some(page), what);
            }
            if taken {
                check.allocated_pages += 1;
                *highest = page.raw();
            }
        }
    }

    /// The head of the chain that a page is part of, if it is an overflow page that can be read.
    fn chain_of(&self, page: PageId) -> Option<PageId> {
        let _admitted = self.pages.admit(1).ok()?;
        let bytes = self.pages.read(page).ok()?;
        overflow::read(&bytes).ok().map(|(link, _)| link.chain)
    }

    fn read_bits(&self, id: PageId) -> Result<Vec<u8>, Fault> {
        let _admitted = self.pages.admit(1)?;
        let page = self.pages.read(id)?;
        map::bits(&page)
            .map(<[u8]>::to_vec)
            .map_err(|Damaged(what)| crate::codec::bad_page(id, what))
    }
}

fn judge_twice(check: &mut Check, owners: &Owners, moved: &Moved) {
    for (page, chain, tree, other) in &owners.twice {
        if !moved.has(*page, *chain) {
            let what = format!("it is used twice; also in tree {other}");
            check.find(Wrong::Broken, Some(*tree), Some(*page), what);
        }
    }
}

#[cfg(test)]
mod tests;
