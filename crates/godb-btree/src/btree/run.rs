//! A run of rows in the order of their keys: a leaf is found and latched once for all of them that go there.
//!
//! Each row is logged and made by itself, exactly as [`put`](crate::Tree::put) does it, so redo, undo and readers see nothing new. What a run saves is the way:
//! log space, admission, descent and latch are had once a leaf, and the next leaf is the neighbour, whose parent lies in the cache.

use super::split::Need;
use super::walk::{Pins, WALK, sound};
use super::{Author, BTree, Spot};
use crate::journal::Room;
use crate::logical::{self, Operation};
use crate::node;
use crate::step::Step;
use crate::tree::Row;
use godb_buffer::slotted::{self, Slots};
use godb_buffer::{Fault, PageId, PageWrite, Pages, header};

/// What became of the first rows of a run.
struct Filled {
    /// How many have been dealt with.
    rows: usize,
    /// The next one belongs into the same leaf, which has no room for it.
    full: bool,
}

/// The log space that a leaf's share of a run reserves, in pages: a few of them fill any leaf.
const ROOM: usize = 4;

/// An upper bound of the record that adds a row: its cell, and its key once more in the description of the undo.
fn record(row: &Row<'_>) -> usize {
    256 + 2 * row.key.len() + row.value.inline.len()
}

impl<P: Pages> BTree<P> {
    /// Adds the rows whose keys are new; tells `present` the numbers of the others, which stay as they are.
    pub(super) fn add_run(
        &self,
        author: Author,
        spot: Spot,
        rows: &[Row<'_>],
        present: &mut dyn FnMut(usize),
    ) -> Result<(), Fault> {
        let mut done = 0;
        while let Some(next) = rows.get(done) {
            let filled = self.fill_leaf(author, spot, &rows[done..], &mut |row| present(done + row))?;
            done += filled.rows;
            let next = rows.get(done).unwrap_or(next);
            if filled.full {
                let (key, bytes) = (next.key, node::leaf_cell(next.key, next.value).len());
                self.split(author, spot, 0, Need { key, bytes })?;
            }
        }
        Ok(())
    }

    /// Adds rows to the leaf of the first, as many as belong there, and as its page and the log space for it take.
    fn fill_leaf(
        &self,
        author: Author,
        spot: Spot,
        rows: &[Row<'_>],
        present: &mut dyn FnMut(usize),
    ) -> Result<Filled, Fault> {
        let most = (ROOM * self.page_size()).max(record(&rows[0]));
        let mut room = self.room(author, most)?;
        let _admitted = self.pages.admit(WALK)?;
        let mut pins = Pins::new(&*self.pages);
        let (id, mut leaf) = self.leaf_of(&mut pins, spot, rows[0].key)?;
        let (mut left, mut done) = (most, 0);
        for row in rows {
            let size = record(row);
            if size > left || (done > 0 && !reaches(id, &leaf, row.key)?) {
                break;
            }
            match self.add_row(&mut room, author, (spot, id), &mut leaf, row)? {
                Added::Yes => left -= size,
                Added::Present => present(done),
                Added::Full => {
                    return Ok(Filled {
                        rows: done,
                        full: true,
                    });
                }
            }
            done += 1;
        }
        Ok(Filled {
            rows: done,
            full: false,
        })
    }

    /// Adds one row to its leaf.
    fn add_row<W: PageWrite>(
        &self,
        room: &mut Room<'_>,
        author: Author,
        (spot, id): (Spot, PageId),
        leaf: &mut W,
        row: &Row<'_>,
    ) -> Result<Added, Fault> {
        let Err(at) = sound(id, Slots::of(leaf).and_then(|slots| slots.search(row.key)))? else {
            return Ok(Added::Present);
        };
        let cell = node::leaf_cell(row.key, row.value);
        if !sound(id, slotted::fits(leaf, cell.len(), None))? {
            return Ok(Added::Full);
        }
        if let Some(chain) = row.value.chain {
            self.still.chain_placed(chain.head);
        }
        let back = logical::encode(spot.tree, &Operation::Remove(row.key));
        let mut step = Step::new();
        step.change(id, leaf, |page| page.insert(at, &cell));
        step.commit(room, author.by(), author.undo(&back));
        Ok(Added::Yes)
    }
}

/// What came of adding a row.
enum Added {
    Yes,
    /// Its key is there already.
    Present,
    /// The leaf has no room.
    Full,
}

/// Whether a leaf that was reached for a smaller key is surely the one of this key too: it is the last, or goes beyond it.
fn reaches(id: PageId, leaf: &[u8], key: &[u8]) -> Result<bool, Fault> {
    if header::right_link(leaf) == PageId::default() {
        return Ok(true);
    }
    let slots = sound(id, Slots::of(leaf))?;
    match slots.len().checked_sub(1) {
        Some(last) => Ok(key <= sound(id, slots.key(last))?),
        None => Ok(false),
    }
}
