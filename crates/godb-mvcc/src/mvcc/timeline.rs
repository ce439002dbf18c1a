//! What must outlive a restart: the floor, the horizon, and the commits that retention covers.
//!
//! Commits are kept in three places, each a step further back. The newest are known from their commit records in the log, which
//! recovery hands back. Those from before the last checkpoint that are not in the tree yet are in the checkpoint's note. All older ones that retention covers
//! are rows of the timeline, which lies in the history tree: commit timestamp → transaction and wall clock.

use super::commits::{Commit, Commits, wall_of_note};
use super::keys;
use super::shared::Shared;
use crate::engine::Timestamp;
use crate::error::Error;
use godb_txn::{Fault, Lsn, Range, Transactions, Tree, TreeId, TxnId, Value};
use std::ops::{Bound, ControlFlow};

/// With more commits than this the note would be long, so they go to the tree although retention does not ask for them.
const LONG_NOTE: usize = 64;

/// What recovery found out about commits.
#[derive(Clone, Debug, Default)]
pub struct RecoveredCommits {
    /// The bytes that this layer gave to the last checkpoint; empty for a new database.
    pub note: Vec<u8>,
    /// Every commit since, in order: who, where in the log, and the bytes of the commit record.
    pub commits: Vec<(TxnId, Lsn, Vec<u8>)>,
}

/// What a checkpoint remembers for this layer.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Note {
    pub(super) floor: TxnId,
    pub(super) horizon: Timestamp,
    pub(super) newest: Timestamp,
    pub(super) last_wall: i64,
    pub(super) commits: Vec<(TxnId, Commit)>,
}

impl Note {
    pub(super) fn encode(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(32 + 24 * self.commits.len());
        bytes.extend_from_slice(&self.floor.raw().to_le_bytes());
        bytes.extend_from_slice(&self.horizon.raw().to_le_bytes());
        bytes.extend_from_slice(&self.newest.raw().to_le_bytes());
        bytes.extend_from_slice(&self.last_wall.to_le_bytes());
        for (id, commit) in &self.commits {
            bytes.extend_from_slice(&commit.at.raw().to_le_bytes());
            bytes.extend_from_slice(&row(*id, commit.wall_micros));
        }
        bytes
    }

    pub(super) fn decode(bytes: &[u8]) -> Option<Self> {
        let (head, rest) = bytes.split_at_checked(32)?;
        let word = |at: usize| head.get(at..at + 8)?.try_into().ok().map(u64::from_le_bytes);
        let mut note = Self {
            floor: TxnId::from_raw(word(0)?),
            horizon: Timestamp(word(8)?),
            newest: Timestamp(word(16)?),
            last_wall: word(24)?.cast_signed(),
            commits: Vec::new(),
        };
        for entry in rest.chunks(24) {
            let at = Timestamp(u64::from_le_bytes(entry.get(..8)?.try_into().ok()?));
            let (id, wall_micros) = read_row(entry.get(8..)?)?;
            note.commits.push((id, Commit { at, wall_micros }));
        }
        Some(note)
    }
}

/// The value of a timeline row.
fn row(id: TxnId, wall_micros: i64) -> [u8; 16] {
    let mut row = [0; 16];
    row[..8].copy_from_slice(&id.raw().to_le_bytes());
    row[8..].copy_from_slice(&wall_micros.to_le_bytes());
    row
}

fn read_row(row: &[u8]) -> Option<(TxnId, i64)> {
    let (id, wall) = row.split_first_chunk::<8>()?;
    Some((
        TxnId::from_raw(u64::from_le_bytes(*id)),
        i64::from_le_bytes(wall.try_into().ok()?),
    ))
}

fn damaged(what: &'static str) -> Error {
    Fault::Corrupt {
        file: "the database".into(),
        page: None,
        lsn: None,
        what: what.into(),
    }
    .into()
}

/// Teaches `commits` everything that is known about the past; returns the horizon.
pub(super) fn restore<T: Tree>(
    commits: &Commits,
    tree: &T,
    history: TreeId,
    recovered: &RecoveredCommits,
) -> Result<Timestamp, Error> {
    let note = if recovered.note.is_empty() {
        Note::default()
    } else {
        Note::decode(&recovered.note)
            .ok_or_else(|| damaged("the checkpoint's note about commits makes no sense"))?
    };
    commits.raise_floor(note.floor);
    commits.learn_newest(Commit {
        at: note.newest,
        wall_micros: note.last_wall,
    });
    learn_rows(commits, tree, history)?;
    for (id, commit) in &note.commits {
        commits.learn(*id, *commit, false);
    }
    for (id, at, bytes) in &recovered.commits {
        let wall_micros = wall_of_note(bytes).ok_or_else(|| damaged("a commit record has no time"))?;
        commits.learn(
            *id,
            Commit {
                at: Timestamp(at.raw()),
                wall_micros,
            },
            false,
        );
    }
    Ok(note.horizon)
}

