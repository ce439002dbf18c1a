//! The physical changes of pages, as the bytes of a log record, and the one function that makes them.
//!
//! What is written for one page is either *whole*: it says all that the page will hold, and redo does not even read the old page; or a
//! *step*: it begins with the LSN that the page has before it. Redo makes a step only on a page that stands at exactly that LSN. So a page that missed
//! a change (a lost write, or the stale bytes of a page that is freed further on in the log) is noticed, never changed further.
//! Or the page is *freed*: nothing of it matters any more.

mod apply;

pub(crate) use apply::apply;

use crate::codec::{Reader, bad_record};
use crate::node;
use crate::tree::Value;
use godb_buffer::{Fault, Lsn, PageId, PageKind, TreeId};

const WHOLE: u8 = 1;
const STEP: u8 = 2;
const FREED: u8 = 3;

/// How a page's part of a record relates to what the page was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Basis {
    /// It says everything.
    Whole,
    /// It changes the page as it stood at this LSN.
    At(Lsn),
    /// The page is free from now on.
    Freed,
}

/// Splits a page's part of a record into its basis and its operations.
pub(crate) fn basis(change: &[u8]) -> Result<(Basis, &[u8]), Fault> {
    let mut from = Reader::new(change);
    let basis = match from.u8()? {
        WHOLE => Basis::Whole,
        STEP => Basis::At(Lsn::from_raw(from.u64()?)),
        FREED => Basis::Freed,
        _ => return Err(bad_record("a page change of unknown kind")),
    };
    Ok((basis, from.rest()))
}

mod tag {
    pub(super) const FORMAT: u8 = 1;
    pub(super) const OVERFLOW: u8 = 2;
    pub(super) const MAP: u8 = 3;
    pub(super) const META: u8 = 4;
    pub(super) const INSERT: u8 = 5;
    pub(super) const REMOVE: u8 = 6;
    pub(super) const REPLACE: u8 = 7;
    pub(super) const KEEP: u8 = 8;
    pub(super) const APPEND: u8 = 9;
    pub(super) const RIGHT: u8 = 10;
    pub(super) const TAKE: u8 = 11;
    pub(super) const GIVE: u8 = 12;
    pub(super) const COUNT: u8 = 13;
    pub(super) const AMEND: u8 = 14;
    pub(super) const MAPS: u8 = 15;
    pub(super) const FIRST: u8 = 16;
}

/// What a page of a tree is, apart from its cells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Shape {
    pub(crate) tree: TreeId,
    /// Zero for a leaf.
    pub(crate) level: u8,
    /// The page to the right: leaves only.
    pub(crate) right: PageId,
    /// The leftmost child: inner pages only.
    pub(crate) first: PageId,
}

impl Shape {
    /// An empty leaf without a neighbour: the root of a new tree.
    pub(crate) fn empty_leaf(tree: TreeId) -> Self {
        Self {
            tree,
            level: 0,
            right: PageId::default(),
            first: PageId::default(),
        }
    }

    pub(crate) fn kind(&self) -> PageKind {
        if self.level == 0 {
            PageKind::Leaf
        } else {
            PageKind::Inner
        }
    }
}

/// The header of one overflow page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Link {
    pub(crate) tree: TreeId,
    /// The page that the chain began with when it was written.
    pub(crate) chain: PageId,
    /// The place of the page's first byte in the value.
    pub(crate) at: u64,
    /// The next page, or zero.
    pub(crate) next: PageId,
}

/// Writes the operations on one page.
pub(crate) struct Operations<'b>(&'b mut Vec<u8>);

impl<'b> Operations<'b> {
    pub(crate) fn whole(into: &'b mut Vec<u8>) -> Self {
        into.push(WHOLE);
        Self(into)
    }

    pub(crate) fn step(into: &'b mut Vec<u8>, before: Lsn) -> Self {
        into.push(STEP);
        into.extend_from_slice(&before.raw().to_le_bytes());
        Self(into)
    }

    pub(crate) fn freed(into: &'b mut Vec<u8>) {
        into.push(FREED);
    }

    fn u16(&mut self, number: usize) {
        let number = u16::try_from(number).expect("positions and cells of a page are below 64 KiB");
        self.0.extend_from_slice(&number.to_le_bytes());
    }

