//! The frontier: how far back one can begin to look. It only moves forward.
//!
//! Without retention it is the newest commit: a transaction that begins sees that one, and nobody can ask for an earlier one. With retention it is the newest commit that is older
//! than that, by the commits' own clock; and it is written down first, see `timeline.rs`, so it moves in steps.

use super::MvccEngine;
use super::rows::Kept;
use super::snapshots::InUse;
use crate::engine::Timestamp;
use crate::error::Error;
use godb_txn::Transactions;
use std::time::Duration;

/// The frontier moves at most this often, as a fraction of retention.
const STEPS: u32 = 100;

impl<T: Transactions> MvccEngine<T> {
    /// Moves the frontier as far as it can go now, and tells what is in use.
    pub(super) fn look_around(&self) -> Result<InUse, Error> {
        // Read first: an ordinary snapshot that is taken while this looks is not older.
        let newest = self.commits.newest();
        let to = match self.keeps_past() {
            true => self.follow_retention()?,
            false => newest,
        };
        Ok(self.snapshots.advance(newest, to))
    }

    fn follow_retention(&self) -> Result<Timestamp, Error> {
        let now = self.clock.monotonic();
        let mut advanced = self.advanced.lock();
        let step = self.options.retention / STEPS;
        if advanced.is_some_and(|last: Duration| now.saturating_sub(last) < step) {
            return Ok(self.snapshots.frontier());
        }
        *advanced = Some(now);
        let from = self
            .clock
            .wall_micros()
            .saturating_sub(self.options.retention_micros());
        let Some((to, wall)) = self.before_wall(from)? else {
            return Ok(self.snapshots.frontier());
        };
        if to > self.kept().horizon {
            self.write_frontier(to, wall)?;
        }
        Ok(to)
    }

    /// Writes the frontier down, durably.
    fn write_frontier(&self, horizon: Timestamp, horizon_wall: i64) -> Result<(), Error> {
        let _one_at_a_time = self.tending.lock();
        let kept = Kept {
            horizon,
            horizon_wall,
            ..self.kept()
        };
        self.quietly(|by| self.write_kept(by, kept))?;
        *self.kept.write() = kept;
        Ok(())
    }

    /// Forgets what nobody asks for any more; with too much in memory, moves some to the timeline first. Tells whether there is more to do.
    pub(super) fn keep_books(&self, in_use: &InUse) -> Result<bool, Error> {
        let forget = || self.commits.forget(in_use.current, in_use.horizon);
        let mut more = forget();
        let to_write = self.commits.recent(|recent| {
            let many = recent.unpersisted_count() >= super::timeline::COMMITS_AT_ONCE;
            (self.keeps_past() && many) || recent.crowded_before().is_some()
        });
        // Without retention there is seldom anything there, and then looking costs next to nothing.
        if to_write || !self.keeps_past() {
            more |= self.tend_timeline()?;
            more |= forget();
        }
        Ok(more)
    }

    /// One who has just committed helps when memory is overcrowded with commits and nobody else seems to care.
    pub(super) fn help_out(&self) {
        if self.commits.recent(|recent| recent.is_overcrowded()) {
            // What fails here fails again where somebody hears of it.
            let _heard_elsewhere = self.look_around().and_then(|in_use| self.keep_books(&in_use));
        }
    }
}
