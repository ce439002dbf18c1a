//! The lock manager: who may touch what, and who waits for whom.
//!
//! Every locked resource has a [`queue`] of granted and waiting requests, served first come, first served; an upgrade
//! of a lock already held goes to the front. Queues live in parts of a hash table with a lock each. Nobody who waits holds such a lock.
//! When a request begins to wait, the [`graph`] of who waits for whom is searched for a cycle; the youngest transaction in it gives way.

mod graph;
mod holdings;
mod manager;
mod mode;
mod queue;
mod ticket;

pub use manager::{LockManager, LockOptions, LockStats, TransactionStatus};
