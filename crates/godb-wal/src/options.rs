//! How a log is set up.

use godb_btree::{DatabaseId, Lsn};
use std::time::Duration;

/// How durable an acknowledged commit is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum SyncMode {
    /// On the medium: survives a power cut.
    #[default]
    Full,
    /// With the operating system: survives the end of the process. A power cut may take the last moments, and leaves a prefix of all
    /// commits. Page write-back still waits for the medium.
    Normal,
    /// In the log's buffer: the end of the process may take the last moments. After a power cut the database may be damaged, because
    /// nothing is synced but checkpoints and the close.
    Off,
}

/// How a log is set up. What is stored with the log (sizes) is taken from there when an existing one is opened.
#[derive(Clone, Debug)]
pub struct LogOptions {
    /// The database that the log belongs to.
    pub database_id: DatabaseId,
    /// On creation: the epoch of the new log's blocks. On opening: the epoch that the database file names; an older log is refused.
    pub epoch: u64,
    /// On creation: the log begins at or behind this position, which must not be before any position that pages of the file carry. Rounded up to a whole segment.
    pub start: Lsn,
    /// Bytes in a block: a power of two from 512 to 65536.
    pub block_size: u32,
    /// Bytes in a segment, a multiple of the block size, at least four blocks.
    pub segment_size: u64,
    /// Bytes of the first segment of a new log, at first.
    pub initial_size: u64,
    /// Bytes of log held in memory before reservations wait for the disk.
    pub buffer: usize,
    /// How durable an acknowledged commit is.
    pub mode: SyncMode,
    /// In [`SyncMode::Normal`]: how long the background leaves what was written unsynced.
    pub sync_every: Duration,
}

impl LogOptions {
    /// The defaults: 4 KiB blocks, 16 MiB segments of which the first starts with 512 KiB, 8 MiB of buffer, full durability.
    #[must_use]
    pub fn new(database_id: DatabaseId, epoch: u64) -> Self {
        Self {
            database_id,
            epoch,
            start: Lsn::default(),
            block_size: 4096,
            segment_size: 16 << 20,
            initial_size: 512 << 10,
            buffer: 8 << 20,
            mode: SyncMode::Full,
            sync_every: Duration::from_millis(200),
        }
    }
}
