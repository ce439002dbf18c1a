//! How the log has fared since it was opened.

use super::Log;
use godb_btree::Lsn;
use godb_btree::sync::atomic::{AtomicU64, Ordering};

/// What the leaders of writes and syncs count.
#[derive(Default)]
pub(super) struct Counters {
    pub(super) writes: AtomicU64,
    pub(super) bytes: AtomicU64,
    pub(super) syncs: AtomicU64,
}

impl Counters {
    /// One more write, of so many bytes.
    pub(super) fn wrote(&self, bytes: usize) {
        self.writes.fetch_add(1, Ordering::Relaxed);
        self.bytes.fetch_add(bytes as u64, Ordering::Relaxed);
    }

    /// One more sync.
    pub(super) fn synced(&self) {
        self.syncs.fetch_add(1, Ordering::Relaxed);
    }
}

/// How the log has fared since it was opened, and how far it is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LogStats {
    /// Writes to its files, each of what several transactions had logged by then.
    pub writes: u64,
    /// Bytes of those, whole blocks and what was written ahead included.
    pub bytes: u64,
    /// Syncs: with several writers fewer than commits.
    pub syncs: u64,
    /// The position behind the last record.
    pub logged: Lsn,
    /// How far the log is with the operating system.
    pub written: Lsn,
    /// How far it is on the medium.
    pub durable: Lsn,
    /// The last checkpoint.
    pub checkpoint: Lsn,
    /// What comes before this is not needed any more.
    pub kept_from: Lsn,
    /// Bytes of its files.
    pub allocated: u64,
}

impl Log {
    /// How it has fared.
    pub fn stats(&self) -> LogStats {
        let keep = self.keep.load(Ordering::Acquire);
        let count = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        let whole = keep - keep % self.segments.size();
        LogStats {
            writes: count(&self.counters.writes),
            bytes: count(&self.counters.bytes),
            syncs: count(&self.counters.syncs),
            logged: self.end(),
            written: Lsn::from_raw(self.writes.reached()),
            durable: Lsn::from_raw(self.syncs.reached()),
            checkpoint: self.last_checkpoint(),
            kept_from: Lsn::from_raw(keep),
            allocated: self.segments.allocated().saturating_sub(whole),
        }
    }
}