fn learn_rows<T: Tree>(commits: &Commits, tree: &T, history: TreeId) -> Result<(), Error> {
    let (from, to) = (keys::commit(0), keys::commit(u64::MAX));
    let range = Range {
        from: Bound::Included(&from),
        to: Bound::Included(&to),
        backward: false,
    };
    let mut cursor = tree.seek(history, range)?;
    let mut sound = true;
    let mut more = true;
    while more {
        more = tree.next(&mut cursor, |key, value| {
            match (keys::commit_timestamp(key), read_row(value.inline)) {
                (Some(at), Some((id, wall_micros))) => commits.learn(
                    id,
                    Commit {
                        at: Timestamp(at),
                        wall_micros,
                    },
                    true,
                ),
                _ => sound = false,
            }
            ControlFlow::Continue(())
        })?;
    }
    if sound {
        Ok(())
    } else {
        Err(damaged("a row of the timeline makes no sense"))
    }
}

impl<T: Transactions> Shared<T> {
    /// Writes commits into the timeline tree, if retention asks for that or there are many, and drops rows behind the horizon.
    pub(super) fn persist_commits(&self) -> Result<(), Error> {
        let unpersisted = self.commits.unpersisted();
        let wanted = !self.options.retention.is_zero() || unpersisted.len() > LONG_NOTE;
        if !wanted {
            return Ok(());
        }
        let by = self.commits.begin(|| self.below.begin());
        let written = self
            .write_rows(by, &unpersisted)
            .and_then(|()| self.drop_rows(by));
        match written {
            Ok(()) => self.below.commit(by)?,
            Err(error) => {
                self.below.roll_back(by)?;
                self.commits.rolled_back(by);
                return Err(error);
            }
        };
        self.commits.persisted(&unpersisted);
        Ok(())
    }

    fn write_rows(&self, by: TxnId, commits: &[(TxnId, Commit)]) -> Result<(), Error> {
        for (id, commit) in commits {
            let value = row(*id, commit.wall_micros);
            let key = keys::commit(commit.at.raw());
            self.tree()
                .put(by, self.trees.history, &key, Value::inline(&value))?;
        }
        Ok(())
    }

    /// Removes rows of commits that are below the floor and behind the horizon: nothing asks for them any more.
    fn drop_rows(&self, by: TxnId) -> Result<(), Error> {
        let (horizon, floor) = (self.snapshots.horizon(), self.commits.floor());
        let (from, to) = (keys::commit(0), keys::commit(horizon.raw()));
        let range = Range {
            from: Bound::Included(&from),
            to: Bound::Excluded(&to),
            backward: false,
        };
        let mut cursor = self.tree().seek(self.trees.history, range)?;
        let mut old = Vec::new();
        let mut more = true;
        while more {
            more = self.tree().next(&mut cursor, |key, value| {
                if read_row(value.inline).is_some_and(|(id, _)| id < floor) {
                    old.push(key.to_vec());
                }
                ControlFlow::Continue(())
            })?;
        }
        for key in old {
            self.tree().remove(by, self.trees.history, &key)?;
        }
        Ok(())
    }

    /// What a checkpoint begun now must remember.
    pub(super) fn note(&self) -> Note {
        Note {
            floor: self.commits.floor(),
            horizon: self.snapshots.horizon(),
            newest: self.commits.newest(),
            last_wall: self.commits.last_wall(),
            commits: self.commits.unpersisted(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_note_comes_back() {
        let commit = |at: u64| Commit {
            at: Timestamp(at),
            wall_micros: -5,
        };
        let note = Note {
            floor: TxnId::from_raw(3),
            horizon: Timestamp(100),
            newest: Timestamp(300),
            last_wall: -7,
            commits: vec![
                (TxnId::from_raw(4), commit(200)),
                (TxnId::from_raw(5), commit(300)),
            ],
        };
        assert_eq!(Note::decode(&note.encode()), Some(note.clone()));
        assert_eq!(Note::decode(&note.encode()[..31]), None);
        assert_eq!(Note::decode(&note.encode()[..40]), None);
    }
}
