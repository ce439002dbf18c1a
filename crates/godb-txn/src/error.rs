//! What a transaction can be refused, beside the faults of the machine.

use godb_recovery::{Fault, TxnId};

/// Why a transactional request failed.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The medium or the machine failed.
    #[error(transparent)]
    Fault(#[from] Fault),
    /// The commit is logged, and whether the log is on the medium cannot be known: the database tells when it is opened again.
    #[error("the outcome of the commit is unknown until the database is opened again: {0}")]
    OutcomeUnknown(Fault),
    /// Waiting on would have waited for ever; this transaction was chosen to give way.
    #[error("deadlock: transactions {} wait for each other", Cycle(.cycle))]
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
    #[error("lock not available within {waited_ms} ms")]
    LockTimeout {
        /// How long it waited, in milliseconds.
        waited_ms: u64,
    },
    /// Whoever waited for a lock was told to wait no longer.
    #[error("waiting for a lock was interrupted")]
    Interrupted,
}

impl Error {
    /// Whether running the transaction again can succeed.
    #[must_use]
    pub fn is_retryable(&self) -> bool {
        matches!(
            self,
            Self::Deadlock { .. } | Self::GaveWay { .. } | Self::LockTimeout { .. }
        )
    }
}

struct Cycle<'a>(&'a [TxnId]);

impl std::fmt::Display for Cycle<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for (i, id) in self.0.iter().enumerate() {
            write!(f, "{}{id}", if i == 0 { "" } else { ", " })?;
        }
        Ok(())
    }
}
