//! Pages, checksums and files: the bottom layer of godb.

mod environment;
mod fault;
mod file_system;
mod ids;
mod store;

pub use environment::{Clock, Environment, Joining, Random, Spawn};
pub use fault::Fault;
pub use file_system::{File, FileLock, FileSystem, OpenMode};
pub use ids::{DatabaseId, Lsn, PageId, TreeId, TxnId};
pub use store::PageStore;
