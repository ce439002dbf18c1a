//! [`LockManager`]: locks on resources, held by transactions.

use super::graph::WaitGraph;
use super::holdings::{Escalation, Holdings};
use super::queue::{Asked, Queue};
use super::ticket::{Outcome, Ticket};
use crate::error::Error;
use crate::transactions::{Mode, Resource};
use godb_recovery::sync::atomic::{AtomicU64, Ordering};
use godb_recovery::sync::{Arc, Mutex};
use godb_recovery::{Fault, TreeId, TxnId};
use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hash, Hasher};
use std::time::Duration;

/// How many parts each table has; few in a model, to which each lock costs time.
const PARTS: usize = if cfg!(godb_loom) { 2 } else { 64 };

/// A resource that owns its key.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) enum Name {
    Database,
    Table(TreeId),
    Key(TreeId, Box<[u8]>),
    Transaction(TxnId),
}

impl From<Resource<'_>> for Name {
    fn from(resource: Resource<'_>) -> Self {
        match resource {
            Resource::Database => Self::Database,
            Resource::Table(tree) => Self::Table(tree),
            Resource::Key(tree, key) => Self::Key(tree, key.into()),
            Resource::Transaction(id) => Self::Transaction(id),
        }
    }
}

/// The FNV-1a hash: short keys, no seed, so that a model runs the same way each time.
pub(crate) struct Fnv(u64);

impl Default for Fnv {
    fn default() -> Self {
        Self(0xCBF2_9CE4_8422_2325)
    }
}

impl Hasher for Fnv {
    fn finish(&self) -> u64 {
        self.0 ^ (self.0 >> 32)
    }

    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = (self.0 ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01B3);
        }
    }
}

pub(super) type Build = BuildHasherDefault<Fnv>;

/// How locks behave.
#[derive(Clone, Copy, Debug)]
pub struct LockOptions {
    /// How long a request waits.
    pub timeout: Duration,
}

/// What happened since the manager was made.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LockStats {
    /// Requests that had to wait.
    pub waits: u64,
    /// Cycles that were broken.
    pub deadlocks: u64,
    /// Waits that took too long.
    pub timeouts: u64,
    /// Times when many locks on keys became one on their table.
    pub escalations: u64,
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

/// What each transaction of a part of the table holds.
type Held = HashMap<TxnId, Holdings, Build>;

/// Locks on resources.
pub struct LockManager {
    options: LockOptions,
    queues: Box<[Mutex<HashMap<Name, Queue, Build>>]>,
    held: Box<[Mutex<Held>]>,
    graph: Mutex<WaitGraph>,
    waits: AtomicU64,
    deadlocks: AtomicU64,
    timeouts: AtomicU64,
    escalations: AtomicU64,
}

impl LockManager {
    /// Nothing is locked.
    #[must_use]
    pub fn new(options: LockOptions) -> Self {
        Self {
            options,
            queues: (0..PARTS).map(|_| Mutex::new(HashMap::default())).collect(),
            held: (0..PARTS).map(|_| Mutex::new(HashMap::default())).collect(),
            graph: Mutex::new(WaitGraph::default()),
            waits: AtomicU64::new(0),
            deadlocks: AtomicU64::new(0),
            timeouts: AtomicU64::new(0),
            escalations: AtomicU64::new(0),
        }
    }

    /// Takes a lock, and before it the intention locks on what lies above; waits where it must. Who holds very many keys of a table gets the table.
    pub fn lock(&self, by: TxnId, what: Resource<'_>, mode: Mode) -> Result<(), Error> {
        match self.escalation(by, what, mode) {
            Escalation::None => {}
            Escalation::Try(all) => {
                self.try_escalate(by, what, all);
            }
            Escalation::Wait(all) => self.escalate(by, what, all)?,
        }
        for (what, mode) in steps(what, mode) {
            self.lock_one(by, what, mode)?;
        }
        Ok(())
    }

    /// Takes a lock if that needs no waiting. Intention locks that were taken on the way stay: they hinder few.
    pub fn try_lock(&self, by: TxnId, what: Resource<'_>, mode: Mode) -> bool {
        let may = match self.escalation(by, what, mode) {
            Escalation::None => true,
            Escalation::Try(all) => {
                self.try_escalate(by, what, all);
                true
            }
            Escalation::Wait(all) => self.try_escalate(by, what, all),
        };
        may && self.try_lock_steps(by, what, mode)
    }

    fn try_lock_steps(&self, by: TxnId, what: Resource<'_>, mode: Mode) -> bool {
        steps(what, mode).all(|(what, mode)| self.try_lock_one(by, what, mode))
    }

