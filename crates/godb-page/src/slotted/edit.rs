//! Changes of a slotted page.
//!
//! Each is a function of the page's bytes and its arguments alone, so redo makes the very same page again.

use super::{Damaged, SLOT, Slot, Slots, head, narrow, prefix, set_prefix, shared, split_cell};
use crate::ids::TreeId;
use crate::page::header::{self, PageKind};

/// Makes an empty page of the given kind. Page id, LSN and database id stay as they are.
pub fn format(page: &mut [u8], kind: PageKind, level: u8, tree: TreeId) {
    page[32..].fill(0);
    header::set_kind(page, kind);
    header::set_level(page, level);
    header::set_tree_id(page, tree);
    header::set_free_space(page, narrow(page.len() - header::LEN));
}

/// The bytes between the last slot and the first cell.
fn gap(page: &[u8]) -> Result<usize, Damaged> {
    let slots = header::LEN + usize::from(header::slot_count(page)) * SLOT;
    let cells = usize::from(header::cell_bytes(page));
    page.len()
        .checked_sub(cells + slots)
        .ok_or(Damaged("its slots and cells overlap"))
}

/// Whether a cell of `length` bytes can be inserted, or take the place of the one in slot `instead`. When that needs a
/// compaction the whole page is verified, so that an insertion that was found to fit cannot fail.
pub fn fits(page: &[u8], length: usize, instead: Option<usize>) -> Result<bool, Damaged> {
    let given_back = match instead {
        Some(at) => Slots::of(page)?.footprint(at)?,
        None => 0,
    };
    let need = length + SLOT;
    if usize::from(header::free_space(page)) + given_back < need {
        return Ok(false);
    }
    if gap(page)? < need {
        super::verify(page)?;
    }
    Ok(true)
}

/// Inserts a cell into slot `at`.
pub fn insert(page: &mut [u8], at: usize, cell: &[u8]) -> Result<(), Damaged> {
    let count = Slots::of(page)?.len();
    let (_, key, _) = split_cell(cell)?;
    if at > count {
        return Err(Damaged("it has no such slot"));
    }
    if gap(page)? < cell.len() + SLOT {
        compact(page)?;
        if gap(page)? < cell.len() + SLOT {
            return Err(Damaged("it has no room for a cell"));
        }
    }
    narrow_prefix(page, at, count, key);
    // In a sound page every key has the prefix; what a damaged one holds is found by its readers.
    let suffix = key.get(prefix(page)..).unwrap_or(&[]);
    let cells = usize::from(header::cell_bytes(page)) + cell.len();
    let offset = page.len() - cells;
    let slot = Slot {
        head: head(suffix),
        offset: narrow(offset),
        length: narrow(cell.len()),
    };
    page[offset..offset + cell.len()].copy_from_slice(cell);
    let from = header::LEN + at * SLOT;
    page.copy_within(from..header::LEN + count * SLOT, from + SLOT);
    page[from..from + SLOT].copy_from_slice(&slot.store());
    header::set_slot_count(page, narrow(count + 1));
    header::set_cell_bytes(page, narrow(cells));
    let free = usize::from(header::free_space(page)).saturating_sub(cell.len() + SLOT);
    header::set_free_space(page, narrow(free));
    Ok(())
}

/// Shortens the shared prefix where a new first or last key does not have all of it. A key in between has it, because both its
/// neighbours have.
fn narrow_prefix(page: &mut [u8], at: usize, count: usize, key: &[u8]) {
    if count == 0 {
        set_prefix(page, key.len());
        return;
    }
    if at > 0 && at < count {
        return;
    }
    let opposite = if at == 0 { count - 1 } else { 0 };
    let opposite = Slots::of(page).and_then(|slots| slots.key(opposite));
    let common = opposite.map_or(0, |other| shared(key, other));
    if common < prefix(page) {
        set_prefix(page, common);
        renew_heads(page, count);
    }
}

