//! [`Tester`]: runs workloads into crashes and faults.

use super::oracle::{State, judge, key_bytes, states, value_bytes};
use super::workload::{Change, Step, Workload};
use godb::{Config, Database, Environment, Result, Transaction};
use godb_page::{Crash, Effect, Injection, Operations, SimulatedDisk, Tear};
use std::path::Path;
use std::sync::Arc;

/// The database's name on the simulated disk.
const NAME: &str = "crash.godb";

/// What goes wrong, and how the disk is found afterwards.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The power goes; what was not synced is lost.
    PowerLoss,
    /// The power goes; of what was not synced anything may have survived.
    AnySubset,
    /// The power goes; the last writes are torn.
    TornWrites,
    /// The power goes again during recovery.
    PowerLossInRecovery,
    /// A sync fails, then the process ends.
    FailedSync,
    /// The disk is full from some operation on, then has room again.
    FullDisk,
}

impl Fault {
    /// All of them.
    pub const ALL: [Self; 6] = [
        Self::PowerLoss,
        Self::AnySubset,
        Self::TornWrites,
        Self::PowerLossInRecovery,
        Self::FailedSync,
        Self::FullDisk,
    ];

    /// What it is called on the command line.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::PowerLoss => "power-loss",
            Self::AnySubset => "any-subset",
            Self::TornWrites => "torn-writes",
            Self::PowerLossInRecovery => "power-loss-in-recovery",
            Self::FailedSync => "failed-sync",
            Self::FullDisk => "full-disk",
        }
    }
}

/// What came of testing one fault on one workload.
#[derive(Clone, Debug, Default)]
pub struct Outcome {
    /// How many states after a crash were opened and judged.
    pub states: u64,
    /// What failed: how to see it again, and what was wrong.
    pub failures: Vec<String>,
}

/// Runs workloads into faults.
pub struct Tester {
    /// Chooses among what is not tried exhaustively.
    pub seed: u64,
    /// Random subsets tried at each moment.
    pub subsets: u64,
    /// Only every so many-th operation is a moment of failure; 1 is every one.
    pub stride: u64,
}

/// How far a run came.
#[derive(Clone, Copy, Debug, Default)]
struct Progress {
    acknowledged: usize,
    begun: usize,
}

fn config() -> Config {
    Config {
        page_size: 4096,
        buffer_pool_size: 16 * 4096,
        background_threads: false,
        ..Config::default()
    }
}

fn open(disk: &SimulatedDisk) -> Result<Database> {
    Database::open_on(
        Arc::new(disk.clone()),
        &Environment::simulated(7),
        Path::new(NAME),
        config(),
    )
}

/// Runs a workload until its end or its first error.
fn run(disk: &SimulatedDisk, workload: &Workload, progress: &mut Progress) -> Result<()> {
    let mut db = open(disk)?;
    let mut left_open = Vec::new();
    for step in &workload.steps {
        match step {
            Step::Commit(changes) => {
                let commit = progress.begun + 1;
                let mut tx = db.begin()?;
                change(&mut tx, changes, commit)?;
                progress.begun = commit;
                tx.commit()?;
                progress.acknowledged = commit;
            }
            Step::RollBack(changes) => {
                let mut tx = db.begin()?;
                change(&mut tx, changes, usize::MAX)?;
                tx.roll_back()?;
            }
            Step::LeaveOpen(changes) => {
                let mut tx = db.begin()?;
                change(&mut tx, changes, usize::MAX)?;
                left_open.push(tx);
            }
            Step::Background => {
                db.step()?;
            }
            Step::Checkpoint => db.checkpoint()?,
            Step::Reopen => {
                db.close()?;
                db = open(disk)?;
            }
        }
    }
    // The process ends here, as if killed: what is open is neither committed nor rolled back.
    left_open.into_iter().for_each(std::mem::forget);
    std::mem::forget(db);
    Ok(())
}

fn change(tx: &mut Transaction, changes: &[Change], commit: usize) -> Result<()> {
    let mut point = None;
    for one in changes {
        match *one {
            Change::Put(key, length) => tx.put(&key_bytes(key), &value_bytes(commit, key, length))?,
            Change::Delete(key) => drop(tx.delete(&key_bytes(key))?),
            Change::Savepoint => point = Some(tx.savepoint()?),
            Change::RollBackToSavepoint => point.map_or(Ok(()), |point| tx.roll_back_to(point))?,
        }
    }
    Ok(())
}

impl Tester {
    /// Tries a fault at every moment of a workload.
    #[must_use]
    pub fn test(&self, workload: &Workload, fault: Fault) -> Outcome {
        let mut outcome = Outcome::default();
        let states = states(workload);
        let moments = operations_of(fault);
        let total = count(workload, moments);
        let mut at = 1;
        while at <= total {
            self.fail_at(workload, fault, at, &states, &mut outcome);
            at += self.stride;
        }
        outcome
    }

    fn fail_at(&self, workload: &Workload, fault: Fault, at: u64, states: &[State], outcome: &mut Outcome) {
        let disk = SimulatedDisk::new();
        disk.inject(injection(fault, at));
        let mut progress = Progress::default();
        let ended = run(&disk, workload, &mut progress);
        disk.heal();
        for (how, crash) in self.crashes(fault, &disk, at) {
            let survivor = disk.crash(crash);
            let place = format!(
                "--workload {} --fault {} --at {at} ({how}, ended {ended:?})",
                workload.name,
                fault.name()
            );
            if fault == Fault::PowerLossInRecovery {
                self.fail_in_recovery(&survivor, states, progress, &place, outcome);
            } else {
                judge_survivor(&survivor, states, progress, &place, outcome);
            }
        }
    }

