//! Packing: a page takes from its right neighbour under the same parent what it has room for. When nothing is left there, the neighbour is freed.
//!
//! All three are latched, as for a [merge](crate::btree::merge), and both pages change: so whoever remembers one of them sees that it is another.

use super::{Compaction, RECORDS, target};
use crate::btree::split::copy_cells;
use crate::btree::walk::{Fence, Pins, WALK, sound, way_down};
use crate::btree::{Author, BTree, Spot};
use crate::codec::bad_page;
use crate::journal::{Room, Undo};
use crate::node::{self, Cell, Target};
use crate::step::Step;
use godb_buffer::slotted::{self, SLOT, Slots, usable};
use godb_buffer::{Fault, PageId, Pages, header};
use std::collections::VecDeque;

/// Rows are handed on over so many leaves at most to free one of them: so no more than one part in so many of the space in leaves stays free.
const WINDOW: usize = 128;

/// The leaf that is being filled and those behind it under the same parent: lower bound, and bytes in use.
pub(super) type Plan = VecDeque<(Fence, usize)>;

/// What became of two neighbours.
enum Packed {
    /// The right one is gone. So many bytes are in use in the left one now.
    Merged(usize),
    /// The left one is as full as can be. The right one begins here now, and so many bytes are in use in it.
    Shifted(Fence, usize),
    /// Nothing fits. The right one begins here.
    Full(Fence),
    /// There is no right one under this parent.
    Last,
    /// There is no parent.
    Top,
}

/// What goes from the right page to the left one.
struct Haul {
    cells: Vec<Cell>,
    /// How many cells the right page loses.
    taken: usize,
    /// Where the right page begins then; none when nothing is left.
    border: Option<Cell>,
    /// Its leftmost child then, of an inner page.
    first: PageId,
}

impl<P: Pages> BTree<P> {
    /// Packs some leaves of a tree; `false` when that was the last.
    pub(super) fn pack_some(&self, mut spot: Spot, at: &mut Compaction) -> Result<bool, Fault> {
        for _ in 0..RECORDS {
            if at.plan.is_empty() && !self.plan_leaves(&mut spot, at)? {
                return Ok(false);
            }
            if at.plan.len() == 1 {
                if !self.end_parent(&mut spot, at)? {
                    self.lower_roots(spot)?;
                    return Ok(false);
                }
            } else if pays(&at.plan, usable(self.page_size())) {
                self.pack_leaf(&mut spot, at)?;
            } else {
                at.plan.pop_front();
                at.at = at.plan[0].0.clone();
                at.progress.done += 1;
            }
        }
        Ok(true)
    }

    /// Looks how full the leaves are from here to the end of their parent; `false` when the tree is a single leaf.
    fn plan_leaves(&self, spot: &mut Spot, at: &mut Compaction) -> Result<bool, Fault> {
        let Some(below) = self.look_below(spot, at.at.as_deref(), 1)? else {
            return Ok(false);
        };
        for child in &below.children[below.here..] {
            self.pages.prefetch(child.page);
        }
        for child in below.children.into_iter().skip(below.here) {
            at.plan.push_back((child.from, self.used_in(child.page)?));
        }
        Ok(true)
    }

    fn pack_leaf(&self, spot: &mut Spot, at: &mut Compaction) -> Result<(), Fault> {
        match self.pack_pair(spot, 0, at.at.as_deref())? {
            Packed::Merged(used) => {
                at.plan.remove(1);
                at.plan[0].1 = used;
                at.progress.freed += 1;
                at.progress.done += 1;
            }
            Packed::Shifted(from, used) => {
                at.plan.pop_front();
                at.plan[0] = (from.clone(), used);
                at.at = from;
                at.progress.done += 1;
            }
            Packed::Full(from) => {
                at.plan.pop_front();
                at.plan[0].0.clone_from(&from);
                at.at = from;
                at.progress.done += 1;
            }
            // Not what the plan says: somebody was here.
            Packed::Last | Packed::Top => at.plan.truncate(1),
        }
        Ok(())
    }