/// Computes all heads again. A cell that makes no sense gets the head of an empty key.
fn renew_heads(page: &mut [u8], count: usize) {
    let shared = prefix(page);
    for at in 0..count {
        let from = header::LEN + at * SLOT;
        let suffix_head = Slots::of(page)
            .and_then(|slots| slots.key(at))
            .map_or(0, |key| head(key.get(shared..).unwrap_or(&[])));
        page[from..from + 4].copy_from_slice(&suffix_head.to_le_bytes());
    }
}

/// Removes the cell in slot `at`.
pub fn remove(page: &mut [u8], at: usize) -> Result<(), Damaged> {
    let slots = Slots::of(page)?;
    let count = slots.len();
    let slot = slots.slot(at)?;
    let length = usize::from(slot.length);
    let from = header::LEN + at * SLOT;
    page.copy_within(from + SLOT..header::LEN + count * SLOT, from);
    header::set_slot_count(page, narrow(count - 1));
    let free = usize::from(header::free_space(page)) + length + SLOT;
    header::set_free_space(page, narrow(free.min(page.len() - header::LEN)));
    let cells = usize::from(header::cell_bytes(page));
    if count == 1 {
        header::set_cell_bytes(page, 0);
        set_prefix(page, 0);
    } else if usize::from(slot.offset) + cells == page.len() {
        header::set_cell_bytes(page, narrow(cells.saturating_sub(length)));
    }
    Ok(())
}

/// Puts a cell with the same key in the place of the one in slot `at`.
pub fn replace(page: &mut [u8], at: usize, cell: &[u8]) -> Result<(), Damaged> {
    let slot = Slots::of(page)?.slot(at)?;
    if usize::from(slot.length) == cell.len() {
        let from = usize::from(slot.offset);
        let place = page
            .get_mut(from..from + cell.len())
            .ok_or(Damaged("a slot points outside"))?;
        place.copy_from_slice(cell);
        return Ok(());
    }
    remove(page, at)?;
    insert(page, at, cell)
}

/// Keeps the first `count` cells and removes the others.
pub fn keep(page: &mut [u8], count: usize) -> Result<(), Damaged> {
    if count > Slots::of(page)?.len() {
        return Err(Damaged("it has fewer slots than are to be kept"));
    }
    header::set_slot_count(page, narrow(count));
    compact(page)
}

/// Adds cells behind the last one.
pub fn append<'a>(page: &mut [u8], cells: impl IntoIterator<Item = &'a [u8]>) -> Result<(), Damaged> {
    for cell in cells {
        let end = Slots::of(page)?.len();
        insert(page, end, cell)?;
    }
    Ok(())
}

/// Closes the holes between cells, and finds the longest prefix that the keys share.
pub fn compact(page: &mut [u8]) -> Result<(), Damaged> {
    let slots = Slots::of(page)?;
    let count = slots.len();
    let common = if count == 0 {
        0
    } else {
        shared(slots.key(0)?, slots.key(count - 1)?)
    };
    let old = page.to_vec();
    let old = Slots::of(&old)?;
    let mut end = page.len();
    for at in 0..count {
        let cell = old.cell(at)?;
        let (_, key, _) = split_cell(cell)?;
        let begin = end
            .checked_sub(cell.len())
            .filter(|begin| *begin >= header::LEN + count * SLOT)
            .ok_or(Damaged("its cells are larger than the page"))?;
        page[begin..end].copy_from_slice(cell);
        let slot = Slot {
            head: head(key.get(common..).unwrap_or(&[])),
            offset: narrow(begin),
            length: narrow(cell.len()),
        };
        page[header::LEN + at * SLOT..][..SLOT].copy_from_slice(&slot.store());
        end = begin;
    }
    set_prefix(page, common);
    header::set_cell_bytes(page, narrow(page.len() - end));
    header::set_free_space(page, narrow(end - header::LEN - count * SLOT));
    Ok(())
}
