//! Walking one tree, page by page.

use super::{Check, Owners, TreeStatistics, Wrong};
use crate::btree::{BTree, Spot};
use crate::map;
use crate::node;
use crate::overflow;
use crate::tree::Chain;
use godb_buffer::slotted::{self, Damaged, Slots};
use godb_buffer::{Fault, PageId, Pages, header};

/// The keys that a page may hold: from the first on, below the second.
#[derive(Clone, Default)]
struct Bounds {
    from: Option<Vec<u8>>,
    below: Option<Vec<u8>>,
}

impl Bounds {
    fn hold(&self, key: &[u8]) -> bool {
        self.from.as_deref().is_none_or(|from| key >= from)
            && self.below.as_deref().is_none_or(|below| key < below)
    }
}

/// A page yet to be looked at.
struct Ahead {
    page: PageId,
    /// `None` for the root, whose level tells the height.
    level: Option<u8>,
    bounds: Bounds,
}

/// The walk through one tree.
pub(super) struct Walker<'w, P: Pages> {
    tree: &'w BTree<P>,
    check: &'w mut Check,
    owners: &'w mut Owners,
    spot: Spot,
    statistics: TreeStatistics,
    /// The leaf seen last, and what it says its right neighbour is.
    last_leaf: Option<(PageId, PageId)>,
}

impl<'w, P: Pages> Walker<'w, P> {
    pub(super) fn new(tree: &'w BTree<P>, check: &'w mut Check, owners: &'w mut Owners, spot: Spot) -> Self {
        Self {
            tree,
            check,
            owners,
            spot,
            statistics: TreeStatistics {
                tree: spot.tree,
                ..TreeStatistics::default()
            },
            last_leaf: None,
        }
    }

    fn find(&mut self, page: PageId, what: impl Into<String>) {
        self.check
            .find(Wrong::Broken, Some(self.spot.tree), Some(page), what);
    }

    fn find_fault(&mut self, page: PageId, fault: &Fault) {
        self.check.find_fault(Some(self.spot.tree), page, fault);
    }

    /// Notes that this tree uses a page, as part of a chain with that head if it is; false when it was used before.
    fn own(&mut self, page: PageId, chain: Option<PageId>) -> bool {
        if page <= map::FIRST && page != self.spot.root {
            self.find(page, "a page of the file itself is part of a tree");
            return false;
        }
        if let Some(other) = self.owners.trees.insert(page, self.spot.tree) {
            self.owners.twice.push((page, chain, self.spot.tree, other));
            // One that came over from a tree that was walked before is walked as a page of this one.
            return other != self.spot.tree && self.tree.still.has_moved(page);
        }
        true
    }

    /// A page that is whole, and not what it should be.
    fn find_broken(&mut self, page: PageId, fault: &Fault) {
        match fault {
            Fault::Corrupt { what, .. } => self.find(page, what.clone()),
            other => self.find(page, other.to_string()),
        }
    }

    /// A copy of a page; damage becomes a finding.
    fn read(&mut self, page: PageId) -> Result<Option<Vec<u8>>, Fault> {
        let read = self
            .tree
            .pages
            .admit(1)
            .and_then(|_admitted| self.tree.pages.read(page).map(|page| page.to_vec()));
        match read {
            Ok(bytes) => Ok(Some(bytes)),
            Err(fault @ Fault::Corrupt { .. }) => {
                self.find_fault(page, &fault);
                Ok(None)
            }
            Err(fault) => Err(fault),
        }
    }

    /// Walks depth first from the left, so that leaves come in order.
    pub(super) fn run(&mut self) -> Result<(), Fault> {
        let mut ahead = vec![Ahead {
            page: self.spot.root,
            level: None,
            bounds: Bounds::default(),
        }];
        while let Some(next) = ahead.pop() {
            self.page(&next, &mut ahead)?;
        }
        if let Some((leaf, right)) = self.last_leaf
            && right != PageId::default()
        {
            self.find(leaf, format!("the last leaf links to page {right}"));
        }
        self.check.trees.push(self.statistics);
        Ok(())
    }

