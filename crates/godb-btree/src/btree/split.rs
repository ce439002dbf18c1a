//! Splitting pages: one redo-only record a level.
//!
//! Each pass latches a page and its parent exclusively, and nothing else that others use. When the parent has no room for another separator, the
//! pass lets go and the parent is split first, from its own parent; so whatever the height, few pages are latched, and after every single record the tree
//! is sound. What a pass made room for may be taken by somebody else before the caller comes back: then it is split again.
//!
//! A page that grows at its end is cut near its end: rows that arrive in order fill their leaves, where cutting in the middle would leave
//! them half empty for ever.

use super::walk::{Met, Pins, WALK, sound, way_down};
use super::{Author, BTree, Spot};
use crate::change::Shape;
use crate::codec::bad_page;
use crate::journal::Undo;
use crate::node::{self, Cell, Target};
use crate::space::Reserved;
use crate::step::Step;
use godb_buffer::slotted::{self, SLOT, Slots, usable};
use godb_buffer::{Fault, PageId, Pages, TreeId, header};
use std::ops::Range;

/// What a split is to make room for.
#[derive(Clone, Copy)]
pub(super) struct Need<'k> {
    /// On the way to which key.
    pub(super) key: &'k [u8],
    /// For a cell of how many bytes.
    pub(super) bytes: usize,
}

/// How one pass ended.
enum Pass {
    Split,
    /// There is room already, or the tree has no such level any more.
    Needless,
    /// The parent has no room for a separator of this many bytes.
    ParentFull(usize),
}

/// Where a page is cut.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Cut {
    /// How many of its cells stay.
    pub(super) stay: usize,
    /// What separates the two.
    pub(super) separator: Cell,
}

impl<P: Pages> BTree<P> {
    /// Makes room at `level` on the way to a key.
    pub(super) fn split(&self, author: Author, spot: Spot, level: u8, need: Need<'_>) -> Result<(), Fault> {
        loop {
            match self.split_pass(author, spot, level, need)? {
                Pass::Split | Pass::Needless => return Ok(()),
                Pass::ParentFull(bytes) => self.split(author, spot, level + 1, Need { bytes, ..need })?,
            }
        }
    }

    fn split_pass(&self, author: Author, mut spot: Spot, level: u8, need: Need<'_>) -> Result<Pass, Fault> {
        let mut new = self.reserve(author, 2)?;
        let maps = self.maps_of(new.pages());
        let mut room = self.room(author, 2 * self.page_size() + 1024)?;
        let _admitted = self.pages.admit(WALK + maps.len() + 3)?;
        let _pinned = self.pin_maps(&maps)?;
        let mut pins = Pins::new(&*self.pages);
        loop {
            let target = Target::At(need.key);
            let Some((parent_id, mut parent)) = pins.reach(|| self.seize(&mut spot, target, level + 1))?
            else {
                let found = pins.reach(|| self.seize_root(&mut spot, level))?;
                return match found {
                    Some((_, root)) => self.grow(&mut room, &mut new, spot, root, need),
                    None => Ok(Pass::Needless),
                };
            };
            let index = sound(parent_id, node::child_index(&parent, target))?;
            if level == 0 && self.spread(&mut room, spot.tree, (parent_id, &mut parent), index, need)? {
                return Ok(Pass::Split);
            }
            let id = way_down(parent_id, &parent, index)?;
            let Some(page) = self.pages.try_write(id)? else {
                drop(parent);
                pins.bring(id)?;
                continue;
            };
            node::expect(id, &page, spot.tree, Some(level))?;
            let family = Family {
                parent_id,
                parent: &mut parent,
                index,
                id,
                page,
            };
            return self.split_child(&mut room, &mut new, spot.tree, family, need);
        }
    }

