//! Scans, forward and backward, with a position that holds nothing between calls.
//!
//! A cursor remembers the page it was on, that page's LSN, and the last key it showed. As long as the LSN is the same the page is the same, and the scan
//! goes on at its slot. Otherwise it descends again by the key; so rows that are there all the time are shown once, whatever splits and merges
//! happen in between.
//!
//! Forward, the next leaf is found by the right link, which is followed with the leaf latched: nobody can merge the next leaf away
//! without that latch. Leaves have no left link (it would have to be changed in a page that nobody has latched); backward, the scan descends again
//! for the largest key below the leaf's lower bound, which the descent that found the leaf has noted.
//!
//! A forward scan that has gone on for some leaves reads [ahead](super::ahead).

use super::walk::{Fence, Pins, WALK, sound};
use super::{BTree, Spot};
use crate::codec::bad_page;
use crate::node::{self, Target};
use crate::tree::{Range, Value};
use godb_buffer::slotted::Slots;
use godb_buffer::{Fault, Lsn, PageId, PageKind, Pages, TreeId, header};
use std::ops::{Bound, ControlFlow, Deref};

/// How many cells are asked for before the first is read: what a short scan shows.
const CELLS_AHEAD: usize = 10;

/// An owned position in a [`BTree`].
#[derive(Clone, Debug)]
pub struct BTreeCursor {
    pub(super) spot: Spot,
    /// What is left of the range; narrowed by the rows that were shown.
    from: Bound<Vec<u8>>,
    to: Bound<Vec<u8>>,
    backward: bool,
    place: Option<Place>,
    /// The lower bound of the page at `place`; backward scans only.
    fence: Fence,
    /// Whether `to` is such a lower bound, and not a key that was shown.
    at_fence: bool,
    /// How many leaves were reached by a right link in a row.
    links: u32,
    /// How many of the leaves to come the pool was told of.
    pub(super) ahead: u32,
    done: bool,
}

/// Where a scan stands on a page that has not changed since.
#[derive(Clone, Copy, Debug)]
struct Place {
    page: PageId,
    lsn: Lsn,
    /// Forward: the next slot to show. Backward: one more than that.
    slot: usize,
}

impl BTreeCursor {
    pub(super) fn new(spot: Spot, range: Range<'_>) -> Self {
        Self {
            spot,
            from: range.from.map(<[u8]>::to_vec),
            to: range.to.map(<[u8]>::to_vec),
            backward: range.backward,
            place: None,
            fence: None,
            at_fence: false,
            links: 0,
            ahead: 0,
            done: false,
        }
    }

    pub(super) fn tree(&self) -> TreeId {
        self.spot.tree
    }

    /// Whether `key` lies in what is left of the range. That every page ends further on than the one before it is what ends
    /// a scan of damaged pages that lead in a circle.
    fn is_ahead(&self, key: &[u8]) -> bool {
        let end = if self.backward { &self.to } else { &self.from };
        match (end, self.backward) {
            (Bound::Unbounded, _) => true,
            (Bound::Included(end), false) => key >= end.as_slice(),
            (Bound::Excluded(end), false) => key > end.as_slice(),
            (Bound::Included(end), true) => key <= end.as_slice(),
            (Bound::Excluded(end), true) => key < end.as_slice(),
        }
    }

    /// Narrows the range to what lies behind the last row shown, on page `id`.
    fn end_page(&mut self, id: PageId, last: Option<&[u8]>) -> Result<bool, Fault> {
        let Some(key) = last else { return Ok(false) };
        if !self.is_ahead(key) {
            return Err(bad_page(
                id,
                "its keys do not come after those of the page before it",
            ));
        }
        self.passed(key);
        Ok(true)
    }

