//! The whole truth about a slotted page.

use super::{Damaged, SLOT, Slot, Slots, head, prefix, split_cell};
use crate::page::header;

/// Checks everything that holds of a sound page: slots point to cells that lie inside and apart from each other, the counts in the
/// header are right, keys strictly ascend, share the prefix, and have the heads their slots say.
pub fn verify(page: &[u8]) -> Result<(), Damaged> {
    let slots = Slots::of(page)?;
    check_places(page, &slots)?;
    check_keys(page, &slots)
}

fn check_places(page: &[u8], slots: &Slots<'_>) -> Result<(), Damaged> {
    let first_cell = page
        .len()
        .checked_sub(usize::from(header::cell_bytes(page)))
        .filter(|first| *first >= header::LEN + slots.len() * SLOT)
        .ok_or(Damaged("its slots and cells overlap"))?;
    let places = slots.slots.iter().map(|bytes| Slot::load(*bytes));
    let mut places: Vec<(u16, u16)> = places.map(|slot| (slot.offset, slot.length)).collect();
    places.sort_unstable();
    let (mut end, mut taken) = (first_cell, 0);
    for (from, length) in places {
        if usize::from(from) < end {
            return Err(Damaged("its cells overlap"));
        }
        end = usize::from(from) + usize::from(length);
        taken += usize::from(length) + SLOT;
    }
    if end > page.len() {
        return Err(Damaged("a slot points outside"));
    }
    if header::LEN + taken + usize::from(header::free_space(page)) != page.len() {
        return Err(Damaged("its count of free bytes is wrong"));
    }
    Ok(())
}

fn check_keys(page: &[u8], slots: &Slots<'_>) -> Result<(), Damaged> {
    let shared = prefix(page);
    let mut last: Option<&[u8]> = None;
    for at in 0..slots.len() {
        let (_, key, _) = split_cell(slots.cell(at)?)?;
        if last.is_some_and(|last| last >= key) {
            return Err(Damaged("its keys are not in order"));
        }
        let (common, suffix) = key
            .split_at_checked(shared)
            .ok_or(Damaged("its prefix is longer than a key"))?;
        if last.is_some_and(|last| last[..shared] != *common) {
            return Err(Damaged("its keys do not share the prefix"));
        }
        if slots.slot(at)?.head != head(suffix) {
            return Err(Damaged("a slot's head is not that of its key"));
        }
        last = Some(key);
    }
    Ok(())
}
