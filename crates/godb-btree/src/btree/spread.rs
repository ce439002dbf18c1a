//! Spreading: a full leaf gives rows to a neighbour under the same parent instead of being split.
//!
//! Leaves that are split whenever they are full are two thirds full in the mean, for rows that come in any order: a third of the file, and of the memory for pages, holds nothing. A leaf that first
//! shares with the emptier of its two neighbours ends up four fifths full (Knuth's *B\*-tree*, in volume 3 of *The Art of Computer Programming*, goes further and splits two full pages into
//! three). It costs a record where half a leaf moves more often than before, so it is done only where it lasts: the neighbour must be far from full. Rows that come in order are left alone, since
//! what lies before them will get no more.
//!
//! Both leaves and their parent are latched and change, as when they are [packed](super::compact): so whoever remembers one of them sees that it is another.

use super::BTree;
use super::split::{Need, cut_at, verified_cells, with_new_row};
use super::walk::{sound, way_down};
use crate::codec::bad_page;
use crate::journal::{Room, Undo};
use crate::node;
use crate::step::Step;
use godb_buffer::slotted::{self, Slots, usable};
use godb_buffer::{Fault, PageId, PageWrite, Pages, TreeId, header};

/// A neighbour is asked if so many percent of it are in use at most: what is measured is how full leaves get, and how often that has to be done for it.
const MOST: usize = 60;

/// Two leaves beside each other under a latched parent.
struct Pair<'g, W> {
    parent_id: PageId,
    parent: &'g mut W,
    /// The number of the separator between them.
    between: usize,
    left_id: PageId,
    left: W,
    right_id: PageId,
    right: W,
}

impl<P: Pages> BTree<P> {
    /// Makes room in the leaf that is number `index` below a latched parent by moving rows into a neighbour. `false` when there is none with room, or the rows come in order.
    pub(super) fn spread<'p>(
        &'p self,
        room: &mut Room<'_>,
        tree: TreeId,
        (parent_id, parent): (PageId, &mut P::Write<'p>),
        index: usize,
        need: Need<'_>,
    ) -> Result<bool, Fault> {
        let Some(between) = self.emptier_side(parent_id, parent, index, need)? else {
            return Ok(false);
        };
        let left_id = way_down(parent_id, parent, between)?;
        let right_id = way_down(parent_id, parent, between + 1)?;
        if left_id == right_id {
            return Err(bad_page(parent_id, "it has a child twice"));
        }
        let Some(left) = self.pages.try_write(left_id)? else {
            return Ok(false);
        };
        let Some(right) = self.pages.try_write(right_id)? else {
            return Ok(false);
        };
        node::expect(left_id, &left, tree, Some(0))?;
        node::expect(right_id, &right, tree, Some(0))?;
        let pair = Pair {
            parent_id,
            parent,
            between,
            left_id,
            left,
            right_id,
            right,
        };
        pair.share(room, between == index, need)
    }

    /// The separator on the side of the neighbour that has more room, if it has enough. Nothing is waited for: whoever is busy is passed by.
    fn emptier_side(
        &self,
        parent_id: PageId,
        parent: &[u8],
        index: usize,
        need: Need<'_>,
    ) -> Result<Option<usize>, Fault> {
        let full_id = way_down(parent_id, parent, index)?;
        let Some(full) = self.pages.glance(full_id) else {
            return Ok(None);
        };
        let slots = sound(full_id, Slots::of(&full))?;
        if sound(full_id, slots.search(need.key))? == Err(slots.len()) {
            return Ok(None);
        }
        drop(full);
        let last = usize::from(header::slot_count(parent));
        let sides = [
            index.checked_sub(1).map(|left| (left, left)),
            (index < last).then_some((index, index + 1)),
        ];
        let mut emptier = None;
        for (between, child) in sides.into_iter().flatten() {
            if let Some(page) = self.pages.glance(way_down(parent_id, parent, child)?) {
                let used = node::used(&page);
                let enough = used * 100 <= usable(page.len()) * MOST;
                if enough && emptier.is_none_or(|(least, _)| used < least) {
                    emptier = Some((used, between));
                }
            }
        }
        Ok(emptier.map(|(_, between)| between))
    }
}