    fn page(&mut self, at: &Ahead, ahead: &mut Vec<Ahead>) -> Result<(), Fault> {
        if !self.own(at.page, None) {
            return Ok(());
        }
        let Some(bytes) = self.read(at.page)? else {
            return Ok(());
        };
        let level = match node::expect(at.page, &bytes, self.spot.tree, at.level) {
            Ok(level) => level,
            Err(fault) => {
                self.find_broken(at.page, &fault);
                return Ok(());
            }
        };
        if at.level.is_none() {
            self.statistics.height = u32::from(level) + 1;
        }
        let looked = slotted::verify(&bytes).and_then(|()| self.keys(at, &bytes));
        let looked = match (looked, level) {
            (Err(damaged), _) => Err(damaged),
            (Ok(()), 0) => self.leaf(at.page, &bytes)?,
            (Ok(()), _) => self.inner(at, level, &bytes, ahead),
        };
        if let Err(Damaged(what)) = looked {
            self.find(at.page, what);
        }
        Ok(())
    }

    /// Every key must lie within the bounds that the parents give.
    fn keys(&mut self, at: &Ahead, bytes: &[u8]) -> Result<(), Damaged> {
        let slots = Slots::of(bytes)?;
        for slot in 0..slots.len() {
            if !at.bounds.hold(slots.key(slot)?) {
                return Err(Damaged("it holds a key that belongs elsewhere"));
            }
        }
        Ok(())
    }

    fn inner(&mut self, at: &Ahead, level: u8, bytes: &[u8], ahead: &mut Vec<Ahead>) -> Result<(), Damaged> {
        self.statistics.inner_pages += 1;
        let slots = Slots::of(bytes)?;
        let mut children = Vec::with_capacity(slots.len() + 1);
        for index in 0..=slots.len() {
            let key = |slot: usize| slots.key(slot).map(<[u8]>::to_vec);
            let from = match index {
                0 => at.bounds.from.clone(),
                _ => Some(key(index - 1)?),
            };
            let below = if index == slots.len() {
                at.bounds.below.clone()
            } else {
                Some(key(index)?)
            };
            children.push(Ahead {
                page: node::child(bytes, index)?,
                level: Some(level - 1),
                bounds: Bounds { from, below },
            });
        }
        ahead.extend(children.into_iter().rev());
        Ok(())
    }

    fn leaf(&mut self, page: PageId, bytes: &[u8]) -> Result<Result<(), Damaged>, Fault> {
        if let Some((left, right)) = self.last_leaf
            && right != page
        {
            self.find(
                left,
                format!("its right neighbour is page {page}, and it links to {right}"),
            );
        }
        self.last_leaf = Some((page, header::right_link(bytes)));
        self.statistics.leaf_pages += 1;
        self.statistics.leaf_bytes += node::used(bytes) as u64;
        let slots = match Slots::of(bytes) {
            Ok(slots) => slots,
            Err(damaged) => return Ok(Err(damaged)),
        };
        for slot in 0..slots.len() {
            match slots.cell(slot).and_then(node::row) {
                Ok((_, value)) => {
                    self.statistics.rows += 1;
                    if let Some(chain) = value.chain {
                        self.chain(page, chain)?;
                    }
                }
                Err(damaged) => return Ok(Err(damaged)),
            }
        }
        Ok(Ok(()))
    }

    /// Follows the chain of a row to its end. A chain that is being released begins in its middle.
    fn chain(&mut self, leaf: PageId, chain: Chain) -> Result<(), Fault> {
        let mut next = chain.head;
        let mut left = chain.len;
        let mut expected: Option<(PageId, u64)> = None;
        while next != PageId::default() {
            if !self.own(next, Some(chain.head)) {
                return Ok(());
            }
            let Some(bytes) = self.read(next)? else {
                return Ok(());
            };
            let (link, part) = match overflow::read(&bytes) {
                Ok(found) => found,
                Err(Damaged(what)) => {
                    self.find(next, what);
                    return Ok(());
                }
            };
            if expected.is_some_and(|expected| expected != (link.chain, link.at)) {
                self.find(next, "it is not the part of a value that it should be");
                return Ok(());
            }
            self.statistics.overflow_pages += 1;
            let length = part.len() as u64;
            expected = Some((link.chain, link.at + length));
            left = left.wrapping_sub(length);
            next = link.next;
        }
        if left != 0 {
            let (head, len) = (chain.head, chain.len);
            self.find(
                leaf,
                format!("the chain at page {head} does not hold the {len} bytes of its row"),
            );
        }
        Ok(())
    }
}