    /// Latches the root if it stands at `level`.
    pub(super) fn seize_root(&self, spot: &mut Spot, level: u8) -> Result<Met<P::Write<'_>>, Fault> {
        let root = self.pages.try_write(spot.root);
        if !self.still_begins(spot) {
            return Ok(Met::Moved);
        }
        let Some(root) = root? else {
            return Ok(Met::Absent(spot.root));
        };
        let found = node::expect(spot.root, &root, spot.tree, None)?;
        if found == level {
            Ok(Met::There(spot.root, root))
        } else {
            Ok(Met::TooHigh)
        }
    }

    /// Splits a child whose parent is latched.
    fn split_child<'p>(
        &'p self,
        room: &mut crate::Room<'_>,
        new: &mut Reserved<'_>,
        tree: TreeId,
        mut family: Family<'_, P::Write<'p>>,
        need: Need<'_>,
    ) -> Result<Pass, Fault> {
        let Some(cut) = find_cut(family.id, &family.page, need)? else {
            return Ok(Pass::Needless);
        };
        let right_id = new.pages()[0];
        let separator = node::inner_cell(&cut.separator, right_id);
        let (parent_id, index) = (family.parent_id, family.index);
        if !sound(parent_id, slotted::fits(family.parent, separator.len(), None))? {
            return Ok(Pass::ParentFull(separator.len()));
        }
        refuse_in_use(new.pages(), &[family.id, parent_id])?;
        let moved = Half::right_of(family.id, &family.page, tree, &cut)?;
        let is_leaf = moved.shape.level == 0;
        let mut right = self.pages.fresh(right_id)?;
        let mut maps = self.latch_maps(&self.maps_of(&[right_id]))?;
        let mut step = Step::large(family.page.len());
        step.make(right_id, &mut right, |page| moved.describe(page));
        step.change(family.id, &mut family.page, |page| {
            page.keep(cut.stay);
            if is_leaf {
                page.right(right_id);
            }
        });
        step.change(parent_id, family.parent, |page| page.insert(index, &separator));
        self.set_bits(&mut step, &mut maps, &[right_id], true);
        step.commit(room, None, Undo::Never);
        new.spend(1);
        Ok(Pass::Split)
    }

    /// The root stays where it is and hands its cells to two new children.
    fn grow<'p>(
        &'p self,
        room: &mut crate::Room<'_>,
        new: &mut Reserved<'_>,
        spot: Spot,
        mut root: P::Write<'p>,
        need: Need<'_>,
    ) -> Result<Pass, Fault> {
        let Some(cut) = find_cut(spot.root, &root, need)? else {
            return Ok(Pass::Needless);
        };
        let level = header::level(&root);
        if level == u8::MAX {
            return Err(bad_page(spot.root, "its tree is higher than any tree can be"));
        }
        refuse_in_use(new.pages(), &[spot.root])?;
        let (left_id, right_id) = (new.pages()[0], new.pages()[1]);
        let right_half = Half::right_of(spot.root, &root, spot.tree, &cut)?;
        let mut left_half = Half::left_of(spot.root, &root, spot.tree, &cut)?;
        if level == 0 {
            left_half.shape.right = right_id;
        }
        let mut left = self.pages.fresh(left_id)?;
        let mut right = self.pages.fresh(right_id)?;
        let mut maps = self.latch_maps(&self.maps_of(&[left_id, right_id]))?;
        let mut step = Step::large(root.len());
        step.make(left_id, &mut left, |page| left_half.describe(page));
        step.make(right_id, &mut right, |page| right_half.describe(page));
        step.make(spot.root, &mut root, |page| {
            page.format(Shape {
                tree: spot.tree,
                level: level + 1,
                right: PageId::default(),
                first: left_id,
            });
            page.append(&node::inner_cell(&cut.separator, right_id));
        });
        self.set_bits(&mut step, &mut maps, &[left_id, right_id], true);
        step.commit(room, None, Undo::Never);
        new.spend(2);
        Ok(Pass::Split)
    }
}

/// A damaged free map may offer a page that is in use. One that is latched already would be waited for until the end of time.
pub(super) fn refuse_in_use(new: &[PageId], latched: &[PageId]) -> Result<(), Fault> {
    match new.iter().find(|page| latched.contains(page)) {
        Some(page) => Err(bad_page(*page, "it is in use and marked free")),
        None => Ok(()),
    }
}

