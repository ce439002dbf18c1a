//! Faults of real machines: real processes, files and file systems, where the simulated disk cannot say what the system does.
//!
//! A [child](mod@child) process writes and tells, row by row, what was acknowledged; it is killed, starved or lied to; then the parent opens the same file and
//! [judges](ledger) it by what the child was told. What a machine does not allow (tracing a process, mounting) is skipped, and the program says so.

mod child;
mod injected;
mod kills;
mod ledger;
mod owners;
mod power;
mod process;
mod read_only;
mod small_disks;

pub use child::child;
pub use kills::kill_and_judge;
pub use process::Exe;

use crate::faults::Row;

/// The rows that are tested on real files.
pub const ROWS: &[Row] = &[
    Row {
        number: 5,
        part: "real",
        fault: "a sync fails",
        run: injected::syncs,
    },
    Row {
        number: 6,
        part: "real",
        fault: "the disk is full",
        run: small_disks::run,
    },
    Row {
        number: 15,
        part: "real",
        fault: "two want the same database",
        run: owners::run,
    },
    Row {
        number: 16,
        part: "real",
        fault: "nothing may be written",
        run: read_only::run,
    },
    Row {
        number: 25,
        part: "real",
        fault: "a process is killed, the power goes",
        run: kills::run,
    },
];
