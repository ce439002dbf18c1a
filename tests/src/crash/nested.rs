//! [`Nest`]: the power goes while the database recovers, and goes again while it recovers from that.
//!
//! Recovery writes, so it is itself a run with moments. What a crash within it leaves is a disk to recover from, and so on to a depth. Disks
//! that were seen before at the same depth lead nowhere new.

use super::judge::open;
use super::player::Progress;
use super::survivors::mix;
use super::tester::Trial;
use godb::Environment;
use godb_page::{Crash, Operations, SimulatedDisk};
use std::collections::HashSet;

/// Crashes within recovery, from one moment of a run.
pub(super) struct Nest<'t, 'a> {
    trial: &'t mut Trial<'a>,
    progress: &'t Progress,
    seen: HashSet<(u128, usize)>,
    /// How many are still to be tried.
    left: u64,
}

impl<'t, 'a> Nest<'t, 'a> {
    pub(super) fn new(trial: &'t mut Trial<'a>, progress: &'t Progress) -> Self {
        let left = trial.tester.effort.nested;
        Self {
            trial,
            progress,
            seen: HashSet::new(),
            left,
        }
    }

    /// The power goes at `moment`, and then again.
    pub(super) fn crash(mut self, moment: &SimulatedDisk) {
        let effort = &self.trial.tester.effort;
        if self.trial.tester.at.is_none() && !self.trial.at.is_multiple_of(effort.nested_stride) {
            return;
        }
        let depth = effort.depth;
        let seed = self.trial.seed();
        let all = self.left;
        for (which, crash) in [Crash::KeepNone, Crash::KeepAll, Crash::KeepSome { seed }]
            .into_iter()
            .enumerate()
        {
            // Each way gets its share.
            self.left = all / 3;
            self.recover(&moment.crash(crash), depth, &format!("crash {which}"), seed);
        }
    }

    fn recover(&mut self, disk: &SimulatedDisk, depth: usize, path: &str, seed: u64) {
        if !self.seen.insert((disk.fingerprint(), depth)) {
            return;
        }
        let moments = recovery_moments(disk, self.trial);
        // In an order that spreads a few over the whole: the share may not be enough for all.
        let mut order: Vec<usize> = (0..moments.len()).collect();
        order.sort_by_key(|at| mix(seed, *at as u64));
        for at in order {
            let random = Crash::KeepSome {
                seed: mix(seed, at as u64),
            };
            for (which, crash) in [Crash::KeepNone, Crash::KeepAll, random].into_iter().enumerate() {
                if self.left == 0 {
                    return;
                }
                self.left -= 1;
                let survivor = moments[at].crash(crash);
                let path = format!("{path}, {which} at {at} of recovery");
                self.judge(&survivor, &path);
                if depth > 1 {
                    // Deeper from here, with a part of what is left.
                    let spare = self.left - self.left / 4;
                    self.left /= 4;
                    self.recover(&survivor, depth - 1, &path, mix(seed, which as u64));
                    self.left += spare;
                }
            }
        }
    }

    fn judge(&mut self, survivor: &SimulatedDisk, path: &str) {
        if self.trial.begin_case() {
            let verdict = self.trial.judge.judge(&survivor.fork(), self.progress);
            self.trial.note(path, verdict);
        }
    }
}

/// The moments of one recovery.
fn recovery_moments(disk: &SimulatedDisk, trial: &Trial<'_>) -> Vec<SimulatedDisk> {
    let disk = disk.fork();
    disk.keep_moments(Operations::CHANGES);
    let opened = open(&disk, trial.workload, &Environment::simulated(7));
    let moments = disk.take_moments();
    // The process ends here, as if killed; an error is the judge's to find.
    disk.power_off();
    drop(opened);
    moments
}
