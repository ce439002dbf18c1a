//! One row: get, put, remove. Almost always one leaf and one record.

use super::split::Need;
use super::walk::{Pins, WALK, sound};
use super::{Author, BTree, Spot};
use crate::logical::{self, Operation};
use crate::node::{self, Target};
use crate::step::Step;
use crate::tree::{Chain, Value};
use godb_buffer::slotted::{self, Slots, usable};
use godb_buffer::{Fault, PageId, Pages};

/// What became of an attempt to put a row.
enum Tried {
    Put,
    /// The leaf has no room for it.
    Full,
    /// Its key is there, and new ones were wanted.
    Present,
}

/// What taking a row out did to its leaf.
pub(super) enum Removal {
    /// There was no such row.
    Absent,
    /// It is gone. The leaf is now so empty that its neighbours should be looked at.
    Done {
        /// Whether the leaf fell below a mark.
        sparse: bool,
    },
}

/// Whether a page that shrank from `before` to `after` bytes passed one of the marks at which merging is tried. Trying at marks only, and not at every removal
/// below them, keeps a leaf between two full neighbours from being tried again and again; they try themselves when they shrink.
pub(super) fn passed_a_mark(page_size: usize, before: usize, after: usize) -> bool {
    let all = usable(page_size);
    [all / 3, all / 8, 1]
        .iter()
        .any(|mark| before >= *mark && after < *mark)
}

