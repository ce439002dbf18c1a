//! What lies below one page, looked at without holding it: a plan is made from this, and what it says is looked at again before anything is changed.

use crate::btree::walk::{Fence, Pins, WALK, sound, way_down};
use crate::btree::{BTree, Spot};
use crate::node::{self, Target};
use godb_buffer::slotted::Slots;
use godb_buffer::{Fault, PageId, Pages, header};

/// The page on the way to a key, or the leftmost.
pub(super) fn target(at: Option<&[u8]>) -> Target<'_> {
    at.map_or(Target::First, Target::At)
}

/// A child of a page.
pub(super) struct Child {
    /// Its lower bound; none for the leftmost page of its level.
    pub(super) from: Fence,
    pub(super) page: PageId,
}

/// What was seen below a page.
pub(super) struct Below {
    /// All of its children.
    pub(super) children: Vec<Child>,
    /// Which of them is on the way to the key that was asked for.
    pub(super) here: usize,
}

impl<P: Pages> BTree<P> {
    /// The children of the page at `level` on the way to `at`; `None` when the tree has no such level.
    pub(super) fn look_below(
        &self,
        spot: &mut Spot,
        at: Option<&[u8]>,
        level: u8,
    ) -> Result<Option<Below>, Fault> {
        let _admitted = self.pages.admit(WALK)?;
        let mut pins = Pins::new(&*self.pages);
        let mut first = None;
        let found = pins.reach(|| self.walk(spot, target(at), level, Some(&mut first)))?;
        let Some((id, page)) = found else { return Ok(None) };
        let slots = sound(id, Slots::of(&page))?;
        let mut children = Vec::with_capacity(slots.len() + 1);
        for index in 0..=slots.len() {
            let from = match index.checked_sub(1) {
                None => first.take(),
                Some(cell) => Some(sound(id, slots.key(cell))?.to_vec()),
            };
            let page = way_down(id, &page, index)?;
            children.push(Child { from, page });
        }
        let here = sound(id, node::child_index(&page, target(at)))?;
        Ok(Some(Below { children, here }))
    }

    /// The lower bound of the page that comes, at `level`, after the one on the way to `at`; `None` when that is the last.
    pub(super) fn next_at(&self, spot: &mut Spot, at: Option<&[u8]>, level: u8) -> Result<Fence, Fault> {
        for above in level.saturating_add(1)..=u8::MAX {
            let Some(mut below) = self.look_below(spot, at, above)? else {
                break;
            };
            if below.here + 1 < below.children.len() {
                return Ok(below.children.swap_remove(below.here + 1).from);
            }
        }
        Ok(None)
    }

    /// The bytes in use in a page; as many as fit when it cannot be read just now.
    pub(super) fn used_in(&self, page: PageId) -> Result<usize, Fault> {
        let _admitted = self.pages.admit(1)?;
        match self.pages.read(page) {
            Ok(page) => Ok(node::used(&page)),
            // Without a latch on the parent it may have been freed; if not, whoever wants to change it is told.
            Err(Fault::Corrupt { .. }) => Ok(godb_buffer::slotted::usable(self.page_size())),
            Err(fault) => Err(fault),
        }
    }

    /// The level of a tree's root, and whether it has a single child.
    pub(super) fn look_at_root(&self, spot: &mut Spot) -> Result<(u8, bool), Fault> {
        let _admitted = self.pages.admit(WALK)?;
        let mut pins = Pins::new(&*self.pages);
        loop {
            let root = self.pages.try_read(spot.root);
            if !self.still_begins(spot) {
                continue;
            }
            match root? {
                Some(root) => return Ok((header::level(&root), header::slot_count(&root) == 0)),
                None => pins.bring(spot.root)?,
            }
        }
    }
}