    fn u32(&mut self, number: u32) {
        self.0.extend_from_slice(&number.to_le_bytes());
    }

    fn cell(&mut self, cell: &[u8]) {
        self.u16(cell.len());
        self.0.extend_from_slice(cell);
    }

    /// The page becomes an empty one of this shape.
    pub(crate) fn format(&mut self, shape: Shape) {
        self.0.push(tag::FORMAT);
        self.0.push(shape.level);
        self.u32(shape.tree.raw());
        self.u32(shape.right.raw());
        self.u32(shape.first.raw());
    }

    /// The page becomes a part of a large value.
    pub(crate) fn overflow(&mut self, link: Link, bytes: &[u8]) {
        self.0.push(tag::OVERFLOW);
        self.u32(link.tree.raw());
        self.u32(link.chain.raw());
        self.0.extend_from_slice(&link.at.to_le_bytes());
        self.u32(link.next.raw());
        self.cell(bytes);
    }

    /// The page becomes a map in which every page is free.
    pub(crate) fn map(&mut self) {
        self.0.push(tag::MAP);
    }

    /// The page becomes the meta page.
    pub(crate) fn meta(&mut self) {
        self.0.push(tag::META);
    }

    /// A cell is inserted into a slot.
    pub(crate) fn insert(&mut self, at: usize, cell: &[u8]) {
        self.0.push(tag::INSERT);
        self.u16(at);
        self.cell(cell);
    }

    /// The cell of a row is inserted into a slot.
    pub(crate) fn insert_row(&mut self, at: usize, key: &[u8], value: Value<'_>) {
        self.0.push(tag::INSERT);
        self.u16(at);
        self.u16(node::leaf_cell_size(key, value));
        node::put_leaf_cell(key, value, |bytes| self.0.extend_from_slice(bytes));
    }

    /// The cell of a slot goes.
    pub(crate) fn remove(&mut self, at: usize) {
        self.0.push(tag::REMOVE);
        self.u16(at);
    }

    /// The cell of a slot is exchanged.
    pub(crate) fn replace(&mut self, at: usize, cell: &[u8]) {
        self.0.push(tag::REPLACE);
        self.u16(at);
        self.cell(cell);
    }

    /// The value in a slot begins differently: with these bytes in place of its first `cut`.
    pub(crate) fn amend(&mut self, at: usize, cut: usize, with: &[u8]) {
        self.0.push(tag::AMEND);
        self.u16(at);
        self.u16(cut);
        self.cell(with);
    }

    /// All cells but the first ones go.
    pub(crate) fn keep(&mut self, count: usize) {
        self.0.push(tag::KEEP);
        self.u16(count);
    }

    /// A cell comes behind the last one.
    pub(crate) fn append(&mut self, cell: &[u8]) {
        self.0.push(tag::APPEND);
        self.cell(cell);
    }

    /// The page to the right is another.
    pub(crate) fn right(&mut self, to: PageId) {
        self.0.push(tag::RIGHT);
        self.u32(to.raw());
    }

    /// Pages of this map are allocated.
    pub(crate) fn take(&mut self, pages: &[PageId]) {
        self.bits(tag::TAKE, pages);
    }

    /// Pages of this map are free.
    pub(crate) fn give(&mut self, pages: &[PageId]) {
        self.bits(tag::GIVE, pages);
    }

    fn bits(&mut self, tag: u8, pages: &[PageId]) {
        self.0.push(tag);
        self.u16(pages.len());
        for page in pages {
            self.u32(page.raw());
        }
    }

    /// The meta page counts: at least these ids and maps are in use, and so many trees more or fewer exist.
    pub(crate) fn count(&mut self, next_tree: TreeId, maps: u32, trees: i32) {
        self.0.push(tag::COUNT);
        self.u32(next_tree.raw());
        self.u32(maps);
        self.0.extend_from_slice(&trees.to_le_bytes());
    }

    /// The meta page counts so many free maps, fewer than before.
    pub(crate) fn maps(&mut self, maps: u32) {
        self.0.push(tag::MAPS);
        self.u32(maps);
    }

    /// The leftmost child is another.
    pub(crate) fn first(&mut self, child: PageId) {
        self.0.push(tag::FIRST);
        self.u32(child.raw());
    }
}

#[cfg(test)]
mod tests;
