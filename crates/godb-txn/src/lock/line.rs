//! [`Line`]: who holds something and who waits for it, first come, first served.
//!
//! There are two. A [queue](super::queue) is the line of one resource. [Intervals](super::intervals) are the line of a whole tree in which ranges of keys are locked: there a request
//! may meet several others, and stands behind those that it overlaps.

use super::name::LockedResource;
use super::status::LockStatus;
use super::ticket::Ticket;
use crate::transactions::Mode;
use godb_recovery::TxnId;
use godb_recovery::sync::Arc;

/// What came of asking.
pub(super) enum Answer {
    /// It was held as strongly before.
    Held,
    /// It is held now; whether nothing was held of it before.
    Granted(bool),
    /// It must be waited for here; whether nothing is held of it yet.
    MustWait(Arc<Ticket>, bool),
    /// It is not free, and was not to be waited for.
    Busy,
}

/// Who waits, for whom, and where it sleeps.
pub(super) type Edge = (TxnId, Vec<TxnId>, Arc<Ticket>);

/// Granted and waiting requests.
pub(super) trait Line {
    /// Grants a request if that is possible at once; if not, and if it is to `wait`, puts it in line.
    fn ask(&mut self, by: TxnId, what: &LockedResource, mode: Mode, wait: bool) -> Answer;
    /// Forgets a grant; returns those whose wait ends thereby.
    fn release(&mut self, by: TxnId, what: &LockedResource) -> Vec<TxnId>;
    /// Forgets a transaction's waiting request; returns those whose wait ends thereby.
    fn give_up(&mut self, by: TxnId) -> Vec<TxnId>;
    /// Whether somebody waits.
    fn has_waiters(&self) -> bool;
    /// For everyone who waits here: whom for. Holders that exclude it, and those in line before it that do.
    fn edges(&self) -> Vec<Edge>;
    /// Adds all requests to `list`.
    fn show(&self, what: &LockedResource, list: &mut Vec<LockStatus>);
}