/// Shows the row of `key` in a leaf, if it is there.
#[inline]
fn show_row<R>(
    id: PageId,
    leaf: &[u8],
    key: &[u8],
    show: impl FnOnce(Value<'_>) -> R,
) -> Result<Option<R>, Fault> {
    let slots = sound(id, Slots::of(leaf))?;
    let Ok(at) = sound(id, slots.search(key))? else {
        return Ok(None);
    };
    let (_, value) = sound(id, slots.cell(at).and_then(node::row))?;
    Ok(Some(show(value)))
}

impl<P: Pages> BTree<P> {
    pub(super) fn get_row<R>(
        &self,
        mut spot: Spot,
        key: &[u8],
        show: impl FnOnce(Value<'_>) -> R,
    ) -> Result<Option<R>, Fault> {
        if let Some((id, leaf)) = self.glance(spot, Target::At(key), None)? {
            return show_row(id, &leaf, key, show);
        }
        let _admitted = self.pages.admit(WALK)?;
        let mut pins = Pins::new(&*self.pages);
        let (id, leaf) = pins
            .reach(|| self.walk(&mut spot, Target::At(key), 0, None))?
            .expect("every tree has leaves");
        show_row(id, &leaf, key, show)
    }

    /// Latches the leaf of `key` for writing.
    pub(super) fn leaf_of<'p>(
        &'p self,
        pins: &mut Pins<'p, P>,
        spot: &mut Spot,
        key: &[u8],
    ) -> Result<(PageId, P::Write<'p>), Fault> {
        if let Some(leaf) = self.seize_leaf(*spot, key)? {
            return Ok(leaf);
        }
        let found = pins.reach(|| self.seize(spot, Target::At(key), 0))?;
        Ok(found.expect("every tree has leaves"))
    }

    /// An upper bound of the record of one row: the cell, and the old row in the description of the undo.
    fn row_room(&self, key: usize, cell: usize) -> usize {
        256 + key + cell + node::max_part(self.page_size())
    }

    pub(super) fn put_row(
        &self,
        author: Author,
        spot: Spot,
        key: &[u8],
        value: Value<'_>,
    ) -> Result<(), Fault> {
        self.put_as(author, spot, key, value, false).map(|_| ())
    }

    /// Puts the row if its key is new; `false` when it is not.
    pub(super) fn put_new_row(
        &self,
        author: Author,
        spot: Spot,
        key: &[u8],
        value: Value<'_>,
    ) -> Result<bool, Fault> {
        self.put_as(author, spot, key, value, true)
    }

    fn put_as(
        &self,
        author: Author,
        spot: Spot,
        key: &[u8],
        value: Value<'_>,
        only_new: bool,
    ) -> Result<bool, Fault> {
        let cell = node::leaf_cell(key, value);
        loop {
            match self.try_put(author, spot, key, value.chain, &cell, only_new)? {
                Tried::Put => return Ok(true),
                Tried::Present => return Ok(false),
                Tried::Full => {
                    let bytes = cell.len();
                    self.split(author, spot, 0, Need { key, bytes })?;
                }
            }
        }
    }

    /// Puts the row if its leaf has room, and, where it is `only_new` ones that are wanted, its key is not there.
    fn try_put(
        &self,
        author: Author,
        mut spot: Spot,
        key: &[u8],
        chain: Option<Chain>,
        cell: &[u8],
        only_new: bool,
    ) -> Result<Tried, Fault> {
        let mut room = self.room(author, self.row_room(key.len(), cell.len()))?;
        let _admitted = self.pages.admit(WALK)?;
        let mut pins = Pins::new(&*self.pages);
        let (id, mut leaf) = self.leaf_of(&mut pins, &mut spot, key)?;
        let slots = sound(id, Slots::of(&leaf))?;
        slots.expect_cell();
        let place = sound(id, slots.search(key))?;
        if only_new && place.is_ok() {
            return Ok(Tried::Present);
        }
        if !sound(id, slotted::fits(&leaf, cell.len(), place.ok()))? {
            return Ok(Tried::Full);
        }
        let back = match place {
            Ok(at) => {
                let (_, old) = sound(id, slots.cell(at).and_then(node::row))?;
                self.lose_chain(old);
                logical::encode(spot.tree, &Operation::Put(key, old))
            }
            Err(_) => logical::encode(spot.tree, &Operation::Remove(key)),
        };
        if let Some(chain) = chain {
            self.still.chain_placed(chain.head);
        }
        let mut step = Step::new();
        step.change(id, &mut leaf, |page| match place {
            Ok(at) => page.replace(at, cell),
            Err(at) => page.insert(at, cell),
        });
        step.commit(&mut room, author.by(), author.undo(&back));
        Ok(Tried::Put)
    }

    /// The value loses its place, and with it the chain it may have.
    fn lose_chain(&self, value: Value<'_>) {
        if let Some(chain) = value.chain {
            self.still.chain_loose(chain.head);
        }
    }

    pub(super) fn remove_row(&self, author: Author, spot: Spot, key: &[u8]) -> Result<bool, Fault> {
        match self.take_out(author, spot, key)? {
            Removal::Absent => {
                self.log_nothing(author)?;
                Ok(false)
            }
            Removal::Done { sparse } => {
                if sparse {
                    self.tidy(author, spot, key)?;
                }
                Ok(true)
            }
        }
    }

    fn take_out(&self, author: Author, mut spot: Spot, key: &[u8]) -> Result<Removal, Fault> {
        let mut room = self.room(author, self.row_room(key.len(), 0))?;
        let _admitted = self.pages.admit(WALK)?;
        let mut pins = Pins::new(&*self.pages);
        let (id, mut leaf) = self.leaf_of(&mut pins, &mut spot, key)?;
        let slots = sound(id, Slots::of(&leaf))?;
        let Ok(at) = sound(id, slots.search(key))? else {
            return Ok(Removal::Absent);
        };
        let (_, old) = sound(id, slots.cell(at).and_then(node::row))?;
        self.lose_chain(old);
        let back = logical::encode(spot.tree, &Operation::Put(key, old));
        let before = node::used(&leaf);
        let mut step = Step::new();
        step.change(id, &mut leaf, |page| page.remove(at));
        step.commit(&mut room, author.by(), author.undo(&back));
        let sparse = id != spot.root && passed_a_mark(leaf.len(), before, node::used(&leaf));
        Ok(Removal::Done { sparse })
    }
}
