//! A bounded pool of pages in memory, with latches, eviction and write-back.
//!
//! # The problem
//!
//! A disk is a thousand times slower than memory and a hundred times larger. The layers above want to work on pages as if all were in memory, from many threads at
//! once, within a fixed budget. So somebody has to decide which pages are there, see to it that a page is not changed while it is read nor taken away while
//! it is used, and bring changes back to the disk: late enough to be cheap, early enough that a crash costs seconds to repair, and **never before
//! the log has them**. That is the buffer pool (Effelsberg and Härder, *Principles of database buffer management*, 1984, is still the best overview).
//!
//! # The seam
//!
//! [`Pages`]: read and write guards, a page begun [`fresh`](Pages::fresh), a [`pin`](Pages::pin). The guards are the only door to page bytes. A write guard can be
//! read like a read guard; to change a byte one must [`stamp`](PageWrite::stamp) it with the position of the log record that describes the change. A page
//! that was changed without a record does not compile. [`MemoryPages`] is the simplest thing that keeps these promises, and the specification; [`Pool`] is the product.
//!
//! Three words that are easily confused:
//!
//! - a **pin** keeps a page in its frame; any number of threads may have one;
//! - a **latch** keeps its bytes still; shared or exclusive, held for microseconds, and never across a read from the disk;
//! - a **lock** belongs to a transaction and is held to its end. There are none in this crate.
//!
//! # Why nobody waits for a frame while holding a latch
//!
//! Sixteen threads with two latches each in a pool of sixteen frames, each wanting one page more: nobody would ever move again. Therefore an operation says
//! [beforehand](Pages::admit) how many pages it will hold at once, and waits *then*, with empty hands. The sum over all admitted operations never exceeds the
//! frames, so there is always one that can be emptied. To empty it may mean to write it, and the writer needs no latch that anybody might hold:
//! it only tries them, and passes by a page that is being changed.
//!
//! # The hit path
//!
//! Nearly every access finds its page in memory, so this path decides the speed of everything above: a hash, a walk along one or two frames,
//! an atomic addition that pins, a second look whether the frame still holds the page, the latch. No lock of the table, and no list to move the page in: an exact LRU
//! list would make every reader a writer of the same cache line. The frame gets a mark instead, and the [policy](EvictionPolicy) reads the marks when it
//! needs a victim. [S3-FIFO](S3Fifo) is the default; like LRU-K it keeps scans from washing out the hot set, which CLOCK does not, and LRU teaches why that matters.
//!
//! Pin and latch are still four writes to the frame, and the root's frame is everybody's. So there is a way past them, for readers who can do without waiting: a
//! [glance](Pages::glance). It is announced in a place that only this thread writes to, and whoever changes or evicts pages looks there (`pool/glances.rs`). Readers on
//! different cores then share no line that anybody writes, and need no admission, since they wait for nothing.
//!
//! # What is dirty, and since when
//!
//! A changed page remembers its *floor*: the log position from which redo would have to start if memory were lost now. The smallest floor of all pages is where
//! a checkpoint may place the beginning of redo ([`Pages::oldest_dirty`]). Three things make this harder than it sounds. A page may change while its copy is being
//! written; then it stays dirty, with the floor of the first such change. A page that was written is not durable; its floor counts until the file was synced. And a
//! page that nobody wants any more cannot just be dropped: redo from an earlier point would meet its later changes without the earlier ones.
//!
//! # Failing
//!
//! A read that fails is told to everybody who waited for that page, and tried again by the next who comes. A write that fails leaves the page dirty. A *sync*
//! that fails ends all writing until the database is opened again, and the floors stay where they were; reading goes on. A store that gives back an older state of a page than was
//! written to it is caught, most of the time, by a small table of LSNs.
//!
//! # Invariants
//!
//! 1. A frame's page changes only while the frame is claimed, and a claim takes zero pins.
//! 2. A dirty page is never evicted, and dirty it remains until its write has returned: so no reader can get older bytes from the store.
//! 3. At most one copy of a page is on its way to the store.
//! 4. A page is written only after [`LogBarrier::wait_durable`] has returned for its newest record.
//! 5. [`Pages::oldest_dirty`] never exceeds the floor of a change that is not durable in the file.
//!
//! The models in `tests/loom.rs` run the pool itself under every interleaving, each with a bug that it must find.
//!
//! # Left out
//!
//! *Pointer swizzling and virtual-memory tricks* (LeanStore, vmcache) save the hash and cost unsafe code throughout. *Optimistic latches*, which let readers write no shared line at all,
//! would be data races on plain bytes in Rust's memory model; glances reach the same end by the rules. *A pool shared by several files*: a database is one file.

mod barrier;
mod memory;
mod pages;
mod policy;
mod pool;
#[cfg(any(test, feature = "testing"))]
pub mod testing;

pub use barrier::{LogBarrier, NoLog};
pub use godb_page::PageKind;
pub use godb_page::page::header;
pub use godb_page::slotted;
pub use godb_page::sync;
pub use godb_page::{
    Clock, DATABASE_FILE, DatabaseId, Environment, Fault, File, FileLock, FileSystem, Joining, Lsn,
    ManualClock, MemoryFileSystem, MemoryPageStore, OpenMode, PageId, PageStore, Random, SeededRandom, Spawn,
    TreeId, TxnId,
};
pub use godb_page::{Crash, Effect, Injection, Operations, SimulatedDisk, Tear};
pub use memory::{MemoryPages, MemoryRead, MemoryWrite};
pub use pages::{PageWrite, Pages};
pub use policy::{Clock as ClockPolicy, EvictionKind, EvictionPolicy, Frames, Lru, LruK, S3Fifo};
pub use pool::{
    Admission, MIN_FRAMES, PageGlance, PageReadGuard, PageWriteGuard, Pinned, Pool, PoolStats, Stored,
};
