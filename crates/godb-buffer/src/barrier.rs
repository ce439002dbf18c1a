//! [`LogBarrier`]: the one question the pool asks upward.

use godb_page::{Fault, Lsn};

/// Write-back may overwrite a page on disk only when the log describes that state durably.
/// This is the second clause of the write-ahead rule; the pool asks it in one place.
pub trait LogBarrier: Send + Sync {
    /// Returns when the log is durable up to and including the record at `upto`.
    fn wait_durable(&self, upto: Lsn) -> Result<(), Fault>;
}

/// A barrier for stores without a log: everything is durable enough.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoLog;

impl LogBarrier for NoLog {
    fn wait_durable(&self, _upto: Lsn) -> Result<(), Fault> {
        Ok(())
    }
}
