//! The bugs that can be built into the engine, and what the checker is to find of each.

use super::campaign::Campaign;
use super::check::Class;
use godb::Isolation;

/// A bug, and where it shows.
#[derive(Clone, Copy, Debug)]
pub struct Plant {
    /// Its name, as the place knows it that plants it.
    pub name: &'static str,
    /// At which level.
    pub level: Isolation,
    /// As what: any of these.
    pub classes: &'static [Class],
    /// Whether the power must go for it.
    pub crashes: bool,
}

const fn plant_of(name: &'static str, level: Isolation, classes: &'static [Class]) -> Plant {
    Plant {
        name,
        level,
        classes,
        crashes: false,
    }
}

/// All of them.
pub const PLANTS: &[Plant] = &[
    // A row's writer is not waited for, but written over.
    plant_of(
        "writer-not-awaited",
        Isolation::ReadCommitted,
        &[
            Class::DirtyWrite,
            Class::LostWrite,
            Class::IncompatibleOrder,
            Class::AbortedRead,
        ],
    ),
    // Everybody sees what runs.
    plant_of(
        "running-seen",
        Isolation::ReadCommitted,
        &[Class::AbortedRead, Class::IntermediateRead, Class::CircularFlow],
    ),
    // A snapshot moves on while its transaction runs.
    plant_of(
        "snapshot-moves",
        Isolation::RepeatableRead,
        &[Class::ReadSkew, Class::LostUpdate],
    ),
    // Who updates second wins, too.
    plant_of(
        "second-updater-wins",
        Isolation::RepeatableRead,
        &[Class::LostUpdate, Class::LostWrite, Class::IncompatibleOrder],
    ),
    // Dangerous structures are let through.
    plant_of(
        "danger-ignored",
        Isolation::Serializable,
        &[Class::WriteSkew, Class::Phantom],
    ),
    // Scans leave no marks.
    plant_of(
        "scans-unmarked",
        Isolation::Serializable,
        &[Class::Phantom, Class::WriteSkew],
    ),
    // Keys that are not there get no marks.
    plant_of(
        "missing-keys-unmarked",
        Isolation::Serializable,
        &[Class::Phantom],
    ),
    // Marks go with their transaction's commit.
    plant_of(
        "marks-dropped-at-commit",
        Isolation::Serializable,
        &[Class::WriteSkew, Class::Phantom],
    ),
    // A commit is acknowledged before it is durable.
    Plant {
        name: "commit-acknowledged-early",
        level: Isolation::ReadCommitted,
        classes: &[Class::LostWrite, Class::FromNowhere, Class::AbortedRead],
        crashes: true,
    },
];

/// Makes a bug in this process; what is to be found of it.
#[must_use]
pub fn plant(name: &str) -> Option<&'static Plant> {
    let known = PLANTS.iter().find(|plant| plant.name == name);
    if known.is_some() {
        godb_page::plant(name);
    }
    known
}

impl Plant {
    /// Where it is looked for: until it shows.
    #[must_use]
    pub fn campaign(&self, seed: u64, transactions: usize) -> Campaign {
        Campaign {
            seed,
            transactions,
            levels: vec![self.level],
            threads: 4,
            crash_every: u64::from(self.crashes),
            mvcc: true,
            stop: true,
        }
    }
}
