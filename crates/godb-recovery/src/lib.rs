//! Checkpoints and recovery.

mod recoverable;

pub use godb_wal::sync;
pub use godb_wal::{
    Chain, Clock, Environment, Fault, Joining, Lsn, Range, Spawn, Tree, TreeId, TxnId, Value,
};
pub use recoverable::Recoverable;
