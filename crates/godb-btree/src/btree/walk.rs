//! Descending from the root to a page, with latches coupled from parent to child.
//!
//! A latch on the child is waited for while the parent's is held, so nobody can change the way in between. The *disk* is never waited
//! for with a latch: when the next page is not in memory, the descent gives up, the page is pinned, and the descent starts again.

use super::directory::Directory;
use super::{BTree, Spot};
use crate::codec::bad_page;
use crate::node::{self, Target};
use godb_buffer::slotted::{Damaged, Slots};
use godb_buffer::{Fault, PageId, Pages, header};
use smallvec::SmallVec;
use std::ops::Deref;

/// Pages that a descent keeps in memory between its attempts: enough that a pool with few frames cannot make two attempts evict
/// each other's pages for ever.
const PINS: usize = 3;
/// What a descent holds at most: its pins, a parent and a child.
pub(super) const WALK: usize = PINS + 2;

/// How an attempt ended.
pub(super) enum Met<G> {
    /// With the page latched.
    There(PageId, G),
    /// A page on the way is not in memory.
    Absent(PageId),
    /// The tree changed its height or its root meanwhile: try again.
    Moved,
    /// The tree has no such level.
    TooHigh,
}

/// The greatest separator at or below the keys of the page that was reached: its lower bound, if it has one.
pub(super) type Fence = Option<Vec<u8>>;

/// The pages that repeated attempts of one operation pinned.
pub(super) struct Pins<'p, P: Pages + 'p> {
    pages: &'p P,
    kept: SmallVec<[P::Pin<'p>; PINS]>,
    failed: Option<(PageId, Fault)>,
}

impl<'p, P: Pages> Pins<'p, P> {
    pub(super) fn new(pages: &'p P) -> Self {
        Self {
            pages,
            kept: SmallVec::new(),
            failed: None,
        }
    }

    /// Brings a page into memory. That it cannot be read means something only when it is still wanted afterwards:
    /// without latches it may have been freed meanwhile.
    pub(super) fn bring(&mut self, page: PageId) -> Result<(), Fault> {
        if let Some((failed, fault)) = self.failed.take()
            && failed == page
        {
            return Err(fault);
        }
        match self.pages.pin(page) {
            Ok(pin) => {
                if self.kept.len() == PINS {
                    self.kept.remove(0);
                }
                self.kept.push(pin);
            }
            Err(fault) => self.failed = Some((page, fault)),
        }
        Ok(())
    }

    /// Repeats an attempt until it ends with a page, or finds that the tree has no such level.
    pub(super) fn reach<G>(
        &mut self,
        mut attempt: impl FnMut() -> Result<Met<G>, Fault>,
    ) -> Result<Option<(PageId, G)>, Fault> {
        loop {
            match attempt()? {
                Met::There(id, page) => return Ok(Some((id, page))),
                Met::Absent(page) => self.bring(page)?,
                Met::Moved => {}
                Met::TooHigh => return Ok(None),
            }
        }
    }
}

/// The child that a page leads to.
pub(super) fn way_down(id: PageId, page: &[u8], index: usize) -> Result<PageId, Fault> {
    let child = node::child(page, index).map_err(|Damaged(what)| bad_page(id, what))?;
    // The header, meta and directory pages are nobody's child; a page that leads to itself would be latched twice.
    if child <= crate::map::FIRST || child == id {
        return Err(bad_page(id, "it leads to a page that cannot be its child"));
    }
    Ok(child)
}

/// Tells the damage of a page as a fault.
pub(super) fn sound<T>(id: PageId, found: Result<T, Damaged>) -> Result<T, Fault> {
    found.map_err(|Damaged(what)| bad_page(id, what))
}

/// Goes down from the root to `level`, each page read before its parent is let go. `get` reads a page that is in memory.
#[inline]
fn descend<G: Deref<Target = [u8]>>(
    get: impl Fn(PageId) -> Result<Option<G>, Fault>,
    directory: &Directory,
    spot: Spot,
    target: Target<'_>,
    level: u8,
    mut fence: Option<&mut Fence>,
) -> Result<Met<G>, Fault> {
    if let Some(fence) = &mut fence {
        **fence = None;
    }
    let mut id = spot.root;
    let page = get(id);
    if !directory.is_current(spot) {
        return Ok(Met::Moved);
    }
    let Some(mut page) = page? else {
        return Ok(Met::Absent(id));
    };
    let mut at = node::expect(id, &page, spot.tree, None)?;
    if at < level {
        return Ok(Met::TooHigh);
    }
    while at > level {
        let index = sound(id, node::child_index(&page, target))?;
        if let Some(fence) = &mut fence
            && index > 0
        {
            let key = sound(id, Slots::of(&page).and_then(|slots| slots.key(index - 1)))?;
            fence.get_or_insert_default().clear();
            fence.get_or_insert_default().extend_from_slice(key);
        }
        let child = way_down(id, &page, index)?;
        #[cfg(godb_plant = "uncoupled")]
        drop(page);
        let Some(next) = get(child)? else {
            return Ok(Met::Absent(child));
        };
        at -= 1;
        node::expect(child, &next, spot.tree, Some(at))?;
        page = next;
        id = child;
    }
    Ok(Met::There(id, page))
}

impl<P: Pages> BTree<P> {
    /// The leaf on the way to `target`, if everything on that way is in memory and nobody is changing it just now.
    #[inline]
    pub(super) fn glance(
        &self,
        spot: Spot,
        target: Target<'_>,
        fence: Option<&mut Fence>,
    ) -> Result<Option<(PageId, P::Glance<'_>)>, Fault> {
        let met = descend(
            |id| Ok(self.pages.glance(id)),
            &self.directory,
            spot,
            target,
            0,
            fence,
        )?;
        Ok(match met {
            Met::There(id, leaf) => Some((id, leaf)),
            _ => None,
        })
    }

