//! Keys of the history tree.
//!
//! ```text
//! u32 tree | u16 length of the user key | user key | u64 timestamp, inverted         an old version
//! u32 FFFFFFFF | u8 1 | u64 transaction | u32 number                                 an overflow chain nobody refers to
//! u32 FFFFFFFF | u8 2 | u32 tree                                                     a dropped tree
//! u32 FFFFFFFF | u8 4 | u32 tree | user key                                          a row that was deleted in its place: never stored
//! u32 FFFFFFFF | u8 3 | u8 0                                                         what is kept of the past
//! u32 FFFFFFFF | u8 3 | u8 1 | u64 transaction / 64                                  when some transactions committed
//! u32 FFFFFFFF | u8 3 | u8 2 | u64 clock, sign flipped                               what the clock was at some commits
//! u32 FFFFFFFF | u8 3 | u8 3 | u32 number                                            how many rows some trees had when the database was closed
//! ```
//!
//! Numbers are big-endian. All versions of one key lie together, the newest first. Keys are framed by their length, which costs two bytes whatever
//! they hold; that keys of different length are then not in their own order matters to nobody, since the history is looked into key by key. The last three
//! kinds are the [timeline](super::timeline); it lies in this tree and not in one of its own so that a small database has a page less.

use godb_txn::{TreeId, TxnId};

const RESERVED: u32 = u32::MAX;
const CHAIN: u8 = 1;
const DROPPED: u8 = 2;
const TIMELINE: u8 = 3;
const DELETED: u8 = 4;

/// How much longer than a user key its history key is.
pub(super) const OVERHEAD: usize = 4 + 2 + 8;

/// What all versions of a key begin with.
pub(super) fn prefix(tree: TreeId, key: &[u8]) -> Vec<u8> {
    let mut prefix = Vec::with_capacity(key.len() + OVERHEAD);
    prefix.extend_from_slice(&tree.raw().to_be_bytes());
    let length = u16::try_from(key.len()).expect("keys are shorter than a page");
    prefix.extend_from_slice(&length.to_be_bytes());
    prefix.extend_from_slice(key);
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
    let mut key = reserved(CHAIN).to_vec();
    key.extend_from_slice(&by.raw().to_be_bytes());
    key.extend_from_slice(&number.to_be_bytes());
    key
}

/// The key under which a dropped tree waits to be destroyed.
pub(super) fn dropped(tree: TreeId) -> Vec<u8> {
    let mut key = reserved(DROPPED).to_vec();
    key.extend_from_slice(&tree.raw().to_be_bytes());
    key
}

/// What stands in the queue of garbage for a row that was deleted in its place.
pub(super) fn deleted(tree: TreeId, key: &[u8]) -> Vec<u8> {
    let mut full = Vec::with_capacity(9 + key.len());
    full.extend_from_slice(&reserved(DELETED));
    full.extend_from_slice(&tree.raw().to_be_bytes());
    full.extend_from_slice(key);
    full
}

fn reserved(kind: u8) -> [u8; 5] {
    let mut key = [kind; 5];
    key[..4].copy_from_slice(&RESERVED.to_be_bytes());
    key
}

/// Where the entries about dropped trees begin.
pub(super) fn first_dropped() -> [u8; 5] {
    reserved(DROPPED)
}

/// Where the old versions end.
pub(super) fn end_of_versions() -> [u8; 4] {
    RESERVED.to_be_bytes()
}

/// Where the timeline begins, and what waits to be collected ends.
pub(super) fn timeline() -> [u8; 5] {
    reserved(TIMELINE)
}

/// The key of what is kept of the past.
pub(super) fn kept() -> Vec<u8> {
    let mut key = timeline().to_vec();
    key.push(0);
    key
}

/// The key of a row about transactions.
pub(super) fn ids(block: u64) -> Vec<u8> {
    let mut key = timeline().to_vec();
    key.push(1);
    key.extend_from_slice(&block.to_be_bytes());
    key
}

/// The key of a row about the clock.
pub(super) fn walls(first_micros: i64) -> Vec<u8> {
    let mut key = timeline().to_vec();
    key.push(2);
    key.extend_from_slice(&(first_micros.cast_unsigned() ^ (1 << 63)).to_be_bytes());
    key
}

/// The key of a row about numbers of rows.
pub(super) fn counts(number: u32) -> Vec<u8> {
    let mut key = timeline().to_vec();
    key.push(3);
    key.extend_from_slice(&number.to_be_bytes());
    key
}

/// The clock in a key of a row about it.
pub(super) fn first_of_walls(full: &[u8]) -> Option<i64> {
    Some((number(full)? ^ (1 << 63)).cast_signed())
}

/// The number at the end of a key of the timeline.
pub(super) fn number(full: &[u8]) -> Option<u64> {
    Some(u64::from_be_bytes(*full.last_chunk()?))
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
    /// A row that was deleted in its place.
    Deleted(TreeId, Vec<u8>),
}

impl Entry {
    /// Reads a key of the history tree; `None` when it is none.
    pub(super) fn decode(full: &[u8]) -> Option<Self> {
        let (tree, rest) = take_u32(full)?;
        if tree != RESERVED {
            let (length, rest) = rest.split_first_chunk::<2>()?;
            let (key, inverted) = rest.split_at_checked(usize::from(u16::from_be_bytes(*length)))?;
            return Some(Self::Version {
                tree: TreeId::from_raw(tree),
                key: key.to_vec(),
                timestamp: !u64::from_be_bytes(inverted.try_into().ok()?),
            });
        }
        match rest.split_first()? {
            (&CHAIN, rest) => {
                let id: [u8; 8] = rest.get(..8)?.try_into().ok()?;
                Some(Self::Chain(TxnId::from_raw(u64::from_be_bytes(id))))
            }
            (&DELETED, rest) => {
                let (tree, key) = take_u32(rest)?;
                Some(Self::Deleted(TreeId::from_raw(tree), key.to_vec()))
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

#[cfg(test)]
mod tests {
    use super::walls as walls_key;
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn keys_come_back_and_versions_lie_together(
            a in (1_u32..5, proptest::collection::vec(0_u8..3, 0..6), 0_u64..4),
            b in (1_u32..5, proptest::collection::vec(0_u8..3, 0..6), 0_u64..4),
        ) {
            let full = |(tree, key, at): &(u32, Vec<u8>, u64)| version(TreeId::from_raw(*tree), key, *at);
            let newest_first = (a.0, a.1.len(), &a.1, !a.2).cmp(&(b.0, b.1.len(), &b.1, !b.2));
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
            Entry::decode(&deleted(TreeId::from_raw(9), b"key")),
            Some(Entry::Deleted(TreeId::from_raw(9), b"key".to_vec()))
        );
        assert_eq!(
            Entry::decode(&dropped(TreeId::from_raw(9))),
            Some(Entry::Dropped(TreeId::from_raw(9)))
        );
        assert_eq!(Entry::decode(b"xx"), None);
        assert_eq!(Entry::decode(&kept()), None);
        let walls = [i64::MIN, -1, 0, 1, i64::MAX];
        assert!(walls.map(walls_key).is_sorted() && walls_key(i64::MIN) > ids(u64::MAX) && ids(0) > kept());
        assert_eq!(walls.map(|wall| first_of_walls(&walls_key(wall)).unwrap()), walls);
        assert!(counts(0) > walls_key(i64::MAX) && counts(256) > counts(255));
    }
}
