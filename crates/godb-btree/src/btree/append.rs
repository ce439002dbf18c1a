//! Appending: rows beyond the end of a tree begin a leaf of their own.
//!
//! Rows that come in order meet a full leaf again and again, always the last one. To split it would move nothing; the new leaf would be made empty, and then
//! found, latched and filled. Here it is made with as many rows as it takes, and linked, by one record. Taking that back is taking its rows out: the empty leaf
//! goes like any other.

use super::run::{BYTES_A_ROW, ROOM};
use super::split::refuse_in_use;
use super::walk::{Pins, WALK, sound, way_down};
use super::{Author, BTree, Spot};
use crate::change::Shape;
use crate::journal::Undo;
use crate::logical;
use crate::node::{self, Cell, Target};
use crate::step::Step;
use crate::tree::Row;
use godb_buffer::slotted::{self, SLOT, Slots, usable};
use godb_buffer::{Fault, PageId, Pages, TreeId, header};

/// The way to the end of a tree, latched.
struct End<W> {
    parent_id: PageId,
    parent: W,
    leaf_id: PageId,
    leaf: W,
    /// What separates the leaf from the next one.
    separator: Cell,
}

impl<P: Pages> BTree<P> {
    /// Puts the first of the rows, which come in the order of their keys, into a new leaf behind the last one; returns how many. None when they do not all belong behind
    /// the last leaf, or more is to be done for it than this: then it is for a [split](super::split).
    pub(super) fn append_leaf(&self, author: Author, spot: Spot, rows: &[Row<'_>]) -> Result<usize, Fault> {
        let mut new = self.reserve(author, 1)?;
        let id = new.pages()[0];
        let maps = self.maps_of(&[id]);
        let mut room = self.room(author, (ROOM + 1) * self.page_size())?;
        let _admitted = self.pages.admit(WALK + maps.len() + 2)?;
        let _pinned = self.pin_maps(&maps)?;
        let mut pins = Pins::new(&*self.pages);
        let Some(mut end) = self.seize_end(&mut pins, spot, rows[0].key)? else {
            return Ok(0);
        };
        let way = node::inner_cell(&end.separator, id);
        if !sound(end.parent_id, slotted::fits(&end.parent, way.len(), None))? {
            return Ok(0);
        }
        refuse_in_use(&[id], &[end.parent_id, end.leaf_id])?;
        let rows = &rows[..as_many_as_fit(rows, self.page_size())];
        let mut leaf = self.pages.fresh(id)?;
        let mut maps = self.latch_maps(&maps)?;
        for chain in rows.iter().filter_map(|row| row.value.chain) {
            self.still.chain_placed(chain.head);
        }
        let count = u16::try_from(rows.len()).expect("a page has fewer rows");
        let back = logical::encode_run(spot.tree, count, rows.iter().map(|row| row.key));
        let index = usize::from(header::slot_count(&end.parent));
        let mut step = Step::large(self.page_size());
        step.change(end.leaf_id, &mut end.leaf, |page| page.right(id));
        step.change(end.parent_id, &mut end.parent, |page| page.insert(index, &way));
        self.set_bits(&mut step, &mut maps, &[id], true);
        if godb_buffer::sync::planted("append-in-two-records") {
            step.commit(&mut room, None, Undo::Never);
            step = Step::new();
        }
        step.make(id, &mut leaf, |page| {
            page.format(Shape::empty_leaf(spot.tree));
            let rows = rows.iter().enumerate();
            rows.for_each(|(at, row)| page.insert_row(at, row.key, row.value));
        });
        step.commit(&mut room, author.by(), author.undo_run(&back, count));
        new.spend(1);
        Ok(rows.len())
    }

    /// Latches the last leaf of a tree and its parent, if `key` belongs behind all that is there.
    fn seize_end<'p>(
        &'p self,
        pins: &mut Pins<'p, P>,
        mut spot: Spot,
        key: &[u8],
    ) -> Result<Option<End<P::Write<'p>>>, Fault> {
        let Some((parent_id, parent)) = pins.reach(|| self.seize(&mut spot, Target::At(key), 1))? else {
            return Ok(None);
        };
        let index = sound(parent_id, node::child_index(&parent, Target::At(key)))?;
        if index != usize::from(header::slot_count(&parent)) {
            return Ok(None);
        }
        let leaf_id = way_down(parent_id, &parent, index)?;
        let Some(leaf) = self.pages.try_write(leaf_id)? else {
            return Ok(None);
        };
        let Some(separator) = separator_behind(leaf_id, &leaf, spot.tree, key)? else {
            return Ok(None);
        };
        Ok(Some(End {
            parent_id,
            parent,
            leaf_id,
            leaf,
            separator,
        }))
    }
}

/// What separates a leaf from `key`, if it is the last one, and the key lies behind its rows.
fn separator_behind(id: PageId, leaf: &[u8], tree: TreeId, key: &[u8]) -> Result<Option<Cell>, Fault> {
    node::expect(id, leaf, tree, Some(0))?;
    if header::right_link(leaf) != PageId::default() {
        return Ok(None);
    }
    let slots = sound(id, Slots::of(leaf))?;
    let Some(last) = slots.len().checked_sub(1) else {
        return Ok(None);
    };
    let last = sound(id, slots.key(last))?;
    Ok((last < key).then(|| Cell::from_slice(node::separator(last, key))))
}

/// How many of the rows an empty leaf takes.
fn as_many_as_fit(rows: &[Row<'_>], page_size: usize) -> usize {
    let mut left = usable(page_size);
    let fits = |row: &&Row<'_>| {
        let size = node::leaf_cell_size(row.key, row.value) + SLOT;
        left.checked_sub(size).map(|rest| left = rest).is_some()
    };
    let most = page_size / BYTES_A_ROW;
    rows.iter().take(most).take_while(fits).count()
}
