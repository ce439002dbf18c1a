//! [`Tester`]: runs a workload into one fault, at every moment.

use super::fault::Fault;
use super::judge::{Judge, open, words_of};
use super::nested::Nest;
use super::oracle::Oracle;
use super::player::{Player, Progress, Watch};
use super::pulse::Pulse;
use super::script::Workload;
use super::survivors::{Way, mix, names, subsets, torn};
use godb::{Database, Environment, Result};
use godb_page::{Crash, Operations, SimulatedDisk};
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Instant;

/// How much is tried where not everything can be.
#[derive(Clone, Debug)]
pub struct Effort {
    /// So many pending changes are tried in every combination.
    pub exhaustive: usize,
    /// Of more, so many single ones, and all but single ones.
    pub singles: usize,
    /// And so many random combinations.
    pub subsets: u64,
    /// So many sectors of a write are torn from its beginning, and as many at random.
    pub sectors: usize,
    /// So many pending changes of names and lengths are tried in every combination.
    pub names: usize,
    /// How often the power goes again while the database recovers from its going.
    pub depth: usize,
    /// So many crashes within recovery are tried at each moment.
    pub nested: u64,
    /// Every so many-th moment is crashed within its recovery.
    pub nested_stride: u64,
    /// Seeds of partial syncs, and of clocks.
    pub seeds: u64,
    /// One workload of so many meets each fault other than the plain loss of power, which all meet.
    pub share: u64,
    /// After so many failures of a workload under a fault the others need not be known.
    pub failures: usize,
}

impl Effort {
    /// For a build: minutes.
    #[must_use]
    pub fn quick() -> Self {
        Self {
            exhaustive: 4,
            singles: 12,
            subsets: 4,
            sectors: 2,
            names: 2,
            depth: 2,
            nested: 6,
            nested_stride: 16,
            seeds: 1,
            share: 6,
            failures: 5,
        }
    }

    /// For the figures: an hour.
    #[must_use]
    pub fn full() -> Self {
        Self {
            exhaustive: 12,
            singles: 400,
            subsets: 4096,
            sectors: 16,
            names: 6,
            depth: 3,
            nested: 200,
            nested_stride: 1,
            seeds: 4,
            share: 1,
            failures: 20,
        }
    }

    /// Between them: for random workloads without end.
    #[must_use]
    pub fn normal() -> Self {
        Self {
            exhaustive: 7,
            singles: 64,
            subsets: 32,
            sectors: 4,
            names: 4,
            depth: 3,
            nested: 24,
            nested_stride: 4,
            seeds: 2,
            share: 1,
            failures: 20,
        }
    }
}

/// Something that must not be: how to see it again, and what is wrong.
#[derive(Clone, Debug)]
pub struct Failure {
    /// The workload's name.
    pub workload: String,
    /// The fault.
    pub fault: Fault,
    /// The number of the moment.
    pub at: u64,
    /// The number of the case at that moment.
    pub case: u64,
    /// The tester's seed.
    pub seed: u64,
    /// What happened to the disk, in words.
    pub how: String,
    /// What is wrong.
    pub wrong: String,
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "cargo xtask crash-test --workload {} --fault {} --seed {} --at {} --case {}\n    {}: {}",
            self.workload, self.fault, self.seed, self.at, self.case, self.how, self.wrong
        )
    }
}

/// What came of testing one fault on one workload.
#[derive(Clone, Debug, Default)]
pub struct Outcome {
    /// Runs of the workload under something that lasts: a clock.
    pub runs: u64,
    /// Moments at which something went wrong.
    pub moments: u64,
    /// States of the disk that were judged.
    pub states: u64,
    /// Those among them that differed from all others, and were opened.
    pub opened: u64,
    /// What failed.
    pub failures: Vec<Failure>,
}

impl Outcome {
    /// Takes in another.
    pub fn add(&mut self, other: Self) {
        self.runs += other.runs;
        self.moments += other.moments;
        self.states += other.states;
        self.opened += other.opened;
        self.failures.extend(other.failures);
    }
}

/// Runs workloads into faults.
#[derive(Clone, Debug)]
pub struct Tester {
    /// Chooses among what is not tried exhaustively.
    pub seed: u64,
    /// How much that is.
    pub effort: Effort,
    /// Only this moment.
    pub at: Option<u64>,
    /// Only this case at each moment.
    pub case: Option<u64>,
    /// Begins nothing more after this.
    pub until: Option<Instant>,
    /// Shows what is tried now.
    pub pulse: Arc<Pulse>,
}

