//! A run of rows in the order of their keys: a leaf is found and latched once for all of them that go there.
//!
//! The rows of a leaf are logged as one record and made as one change. What a run saves is the way and the record: log space, admission, descent, latch and record
//! are had once a leaf, and the next leaf is the neighbour, whose parent lies in the cache.
//!
//! The record is taken back row by row, for the rows may have moved to different leaves since then; how that is interrupted and
//! gone on with, [`UndoNext`] tells.

use super::ahead::{APPROACHED, Leaves};
use super::split::Need;
use super::walk::{Pins, WALK, sound};
use super::{Author, BTree, Spot};
use crate::codec::bad_page;
use crate::journal::UndoNext;
use crate::logical::{self, Run};
use crate::node;
use crate::step::Step;
use crate::tree::Row;
use godb_buffer::slotted::{self, SLOT, Slots};
use godb_buffer::{Fault, Lsn, PageId, Pages, TxnId, header};
use smallvec::SmallVec;

/// What became of the first rows of a run.
#[derive(Clone, Copy, Default)]
struct Filled {
    /// How many have been dealt with.
    rows: usize,
    /// The next one belongs into the same leaf, which has no room for it.
    full: bool,
    /// It belongs behind all rows of that leaf, which is the last of the tree.
    at_end: bool,
}

/// The log space that a leaf's share of a run reserves, in pages: one for the cells, one for their keys in the description of the undo, and the rest for what is
/// said of each.
pub(super) const ROOM: usize = 4;

/// A leaf's page holds so many times the rows of a record: their compensations then fit into what is promised with the room.
pub(super) const BYTES_A_ROW: usize = 128;

/// Rows that go to one leaf without its neighbours being asked for ahead.
const CROWD: usize = 4;

/// The rows of a run that go to one leaf.
#[derive(Default)]
struct Share {
    /// The rows to add, by number, and the slot of each when those before it are there.
    places: SmallVec<[(usize, usize); 16]>,
    filled: Filled,
}

/// The rows whose leaves are on the way.
#[derive(Default)]
struct Coming {
    leaves: Leaves,
    start: usize,
    end: usize,
}

impl Coming {
    /// The end of the rows from `done` on that may go to one leaf. The next one, as far as was seen, goes to another; to ask the leaf would cost a look at its last row.
    fn share(&self, done: usize, rows: usize) -> usize {
        let Some(first) = self.leaves.get(done - self.start) else {
            return rows;
        };
        let others = self.leaves[done - self.start..]
            .iter()
            .position(|leaf| leaf != first);
        others.map_or(rows, |next| done + next)
    }

    /// So many rows went to one leaf. Where that were many, looking ahead does not pay.
    fn met(&mut self, rows: usize, done: usize) {
        if rows > CROWD {
            *self = Self {
                leaves: Leaves::new(),
                start: done,
                end: done + APPROACHED,
            };
        }
    }
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
        let mut coming = Coming::default();
        while let Some(next) = rows.get(done) {
            if done >= coming.end {
                coming = self.look_ahead(spot, rows, done)?;
            }
            let here = coming.share(done, rows.len());
            let filled = self.fill_leaf(author, spot, &rows[done..here], &mut |row| present(done + row))?;
            done += filled.rows;
            coming.met(filled.rows, done);
            let next = rows.get(done).unwrap_or(next);
            if filled.full {
                let appended = match filled.at_end {
                    true => self.append_leaf(author, spot, &rows[done..])?,
                    false => 0,
                };
                done += appended;
                if appended == 0 {
                    let bytes = node::leaf_cell_size(next.key, next.value);
                    self.split(author, spot, 0, Need { key: next.key, bytes })?;
                }
            }
        }
        Ok(())
    }

    /// Has the leaves of the rows from `done` on come from memory.
    fn look_ahead(&self, spot: Spot, rows: &[Row<'_>], done: usize) -> Result<Coming, Fault> {
        let window = &rows[done..rows.len().min(done + APPROACHED)];
        Ok(Coming {
            leaves: self.approach(spot, window)?,
            start: done,
            end: done + window.len(),
        })
    }

    /// Adds rows to the leaf of the first, as many as belong there, and as its page and the log space for it take.
    fn fill_leaf(
        &self,
        author: Author,
        mut spot: Spot,
        rows: &[Row<'_>],
        present: &mut dyn FnMut(usize),
    ) -> Result<Filled, Fault> {
        let mut room = self.room(author, ROOM * self.page_size())?;
        let _admitted = self.pages.admit(WALK)?;
        let mut pins = Pins::new(&*self.pages);
        let (id, mut leaf) = self.leaf_of(&mut pins, &mut spot, rows[0].key)?;
        let share = share_of(id, &leaf, rows, present)?;
        if share.places.is_empty() {
            return Ok(share.filled);
        }
        let added = || share.places.iter().map(|(row, at)| (&rows[*row], *at));
        for chain in added().filter_map(|(row, _)| row.value.chain) {
            self.still.chain_placed(chain.head);
        }
        let count = u16::try_from(share.places.len()).expect("a page has fewer rows");
        let back = logical::encode_run(spot.tree, count, added().map(|(row, _)| row.key));
        let mut step = Step::new();
        step.change(id, &mut leaf, |page| {
            added().for_each(|(row, at)| page.insert_row(at, row.key, row.value));
        });
        step.commit(&mut room, author.by(), author.undo_run(&back, count));
        Ok(share.filled)
    }

    /// Takes back that the rows of a run were added, from the one on at which an earlier attempt ended.
    pub(super) fn remove_run(
        &self,
        by: TxnId,
        spot: Spot,
        run: Run<'_>,
        at: UndoNext,
        next: Lsn,
    ) -> Result<(), Fault> {
        let mut keys = run.keys().skip(usize::from(at.done)).peekable();
        let mut done = at.done;
        while let Some(key) = keys.next() {
            done += 1;
            let resume = match keys.peek() {
                Some(_) => UndoNext { done, ..at },
                None => UndoNext::at(next),
            };
            self.remove_row(Author::Backward(by, resume), spot, key)?;
        }
        Ok(())
    }
}

/// Which of the rows go to the leaf of the first, as many as belong there and fit, and their slots.
fn share_of(
    id: PageId,
    leaf: &[u8],
    rows: &[Row<'_>],
    present: &mut dyn FnMut(usize),
) -> Result<Share, Fault> {
    let slots = sound(id, Slots::of(leaf))?;
    let mut free = usize::from(header::free_space(leaf));
    let mut share = Share::default();
    let mut cells = 0;
    for (number, row) in rows.iter().enumerate().take(leaf.len() / BYTES_A_ROW) {
        if number > 0 && !reaches(id, leaf, row.key)? {
            break;
        }
        share.filled.rows = number + 1;
        match sound(id, slots.search(row.key))? {
            Ok(_) => present(number),
            Err(at) => {
                let size = node::leaf_cell_size(row.key, row.value) + SLOT;
                if size > free {
                    share.filled = Filled {
                        rows: number,
                        full: true,
                        at_end: at == slots.len() && header::right_link(leaf) == PageId::default(),
                    };
                    break;
                }
                free -= size;
                cells += size;
                share.places.push((number, at + share.places.len()));
            }
        }
    }
    // Says nothing new, but makes sure that nothing can fail when the cells have to be moved together for them.
    if cells > 0 && !sound(id, slotted::fits(leaf, cells - SLOT, None))? {
        return Err(bad_page(id, "its free bytes are counted wrong"));
    }
    Ok(share)
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
