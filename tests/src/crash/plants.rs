//! The bugs that can be built into the engine, with `RUSTFLAGS='--cfg godb_plants'`. Each is a mistake that one could make, and that loses data.

/// Their names, as the places that plant them know them.
pub const PLANTS: &[&str] = &[
    "log-sync-skipped",
    "commit-acknowledged-early",
    "area-sync-skipped",
    "safe-copies-skipped",
    "page-sync-skipped",
    "control-sync-skipped",
    "directory-sync-forgotten",
    "log-barrier-skipped",
    "undo-without-compensation",
    "page-lsn-unchecked",
    "older-epoch-replayed",
    "checkpoint-before-its-pages",
    "savepoint-forgets-a-change",
    "pages-freed-too-early",
];
