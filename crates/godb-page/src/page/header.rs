//! The 96-byte header that every page begins with, and the checksum over it and the rest.
//!
//! ```text
//!  0  u32  CRC-32 of everything after it        38  u16  slot count
//!  4  u32  page id                              40  u16  free space, bytes
//!  8  u64  LSN of the last change               42  u16  where cells begin, from the page's end
//! 16  16 B database id                          44  u32  right link
//! 32  u32  tree id                              48  16 B spare
//! 36  u8   kind                                 64  32 B kept for encryption
//! 37  u8   level                                96       the page's content
//! ```
//!
//! Page id, database id and LSN lie under the checksum, so that a page that was written to the wrong place, or belongs
//! to another file, is found out although its checksum is right. All numbers are little-endian.

use crate::ids::{DatabaseId, Lsn, PageId, TreeId};

/// Bytes of the header.
pub const LEN: usize = 96;

/// What a page is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum PageKind {
    /// The file header.
    Header = 1,
    /// The tree layer's counters.
    Meta = 2,
    /// A bitmap of allocated pages.
    FreeMap = 3,
    /// Keys and values.
    Leaf = 4,
    /// Keys and children.
    Inner = 5,
    /// A part of a large value.
    Overflow = 6,
    /// Nothing.
    Free = 7,
}

impl PageKind {
    /// The kind that `byte` stands for.
    #[must_use]
    pub fn from_byte(byte: u8) -> Option<Self> {
        [
            Self::Header,
            Self::Meta,
            Self::FreeMap,
            Self::Leaf,
            Self::Inner,
            Self::Overflow,
            Self::Free,
        ]
        .into_iter()
        .find(|kind| *kind as u8 == byte)
    }
}

macro_rules! field {
    ($($(#[$doc:meta])* $get:ident $set:ident $raw:ty, $at:literal, $word:ty, $wrap:expr, $unwrap:expr;)*) => {$(
        $(#[$doc])*
        #[must_use]
        pub fn $get(page: &[u8]) -> $word {
            let mut bytes = [0; size_of::<$raw>()];
            bytes.copy_from_slice(&page[$at..$at + size_of::<$raw>()]);
            $wrap(<$raw>::from_le_bytes(bytes))
        }

        #[doc = concat!("Sets what [`", stringify!($get), "`] reads.")]
        pub fn $set(page: &mut [u8], value: $word) {
            page[$at..$at + size_of::<$raw>()].copy_from_slice(&$unwrap(value).to_le_bytes());
        }
    )*};
}

fn same<T>(value: T) -> T {
    value
}

field! {
    /// The stored checksum.
    crc set_crc u32, 0, u32, same, same;
    /// The page's own number.
    page_id set_page_id u32, 4, PageId, PageId::from_raw, PageId::raw;
    /// The record that described its last change.
    lsn set_lsn u64, 8, Lsn, Lsn::from_raw, Lsn::raw;
    /// The tree it belongs to.
    tree_id set_tree_id u32, 32, TreeId, TreeId::from_raw, TreeId::raw;
    /// What it is for, as stored: see [`PageKind::from_byte`].
    kind_byte set_kind_byte u8, 36, u8, same, same;
    /// Its height above the leaves.
    level set_level u8, 37, u8, same, same;
    /// How many slots it has.
    slot_count set_slot_count u16, 38, u16, same, same;
    /// How many bytes are free, those between cells included.
    free_space set_free_space u16, 40, u16, same, same;
    /// How many bytes cells take at the page's end, those between cells included.
    cell_bytes set_cell_bytes u16, 42, u16, same, same;
    /// The page to the right; zero when there is none.
    right_link set_right_link u32, 44, PageId, PageId::from_raw, PageId::raw;
}

/// What the page is for, if its byte says something known.
#[must_use]
pub fn kind(page: &[u8]) -> Option<PageKind> {
    PageKind::from_byte(kind_byte(page))
}

/// Sets what the page is for.
pub fn set_kind(page: &mut [u8], kind: PageKind) {
    set_kind_byte(page, kind as u8);
}

/// The database that the page belongs to.
#[must_use]
pub fn database_id(page: &[u8]) -> DatabaseId {
    let mut bytes = [0; 16];
    bytes.copy_from_slice(&page[16..32]);
    DatabaseId::from_bytes(bytes)
}

/// Sets the database that the page belongs to.
pub fn set_database_id(page: &mut [u8], database: DatabaseId) {
    page[16..32].copy_from_slice(&database.to_bytes());
}

/// Fills in where the page belongs and its checksum: the last thing before it is written.
pub fn seal(page: &mut [u8], id: PageId, database: DatabaseId) {
    set_page_id(page, id);
    set_database_id(page, database);
    let crc = crc32fast::hash(&page[4..]);
    set_crc(page, crc);
}

/// Why a page that was read is not the one that was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flaw {
    /// It is all zeros: room that nothing was written into yet, or a write that was lost.
    NeverWritten,
    /// The checksum is wrong.
    Checksum,
    /// It is another page.
    OtherPage(PageId),
    /// It is a page of another database.
    OtherDatabase,
}

impl std::fmt::Display for Flaw {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::NeverWritten => f.write_str("it was never written"),
            Self::Checksum => f.write_str("its checksum is wrong"),
            Self::OtherPage(id) => write!(f, "page {id} stands in its place"),
            Self::OtherDatabase => f.write_str("a page of another database stands in its place"),
        }
    }
}