    /// Frees everything that a transaction holds.
    pub fn release_all(&self, by: TxnId) {
        let held = self.held_by(by).lock().remove(&by).unwrap_or_default();
        for name in held.into_names() {
            self.with_queue(&name, |queue| queue.release(by));
        }
    }

    /// From now on nobody waits: those who do, and those who would, get this fault at once. What is free is still given.
    pub fn refuse_waiting(&self, fault: &Fault) {
        self.graph.lock().refuse(fault);
    }

    /// How many locks a transaction holds.
    #[must_use]
    pub fn count_held(&self, by: TxnId) -> usize {
        self.held_by(by).lock().get(&by).map_or(0, Holdings::len)
    }

    /// The transactions that hold locks or wait for some, in the order of their ids. Each is shown as it was at some moment of the call.
    #[must_use]
    pub fn transactions(&self) -> Vec<TransactionStatus> {
        let mut waits = self.graph.lock().waits();
        let mut found = Vec::new();
        for part in &self.held {
            found.extend(part.lock().iter().map(|(id, holdings)| TransactionStatus {
                id: *id,
                locks: holdings.len(),
                waits_for: waits.remove(id).unwrap_or_default(),
            }));
        }
        found.sort_unstable_by_key(|status| status.id);
        found
    }

    /// What happened so far.
    #[must_use]
    pub fn stats(&self) -> LockStats {
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        LockStats {
            waits: read(&self.waits),
            deadlocks: read(&self.deadlocks),
            timeouts: read(&self.timeouts),
            escalations: read(&self.escalations),
        }
    }

    fn held_by(&self, by: TxnId) -> &Mutex<Held> {
        &self.held[part(&by)]
    }

    /// Whether the transaction holds the resource at least so strongly.
    fn holds(&self, by: TxnId, name: &Name, mode: Mode) -> bool {
        let held = self.held_by(by).lock();
        held.get(&by).is_some_and(|holdings| holdings.covers(name, mode))
    }

    fn note_held(&self, by: TxnId, name: Name, mode: Mode) {
        let mut held = self.held_by(by).lock();
        held.entry(by).or_default().add(name, mode);
    }

    /// What is to be done before this lock is asked for, if it is one on a key and there are many already.
    fn escalation(&self, by: TxnId, what: Resource<'_>, mode: Mode) -> Escalation {
        let Resource::Key(tree, _) = what else {
            return Escalation::None;
        };
        let held = self.held_by(by).lock();
        held.get(&by)
            .map_or(Escalation::None, |holdings| holdings.escalation(tree, mode))
    }

    /// Takes the table of a key, if it is free; tells whether it did.
    fn try_escalate(&self, by: TxnId, key: Resource<'_>, mode: Mode) -> bool {
        let Resource::Key(tree, _) = key else { return false };
        let taken = self.try_lock_steps(by, Resource::Table(tree), mode);
        if taken || cfg!(godb_plant = "escalate-regardless") {
            self.free_keys(by, tree);
        }
        taken
    }

    /// Waits for the table of a key.
    fn escalate(&self, by: TxnId, key: Resource<'_>, mode: Mode) -> Result<(), Error> {
        let Resource::Key(tree, _) = key else {
            return Ok(());
        };
        for (what, mode) in steps(Resource::Table(tree), mode) {
            self.lock_one(by, what, mode)?;
        }
        self.free_keys(by, tree);
        Ok(())
    }

    /// Frees the keys of a table that is held as strongly.
    fn free_keys(&self, by: TxnId, tree: TreeId) {
        self.escalations.fetch_add(1, Ordering::Relaxed);
        let taken = self
            .held_by(by)
            .lock()
            .get_mut(&by)
            .map(|holdings| holdings.take_keys(tree));
        for name in taken.unwrap_or_default() {
            self.with_queue(&name, |queue| queue.release(by));
        }
    }

    fn try_lock_one(&self, by: TxnId, what: Resource<'_>, mode: Mode) -> bool {
        let name = Name::from(what);
        if self.holds(by, &name, mode) {
            return true;
        }
        let granted = {
            let mut queues = self.queues[part(&name)].lock();
            let queue = queues.entry(name.clone()).or_default();
            let granted = queue.try_grant(by, mode);
            if granted {
                self.note_edges(queue);
            } else if queue.is_empty() {
                queues.remove(&name);
            }
            granted
        };
        if granted {
            self.note_held(by, name, mode);
        }
        granted
    }

