//! [`Campaign`]: many workloads into many faults, on several threads, each fault for its share of the time.
//!
//! Some faults have a thousand cases where others have one. Taken workload by workload, a campaign that ends with its time would have met all faults of the
//! first few workloads and none of the others. Here each fault goes through the workloads at its own pace, and the one that has had the least time, by its weight, goes on.

use super::fault::Fault;
use super::pulse::Pulse;
use super::script::Workload;
use super::shrink::shrink;
use super::tester::{Failure, Outcome, Tester};
use super::workloads::random;
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::{Duration, Instant};

/// How long one failing workload may be made smaller.
const SHRINKING: Duration = Duration::from_secs(60);

/// What is to be tried.
pub struct Campaign {
    /// How; until when; and only which moment.
    pub tester: Tester,
    /// Into these faults.
    pub faults: Vec<Fault>,
    /// These workloads first.
    pub scripts: Vec<Workload>,
    /// Then these and random ones by turns.
    pub triples: Vec<Workload>,
    /// So many random ones.
    pub random: u64,
    /// Workloads tried at once.
    pub jobs: usize,
    /// Whether the first failure of each fault is made small.
    pub shrink: bool,
    /// How long one case may take, in real time.
    pub patience: Duration,
}

/// What came of it so far.
#[derive(Default)]
pub struct Total {
    /// By fault.
    pub table: BTreeMap<Fault, Outcome>,
    /// How many workloads there were.
    pub workloads: u64,
    /// The smallest workloads found that fail.
    pub shrunk: Vec<(Workload, Failure)>,
}