impl<W: PageWrite> Pair<'_, W> {
    /// Moves rows from the full leaf into the other, so that both have as much room once the new row is there. Both are verified, for what follows must not fail.
    fn share(self, room: &mut Room<'_>, full_is_left: bool, need: Need<'_>) -> Result<bool, Fault> {
        for (id, page) in [(self.left_id, &self.left), (self.right_id, &self.right)] {
            let slots = sound(id, Slots::of(page))?;
            slots.expect_cells(0, slots.len());
        }
        sound(self.left_id, slotted::verify(&self.left))?;
        sound(self.right_id, slotted::verify(&self.right))?;
        let (id, full, other) = match full_is_left {
            true => (self.left_id, &self.left, &self.right),
            false => (self.right_id, &self.right, &self.left),
        };
        let slots = sound(id, Slots::of(full))?;
        let place = sound(id, slots.search(need.key))?;
        if sound(id, slotted::fits(full, need.bytes, place.ok()))? {
            return Ok(true);
        }
        let sizes = with_new_row(id, &slots, need, place)?;
        let Some(border) = even_border(&sizes, node::used(other), usable(full.len()), full_is_left) else {
            return Ok(false);
        };
        let cut = cut_at(id, &slots, need, place, border)?;
        let moving = match full_is_left {
            true => cut.stay..slots.len(),
            false => 0..cut.stay,
        };
        let cell = node::inner_cell(&cut.separator, self.right_id);
        let fits = sound(
            self.parent_id,
            slotted::fits(self.parent, cell.len(), Some(self.between)),
        )?;
        if moving.is_empty() || !fits {
            return Ok(false);
        }
        match full_is_left {
            true => self.send_right(room, cut.stay, &cell),
            false => self.send_left(room, cut.stay, &cell),
        }
        Ok(true)
    }

    /// The rows of the left leaf from this number on go to the right one.
    fn send_right(mut self, room: &mut Room<'_>, stay: usize, border: &[u8]) {
        let mut step = Step::large(self.left.len());
        step.change(self.parent_id, self.parent, |page| {
            page.remove(self.between);
            page.insert(self.between, border);
        });
        if godb_buffer::sync::planted("spread-in-two-records") {
            step.commit(room, None, Undo::Never);
            step = Step::new();
        }
        step.change(self.right_id, &mut self.right, |page| {
            let slots = Slots::of(&self.left).expect("the page was verified");
            let rows = verified_cells(slots, stay..slots.len()).enumerate();
            rows.for_each(|(at, row)| page.insert(at, row));
        });
        step.change(self.left_id, &mut self.left, |page| page.keep(stay));
        step.commit(room, None, Undo::Never);
    }

    /// So many first rows of the right leaf go to the left one.
    fn send_left(mut self, room: &mut Room<'_>, going: usize, border: &[u8]) {
        let mut step = Step::large(self.right.len());
        step.change(self.parent_id, self.parent, |page| {
            page.remove(self.between);
            page.insert(self.between, border);
        });
        if godb_buffer::sync::planted("spread-in-two-records") {
            step.commit(room, None, Undo::Never);
            step = Step::new();
        }
        step.change(self.left_id, &mut self.left, |page| {
            let slots = Slots::of(&self.right).expect("the page was verified");
            verified_cells(slots, 0..going).for_each(|row| page.append(row));
        });
        step.change(self.right_id, &mut self.right, |page| {
            (0..going).for_each(|_| page.remove(0));
        });
        step.commit(room, None, Undo::Never);
    }
}

/// How many of the full leaf's rows are on the left of the new border, so that both leaves are as full as each other; none when that is not possible. `beside` bytes are in use in the
/// other leaf.
fn even_border(sizes: &[usize], beside: usize, capacity: usize, full_is_left: bool) -> Option<usize> {
    let total = sizes.iter().sum::<usize>() + beside;
    let mut left = if full_is_left { 0 } else { beside };
    let mut best: Option<(usize, usize)> = None;
    for (row, size) in sizes.iter().enumerate().take(sizes.len().saturating_sub(1)) {
        left += size;
        let right = total - left;
        let distance = left.abs_diff(right);
        if left <= capacity && right <= capacity && best.is_none_or(|(least, _)| distance < least) {
            best = Some((distance, row + 1));
        }
    }
    best.map(|(_, border)| border)
}

#[cfg(test)]
mod tests {
    use super::even_border;

    #[test]
    fn both_leaves_get_as_full_as_each_other() {
        assert_eq!(even_border(&[10; 11], 50, 100, true), Some(8));
        assert_eq!(even_border(&[10; 11], 50, 100, false), Some(3));
    }

    #[test]
    fn rows_that_fit_nowhere_stay() {
        assert_eq!(even_border(&[60, 50], 60, 100, true), None);
        assert_eq!(even_border(&[110], 0, 100, true), None);
    }
}
