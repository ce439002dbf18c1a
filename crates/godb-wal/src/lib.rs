//! The write-ahead log.

mod active;
mod block;
mod buffer;
mod codec;
mod control;
mod gate;
mod ledger;
mod log;
mod logged;
mod memory;
mod options;
mod read;
mod record;
mod segments;
mod space;
mod wal;

#[cfg(all(test, not(godb_loom)))]
mod conformance_tests;
#[cfg(any(test, feature = "testing"))]
pub mod testing;

pub use gate::Gate;
pub use godb_btree::sync;
pub use godb_btree::{
    Chain, Clock, DatabaseId, Environment, Fault, FileSystem, Joining, Lsn, MemoryFileSystem, MemoryTree, PageId,
    Range, Spawn, Tree, TreeId, TxnId, Value,
};
pub use log::{Log, remove_log};
pub use logged::LoggedTree;
pub use memory::{MemoryLog, MemoryWal};
pub use options::{LogOptions, SyncMode};
pub use record::{Record, UndoRecord};
pub use wal::{ActiveTransaction, Wal};
