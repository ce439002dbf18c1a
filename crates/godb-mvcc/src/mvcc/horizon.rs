//! The horizon: how far back anybody can look. It only moves forward.
//!
//! Without retention it follows the oldest moment in use. With retention it follows the newest commit that is older than that, by the commits' own clock; and it is written
//! down first, see `timeline.rs`, so it moves in steps.

use super::MvccEngine;
use super::timeline::Kept;
use crate::engine::Timestamp;
use crate::error::Error;
use godb_txn::Transactions;
use std::time::Duration;

/// The horizon moves at most this often, as a fraction of retention.
const STEPS: u32 = 100;

impl<T: Transactions> MvccEngine<T> {
    /// Moves the horizon as far as it can go now; forgets what no snapshot asks for.
    pub(super) fn move_horizon(&self) -> Result<Timestamp, Error> {
        let current = self.snapshots.current(&self.commits);
        let horizon = if self.keeps_past() {
            self.follow_retention(current)?
        } else {
            self.snapshots.advance(current)
        };
        self.commits.forget_before(current, self.keeps_past());
        Ok(horizon)
    }

    fn follow_retention(&self, current: Timestamp) -> Result<Timestamp, Error> {
        let now = self.clock.monotonic();
        let mut advanced = self.advanced.lock();
        let step = self.options.retention / STEPS;
        if advanced.is_some_and(|last: Duration| now.saturating_sub(last) < step) {
            return Ok(self.snapshots.horizon());
        }
        *advanced = Some(now);
        let from = self
            .clock
            .wall_micros()
            .saturating_sub(self.options.retention_micros());
        let Some((retained, wall)) = self.before_wall(from)? else {
            return Ok(self.snapshots.horizon());
        };
        let (to, wall) = match retained <= current {
            true => (retained, wall),
            // The state at a moment in use begins with the commit it is named after.
            false => (current, self.wall_of(current)?.unwrap_or(wall)),
        };
        if to > self.kept().horizon {
            self.write_horizon(to, wall)?;
        }
        Ok(self.snapshots.advance(to))
    }

    /// Writes the horizon down, durably.
    fn write_horizon(&self, horizon: Timestamp, horizon_wall: i64) -> Result<(), Error> {
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
}
