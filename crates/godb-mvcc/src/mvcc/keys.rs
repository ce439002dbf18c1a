//! Keys of the history tree.
//!
//! ```text
//! u32 tree | user key, 00 as 00 FF, ended by 00 00 | u64 timestamp, inverted        an old version
//! u32 FFFFFFFF | u8 1 | u64 transaction | u32 number                                 an overflow chain nobody refers to
//! u32 FFFFFFFF | u8 2 | u32 tree                                                     a dropped tree
//! u32 FFFFFFFF | u8 3 | u64 timestamp                                                a commit of the timeline
//! ```
//!
//! Numbers are big-endian, so that versions of one key lie together, the newest first.

use godb_txn::{TreeId, TxnId};

const RESERVED: u32 = u32::MAX;
const CHAIN: u8 = 1;
const DROPPED: u8 = 2;
const COMMIT: u8 = 3;

/// How much longer than a user key its history key can be, for a key without zero bytes.
pub(super) const OVERHEAD: usize = 4 + 2 + 8;

/// What all versions of a key begin with.
pub(super) fn prefix(tree: TreeId, key: &[u8]) -> Vec<u8> {
    let mut prefix = Vec::with_capacity(key.len() + OVERHEAD + 8);
    prefix.extend_from_slice(&tree.raw().to_be_bytes());
    for &byte in key {
        prefix.push(byte);
        if byte == 0 {
            prefix.push(0xFF);
        }
    }
    prefix.extend_from_slice(&[0, 0]);
    prefix
}

/// The key of the version that was committed at `timestamp`.
pub(super) fn version(tree: TreeId, key: &[u8], timestamp: u64) -> Vec<u8> {
    let mut full = prefix(tree, key);
    full.extend_from_slice(&(!timestamp).to_be_bytes());
    full
}

/// The key under which a chain waits to be freed.
pub(super) fn chain(by: TxnId, number: u32) -> Vec<u8> {
    let mut key = RESERVED.to_be_bytes().to_vec();
    key.push(CHAIN);
    key.extend_from_slice(&by.raw().to_be_bytes());
    key.extend_from_slice(&number.to_be_bytes());
    key
}

/// The key under which a dropped tree waits to be destroyed.
pub(super) fn dropped(tree: TreeId) -> Vec<u8> {
    let mut key = RESERVED.to_be_bytes().to_vec();
    key.push(DROPPED);
    key.extend_from_slice(&tree.raw().to_be_bytes());
    key
}

/// The key of a commit in the timeline. The timeline lies in the history tree, so that a small database has a page less.
pub(super) fn commit(timestamp: u64) -> Vec<u8> {
    let mut key = RESERVED.to_be_bytes().to_vec();
    key.push(COMMIT);
    key.extend_from_slice(&timestamp.to_be_bytes());
    key
}

/// The timestamp in a key of the timeline.
pub(super) fn commit_timestamp(full: &[u8]) -> Option<u64> {
    match take_u32(full)? {
        (RESERVED, [COMMIT, rest @ ..]) => Some(u64::from_be_bytes(rest.try_into().ok()?)),
        _ => None,
    }
}

/// What an entry of the history tree is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Entry {
    /// An old version.
    Version {
        /// Of which tree.
        tree: TreeId,
        /// Of which key.
        key: Vec<u8>,
        /// When it was committed.
        timestamp: u64,
    },
    /// An overflow chain nobody refers to once its transaction has committed.
    Chain(TxnId),
    /// A tree that is dropped once its transaction has committed.
    Dropped(TreeId),
}

impl Entry {
    /// Reads a key of the history tree; `None` when it is none.
    pub(super) fn decode(full: &[u8]) -> Option<Self> {
        let (tree, rest) = take_u32(full)?;
        if tree != RESERVED {
            let (key, rest) = unescape(rest)?;
            let inverted: [u8; 8] = rest.try_into().ok()?;
            let timestamp = !u64::from_be_bytes(inverted);
            return Some(Self::Version {
                tree: TreeId::from_raw(tree),
                key,
                timestamp,
            });
        }
        match rest.split_first()? {
            (&CHAIN, rest) => {
                let id: [u8; 8] = rest.get(..8)?.try_into().ok()?;
                Some(Self::Chain(TxnId::from_raw(u64::from_be_bytes(id))))
            }
            (&DROPPED, rest) => Some(Self::Dropped(TreeId::from_raw(take_u32(rest)?.0))),
            _ => None,
        }
    }
}

fn take_u32(bytes: &[u8]) -> Option<(u32, &[u8])> {
    let (number, rest) = bytes.split_first_chunk::<4>()?;
    Some((u32::from_be_bytes(*number), rest))
}

fn unescape(mut bytes: &[u8]) -> Option<(Vec<u8>, &[u8])> {
    let mut key = Vec::new();
    loop {
        match bytes {
            [0, 0xFF, rest @ ..] => {
                key.push(0);
                bytes = rest;
            }
            [0, 0, rest @ ..] => return Some((key, rest)),
            [byte, rest @ ..] => {
                key.push(*byte);
                bytes = rest;
            }
            [] => return None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn keys_come_back_and_keep_their_order(
            a in (1_u32..5, proptest::collection::vec(0_u8..3, 0..6), 0_u64..4),
            b in (1_u32..5, proptest::collection::vec(0_u8..3, 0..6), 0_u64..4),
        ) {
            let full = |(tree, key, at): &(u32, Vec<u8>, u64)| version(TreeId::from_raw(*tree), key, *at);
            let newest_first = (a.0, &a.1, !a.2).cmp(&(b.0, &b.1, !b.2));
            prop_assert_eq!(full(&a).cmp(&full(&b)), newest_first);
            let decoded = Entry::decode(&full(&a));
            prop_assert_eq!(decoded, Some(Entry::Version { tree: TreeId::from_raw(a.0), key: a.1, timestamp: a.2 }));
        }
    }

    #[test]
    fn reserved_keys_come_back() {
        assert_eq!(
            Entry::decode(&chain(TxnId::from_raw(9), 1)),
            Some(Entry::Chain(TxnId::from_raw(9)))
        );
        assert_eq!(
            Entry::decode(&dropped(TreeId::from_raw(9))),
            Some(Entry::Dropped(TreeId::from_raw(9)))
        );
        assert_eq!(Entry::decode(b"xx"), None);
    }
}
