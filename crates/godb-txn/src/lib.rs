//! Transactions and locks.

mod error;
mod lock;
mod manager;
#[cfg(any(test, feature = "testing"))]
pub mod testing;
mod transactions;

pub use error::Error;
pub use godb_recovery::sync;
pub use godb_recovery::{
    CHECKPOINT_EVERY, Chain, Clock, Environment, Fault, Joining, Lsn, MemoryLog, MemoryTree, MemoryWal,
    PageId, Range, Recovered, RecoveryOptions, Report, Resume, Spawn, Tree, TreeId, TxnId, Value, recover,
};
pub use lock::{LockManager, LockOptions, LockStats};
pub use manager::TransactionManager;
pub use transactions::{CommitHook, Mode, Resource, Savepoint, Transactions};
