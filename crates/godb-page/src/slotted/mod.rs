//! A slotted page: many cells of different lengths, in order, in one page.
//!
//! ```text
//! 0        96                                                     page size
//! ┌────────┬────────┬────────┬─────┬──────────────┬────────┬────────┐
//! │ header │ slot 0 │ slot 1 │ ... │     gap      │ cell … │ cell … │
//! └────────┴────────┴────────┴─────┴──────────────┴────────┴────────┘
//!            slots grow to the right →      ← cells grow to the left
//! ```
//!
//! A **cell** is `u16 key word | key | payload`. The key word is the key's length; its highest bit is free for the layer above. What the
//! payload means is also that layer's business.
//!
//! A **slot** is eight bytes: `u32 head | u16 offset | u16 length`. Slots are kept in key order, so inserting a row moves slots, never
//! cells. All keys of a page share their first `prefix` bytes (often a table's or a column's), so the head of a key is the four bytes
//! *behind* that prefix, as a big-endian number: comparing two heads compares four telling bytes, and the binary search touches a
//! cell only when heads are equal. Without heads every probe would be a cache miss into the cells.
//!
//! Removing a cell leaves a hole. The header counts all free bytes; when the gap is too small but the sum is not, the page is
//! compacted in place.
//!
//! Everything here is a pure function on the page's bytes. A page may come from a damaged disk with a checksum that happens to be right:
//! then these functions return [`Damaged`] or a wrong answer about that page, and never panic or touch anything outside it.
//! Graefe's *Modern B-Tree Techniques* (2011), sections 3.3 and 3.4, tells of these and many more layouts. Cells keep their whole key
//! here: cutting the prefix off the cells as well would save space, at the price of putting keys together again for everybody who reads them.

mod edit;
mod verify;

pub use edit::{append, compact, fits, format, insert, keep, remove, replace};
pub use verify::verify;

use crate::page::header;
use std::cmp::Ordering;

/// Bytes of a slot.
pub const SLOT: usize = 8;

/// Lines of memory that a usual row takes.
const LINES_OF_A_CELL: usize = 4;
/// The bit of a key word that is not part of the key's length.
pub const FLAG: u16 = 0x8000;
/// Where the header's spare bytes keep the length of the shared prefix.
const PREFIX_AT: usize = 48;
/// Where they keep one more page number, for the layer above.
const LINK_AT: usize = 52;

/// What is wrong with a page's content.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Damaged(pub &'static str);

/// Bytes that slots and cells share in a page of `page_size` bytes.
#[must_use]
pub fn usable(page_size: usize) -> usize {
    page_size - header::LEN
}

/// A length or offset as a page stores it. No page is longer than 64 KiB, and every page begins with a header.
#[expect(
    clippy::cast_possible_truncation,
    reason = "offsets and lengths behind the header are below 64 KiB"
)]
fn narrow(number: usize) -> u16 {
    debug_assert!(number <= usize::from(u16::MAX));
    number as u16
}

fn u16_at(page: &[u8], at: usize) -> u16 {
    u16::from_le_bytes([page[at], page[at + 1]])
}

/// How many leading bytes all keys of the page have in common, as far as the page knows.
fn prefix(page: &[u8]) -> usize {
    usize::from(u16_at(page, PREFIX_AT))
}

fn set_prefix(page: &mut [u8], length: usize) {
    page[PREFIX_AT..PREFIX_AT + 2].copy_from_slice(&narrow(length).to_le_bytes());
}

/// The extra page number that the layer above keeps in the header; zero when it keeps none.
#[must_use]
pub fn link(page: &[u8]) -> crate::PageId {
    let bytes = [
        page[LINK_AT],
        page[LINK_AT + 1],
        page[LINK_AT + 2],
        page[LINK_AT + 3],
    ];
    crate::PageId::from_raw(u32::from_le_bytes(bytes))
}

/// Sets what [`link`] reads.
pub fn set_link(page: &mut [u8], to: crate::PageId) {
    page[LINK_AT..LINK_AT + 4].copy_from_slice(&to.raw().to_le_bytes());
}

/// Key word, key and payload of a cell.
pub fn split_cell(cell: &[u8]) -> Result<(u16, &[u8], &[u8]), Damaged> {
    let (word, rest) = cell
        .split_first_chunk::<2>()
        .ok_or(Damaged("a cell is too short"))?;
    let word = u16::from_le_bytes(*word);
    let (key, payload) = rest
        .split_at_checked(usize::from(word & !FLAG))
        .ok_or(Damaged("a key is longer than its cell"))?;
    Ok((word, key, payload))
}

/// How many leading bytes two keys have in common.
#[must_use]
pub fn shared(a: &[u8], b: &[u8]) -> usize {
    a.iter().zip(b).take_while(|(a, b)| a == b).count()
}

/// The first four bytes of what follows the prefix, as a number that compares like they do.
fn head(suffix: &[u8]) -> u32 {
    match suffix.first_chunk::<4>() {
        Some(bytes) => u32::from_be_bytes(*bytes),
        None => {
            let mut bytes = [0; 4];
            bytes[..suffix.len()].copy_from_slice(suffix);
            u32::from_be_bytes(bytes)
        }
    }
}

/// One slot, taken apart.
#[derive(Clone, Copy)]
struct Slot {
    head: u32,
    offset: u16,
    length: u16,
}

