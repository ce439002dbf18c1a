//! Moving a page to a lower place in the file.
//!
//! One record makes the new page from the whole content of the old one, frees that, and corrects who leads to it: its parent, and in the case of a leaf its left
//! neighbour. All are latched: nobody can be on his way to the old page. What remembers it (a cursor, a writer that glanced at the parent) sees another LSN, there or in the parent.
//!
//! The left neighbour of a parent's first child has another parent. From the lowest page above both, latched exclusively, the way goes down to the neighbour first and then to the page:
//! downward and to the right, as for everybody.

use super::look::Child;
use super::{Compaction, RECORDS, target};
use crate::btree::split::{copy_cells, refuse_in_use};
use crate::btree::walk::{Pins, WALK, sound, way_down};
use crate::btree::{Author, BTree, Spot};
use crate::change::Shape;
use crate::journal::{Room, Undo};
use crate::node::{self, Cell, Target};
use crate::space::{Reserved, Some4};
use crate::step::Step;
use godb_buffer::slotted::{self, Slots};
use godb_buffer::{Fault, PageId, Pages, header};

/// So often a page is tried to be moved while others push its relatives out of memory; then it stays where it is.
const PATIENCE: u32 = 64;

/// What became of a page that was to be moved.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Outcome {
    Moved,
    /// No page before it is free.
    NoRoom,
    /// It is no longer what it was.
    Changed,
}

/// Who is latched to move a page.
struct Relatives<W> {
    parent: (PageId, W),
    /// Which of the parent's children it is.
    index: usize,
    left: Option<(PageId, W)>,
    page: W,
}

/// How an attempt to latch them ended.
enum Seized<W> {
    All(Relatives<W>),
    Absent(PageId),
    /// The way there begins one level further up.
    Higher,
    Changed,
}

/// The whole content of a page of a tree.
pub(super) struct Content {
    shape: Shape,
    cells: Vec<Cell>,
}

impl Content {
    /// Verifies the page and copies it.
    pub(super) fn of(id: PageId, page: &[u8]) -> Result<Self, Fault> {
        sound(id, slotted::verify(page))?;
        let count = sound(id, Slots::of(page))?.len();
        Ok(Self {
            shape: Shape {
                tree: header::tree_id(page),
                level: header::level(page),
                right: header::right_link(page),
                first: slotted::link(page),
            },
            cells: copy_cells(id, page, 0..count)?,
        })
    }

    pub(super) fn describe(&self, page: &mut crate::change::Operations<'_>) {
        page.format(self.shape);
        for cell in &self.cells {
            page.append(cell);
        }
    }
}

impl<P: Pages> BTree<P> {
    /// Moves some pages of a tree from beyond the limit; `false` when that was all of them.
    pub(super) fn move_some(&self, mut spot: Spot, at: &mut Compaction) -> Result<bool, Fault> {
        let above = at.level.saturating_add(1);
        let Some(below) = self.look_below(&mut spot, at.at.as_deref(), above)? else {
            if spot.root.raw() >= at.limit {
                self.count_move(self.move_root(spot)?, at);
            }
            return Ok(false);
        };
        let mut records = 0;
        for child in below.children.into_iter().skip(below.here) {
            if child.page.raw() < at.limit {
                continue;
            }
            if records == RECORDS {
                at.at = child.from;
                return Ok(true);
            }
            records += 1;
            let outcome = self.relocate(&mut spot, at.level, &child)?;
            self.count_move(outcome, at);
            if outcome == Outcome::NoRoom {
                return Ok(false);
            }
        }
        at.at = self.next_at(&mut spot, at.at.as_deref(), above)?;
        if at.at.is_none() {
            at.level = above;
        }
        Ok(at.level < u8::MAX)
    }

    fn count_move(&self, outcome: Outcome, at: &mut Compaction) {
        if outcome == Outcome::Moved {
            at.progress.moved += 1;
            at.progress.done += 1;
        }
    }

    /// Moves a page that is nobody's root to the lowest free place before it.
    fn relocate(&self, spot: &mut Spot, level: u8, child: &Child) -> Result<Outcome, Fault> {
        let Some(mut new) = self.space.take_below(child.page) else {
            return Ok(Outcome::NoRoom);
        };
        let map_ids = self.maps_of(&[new.pages()[0], child.page]);
        let moved = {
            let mut room = self.room(Author::Nobody, 2 * self.page_size() + 1024)?;
            let _admitted = self.pages.admit(WALK + 6 + map_ids.len())?;
            let _maps = self.pin_maps(&map_ids)?;
            let Some(relatives) = self.seize_relatives(spot, level, child)? else {
                return Ok(Outcome::Changed);
            };
            self.replace(&mut room, &mut new, &map_ids, child.page, relatives)?
        };
        self.let_go(&[moved]);
        Ok(Outcome::Moved)
    }