/// What there is to tell meanwhile.
pub enum Event<'a> {
    /// A workload is about to meet a fault.
    Begins(Fault, &'a str),
    /// It did.
    Ended,
    /// It failed.
    Failed(&'a Failure),
    /// A case does not end, and its thread cannot be stopped: whoever hears this ends the process. The failure is among the total already.
    Hangs(&'a Failure),
}

/// Where one fault is among the workloads.
#[derive(Default)]
struct Lane {
    next: u64,
    running: u32,
    used: Duration,
}

impl Campaign {
    /// How many workloads there are.
    #[must_use]
    pub fn workloads(&self) -> u64 {
        (self.scripts.len() + self.triples.len()) as u64 + self.random
    }

    /// How many pairs of workload and fault there are, unless the random ones are without end.
    #[must_use]
    pub fn pairs(&self) -> u64 {
        self.workloads().saturating_mul(self.faults.len() as u64)
    }

    /// Tries all of it, or as much as there is time for.
    pub fn run(&self, total: &Mutex<Total>, tell: &(dyn Fn(Event<'_>) + Sync)) {
        let lanes: Mutex<Vec<Lane>> = Mutex::new(self.faults.iter().map(|_| Lane::default()).collect());
        let pulses: Vec<Arc<Pulse>> = (0..self.jobs).map(|_| Arc::default()).collect();
        let over = AtomicBool::new(false);
        std::thread::scope(|scope| {
            let watching = scope.spawn(|| self.watch(&pulses, &over, total, tell));
            let workers: Vec<_> = pulses
                .iter()
                .map(|pulse| scope.spawn(|| self.work(pulse, &lanes, total, tell)))
                .collect();
            for worker in workers {
                worker
                    .join()
                    .expect("a worker catches the panics of what it tries");
            }
            over.store(true, Ordering::Relaxed);
            watching.thread().unpark();
        });
        let done = locked(&lanes).iter().map(|lane| lane.next).max().unwrap_or(0);
        locked(total).workloads += done;
    }

    fn work(
        &self,
        pulse: &Arc<Pulse>,
        lanes: &Mutex<Vec<Lane>>,
        total: &Mutex<Total>,
        tell: &dyn Fn(Event<'_>),
    ) {
        let tester = Tester {
            pulse: pulse.clone(),
            ..self.tester.clone()
        };
        loop {
            // Not in the head of the loop: the lock would be held through its body.
            let taken = self.take(&mut locked(lanes));
            let Some((lane, workload)) = taken else {
                return;
            };
            let started = Instant::now();
            let fault = self.faults[lane];
            if self.workloads() == 1 || tester.meets(&workload, fault) {
                tell(Event::Begins(fault, &workload.name));
                self.one(&tester, &workload, fault, total, tell);
            }
            tell(Event::Ended);
            let lane = &mut locked(lanes)[lane];
            lane.running -= 1;
            lane.used += started.elapsed();
        }
    }

    /// The fault that is to go on, by its place, and its next workload.
    fn take(&self, lanes: &mut [Lane]) -> Option<(usize, Workload)> {
        if self.tester.until.is_some_and(|until| Instant::now() >= until) {
            return None;
        }
        let left = |lane: &Lane| lane.next < self.workloads();
        let (at, lane) = lanes
            .iter_mut()
            .enumerate()
            .filter(|(_, lane)| left(lane))
            .min_by_key(|(at, lane)| (lane.running, lane.used / self.faults[*at].weight(), lane.next))?;
        lane.running += 1;
        lane.next += 1;
        Some((at, self.workload(lane.next - 1)))
    }

    fn workload(&self, number: u64) -> Workload {
        let index = |at: u64| usize::try_from(at).unwrap_or(usize::MAX);
        let (scripts, triples) = (self.scripts.len() as u64, self.triples.len() as u64);
        if number < scripts {
            return self.scripts[index(number)].clone();
        }
        let number = number - scripts;
        let both = 2 * triples.min(self.random);
        match number {
            _ if number < both && number.is_multiple_of(2) => self.triples[index(number / 2)].clone(),
            _ if number < both => random(self.tester.seed + number / 2),
            _ if triples > self.random => self.triples[index(number - self.random)].clone(),
            _ => random(self.tester.seed + number - triples),
        }
    }

    fn one(
        &self,
        tester: &Tester,
        workload: &Workload,
        fault: Fault,
        total: &Mutex<Total>,
        tell: &dyn Fn(Event<'_>),
    ) {
        let outcome = tester.test(workload, fault);
        let failure = outcome.failures.first().cloned();
        for failure in &outcome.failures {
            tell(Event::Failed(failure));
        }
        let first = {
            let mut total = locked(total);
            let sum = total.table.entry(fault).or_default();
            let first = sum.failures.is_empty();
            sum.add(outcome);
            first
        };
        // The first failure of each fault is made small; the others are most often the same.
        if let (Some(failure), true) = (failure, first && self.shrink && tester.at.is_none()) {
            let smallest = shrink(tester, workload, failure, SHRINKING);
            locked(total).shrunk.push(smallest);
        }
    }

    /// Looks, every second at least, whether a case takes too long.
    fn watch(
        &self,
        pulses: &[Arc<Pulse>],
        over: &AtomicBool,
        total: &Mutex<Total>,
        tell: &dyn Fn(Event<'_>),
    ) {
        while !over.load(Ordering::Relaxed) {
            std::thread::park_timeout(self.patience.min(Duration::from_secs(1)));
            if let Some(failure) = pulses.iter().find_map(|pulse| pulse.hangs(self.patience)) {
                let mut sum = locked(total);
                let failures = &mut sum.table.entry(failure.fault).or_default().failures;
                failures.push(failure.clone());
                drop(sum);
                tell(Event::Hangs(&failure));
                return;
            }
        }
    }
}

/// What only counts, so that a panic elsewhere leaves it right.
fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::super::{Effort, Tester, scripted};
    use super::{Arc, AtomicBool, Campaign, Event, Fault, Lane, Pulse, Total, locked};
    use std::sync::Mutex;
    use std::time::Duration;

    fn campaign() -> Campaign {
        Campaign {
            tester: Tester::new(1, Effort::quick()),
            faults: vec![Fault::PowerLoss, Fault::Clock],
            scripts: scripted()[..2].to_vec(),
            triples: scripted()[2..4].to_vec(),
            random: 3,
            jobs: 2,
            shrink: false,
            patience: Duration::from_secs(60),
        }
    }

    #[test]
    fn scripts_come_first_and_then_the_others_by_turns() {
        let campaign = campaign();
        let names: Vec<String> = (0..7).map(|number| campaign.workload(number).name).collect();
        let [one, two, three, four] = [0, 1, 2, 3].map(|at| scripted()[at].name.clone());
        let random = |n: u64| format!("random-{n}");
        assert_eq!(names, [one, two, three, random(1), four, random(2), random(3)]);
        let more = Campaign {
            random: 1,
            ..campaign
        };
        let names: Vec<String> = (2..5).map(|number| more.workload(number).name).collect();
        assert_eq!(names[1], "random-1");
        assert!(names[0] != names[2] && !names[2].starts_with("random"));
    }

    #[test]
    fn the_fault_that_had_the_least_goes_on() {
        let campaign = campaign();
        let mut lanes = [Lane::default(), Lane::default()];
        assert_eq!(campaign.take(&mut lanes).unwrap().0, 0);
        assert_eq!(campaign.take(&mut lanes).unwrap().0, 1, "the first is busy");
        lanes.iter_mut().for_each(|lane| lane.running = 0);
        lanes[0].used = Duration::from_secs(100);
        for _ in 1..campaign.workloads() {
            assert_eq!(campaign.take(&mut lanes).unwrap().0, 1);
            lanes[1].running = 0;
        }
        assert_eq!(
            campaign.take(&mut lanes).unwrap().0,
            0,
            "the other has nothing left"
        );
    }

    #[test]
    fn a_case_that_takes_too_long_is_a_failure() {
        let mut campaign = campaign();
        campaign.patience = Duration::ZERO;
        let (idle, stuck) = (Arc::<Pulse>::default(), Arc::<Pulse>::default());
        stuck.begin(&campaign.workload(0), Fault::Clock, 1);
        stuck.beat(7, 8);
        let total = Mutex::new(Total::default());
        let heard = Mutex::new(Vec::new());
        campaign.watch(&[idle, stuck], &AtomicBool::new(false), &total, &|event| {
            if let Event::Hangs(failure) = event {
                locked(&heard).push((failure.fault, failure.at, failure.case));
            }
        });
        assert_eq!(*locked(&heard), [(Fault::Clock, 7, 8)]);
        assert_eq!(locked(&total).table[&Fault::Clock].failures.len(), 1);
    }

    #[test]
    fn nobody_watches_for_longer_than_there_is_work() {
        let campaign = campaign();
        let total = Mutex::new(Total::default());
        campaign.run(&total, &|_| ());
        let total = locked(&total);
        assert_eq!(total.workloads, campaign.workloads());
        assert!(total.table.values().all(|outcome| outcome.failures.is_empty()));
        assert!(total.table.values().any(|outcome| outcome.moments > 0));
    }
}