impl Slot {
    fn load(bytes: [u8; SLOT]) -> Self {
        let [a, b, c, d, e, f, g, h] = bytes;
        Self {
            head: u32::from_le_bytes([a, b, c, d]),
            offset: u16::from_le_bytes([e, f]),
            length: u16::from_le_bytes([g, h]),
        }
    }

    fn store(self) -> [u8; SLOT] {
        let [a, b, c, d] = self.head.to_le_bytes();
        let [e, f] = self.offset.to_le_bytes();
        let [g, h] = self.length.to_le_bytes();
        [a, b, c, d, e, f, g, h]
    }
}

/// The cells of a page, to be read.
#[derive(Clone, Copy)]
pub struct Slots<'a> {
    page: &'a [u8],
    slots: &'a [[u8; SLOT]],
}

impl<'a> Slots<'a> {
    /// The slots of `page`, if there can be as many as its header says.
    pub fn of(page: &'a [u8]) -> Result<Self, Damaged> {
        let count = usize::from(header::slot_count(page));
        let slots = page
            .get(header::LEN..header::LEN + count * SLOT)
            .ok_or(Damaged("it has more slots than bytes"))?;
        Ok(Self {
            page,
            slots: slots.as_chunks().0,
        })
    }

    /// How many cells there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.slots.len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.slots.is_empty()
    }

    fn slot(&self, at: usize) -> Result<Slot, Damaged> {
        let bytes = self.slots.get(at).ok_or(Damaged("it has no such slot"))?;
        Ok(Slot::load(*bytes))
    }

    /// The cell in slot `at`.
    pub fn cell(&self, at: usize) -> Result<&'a [u8], Damaged> {
        let slot = self.slot(at)?;
        let from = usize::from(slot.offset);
        self.page
            .get(from..from + usize::from(slot.length))
            .ok_or(Damaged("a slot points outside"))
    }

    /// The key in slot `at`.
    pub fn key(&self, at: usize) -> Result<&'a [u8], Damaged> {
        split_cell(self.cell(at)?).map(|(_, key, _)| key)
    }

    /// Asks the processor for some cells that are about to be read, so that it need not wait for each.
    pub fn expect_cells(&self, from: usize, count: usize) {
        for slot in self.slots.iter().skip(from).take(count) {
            let at = usize::from(Slot::load(*slot).offset);
            crate::ahead::ask_for(self.page.as_ptr().addr() + at);
        }
    }

    /// Asks the processor for what an insertion of `key` will touch: the cell that is compared with it, and the bytes before the first cell.
    pub fn expect_insertion(&self, key: &[u8]) {
        let suffix = key.get(prefix(self.page)..).unwrap_or_default();
        let first = self.first_head(head(suffix));
        self.expect_cells(first.min(self.len().saturating_sub(1)), 1);
        self.expect_cell();
    }

    /// Asks the processor for the bytes before the first cell, where the next one will lie.
    pub fn expect_cell(&self) {
        let cells = usize::from(header::cell_bytes(self.page));
        let end = self.page.as_ptr().addr() + self.page.len().saturating_sub(cells);
        (1..=LINES_OF_A_CELL).for_each(|line| crate::ahead::ask_for(end - 64 * line));
    }

    /// The length of the cell in slot `at`, with its slot.
    pub fn footprint(&self, at: usize) -> Result<usize, Damaged> {
        Ok(usize::from(self.slot(at)?.length) + SLOT)
    }

    /// The slot of `key`, or else the slot where it would have to be inserted.
    pub fn search(&self, key: &[u8]) -> Result<Result<usize, usize>, Damaged> {
        if self.is_empty() {
            return Ok(Err(0));
        }
        let shared = prefix(self.page);
        let suffix = key.get(shared..).unwrap_or_default();
        let first = self.first_head(head(suffix));
        if shared > 0 {
            // Every key tells what they share; this one is most likely looked at anyway.
            let common = self
                .key(first.min(self.len() - 1))?
                .get(..shared)
                .ok_or(Damaged("its prefix is longer than a key"))?;
            match key[..key.len().min(shared)].cmp(common) {
                Ordering::Less => return Ok(Err(0)),
                Ordering::Greater => return Ok(Err(self.len())),
                Ordering::Equal => {}
            }
        }
        self.search_suffix(first, suffix, shared)
    }

    /// The first slot whose head is not below `wanted`.
    fn first_head(&self, wanted: u32) -> usize {
        self.slots.partition_point(|slot| Slot::load(*slot).head < wanted)
    }

    /// Looks among equal heads, of which the first is in slot `first`, for the rest of a key.
    fn search_suffix(
        &self,
        first: usize,
        suffix: &[u8],
        shared: usize,
    ) -> Result<Result<usize, usize>, Damaged> {
        let wanted = head(suffix);
        let mut low = first;
        let mut high = self.len();
        while low < high {
            let middle = if low == first { low } else { low.midpoint(high) };
            if self.slot(middle)?.head != wanted {
                high = middle;
                continue;
            }
            let found = self
                .key(middle)?
                .get(shared..)
                .ok_or(Damaged("its prefix is longer than a key"))?;
            match found.cmp(suffix) {
                Ordering::Equal => return Ok(Ok(middle)),
                Ordering::Less => low = middle + 1,
                Ordering::Greater => high = middle,
            }
        }
        Ok(Err(low))
    }
}

#[cfg(test)]
mod tests;
