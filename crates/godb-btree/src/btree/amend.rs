//! Changing how a row begins, and removing rows that are dead, a page at a time.
//!
//! The layer above writes in front of each value what it must know of it. When only that changes, most of all when a row is marked as deleted, the value need not be written again,
//! neither to the page nor to the log: the record says which bytes give way to which. Rows marked so lie near each other as often as not, and nobody waits for their removal;
//! it takes all those of a page at once.

use super::row::passed_a_mark;
use super::walk::{Pins, WALK, sound};
use super::{Author, BTree, Spot};
use crate::codec::{bad_page, bad_record};
use crate::journal::Undo;
use crate::logical::{self, Operation};
use crate::node;
use crate::step::Step;
use crate::tree::{Amended, MAX_HEAD, NewHead, Value};
use godb_buffer::slotted::{self, Slots};
use godb_buffer::{Fault, Pages};

impl<P: Pages> BTree<P> {
    pub(super) fn amend_row(
        &self,
        author: Author,
        mut spot: Spot,
        key: &[u8],
        decide: impl FnOnce(Value<'_>) -> Option<NewHead>,
    ) -> Result<Amended, Fault> {
        let mut room = self.room(author, 256 + 4 * MAX_HEAD + key.len())?;
        let _admitted = self.pages.admit(WALK)?;
        let mut pins = Pins::new(&*self.pages);
        let (id, mut leaf) = self.leaf_of(&mut pins, &mut spot, key)?;
        let slots = sound(id, Slots::of(&leaf))?;
        let Ok(at) = sound(id, slots.search(key))? else {
            return Ok(Amended::Absent);
        };
        let cell = sound(id, slots.cell(at))?;
        let (_, value) = sound(id, node::row(cell))?;
        let Some(head) = decide(value) else {
            return Ok(Amended::Left);
        };
        let (cut, added) = head.sizes()?;
        let Some(old) = value.inline.get(..cut) else {
            return Err(bad_page(id, "a row is shorter than what is to be changed of it"));
        };
        let length = cell.len() - cut + head.with.len();
        if length != cell.len() && !sound(id, slotted::fits(&leaf, length, Some(at)))? {
            return Ok(Amended::Full);
        }
        let back = logical::encode(spot.tree, &Operation::Amend(key, added, old));
        let mut step = Step::new();
        step.change(id, &mut leaf, |page| page.amend(at, cut, &head.with));
        let undo = match godb_buffer::sync::planted("deletion-not-taken-back") {
            true => Undo::Never,
            false => author.undo(&back),
        };
        step.commit(&mut room, author.by(), undo);
        Ok(Amended::Done)
    }

    /// Takes an amendment back. The row is its transaction's own until that has ended, so it is there as it was left, and there is room for what it was.
    pub(super) fn amend_back(
        &self,
        author: Author,
        spot: Spot,
        key: &[u8],
        cut: u16,
        with: &[u8],
    ) -> Result<(), Fault> {
        let head = NewHead {
            cut,
            with: with.into(),
        };
        match self.amend_row(author, spot, key, |_| Some(head))? {
            Amended::Done => Ok(()),
            Amended::Absent | Amended::Left | Amended::Full => Err(bad_record(
                "a row that is to be changed back is not as it was left",
            )),
        }
    }

    /// Removes the dead rows of the leaf of `key`.
    pub(super) fn purge_leaf(
        &self,
        mut spot: Spot,
        key: &[u8],
        mut dead: impl FnMut(&[u8], Value<'_>) -> bool,
    ) -> Result<Option<Vec<u8>>, Fault> {
        let author = Author::Nobody;
        let mut room = self.room(author, 256 + self.page_size())?;
        let admitted = self.pages.admit(WALK)?;
        let mut pins = Pins::new(&*self.pages);
        let (id, mut leaf) = self.leaf_of(&mut pins, &mut spot, key)?;
        let slots = sound(id, Slots::of(&leaf))?;
        let (mut last, mut found) = (None, Vec::new());
        for at in 0..slots.len() {
            let (key, value) = sound(id, slots.cell(at).and_then(node::row))?;
            if dead(key, value) && value.chain.is_none() {
                found.push(at);
            }
            last = Some(key);
        }
        let last = last.map(<[u8]>::to_vec);
        if found.is_empty() {
            return Ok(last);
        }
        let before = node::used(&leaf);
        let mut step = Step::new();
        // From the last one on, so that the places of the others stay what they are.
        step.change(id, &mut leaf, |page| {
            found.iter().rev().for_each(|at| page.remove(*at));
        });
        step.commit(&mut room, author.by(), author.undo(&[]));
        let sparse = id != spot.root && passed_a_mark(leaf.len(), before, node::used(&leaf));
        drop((leaf, pins, admitted, room));
        if sparse {
            self.tidy(author, spot, key)?;
        }
        Ok(last)
    }
}
