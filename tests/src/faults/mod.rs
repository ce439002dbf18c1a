//! Campaigns of the fault matrix: a database meets one fault after another, everywhere it can strike, and is judged.
//!
//! The crash tester asks what survives a loss of power. These campaigns ask about everything else that a machine can do to a database: syncs
//! that fail, disks that are full, sectors that cannot be read, bits that flip, writes that are lost or go astray, files that are cut, numbers that somebody forged.
//! Each row of the matrix has a module with one function, which tries its fault systematically and counts what it tried; a failure comes with the command
//! that shows it again. The judge is the same everywhere: what was acknowledged is there, what is not whole is an error that says so, and nobody is
//! ever given a wrong answer.

mod campaign;
mod cut_files;
mod failed_syncs;
mod failing_recovery;
mod flipped_bits;
pub(crate) mod forge;
mod forged;
mod full_disks;
mod large;
mod limits;
mod lost_writes;
mod memory;
mod misdirected;
pub(crate) mod script;
mod short_calls;
mod sites;
mod unreadable;
pub(crate) mod world;

pub use campaign::{Campaign, Tally, note_panics};
pub use large::{LARGE, POOL, RECOVER};
pub use memory::{PROBE, be_probe, probe_with};

/// A row of the matrix.
pub struct Row {
    /// Its number.
    pub number: u8,
    /// What its figures are filed under.
    pub part: &'static str,
    /// What goes wrong.
    pub fault: &'static str,
    /// Tries it.
    pub run: fn(&mut Campaign),
}

/// The rows that are tested here.
pub const ROWS: &[Row] = &[
    Row {
        number: 5,
        part: "faults",
        fault: "a sync fails",
        run: failed_syncs::run,
    },
    Row {
        number: 6,
        part: "faults",
        fault: "the disk is full",
        run: full_disks::run,
    },
    Row {
        number: 7,
        part: "faults",
        fault: "a sector cannot be read",
        run: unreadable::run,
    },
    Row {
        number: 8,
        part: "faults",
        fault: "calls are short or interrupted",
        run: short_calls::run,
    },
    Row {
        number: 9,
        part: "faults",
        fault: "a bit flips",
        run: flipped_bits::run,
    },
    Row {
        number: 10,
        part: "faults",
        fault: "a file is cut",
        run: cut_files::run,
    },
    Row {
        number: 11,
        part: "faults",
        fault: "a write is lost",
        run: lost_writes::run,
    },
    Row {
        number: 12,
        part: "faults",
        fault: "a read or write goes to another place",
        run: misdirected::run,
    },
    Row {
        number: 14,
        part: "faults",
        fault: "recovery or a checkpoint fails",
        run: failing_recovery::run,
    },
    Row {
        number: 14,
        part: "sites",
        fault: "a call of the file system fails, wherever it comes from",
        run: sites::run,
    },
    Row {
        number: 17,
        part: "faults",
        fault: "numbers are forged",
        run: forged::run,
    },
    Row {
        number: 19,
        part: "faults",
        fault: "memory runs out",
        run: memory::run,
    },
    Row {
        number: 20,
        part: "faults",
        fault: "something is too large",
        run: limits::run,
    },
];
