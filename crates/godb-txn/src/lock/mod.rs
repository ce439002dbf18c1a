//! The lock manager: who may touch what, and who waits for whom.
//!
//! Read [`mode`] first, then [`queue`]: every locked resource has one, with granted and waiting requests, served first come, first served; an upgrade
//! of a lock already held goes to the front. The [`table`] finds the queue of a resource. Tables in which ranges are locked have [`intervals`] in place of queues of keys; both are a [`line`](mod@line).
//! Nobody who waits holds a latch. When a request begins to wait, the [`graph`] is told, and the [`policy`] says who has to give way. [`holdings`] remember what to free at the end.

mod graph;
mod holdings;
mod intervals;
mod line;
mod manager;
mod mode;
mod name;
mod patience;
mod policy;
mod queue;
mod status;
mod table;
mod ticket;

pub use manager::{LockManager, LockOptions};
pub use name::{ById, LockedResource};
pub use patience::{Interrupt, Patience};
pub use policy::DeadlockPolicy;
pub use status::{LockStats, LockStatus, TransactionStatus, WaitPlace, WaitStats};
