//! Ordered trees of pages.

mod journal;
mod tree;

pub use godb_buffer::sync;
pub use godb_buffer::{
    Clock, DatabaseId, Environment, Fault, File, FileSystem, Joining, LogBarrier, Lsn, ManualClock, MemoryFileSystem, OpenMode, PageId,
    Random, Spawn, TreeId, TxnId,
};
pub use journal::{Change, Journal, NoJournal, Room, Undo, size_of_change};
pub use tree::{Chain, Range, Tree, Value};
