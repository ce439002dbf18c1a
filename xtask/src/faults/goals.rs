//! What each row of the fault matrix demands: its measures, and how often each must have been tried.
//!
//! The names are those that the programs write into `docs/faults`. A measure named `*` is the row's whole: all its lines together.

/// One demand.
pub(super) struct Goal {
    /// The row of the matrix.
    pub(super) row: u8,
    /// The measure, or `*`.
    pub(super) what: &'static str,
    /// How often it must have been tried.
    pub(super) least: u64,
}

const fn goal(row: u8, what: &'static str, least: u64) -> Goal {
    Goal { row, what, least }
}

/// The rows, and what goes wrong in each.
pub(super) const ROWS: &[(u8, &str)] = &[
    (1, "power loss, unsynced lost"),
    (2, "any subset of unsynced writes kept"),
    (3, "torn writes"),
    (4, "names and lengths lost apart from data"),
    (5, "a sync fails"),
    (6, "the disk is full"),
    (7, "a read fails"),
    (8, "short reads and writes, interrupts"),
    (9, "bits flip"),
    (10, "a file is cut"),
    (11, "a write is lost"),
    (12, "a read or write goes astray"),
    (13, "power loss during recovery"),
    (14, "an error during recovery or checkpoint"),
    (15, "two owners"),
    (16, "read-only file, directory, mount"),
    (17, "forged headers and catalogs"),
    (18, "the clock jumps"),
    (19, "memory runs out"),
    (20, "huge values, rows, keys"),
    (24, "races"),
    (25, "a killed process"),
];

/// Every demand, row by row.
pub(super) const GOALS: &[Goal] = &[
    goal(1, "crash points", 250_000),
    goal(1, "workloads", 60),
    goal(1, "minutes of all faults", 60),
    goal(1, "planted bugs", 12),
    goal(2, "subsets of unsynced changes", 1_000_000),
    goal(3, "torn writes", 100_000),
    goal(4, "names and lengths lost apart", 10_000),
    goal(5, "failed syncs of workloads", 10_000),
    goal(5, "*", 10_000),
    goal(6, "*", 1_000),
    goal(7, "*", 1_000),
    goal(7, "leaf", 400),
    goal(7, "overflow page", 100),
    goal(7, "every read of a run", 400),
    goal(7, "every read of an opening", 500),
    goal(8, "*", 1_000),
    goal(9, "*", 2_000_000),
    goal(9, "leaf", 700_000),
    goal(9, "block of the log", 190_000),
    goal(9, "control file", 65_536),
    goal(10, "the database, closed cleanly", 4_096),
    goal(10, "the database, its log in use", 4_096),
    goal(10, "the log", 1_000),
    goal(10, "the control file", 16),
    goal(9, "salvage of a damaged database", 1_000),
    goal(9, "repair of a damaged database", 1_000),
    goal(11, "*", 100),
    goal(12, "*", 65_000),
    // Every pair of 256 pages, but for the places of the two headers, which are each other's copies.
    goal(12, "every page in the place of every other", 64_770),
    goal(13, "crashes within recovery", 100_000),
    goal(13, "mutants of log and recovery", 200),
    // 85 % of them.
    goal(13, "mutants of log and recovery caught", 170),
    goal(14, "recovery", 50_000),
    goal(14, "checkpoint", 100),
    goal(14, "the checkpoint after recovery", 5_000),
    goal(14, "calls of the file system given an error", 200),
    // There were 62 when they were counted; fewer mean that the scripts miss some.
    goal(14, "places that call the file system", 62),
    goal(15, "*", 1_000),
    goal(16, "*", 3),
    goal(17, "*", 100_000),
    goal(17, "file header, one copy or both", 20_000),
    goal(17, "structure of a page", 20_000),
    goal(17, "bytes anywhere in a page", 20_000),
    goal(17, "control file", 20_000),
    goal(17, "block of the log", 20_000),
    // Each target three minutes; the slow ones do everything there is to do with a database for each input.
    goal(17, "fuzzed page", 2_000),
    goal(17, "fuzzed header", 20_000),
    goal(17, "fuzzed control", 20_000),
    goal(17, "fuzzed blocks", 20_000),
    goal(17, "fuzzed records", 2_000),
    goal(17, "fuzzed database", 2_000),
    goal(17, "fuzzed rows", 5_000),
    goal(17, "fuzzed catalog", 5_000),
    goal(17, "fuzzed sql", 5_000),
    goal(17, "fuzzed csv", 5_000),
    goal(18, "seeds of clocks", 100),
    goal(19, "*", 10),
    goal(20, "*", 20),
    goal(24, "interleavings of latch and glance", 100),
    goal(24, "interleavings of pin and evict", 100),
    goal(24, "interleavings of write-back", 100),
    goal(24, "interleavings of admission", 100),
    goal(24, "interleavings of allocation", 1_000),
    goal(24, "interleavings of split and read", 10_000),
    goal(24, "interleavings of split and split", 100_000),
    goal(24, "interleavings of log reservation", 100),
    goal(24, "interleavings of group commit", 10_000),
    goal(24, "interleavings of checkpoint", 100),
    goal(24, "interleavings of lock grant", 10),
    goal(24, "interleavings of lock upgrade", 100),
    goal(24, "interleavings of lock escalation", 100),
    goal(24, "interleavings of lock time-out", 10),
    goal(24, "interleavings of lock victim", 100),
    goal(24, "interleavings of status publish", 100),
    goal(24, "interleavings of garbage horizon", 100),
    goal(24, "interleavings of cancel", 20),
    goal(24, "tests under ThreadSanitizer", 150),
    goal(24, "*", 100_000),
    goal(25, "*", 1_000),
];
