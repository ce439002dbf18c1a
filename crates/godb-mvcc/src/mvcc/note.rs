//! [`Note`]: what a checkpoint remembers for this layer; and taking in what recovery found.

use super::commits::Commits;
use super::counts::Difference;
use super::recent::Commit;
use crate::engine::Timestamp;
use crate::error::Error;
use godb_txn::{Fault, Lsn, TreeId, TxnId};

/// What recovery found out about commits.
#[derive(Clone, Debug, Default)]
pub struct RecoveredCommits {
    /// The bytes that this layer gave to the last checkpoint or to the file's header; empty for a new database.
    pub note: Vec<u8>,
    /// Every commit since, in order: who, where in the log, and the bytes of the commit record. Some that the note covers may be among them.
    pub commits: Vec<(TxnId, Lsn, Vec<u8>)>,
}

/// What a checkpoint remembers: the newest commit, the clock then, the commits that retention covers and the timeline tree does not hold yet, and how many rows each tree has
/// after the newest commit. When the database is closed there is little room for that, and the numbers of many trees [lie apart](super::counted).
///
/// ```text
/// u64 newest | i64 clock | u63 commits, u1 numbers lie apart | for each commit: u64 timestamp | u64 transaction | i64 clock
///            | for each tree that has rows: u64 tree | u64 rows
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Note {
    pub(super) newest: Timestamp,
    pub(super) last_wall: i64,
    pub(super) commits: Vec<Commit>,
    pub(super) counts: Vec<(TreeId, u64)>,
    /// The numbers are not here but in the history tree.
    pub(super) counts_apart: bool,
}

/// The bit that says so.
const APART: u64 = 1 << 63;

/// What a commit record says: the wall clock, and by how much the numbers of rows change.
///
/// ```text
/// i64 clock | for each tree: u64 tree | i64 rows more or fewer
/// ```
pub(super) fn of_commit(wall_micros: i64, difference: &Difference) -> Vec<u8> {
    let mut bytes = wall_micros.to_le_bytes().to_vec();
    for (tree, rows) in difference.changes() {
        bytes.extend_from_slice(&u64::from(tree.raw()).to_le_bytes());
        bytes.extend_from_slice(&rows.to_le_bytes());
    }
    bytes
}

/// What [`of_commit`] wrote.
fn read_commit(bytes: &[u8]) -> Option<(i64, Difference)> {
    let (words, rest) = bytes.as_chunks::<8>();
    let (wall, changes) = words.split_first()?;
    let (changes, odd) = changes.as_chunks::<2>();
    if !rest.is_empty() || !odd.is_empty() {
        return None;
    }
    let change = |[tree, rows]: &[[u8; 8]; 2]| Some((tree_of(*tree)?, i64::from_le_bytes(*rows)));
    let difference = changes.iter().map(change).collect::<Option<_>>()?;
    Some((i64::from_le_bytes(*wall), difference))
}

pub(super) fn tree_of(word: [u8; 8]) -> Option<TreeId> {
    let raw = u32::try_from(u64::from_le_bytes(word)).ok()?;
    Some(TreeId::from_raw(raw))
}

impl Note {
    /// What must be remembered now.
    pub(super) fn of(commits: &Commits, kept: bool) -> Self {
        let (newest, counts) = commits.counts.all(|| commits.newest());
        Self {
            newest,
            last_wall: commits.last_wall(),
            commits: commits.recent(|recent| recent.unpersisted(if kept { usize::MAX } else { 0 })),
            counts,
            counts_apart: false,
        }
    }

    pub(super) fn encode(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(24 + 24 * self.commits.len() + 16 * self.counts.len());
        bytes.extend_from_slice(&self.newest.raw().to_le_bytes());
        bytes.extend_from_slice(&self.last_wall.to_le_bytes());
        let apart = if self.counts_apart { APART } else { 0 };
        bytes.extend_from_slice(&(self.commits.len() as u64 | apart).to_le_bytes());
        for commit in &self.commits {
            bytes.extend_from_slice(&commit.at.raw().to_le_bytes());
            bytes.extend_from_slice(&commit.id.raw().to_le_bytes());
            bytes.extend_from_slice(&commit.wall_micros.to_le_bytes());
        }
        for (tree, rows) in &self.counts {
            bytes.extend_from_slice(&u64::from(tree.raw()).to_le_bytes());
            bytes.extend_from_slice(&rows.to_le_bytes());
        }
        bytes
    }

