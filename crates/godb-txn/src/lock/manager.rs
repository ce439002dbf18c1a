//! [`LockManager`]: locks on resources, held by transactions.

use super::graph::WaitGraph;
use super::holdings::{Escalation, Holdings};
use super::line::{Answer, Line};
use super::name::{ById, Name};
use super::patience::Patience;
use super::policy::DeadlockPolicy;
use super::status::{LockStats, LockStatus, TransactionStatus, WaitPlace, WaitStats};
use super::table::{LockTable, PARTS};
use super::ticket::Outcome;
use crate::error::Error;
use crate::transactions::{Mode, Resource};
use godb_recovery::sync::Mutex;
use godb_recovery::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use godb_recovery::{Clock, Fault, TreeId, TxnId};
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::Duration;

/// How locks behave.
#[derive(Clone, Default)]
pub struct LockOptions {
    /// How long a request waits.
    pub timeout: Duration,
    /// Who gives way when transactions would wait for each other in a circle.
    pub policy: DeadlockPolicy,
    /// Measures how long is waited, for the statistics.
    pub clock: Option<Arc<dyn Clock>>,
}

/// What each transaction of a part holds.
type Held = HashMap<TxnId, Holdings, ById>;

/// Locks on resources.
pub struct LockManager {
    options: LockOptions,
    table: LockTable,
    held: Box<[Mutex<Held>]>,
    graph: Mutex<WaitGraph>,
    /// The graph's marks, so that nobody takes its latch while there are none.
    marks: AtomicUsize,
    waits: Mutex<BTreeMap<WaitPlace, WaitStats>>,
    /// What [`LockOptions::timeout`] was, unless it was changed.
    timeout_micros: AtomicU64,
    timeouts: AtomicU64,
    escalations: AtomicU64,
}

fn micros(time: Duration) -> u64 {
    u64::try_from(time.as_micros()).unwrap_or(u64::MAX)
}

impl LockManager {
    /// How long a request waits that does not say otherwise.
    #[must_use]
    pub fn timeout(&self) -> Duration {
        Duration::from_micros(self.timeout_micros.load(Ordering::Relaxed))
    }

    /// Changes that, for requests that begin to wait from now on.
    pub fn set_timeout(&self, timeout: Duration) {
        self.timeout_micros.store(micros(timeout), Ordering::Relaxed);
    }

    /// Nothing is locked.
    #[must_use]
    pub fn new(options: LockOptions) -> Self {
        Self {
            table: LockTable::new(),
            held: (0..PARTS).map(|_| Mutex::default()).collect(),
            graph: Mutex::new(WaitGraph::new(options.policy)),
            marks: AtomicUsize::new(0),
            waits: Mutex::default(),
            timeout_micros: AtomicU64::new(micros(options.timeout)),
            timeouts: AtomicU64::new(0),
            escalations: AtomicU64::new(0),
            options,
        }
    }

    /// Takes a lock, and before it the intention locks on what lies above; waits where it must. Who holds very many keys of a table gets the table.
    pub fn lock(&self, by: TxnId, what: Resource<'_>, mode: Mode) -> Result<(), Error> {
        self.lock_patiently(by, what, mode, &Patience::default())
    }

    /// The same with a limit of the caller's own to each wait.
    pub fn lock_patiently(
        &self,
        by: TxnId,
        what: Resource<'_>,
        mode: Mode,
        patience: &Patience,
    ) -> Result<(), Error> {
        self.check(by)?;
        let (mut missing, escalation) = self.missing(by, what, mode);
        match escalation {
            Escalation::None => {}
            Escalation::Try(all) => {
                self.try_escalate(by, what, all);
            }
            Escalation::Wait(all) => self.escalate(by, what, all, patience)?,
        }
        if escalation != Escalation::None {
            missing = self.missing(by, what, mode).0;
        }
        for (what, mode) in missing.into_iter().flatten() {
            self.lock_one(by, what, mode, patience)?;
        }
        Ok(())
    }

    /// Takes a lock if that needs no waiting. Intention locks that were taken on the way stay: they hinder few.
    pub fn try_lock(&self, by: TxnId, what: Resource<'_>, mode: Mode) -> bool {
        let may = match self.missing(by, what, mode).1 {
            Escalation::None => true,
            Escalation::Try(all) => {
                self.try_escalate(by, what, all);
                true
            }
            Escalation::Wait(all) => self.try_escalate(by, what, all),
        };
        may && self.try_lock_missing(by, what, mode)
    }

    /// Counts a transaction that begins as old as the first try of what it does.
    pub fn set_first_try(&self, by: TxnId, first: TxnId) {
        let mut graph = self.graph.lock();
        graph.set_first_try(by, first);
        self.marks.store(graph.marks(), Ordering::Release);
    }

    /// Fails when a transaction has to give way to an older one.
    ///
    /// # Errors
    /// [`Error::GaveWay`].
    pub fn check(&self, by: TxnId) -> Result<(), Error> {
        if self.marks.load(Ordering::Acquire) == 0 {
            return Ok(());
        }
        match self.graph.lock().wounded_by(by) {
            Some(to) => Err(Error::GaveWay { victim: by, to }),
            None => Ok(()),
        }
    }

