//! Transactions and locks.

mod error;
mod lock;
mod manager;
mod transactions;

pub use error::Error;
pub use godb_recovery::sync;
pub use godb_recovery::{
    Chain, Clock, Environment, Fault, Joining, Lsn, PageId, Range, Spawn, Tree, TreeId, TxnId, Value,
};
pub use lock::{LockManager, LockOptions, LockStats};
pub use manager::TransactionManager;
pub use transactions::{CommitHook, Mode, Resource, Savepoint, Transactions};