    /// A backward scan goes on below the lower bound of page `id`, which may be the very key it showed last.
    fn go_below(&mut self, id: PageId, fence: Vec<u8>) -> Result<(), Fault> {
        let further = match &self.to {
            Bound::Unbounded => true,
            Bound::Included(to) => fence <= *to,
            Bound::Excluded(to) => fence < *to || (fence == *to && !self.at_fence),
        };
        if !further {
            return Err(bad_page(id, "its rows lie below its lower bound"));
        }
        self.at_fence = true;
        self.to = Bound::Excluded(fence);
        Ok(())
    }

    /// The scan goes on behind `key`.
    fn passed(&mut self, key: &[u8]) {
        let end = if self.backward {
            &mut self.to
        } else {
            &mut self.from
        };
        let mut buffer = match std::mem::replace(end, Bound::Unbounded) {
            Bound::Included(buffer) | Bound::Excluded(buffer) => buffer,
            Bound::Unbounded => Vec::new(),
        };
        buffer.clear();
        buffer.extend_from_slice(key);
        *end = Bound::Excluded(buffer);
        self.at_fence = false;
    }
}

fn slices(bound: &Bound<Vec<u8>>) -> Bound<&[u8]> {
    bound.as_ref().map(Vec::as_slice)
}

/// The first slot that is inside a lower bound.
fn first_slot(slots: &Slots<'_>, from: Bound<&[u8]>) -> Result<usize, godb_buffer::slotted::Damaged> {
    Ok(match from {
        Bound::Unbounded => 0,
        Bound::Included(key) => slots.search(key)?.unwrap_or_else(|at| at),
        Bound::Excluded(key) => slots.search(key)?.map_or_else(|at| at, |at| at + 1),
    })
}

/// The first slot that is beyond an upper bound.
fn end_slot(slots: &Slots<'_>, to: Bound<&[u8]>) -> Result<usize, godb_buffer::slotted::Damaged> {
    Ok(match to {
        Bound::Unbounded => slots.len(),
        Bound::Included(key) => slots.search(key)?.map_or_else(|at| at, |at| at + 1),
        Bound::Excluded(key) => slots.search(key)?.unwrap_or_else(|at| at),
    })
}

