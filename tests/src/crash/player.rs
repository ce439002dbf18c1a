//! [`Player`]: runs a workload on a database and says how far it came.

use super::script::{Change, Step, Workload};
use godb::{Database, Result, Savepoint, Timestamp, Transaction};
use std::ops::ControlFlow;

/// How far a run came.
#[derive(Clone, Debug, Default)]
pub(super) struct Progress {
    /// The commits that returned, in order; those that changed something have a moment of their own.
    pub(super) acknowledged: Vec<Option<Timestamp>>,
    /// Whether one more was asked for and has not returned.
    pub(super) committing: bool,
    /// How many of them must be on the medium.
    pub(super) durable: usize,
}

impl Progress {
    /// How many commits may be there after a crash: from, to.
    pub(super) fn range(&self) -> (usize, usize) {
        (
            self.durable,
            self.acknowledged.len() + usize::from(self.committing),
        )
    }
}

/// A transaction of a slot.
struct Running {
    tx: Transaction,
    point: Option<Savepoint>,
}

/// A workload on its way.
pub(super) struct Player<'a, O, K> {
    workload: &'a Workload,
    /// Opens the database, at first and again.
    open: O,
    /// Ends the process, as far as the disk can tell: what is dropped afterwards reaches no disk.
    kill: K,
    db: Option<Database>,
    slots: Vec<Option<Running>>,
    pub(super) progress: Progress,
    /// Numbers the values, so that no two are alike.
    stamp: u64,
}

/// What to do before the next step, and what has just been done.
pub(super) trait Watch {
    /// A step was made or failed; `progress` is how far the run was while it was made.
    fn step(&mut self, progress: &Progress);
    /// A commit was acknowledged.
    fn committed(&mut self, db: &Database) -> Result<()>;
}

/// What a step was.
enum Done {
    /// A commit, at a moment of its own unless there was nothing to commit.
    Committed(Option<Timestamp>),
    Other,
}

/// Nobody watches.
pub(super) struct Unwatched;

impl Watch for Unwatched {
    fn step(&mut self, _progress: &Progress) {}

    fn committed(&mut self, _db: &Database) -> Result<()> {
        Ok(())
    }
}

impl<'a, O: FnMut() -> Result<Database>, K: FnMut()> Player<'a, O, K> {
    pub(super) fn new(workload: &'a Workload, open: O, kill: K) -> Self {
        Self {
            workload,
            open,
            kill,
            db: None,
            slots: Vec::new(),
            progress: Progress::default(),
            stamp: 0,
        }
    }

    /// Runs the workload until its end or its first error. What is open then stays as it is, as in a process that is killed.
    pub(super) fn run(&mut self, watch: &mut impl Watch) -> Result<()> {
        let ended = self.steps(watch);
        (self.kill)();
        self.slots.clear();
        self.db = None;
        ended
    }

    fn steps(&mut self, watch: &mut impl Watch) -> Result<()> {
        let opened = (self.open)();
        watch.step(&self.progress);
        self.db = Some(opened?);
        let workload = self.workload;
        for step in &workload.steps {
            self.progress.committing =
                matches!(step, Step::Commit(slot) if self.slots.get(*slot).is_some_and(Option::is_some));
            let done = self.step(step);
            watch.step(&self.progress);
            if let Done::Committed(at) = done? {
                self.progress.acknowledged.push(at);
                self.progress.committing = false;
                watch.committed(self.db())?;
            }
            if !workload.relaxed || matches!(step, Step::Checkpoint | Step::Reopen) {
                self.progress.durable = self.progress.acknowledged.len();
            }
        }
        Ok(())
    }

    fn db(&self) -> &Database {
        self.db.as_ref().expect("a player has a database while it plays")
    }

    /// Makes a step.
    fn step(&mut self, step: &Step) -> Result<Done> {
        match step {
            Step::Do(slot, changes) => self.change(*slot, changes)?,
            Step::Commit(slot) => {
                if let Some(running) = self.take(*slot) {
                    let seen = running.tx.snapshot()?;
                    let at = running.tx.commit()?;
                    return Ok(Done::Committed((at != seen).then_some(at)));
                }
            }
            Step::RollBack(slot) => {
                if let Some(running) = self.take(*slot) {
                    running.tx.roll_back()?;
                }
            }
            Step::Background => drop(self.db().step()?),
            Step::Checkpoint => self.db().checkpoint()?,
            Step::Compact => drop(self.db().compact(|_| ControlFlow::Continue(()))?),
            Step::Reopen => self.reopen()?,
        }
        Ok(Done::Other)
    }

    fn take(&mut self, slot: usize) -> Option<Running> {
        self.slots.get_mut(slot)?.take()
    }

    fn reopen(&mut self) -> Result<()> {
        for running in self.slots.drain(..).flatten() {
            running.tx.roll_back()?;
        }
        if let Some(db) = self.db.take() {
            db.close()?;
        }
        self.db = Some((self.open)()?);
        Ok(())
    }

    fn change(&mut self, slot: usize, changes: &[Change]) -> Result<()> {
        if self.slots.len() <= slot {
            self.slots.resize_with(slot + 1, || None);
        }
        if self.slots[slot].is_none() {
            let tx = self.db().begin()?;
            self.slots[slot] = Some(Running { tx, point: None });
        }
        let running = self.slots[slot].as_mut().expect("it was just begun");
        for change in changes {
            self.stamp += 1;
            one_change(running, change, self.stamp)?;
        }
        Ok(())
    }
}

fn one_change(running: &mut Running, change: &Change, stamp: u64) -> Result<()> {
    let tx = &mut running.tx;
    match change {
        Change::Put(key, length) => tx.put(&key.to_be_bytes(), &value(stamp, *key, *length))?,
        Change::Delete(key) => drop(tx.delete(&key.to_be_bytes())?),
        Change::Savepoint => running.point = Some(tx.savepoint()?),
        Change::RollBackToSavepoint => running.point.map_or(Ok(()), |point| tx.roll_back_to(point))?,
        Change::Sql(statement) => drop(tx.execute(statement, &[])?),
        Change::Refused(statement) => refused(tx, statement)?,
    }
    Ok(())
}

/// A statement that must fail, by its own fault: an error of the disk is passed on.
fn refused(tx: &mut Transaction, statement: &str) -> Result<()> {
    let point = tx.savepoint()?;
    match tx.execute(statement, &[]) {
        Ok(_) => panic!("`{statement}` was to be refused"),
        Err(error) if error.sqlstate().starts_with("23") => tx.roll_back_to(point),
        Err(error) => Err(error),
    }
}

/// The bytes of a value: its stamp, and filling.
fn value(stamp: u64, key: u16, length: usize) -> Vec<u8> {
    let mut bytes = vec![key.to_be_bytes()[1] ^ 0x5A; length.max(8)];
    bytes[..8].copy_from_slice(&stamp.to_le_bytes());
    bytes
}
