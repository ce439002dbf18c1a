//! The write-ahead log: what makes a change survive before its page does.
//!
//! # The problem
//!
//! A transaction changes pages scattered over the file. Writing them all at commit would be slow, and a crash in the middle would leave half a
//! transaction. So the database describes each change in a *log*, a file that only grows at its end, and a commit waits for the log alone. Pages are
//! written later, in any order, batched; after a crash the log tells what they should have held (Gray and Reuter, 1993; Mohan et al., ARIES, 1992).
//! That works as long as the log is always ahead. The write-ahead rule has three clauses, and this crate has a hand in each:
//!
//! 1. no page byte changes without a record: the tree asks the [journal](godb_btree::Journal) for a position, and the pool gives bytes only in exchange for one;
//! 2. no page is overwritten before its record is durable: the pool asks [`LogBarrier`](godb_btree::LogBarrier);
//! 3. no commit is acknowledged before its record is durable: [`Wal::acknowledge`].
//!
//! # What an append must never do
//!
//! The tree appends while it holds page latches. If an append could wait for the disk, everybody who wants those pages would wait too; if it could fail, the page
//! would be half changed. So an append only copies into memory, under one short lock, and everything that may wait or fail happens before, in
//! [`reserve`](godb_btree::Journal::reserve): room in the buffer, room in files that are already allocated, and room for taking it all back. A
//! rollback therefore needs no space that is not there already; a full disk refuses new work and never traps old work.
//!
//! # Positions
//!
//! A record's position, its *LSN*, is the place of its first byte in an endless log: segment and offset follow by division. It
//! only grows, also over a clean close, because pages remember the LSN of their last change and versions use the LSN of the commit as their timestamp.
//!
//! # Why blocks are never written twice
//!
//! The log is written in blocks of 4 KiB with a checksum. A commit of 200 bytes leaves most of a block empty, and it is tempting to let the next commit fill
//! the rest and write the block again. But a disk may tear a write: a power cut during that second write can destroy the first commit, which was acknowledged.
//! So **a flush always begins a new block**, and what was written stays untouched until its segment is recycled. The price is some empty space
//! for a lone committer; with many, a flush carries many commits and the blocks are full.
//!
//! For the same reason the log ends where the first bad block lies: whatever a crash tore was not acknowledged. Unless a witness says
//! otherwise: each block tells how far the log was durable when it was written, and the control file names the last checkpoint. A bad block before such a position is
//! damage, reported and never skipped. What lies *behind* the end may look perfectly whole, a remnant of a flush of which the middle was lost. It must not come back to
//! life when the gap is filled later. Every opening begins a new *epoch* with a block of its own, and blocks of an older epoch are no continuation of a newer one.
//!
//! # Group commit
//!
//! A sync costs the same for one commit as for fifty. [`Gate`] is the whole protocol: whoever finds nobody at work flushes for all, the rest wait. One failed sync
//! fails everybody, for ever: after an error the system may have dropped the data, and a second sync that succeeds proves nothing. The next opening therefore writes
//! anew what it wants to rely on, since what it reads may be only in memory.
//!
//! # The parts
//!
//! | file | what it is |
//! | --- | --- |
//! | `record`, `codec` | what is logged, and its bytes |
//! | `block`, `read` | blocks, and records across blocks |
//! | `buffer`, `space`, `active`, `ledger` | the end of the log in memory, promises, active transactions, the lock around them |
//! | `gate` | group commit |
//! | `segments`, `control` | the files |
//! | `log` | all of it together: [`Log`]; `log/survey` finds the end after a crash |
//! | `wal`, `logged`, `memory` | the seam upward, and its two implementations |
//!
//! Read [`MemoryLog`] first: it says in a hundred lines what the rest does with care.
//!
//! # What was left out
//!
//! - *Several flushes in flight.* While one leader syncs, another could already write and sync the next batch. On the disks measured the second sync waits for the
//!   first anyway, and acknowledging in order would need one more mechanism.
//! - *Lock-free appends* (Johnson et al., Aether, 2010). The one lock is held for the copying of a record; a change of a tree costs several times that.
//! - *Page images at the first change after a checkpoint.* Torn pages are the page store's business, which keeps safe copies, so the log stays small and the committer pays
//!   nothing for them.
//! - *Compression and encryption.* Block headers have room for a nonce and a tag.

mod active;
mod block;
mod buffer;
mod codec;
mod control;
mod doorbell;
mod gate;
mod ledger;
mod log;
mod logged;
mod memory;
mod options;
mod read;
mod record;
mod segment;
mod segments;
mod space;
mod wal;

#[cfg(test)]
#[cfg(not(godb_loom))]
mod conformance_tests;
#[cfg(any(test, feature = "testing"))]
pub mod testing;

pub use gate::Gate;
pub use godb_btree::sync;
pub use godb_btree::{
    Amended, Chain, Clock, Compaction, CompactionPhase, DatabaseId, Environment, Fault, FileSystem, Joining,
    Lsn, MemoryFileSystem, MemoryTree, NewHead, PageChange, PageId, Range, Row, Spawn, Tree, TreeId, TxnId,
    UndoNext, Value,
};
// For the models of the layer above.
#[cfg(godb_loom)]
pub use godb_btree::{Change, Journal, SimulatedDisk, Undo, size_of_change};
pub use log::{Log, LogCheck, LogStats, WreckedLog, control_flaws, log_epoch, read_wrecked_log, remove_log};
pub use logged::LoggedTree;
pub use memory::{MemoryLog, MemoryWal};
pub use options::{LogOptions, SyncMode};
pub use record::{Record, UndoRecord};
pub use wal::{ActiveTransaction, Wal};