impl Tester {
    /// One without an end that tries every case.
    #[must_use]
    pub fn new(seed: u64, effort: Effort) -> Self {
        Self {
            seed,
            effort,
            at: None,
            case: None,
            until: None,
            pulse: Arc::default(),
        }
    }

    fn is_over(&self) -> bool {
        self.until.is_some_and(|until| Instant::now() >= until)
    }

    /// Whether a workload is to meet a fault: the share of the effort, chosen by seed.
    #[must_use]
    pub fn meets(&self, workload: &Workload, fault: Fault) -> bool {
        let name = workload.name.bytes().chain(fault.name().bytes());
        let mixed = name.fold(self.seed, |sum, byte| mix(sum, u64::from(byte)));
        fault == Fault::PowerLoss || (mixed >> 16).is_multiple_of(self.effort.share)
    }

    /// Tries a fault at every moment of a workload. A workload that makes no sense is a failure, too.
    #[must_use]
    pub fn test(&self, workload: &Workload, fault: Fault) -> Outcome {
        self.pulse.begin(workload, fault, self.seed);
        let tried = catch_unwind(AssertUnwindSafe(|| self.try_fault(workload, fault)));
        self.pulse.end();
        let wrong = match tried {
            Ok(Ok(outcome)) => return outcome,
            Ok(Err(error)) => format!("it fails by itself: {error}"),
            Err(panic) => format!("it panicked: {}", words_of(&*panic)),
        };
        Outcome {
            failures: vec![Failure {
                workload: workload.name.clone(),
                fault,
                at: 0,
                case: 0,
                seed: self.seed,
                how: "the workload".into(),
                wrong,
            }],
            ..Outcome::default()
        }
    }

    fn try_fault(&self, workload: &Workload, fault: Fault) -> Result<Outcome> {
        let oracle = Oracle::of(workload)?;
        let mut trial = Trial {
            tester: self,
            workload,
            fault,
            judge: Judge::new(workload, &oracle),
            outcome: Outcome::default(),
            at: 0,
            case: 0,
        };
        trial.judge.clock_is_bad = fault == Fault::Clock;
        match fault {
            Fault::FailedSync => trial.failed_syncs()?,
            Fault::FullDisk => trial.full_disks()?,
            Fault::Clock => trial.clocks()?,
            _ => trial.moments(&Environment::simulated(7))?,
        }
        trial.outcome.opened = trial.judge.opened;
        Ok(trial.outcome)
    }
}

/// One workload under one fault.
pub(super) struct Trial<'a> {
    pub(super) tester: &'a Tester,
    pub(super) workload: &'a Workload,
    pub(super) fault: Fault,
    pub(super) judge: Judge<'a>,
    pub(super) outcome: Outcome,
    pub(super) at: u64,
    case: u64,
}

/// Crashes every moment of a run as soon as its step is over.
struct Moments<'t, 'a> {
    trial: &'t mut Trial<'a>,
    disk: SimulatedDisk,
    pending: usize,
}

impl Watch for Moments<'_, '_> {
    fn step(&mut self, progress: &Progress) {
        for moment in self.disk.take_moments() {
            self.crash(&moment, progress);
        }
    }

    fn committed(&mut self, _db: &Database) -> Result<()> {
        Ok(())
    }
}

impl Moments<'_, '_> {
    fn crash(&mut self, moment: &SimulatedDisk, progress: &Progress) {
        let writes = moment.pending_writes().len();
        let written = writes > self.pending;
        self.pending = writes;
        if self.trial.begin_moment() {
            self.trial.crash(moment, progress, written);
        }
    }
}

