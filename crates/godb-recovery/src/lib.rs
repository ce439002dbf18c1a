//! Checkpoints and recovery.

mod analysis;
mod checkpoint;
mod recover;
mod recoverable;
mod recovered;
mod resume;
mod undo;

#[cfg(test)]
mod crash_tests;
#[cfg(any(test, feature = "testing"))]
pub mod testing;

pub use analysis::Committed;
pub use godb_wal::sync;
pub use godb_wal::{
    Chain, Clock, Environment, Fault, Joining, Lsn, Range, Spawn, Tree, TreeId, TxnId, Value,
};
pub use recover::{CHECKPOINT_EVERY, Phase, Progress, RecoveryOptions, Report, recover};
pub use recoverable::Recoverable;
pub use recovered::Recovered;
pub use resume::Resume;