    /// The last leaf under its parent: gets more leaves for it, or goes on to the next parent. `false` when there is none.
    fn end_parent(&self, spot: &mut Spot, at: &mut Compaction) -> Result<bool, Fault> {
        at.plan.clear();
        let from = at.at.take();
        let pulled = self.pull(spot, 1, from.as_deref(), at);
        at.at = from;
        if pulled? {
            return Ok(true);
        }
        at.progress.done += 2;
        at.at = self.next_at(spot, at.at.as_deref(), 1)?;
        Ok(at.at.is_some())
    }

    /// Gives the inner page at `level` on the way to `from` children from its right neighbour; `false` when there is none, or it is full.
    fn pull(
        &self,
        spot: &mut Spot,
        level: u8,
        from: Option<&[u8]>,
        at: &mut Compaction,
    ) -> Result<bool, Fault> {
        loop {
            return match self.pack_pair(spot, level, from)? {
                Packed::Merged(_) => {
                    at.progress.freed += 1;
                    Ok(true)
                }
                Packed::Shifted(..) => Ok(true),
                Packed::Full(_) | Packed::Top => Ok(false),
                Packed::Last if level < u8::MAX && self.pull(spot, level + 1, from, at)? => continue,
                Packed::Last => Ok(false),
            };
        }
    }

    /// Fills the page at `level` on the way to `at` from its right neighbour.
    fn pack_pair(&self, spot: &mut Spot, level: u8, at: Option<&[u8]>) -> Result<Packed, Fault> {
        let mut room = self.room(Author::Nobody, 2 * self.page_size() + 1024)?;
        let _admitted = self.pages.admit(WALK + 3)?;
        let mut pins = Pins::new(&*self.pages);
        let Some(above) = level.checked_add(1) else {
            return Ok(Packed::Top);
        };
        loop {
            let Some((id, parent)) = pins.reach(|| self.seize(spot, target(at), above))? else {
                return Ok(Packed::Top);
            };
            match self.pack_under(&mut room, *spot, (id, parent), target(at))? {
                Ok(packed) => return Ok(packed),
                Err(absent) => pins.bring(absent)?,
            }
        }
    }

    /// The same below a latched parent; the error is a page that is not in memory.
    fn pack_under<'p>(
        &'p self,
        room: &mut Room<'_>,
        spot: Spot,
        (parent_id, mut parent): (PageId, P::Write<'p>),
        target: Target<'_>,
    ) -> Result<Result<Packed, PageId>, Fault> {
        let level = header::level(&parent) - 1;
        let index = sound(parent_id, node::child_index(&parent, target))?;
        if index == usize::from(header::slot_count(&parent)) {
            return Ok(Ok(Packed::Last));
        }
        let left_id = way_down(parent_id, &parent, index)?;
        let right_id = way_down(parent_id, &parent, index + 1)?;
        if left_id == right_id {
            return Err(bad_page(parent_id, "it has a child twice"));
        }
        let Some(left) = self.pages.try_write(left_id)? else {
            return Ok(Err(left_id));
        };
        node::expect(left_id, &left, spot.tree, Some(level))?;
        let Some(right) = self.pages.try_write(right_id)? else {
            return Ok(Err(right_id));
        };
        node::expect(right_id, &right, spot.tree, Some(level))?;
        let separator = sound(parent_id, Slots::of(&parent).and_then(|slots| slots.key(index)))?.to_vec();
        let Some(haul) = what_fits((left_id, &left), (right_id, &right), &separator)? else {
            return Ok(Ok(Packed::Full(Some(separator))));
        };
        let parent = (parent_id, &mut parent, index);
        match &haul.border {
            None => {
                let united = self.unite(room, parent, (left_id, left), (right_id, right), &haul.cells)?;
                Ok(united.map(Packed::Merged))
            }
            Some(border) => {
                let cell = node::inner_cell(border, right_id);
                if !sound(parent_id, slotted::fits(parent.1, cell.len(), Some(index)))? {
                    return Ok(Ok(Packed::Full(Some(separator))));
                }
                let used = shift(room, parent, &cell, (left_id, left), (right_id, right), &haul);
                Ok(Ok(Packed::Shifted(Some(border.to_vec()), used)))
            }
        }
    }

