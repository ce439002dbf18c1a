//! [`MvccEngine`]: versions over locked, recoverable transactions.

mod collect;
mod commits;
mod cursor;
mod keys;
mod reader;
mod shared;
mod snapshots;
mod timeline;
mod transaction;
mod version;
mod write;

pub use commits::{Commit, Commits};
pub use timeline::RecoveredCommits;

use crate::engine::{Begin, EngineTransaction, Isolation, Moment, StorageEngine, Timestamp};
use crate::error::Error;
use godb_txn::{Clock, Transactions, Tree, TreeId};
use shared::{Shared, SystemTrees};
use snapshots::{Snapshot, Snapshots};
use std::sync::Arc;
use std::time::Duration;
use transaction::MvccTransaction;

/// How the engine behaves.
#[derive(Clone, Copy, Debug, Default)]
pub struct MvccOptions {
    /// How far back reads of the past reach. Zero keeps old versions only as long as a transaction needs them.
    pub retention: Duration,
}

/// The engine with everything below it.
pub struct MvccEngine<T: Transactions> {
    shared: Arc<Shared<T>>,
}

/// The longest user key: its history key must fit too, with a version in as many bytes as a leaf gives.
fn max_key<T: Transactions>(shared: &Shared<T>) -> usize {
    shared.tree().max_key().saturating_sub(keys::OVERHEAD)
}

impl<T: Transactions> MvccEngine<T> {
    /// Opens the engine over `below`, whose commit hook is `commits`, with what recovery found out. In a new database it makes its trees first.
    pub fn open(
        below: T,
        commits: Arc<Commits>,
        clock: Arc<dyn Clock>,
        options: MvccOptions,
        recovered: &RecoveredCommits,
    ) -> Result<Arc<Self>, Error> {
        let trees = match Self::find_trees(&below)? {
            Some(trees) => trees,
            None => Self::make_trees(&below, &commits)?,
        };
        let mut horizon = timeline::restore(&commits, below.tree(), trees.history, recovered)?;
        if options.retention.is_zero() {
            // No snapshot outlives its process: all that is committed is visible to everybody.
            let next = below.begin();
            below.commit(next)?;
            commits.raise_floor(next);
            horizon = commits.newest();
        }
        let snapshots = Snapshots::new(commits.clone(), horizon);
        Ok(Arc::new(Self {
            shared: Arc::new(Shared::new(below, commits, snapshots, trees, options, clock)),
        }))
    }

    /// The two trees of this layer are the first that a database ever has.
    fn find_trees(below: &T) -> Result<Option<SystemTrees>, Error> {
        Ok(match below.tree().trees()?[..] {
            [root, history, ..] => Some(SystemTrees { root, history }),
            _ => None,
        })
    }

    fn make_trees(below: &T, commits: &Commits) -> Result<SystemTrees, Error> {
        let by = commits.begin(|| below.begin());
        let create = || below.tree().create(by).map_err(Error::from);
        let trees = SystemTrees {
            root: create()?,
            history: create()?,
        };
        below.commit(by)?;
        Ok(trees)
    }

    /// What lies below.
    pub fn below(&self) -> &T {
        &self.shared.below
    }

    /// What must be kept in the file while there is no log: handed back as [`RecoveredCommits::note`] by the next opening.
    pub fn closing_note(&self) -> Result<Vec<u8>, Error> {
        while self.shared.collect()? {}
        self.shared.persist_commits()?;
        Ok(self.shared.note().encode())
    }

    /// A snapshot of a moment of the past, and the wall clock then.
    fn past(&self, moment: Moment) -> Result<(Arc<Snapshot>, i64), Error> {
        let shared = &self.shared;
        let now = shared.clock.wall_micros().max(shared.commits.last_wall());
        let wall = match moment {
            Moment::At(at) => {
                if at > shared.commits.newest() {
                    return Err(Error::InFuture {
                        asked: format!("commit {}", at.raw()),
                    });
                }
                let snapshot = shared.snapshots.take_at(at).ok_or_else(|| self.too_old(moment))?;
                return Ok((snapshot, shared.commits.wall_of(at).unwrap_or(now)));
            }
            Moment::Wall(wall) => wall,
            Moment::Ago(micros) => now.saturating_sub(micros),
        };
        if wall > now {
            return Err(Error::InFuture {
                asked: describe(moment),
            });
        }
        let before = match shared.commits.before_wall(wall) {
            // Nothing was committed since then: that moment is now.
            None if shared.commits.last_wall() <= wall => Some(shared.commits.newest()),
            before => before,
        };
        let snapshot = before
            .and_then(|at| shared.snapshots.take_at(at))
            .ok_or_else(|| self.too_old(moment))?;
        Ok((snapshot, wall))
    }

    fn too_old(&self, moment: Moment) -> Error {
        let horizon = self.shared.snapshots.horizon();
        let oldest = match self.shared.commits.wall_of(horizon) {
            Some(wall) => format!("that of commit {}, {wall} microseconds after 1970", horizon.raw()),
            None => "now".to_owned(),
        };
        Error::TooOld {
            asked: describe(moment),
            oldest,
        }
    }
}

fn describe(moment: Moment) -> String {
    match moment {
        Moment::At(at) => format!("the time of commit {}", at.raw()),
        Moment::Wall(micros) => format!("the moment {micros} microseconds after 1970"),
        Moment::Ago(micros) => format!("{micros} microseconds ago"),
    }
}

impl<T: Transactions> StorageEngine for MvccEngine<T> {
    fn begin(self: Arc<Self>, how: Begin) -> Result<Box<dyn EngineTransaction>, Error> {
        if how.isolation == Isolation::Serializable {
            return Err(Error::Unsupported {
                what: "serializable isolation",
            });
        }
        let (snapshot, wall) = match how.as_of {
            Some(moment) => self.past(moment)?,
            None => (self.shared.snapshots.take(), self.shared.clock.wall_micros()),
        };
        Ok(Box::new(MvccTransaction::new(
            self.shared.clone(),
            how,
            snapshot,
            wall,
        )))
    }

    fn root(&self) -> TreeId {
        self.shared.trees.root
    }

    fn max_key(&self) -> usize {
        max_key(&self.shared)
    }

    fn now(&self) -> Timestamp {
        self.shared.commits.newest()
    }

    fn collect(&self) -> Result<bool, Error> {
        self.shared.collect()
    }

    fn checkpoint(&self) -> Result<(), Error> {
        self.shared.persist_commits()?;
        Ok(self.shared.below.checkpoint(&|| self.shared.note().encode())?)
    }

    fn log_since_checkpoint(&self) -> u64 {
        self.shared.below.log_since_checkpoint()
    }
}

#[cfg(test)]
mod tests;
