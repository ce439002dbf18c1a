//! Overflow pages: the parts of a value that is too large for a leaf.
//!
//! Every page knows the page that its chain began with and the place of its bytes in the value, so that a chain that runs
//! into another one, or into itself, is found out.

use crate::change::Link;
use godb_buffer::slotted::{Damaged, usable};
use godb_buffer::{PageId, PageKind, header};

const CHAIN: usize = 48;
const LENGTH: usize = 52;
const AT: usize = 56;

/// The most bytes of a value that one page holds. The log writes lengths in 16 bits, as pages do.
pub(crate) fn capacity(page_size: usize) -> usize {
    usable(page_size)
}

/// Makes an overflow page.
pub(crate) fn write(page: &mut [u8], link: Link, bytes: &[u8]) -> Result<(), Damaged> {
    if bytes.len() > capacity(page.len()) {
        return Err(Damaged("an overflow page is given more than it holds"));
    }
    page[32..header::LEN].fill(0);
    header::set_kind(page, PageKind::Overflow);
    header::set_tree_id(page, link.tree);
    header::set_right_link(page, link.next);
    let length = u32::try_from(bytes.len()).map_err(|_| Damaged("an overflow page is given too much"))?;
    page[CHAIN..CHAIN + 4].copy_from_slice(&link.chain.raw().to_le_bytes());
    page[LENGTH..LENGTH + 4].copy_from_slice(&length.to_le_bytes());
    page[AT..AT + 8].copy_from_slice(&link.at.to_le_bytes());
    page[header::LEN..header::LEN + bytes.len()].copy_from_slice(bytes);
    page[header::LEN + bytes.len()..].fill(0);
    Ok(())
}

/// Reads an overflow page.
pub(crate) fn read(page: &[u8]) -> Result<(Link, &[u8]), Damaged> {
    if header::kind(page) != Some(PageKind::Overflow) {
        return Err(Damaged("it is not an overflow page"));
    }
    let word = |at: usize| u32::from_le_bytes([page[at], page[at + 1], page[at + 2], page[at + 3]]);
    let bytes = page
        .get(header::LEN..header::LEN + word(LENGTH) as usize)
        .ok_or(Damaged("it claims more bytes than it has"))?;
    let link = Link {
        tree: header::tree_id(page),
        chain: PageId::from_raw(word(CHAIN)),
        at: u64::from(word(AT)) | u64::from(word(AT + 4)) << 32,
        next: header::right_link(page),
    };
    Ok((link, bytes))
}