    pub(super) fn decode(bytes: &[u8]) -> Option<Self> {
        let (words, rest) = bytes.as_chunks::<8>();
        let (head, words) = words.split_first_chunk::<3>()?;
        let count = u64::from_le_bytes(head[2]);
        let counts_apart = count & APART != 0;
        let count = usize::try_from(count & !APART).ok()?;
        let (commits, counts) = words.split_at_checked(count.checked_mul(3)?)?;
        let (commits, _) = commits.as_chunks::<3>();
        let (counts, odd) = counts.as_chunks::<2>();
        if !rest.is_empty() || !odd.is_empty() {
            return None;
        }
        let number = |[tree, rows]: &[[u8; 8]; 2]| Some((tree_of(*tree)?, u64::from_le_bytes(*rows)));
        let commit = |[at, id, wall]: &[[u8; 8]; 3]| Commit {
            at: Timestamp(u64::from_le_bytes(*at)),
            id: TxnId::from_raw(u64::from_le_bytes(*id)),
            wall_micros: i64::from_le_bytes(*wall),
        };
        let note = Self {
            newest: Timestamp(u64::from_le_bytes(head[0])),
            last_wall: i64::from_le_bytes(head[1]),
            commits: commits.iter().map(commit).collect(),
            counts: counts.iter().map(number).collect::<Option<_>>()?,
            counts_apart,
        };
        let possible = |commit: &Commit| commit.at.is_possible() && commit.id.is_possible();
        (note.newest.is_possible() && note.commits.iter().all(possible)).then_some(note)
    }
}

/// Teaches `commits` what recovery found. Returns the moment of the numbers of rows that lie apart, if they do: they come on top.
pub(super) fn take_in(commits: &Commits, recovered: &RecoveredCommits) -> Result<Option<Timestamp>, Error> {
    let (mut counted, mut apart) = (Timestamp::default(), None);
    if !recovered.note.is_empty() {
        let note = Note::decode(&recovered.note)
            .ok_or_else(|| damaged("the checkpoint's note about commits makes no sense"))?;
        note.commits.iter().for_each(|commit| commits.learn(*commit));
        commits.learn_newest(note.newest, note.last_wall);
        commits.counts.add_all(note.newest, note.counts);
        counted = note.newest;
        apart = note.counts_apart.then_some(counted);
    }
    for (id, at, note) in &recovered.commits {
        // Housekeeping has nothing to say.
        if note.is_empty() {
            continue;
        }
        let (wall_micros, difference) = read_commit(note)
            .ok_or_else(|| damaged("a commit record makes no sense to the version layer"))?;
        let at = Timestamp(at.raw());
        if at > counted {
            commits.counts.add(at, difference);
        }
        commits.learn(Commit {
            id: *id,
            at,
            wall_micros,
        });
    }
    Ok(apart)
}

/// Something of this layer in the file is not what was written.
pub(super) fn damaged(what: &'static str) -> Error {
    Fault::Corrupt {
        file: "the database".into(),
        page: None,
        tree: None,
        lsn: None,
        what: what.into(),
    }
    .into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_note_comes_back() {
        let commit = |n: u64| Commit {
            at: Timestamp(100 * n),
            id: TxnId::from_raw(n),
            wall_micros: -5,
        };
        let note = Note {
            newest: Timestamp(300),
            last_wall: -7,
            commits: vec![commit(2), commit(3)],
            counts: vec![(TreeId::from_raw(7), 70), (TreeId::from_raw(u32::MAX), 1)],
            counts_apart: true,
        };
        let bytes = note.encode();
        assert_eq!(Note::decode(&bytes), Some(note));
        for cut in [0, 15, 23, 25, 24, 48, 71, 73, 80, 96, 103] {
            assert_eq!(Note::decode(&bytes[..cut]), None, "cut at {cut}");
        }
        for number in [0..8, 16..24, 24..32, 32..40] {
            let mut forged = bytes.clone();
            forged[number].fill(0xFF);
            assert_eq!(Note::decode(&forged), None, "no database reaches this");
        }
    }

    #[test]
    fn what_a_commit_says_comes_back() {
        let difference: Difference = [(TreeId::from_raw(3), -2), (TreeId::from_raw(4), 9)]
            .into_iter()
            .collect();
        let bytes = of_commit(-5, &difference);
        assert_eq!(read_commit(&bytes), Some((-5, difference)));
        assert_eq!(read_commit(&bytes[..8]), Some((-5, Difference::default())));
        for cut in [0, 7, 9, 16, 23, 32, 39] {
            assert_eq!(read_commit(&bytes[..cut]), None, "cut at {cut}");
        }
    }
}
