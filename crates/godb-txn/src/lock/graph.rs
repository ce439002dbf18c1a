//! [`WaitGraph`]: who waits for whom, and who has to give way because of that.

use super::line::Edge;
use super::policy::{Age, DeadlockPolicy, Verdict};
use super::ticket::{Outcome, Ticket};
use godb_recovery::sync::Arc;
use godb_recovery::{Fault, TxnId};
use std::collections::{BTreeMap, BTreeSet};

/// One waiting transaction: whom it waits for, and where it sleeps. A transaction waits for one lock at a time.
struct Waiting {
    blockers: Vec<TxnId>,
    ticket: Arc<Ticket>,
}

/// Who waits for whom.
pub(super) struct WaitGraph {
    policy: DeadlockPolicy,
    waiting: BTreeMap<TxnId, Waiting>,
    /// The first tries of those that are tried again.
    first_tries: BTreeMap<TxnId, TxnId>,
    /// Those that have to give way as soon as they ask for anything, and to whom.
    wounded: BTreeMap<TxnId, TxnId>,
    /// How often somebody had to give way.
    victims: u64,
    /// Why nobody may wait any more.
    refused: Option<Fault>,
}

impl WaitGraph {
    /// Nobody waits.
    pub(super) fn new(policy: DeadlockPolicy) -> Self {
        Self {
            policy,
            waiting: BTreeMap::new(),
            first_tries: BTreeMap::new(),
            wounded: BTreeMap::new(),
            victims: 0,
            refused: None,
        }
    }

    fn age(&self, id: TxnId) -> Age {
        let first = self.first_tries.get(&id).copied().unwrap_or(id);
        Age { first, id }
    }

    /// Counts a transaction as old as its first try.
    pub(super) fn set_first_try(&mut self, id: TxnId, first: TxnId) {
        self.first_tries.insert(id, first);
    }

    /// Notes, or notes anew, whom those in a line wait for; by the policy some of them, or of those they wait for, give way now.
    pub(super) fn note(&mut self, edges: Vec<Edge>) {
        for (waiter, blockers, ticket) in edges {
            let ages = blockers.iter().map(|blocker| self.age(*blocker));
            let verdict = self.policy.judge(self.age(waiter), ages);
            let to = match (&verdict, self.wounded.get(&waiter)) {
                (Verdict::Die(to), _) => Some(*to),
                (_, Some(by)) if !cfg!(godb_plant = "wound-unseen-by-sleeper") => Some(*by),
                _ => None,
            };
            if let Some(to) = to {
                let died = ticket.settle(Outcome::GaveWay(to));
                self.victims += u64::from(died && matches!(verdict, Verdict::Die(_)));
                self.waiting.remove(&waiter);
                continue;
            }
            self.waiting.insert(waiter, Waiting { blockers, ticket });
            if let Verdict::Wound(younger) = verdict {
                younger.into_iter().for_each(|victim| self.wound(victim, waiter));
            }
        }
    }

    /// One must give way to `by`: at once if it waits, else when it asks for something or wants to commit.
    fn wound(&mut self, victim: TxnId, by: TxnId) {
        if self.wounded.insert(victim, by).is_none() {
            self.victims += 1;
        }
        if cfg!(godb_plant = "wound-runners-only") {
            return;
        }
        if let Some(waiting) = self.waiting.get(&victim) {
            waiting.ticket.settle(Outcome::GaveWay(by));
        }
    }

    /// To whom a transaction has to give way.
    pub(super) fn wounded_by(&self, id: TxnId) -> Option<TxnId> {
        self.wounded.get(&id).copied()
    }

    /// A transaction has ended.
    pub(super) fn forget(&mut self, id: TxnId) {
        self.first_tries.remove(&id);
        if !cfg!(godb_plant = "wound-kept") {
            self.wounded.remove(&id);
        }
    }

    /// Of how many transactions it is noted that they are older than their ids, or wounded.
    pub(super) fn marks(&self) -> usize {
        self.first_tries.len() + self.wounded.len()
    }

    /// How often somebody had to give way.
    pub(super) fn victims(&self) -> u64 {
        self.victims
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

    /// Looks for cycles through `from`, where the policy wants that; in each the youngest transaction is chosen to give way.
    pub(super) fn break_cycles(&mut self, from: TxnId) {
        if !self.policy.searches() {
            return;
        }
        while let Some(mut cycle) = self.cycle_through(from) {
            let youngest = cycle
                .iter()
                .enumerate()
                .max_by_key(|(_, id)| self.age(**id))
                .map_or(0, |(at, _)| at);
            cycle.rotate_left(youngest);
            // One whose wait has ended in another way is no part of a cycle any more: look again without it.
            if let Some(victim) = self.waiting.remove(&cycle[0])
                && victim.ticket.settle(Outcome::Victim(cycle))
            {
                self.victims += 1;
            }
        }
    }

    /// A path from `from` back to itself.
    fn cycle_through(&self, from: TxnId) -> Option<Vec<TxnId>> {
        let mut path = vec![(from, 0)];
        let mut seen = BTreeSet::new();
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