/// Checks a page that was read from the place of `id`.
pub fn verify(page: &[u8], id: PageId, database: DatabaseId) -> Result<(), Flaw> {
    if crc(page) != crc32fast::hash(&page[4..]) {
        let blank = page.iter().all(|byte| *byte == 0);
        return Err(if blank { Flaw::NeverWritten } else { Flaw::Checksum });
    }
    if page_id(page) != id {
        return Err(Flaw::OtherPage(page_id(page)));
    }
    if database_id(page) != database {
        return Err(Flaw::OtherDatabase);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_field_has_its_place() {
        let mut page = vec![0; 4096];
        set_lsn(&mut page, Lsn::from_raw(0x1122_3344_5566_7788));
        set_tree_id(&mut page, TreeId::from_raw(0xAABB_CCDD));
        set_kind(&mut page, PageKind::Leaf);
        set_level(&mut page, 3);
        set_slot_count(&mut page, 0x0102);
        set_free_space(&mut page, 0x0304);
        set_cell_bytes(&mut page, 0x0506);
        set_right_link(&mut page, PageId::from_raw(0x0708_090A));
        seal(&mut page, PageId::from_raw(9), DatabaseId::from_bytes([0xDB; 16]));
        let mut expected = vec![9, 0, 0, 0, 0x88, 0x77, 0x66, 0x55, 0x44, 0x33, 0x22, 0x11];
        expected.extend([0xDB; 16]);
        expected.extend([0xDD, 0xCC, 0xBB, 0xAA, 4, 3, 2, 1, 4, 3, 6, 5, 0x0A, 9, 8, 7]);
        assert_eq!(page[4..48], expected);
        assert_eq!(crc(&page), crc32fast::hash(&page[4..]));
        assert_eq!(
            (kind(&page), level(&page), slot_count(&page)),
            (Some(PageKind::Leaf), 3, 0x0102)
        );
    }

    #[test]
    fn each_flaw_is_named() {
        let (id, database) = (PageId::from_raw(9), DatabaseId::from_bytes([1; 16]));
        let mut page = vec![0; 4096];
        assert_eq!(verify(&page, id, database), Err(Flaw::NeverWritten));
        seal(&mut page, id, database);
        assert_eq!(verify(&page, id, database), Ok(()));
        let other = PageId::from_raw(10);
        assert_eq!(verify(&page, other, database), Err(Flaw::OtherPage(id)));
        assert_eq!(verify(&page, id, DatabaseId::default()), Err(Flaw::OtherDatabase));
        page[4000] ^= 1;
        assert_eq!(verify(&page, id, database), Err(Flaw::Checksum));
    }

    #[test]
    fn unknown_kinds_are_none() {
        let known: Vec<u8> = (0..=255)
            .filter(|byte| PageKind::from_byte(*byte).is_some())
            .collect();
        assert_eq!(known, [1, 2, 3, 4, 5, 6, 7]);
    }
}
