//! [`Note`]: what a checkpoint remembers for this layer; and taking in what recovery found.

use super::commits::Commits;
use super::recent::Commit;
use crate::engine::Timestamp;
use crate::error::Error;
use godb_txn::{Fault, Lsn, TxnId};

/// What recovery found out about commits.
#[derive(Clone, Debug, Default)]
pub struct RecoveredCommits {
    /// The bytes that this layer gave to the last checkpoint or to the file's header; empty for a new database.
    pub note: Vec<u8>,
    /// Every commit since, in order: who, where in the log, and the bytes of the commit record. Some that the note covers may be among them.
    pub commits: Vec<(TxnId, Lsn, Vec<u8>)>,
}

/// What a checkpoint remembers: the newest commit, the clock then, and the commits that retention covers and the timeline tree does not hold yet.
///
/// ```text
/// u64 newest | i64 clock | for each commit: u64 timestamp | u64 transaction | i64 clock
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Note {
    pub(super) newest: Timestamp,
    pub(super) last_wall: i64,
    pub(super) commits: Vec<Commit>,
}

impl Note {
    /// What must be remembered now.
    pub(super) fn of(commits: &Commits, kept: bool) -> Self {
        Self {
            newest: commits.newest(),
            last_wall: commits.last_wall(),
            commits: commits.recent(|recent| recent.unpersisted(if kept { usize::MAX } else { 0 })),
        }
    }

    pub(super) fn encode(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(16 + 24 * self.commits.len());
        bytes.extend_from_slice(&self.newest.raw().to_le_bytes());
        bytes.extend_from_slice(&self.last_wall.to_le_bytes());
        for commit in &self.commits {
            bytes.extend_from_slice(&commit.at.raw().to_le_bytes());
            bytes.extend_from_slice(&commit.id.raw().to_le_bytes());
            bytes.extend_from_slice(&commit.wall_micros.to_le_bytes());
        }
        bytes
    }

    pub(super) fn decode(bytes: &[u8]) -> Option<Self> {
        let (words, rest) = bytes.as_chunks::<8>();
        let (head, commits) = words.split_first_chunk::<2>()?;
        let (commits, odd) = commits.as_chunks::<3>();
        if !rest.is_empty() || !odd.is_empty() {
            return None;
        }
        let commit = |[at, id, wall]: &[[u8; 8]; 3]| Commit {
            at: Timestamp(u64::from_le_bytes(*at)),
            id: TxnId::from_raw(u64::from_le_bytes(*id)),
            wall_micros: i64::from_le_bytes(*wall),
        };
        let note = Self {
            newest: Timestamp(u64::from_le_bytes(head[0])),
            last_wall: i64::from_le_bytes(head[1]),
            commits: commits.iter().map(commit).collect(),
        };
        let possible = |commit: &Commit| commit.at.is_possible() && commit.id.is_possible();
        (note.newest.is_possible() && note.commits.iter().all(possible)).then_some(note)
    }
}

/// Teaches `commits` what recovery found.
pub(super) fn take_in(commits: &Commits, recovered: &RecoveredCommits) -> Result<(), Error> {
    if !recovered.note.is_empty() {
        let note = Note::decode(&recovered.note)
            .ok_or_else(|| damaged("the checkpoint's note about commits makes no sense"))?;
        note.commits.iter().for_each(|commit| commits.learn(*commit));
        commits.learn_newest(note.newest, note.last_wall);
    }
    for (id, at, note) in &recovered.commits {
        // Housekeeping has nothing to say.
        if note.is_empty() {
            continue;
        }
        let wall = <[u8; 8]>::try_from(&note[..]).map_err(|_| damaged("a commit record has no time"))?;
        commits.learn(Commit {
            id: *id,
            at: Timestamp(at.raw()),
            wall_micros: i64::from_le_bytes(wall),
        });
    }
    Ok(())
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
        };
        let bytes = note.encode();
        assert_eq!(Note::decode(&bytes), Some(note));
        for cut in [0, 15, 17, 24, 63] {
            assert_eq!(Note::decode(&bytes[..cut]), None, "cut at {cut}");
        }
        for number in [0..8, 16..24, 24..32] {
            let mut forged = bytes.clone();
            forged[number].fill(0xFF);
            assert_eq!(Note::decode(&forged), None, "no database reaches this");
        }
    }
}
