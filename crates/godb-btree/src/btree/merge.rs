//! Merging sparse pages with a neighbour, and lowering the root.
//!
//! Only pages of one parent are merged, always the right one into the left one, with all three latched: so nobody can be on his way
//! from the parent to the page that vanishes, and nobody can be on his way to it from its left neighbour. A cursor that remembers it sees
//! that its LSN is another.

use super::row::passed_a_mark;
use super::split::copy_cells;
use super::walk::{Pins, WALK, sound, way_down};
use super::{Author, BTree, Spot};
use crate::change::Shape;
use crate::codec::bad_page;
use crate::journal::{Room, Undo};
use crate::map;
use crate::node::{self, Cell, Target};
use crate::step::Step;
use godb_buffer::slotted::{self, SLOT, Slots, usable};
use godb_buffer::{Fault, PageId, Pages, header};

/// How one pass ended.
enum Pass {
    /// Nothing more to do here or above.
    Done,
    /// The parent is worth a look now.
    Up,
    /// The same level again.
    Again,
    /// A page is not in memory.
    Absent(PageId),
}

impl<P: Pages> BTree<P> {
    /// Merges the leaf of `key` with a neighbour if it is sparse, and goes on upward. A log too full for it is no reason to
    /// refuse the removal that came before.
    pub(super) fn tidy(&self, author: Author, spot: Spot, key: &[u8]) -> Result<(), Fault> {
        self.tidy_from(author, spot, 0, key)
    }

    /// The same from a level on, below the leftmost pages.
    pub(super) fn tidy_above(&self, author: Author, spot: Spot, level: u8) -> Result<(), Fault> {
        self.tidy_from(author, spot, level, b"")
    }

    fn tidy_from(&self, author: Author, spot: Spot, mut level: u8, key: &[u8]) -> Result<(), Fault> {
        loop {
            match self.merge_pass(author, spot, level, key) {
                Ok(Pass::Done) | Err(Fault::Full { .. }) => return Ok(()),
                Ok(Pass::Up) => level += 1,
                Ok(Pass::Again | Pass::Absent(_)) => {}
                Err(fault) => return Err(fault),
            }
        }
    }

    fn merge_pass(&self, author: Author, mut spot: Spot, level: u8, key: &[u8]) -> Result<Pass, Fault> {
        let mut room = self.room(author, self.page_size() * 3 / 2 + 1024)?;
        let _admitted = self.pages.admit(WALK + 3)?;
        let mut pins = Pins::new(&*self.pages);
        loop {
            let target = Target::At(key);
            let Some((id, parent)) = pins.reach(|| self.seize(&mut spot, target, level + 1))? else {
                return Ok(Pass::Done);
            };
            match self.merge_under(&mut room, spot, id, parent, key)? {
                Pass::Absent(page) => pins.bring(page)?,
                ended => return Ok(ended),
            }
        }
    }

