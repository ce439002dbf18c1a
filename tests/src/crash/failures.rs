//! Faults that the process survives: a sync that fails, a disk that is full. The run meets them at every place, one after the other.

use super::judge::open;
use super::player::{Player, Progress, Unwatched};
use super::survivors::mix;
use super::tester::Trial;
use godb::{Environment, Result};
use godb_page::{Crash, Effect, Injection, Operations, SimulatedDisk};

impl Trial<'_> {
    /// Every sync fails: it keeps what was to be written in memory, forgets it, or forgets some of it; once, or from then on.
    pub(super) fn failed_syncs(&mut self) -> Result<()> {
        let syncs = Operations::SYNC | Operations::SYNC_DIR;
        let seeds = (0..self.tester.effort.seeds).map(|n| Effect::SyncForgets {
            seed: Some(mix(self.tester.seed, n)),
        });
        let effects: Vec<Effect> = [Effect::IoError, Effect::SyncForgets { seed: None }]
            .into_iter()
            .chain(seeds)
            .collect();
        let sites = self.sites(syncs)?;
        for nth in 1..=sites {
            for effect in &effects {
                self.fail(Injection::once(syncs, nth, *effect));
                self.fail(Injection::lasting(syncs, nth, *effect));
            }
        }
        Ok(())
    }

    /// Every write or growth finds the disk full: once, or from then on, also in the middle of a write.
    pub(super) fn full_disks(&mut self) -> Result<()> {
        let growing = Operations::WRITE | Operations::SET_LEN;
        let sites = self.sites(growing)?;
        for nth in 1..=sites {
            self.fail(Injection::lasting(growing, nth, Effect::DiskFull));
            self.fail(Injection::once(growing, nth, Effect::DiskFull));
            let bytes = 512;
            self.fail(Injection::once(
                Operations::WRITE,
                nth,
                Effect::PartlyFull { bytes },
            ));
        }
        Ok(())
    }

    /// How many such operations a run has.
    fn sites(&self, kinds: Operations) -> Result<u64> {
        let disk = SimulatedDisk::new();
        self.play(&disk).0?;
        Ok(disk.count(kinds))
    }

    /// One run; also the disk at its end.
    fn play(&self, disk: &SimulatedDisk) -> (Result<()>, Progress, SimulatedDisk) {
        let environment = Environment::simulated(7);
        let mut end = None;
        let mut player = Player::new(
            self.workload,
            || open(disk, self.workload, &environment),
            || {
                end = Some(disk.fork());
                disk.power_off();
            },
        );
        let ended = player.run(&mut Unwatched);
        let progress = player.progress.clone();
        drop(player);
        (ended, progress, end.unwrap_or_else(|| disk.fork()))
    }

    /// One run with one fault; then the process goes on with the same system, or the power goes.
    fn fail(&mut self, injection: Injection) {
        if !self.begin_moment() {
            return;
        }
        let how = format!("{:?}, lasting {}", injection.effect, injection.lasting);
        let disk = SimulatedDisk::new();
        disk.inject(injection);
        let (_, progress, disk) = self.play(&disk);
        disk.heal();
        for (after, crash) in [
            ("unsynced lost", Crash::KeepNone),
            ("unsynced kept", Crash::KeepAll),
            ("unsynced kept by seed", Crash::KeepSome { seed: self.seed() }),
        ] {
            if self.begin_case() {
                let verdict = self.judge.judge(&disk.crash(crash), &progress);
                self.note(&format!("{how}; then {after}"), verdict);
            }
        }
        if self.begin_case() {
            // What the system shows is newer than what the disk has.
            let environment = Environment::simulated(7);
            let same = disk.fork();
            let verdict = self.judge.judge_anew(&same, &progress, &environment);
            self.note(&format!("{how}; then opened again"), verdict.clone());
            if verdict.is_ok() && self.begin_case() {
                let verdict = self.judge.judge(&same.crash(Crash::KeepNone), &progress);
                self.note(
                    &format!("{how}; then opened again, closed, and the power lost"),
                    verdict,
                );
            }
        }
    }
}