impl<P: Pages> BTree<P> {
    pub(super) fn show_next(
        &self,
        at: &mut BTreeCursor,
        mut show: impl FnMut(&[u8], Value<'_>) -> ControlFlow<()>,
    ) -> Result<bool, Fault> {
        let mut hops = 0;
        while !at.done {
            let step = match self.glance_step(at, &mut show)? {
                Some(step) => step,
                None => self.latch_step(at, &mut show)?,
            };
            if !step.shown {
                hops += 1;
                if hops > self.pages.capacity() {
                    return Err(bad_page(step.leaf, "its right links lead in a circle"));
                }
                continue;
            }
            if !at.backward && at.links > 1 && !at.done && step.right != PageId::default() {
                self.read_ahead(at, step.right)?;
            }
            return Ok(true);
        }
        Ok(false)
    }

    /// Shows the rows of the next leaf without waiting for anything; `None` when that cannot be.
    fn glance_step(
        &self,
        at: &mut BTreeCursor,
        show: &mut impl FnMut(&[u8], Value<'_>) -> ControlFlow<()>,
    ) -> Result<Option<Step>, Fault> {
        let get = |id| Ok(self.pages.glance(id));
        if let Some(place) = at.place {
            let Some(leaf) = self.pages.glance(place.page) else {
                return Ok(None);
            };
            match resume(at, place, leaf, get)? {
                Resumed::Here(id, leaf) => return show_leaf(at, id, &leaf, show).map(Some),
                Resumed::Wanted(_) => return Ok(None),
                Resumed::Lost => at.place = None,
            }
        }
        let mut fence = None;
        let wanted = at.backward.then_some(&mut fence);
        let Some((id, leaf)) = self.glance(at.spot, at.target(), wanted)? else {
            return Ok(None);
        };
        at.begin_leaf(id, &leaf, fence)?;
        show_leaf(at, id, &leaf, show).map(Some)
    }

    /// Shows the rows of the next leaf, waiting for it.
    fn latch_step(
        &self,
        at: &mut BTreeCursor,
        show: &mut impl FnMut(&[u8], Value<'_>) -> ControlFlow<()>,
    ) -> Result<Step, Fault> {
        let _admitted = self.pages.admit(WALK)?;
        let mut pins = Pins::new(&*self.pages);
        let (id, leaf) = self.position(at, &mut pins)?;
        show_leaf(at, id, &leaf, show)
    }

    /// Latches the leaf where the scan goes on and sets the cursor's place on it.
    fn position<'p>(
        &'p self,
        at: &mut BTreeCursor,
        pins: &mut Pins<'p, P>,
    ) -> Result<(PageId, P::Read<'p>), Fault> {
        let get = |id| self.pages.try_read(id);
        while let Some(place) = at.place {
            // What cannot be read is looked for by its key.
            let Ok(Some(leaf)) = get(place.page) else {
                at.place = None;
                break;
            };
            match resume(at, place, leaf, get)? {
                Resumed::Here(id, leaf) => return Ok((id, leaf)),
                Resumed::Wanted(page) => pins.bring(page)?,
                Resumed::Lost => at.place = None,
            }
        }
        let mut fence = None;
        let target = at.target();
        let mut spot = at.spot;
        let found = pins.reach(|| {
            let fence = at.backward.then_some(&mut fence);
            self.walk(&mut spot, target, 0, fence)
        })?;
        at.spot = spot;
        let (id, leaf) = found.expect("every tree has leaves");
        at.begin_leaf(id, &leaf, fence)?;
        Ok((id, leaf))
    }
}

impl BTreeCursor {
    /// What a descent to the leaf where the scan goes on looks for.
    pub(super) fn target(&self) -> Target<'_> {
        match (self.backward, slices(&self.from), slices(&self.to)) {
            (false, Bound::Unbounded, _) => Target::First,
            (false, Bound::Included(key) | Bound::Excluded(key), _) | (true, _, Bound::Included(key)) => {
                Target::At(key)
            }
            (true, _, Bound::Excluded(key)) => Target::Below(key),
            (true, _, Bound::Unbounded) => Target::Last,
        }
    }

    /// Sets the place on a leaf that a descent found.
    fn begin_leaf(&mut self, id: PageId, leaf: &[u8], fence: Fence) -> Result<(), Fault> {
        let slots = sound(id, Slots::of(leaf))?;
        let slot = if self.backward {
            sound(id, end_slot(&slots, slices(&self.to)))?
        } else {
            sound(id, first_slot(&slots, slices(&self.from)))?
        };
        self.fence = fence;
        self.links = 0;
        self.ahead = 0;
        self.place = Some(Place {
            page: id,
            lsn: header::lsn(leaf),
            slot,
        });
        Ok(())
    }
}

/// Goes on at a place if the page there is still the same. `get` reads a page that is in memory.
fn resume<G: Deref<Target = [u8]>>(
    at: &mut BTreeCursor,
    place: Place,
    leaf: G,
    get: impl Fn(PageId) -> Result<Option<G>, Fault>,
) -> Result<Resumed<G>, Fault> {
    let same = header::lsn(&leaf) == place.lsn
        && header::kind(&leaf) == Some(PageKind::Leaf)
        && header::tree_id(&leaf) == at.spot.tree;
    if !same {
        return Ok(Resumed::Lost);
    }
    if at.backward {
        if place.slot > 0 {
            return Ok(Resumed::Here(place.page, leaf));
        }
        let fence = std::mem::take(&mut at.fence);
        at.done = fence.is_none();
        if let Some(fence) = fence {
            at.go_below(place.page, fence)?;
        }
        return Ok(if at.done {
            Resumed::Here(place.page, leaf)
        } else {
            Resumed::Lost
        });
    }
    if place.slot < usize::from(header::slot_count(&leaf)) {
        return Ok(Resumed::Here(place.page, leaf));
    }
    follow(at, place, leaf, get)
}

/// Goes from a leaf that was shown to its right neighbour.
fn follow<G: Deref<Target = [u8]>>(
    at: &mut BTreeCursor,
    place: Place,
    leaf: G,
    get: impl Fn(PageId) -> Result<Option<G>, Fault>,
) -> Result<Resumed<G>, Fault> {
    let id = header::right_link(&leaf);
    if id == PageId::default() {
        at.done = true;
        return Ok(Resumed::Here(place.page, leaf));
    }
    if id == place.page {
        return Err(bad_page(id, "it is its own right neighbour"));
    }
    let Some(right) = get(id)? else {
        return Ok(Resumed::Wanted(id));
    };
    node::expect(id, &right, at.spot.tree, Some(0))?;
    at.links += 1;
    at.place = Some(Place {
        page: id,
        lsn: header::lsn(&right),
        slot: 0,
    });
    Ok(Resumed::Here(id, right))
}

/// One leaf of a scan.
struct Step {
    leaf: PageId,
    /// Whether any of its rows were shown.
    shown: bool,
    /// Its right neighbour.
    right: PageId,
}

/// Shows the rows of a leaf from the cursor's place on.
fn show_leaf(
    at: &mut BTreeCursor,
    id: PageId,
    leaf: &[u8],
    show: &mut impl FnMut(&[u8], Value<'_>) -> ControlFlow<()>,
) -> Result<Step, Fault> {
    let shown = if at.backward {
        show_backward(at, id, leaf, show)?
    } else {
        show_forward(at, id, leaf, show)?
    };
    Ok(Step {
        leaf: id,
        shown,
        right: header::right_link(leaf),
    })
}

/// What became of a remembered place.
enum Resumed<G> {
    Here(PageId, G),
    /// The neighbour has to be brought into memory first.
    Wanted(PageId),
    Lost,
}

/// Shows rows from the cursor's slot on; whether there were any.
fn show_forward(
    at: &mut BTreeCursor,
    id: PageId,
    leaf: &[u8],
    show: &mut impl FnMut(&[u8], Value<'_>) -> ControlFlow<()>,
) -> Result<bool, Fault> {
    let Some(place) = &mut at.place else {
        return Ok(false);
    };
    let slots = sound(id, Slots::of(leaf))?;
    let end = sound(id, end_slot(&slots, slices(&at.to)))?;
    let mut last = None;
    slots.expect_cells(place.slot, CELLS_AHEAD.min(end - place.slot.min(end)));
    while place.slot < end {
        let (key, value) = sound(id, slots.cell(place.slot).and_then(node::row))?;
        last = Some(key);
        place.slot += 1;
        if show(key, value).is_break() {
            break;
        }
    }
    if place.slot >= end && end < slots.len() {
        at.done = true;
    }
    at.end_page(id, last)
}

/// Shows rows from the cursor's slot backwards; whether there were any.
fn show_backward(
    at: &mut BTreeCursor,
    id: PageId,
    leaf: &[u8],
    show: &mut impl FnMut(&[u8], Value<'_>) -> ControlFlow<()>,
) -> Result<bool, Fault> {
    let Some(place) = &mut at.place else {
        return Ok(false);
    };
    let slots = sound(id, Slots::of(leaf))?;
    let begin = sound(id, first_slot(&slots, slices(&at.from)))?;
    let mut last = None;
    while place.slot > begin {
        let (key, value) = sound(id, slots.cell(place.slot - 1).and_then(node::row))?;
        last = Some(key);
        place.slot -= 1;
        if show(key, value).is_break() {
            break;
        }
    }
    if place.slot <= begin && begin > 0 {
        at.done = true;
    }
    at.end_page(id, last)
}