    /// Latches a page and who leads to it.
    fn seize_relatives<'p>(
        &'p self,
        spot: &mut Spot,
        level: u8,
        child: &Child,
    ) -> Result<Option<Relatives<P::Write<'p>>>, Fault> {
        let mut pins = Pins::new(&*self.pages);
        let mut top = level + 1;
        for _ in 0..PATIENCE {
            let way = target(child.from.as_deref());
            let Some(from) = pins.reach(|| self.seize(spot, way, top))? else {
                return Ok(None);
            };
            match self.seize_from(*spot, from, level, child)? {
                Seized::All(relatives) => return Ok(Some(relatives)),
                Seized::Absent(page) => pins.bring(page)?,
                Seized::Higher => top = top.saturating_add(1),
                Seized::Changed => return Ok(None),
            }
        }
        Ok(None)
    }

    /// Latches them from a page above on, which is latched.
    fn seize_from<'p>(
        &'p self,
        spot: Spot,
        (top_id, top): (PageId, P::Write<'p>),
        level: u8,
        child: &Child,
    ) -> Result<Seized<P::Write<'p>>, Fault> {
        let way = target(child.from.as_deref());
        let index = sound(top_id, node::child_index(&top, way))?;
        let is_parent = header::level(&top) == level + 1;
        let wants_left = level == 0 && child.from.is_some();
        if wants_left && index == 0 {
            return Ok(Seized::Higher);
        }
        let mut left = None;
        if wants_left {
            let first = way_down(top_id, &top, index - 1)?;
            match self.seize_last_leaf(spot, first, header::level(&top) - 1)? {
                Ok(found) => left = Some(found),
                Err(absent) => return Ok(Seized::Absent(absent)),
            }
        }
        let parent = if is_parent {
            (top_id, top)
        } else {
            let next = way_down(top_id, &top, index)?;
            match self.seize_first_parent(spot, next, header::level(&top) - 1, level + 1, way)? {
                Ok(found) => found,
                Err(absent) => return Ok(Seized::Absent(absent)),
            }
        };
        let index = sound(parent.0, node::child_index(&parent.1, way))?;
        let leads_there = |(_, left): &(PageId, P::Write<'p>)| header::right_link(left) == child.page;
        if way_down(parent.0, &parent.1, index)? != child.page || !left.as_ref().is_none_or(leads_there) {
            return Ok(Seized::Changed);
        }
        let Some(page) = self.pages.try_write(child.page)? else {
            return Ok(Seized::Absent(child.page));
        };
        node::expect(child.page, &page, spot.tree, Some(level))?;
        Ok(Seized::All(Relatives {
            parent,
            index,
            left,
            page,
        }))
    }

    /// Latches the rightmost leaf below a page whose parent is latched; the error is a page that is not in memory.
    fn seize_last_leaf<'p>(
        &'p self,
        spot: Spot,
        mut id: PageId,
        mut level: u8,
    ) -> Result<Result<(PageId, P::Write<'p>), PageId>, Fault> {
        let mut above = None;
        while level > 0 {
            let Some(page) = self.pages.try_read(id)? else {
                return Ok(Err(id));
            };
            node::expect(id, &page, spot.tree, Some(level))?;
            let index = sound(id, node::child_index(&page, Target::Last))?;
            id = way_down(id, &page, index)?;
            level -= 1;
            above = Some(page);
        }
        let Some(leaf) = self.pages.try_write(id)? else {
            return Ok(Err(id));
        };
        drop(above);
        node::expect(id, &leaf, spot.tree, Some(0))?;
        Ok(Ok((id, leaf)))
    }

    /// Latches, for writing, the page at level `to` on the way from a page whose parent is latched; the error is a page that is not in memory.
    fn seize_first_parent<'p>(
        &'p self,
        spot: Spot,
        mut id: PageId,
        mut level: u8,
        to: u8,
        way: Target<'_>,
    ) -> Result<Result<(PageId, P::Write<'p>), PageId>, Fault> {
        let mut above = None;
        while level > to {
            let Some(page) = self.pages.try_read(id)? else {
                return Ok(Err(id));
            };
            node::expect(id, &page, spot.tree, Some(level))?;
            let index = sound(id, node::child_index(&page, way))?;
            id = way_down(id, &page, index)?;
            level -= 1;
            above = Some(page);
        }
        let Some(parent) = self.pages.try_write(id)? else {
            return Ok(Err(id));
        };
        drop(above);
        node::expect(id, &parent, spot.tree, Some(to))?;
        Ok(Ok((id, parent)))
    }

    /// Makes the new page and frees the old one, which is returned.
    fn replace<'p>(
        &'p self,
        room: &mut Room<'_>,
        new: &mut Reserved<'_>,
        map_ids: &Some4,
        old_id: PageId,
        relatives: Relatives<P::Write<'p>>,
    ) -> Result<PageId, Fault> {
        let Relatives {
            parent: (parent_id, mut parent),
            index,
            mut left,
            mut page,
        } = relatives;
        let new_id = new.pages()[0];
        let left_id = left.as_ref().map_or(old_id, |(id, _)| *id);
        refuse_in_use(new.pages(), &[parent_id, left_id, old_id])?;
        let content = Content::of(old_id, &page)?;
        let in_parent = match index.checked_sub(1) {
            None => None,
            Some(cell) => {
                let key = sound(parent_id, Slots::of(&parent).and_then(|slots| slots.key(cell)))?;
                Some((cell, node::inner_cell(key, new_id)))
            }
        };
        let mut made = self.pages.fresh(new_id)?;
        let mut maps = self.latch_maps(map_ids)?;
        let mut step = Step::new();
        step.change(parent_id, &mut parent, |parent| match &in_parent {
            None => parent.first(new_id),
            Some((at, cell)) => parent.replace(*at, cell),
        });
        if let Some((id, left)) = &mut left {
            step.change(*id, left, |left| left.right(new_id));
        }
        step.make(new_id, &mut made, |page| content.describe(page));
        step.free(old_id, &mut page);
        self.exchange_bits(&mut step, &mut maps, &[old_id], &[new_id]);
        step.commit(room, None, Undo::Never);
        new.spend(1);
        Ok(old_id)
    }
}
