//! Moments of the past: what is asked for, and which snapshot that is.

use super::MvccEngine;
use super::commits::When;
use super::snapshots::Snapshot;
use crate::engine::{Moment, Timestamp};
use crate::error::Error;
use godb_txn::{Transactions, TxnId};
use std::sync::Arc;

impl<T: Transactions> MvccEngine<T> {
    /// A snapshot of a moment of the past, and the wall clock then.
    pub(super) fn past(self: Arc<Self>, moment: Moment) -> Result<(Arc<Snapshot<T>>, i64), Error> {
        loop {
            let newest = self.commits.newest();
            let (at, wall) = match moment {
                Moment::At(at) => self.at_commit(at, moment)?,
                Moment::After(id) => self.at_commit(self.commit_of(id)?, moment)?,
                Moment::Wall(wall) => (self.at_wall(wall, moment)?, wall),
                Moment::Ago(micros) => {
                    let wall = self.commits.wall_now().saturating_sub(micros);
                    (self.at_wall(wall, moment)?, wall)
                }
            };
            // With a past there is a timeline to ask about old commits; without one, such a snapshot is like an ordinary one.
            if let Some(place) = self.snapshots.take_at(at, self.keeps_past()) {
                return Ok((Snapshot::new(self, place), wall));
            }
            // What was the present is behind the frontier already: the present has moved on.
            if at < newest || matches!(moment, Moment::At(_) | Moment::After(_)) {
                return Err(self.too_old(moment));
            }
        }
    }

    fn at_commit(&self, at: Timestamp, moment: Moment) -> Result<(Timestamp, i64), Error> {
        if at > self.commits.newest() {
            return Err(in_future(moment));
        }
        let wall = self.wall_of(at)?.ok_or_else(|| self.too_old(moment))?;
        Ok((at, wall))
    }

    /// When a transaction committed. One that was rolled back is not told from one that committed before all that is kept.
    fn commit_of(&self, id: TxnId) -> Result<Timestamp, Error> {
        let moment = Moment::After(id);
        match self.commits.when(id) {
            When::At(at) => Ok(at),
            When::Running => Err(in_future(moment)),
            When::Old if id >= self.commits.next_id() => Err(in_future(moment)),
            When::Old => {
                let remembered = self.commits.recent(|recent| recent.of(id));
                let at = match remembered {
                    Some(at) => Some(at),
                    None => self.time_of_old(id)?,
                };
                at.ok_or_else(|| self.too_old(moment))
            }
        }
    }

    /// The last commit before a time.
    fn at_wall(&self, wall: i64, moment: Moment) -> Result<Timestamp, Error> {
        let now = self.commits.wall_now();
        if wall > now {
            return Err(in_future(moment));
        }
        // Read before the clock of the last commit: one that is published in between is not counted in.
        let newest = self.commits.newest();
        if wall >= self.commits.last_wall() {
            return Ok(newest);
        }
        if wall < now.saturating_sub(self.options.retention_micros()) {
            return Err(self.too_old(moment));
        }
        let before = self.before_wall(wall)?;
        before.map(|(at, _)| at).ok_or_else(|| self.too_old(moment))
    }

    fn too_old(&self, moment: Moment) -> Error {
        let kept = self.kept();
        let oldest = if self.keeps_past() {
            format!(
                "that of commit {}, {}",
                kept.horizon.raw(),
                clock(kept.horizon_wall)
            )
        } else {
            "now, since it is configured to keep no past".to_owned()
        };
        Error::TooOld {
            asked: describe(moment),
            oldest,
        }
    }
}

fn in_future(moment: Moment) -> Error {
    Error::InFuture {
        asked: describe(moment),
    }
}

fn describe(moment: Moment) -> String {
    match moment {
        Moment::At(at) => format!("the time of commit {}", at.raw()),
        Moment::Wall(micros) => clock(micros),
        Moment::Ago(micros) => format!("{micros} microseconds ago"),
        Moment::After(id) => format!("the commit of transaction {}", id.raw()),
    }
}

fn clock(micros: i64) -> String {
    format!("{micros} microseconds after 1970")
}