    /// Takes away levels that have become needless: a root with a single child takes that child's content.
    fn lower_roots(&self, mut spot: Spot) -> Result<(), Fault> {
        let mut before = None;
        loop {
            let (level, alone) = self.look_at_root(&mut spot)?;
            // The same again: the log has no room for it now.
            if level == 0 || !alone || before == Some(level) {
                return Ok(());
            }
            before = Some(level);
            self.tidy_above(Author::Nobody, spot, level - 1)?;
        }
    }
}

/// Whether a page is freed when the first leaves of a plan are packed.
fn pays(plan: &Plan, capacity: usize) -> bool {
    let mut free = 0;
    plan.iter().take(WINDOW).any(|(_, used)| {
        free += capacity.saturating_sub(*used);
        free >= capacity
    })
}

/// What of the right page fits into the left one; `None` when that is nothing. Both pages are verified, for what follows must not fail.
fn what_fits(
    (left_id, left): (PageId, &[u8]),
    (right_id, right): (PageId, &[u8]),
    separator: &[u8],
) -> Result<Option<Haul>, Fault> {
    sound(left_id, slotted::verify(left))?;
    sound(right_id, slotted::verify(right))?;
    let slots = sound(right_id, Slots::of(right))?;
    let inner = header::level(left) > 0;
    let mut free = usize::from(header::free_space(left));
    let mut cells = Vec::new();
    if inner {
        // The separator comes down, with the leftmost child.
        let cell = node::inner_cell(separator, slotted::link(right));
        let Some(rest) = free.checked_sub(cell.len() + SLOT) else {
            return Ok(None);
        };
        free = rest;
        cells.push(cell);
    }
    let mut taken = 0;
    while taken < slots.len() {
        let Some(rest) = free.checked_sub(sound(right_id, slots.footprint(taken))?) else {
            break;
        };
        free = rest;
        taken += 1;
    }
    let all = taken == slots.len();
    if taken == 0 && !inner && !all {
        return Ok(None);
    }
    cells.extend(copy_cells(right_id, right, 0..taken)?);
    let key = |at| sound(right_id, slots.key(at));
    let border = match (all, inner) {
        (true, _) => None,
        (false, true) => Some(Cell::from_slice(key(taken)?)),
        (false, false) => Some(Cell::from_slice(node::separator(key(taken - 1)?, key(taken)?))),
    };
    // Of an inner page the cell behind those that move gives its key to the parent and its child to be the leftmost.
    let (taken, first) = match (all, inner) {
        (false, true) => (taken + 1, sound(right_id, node::child(right, taken + 1))?),
        _ => (taken, PageId::default()),
    };
    Ok(Some(Haul {
        cells,
        taken,
        border,
        first,
    }))
}

/// Moves cells from the right page to the left one, and the border between them; tells how many bytes are in use in the right one then.
fn shift<W: godb_buffer::PageWrite>(
    room: &mut Room<'_>,
    (parent_id, parent, index): (PageId, &mut W, usize),
    border: &[u8],
    (left_id, mut left): (PageId, W),
    (right_id, mut right): (PageId, W),
    haul: &Haul,
) -> usize {
    let inner = header::level(&left) > 0;
    let mut step = Step::new();
    step.change(left_id, &mut left, |page| {
        for cell in &haul.cells {
            page.append(cell);
        }
    });
    step.change(right_id, &mut right, |page| {
        (0..haul.taken).for_each(|_| page.remove(0));
        if inner {
            page.first(haul.first);
        }
    });
    step.change(parent_id, parent, |page| {
        page.remove(index);
        page.insert(index, border);
    });
    step.commit(room, None, Undo::Never);
    node::used(&right)
}
