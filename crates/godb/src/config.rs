//! [`Config`]: everything that can be chosen when a database is opened.
//!
//! A field whose feature is not built yet is there all the same, so that programs can be written against it; choosing it is
//! refused with an error that says so. Nothing is ever ignored.

use crate::error::{Error, Result};
use godb_buffer::EvictionKind;
use godb_mvcc::Isolation;
use godb_txn::DeadlockPolicy;
use godb_wal::SyncMode;
use std::time::Duration;

/// How pages are made smaller on disk.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Compression {
    /// Not at all.
    #[default]
    None,
    /// By the LZ4 algorithm. Not supported yet.
    Lz4,
    /// By the Zstandard algorithm. Not supported yet.
    Zstd,
}

/// How a database is opened. Made from [`Config::default`] by changing fields:
///
/// ```
/// use std::time::Duration;
/// let config = godb::Config {
///     buffer_pool_size: 16 << 20,
///     retention: Duration::from_secs(3600),
///     ..godb::Config::default()
/// };
/// let db = godb::Database::in_memory_with(config)?;
/// # Ok::<(), godb::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Config {
    /// Bytes in a page: a power of two from 4 KiB to 64 KiB. Counts when the file is created; afterwards the file says.
    pub page_size: usize,
    /// The most bytes that the main file may have; growth beyond is a disk-full error. `None` leaves it to the disk.
    pub max_file_size: Option<u64>,
    /// Bytes of memory for pages. At least 16 pages.
    pub buffer_pool_size: usize,
    /// Which page leaves memory when room is needed. S3-FIFO by default: a scan does not wash out what is used often, and of all it keeps the most hits where some pages are
    /// wanted more than others.
    pub eviction: EvictionKind,
    /// Read pages past the system's cache, where system and file system can do that; elsewhere through it. For databases larger than memory, with a `buffer_pool_size` of nearly all
    /// the memory that is meant for them: pages are then in memory once and not twice. Without, a small pool still has the system's cache behind it.
    pub direct_io: bool,
    /// The most sessions and transactions open at once.
    pub max_connections: usize,
    /// Bytes of cached query plans; zero caches none.
    pub query_cache_size: usize,
    /// Bytes that one sort, join or aggregation may use before it goes to temporary files.
    pub work_memory: usize,
    /// What a transaction sees of the others, unless it says otherwise.
    pub isolation: Isolation,
    /// How long to wait for a lock.
    pub lock_timeout: Duration,
    /// What happens when transactions wait for each other in a circle.
    pub deadlock_policy: DeadlockPolicy,
    /// Writers keep old versions, so that readers never wait. Without, every transaction locks what it reads and writes until it ends (strict two-phase locking), so that each is serializable whatever its level,
    /// nothing of the past can be read, and `retention` must be zero. A database can be opened either way.
    pub mvcc: bool,
    /// How far back `AS OF SYSTEM TIME` can look. Zero keeps old versions only as long as a transaction needs them.
    pub retention: Duration,
    /// The most time between checkpoints while there are changes.
    pub checkpoint_interval: Duration,
    /// The most bytes of log between checkpoints: what a restart after a crash may have to read. `None` follows the memory for pages, for a page that stays dirty in memory
    /// while it is changed again and again is written once a checkpoint: half of it, but from 64 MiB to 1 GiB.
    pub checkpoint_log_size: Option<u64>,
    /// Bytes in a segment of the log, from 32 KiB: a multiple of 4096. A checkpoint gives whole segments back. Counts when a log is made.
    pub log_segment_size: u64,
    /// When a commit is acknowledged.
    pub wal_sync_mode: SyncMode,
    /// Compact the file by itself when this share of it is free: a thread then does what [`Database::compact`](crate::Database::compact) does, in small steps with rests
    /// between. From 0.2, for the file grows up to an eighth ahead of need, to 1; a file below 1 MiB is left alone. `None`, the default, leaves it to `VACUUM`: rows to come will use
    /// the free pages, and making a file longer again costs time.
    pub compaction_threshold: Option<f64>,
    /// Make indexes by watching queries. Not supported yet.
    pub adaptive_indexing: bool,
    /// Let a learned model advise the planner. Not supported yet.
    pub ml_optimizer: bool,
    /// Make pages smaller on disk. Not supported yet.
    pub compression: Compression,
    /// Open for reading only. The file must have been closed cleanly; writes fail with SQLSTATE 25006. A file, directory or mount that takes no writes is opened so by itself.
    pub read_only: bool,
    /// Bytes per second that the scrubber reads, in search of pages that rotted unnoticed; zero switches it off. The default takes about three hours for 10 GB.
    pub scrub_rate: u64,
    /// Run background work (write-back, checkpoints, collection) on threads of the database. Without, the program calls
    /// [`Database::step`](crate::Database::step) from time to time.
    pub background_threads: bool,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            page_size: 8192,
            max_file_size: None,
            buffer_pool_size: 64 << 20,
            eviction: EvictionKind::default(),
            direct_io: false,
            max_connections: 1000,
            query_cache_size: 4 << 20,
            work_memory: 64 << 20,
            isolation: Isolation::RepeatableRead,
            lock_timeout: Duration::from_secs(10),
            deadlock_policy: DeadlockPolicy::WaitForGraph,
            mvcc: true,
            retention: Duration::ZERO,
            checkpoint_interval: Duration::from_secs(60),
            checkpoint_log_size: None,
            log_segment_size: 16 << 20,
            wal_sync_mode: SyncMode::Full,
            compaction_threshold: None,
            adaptive_indexing: false,
            ml_optimizer: false,
            compression: Compression::None,
            read_only: false,
            scrub_rate: 1 << 20,
            background_threads: true,
        }
    }
}

