//! The words every layer shares: which page, which tree, which database, which moment of the log.
//!
//! Each is an opaque number, so that a page cannot be mistaken for a tree or a log position for a count.
//! The raw constructors are for the layers that store these words; `cargo xtask layers` holds the list.

use std::fmt;

macro_rules! word {
    ($(#[$doc:meta])* $name:ident($raw:ty)) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
        pub struct $name($raw);

        impl $name {
            /// Wraps a stored number.
            #[must_use]
            pub const fn from_raw(raw: $raw) -> Self {
                Self(raw)
            }

            /// The number as it is stored.
            #[must_use]
            pub const fn raw(self) -> $raw {
                self.0
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!(stringify!($name), "({})"), self.0)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{}", self.0)
            }
        }
    };
}

word! {
    /// The number of a page in its file: page `n` starts at byte `n × page size`.
    PageId(u32)
}
word! {
    /// A position in the log, in bytes since the log began; it only grows. Zero is before every record.
    Lsn(u64)
}
word! {
    /// One ordered tree of a database file. Zero names no tree: pages that belong to the file itself carry it.
    TreeId(u32)
}
word! {
    /// A transaction that writes. Given out in increasing order and never used twice. Zero is no transaction.
    TxnId(u64)
}

/// Log positions, transactions and whatever else is counted with 64 bits stay below this: at a billion a second it takes 36 years to get here. A stored number from here on is
/// damage, and refused where it is read, so that nobody who counts on from it need fear the end of the number.
const UNREACHED: u64 = 1 << 60;

impl Lsn {
    /// Whether a log gets so far. What is not possible is damage.
    #[must_use]
    pub const fn is_possible(self) -> bool {
        self.0 < UNREACHED
    }
}

impl TxnId {
    /// Whether a database has so many transactions. What is not possible is damage.
    #[must_use]
    pub const fn is_possible(self) -> bool {
        self.0 < UNREACHED
    }
}

/// The random identity of a database file, stored in every page and every log block of it.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct DatabaseId([u8; 16]);

impl DatabaseId {
    /// Wraps a stored identity.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(bytes)
    }

    /// The identity as it is stored.
    #[must_use]
    pub const fn to_bytes(self) -> [u8; 16] {
        self.0
    }
}

impl fmt::Debug for DatabaseId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "DatabaseId({:032x})", u128::from_be_bytes(self.0))
    }
}

impl fmt::Display for DatabaseId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:032x}", u128::from_be_bytes(self.0))
    }
}
