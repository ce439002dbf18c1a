//! Versions as they are stored, for whoever reads them out of a broken file, past the engine.
//!
//! What a broken file holds is looked at row by row. [`StoredVersion`] says of a row who wrote it, and which version it replaced; the one before is in the
//! history tree, the second that every database has, under [`history_key`].

use super::keys;
use super::version::Header;
use crate::engine::Timestamp;
use godb_txn::{TreeId, TxnId};

/// A row of a tree as it is stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StoredVersion<'a> {
    /// Who wrote it.
    pub writer: TxnId,
    /// The row was deleted.
    pub deleted: bool,
    /// It was deleted in its place: the value is what it was before.
    pub kept: bool,
    /// The commit of the version that it replaced, or that the kept one did.
    pub previous: Option<Timestamp>,
    /// The value, or what of it is not in a chain.
    pub value: &'a [u8],
}

impl<'a> StoredVersion<'a> {
    /// Reads the bytes of a leaf; `None` when they are no version.
    #[must_use]
    pub fn read(stored: &'a [u8]) -> Option<Self> {
        let (header, value) = Header::decode(stored)?;
        Some(Self {
            writer: header.writer,
            deleted: header.tombstone,
            kept: header.kept,
            previous: header.previous,
            value,
        })
    }
}

/// The key in the history tree of the version of a row that was committed then.
#[must_use]
pub fn history_key(tree: TreeId, key: &[u8], committed: Timestamp) -> Vec<u8> {
    keys::version(tree, key, committed.raw())
}