    /// The power goes again at every operation of the recovery.
    fn fail_in_recovery(
        &self,
        survivor: &SimulatedDisk,
        states: &[State],
        progress: Progress,
        place: &str,
        outcome: &mut Outcome,
    ) {
        let trial = survivor.fork();
        let before = trial.count(Operations::CHANGES);
        drop(open(&trial).map(std::mem::forget));
        let operations = trial.count(Operations::CHANGES) - before;
        let mut at = 1;
        while at <= operations {
            let again = survivor.fork();
            let nth = again.count(Operations::CHANGES) + at;
            again.inject(Injection::once(Operations::CHANGES, nth, Effect::PowerOff));
            drop(open(&again).map(std::mem::forget));
            again.heal();
            let crash = Crash::KeepSome { seed: self.seed ^ at };
            judge_survivor(
                &again.crash(crash),
                states,
                progress,
                &format!("{place}, then at {at} of recovery"),
                outcome,
            );
            at += self.stride;
        }
    }

    /// In which ways the disk may be found.
    fn crashes(&self, fault: Fault, disk: &SimulatedDisk, at: u64) -> Vec<(String, Crash)> {
        let none = ("unsynced lost".to_owned(), Crash::KeepNone);
        let all = ("unsynced kept".to_owned(), Crash::KeepAll);
        match fault {
            Fault::PowerLoss => vec![none, all],
            Fault::PowerLossInRecovery | Fault::FullDisk => vec![none],
            Fault::FailedSync => vec![none, all],
            Fault::AnySubset => self.subsets(disk, at),
            Fault::TornWrites => torn(disk),
        }
    }

    fn subsets(&self, disk: &SimulatedDisk, at: u64) -> Vec<(String, Crash)> {
        let pending = disk.pending();
        if pending <= 5 {
            return (0..1_u64 << pending)
                .map(|mask| (format!("kept {mask:b}"), Crash::KeepMask(mask)))
                .collect();
        }
        let each = (0..pending).flat_map(|one| {
            [
                (format!("kept only {one}"), Crash::KeepOnly(one)),
                (format!("lost only {one}"), Crash::LoseOnly(one)),
            ]
        });
        let most = usize::try_from(self.subsets).unwrap_or(usize::MAX);
        let random = (0..self.subsets).map(|n| {
            let seed = self.seed.wrapping_add(at << 20).wrapping_add(n);
            (format!("kept by seed {seed}"), Crash::KeepSome { seed })
        });
        each.take(most).chain(random).collect()
    }
}

/// Each pending write torn in a few ways.
fn torn(disk: &SimulatedDisk) -> Vec<(String, Crash)> {
    let tears = [
        Tear::First(1),
        Tear::AllAfter(1),
        Tear::AllBut(3),
        Tear::Garbage(2),
    ];
    let writes = disk.pending_writes().len();
    let each = (0..writes).flat_map(|write| {
        tears.map(|tear| {
            (
                format!("write {write} torn, {tear:?}"),
                Crash::Tear { write, part: tear },
            )
        })
    });
    each.collect()
}

/// Which operations are moments at which a fault can strike.
fn operations_of(fault: Fault) -> Operations {
    match fault {
        Fault::FailedSync => Operations::SYNC,
        _ => Operations::CHANGES,
    }
}

fn injection(fault: Fault, at: u64) -> Injection {
    let on = operations_of(fault);
    match fault {
        Fault::FailedSync => Injection::once(on, at, Effect::SyncForgets { seed: None }),
        Fault::FullDisk => Injection::lasting(Operations::WRITE | Operations::SET_LEN, at, Effect::DiskFull),
        _ => Injection::once(on, at, Effect::PowerOff),
    }
}

/// How many such operations a workload has when nothing goes wrong.
fn count(workload: &Workload, kinds: Operations) -> u64 {
    let disk = SimulatedDisk::new();
    let mut progress = Progress::default();
    if let Err(error) = run(&disk, workload, &mut progress) {
        panic!("the workload {} fails by itself: {error}", workload.name);
    }
    disk.count(kinds)
}

/// Opens what is left, judges it, sees that it takes writes, and that opening it again changes nothing.
fn judge_survivor(
    disk: &SimulatedDisk,
    states: &[State],
    progress: Progress,
    place: &str,
    outcome: &mut Outcome,
) {
    outcome.states += 1;
    let verdict = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| verdict(disk, states, progress)));
    let wrong = match verdict {
        Ok(Ok(())) => return,
        Ok(Err(wrong)) => wrong,
        Err(_) => "it panicked".to_owned(),
    };
    outcome.failures.push(format!("{place}: {wrong}"));
}

fn verdict(disk: &SimulatedDisk, states: &[State], progress: Progress) -> std::result::Result<(), String> {
    let db = open(disk).map_err(|error| format!("it does not open: {error}"))?;
    let held = judge(&db, states, progress.acknowledged, progress.begun)?;
    db.put(b"alive", b"yes")
        .map_err(|error| format!("it takes no writes: {error}"))?;
    db.delete(b"alive")
        .map_err(|error| format!("it takes no deletions: {error}"))?;
    db.close()
        .map_err(|error| format!("it does not close: {error}"))?;
    let db = open(disk).map_err(|error| format!("it does not open a second time: {error}"))?;
    let again = judge(&db, states, held, held).map_err(|wrong| format!("opened a second time: {wrong}"))?;
    if again == held {
        Ok(())
    } else {
        Err(format!("it held commit {held}, and then {again}"))
    }
}
