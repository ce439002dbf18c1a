//! The form of a version: a flag byte, the writer's transaction id, the value.
//!
//! ```text
//! u8 flags | varint writer | varint timestamp of the version before, if there is one | the value's bytes, unless they are in a chain
//! ```
//!
//! A version that replaces another names it by its commit timestamp, under which it is in the history tree. So one who does not see the newest
//! version finds the one before by a single look, and knows when it ought to be there.
//!
//! In the history tree the writer is no longer of interest: there the commit timestamp is part of the key.

use crate::engine::Timestamp;
use crate::error::Error;
use godb_txn::{Chain, Fault, TxnId, Value};

/// The key was deleted.
const TOMBSTONE: u8 = 1;
/// It replaced another version.
const HAS_PREVIOUS: u8 = 2;

/// What stands before a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Header {
    /// Who wrote this version.
    pub(super) writer: TxnId,
    /// The key was deleted.
    pub(super) tombstone: bool,
    /// When the version that this one replaced was committed.
    pub(super) previous: Option<Timestamp>,
}

/// The most bytes of an encoded header.
pub(super) const MAX_HEADER: usize = 21;

impl Header {
    /// Appends the header to `into`.
    pub(super) fn encode(self, into: &mut Vec<u8>) {
        into.push(u8::from(self.tombstone) * TOMBSTONE + u8::from(self.previous.is_some()) * HAS_PREVIOUS);
        push_varint(into, self.writer.raw());
        if let Some(previous) = self.previous {
            push_varint(into, previous.raw());
        }
    }

    /// Splits stored bytes into header and value; `None` when they are no version.
    #[inline]
    pub(super) fn decode(stored: &[u8]) -> Option<(Self, &[u8])> {
        let (&flags, rest) = stored.split_first()?;
        let (writer, mut rest) = take_varint(rest)?;
        let mut previous = None;
        if flags & HAS_PREVIOUS != 0 {
            let (at, after) = take_varint(rest)?;
            previous = Some(Timestamp::from_raw(at));
            rest = after;
        }
        let header = Self {
            writer: TxnId::from_raw(writer),
            tombstone: flags & TOMBSTONE != 0,
            previous,
        };
        Some((header, rest))
    }
}

pub(super) fn push_varint(into: &mut Vec<u8>, mut rest: u64) {
    while rest >= 0x80 {
        into.push(rest.to_le_bytes()[0] | 0x80);
        rest >>= 7;
    }
    into.push(rest.to_le_bytes()[0]);
}

#[inline]
pub(super) fn take_varint(mut bytes: &[u8]) -> Option<(u64, &[u8])> {
    let mut number = 0_u64;
    for shift in (0..64).step_by(7) {
        let (&byte, rest) = bytes.split_first()?;
        bytes = rest;
        number |= u64::from(byte & 0x7F) << shift;
        if byte < 0x80 {
            return Some((number, bytes));
        }
    }
    None
}

/// A version that was copied out of the tree.
#[derive(Clone, Debug)]
pub(super) struct Version {
    /// What stands before the value.
    pub(super) header: Header,
    /// The value's bytes, where they are not in a chain.
    pub(super) bytes: Vec<u8>,
    /// The value's bytes, where there are too many.
    pub(super) chain: Option<Chain>,
}

impl Version {
    /// Copies a stored version.
    pub(super) fn read(value: Value<'_>) -> Result<Self, Error> {
        let (header, bytes) = Header::decode(value.inline).ok_or_else(not_a_version)?;
        Ok(Self {
            header,
            bytes: bytes.to_vec(),
            chain: value.chain,
        })
    }

    /// The bytes to store in the leaf.
    pub(super) fn encode(&self) -> Vec<u8> {
        let mut stored = Vec::with_capacity(MAX_HEADER + self.bytes.len());
        self.header.encode(&mut stored);
        stored.extend_from_slice(&self.bytes);
        stored
    }
}

/// What stands under a key is no version.
pub(super) fn not_a_version() -> Error {
    Fault::Corrupt {
        file: "the database".into(),
        page: None,
        tree: None,
        lsn: None,
        what: "a row has no valid version header".into(),
    }
    .into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_encoded_is_decoded() {
        for writer in [0, 1, 127, 128, 300, u64::MAX] {
            for flags in 0..4 {
                let header = Header {
                    writer: TxnId::from_raw(writer),
                    tombstone: flags & 1 != 0,
                    previous: (flags & 2 != 0).then(|| Timestamp::from_raw(writer / 3)),
                };
                let mut stored = Vec::new();
                header.encode(&mut stored);
                assert!(stored.len() <= MAX_HEADER);
                stored.extend_from_slice(b"value");
                assert_eq!(Header::decode(&stored), Some((header, b"value".as_slice())));
            }
        }
        assert_eq!(Header::decode(b""), None);
        assert_eq!(Header::decode(&[0xFF; 30]), None);
    }
}
