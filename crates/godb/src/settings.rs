//! [`LiveSettings`]: what of [`Config`] can be changed while a database is open.
//!
//! Whoever heeds a setting reads it here each time, so a change counts from the next look on: the background threads look at least once in their rest, and a request for a lock when it begins to wait.

use crate::config::Config;
use crate::storage::Storage;
use godb_page::sync::Arc;
use godb_page::sync::atomic::{AtomicU64, Ordering};
use godb_sql::{DatabaseSetting, DatabaseSettings, SqlError, state};
use std::time::Duration;

/// The least share of free pages, in percent, that compaction can wait for: the file grows up to an eighth ahead of need.
const LEAST_SHARE: u64 = 20;

/// Numbers in the units of [`DatabaseSetting`].
#[derive(Clone, Copy, Debug)]
struct Numbers {
    checkpoint_interval: u64,
    checkpoint_log_size: u64,
    compaction_threshold: u64,
    lock_timeout: u64,
    scrub_rate: u64,
}

impl Numbers {
    fn of(config: &Config) -> Self {
        let percent = config.compaction_threshold.unwrap_or_default() * 100.0;
        Self {
            checkpoint_interval: millis(config.checkpoint_interval),
            checkpoint_log_size: config.log_between_checkpoints() >> 10,
            compaction_threshold: whole(percent),
            lock_timeout: millis(config.lock_timeout),
            scrub_rate: config.scrub_rate >> 10,
        }
    }

    fn get(&self, setting: DatabaseSetting) -> u64 {
        match setting {
            DatabaseSetting::CheckpointInterval => self.checkpoint_interval,
            DatabaseSetting::CheckpointLogSize => self.checkpoint_log_size,
            DatabaseSetting::CompactionThreshold => self.compaction_threshold,
            DatabaseSetting::LockTimeout => self.lock_timeout,
            DatabaseSetting::ScrubRate => self.scrub_rate,
        }
    }
}

fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a share of at most one, in percent"
)]
fn whole(percent: f64) -> u64 {
    percent.round() as u64
}

/// The settings of an open database.
pub(crate) struct LiveSettings {
    opened_with: Numbers,
    checkpoint_interval: AtomicU64,
    checkpoint_log_size: AtomicU64,
    compaction_threshold: AtomicU64,
    scrub_rate: AtomicU64,
    /// Where locks are waited for; an engine of somebody else's has its own way.
    storage: Option<Arc<Storage>>,
}

impl LiveSettings {
    /// As the database was opened.
    pub(crate) fn new(config: &Config, storage: Option<Arc<Storage>>) -> Arc<Self> {
        let numbers = Numbers::of(config);
        Arc::new(Self {
            opened_with: numbers,
            checkpoint_interval: AtomicU64::new(numbers.checkpoint_interval),
            checkpoint_log_size: AtomicU64::new(numbers.checkpoint_log_size),
            compaction_threshold: AtomicU64::new(numbers.compaction_threshold),
            scrub_rate: AtomicU64::new(numbers.scrub_rate),
            storage,
        })
    }

    /// The most time between checkpoints.
    pub(crate) fn checkpoint_interval(&self) -> Duration {
        Duration::from_millis(self.checkpoint_interval.load(Ordering::Relaxed))
    }

    /// The most bytes of log between checkpoints.
    pub(crate) fn checkpoint_log_size(&self) -> u64 {
        self.checkpoint_log_size.load(Ordering::Relaxed) << 10
    }

    /// The share of free pages at which the file is compacted.
    pub(crate) fn compaction_threshold(&self) -> Option<f64> {
        let percent = u32::try_from(self.compaction_threshold.load(Ordering::Relaxed)).unwrap_or(100);
        (percent > 0).then(|| f64::from(percent) / 100.0)
    }

    /// Bytes a second that the scrubber reads.
    pub(crate) fn scrub_rate(&self) -> u64 {
        self.scrub_rate.load(Ordering::Relaxed) << 10
    }
}

impl DatabaseSettings for LiveSettings {
    fn get(&self, setting: DatabaseSetting) -> Option<i64> {
        let number = match setting {
            DatabaseSetting::CheckpointInterval => self.checkpoint_interval.load(Ordering::Relaxed),
            DatabaseSetting::CheckpointLogSize => self.checkpoint_log_size.load(Ordering::Relaxed),
            DatabaseSetting::CompactionThreshold => self.compaction_threshold.load(Ordering::Relaxed),
            DatabaseSetting::LockTimeout => millis(self.storage.as_ref()?.locks().timeout()),
            DatabaseSetting::ScrubRate => self.scrub_rate.load(Ordering::Relaxed),
        };
        i64::try_from(number).ok()
    }

    fn opened_with(&self, setting: DatabaseSetting) -> Option<i64> {
        self.get(setting)?;
        i64::try_from(self.opened_with.get(setting)).ok()
    }

    fn set(&self, setting: DatabaseSetting, value: i64) -> Result<(), SqlError> {
        let refused = |why: &str| SqlError::new(state::INVALID_PARAMETER_VALUE, why);
        let value = u64::try_from(value).map_err(|_| refused("it cannot be negative"))?;
        match setting {
            DatabaseSetting::CheckpointInterval => self.checkpoint_interval.store(value, Ordering::Relaxed),
            DatabaseSetting::CheckpointLogSize => self.checkpoint_log_size.store(value, Ordering::Relaxed),
            DatabaseSetting::CompactionThreshold if value > 0 && value < LEAST_SHARE => {
                return Err(refused(
                    "compaction_threshold must be 0 or from 20 to 100 percent",
                ));
            }
            DatabaseSetting::CompactionThreshold => self.compaction_threshold.store(value, Ordering::Relaxed),
            DatabaseSetting::LockTimeout => match &self.storage {
                Some(storage) => storage.locks().set_timeout(Duration::from_millis(value)),
                None => return Err(SqlError::unsupported("changing lock_timeout of this engine")),
            },
            DatabaseSetting::ScrubRate => self.scrub_rate.store(value, Ordering::Relaxed),
        }
        tracing::info!(?setting, value, "a setting of the database was changed");
        Ok(())
    }
}

#[cfg(test)]
mod tests;
