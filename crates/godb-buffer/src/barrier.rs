//! [`LogBarrier`]: the one question the pool asks upward.

use godb_page::{Fault, Lsn};

/// Write-back may overwrite a page on disk only when the log describes that state durably.
/// This is the second clause of the write-ahead rule; the pool asks it in one place.
pub trait LogBarrier: Send + Sync {
    /// Returns when the log is durable up to and including the record at `upto`. An error is for good: the pool writes nothing afterwards.
    fn wait_durable(&self, upto: Lsn) -> Result<(), Fault>;
    /// Nothing will be written to the store any more, because of this failure: changes that are logged from now on could never leave memory. Called with a
    /// page latched, perhaps.
    fn store_failed(&self, _fault: &Fault) {}
}

/// A barrier for stores without a log: everything is durable enough.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoLog;

impl LogBarrier for NoLog {
    fn wait_durable(&self, _upto: Lsn) -> Result<(), Fault> {
        Ok(())
    }
}
