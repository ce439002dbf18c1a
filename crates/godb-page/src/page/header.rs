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

/// Fills in where the page belongs and its checksum: the last thing before it is written.
pub fn seal(page: &mut [u8], id: PageId, database: DatabaseId) {
    set_page_id(page, id);
    page[16..32].copy_from_slice(&database.to_bytes());
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