    /// Looks at the child of a latched parent on the way to `key`, and at its neighbours.
    fn merge_under<'p>(
        &'p self,
        room: &mut Room<'_>,
        spot: Spot,
        parent_id: PageId,
        mut parent: P::Write<'p>,
        key: &[u8],
    ) -> Result<Pass, Fault> {
        let count = sound(parent_id, Slots::of(&parent))?.len();
        if count == 0 && parent_id == spot.root {
            return self.lower_root(room, spot, parent);
        }
        let index = sound(parent_id, node::child_index(&parent, Target::At(key)))?;
        let lefts = [index.checked_sub(1), (index < count).then_some(index)];
        for left_index in lefts.into_iter().flatten() {
            let mine = index - left_index;
            match self.merge_pair(room, spot, (parent_id, &mut parent), left_index, mine)? {
                Some(ended) => return Ok(ended),
                None => continue,
            }
        }
        Ok(if count == 0 { Pass::Up } else { Pass::Done })
    }

    /// Merges two children, if the one that is asked for is sparse and both fit one page.
    fn merge_pair<'p>(
        &'p self,
        room: &mut Room<'_>,
        spot: Spot,
        (parent_id, parent): (PageId, &mut P::Write<'p>),
        left_index: usize,
        mine: usize,
    ) -> Result<Option<Pass>, Fault> {
        let level = header::level(parent) - 1;
        let left_id = way_down(parent_id, parent, left_index)?;
        let right_id = way_down(parent_id, parent, left_index + 1)?;
        if left_id == right_id {
            return Err(bad_page(parent_id, "it has a child twice"));
        }
        let Some(left) = self.pages.try_write(left_id)? else {
            return Ok(Some(Pass::Absent(left_id)));
        };
        node::expect(left_id, &left, spot.tree, Some(level))?;
        let Some(right) = self.pages.try_write(right_id)? else {
            return Ok(Some(Pass::Absent(right_id)));
        };
        node::expect(right_id, &right, spot.tree, Some(level))?;
        let separator = sound(
            parent_id,
            Slots::of(parent).and_then(|slots| slots.key(left_index)),
        )?;
        let Some(moved) = what_moves((left_id, &left), (right_id, &right), separator, mine)? else {
            return Ok(None);
        };
        let before = node::used(parent);
        let family = (parent_id, &mut *parent, left_index);
        match self.unite(room, family, (left_id, left), (right_id, right), &moved)? {
            Ok(_) => Ok(Some(after_merge(parent_id == spot.root, parent, before))),
            Err(absent) => Ok(Some(Pass::Absent(absent))),
        }
    }

    /// Adds `moved`, which is all that the right page has, to the left one, and frees the right one; tells how many bytes are in use in the left one then. The error is
    /// the free map, when it is not in memory.
    pub(super) fn unite<'p>(
        &'p self,
        room: &mut Room<'_>,
        (parent_id, parent, left_index): (PageId, &mut P::Write<'p>, usize),
        (left_id, mut left): (PageId, P::Write<'p>),
        (right_id, mut right): (PageId, P::Write<'p>),
        moved: &[Cell],
    ) -> Result<Result<usize, PageId>, Fault> {
        let map_id = map::of_page(self.page_size(), right_id);
        let Some(map) = self.pages.try_write(map_id)? else {
            return Ok(Err(map_id));
        };
        sound(map_id, map::check(&map))?;
        let mut maps = smallvec::smallvec![(map_id, map)];
        let is_leaf = header::level(&left) == 0;
        let beyond = header::right_link(&right);
        let mut step = Step::new();
        step.change(left_id, &mut left, |page| {
            for cell in moved {
                page.append(cell);
            }
            if is_leaf {
                page.right(beyond);
            }
        });
        step.free(right_id, &mut right);
        step.change(parent_id, parent, |page| page.remove(left_index));
        self.set_bits(&mut step, &mut maps, &[right_id], false);
        step.commit(room, None, Undo::Never);
        let used = node::used(&left);
        drop((left, right, maps));
        self.let_go(&[right_id]);
        Ok(Ok(used))
    }

    /// A root with a single child takes that child's cells, and the tree is one level lower.
    fn lower_root<'p>(
        &'p self,
        room: &mut Room<'_>,
        spot: Spot,
        mut root: P::Write<'p>,
    ) -> Result<Pass, Fault> {
        let level = header::level(&root) - 1;
        let child_id = way_down(spot.root, &root, 0)?;
        let Some(mut child) = self.pages.try_write(child_id)? else {
            return Ok(Pass::Absent(child_id));
        };
        node::expect(child_id, &child, spot.tree, Some(level))?;
        sound(child_id, slotted::verify(&child))?;
        let count = sound(child_id, Slots::of(&child))?.len();
        let cells = copy_cells(child_id, &child, 0..count)?;
        let map_id = map::of_page(self.page_size(), child_id);
        let Some(map) = self.pages.try_write(map_id)? else {
            return Ok(Pass::Absent(map_id));
        };
        sound(map_id, map::check(&map))?;
        let mut maps = smallvec::smallvec![(map_id, map)];
        let shape = Shape {
            tree: spot.tree,
            level,
            right: PageId::default(),
            first: slotted::link(&child),
        };
        let mut step = Step::new();
        step.make(spot.root, &mut root, |page| {
            page.format(shape);
            for cell in &cells {
                page.append(cell);
            }
        });
        step.free(child_id, &mut child);
        self.set_bits(&mut step, &mut maps, &[child_id], false);
        step.commit(room, None, Undo::Never);
        drop((child, maps));
        self.let_go(&[child_id]);
        Ok(if level > 0 && count == 0 {
            Pass::Again
        } else {
            Pass::Done
        })
    }
}

/// Where to look next.
fn after_merge(parent_is_root: bool, parent: &[u8], before: usize) -> Pass {
    let alone = header::slot_count(parent) == 0;
    match (parent_is_root, alone) {
        (true, true) => Pass::Again,
        (true, false) => Pass::Done,
        (false, true) => Pass::Up,
        (false, false) if passed_a_mark(parent.len(), before, node::used(parent)) => Pass::Up,
        (false, false) => Pass::Done,
    }
}

/// The cells that the left page gets from the right one, if the page in question (`mine`: 0 for the left one) is sparse and all fits.
/// A merged page keeps some room, so that the next row does not split it again.
fn what_moves(
    (left_id, left): (PageId, &[u8]),
    (right_id, right): (PageId, &[u8]),
    separator: &[u8],
    mine: usize,
) -> Result<Option<Vec<Cell>>, Fault> {
    let all = usable(left.len());
    let sizes = [node::used(left), node::used(right)];
    if sizes[mine] >= all / 3 {
        return Ok(None);
    }
    let inner = header::level(left) > 0;
    let extra = if inner { separator.len() + 6 + SLOT } else { 0 };
    let total = sizes[0] + sizes[1] + extra;
    let empty = sizes.contains(&0);
    if total > all || (total > all / 100 * 85 && !empty) {
        return Ok(None);
    }
    sound(left_id, slotted::verify(left))?;
    sound(right_id, slotted::verify(right))?;
    let count = sound(right_id, Slots::of(right))?.len();
    let mut cells = copy_cells(right_id, right, 0..count)?;
    if inner {
        cells.insert(0, node::inner_cell(separator, slotted::link(right)));
    }
    Ok(Some(cells))
}
