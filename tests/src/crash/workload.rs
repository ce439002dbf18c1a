//! [`Workload`]: a short script of transactions and background work.

/// Keys and values are small numbers; a value's number also says how long it is.
pub(super) type Key = u16;

/// One change within a transaction.
#[derive(Clone, Copy, Debug)]
pub enum Change {
    /// Set a key to a value of this many bytes.
    Put(Key, usize),
    /// Remove a key.
    Delete(Key),
    /// Remember this point.
    Savepoint,
    /// Go back to the last point.
    RollBackToSavepoint,
}

/// One step of a workload.
#[derive(Clone, Debug)]
pub enum Step {
    /// A transaction that commits.
    Commit(Vec<Change>),
    /// A transaction that rolls back.
    RollBack(Vec<Change>),
    /// A transaction that stays open to the end.
    LeaveOpen(Vec<Change>),
    /// Write dirty pages and drop old versions.
    Background,
    /// Take a checkpoint.
    Checkpoint,
    /// Close cleanly and open again.
    Reopen,
}

/// A named script.
#[derive(Clone, Debug)]
pub struct Workload {
    /// What it is called.
    pub name: &'static str,
    /// What it does.
    pub steps: Vec<Step>,
}

fn puts(keys: impl Iterator<Item = Key>, length: usize) -> Vec<Change> {
    keys.map(|key| Change::Put(key, length)).collect()
}

fn deletes(keys: impl Iterator<Item = Key>) -> Vec<Change> {
    keys.map(Change::Delete).collect()
}

/// A transaction that sets one key.
fn one(key: Key, length: usize) -> Step {
    Step::Commit(vec![Change::Put(key, length)])
}

fn workload(name: &'static str, steps: Vec<Step>) -> Workload {
    Workload { name, steps }
}

/// The scripted workloads.
#[must_use]
pub fn all() -> Vec<Workload> {
    [few_keys(), whole_pages(), long_values(), long_lives()].concat()
}

/// A handful of keys: commits, rollbacks, checkpoints.
fn few_keys() -> Vec<Workload> {
    use Step::{Checkpoint, Commit, LeaveOpen, RollBack};
    vec![
        workload("three-puts", vec![one(1, 10), one(2, 10), one(1, 20)]),
        workload(
            "put-and-delete",
            vec![one(1, 10), Commit(vec![Change::Delete(1)]), one(1, 30)],
        ),
        workload("rollback", vec![one(1, 10), RollBack(puts(1..6, 50)), one(3, 10)]),
        workload(
            "left-open",
            vec![
                one(1, 10),
                LeaveOpen(puts(10..20, 100)),
                one(2, 10),
                Checkpoint,
                one(3, 10),
            ],
        ),
        workload(
            "checkpoint",
            vec![one(1, 10), Checkpoint, one(2, 10), Checkpoint, one(3, 10)],
        ),
    ]
}

/// Enough keys to split pages and merge them again.
fn whole_pages() -> Vec<Workload> {
    use Step::{Background, Checkpoint, Commit};
    vec![
        workload("split", vec![Commit(puts(0..40, 200)), Commit(puts(40..60, 200))]),
        workload(
            "split-then-checkpoint",
            vec![
                Commit(puts(0..30, 300)),
                Background,
                Checkpoint,
                Commit(puts(30..50, 300)),
            ],
        ),
        workload(
            "merge",
            vec![
                Commit(puts(0..50, 200)),
                Checkpoint,
                Commit(deletes(5..48)),
                Background,
                Background,
            ],
        ),
        workload(
            "updates",
            vec![
                Commit(puts(0..20, 100)),
                Commit(puts(0..20, 120)),
                Background,
                Commit(puts(0..20, 80)),
                Checkpoint,
            ],
        ),
    ]
}

/// Values in chains of overflow pages.
fn long_values() -> Vec<Workload> {
    use Step::{Background, Commit, RollBack};
    vec![
        workload(
            "overflow",
            vec![
                one(1, 9000),
                one(1, 12000),
                Background,
                Commit(vec![Change::Delete(1)]),
                Background,
            ],
        ),
        workload(
            "overflow-rollback",
            vec![
                one(1, 9000),
                RollBack(vec![Change::Put(1, 20000), Change::Put(2, 9000)]),
                one(3, 10),
            ],
        ),
        workload(
            "savepoint",
            vec![Commit(vec![
                Change::Put(1, 10),
                Change::Savepoint,
                Change::Put(1, 20),
                Change::Put(2, 9000),
                Change::RollBackToSavepoint,
                Change::Put(3, 10),
            ])],
        ),
    ]
}

/// Several lives of the database, and a transaction larger than the pool.
fn long_lives() -> Vec<Workload> {
    use Step::{Background, Checkpoint, Commit, LeaveOpen, Reopen};
    vec![
        workload(
            "reopen",
            vec![
                one(1, 10),
                Reopen,
                one(2, 10),
                Reopen,
                Commit(vec![Change::Delete(1)]),
            ],
        ),
        workload(
            "stolen-pages",
            vec![
                one(1, 10),
                LeaveOpen(puts(100..180, 400)),
                Background,
                one(2, 10),
                Background,
                Checkpoint,
                one(4, 10),
            ],
        ),
    ]
}
