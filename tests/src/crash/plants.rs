//! The bugs that can be built into the engine, with `RUSTFLAGS='--cfg godb_plants'`. Each is a mistake that one could make, and that loses data.

/// Their names, as the places that plant them know them.
pub const PLANTS: &[&str] = &[
    "log-sync-skipped",
    "commit-acknowledged-early",
    "safe-copies-not-synced",
    "safe-copies-not-restored",
    "pages-not-synced",
    "control-not-synced",
    "directory-not-synced",
    "log-barrier-skipped",
    "compensation-ignored",
    "savepoint-forgets-changes",
    "losers-forgotten",
    "checkpoint-without-dirty-pages",
    "checkpoint-not-durable",
    "page-lsn-unchecked",
];

/// Makes a bug in this process; tells whether the build has any.
#[must_use]
pub fn plant(name: &str) -> bool {
    #[cfg(godb_plants)]
    godb_page::plant(name);
    cfg!(godb_plants) && PLANTS.contains(&name)
}
