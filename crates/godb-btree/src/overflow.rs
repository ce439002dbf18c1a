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

/// No value is so long: a place from here on is damage, and whoever counts on from a place need not fear the end of the number.
const LONGEST: u64 = 1 << 60;

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
    if link.at >= LONGEST {
        return Err(Damaged("it lies behind the end of any value"));
    }
    Ok((link, bytes))
}

#[cfg(test)]
mod tests {
    use super::*;
    use godb_buffer::TreeId;

    #[test]
    fn a_page_says_what_part_of_which_value_it_is() {
        let mut page = vec![0; 4096];
        let link = |at| Link {
            tree: TreeId::from_raw(3),
            chain: PageId::from_raw(8),
            at,
            next: PageId::from_raw(9),
        };
        write(&mut page, link(4000), b"a part").unwrap();
        assert_eq!(read(&page).unwrap(), (link(4000), b"a part".as_slice()));
        for at in [LONGEST, u64::MAX] {
            write(&mut page, link(at), b"a part").unwrap();
            assert!(read(&page).is_err(), "no value is so long");
        }
        write(&mut page, link(0), b"a part").unwrap();
        page[LENGTH..LENGTH + 4].fill(0xFF);
        assert!(read(&page).is_err());
    }
}
