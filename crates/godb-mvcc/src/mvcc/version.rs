//! The form of a version: a flag byte, the writer's transaction id, the value.
//!
//! ```text
//! u8 flags | varint writer | varint timestamp of the version before, if there is one | the value's bytes, unless they are in a chain
//! ```
//!
//! The writer takes at least three bytes, so that one can mostly be put in the place of another without moving the row.
//!
//! A row that was [deleted in its place](super::deletions) still has its value, which everybody who does not see the deletion sees; the timestamp is then that of the version
//! before that value.
//!
//! A version that replaces another names it by its commit timestamp, under which it is in the history tree. So one who does not see the newest
//! version finds the one before by a single look, and knows when it ought to be there.
//!
//! In the history tree the writer is no longer of interest: there the commit timestamp is part of the key.

use crate::engine::Timestamp;
use crate::error::Error;
use godb_txn::{Chain, Fault, NewHead, TxnId, Value};

/// The key was deleted.
const TOMBSTONE: u8 = 1;
/// It replaced another version.
const HAS_PREVIOUS: u8 = 2;

/// It was deleted in its place: the value of before is still there.
const KEPT: u8 = 4;

/// The fewest bytes that a writer takes.
const WRITER: usize = 3;

/// What stands before a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Header {
    /// Who wrote this version.
    pub(super) writer: TxnId,
    /// The key was deleted.
    pub(super) tombstone: bool,
    /// It was deleted in its place: what follows is the value that everybody sees who does not see the deletion.
    pub(super) kept: bool,
    /// When the version that this one replaced was committed; with `kept`, the version that the kept one replaced.
    pub(super) previous: Option<Timestamp>,
}

/// The most bytes of an encoded header.
pub(super) const MAX_HEADER: usize = 21;

impl Header {
    /// Appends the header to `into`.
    pub(super) fn encode(self, into: &mut Vec<u8>) {
        into.push(self.flags());
        push_writer(into, self.writer);
        if let Some(previous) = self.previous {
            push_varint(into, previous.raw());
        }
    }

    fn flags(self) -> u8 {
        let flag = |set: bool, flag: u8| if set { flag } else { 0 };
        flag(self.tombstone, TOMBSTONE) | flag(self.previous.is_some(), HAS_PREVIOUS) | flag(self.kept, KEPT)
    }

    /// What makes a row with this header one that `by` deleted in its place.
    pub(super) fn deleted_in_place(self, by: TxnId) -> NewHead {
        let deleted = Self {
            tombstone: true,
            kept: true,
            ..self
        };
        let (mut old, mut with) = (Vec::with_capacity(10), Vec::with_capacity(11));
        push_writer(&mut old, self.writer);
        with.push(deleted.flags());
        push_writer(&mut with, by);
        NewHead {
            cut: u16::try_from(1 + old.len()).expect("an id has at most ten bytes"),
            with: with.into(),
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
            kept: flags & KEPT != 0,
            previous,
        };
        Some((header, rest))
    }
}

/// A varint that is filled up, where it is shorter.
fn push_writer(into: &mut Vec<u8>, writer: TxnId) {
    let begin = into.len();
    push_varint(into, writer.raw());
    while into.len() - begin < WRITER {
        if let Some(last) = into.last_mut() {
            *last |= 0x80;
        }
        into.push(0);
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

    /// The value that was deleted in its place, as who does not see the deletion sees it.
    pub(super) fn undeleted(mut self) -> Self {
        (self.header.tombstone, self.header.kept) = (false, false);
        self
    }

    /// The deletion alone, when the value that it left in its place is kept elsewhere, as of that moment.
    pub(super) fn tombstone_after(&self, kept_at: Timestamp) -> Self {
        let header = Header {
            kept: false,
            previous: Some(kept_at),
            ..self.header
        };
        Self {
            header,
            bytes: Vec::new(),
            chain: None,
        }
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
            for flags in 0..8 {
                let header = Header {
                    writer: TxnId::from_raw(writer),
                    tombstone: flags & 1 != 0,
                    kept: flags & 4 != 0,
                    previous: (flags & 2 != 0).then(|| Timestamp::from_raw(writer / 3)),
                };
                let mut stored = Vec::new();
                header.encode(&mut stored);
                assert!(stored.len() <= MAX_HEADER);
                stored.extend_from_slice(b"value");
                assert_eq!(Header::decode(&stored), Some((header, b"value".as_slice())));
            }
        }
        let header = |writer| Header {
            writer: TxnId::from_raw(writer),
            tombstone: false,
            kept: false,
            previous: Some(Timestamp::from_raw(1 << 40)),
        };
        for (one, other) in [(0, (1 << 21) - 1), (300, 70_000), (5, 1 << 30), (1 << 40, 3)] {
            let (mut stored, mut expected) = (Vec::new(), Vec::new());
            header(one).encode(&mut stored);
            let head = header(one).deleted_in_place(TxnId::from_raw(other));
            stored.splice(..usize::from(head.cut), head.with.iter().copied());
            let deleted = Header {
                tombstone: true,
                kept: true,
                ..header(other)
            };
            deleted.encode(&mut expected);
            assert_eq!(stored, expected);
            let same_size = usize::from(head.cut) == head.with.len();
            assert_eq!(same_size, one.max(other) < 1 << 21);
        }
        assert_eq!(Header::decode(b""), None);
        assert_eq!(Header::decode(&[0xFF; 30]), None);
    }
}