impl Trial<'_> {
    /// Counts a moment; tells whether it is to be tried.
    pub(super) fn begin_moment(&mut self) -> bool {
        self.at += 1;
        self.case = 0;
        let wanted = self.tester.at.is_none_or(|at| at == self.at)
            && self.outcome.failures.len() < self.tester.effort.failures
            && !self.tester.is_over();
        self.tester.pulse.beat(self.at, 0);
        self.outcome.moments += u64::from(wanted);
        wanted
    }

    /// Counts a case; tells whether it is to be tried.
    pub(super) fn begin_case(&mut self) -> bool {
        self.case += 1;
        let wanted = self.tester.case.is_none_or(|case| case == self.case) && !self.tester.is_over();
        self.tester.pulse.beat(self.at, self.case);
        self.outcome.states += u64::from(wanted);
        wanted
    }

    /// Takes in a verdict on the present case.
    pub(super) fn note(&mut self, how: &str, verdict: std::result::Result<(), String>) {
        if let Err(wrong) = verdict {
            self.outcome.failures.push(Failure {
                workload: self.workload.name.clone(),
                fault: self.fault,
                at: self.at,
                case: self.case,
                seed: self.tester.seed,
                how: how.to_owned(),
                wrong,
            });
        }
    }

    /// A seed for the present moment.
    pub(super) fn seed(&self) -> u64 {
        mix(self.tester.seed, self.at)
    }

    /// Runs the workload once and crashes every moment of it.
    fn moments(&mut self, environment: &Environment) -> Result<()> {
        let disk = SimulatedDisk::new();
        disk.keep_moments(Operations::CHANGES);
        let workload = self.workload;
        let mut end = None;
        let mut player = Player::new(
            workload,
            || open(&disk, workload, environment),
            || {
                end = Some(disk.fork());
                disk.power_off();
            },
        );
        let mut moments = Moments {
            trial: self,
            disk: disk.clone(),
            pending: 0,
        };
        player.run(&mut moments)?;
        let progress = player.progress.clone();
        drop(player);
        if let Some(end) = end {
            moments.crash(&end, &progress);
        }
        Ok(())
    }

    /// The power goes at this moment, in the ways of the fault.
    fn crash(&mut self, moment: &SimulatedDisk, progress: &Progress, written: bool) {
        let (seed, effort) = (self.seed(), &self.tester.effort);
        let ways = match self.fault {
            Fault::AnySubset => {
                // Every other moment in sectors instead of pages.
                if self.at.is_multiple_of(2) {
                    moment.set_fragment(512);
                }
                subsets(moment, seed, effort)
            }
            Fault::TornWrites if written => torn(moment, seed, effort),
            Fault::TornWrites => Vec::new(),
            Fault::LostNames => names(moment, effort),
            Fault::InRecovery => return Nest::new(self, progress).crash(moment),
            _ => vec![Way::of("unsynced lost", Crash::KeepNone)],
        };
        for way in ways {
            if self.begin_case() {
                let verdict = self.judge.judge(&way.crash(moment), progress);
                self.note(&way.how, verdict);
            }
        }
    }

    /// Every state with a clock that cannot be trusted, before the crash and after it.
    fn clocks(&mut self) -> Result<()> {
        for n in 0..self.tester.effort.seeds {
            let workload = self.workload;
            let named = workload
                .name
                .bytes()
                .fold(n, |sum, byte| mix(sum, u64::from(byte)));
            let seed = mix(self.tester.seed, named);
            let disk = SimulatedDisk::new();
            disk.keep_moments(Operations::SYNC);
            self.outcome.runs += 1;
            let environment = super::clock::jumpy(seed);
            let mut player = Player::new(
                workload,
                || open(&disk, workload, &environment),
                || disk.power_off(),
            );
            let mut moments = ClockMoments {
                trial: self,
                disk: disk.clone(),
                seed,
            };
            player.run(&mut moments)?;
            let times: Vec<_> = player.progress.acknowledged.iter().flatten().collect();
            let rising = times.is_sorted_by(|one, next| one < next);
            if self.begin_moment() && self.begin_case() {
                let verdict = rising.then_some(()).ok_or("timestamps went back".to_owned());
                self.note("the order of commits", verdict);
            }
        }
        Ok(())
    }
}

/// Crashes some moments under a clock that cannot be trusted, and goes on under another.
struct ClockMoments<'t, 'a> {
    trial: &'t mut Trial<'a>,
    disk: SimulatedDisk,
    seed: u64,
}

impl Watch for ClockMoments<'_, '_> {
    fn step(&mut self, progress: &Progress) {
        for moment in self.disk.take_moments().into_iter().step_by(3) {
            if self.trial.begin_moment() && self.trial.begin_case() {
                let environment = super::clock::jumpy(mix(self.seed, self.trial.at));
                let survivor = moment.crash(Crash::KeepSome { seed: self.seed });
                let verdict = self.trial.judge.judge_anew(&survivor, progress, &environment);
                self.trial.note("the clock jumped", verdict);
            }
        }
    }

    fn committed(&mut self, _db: &Database) -> Result<()> {
        Ok(())
    }
}
