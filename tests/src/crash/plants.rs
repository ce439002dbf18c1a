//! The bugs that can be built into the engine, and where the tester is to find each: the oracle checks itself.
//!
//! Each is a mistake that one could make, and that loses data. A tester that finds nothing proves something only when it finds these.

use super::fault::Fault;
use super::tester::{Effort, Failure, Tester};
use super::workloads::by_name;
use std::time::{Duration, Instant};

/// How long a tester may look for one of them.
const PATIENCE: Duration = Duration::from_secs(60);

/// A bug, and where it shows.
pub struct Plant {
    /// Its name, as the place knows it that plants it.
    pub name: &'static str,
    /// What goes wrong for it to show.
    pub fault: Fault,
    /// The workloads that are tried, in this order.
    pub workloads: &'static [&'static str],
}

const fn plant_of(name: &'static str, fault: Fault, workloads: &'static [&'static str]) -> Plant {
    Plant {
        name,
        fault,
        workloads,
    }
}

/// All of them.
pub const PLANTS: &[Plant] = &[
    plant_of("log-sync-skipped", Fault::PowerLoss, &["put"]),
    plant_of("commit-acknowledged-early", Fault::PowerLoss, &["put"]),
    plant_of(
        "commit-acknowledged-out-of-order",
        Fault::PowerLoss,
        &["log-of-one-large-transaction"],
    ),
    plant_of("zeros-over-a-commit", Fault::PowerLoss, &["put"]),
    plant_of(
        "safe-copies-not-synced",
        Fault::AnySubset,
        &["split-between-checkpoints", "updates"],
    ),
    plant_of(
        "safe-copies-not-restored",
        Fault::TornWrites,
        &["split-between-checkpoints", "updates"],
    ),
    plant_of(
        "pages-not-synced",
        Fault::PowerLoss,
        &["split-between-checkpoints"],
    ),
    plant_of("control-not-synced", Fault::PowerLoss, &["put"]),
    plant_of("directory-not-synced", Fault::LostNames, &["put"]),
    plant_of(
        "log-barrier-skipped",
        Fault::AnySubset,
        &["relaxed-with-checkpoints"],
    ),
    plant_of(
        "compensation-ignored",
        Fault::PowerLoss,
        &["undone-before-it-is-lost"],
    ),
    plant_of("savepoint-forgets-changes", Fault::PowerLoss, &["savepoint"]),
    plant_of("deletion-not-taken-back", Fault::PowerLoss, &["deleted-in-place"]),
    plant_of("losers-forgotten", Fault::PowerLoss, &["open"]),
    plant_of(
        "checkpoint-without-dirty-pages",
        Fault::PowerLoss,
        &["put", "put+checkpoint"],
    ),
    plant_of("checkpoint-not-durable", Fault::PowerLoss, &["checkpoint"]),
    plant_of(
        "page-lsn-unchecked",
        Fault::PowerLoss,
        &["split-between-checkpoints"],
    ),
    plant_of(
        "older-epoch-replayed",
        Fault::InRecovery,
        &["log-of-one-large-transaction"],
    ),
    plant_of(
        "page-reused-too-early",
        Fault::PowerLoss,
        &["given-up-by-a-loser"],
    ),
    plant_of("spread-in-two-records", Fault::TornWrites, &["rows-between-rows"]),
    plant_of("append-in-two-records", Fault::TornWrites, &["rows-in-order"]),
    plant_of(
        "cut-before-checkpoint",
        Fault::AnySubset,
        &["compacted", "packed"],
    ),
];

/// Makes a bug in this process; tells whether there is such a one.
#[must_use]
pub fn plant(name: &str) -> bool {
    let known = PLANTS.iter().any(|plant| plant.name == name);
    if known {
        godb_page::plant(name);
    }
    known
}

/// What came of looking for one.
#[derive(Debug)]
pub struct Hunt {
    /// How it showed; none when it did not.
    pub found: Option<Failure>,
    /// States that were judged.
    pub states: u64,
    /// How long it took.
    pub took: Duration,
}

impl Plant {
    /// The one of that name.
    #[must_use]
    pub fn by_name(name: &str) -> Option<&'static Self> {
        PLANTS.iter().find(|plant| plant.name == name)
    }

    /// Looks where it should show, until it does.
    #[must_use]
    pub fn hunt(&self, seed: u64) -> Hunt {
        let started = Instant::now();
        let mut effort = Effort::normal();
        effort.failures = 1;
        let mut tester = Tester::new(seed, effort);
        tester.until = Some(started + PATIENCE);
        let mut states = 0;
        let workloads = self.workloads.iter().filter_map(|name| by_name(name));
        let found = workloads
            .map(|workload| tester.test(&workload, self.fault))
            .find_map(|outcome| {
                states += outcome.states;
                outcome.failures.into_iter().next()
            });
        Hunt {
            found,
            states,
            took: started.elapsed(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{PLANTS, by_name};
    use std::collections::BTreeSet;

    #[test]
    fn every_plant_has_a_name_of_its_own_and_workloads_that_are_there() {
        let names: BTreeSet<&str> = PLANTS.iter().map(|plant| plant.name).collect();
        assert!(names.len() == PLANTS.len() && names.len() >= 12);
        for plant in PLANTS {
            assert!(!plant.workloads.is_empty());
            for workload in plant.workloads {
                assert!(by_name(workload).is_some(), "{workload}");
            }
        }
    }

    #[test]
    fn where_plants_show_nothing_shows_without_them() {
        // The whole of this is `crash-test --plants`.
        let plant = super::Plant::by_name("log-sync-skipped").unwrap();
        let hunt = plant.hunt(1);
        assert!(hunt.states > 0 && hunt.found.is_none(), "{hunt:?}");
    }
}