    fn lock_one(&self, by: TxnId, what: Resource<'_>, mode: Mode) -> Result<(), Error> {
        let name = Name::from(what);
        if self.holds(by, &name, mode) {
            return Ok(());
        }
        if let Some(ticket) = self.ask(by, &name, mode) {
            self.waits.fetch_add(1, Ordering::Relaxed);
            let outcome = ticket.wait(self.options.timeout);
            self.after_wait(by, &name, outcome)?;
        }
        self.note_held(by, name, mode);
        Ok(())
    }

    /// Asks for a lock; if it must be waited for, notes that in the graph and looks for a cycle.
    fn ask(&self, by: TxnId, name: &Name, mode: Mode) -> Option<Arc<Ticket>> {
        let mut queues = self.queues[part(name)].lock();
        let queue = queues.entry(name.clone()).or_default();
        match queue.ask(by, mode) {
            Asked::Granted => {
                self.note_edges(queue);
                None
            }
            Asked::MustWait(ticket) => {
                let mut graph = self.graph.lock();
                for (waiter, blockers, ticket) in queue.edges() {
                    graph.set(waiter, blockers, ticket);
                }
                if let Some(fault) = graph.refused() {
                    ticket.settle(Outcome::Refused(fault.clone()));
                }
                let broken = graph.break_cycles(by);
                self.deadlocks.fetch_add(broken, Ordering::Relaxed);
                Some(ticket)
            }
        }
    }

    /// Notes whom those in line wait for now: one that strengthened its lock ahead of them may stand in the way of more of them.
    /// It runs, so that closes no cycle yet; when it waits later, the cycle is found.
    fn note_edges(&self, queue: &Queue) {
        if queue.has_waiters() && !cfg!(godb_plant = "upgrade-unnoted") {
            let mut graph = self.graph.lock();
            for (waiter, blockers, ticket) in queue.edges() {
                graph.set(waiter, blockers, ticket);
            }
        }
    }

    fn after_wait(&self, by: TxnId, name: &Name, outcome: Outcome) -> Result<(), Error> {
        let error = match outcome {
            Outcome::Granted | Outcome::Waiting => return Ok(()),
            Outcome::Victim(cycle) => Error::Deadlock { cycle },
            Outcome::Refused(fault) => Error::Fault(fault),
            Outcome::TimedOut => {
                self.timeouts.fetch_add(1, Ordering::Relaxed);
                let waited_ms = u64::try_from(self.options.timeout.as_millis()).unwrap_or(u64::MAX);
                Error::LockTimeout { waited_ms }
            }
        };
        self.with_queue(name, |queue| {
            let mut ended = queue.give_up(by);
            ended.push(by);
            ended
        });
        Err(error)
    }

    /// Changes a queue, and notes for the graph what that changed for those who wait in it.
    fn with_queue(&self, name: &Name, change: impl FnOnce(&mut Queue) -> Vec<TxnId>) {
        let mut queues = self.queues[part(name)].lock();
        let Some(queue) = queues.get_mut(name) else { return };
        // The graph is locked before anybody is woken: one who is, and waits elsewhere at once, notes that only afterwards.
        #[cfg(not(godb_plant = "wake-before-graph"))]
        let mut graph = queue.has_waiters().then(|| self.graph.lock());
        let no_longer_waiting = change(queue);
        #[cfg(godb_plant = "wake-before-graph")]
        let mut graph = Some(self.graph.lock());
        if let Some(graph) = &mut graph {
            no_longer_waiting
                .into_iter()
                .for_each(|waiter| graph.remove(waiter));
            for (waiter, blockers, ticket) in queue.edges() {
                graph.set(waiter, blockers, ticket);
            }
        }
        drop(graph);
        if queue.is_empty() {
            queues.remove(name);
        }
    }
}

/// The locks that a request amounts to, the highest first.
fn steps(what: Resource<'_>, mode: Mode) -> impl Iterator<Item = (Resource<'_>, Mode)> {
    let intention = mode.intention();
    let above = match what {
        Resource::Database | Resource::Transaction(_) => [None, None],
        Resource::Table(_) => [Some(Resource::Database), None],
        Resource::Key(tree, _) => [Some(Resource::Database), Some(Resource::Table(tree))],
    };
    above
        .into_iter()
        .flatten()
        .map(move |above| (above, intention))
        .chain([(what, mode)])
}

fn part(of: &impl Hash) -> usize {
    let mut hasher = Fnv::default();
    of.hash(&mut hasher);
    usize::try_from(hasher.finish() % PARTS as u64).unwrap_or(0)
}

#[cfg(test)]
mod tests;
