//! What the lock manager shows of itself.

use super::name::LockedResource;
use crate::transactions::Mode;
use godb_recovery::{TreeId, TxnId};
use std::time::Duration;

/// What happened since the manager was made.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LockStats {
    /// Requests that had to wait.
    pub waits: u64,
    /// Times when somebody gave way so that nobody waits for ever.
    pub deadlocks: u64,
    /// Waits that took too long.
    pub timeouts: u64,
    /// Times when many locks on keys became one on their table.
    pub escalations: u64,
}

/// What is waited for, as coarse as waits are counted: a count for each key would have no bound.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum WaitPlace {
    /// The whole database.
    Database,
    /// A tree, or keys of it.
    Tree(TreeId),
    /// The end of another transaction that has written a row.
    Transaction,
}

impl From<&LockedResource> for WaitPlace {
    fn from(resource: &LockedResource) -> Self {
        match (resource.tree(), resource) {
            (Some(tree), _) => Self::Tree(tree),
            (None, LockedResource::Transaction(_)) => Self::Transaction,
            (None, _) => Self::Database,
        }
    }
}

/// Waits for one thing since the manager was made.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct WaitStats {
    /// How many there were.
    pub waits: u64,
    /// How many ended without the lock.
    pub failed: u64,
    /// How long all of them took together; zero in a manager without a clock.
    pub waited: Duration,
}

/// A transaction that runs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TransactionStatus {
    /// Its id.
    pub id: TxnId,
    /// How many locks it holds.
    pub locks: usize,
    /// Whom it waits for: who holds what it wants, or stands in line before it. Nobody when it runs.
    pub waits_for: Vec<TxnId>,
}

/// A lock that is held or waited for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LockStatus {
    /// By whom.
    pub by: TxnId,
    /// What.
    pub resource: LockedResource,
    /// How strongly.
    pub mode: Mode,
    /// Whether it is held.
    pub granted: bool,
}