/// The fewest frames a buffer pool works with.
const MIN_FRAMES: usize = 16;

impl Config {
    /// Refuses values out of range and features that are not built yet.
    pub(crate) fn validate(&self) -> Result<()> {
        self.validate_sizes()?;
        self.refuse_unsupported()
    }

    /// How many pages of `page_size` fit the pool.
    pub(crate) fn frames(&self, page_size: usize) -> usize {
        (self.buffer_pool_size / page_size).max(MIN_FRAMES)
    }

    /// Bytes of log between checkpoints.
    pub(crate) fn log_between_checkpoints(&self) -> u64 {
        let chosen = || (self.buffer_pool_size as u64 / 2).clamp(64 << 20, 1 << 30);
        self.checkpoint_log_size.unwrap_or_else(chosen)
    }

    fn validate_sizes(&self) -> Result<()> {
        if !self.page_size.is_power_of_two() || !(4096..=65536).contains(&self.page_size) {
            return refuse("page_size", "must be a power of two from 4096 to 65536");
        }
        if self.buffer_pool_size < MIN_FRAMES * self.page_size {
            return refuse("buffer_pool_size", "must hold at least 16 pages");
        }
        if self.max_connections == 0 {
            return refuse("max_connections", "must be at least 1");
        }
        if self
            .max_file_size
            .is_some_and(|size| size < 8 * self.page_size as u64)
        {
            return refuse("max_file_size", "must hold at least 8 pages");
        }
        if self.checkpoint_log_size.is_some_and(|size| size < 1 << 16) {
            return refuse("checkpoint_log_size", "must be at least 65536");
        }
        if self.log_segment_size < 32 << 10 || !self.log_segment_size.is_multiple_of(4096) {
            return refuse("log_segment_size", "must be a multiple of 4096, at least 32768");
        }
        if self
            .compaction_threshold
            .is_some_and(|share| !(0.2..=1.0).contains(&share))
        {
            return refuse("compaction_threshold", "must be from 0.2 to 1");
        }
        if !self.mvcc && !self.retention.is_zero() {
            return refuse("retention", "must be zero without mvcc");
        }
        if self.work_memory < 1 << 20 {
            return refuse("work_memory", "must be at least 1048576");
        }
        Ok(())
    }

    fn refuse_unsupported(&self) -> Result<()> {
        let missing = [
            (
                self.adaptive_indexing,
                "adaptive_indexing",
                "is not supported yet",
            ),
            (self.ml_optimizer, "ml_optimizer", "is not supported yet"),
            (
                self.compression != Compression::None,
                "compression",
                "is not supported yet",
            ),
        ];
        match missing.iter().find(|(asked, ..)| *asked) {
            Some((_, field, why)) => refuse(field, why),
            None => Ok(()),
        }
    }
}

fn refuse(field: &'static str, why: &'static str) -> Result<()> {
    Err(Error::Config { field, why })
}
