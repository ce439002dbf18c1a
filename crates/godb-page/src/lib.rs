//! Pages, checksums and files: the bottom layer of godb.

mod environment;
mod fault;
mod file;
mod file_system;
mod fs;
mod ids;
mod machine;
pub mod page;
pub mod slotted;
mod store;
pub mod sync;
#[cfg(any(test, feature = "testing"))]
pub mod testing;

pub use environment::{Clock, Environment, Joining, Random, Spawn};
pub use fault::Fault;
pub use file::{
    FORMAT_VERSION, FileHeader, HEADER_PAGES, MAX_STATE, MemoryPageStore, PageFile, PageFileOptions,
};
pub use file_system::{File, FileLock, FileSystem, OpenMode};
pub use fs::{Crash, Effect, Injection, MemoryFileSystem, Operations, RealFileSystem, SimulatedDisk, Tear};
pub use ids::{DatabaseId, Lsn, PageId, TreeId, TxnId};
pub use machine::{ManualClock, NoThreads, SeededRandom, SystemClock, SystemRandom, SystemSpawn};
pub use page::header::PageKind;
pub use store::PageStore;
