//! Makes a failing workload small: leaves out steps, then changes, as long as it still fails.

use super::fault::Fault;
use super::oracle::makes_sense;
use super::script::{Step, Workload};
use super::tester::{Failure, Tester};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::{Duration, Instant};

/// The smallest workload found that still fails, with its failure, in at most so much time. Parts are left out in halves, quarters and so on
/// down to single ones (Zeller and Hildebrandt's delta debugging).
#[must_use]
pub fn shrink(tester: &Tester, workload: &Workload, failure: Failure, time: Duration) -> (Workload, Failure) {
    let end = Instant::now() + time;
    let mut tester = tester.clone();
    tester.effort.failures = 1;
    // Another script has other moments.
    (tester.at, tester.case) = (None, None);
    let mut shrinking = Shrinking {
        fault: failure.fault,
        tester,
        smallest: (workload.clone(), failure),
        end,
    };
    while shrinking.pass() {}
    shrinking.smallest
}

struct Shrinking {
    tester: Tester,
    fault: Fault,
    smallest: (Workload, Failure),
    end: Instant,
}

impl Shrinking {
    /// Tries to leave out every part once; tells whether anything went.
    fn pass(&mut self) -> bool {
        let before = size(&self.smallest.0);
        let mut chunk = self.smallest.0.steps.len().div_ceil(2);
        while chunk > 0 {
            let mut at = 0;
            while at < self.smallest.0.steps.len() {
                let mut smaller = self.smallest.0.clone();
                let to = smaller.steps.len().min(at + chunk);
                smaller.steps.drain(at..to);
                if !self.try_one(smaller) {
                    at += chunk;
                }
            }
            chunk /= 2;
        }
        for at in 0..self.smallest.0.steps.len() {
            self.fewer_changes(at);
        }
        size(&self.smallest.0) < before && Instant::now() < self.end
    }

    /// Leaves changes of a step out.
    fn fewer_changes(&mut self, at: usize) {
        let mut chunk = changes(&self.smallest.0, at).div_ceil(2);
        while chunk > 0 {
            let mut from = 0;
            while from < changes(&self.smallest.0, at) {
                let mut smaller = self.smallest.0.clone();
                if let Some(Step::Do(_, changes)) = smaller.steps.get_mut(at) {
                    let to = changes.len().min(from + chunk);
                    changes.drain(from..to);
                }
                if !self.try_one(smaller) {
                    from += chunk;
                }
            }
            chunk /= 2;
        }
    }

    /// Keeps a smaller workload when it makes sense and fails.
    fn try_one(&mut self, smaller: Workload) -> bool {
        if Instant::now() >= self.end
            || !catch_unwind(AssertUnwindSafe(|| makes_sense(&smaller))).unwrap_or(false)
        {
            return false;
        }
        let mut outcome = self.tester.test(&smaller, self.fault);
        let Some(failure) = outcome.failures.pop() else {
            return false;
        };
        self.smallest = (smaller, failure);
        true
    }
}

fn changes(workload: &Workload, at: usize) -> usize {
    match workload.steps.get(at) {
        Some(Step::Do(_, changes)) => changes.len(),
        _ => 0,
    }
}

fn size(workload: &Workload) -> usize {
    (0..workload.steps.len())
        .map(|at| 1 + changes(workload, at))
        .sum()
}
