//! A bounded pool of pages in memory, with latches, eviction and write-back.

mod barrier;
mod memory;
mod pages;
mod policy;
mod pool;

pub use barrier::{LogBarrier, NoLog};
pub use godb_page::page::header;
pub use godb_page::PageKind;
pub use godb_page::slotted;
pub use godb_page::sync;
pub use godb_page::{
    Clock, DatabaseId, Environment, Fault, File, FileLock, FileSystem, Joining, Lsn, ManualClock,
    MemoryFileSystem, OpenMode, PageId, PageStore, Random, SeededRandom, Spawn, TreeId, TxnId,
};
pub use godb_page::{Crash, Effect, Injection, Operations, SimulatedDisk, Tear};
pub use memory::{MemoryPages, MemoryRead, MemoryWrite};
pub use pages::{PageWrite, Pages};
pub use policy::{Clock as ClockPolicy, EvictionKind, EvictionPolicy, Frames, Lru, LruK};
pub use pool::{Admission, MIN_FRAMES, PageReadGuard, PageWriteGuard, Pinned, Pool, PoolStats};
