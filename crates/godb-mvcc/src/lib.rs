//! Versions, snapshots and time travel.

mod engine;
mod error;
mod memory;
mod mvcc;

pub use engine::{
    Begin, EngineCursor, EngineSavepoint, EngineTransaction, Isolation, Moment, ShowRow, StorageEngine,
    Strength, Timestamp,
};
pub use error::Error;
pub use godb_txn::sync;
pub use godb_txn::{Clock, Environment, Fault, Joining, Range, Spawn, TreeId, TxnId};
pub use memory::MemoryEngine;
pub use mvcc::{Commits, MvccEngine, MvccOptions, RecoveredCommits};
#[cfg(godb_loom)]
pub use mvcc::{Publication, Taken};
