//! [`WaitGraph`]: who waits for whom. A cycle in it is a deadlock.

use super::ticket::{Outcome, Ticket};
use godb_recovery::sync::Arc;
use godb_recovery::{Fault, TxnId};
use std::collections::BTreeMap;

/// One waiting transaction: whom it waits for, and where it sleeps. A transaction waits for one lock at a time.
struct Waiting {
    blockers: Vec<TxnId>,
    ticket: Arc<Ticket>,
}

/// Who waits for whom.
#[derive(Default)]
pub(super) struct WaitGraph {
    waiting: BTreeMap<TxnId, Waiting>,
    /// Why nobody may wait any more.
    refused: Option<Fault>,
}

impl WaitGraph {
    /// Notes, or notes anew, whom a transaction waits for.
    pub(super) fn set(&mut self, by: TxnId, blockers: Vec<TxnId>, ticket: Arc<Ticket>) {
        self.waiting.insert(by, Waiting { blockers, ticket });
    }

    /// A transaction waits no more.
    pub(super) fn remove(&mut self, by: TxnId) {
        self.waiting.remove(&by);
    }

    /// Everyone who waits, and whom for.
    pub(super) fn waits(&self) -> BTreeMap<TxnId, Vec<TxnId>> {
        let waiting = self.waiting.iter();
        waiting
            .map(|(id, waiting)| (*id, waiting.blockers.clone()))
            .collect()
    }

    /// From now on nobody waits: those who do are told why, and so is whoever comes.
    pub(super) fn refuse(&mut self, fault: &Fault) {
        self.refused.get_or_insert_with(|| fault.clone());
        if cfg!(godb_plant = "refuse-newcomers-only") {
            return;
        }
        for waiting in self.waiting.values() {
            waiting.ticket.settle(Outcome::Refused(fault.clone()));
        }
    }

    /// Why nobody may wait, if so.
    pub(super) fn refused(&self) -> Option<&Fault> {
        self.refused
            .as_ref()
            .filter(|_| !cfg!(godb_plant = "refuse-waiters-only"))
    }

    /// Looks for cycles through `from`; in each the youngest transaction is chosen to give way. Returns how many there were.
    pub(super) fn break_cycles(&mut self, from: TxnId) -> u64 {
        let mut broken = 0;
        while let Some(mut cycle) = self.cycle_through(from) {
            let youngest = cycle
                .iter()
                .enumerate()
                .max_by_key(|(_, id)| **id)
                .map_or(0, |(at, _)| at);
            cycle.rotate_left(youngest);
            // One whose wait has ended in another way is no part of a cycle any more: look again without it.
            if let Some(victim) = self.waiting.remove(&cycle[0])
                && victim.ticket.settle(Outcome::Victim(cycle))
            {
                broken += 1;
            }
        }
        broken
    }

    /// A path from `from` back to itself.
    fn cycle_through(&self, from: TxnId) -> Option<Vec<TxnId>> {
        let mut path = vec![(from, 0)];
        let mut seen = std::collections::BTreeSet::new();
        while let Some((at, next)) = path.last_mut() {
            let blocker = self
                .waiting
                .get(at)
                .and_then(|waiting| waiting.blockers.get(*next))
                .copied();
            *next += 1;
            match blocker {
                None => {
                    path.pop();
                }
                Some(blocker) if blocker == from => {
                    return Some(path.into_iter().map(|(id, _)| id).collect());
                }
                Some(blocker) if seen.insert(blocker) => path.push((blocker, 0)),
                Some(_) => {}
            }
        }
        None
    }
}
