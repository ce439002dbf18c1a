//! Free-map pages: one bit a page, set when the page is in use.
//!
//! Maps stand at fixed places, so that none need be looked for: the first is page 4, every further one is the first page
//! of the group it covers. A map tells the truth as of its own LSN; because a page is allocated or freed by the record that links
//! or unlinks it, the maps and the trees agree after every crash.

use godb_buffer::slotted::{Damaged, usable};
use godb_buffer::{PageId, PageKind, header};

/// The map of the first group; the pages below belong to the file header, the meta page and the directory.
pub(crate) const FIRST: PageId = PageId::from_raw(4);

/// How many pages one map covers.
pub(crate) fn covers(page_size: usize) -> u32 {
    u32::try_from(usable(page_size) * 8).expect("a page has few bits")
}

/// The most maps that a file can have: the pages of a last, partial group stay unused.
pub(crate) fn most(page_size: usize) -> u32 {
    u32::MAX / covers(page_size)
}

/// How many pages at the beginning of a group are never free, whatever a damaged map may say: its map, and in the first
/// group all that stands before that.
pub(crate) fn fixed(group: u32) -> u32 {
    if group == 0 { FIRST.raw() + 1 } else { 1 }
}

/// The map of a group.
pub(crate) fn of_group(page_size: usize, group: u32) -> PageId {
    if group == 0 {
        FIRST
    } else {
        PageId::from_raw(group * covers(page_size))
    }
}

/// The map that has the bit of `page`.
pub(crate) fn of_page(page_size: usize, page: PageId) -> PageId {
    of_group(page_size, page.raw() / covers(page_size))
}

/// Makes a map in which every page is free.
pub(crate) fn format(page: &mut [u8]) {
    page[32..].fill(0);
    header::set_kind(page, PageKind::FreeMap);
}

/// Checks that `map` is a map, so that setting bits of its pages cannot fail.
pub(crate) fn check(map: &[u8]) -> Result<(), Damaged> {
    if header::kind(map) == Some(PageKind::FreeMap) {
        Ok(())
    } else {
        Err(Damaged("it is not a free map"))
    }
}

/// Sets or clears the bit of `page` in the map `id`.
pub(crate) fn set(id: PageId, map: &mut [u8], page: PageId, taken: bool) -> Result<(), Damaged> {
    check(map)?;
    if of_page(map.len(), page) != id {
        return Err(Damaged("it is not the map of that page"));
    }
    let bit = page.raw() % covers(map.len());
    let byte = &mut map[header::LEN + (bit / 8) as usize];
    if taken {
        *byte |= 1 << (bit % 8);
    } else {
        *byte &= !(1 << (bit % 8));
    }
    Ok(())
}

/// Whether the bit of `page` is set in its map.
pub(crate) fn has(map: &[u8], page: PageId) -> Result<bool, Damaged> {
    let bit = page.raw() % covers(map.len());
    Ok(bits(map)?[(bit / 8) as usize] & (1 << (bit % 8)) != 0)
}

/// The bits of a map, as bytes.
pub(crate) fn bits(map: &[u8]) -> Result<&[u8], Damaged> {
    check(map)?;
    Ok(&map[header::LEN..])
}