    /// The page above the leaf on the way to `target`, under the same conditions.
    pub(super) fn glance_above(
        &self,
        spot: Spot,
        target: Target<'_>,
    ) -> Result<Option<(PageId, P::Glance<'_>)>, Fault> {
        let met = descend(
            |id| Ok(self.pages.glance(id)),
            &self.directory,
            spot,
            target,
            1,
            None,
        )?;
        Ok(match met {
            Met::There(id, page) => Some((id, page)),
            _ => None,
        })
    }

    /// One attempt to latch, for reading, the page at `level` on the way to `target`.
    pub(super) fn walk(
        &self,
        spot: &mut Spot,
        target: Target<'_>,
        level: u8,
        fence: Option<&mut Fence>,
    ) -> Result<Met<P::Read<'_>>, Fault> {
        let get = |id| self.pages.try_read(id);
        let met = descend(get, &self.directory, *spot, target, level, fence)?;
        if matches!(met, Met::Moved) {
            *spot = self.directory.look_again(*spot);
        }
        Ok(met)
    }

    /// Whether a tree still begins where it did, asked with its root latched. Where it does not, its place is looked up anew.
    pub(super) fn still_begins(&self, spot: &mut Spot) -> bool {
        let current = self.directory.is_current(*spot);
        if !current {
            *spot = self.directory.look_again(*spot);
        }
        current
    }

    /// Latches the leaf of a key for writing after a glance at what leads there; `None` when that cannot be, or the way changed meanwhile.
    ///
    /// Between the glance and the latch nothing is held, so the leaf may have been split or merged. Then its parent was changed, and shows another LSN.
    pub(super) fn seize_leaf(&self, spot: Spot, key: &[u8]) -> Result<Option<(PageId, P::Write<'_>)>, Fault> {
        let get = |id| Ok(self.pages.glance(id));
        let Met::There(parent, page) = descend(get, &self.directory, spot, Target::At(key), 1, None)? else {
            return Ok(None);
        };
        let lsn = header::lsn(&page);
        let index = sound(parent, node::child_index(&page, Target::At(key)))?;
        let id = way_down(parent, &page, index)?;
        self.pages.approach(&[id]);
        drop(page);
        let leaf = self.pages.try_write(id);
        let same = |page: P::Glance<'_>| header::lsn(&page) == lsn;
        if !self.pages.glance(parent).is_some_and(same) && !cfg!(godb_plant = "trust-glance") {
            return Ok(None);
        }
        let Some(leaf) = leaf? else {
            return Ok(None);
        };
        node::expect(id, &leaf, spot.tree, Some(0))?;
        Ok(Some((id, leaf)))
    }

    /// One attempt to latch, for writing, the page at `level` on the way to `target`; for reading those above it.
    pub(super) fn seize(
        &self,
        spot: &mut Spot,
        target: Target<'_>,
        level: u8,
    ) -> Result<Met<P::Write<'_>>, Fault> {
        let height = {
            let root = self.pages.try_read(spot.root);
            if !self.still_begins(spot) {
                return Ok(Met::Moved);
            }
            let Some(root) = root? else {
                return Ok(Met::Absent(spot.root));
            };
            let height = node::expect(spot.root, &root, spot.tree, None)?;
            if height > level {
                return self.seize_below(*spot, target, level, root);
            }
            height
        };
        if height < level {
            return Ok(Met::TooHigh);
        }
        let root = self.pages.try_write(spot.root);
        if !self.still_begins(spot) {
            return Ok(Met::Moved);
        }
        let Some(root) = root? else {
            return Ok(Met::Absent(spot.root));
        };
        if header::level(&root) != level {
            return Ok(Met::Moved);
        }
        node::expect(spot.root, &root, spot.tree, Some(level))?;
        Ok(Met::There(spot.root, root))
    }

    fn seize_below<'p>(
        &'p self,
        spot: Spot,
        target: Target<'_>,
        level: u8,
        root: P::Read<'p>,
    ) -> Result<Met<P::Write<'p>>, Fault> {
        let mut id = spot.root;
        let mut at = header::level(&root);
        let mut page = root;
        loop {
            let index = sound(id, node::child_index(&page, target))?;
            let child = way_down(id, &page, index)?;
            at -= 1;
            if at == level {
                let Some(next) = self.pages.try_write(child)? else {
                    return Ok(Met::Absent(child));
                };
                node::expect(child, &next, spot.tree, Some(at))?;
                return Ok(Met::There(child, next));
            }
            let Some(next) = self.pages.try_read(child)? else {
                return Ok(Met::Absent(child));
            };
            node::expect(child, &next, spot.tree, Some(at))?;
            page = next;
            id = child;
        }
    }
}
