//! Ordered trees of pages.

mod btree;
mod change;
mod chunk;
mod codec;
mod journal;
mod logical;
mod map;
mod memory;
mod meta;
mod node;
mod overflow;
mod space;
mod step;
#[cfg(any(test, feature = "testing"))]
pub mod testing;
mod tree;

pub use btree::{BTree, BTreeCursor, Check, Finding, TreeStatistics};
pub use godb_buffer::sync;
pub use godb_buffer::{
    Clock, DatabaseId, Environment, Fault, File, FileLock, FileSystem, Joining, LogBarrier, Lsn, ManualClock,
    MemoryFileSystem, OpenMode, PageId, Random, SeededRandom, Spawn, TreeId, TxnId,
};
pub use godb_buffer::{Crash, Effect, Injection, Operations, SimulatedDisk, Tear};
pub use journal::{Change, Journal, NoJournal, Room, Undo, size_of_change};
pub use memory::{MemoryCursor, MemoryTree};
pub use tree::{Chain, Range, Tree, Value};

/// Refuses a size beyond a limit of the format.
fn too_large(what: &'static str, got: usize, limit: usize) -> Result<(), Fault> {
    if got <= limit {
        return Ok(());
    }
    Err(Fault::TooLarge {
        what,
        got: got as u64,
        limit: limit as u64,
    })
}