/// A latched page and its latched parent.
struct Family<'g, W> {
    parent_id: PageId,
    parent: &'g mut W,
    index: usize,
    id: PageId,
    page: W,
}

/// What one of the two pages will hold.
struct Half<'p> {
    shape: Shape,
    /// The page that is cut, which was verified.
    cells_of: Slots<'p>,
    cells: Range<usize>,
}

impl<'p> Half<'p> {
    fn right_of(id: PageId, page: &'p [u8], tree: TreeId, cut: &Cut) -> Result<Self, Fault> {
        let level = header::level(page);
        let cells_of = sound(id, Slots::of(page))?;
        // The separator of inner pages moves up; the child it leads to becomes the first of the right page.
        let (from, first) = if level == 0 {
            (cut.stay, PageId::default())
        } else {
            (cut.stay + 1, sound(id, node::child(page, cut.stay + 1))?)
        };
        let shape = Shape {
            tree,
            level,
            right: header::right_link(page),
            first,
        };
        let cells = from..cells_of.len();
        Ok(Self {
            shape,
            cells_of,
            cells,
        })
    }

    fn left_of(id: PageId, page: &'p [u8], tree: TreeId, cut: &Cut) -> Result<Self, Fault> {
        let shape = Shape {
            tree,
            level: header::level(page),
            right: header::right_link(page),
            first: slotted::link(page),
        };
        Ok(Self {
            shape,
            cells_of: sound(id, Slots::of(page))?,
            cells: 0..cut.stay,
        })
    }

    fn describe(&self, page: &mut crate::change::Operations<'_>) {
        page.format(self.shape);
        for cell in verified_cells(self.cells_of, self.cells.clone()) {
            page.append(cell);
        }
    }
}

/// Some cells of a page that was verified.
pub(super) fn verified_cells<'p>(slots: Slots<'p>, which: Range<usize>) -> impl Iterator<Item = &'p [u8]> {
    which.map(move |at| slots.cell(at).expect("the page was verified"))
}

/// Copies of some cells of a page.
pub(super) fn copy_cells(id: PageId, page: &[u8], which: Range<usize>) -> Result<Vec<Cell>, Fault> {
    let slots = sound(id, Slots::of(page))?;
    which
        .map(|at| Ok(Cell::from_slice(sound(id, slots.cell(at))?)))
        .collect()
}

/// Where to cut a page so that what is needed fits; `None` when it fits already. The page is verified, for what follows must not fail.
fn find_cut(id: PageId, page: &[u8], need: Need<'_>) -> Result<Option<Cut>, Fault> {
    let slots = sound(id, Slots::of(page))?;
    slots.expect_cells(0, slots.len());
    sound(id, slotted::verify(page))?;
    if header::level(page) > 0 {
        if sound(id, slotted::fits(page, need.bytes, None))? {
            return Ok(None);
        }
        return cut_inner(id, &slots, need).map(Some);
    }
    let place = sound(id, slots.search(need.key))?;
    if sound(id, slotted::fits(page, need.bytes, place.ok()))? {
        return Ok(None);
    }
    let last = header::right_link(page) == PageId::default();
    cut_leaf(id, &slots, need, place, usable(page.len()), last).map(Some)
}

/// Cuts an inner page: in the middle by bytes, or near its end when it grows there.
fn cut_inner(id: PageId, slots: &Slots<'_>, need: Need<'_>) -> Result<Cut, Fault> {
    let sizes = sound(
        id,
        (0..slots.len())
            .map(|at| slots.footprint(at))
            .collect::<Result<Vec<_>, _>>(),
    )?;
    let at_end = sound(id, slots.search(need.key))? == Err(slots.len());
    let total: usize = sizes.iter().sum();
    let goal = if at_end { total / 10 * 9 } else { total / 2 };
    let mut before = 0;
    let mut stay = 0;
    while stay + 2 < sizes.len() && before + sizes[stay] <= goal {
        before += sizes[stay];
        stay += 1;
    }
    if sizes.len() < 3 {
        return Err(bad_page(
            id,
            "it is full of fewer cells than it must have room for",
        ));
    }
    let separator = Cell::from_slice(sound(id, slots.key(stay.max(1)))?);
    Ok(Cut {
        stay: stay.max(1),
        separator,
    })
}