    /// Frees everything that a transaction holds.
    pub fn release_all(&self, by: TxnId) {
        let held = self.held_by(by).lock().remove(&by).unwrap_or_default();
        for name in held.into_names() {
            self.change(&name, |line| line.release(by, &name.resource));
        }
        // Only now, when it holds nothing any more, can nobody wound it.
        if self.marks.load(Ordering::Acquire) > 0 {
            let mut graph = self.graph.lock();
            graph.forget(by);
            self.marks.store(graph.marks(), Ordering::Release);
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

    /// Of how many running transactions it is noted that they must give way or are older than their ids.
    #[must_use]
    pub fn count_marks(&self) -> usize {
        self.graph.lock().marks()
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

    /// Every lock that is held or waited for.
    #[must_use]
    pub fn locks(&self) -> Vec<LockStatus> {
        self.table.show()
    }

    /// What was waited for so far.
    #[must_use]
    pub fn waits(&self) -> BTreeMap<WaitPlace, WaitStats> {
        self.waits.lock().clone()
    }

    /// What happened so far.
    #[must_use]
    pub fn stats(&self) -> LockStats {
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        LockStats {
            waits: self.waits.lock().values().map(|waits| waits.waits).sum(),
            deadlocks: self.graph.lock().victims(),
            timeouts: read(&self.timeouts),
            escalations: read(&self.escalations),
        }
    }

    fn held_by(&self, by: TxnId) -> &Mutex<Held> {
        &self.held[usize::try_from(by.raw() % PARTS as u64).unwrap_or(0)]
    }

    fn note_held(&self, by: TxnId, name: Name, mode: Mode, new: bool) {
        let mut held = self.held_by(by).lock();
        held.entry(by).or_default().add(name, mode, new);
    }

    /// The locks that a request amounts to, the highest first, without those that are held; and what is to be done before, if it is one for a part of a table and
    /// there are many already.
    fn missing<'a>(
        &self,
        by: TxnId,
        what: Resource<'a>,
        mode: Mode,
    ) -> ([Option<(Resource<'a>, Mode)>; 3], Escalation) {
        let steps = steps(what, mode);
        let held = self.held_by(by).lock();
        let Some(holdings) = held.get(&by) else {
            return (steps, Escalation::None);
        };
        let escalation = match tree_around(what) {
            Some(tree) if !holdings.covers(what, mode) => holdings.escalation(tree, mode),
            _ => Escalation::None,
        };
        let missing = steps.map(|step| step.filter(|(what, mode)| !holdings.covers(*what, *mode)));
        (missing, escalation)
    }

    fn try_lock_missing(&self, by: TxnId, what: Resource<'_>, mode: Mode) -> bool {
        let (missing, _) = self.missing(by, what, mode);
        let mut missing = missing.into_iter().flatten();
        missing.all(|(what, mode)| self.try_lock_one(by, what, mode))
    }

    /// Takes the table of a key, if it is free; tells whether it did.
    fn try_escalate(&self, by: TxnId, part: Resource<'_>, mode: Mode) -> bool {
        let Some(tree) = tree_around(part) else {
            return false;
        };
        let taken = self.try_lock_missing(by, Resource::Table(tree), mode);
        if taken || cfg!(godb_plant = "escalate-regardless") {
            self.free_parts(by, tree);
        }
        taken
    }

    /// Waits for the table of a key.
    fn escalate(&self, by: TxnId, part: Resource<'_>, mode: Mode, patience: &Patience) -> Result<(), Error> {
        let Some(tree) = tree_around(part) else {
            return Ok(());
        };
        for (what, mode) in steps(Resource::Table(tree), mode).into_iter().flatten() {
            self.lock_one(by, what, mode, patience)?;
        }
        self.free_parts(by, tree);
        Ok(())
    }

    /// Frees the keys and ranges of a table that is held as strongly.
    fn free_parts(&self, by: TxnId, tree: TreeId) {
        self.escalations.fetch_add(1, Ordering::Relaxed);
        let taken = self
            .held_by(by)
            .lock()
            .get_mut(&by)
            .map(|holdings| holdings.take_parts(tree));
        for name in taken.unwrap_or_default() {
            self.change(&name, |line| line.release(by, &name.resource));
        }
    }

    fn try_lock_one(&self, by: TxnId, what: Resource<'_>, mode: Mode) -> bool {
        let name = Name::from(what);
        match self.ask(by, &name, mode, false) {
            Answer::Held => true,
            Answer::Granted(new) => {
                self.note_held(by, name, mode, new);
                true
            }
            Answer::MustWait(..) | Answer::Busy => false,
        }
    }

    fn lock_one(&self, by: TxnId, what: Resource<'_>, mode: Mode, patience: &Patience) -> Result<(), Error> {
        let name = Name::from(what);
        let new = match self.ask(by, &name, mode, true) {
            Answer::Held | Answer::Busy => return Ok(()),
            Answer::Granted(new) => new,
            Answer::MustWait(ticket, new) => {
                let began = self.count_wait(&name);
                let timeout = patience.timeout.unwrap_or_else(|| self.timeout());
                let outcome = match &patience.interrupt {
                    None => ticket.wait(timeout),
                    Some(interrupt) => ticket.wait_unless(timeout, &**interrupt),
                };
                let result = self.after_wait(by, &name, outcome, timeout);
                self.count_waited(&name, began, result.is_err());
                result?;
                new
            }
        };
        self.note_held(by, name, mode, new);
        Ok(())
    }

    /// Asks for a lock; if it must be waited for, notes that in the graph, and who has to give way because of that.
    fn ask(&self, by: TxnId, name: &Name, mode: Mode, wait: bool) -> Answer {
        self.table.with(name, |line| {
            let answer = line.ask(by, &name.resource, mode, wait);
            match &answer {
                // One that strengthened its lock ahead of those in line may stand in the way of more of them.
                // It runs, so that closes no cycle yet; when it waits later, the cycle is found.
                Answer::Granted(_) if line.has_waiters() && !cfg!(godb_plant = "upgrade-unnoted") => {
                    let mut graph = self.graph.lock();
                    graph.note(line.edges());
                    self.marks.store(graph.marks(), Ordering::Release);
                }
                Answer::MustWait(ticket, _) => {
                    let mut graph = self.graph.lock();
                    graph.note(line.edges());
                    if let Some(fault) = graph.refused() {
                        ticket.settle(Outcome::Refused(fault.clone()));
                    }
                    graph.break_cycles(by);
                    self.marks.store(graph.marks(), Ordering::Release);
                }
                _ => {}
            }
            answer
        })
    }

    fn after_wait(&self, by: TxnId, name: &Name, outcome: Outcome, timeout: Duration) -> Result<(), Error> {
        let error = match outcome {
            Outcome::Granted | Outcome::Waiting => return Ok(()),
            Outcome::Victim(cycle) => Error::Deadlock { cycle },
            Outcome::GaveWay(to) => Error::GaveWay { victim: by, to },
            Outcome::Refused(fault) => Error::Fault(fault),
            Outcome::Interrupted => Error::Interrupted,
            Outcome::TimedOut => {
                self.timeouts.fetch_add(1, Ordering::Relaxed);
                let waited_ms = u64::try_from(timeout.as_millis()).unwrap_or(u64::MAX);
                Error::LockTimeout { waited_ms }
            }
        };
        self.change(name, |line| {
            let mut ended = line.give_up(by);
            ended.push(by);
            ended
        });
        Err(error)
    }

    fn now(&self) -> Duration {
        self.options
            .clock
            .as_ref()
            .map_or(Duration::ZERO, |clock| clock.monotonic())
    }

    /// Counts a wait that begins now.
    fn count_wait(&self, name: &Name) -> Duration {
        let mut waits = self.waits.lock();
        waits.entry(WaitPlace::from(&name.resource)).or_default().waits += 1;
        drop(waits);
        self.now()
    }

    /// Counts what came of it.
    fn count_waited(&self, name: &Name, began: Duration, failed: bool) {
        let waited = self.now().saturating_sub(began);
        let mut waits = self.waits.lock();
        let stats = waits.entry(WaitPlace::from(&name.resource)).or_default();
        stats.failed += u64::from(failed);
        stats.waited += waited;
    }

    /// Changes a line, and notes for the graph what that changed for those who wait in it.
    fn change(&self, name: &Name, change: impl FnOnce(&mut dyn Line) -> Vec<TxnId>) {
        self.table.with(name, |line| {
            // The graph is locked before anybody is woken: one who is, and waits elsewhere at once, notes that only afterwards.
            #[cfg(not(godb_plant = "wake-before-graph"))]
            let mut graph = line.has_waiters().then(|| self.graph.lock());
            let no_longer_waiting = change(line);
            #[cfg(godb_plant = "wake-before-graph")]
            let mut graph = Some(self.graph.lock());
            if let Some(graph) = &mut graph {
                no_longer_waiting
                    .into_iter()
                    .for_each(|waiter| graph.remove(waiter));
                graph.note(line.edges());
                self.marks.store(graph.marks(), Ordering::Release);
            }
        });
    }
}

/// The tree that a resource is a key or range of.
fn tree_around(what: Resource<'_>) -> Option<TreeId> {
    match what {
        Resource::Key(tree, _) | Resource::KeyRange(tree, ..) => Some(tree),
        Resource::Database | Resource::Table(_) | Resource::Transaction(_) => None,
    }
}

/// The locks that a request amounts to, the highest first.
fn steps(what: Resource<'_>, mode: Mode) -> [Option<(Resource<'_>, Mode)>; 3] {
    let intention = mode.intention();
    let database = Some((Resource::Database, intention));
    match what {
        Resource::Database | Resource::Transaction(_) => [None, None, Some((what, mode))],
        Resource::Table(_) => [database, None, Some((what, mode))],
        Resource::Key(tree, _) | Resource::KeyRange(tree, ..) => [
            database,
            Some((Resource::Table(tree), intention)),
            Some((what, mode)),
        ],
    }
}

#[cfg(test)]
mod tests;
