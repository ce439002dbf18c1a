//! Leaves and inner pages: what the cells of a slotted page mean to a tree.
//!
//! A leaf cell's payload is the inline value and, when the key word's flag is set, the chain behind it (head and length, 12 bytes).
//! An inner page with *n* cells has *n + 1* children: the one in the header covers every key below the first separator, the one in
//! cell *i* the keys from its separator on.

use crate::codec::bad_page;
use crate::tree::{Chain, Value};
use godb_buffer::slotted::{self, Damaged, FLAG, SLOT, Slots, usable};
use godb_buffer::{Fault, PageId, PageKind, TreeId, header};
use smallvec::SmallVec;

/// A cell under construction; the usual ones need no allocation.
pub(crate) type Cell = SmallVec<[u8; 128]>;

const CHAIN_BYTES: usize = 12;
/// What a quarter of a page must hold besides a key or a value: key word, slot, chain, child.
const OVERHEAD: usize = 2 + SLOT + CHAIN_BYTES + 10;

/// The longest key, and the longest inline value. Two of the largest cells fit a leaf, four of the longest separators an
/// inner page; without that a split might not find a place to cut.
pub(crate) fn max_part(page_size: usize) -> usize {
    usable(page_size) / 4 - OVERHEAD
}

fn key_word(key: &[u8], flag: u16) -> [u8; 2] {
    let length = u16::try_from(key.len()).expect("keys were checked against max_key");
    (length | flag).to_le_bytes()
}

/// Bytes of the cell of a row.
pub(crate) fn leaf_cell_size(key: &[u8], value: Value<'_>) -> usize {
    2 + key.len() + value.inline.len() + if value.chain.is_some() { CHAIN_BYTES } else { 0 }
}

/// The cell of a row.
pub(crate) fn leaf_cell(key: &[u8], value: Value<'_>) -> Cell {
    let mut cell = Cell::with_capacity(leaf_cell_size(key, value));
    put_leaf_cell(key, value, |bytes| cell.extend_from_slice(bytes));
    cell
}

/// Gives the cell of a row to `put`, piece by piece.
pub(crate) fn put_leaf_cell(key: &[u8], value: Value<'_>, mut put: impl FnMut(&[u8])) {
    let flag = if value.chain.is_some() { FLAG } else { 0 };
    put(&key_word(key, flag));
    put(key);
    put(value.inline);
    if let Some(chain) = value.chain {
        put(&chain.head.raw().to_le_bytes());
        put(&chain.len.to_le_bytes());
    }
}

/// A leaf cell whose value begins differently: with `with` in place of its first `cut` bytes.
pub(crate) fn amended(cell: &[u8], cut: usize, with: &[u8]) -> Result<Cell, Damaged> {
    let (_, key, payload) = slotted::split_cell(cell)?;
    let rest = payload
        .get(cut..)
        .ok_or(Damaged("a row is shorter than what is to be changed of it"))?;
    let mut amended = Cell::with_capacity(cell.len() + with.len());
    amended.extend_from_slice(&cell[..2 + key.len()]);
    amended.extend_from_slice(with);
    amended.extend_from_slice(rest);
    Ok(amended)
}

/// The cell of a separator and the child to its right.
pub(crate) fn inner_cell(key: &[u8], child: PageId) -> Cell {
    let mut cell = Cell::with_capacity(6 + key.len());
    cell.extend_from_slice(&key_word(key, 0));
    cell.extend_from_slice(key);
    cell.extend_from_slice(&child.raw().to_le_bytes());
    cell
}

/// The row in a leaf cell.
pub(crate) fn row(cell: &[u8]) -> Result<(&[u8], Value<'_>), Damaged> {
    let (word, key, payload) = slotted::split_cell(cell)?;
    if word & FLAG == 0 {
        return Ok((key, Value::inline(payload)));
    }
    let (inline, chain) = payload
        .split_last_chunk::<CHAIN_BYTES>()
        .ok_or(Damaged("a row is too short for the chain it claims"))?;
    let [a, b, c, d, len @ ..] = *chain;
    let chain = Some(Chain {
        head: PageId::from_raw(u32::from_le_bytes([a, b, c, d])),
        len: u64::from_le_bytes(len),
    });
    Ok((key, Value { inline, chain }))
}

/// The child in an inner page's cell.
fn child_of(cell: &[u8]) -> Result<PageId, Damaged> {
    let (_, _, payload) = slotted::split_cell(cell)?;
    let bytes = <[u8; 4]>::try_from(payload).map_err(|_| Damaged("a cell does not hold a child"))?;
    Ok(PageId::from_raw(u32::from_le_bytes(bytes)))
}

/// Which child or row a descent is after.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Target<'k> {
    /// The leftmost.
    First,
    /// The rightmost.
    Last,
    /// Where this key is or would be.
    At(&'k [u8]),
    /// Where the largest key below this one is.
    Below(&'k [u8]),
}

/// The number of the child to go to, from 0 to the number of cells.
pub(crate) fn child_index(page: &[u8], target: Target<'_>) -> Result<usize, Damaged> {
    let slots = Slots::of(page)?;
    Ok(match target {
        Target::First => 0,
        Target::Last => slots.len(),
        Target::At(key) => match slots.search(key)? {
            Ok(at) => at + 1,
            Err(at) => at,
        },
        Target::Below(key) => match slots.search(key)? {
            Ok(at) | Err(at) => at,
        },
    })
}

/// Child number `index` of an inner page.
pub(crate) fn child(page: &[u8], index: usize) -> Result<PageId, Damaged> {
    match index.checked_sub(1) {
        None => Ok(slotted::link(page)),
        Some(cell) => child_of(Slots::of(page)?.cell(cell)?),
    }
}

/// Bytes in use by cells and slots.
pub(crate) fn used(page: &[u8]) -> usize {
    usable(page.len()).saturating_sub(usize::from(header::free_space(page)))
}

/// The shortest key that is above `left` and not above `right`.
pub(crate) fn separator<'k>(left: &[u8], right: &'k [u8]) -> &'k [u8] {
    let common = slotted::shared(left, right);
    &right[..right.len().min(common + 1)]
}

/// Checks that a page is what the way to it says: `level` is `None` at a root, which may have any.
pub(crate) fn expect(id: PageId, page: &[u8], tree: TreeId, level: Option<u8>) -> Result<u8, Fault> {
    let found = header::level(page);
    let kind = if found == 0 {
        PageKind::Leaf
    } else {
        PageKind::Inner
    };
    if header::kind(page) != Some(kind) {
        return Err(bad_page(id, "it is not a page of a tree"));
    }
    if header::tree_id(page) != tree {
        return Err(bad_page(
            id,
            format!("it belongs to tree {} and not to {tree}", header::tree_id(page)),
        ));
    }
    if level.is_some_and(|level| level != found) {
        return Err(bad_page(id, "it stands at another level than its parent says"));
    }
    Ok(found)
}
