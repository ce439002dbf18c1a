//! [`Log`]: the log of one database, in files.
//!
//! The parts, each in a file of its own: the [ledger](crate::ledger) holds the end that is not written yet; the two
//! [gates](crate::gate) decide who writes and who syncs; the segments hold what is written; the control file says where recovery begins.

mod check;
mod flush;
mod journal;
mod open;
mod records;
mod recycle;
mod stats;
mod survey;
mod wreck;

pub use check::{LogCheck, control_flaws, log_epoch};
pub use recycle::remove_log;
pub use stats::LogStats;
pub use wreck::{WreckedLog, read_wrecked_log};

use crate::block::{HEADER, Stamp, seal};
use crate::buffer::Buffer;
use crate::control::{Control, ControlFile};
use crate::gate::Gate;
use crate::ledger::{Ledger, UndoDoor};
use crate::options::{LogOptions, SyncMode};
use crate::segments::Segments;
use crate::space::Space;
use godb_btree::sync::Mutex;
use godb_btree::sync::atomic::{AtomicU64, Ordering};
use godb_btree::{Clock, DatabaseId, Environment, Fault, FileSystem, Lsn};
use records::Window;
use stats::Counters;
use std::sync::Arc;
use std::time::Duration;

/// The log of one database, in files of one directory.
///
/// It is the tree's journal, the pool's barrier, and, together with a tree, the [`Wal`](crate::Wal) of the layers above.
pub struct Log {
    database: DatabaseId,
    epoch: u64,
    block: usize,
    mode: SyncMode,
    sync_every: Duration,
    buffer: usize,
    clock: Arc<dyn Clock>,
    segments: Segments,
    control: Mutex<ControlFile>,
    /// What the control file says, for those who do not want to wait while it is written.
    keep: AtomicU64,
    checkpoint: AtomicU64,
    ledger: Arc<Ledger>,
    undo: UndoDoor,
    writes: Gate,
    syncs: Gate,
    /// The blocks of a flush as they go to disk; only the leader of a write uses it.
    image: Mutex<Vec<u8>>,
    /// What was last read by somebody who wanted a single record.
    window: Mutex<Window>,
    /// When the log was last synced, by the monotonic clock.
    last_sync: Mutex<Duration>,
    counters: Counters,
}

/// What is known of the files when a log starts to run.
#[derive(Clone, Copy)]
struct Start {
    database: DatabaseId,
    epoch: u64,
    block: usize,
    /// The first block to be written.
    at: u64,
}

impl Log {
    /// Makes a new, empty log in the directory `dir`, which is created when missing. Durable when it returns.
    ///
    /// Fails with [`Fault::Unusable`] when there is a log already, or when the sizes in `options` are impossible.
    pub fn create(
        fs: &Arc<dyn FileSystem>,
        dir: &str,
        options: &LogOptions,
        env: &Environment,
    ) -> Result<Arc<Self>, Fault> {
        let block = open::check_sizes(dir, options)?;
        open::prepare_directory(&**fs, dir)?;
        let start = options.start.raw().next_multiple_of(options.segment_size);
        let segments = Segments::new(
            fs.clone(),
            dir,
            options.segment_size,
            options
                .initial_size
                .next_multiple_of(options.segment_size.min(4 * block as u64)),
            start,
        );
        let room = segments.grow(start + 2 * block as u64);
        room.map_err(crate::segments::Trouble::into_fault)?;
        let stamp = Stamp {
            database: options.database_id,
            epoch: options.epoch,
            durable: start,
            allocated: segments.allocated(),
        };
        begin_epoch(&segments, start, block, &stamp)?;
        let control = ControlFile::create(
            &**fs,
            dir,
            Control {
                block_size: options.block_size,
                database: options.database_id,
                sequence: 0,
                epoch: options.epoch,
                segment_size: options.segment_size,
                keep: start,
                checkpoint: 0,
                allocated: segments.allocated(),
            },
        )?;
        fs.sync_dir(dir)?;
        fs.sync_dir(open::parent(dir))?;
        let start = Start {
            database: options.database_id,
            epoch: options.epoch,
            block,
            at: start + block as u64,
        };
        Ok(Arc::new(Self::run(start, segments, control, options, env)))
    }

    /// Starts a log whose files are in order.
    fn run(
        start: Start,
        segments: Segments,
        control: ControlFile,
        options: &LogOptions,
        env: &Environment,
    ) -> Self {
        let buffer = Buffer::new(start.block, start.at);
        let space = Space::new(start.block, options.buffer);
        let ledger = Arc::new(Ledger::new(buffer, space, options.buffer / 4));
        Self {
            database: start.database,
            epoch: start.epoch,
            block: start.block,
            mode: options.mode,
            sync_every: options.sync_every,
            buffer: options.buffer,
            clock: env.clock.clone(),
            segments,
            keep: AtomicU64::new(control.now.keep),
            checkpoint: AtomicU64::new(control.now.checkpoint),
            control: Mutex::new(control),
            undo: UndoDoor(ledger.clone()),
            ledger,
            writes: Gate::new(start.at),
            syncs: Gate::new(start.at),
            image: Mutex::new(Vec::new()),
            window: Mutex::new(Window::default()),
            last_sync: Mutex::new(env.clock.monotonic()),
            counters: Counters::default(),
        }
    }

    /// The epoch of the blocks that this log writes.
    #[must_use]
    pub fn epoch(&self) -> u64 {
        self.epoch
    }

    /// Where the next record will go.
    pub fn end(&self) -> Lsn {
        self.ledger.tail.lock().end()
    }

    /// How durable an acknowledged commit is.
    #[must_use]
    pub fn mode(&self) -> SyncMode {
        self.mode
    }

    /// Bytes of log that recovery would have to read if the process ended now.
    pub fn length(&self) -> u64 {
        self.end().raw().saturating_sub(self.keep.load(Ordering::Acquire))
    }
}

/// Writes the first block of an epoch, which holds nothing, and makes it durable. Whatever lies behind it belongs to an older
/// epoch from then on, and is never replayed.
fn begin_epoch(segments: &Segments, at: u64, block: usize, stamp: &Stamp) -> Result<(), Fault> {
    let mut bytes = vec![0; block];
    debug_assert!(block > HEADER);
    seal(&mut bytes, at, 0, stamp);
    segments.write(at, &bytes)?;
    segments.sync(at, at + block as u64)
}

#[cfg(test)]
#[cfg(not(godb_loom))]
mod edge_tests;
#[cfg(test)]
#[cfg(not(godb_loom))]
mod fault_tests;
#[cfg(test)]
#[cfg(not(godb_loom))]
mod model_tests;
#[cfg(test)]
#[cfg(not(godb_loom))]
mod tests;
