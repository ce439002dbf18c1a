//! The meta page: what the trees as a whole count.

use crate::map;
use godb_buffer::slotted::Damaged;
use godb_buffer::{PageId, PageKind, TreeId, header};

/// Where the meta page is.
pub(crate) const PAGE: PageId = PageId::from_raw(2);
/// The directory: tree id to root page and state.
pub(crate) const DIRECTORY: TreeId = TreeId::from_raw(1);
/// Its root.
pub(crate) const DIRECTORY_ROOT: PageId = PageId::from_raw(3);

const NEXT_TREE: usize = header::LEN;
const MAPS: usize = header::LEN + 4;
const TREES: usize = header::LEN + 8;

/// What the meta page says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Counts {
    /// The id that the next tree gets.
    pub(crate) next_tree: TreeId,
    /// How many free maps there are: the high-water mark of pages, in groups.
    pub(crate) maps: u32,
    /// How many trees exist, the directory not counted.
    pub(crate) trees: u32,
}

fn u32_at(page: &[u8], at: usize) -> u32 {
    u32::from_le_bytes([page[at], page[at + 1], page[at + 2], page[at + 3]])
}

fn set_u32(page: &mut [u8], at: usize, value: u32) {
    page[at..at + 4].copy_from_slice(&value.to_le_bytes());
}

/// Makes a meta page that counts nothing.
pub(crate) fn format(page: &mut [u8]) {
    page[32..].fill(0);
    header::set_kind(page, PageKind::Meta);
}

/// Counts on.
pub(crate) fn count(page: &mut [u8], next_tree: TreeId, maps: u32, trees: i32) {
    let next_tree = next_tree.raw().max(u32_at(page, NEXT_TREE));
    let maps = maps.max(u32_at(page, MAPS));
    let trees = u32_at(page, TREES).saturating_add_signed(trees);
    set_u32(page, NEXT_TREE, next_tree);
    set_u32(page, MAPS, maps);
    set_u32(page, TREES, trees);
}

/// Counts so many maps.
pub(crate) fn set_maps(page: &mut [u8], maps: u32) {
    set_u32(page, MAPS, maps);
}

/// Reads a meta page.
pub(crate) fn read(page: &[u8]) -> Result<Counts, Damaged> {
    if header::kind(page) != Some(PageKind::Meta) {
        return Err(Damaged("it is not the meta page"));
    }
    if u32_at(page, MAPS) > map::most(page.len()) {
        return Err(Damaged("it counts more free maps than there can be"));
    }
    Ok(Counts {
        next_tree: TreeId::from_raw(u32_at(page, NEXT_TREE)),
        maps: u32_at(page, MAPS),
        trees: u32_at(page, TREES),
    })
}
