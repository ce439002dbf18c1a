//! What the engine can refuse, beside the faults of the machine.

use godb_txn::{Fault, TxnId};

/// Why an engine request failed.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The medium or the machine failed.
    #[error(transparent)]
    Fault(#[from] Fault),
    /// The commit may have happened or not: the database tells when it is opened again.
    #[error("the outcome of the commit is unknown until the database is opened again: {0}")]
    OutcomeUnknown(Fault),
    /// Waiting on would have waited for ever; this transaction was chosen to give way.
    #[error("deadlock detected: transactions {} wait for each other, each for the next", Cycle(.cycle))]
    Deadlock {
        /// The transactions of the cycle, the victim first.
        cycle: Vec<TxnId>,
    },
    /// An older transaction wants what this one holds, or holds what this one wants: it gives way, so that nobody comes to wait for ever.
    #[error("deadlock avoided: transaction {victim} gave way to the older transaction {to}")]
    GaveWay {
        /// The one that failed.
        victim: TxnId,
        /// The older one.
        to: TxnId,
    },
    /// The lock was not free within the configured time.
    #[error("canceling statement due to lock timeout after {waited_ms} ms")]
    LockTimeout {
        /// How long it waited, in milliseconds.
        waited_ms: u64,
    },
    /// Whoever waited for a lock was told to wait no longer.
    #[error("canceling statement due to user request")]
    Interrupted,
    /// Another transaction changed the key after this one's snapshot.
    #[error("could not serialize access due to concurrent update")]
    Conflict,
    /// Transactions that are serializable read what each other changed, so that no order of them one after the other might give the same; this one was chosen to give way.
    #[error("could not serialize access due to read/write dependencies among transactions")]
    Dependencies,
    /// The moment asked for is older than what is kept.
    #[error("the database keeps no versions from {asked}; the oldest moment it can show is {oldest}")]
    TooOld {
        /// What was asked for, in words.
        asked: String,
        /// The oldest moment there is, in words.
        oldest: String,
    },
    /// The moment asked for has not come yet.
    #[error("{asked} lies in the future")]
    InFuture {
        /// What was asked for, in words.
        asked: String,
    },
    /// A write in a transaction that only reads.
    #[error("cannot write in a read-only transaction")]
    ReadOnlyTransaction,
    /// There is no such tree (any more).
    #[error("no such tree")]
    NoSuchTree,
    /// The engine does not do this, or not yet.
    #[error("not supported: {what}")]
    Unsupported {
        /// What.
        what: &'static str,
    },
    /// Reading the value to be stored failed; its error in words.
    #[error("cannot read the value to store: {why}")]
    Source {
        /// The reader's error.
        why: String,
    },
}

impl Error {
    /// Whether running the transaction again can succeed.
    #[must_use]
    pub fn is_retryable(&self) -> bool {
        matches!(
            self,
            Self::Deadlock { .. }
                | Self::GaveWay { .. }
                | Self::LockTimeout { .. }
                | Self::Conflict
                | Self::Dependencies
        )
    }

    /// The id of the transaction that had to give way, so that the next try can be counted as old as the first: [`Begin::first_try`](crate::Begin::first_try).
    #[must_use]
    pub fn victim(&self) -> Option<TxnId> {
        match self {
            Self::Deadlock { cycle } => cycle.first().copied(),
            Self::GaveWay { victim, .. } => Some(*victim),
            _ => None,
        }
    }

    /// Whether the transaction can only be rolled back now.
    #[must_use]
    pub fn is_fatal_to_transaction(&self) -> bool {
        matches!(
            self,
            Self::Fault(_)
                | Self::Deadlock { .. }
                | Self::GaveWay { .. }
                | Self::Conflict
                | Self::Dependencies
        )
    }
}

/// Ids, each of which waits for the next, and the last for the first.
struct Cycle<'a>(&'a [TxnId]);

impl std::fmt::Display for Cycle<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for (i, id) in self.0.iter().enumerate() {
            write!(f, "{}{id}", if i == 0 { "" } else { ", " })?;
        }
        Ok(())
    }
}

impl From<godb_txn::Error> for Error {
    fn from(error: godb_txn::Error) -> Self {
        match error {
            godb_txn::Error::Fault(fault) => Self::Fault(fault),
            godb_txn::Error::OutcomeUnknown(fault) => Self::OutcomeUnknown(fault),
            godb_txn::Error::Deadlock { cycle } => Self::Deadlock { cycle },
            godb_txn::Error::GaveWay { victim, to } => Self::GaveWay { victim, to },
            godb_txn::Error::LockTimeout { waited_ms } => Self::LockTimeout { waited_ms },
            godb_txn::Error::Interrupted => Self::Interrupted,
            other => Self::Fault(Fault::Poisoned {
                why: other.to_string().into(),
            }),
        }
    }
}
