//! The check of a whole file: every tree walked, every page accounted for.
//!
//! It is for a database at rest: changes made meanwhile show up as findings. It reports what it finds and goes on; only a page that
//! cannot be read at all for another reason than damage ends it.

mod walker;

use super::directory::HOME;
use super::{BTree, Spot};
use crate::map;
use crate::meta;
use godb_buffer::slotted::Damaged;
use godb_buffer::{Fault, PageId, Pages, TreeId};
use std::collections::HashMap;
use walker::Walker;

/// One thing that is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
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
}

impl Check {
    fn find(&mut self, tree: Option<TreeId>, page: Option<PageId>, what: impl Into<String>) {
        let what = what.into();
        self.findings.push(Finding { tree, page, what });
    }
}

/// Who uses a page, as far as the check has seen.
type Owners = HashMap<PageId, TreeId>;

impl<P: Pages> BTree<P> {
    /// Verifies every tree and the free maps: order, bounds, levels and links of pages, chains whole, every page used exactly once or
    /// free, no page lost. Errors other than damage are returned.
    pub fn check(&self) -> Result<Check, Fault> {
        let mut check = Check::default();
        let mut owners = Owners::new();
        let trees = self.check_directory(&mut check);
        for spot in trees {
            let mut walker = Walker::new(self, &mut check, &mut owners, spot);
            walker.run()?;
        }
        self.check_maps(&mut check, &mut owners)?;
        Ok(check)
    }

    /// The trees to walk; a directory that cannot be read is itself walked, and so reported.
    fn check_directory(&self, check: &mut Check) -> Vec<Spot> {
        let mut trees = vec![HOME];
        match self.entries() {
            Ok(entries) => {
                trees.extend(entries.iter().map(|(spot, _)| *spot));
                self.check_counts(check, entries.len());
            }
            Err(fault) => check.find(Some(HOME.tree), Some(HOME.root), fault.to_string()),
        }
        trees
    }

    fn check_counts(&self, check: &mut Check, trees: usize) {
        match self.counts() {
            Ok(counts) if counts.trees as usize != trees => check.find(
                None,
                Some(meta::PAGE),
                format!(
                    "it counts {} trees, and the directory lists {trees}",
                    counts.trees
                ),
            ),
            Ok(_) => {}
            Err(fault) => check.find(None, Some(meta::PAGE), fault.to_string()),
        }
    }

    /// Compares the free maps with what the trees were seen to use.
    fn check_maps(&self, check: &mut Check, owners: &mut Owners) -> Result<(), Fault> {
        let Ok(counts) = self.counts() else { return Ok(()) };
        let covers = map::covers(self.page_size());
        let mut highest = 0;
        for group in 0..counts.maps {
            let id = map::of_group(self.page_size(), group);
            let bits = match self.read_bits(id) {
                Ok(bits) => bits,
                Err(fault @ Fault::Corrupt { .. }) => {
                    check.find(None, Some(id), fault.to_string());
                    continue;
                }
                Err(fault) => return Err(fault),
            };
            for bit in 0..covers {
                let taken = bits[(bit / 8) as usize] & (1 << (bit % 8)) != 0;
                let page = PageId::from_raw(group * covers + bit);
                let owner = owners.remove(&page);
                let fixed = page <= map::FIRST && group == 0 || page == id;
                match (taken, owner) {
                    (false, Some(tree)) => check.find(Some(tree), Some(page), "it is in use and marked free"),
                    (true, None) if !fixed => {
                        check.find(None, Some(page), "it is marked in use, and nothing leads to it");
                    }
                    (false, None) if fixed => {
                        check.find(None, Some(page), "a page of the file itself is marked free");
                    }
                    _ => {}
                }
                if taken {
                    check.allocated_pages += 1;
                    highest = page.raw();
                }
            }
        }
        for (page, tree) in owners.drain() {
            check.find(
                Some(tree),
                Some(page),
                "it is in use and beyond the last free map",
            );
        }
        check.free_pages = (highest + 1).saturating_sub(check.allocated_pages);
        Ok(())
    }

    fn read_bits(&self, id: PageId) -> Result<Vec<u8>, Fault> {
        let _admitted = self.pages.admit(1)?;
        let page = self.pages.read(id)?;
        map::bits(&page)
            .map(<[u8]>::to_vec)
            .map_err(|Damaged(what)| crate::codec::bad_page(id, what))
    }
}

#[cfg(test)]
mod tests;
