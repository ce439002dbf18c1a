//! The rows of the timeline, as bytes. Some dozens of commits share a row, so that a commit costs about fifteen bytes and a sixtieth of a change.

use super::recent::Commit;
use super::version::{push_varint, take_varint};
use crate::engine::Timestamp;
use godb_txn::TxnId;
use std::collections::BTreeMap;

/// How many ids, or commits, share a row.
pub(super) const SHARE: u64 = 64;

/// What is kept of the past.
///
/// ```text
/// u8 whether anything | u64 horizon | i64 its clock | u64 first transaction
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Kept {
    /// Whether the past is kept at all.
    pub(super) anything: bool,
    /// The oldest moment that one can begin to look at.
    pub(super) horizon: Timestamp,
    /// The clock then.
    pub(super) horizon_wall: i64,
    /// Transactions below this committed no later than anybody looks back.
    pub(super) first_id: TxnId,
}

impl Kept {
    pub(super) fn encode(self) -> Vec<u8> {
        let mut bytes = vec![u8::from(self.anything)];
        bytes.extend_from_slice(&self.horizon.raw().to_le_bytes());
        bytes.extend_from_slice(&self.horizon_wall.to_le_bytes());
        bytes.extend_from_slice(&self.first_id.raw().to_le_bytes());
        bytes
    }

    pub(super) fn decode(bytes: &[u8]) -> Option<Self> {
        let (&anything, rest) = bytes.split_first()?;
        let ([horizon, wall, id], []) = rest.as_chunks::<8>() else {
            return None;
        };
        Some(Self {
            anything: anything != 0,
            horizon: Timestamp(u64::from_le_bytes(*horizon)),
            horizon_wall: i64::from_le_bytes(*wall),
            first_id: TxnId::from_raw(u64::from_le_bytes(*id)),
        })
    }
}

/// The row that tells when each of a block of transactions committed.
///
/// ```text
/// for each, in order: u8 id, modulo 64 | u64 timestamp
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Ids(pub(super) BTreeMap<u8, Timestamp>);

impl Ids {
    /// In which block an id is.
    pub(super) fn block(id: TxnId) -> u64 {
        id.raw() / SHARE
    }

    /// Its place there.
    pub(super) fn place(id: TxnId) -> u8 {
        (id.raw() % SHARE).to_le_bytes()[0]
    }

    pub(super) fn encode(&self) -> Vec<u8> {
        let mut row = Vec::with_capacity(9 * self.0.len());
        for (place, at) in &self.0 {
            row.push(*place);
            row.extend_from_slice(&at.raw().to_le_bytes());
        }
        row
    }

    pub(super) fn decode(row: &[u8]) -> Option<Self> {
        let (entries, []) = row.as_chunks::<9>() else {
            return None;
        };
        let entry = |[place, at @ ..]: &[u8; 9]| (*place, Timestamp(u64::from_le_bytes(*at)));
        Some(Self(entries.iter().map(entry).collect()))
    }

    /// The timestamp of one, without decoding the others.
    pub(super) fn find(row: &[u8], id: TxnId) -> Option<Timestamp> {
        let mut entries = row.as_chunks::<9>().0.iter();
        let [_, at @ ..] = entries.find(|entry| entry[0] == Self::place(id))?;
        Some(Timestamp(u64::from_le_bytes(*at)))
    }

    /// The latest of them.
    pub(super) fn newest(&self) -> Timestamp {
        self.0.values().copied().max().unwrap_or_default()
    }
}

/// The row that tells what the clock was at some commits that follow one another. The first one's clock is its key.
///
/// ```text
/// u64 timestamp of the first | for each other: varint clock, varint timestamp, both as differences to the one before
/// ```
pub(super) fn encode_walls(commits: &[Commit]) -> Vec<u8> {
    let mut row = Vec::with_capacity(8 + 8 * commits.len());
    if let Some(first) = commits.first() {
        row.extend_from_slice(&first.at.raw().to_le_bytes());
    }
    for pair in commits.windows(2) {
        push_varint(&mut row, pair[1].wall_micros.abs_diff(pair[0].wall_micros));
        push_varint(&mut row, pair[1].at.raw().abs_diff(pair[0].at.raw()));
    }
    row
}

/// The commits of such a row with their clocks, in order.
pub(super) fn decode_walls(first_wall: i64, row: &[u8]) -> Option<Vec<(Timestamp, i64)>> {
    let (at, mut rest) = row.split_first_chunk::<8>()?;
    let (mut at, mut wall) = (u64::from_le_bytes(*at), first_wall);
    let mut commits = vec![(Timestamp(at), wall)];
    while !rest.is_empty() {
        let (later, after) = take_varint(rest)?;
        let (further, after) = take_varint(after)?;
        wall = wall.checked_add_unsigned(later)?;
        at = at.checked_add(further)?;
        commits.push((Timestamp(at), wall));
        rest = after;
    }
    Some(commits)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_kept_comes_back() {
        let kept = Kept {
            anything: true,
            horizon: Timestamp(7),
            horizon_wall: -1,
            first_id: TxnId::from_raw(9),
        };
        assert_eq!(Kept::decode(&kept.encode()), Some(kept));
        assert_eq!(Kept::decode(&kept.encode()[..24]), None);
    }

    #[test]
    fn rows_about_ids_come_back() {
        let ids = Ids([(0, Timestamp(5)), (63, Timestamp(1 << 60))].into());
        let row = ids.encode();
        assert_eq!(Ids::decode(&row), Some(ids));
        assert_eq!(
            Ids::find(&row, TxnId::from_raw(64 + 63)),
            Some(Timestamp(1 << 60))
        );
        assert_eq!(Ids::find(&row, TxnId::from_raw(62)), None);
        assert_eq!(Ids::decode(&row[1..]), None);
    }

    #[test]
    fn rows_about_the_clock_come_back() {
        let commit = |at, wall_micros| Commit {
            id: TxnId::from_raw(1),
            at: Timestamp(at),
            wall_micros,
        };
        let commits = [commit(5, -1000), commit(9, 1), commit(1 << 60, i64::MAX)];
        let row = encode_walls(&commits);
        let expected = commits.map(|commit| (commit.at, commit.wall_micros));
        assert_eq!(decode_walls(-1000, &row).unwrap(), expected);
        assert_eq!(decode_walls(-1000, &row[..row.len() - 1]), None);
        assert_eq!(decode_walls(i64::MAX, &row), None, "more time than there is");
    }
}
