//! Versions, snapshots and time travel.

mod engine;
mod error;

pub use engine::{
    Begin, EngineCursor, EngineSavepoint, EngineTransaction, Isolation, Moment, StorageEngine, Strength,
    Timestamp,
};
pub use error::Error;
pub use godb_txn::sync;
pub use godb_txn::{Clock, Environment, Fault, Joining, Range, Spawn, TreeId, TxnId};