/// Where in a leaf a new row goes, or which row it replaces.
type Place = Result<usize, usize>;

/// Cuts a leaf as if the new row were in it already.
fn cut_leaf(
    id: PageId,
    slots: &Slots<'_>,
    need: Need<'_>,
    place: Place,
    capacity: usize,
    last_leaf: bool,
) -> Result<Cut, Fault> {
    let sizes = with_new_row(id, slots, need, place)?;
    let at_end = place == Err(slots.len());
    let border = choose_border(&sizes, capacity, at_end, last_leaf)
        .ok_or_else(|| bad_page(id, "its rows are larger than rows can be"))?;
    cut_at(id, slots, need, place, border)
}

/// The sizes of a leaf's rows, as if the new one were among them.
pub(super) fn with_new_row(
    id: PageId,
    slots: &Slots<'_>,
    need: Need<'_>,
    place: Place,
) -> Result<Vec<usize>, Fault> {
    let sizes = (0..slots.len()).map(|at| slots.footprint(at));
    let mut sizes = sound(id, sizes.collect::<Result<Vec<_>, _>>())?;
    match place {
        Ok(at) => sizes[at] = need.bytes + SLOT,
        Err(at) => sizes.insert(at, need.bytes + SLOT),
    }
    Ok(sizes)
}

/// The cut that leaves so many rows on the left, the new one counted.
pub(super) fn cut_at(
    id: PageId,
    slots: &Slots<'_>,
    need: Need<'_>,
    place: Place,
    border: usize,
) -> Result<Cut, Fault> {
    let key_at = |virtually: usize| match place {
        Err(at) if virtually == at => Ok(need.key),
        Err(at) if virtually > at => slots.key(virtually - 1),
        _ => slots.key(virtually),
    };
    let left = sound(id, key_at(border - 1))?;
    let right = sound(id, key_at(border))?;
    let stay = match place {
        Err(at) if border > at => border - 1,
        _ => border,
    };
    let separator = Cell::from_slice(node::separator(left, right));
    Ok(Cut { stay, separator })
}

/// How many of the rows go left, so that both sides fit.
fn choose_border(sizes: &[usize], capacity: usize, at_end: bool, last_leaf: bool) -> Option<usize> {
    let total: usize = sizes.iter().sum();
    let goal = match (at_end, last_leaf) {
        (true, true) => capacity,
        (true, false) => capacity / 10 * 9,
        (false, _) => total / 2,
    };
    let mut left = 0;
    let mut best: Option<(usize, usize)> = None;
    for border in 1..sizes.len() {
        left += sizes[border - 1];
        if left <= capacity && total - left <= capacity {
            let distance = left.abs_diff(goal);
            if best.is_none_or(|(least, _)| distance < least) {
                best = Some((distance, border));
            }
        }
    }
    best.map(|(_, border)| border)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_in_order_fill_their_leaf() {
        let sizes = [10; 11];
        assert_eq!(choose_border(&sizes, 100, true, true), Some(10));
        assert_eq!(choose_border(&sizes, 100, true, false), Some(9));
        assert_eq!(choose_border(&sizes, 100, false, true), Some(5));
    }

    #[test]
    fn two_of_the_largest_rows_always_find_a_border() {
        assert_eq!(choose_border(&[50, 1, 50], 100, false, false), Some(1));
        assert_eq!(choose_border(&[49, 49, 49], 100, true, true), Some(2));
        assert_eq!(choose_border(&[101, 10], 100, false, false), None);
    }
}
