//! Scripts about trees: splits, merges, long values, and transactions that are larger than the pool.

use crate::crash::script::{Change, Step, Workload, commit, deletes, put, puts, roll_back, sql};

/// All of them.
pub(super) fn all() -> Vec<Workload> {
    [
        pages(),
        in_order(),
        long_values(),
        interleaved(),
        losers(),
        shorter(),
    ]
    .concat()
}

fn script(name: &str, steps: impl AsRef<[Vec<Step>]>) -> Workload {
    Workload::new(name, steps.as_ref().concat())
}

/// Enough keys to split pages and merge them again.
fn pages() -> Vec<Workload> {
    use Step::{Background, Checkpoint};
    vec![
        script(
            "split-twice",
            vec![commit(puts(0..60, 200)), commit(puts(60..120, 200))],
        ),
        script(
            "split-downwards",
            vec![commit(puts((0..80).rev(), 300)), vec![Background], put(0, 1)],
        ),
        script(
            "rows-between-rows",
            vec![
                // In no order: leaves that are filled in order have no room for each other's rows.
                commit(puts((0..60).map(|n| n * 37 % 60 * 3), 300)),
                vec![Checkpoint],
                commit(puts((0..15).map(|n| n * 37 % 60 * 3 + 1), 300)),
                commit(puts((15..30).map(|n| n * 37 % 60 * 3 + 1), 300)),
                commit(puts((30..45).map(|n| n * 37 % 60 * 3 + 1), 300)),
                commit(puts((0..15).map(|n| n * 37 % 60 * 3 + 2), 300)),
                commit(puts((15..30).map(|n| n * 37 % 60 * 3 + 2), 300)),
                commit(puts((30..45).map(|n| n * 37 % 60 * 3 + 2), 300)),
            ],
        ),
        script(
            "split-between-checkpoints",
            vec![
                commit(puts(0..30, 300)),
                vec![Background, Checkpoint],
                commit(puts(30..50, 300)),
                vec![Checkpoint],
                put(31, 10),
            ],
        ),
        script(
            "merge-all",
            vec![
                commit(puts(0..80, 200)),
                vec![Checkpoint],
                commit(deletes(0..80)),
                vec![Background, Background],
                put(1, 1),
            ],
        ),
        script(
            "merge-from-left",
            vec![
                commit(puts(0..80, 200)),
                commit(deletes(0..30)),
                vec![Background],
                commit(deletes(30..60)),
                vec![Background, Checkpoint],
            ],
        ),
        script(
            "updates",
            vec![
                commit(puts(0..20, 100)),
                commit(puts(0..20, 120)),
                vec![Background],
                commit(puts(0..20, 80)),
                vec![Checkpoint],
            ],
        ),
        script(
            "reuse-of-pages",
            vec![
                commit(puts(0..40, 400)),
                commit(deletes(0..40)),
                vec![Background, Background, Checkpoint],
                commit(puts(100..140, 400)),
                vec![Background],
                commit(puts(0..40, 400)),
            ],
        ),
    ]
}

/// Rows that come in order, and begin new leaves.
fn in_order() -> Vec<Workload> {
    use Step::{Checkpoint, Do, RollBack};
    vec![
        // The first transaction appends leaves, one that is open when the power goes appends more, and others write behind its rows.
        script(
            "rows-in-order",
            vec![
                commit(puts(0..100, 250)),
                vec![Checkpoint, Do(1, puts(100..180, 250))],
                commit(puts(300..330, 250)),
                vec![RollBack(1), Do(2, puts(400..460, 250))],
                put(500, 10),
            ],
        ),
    ]
}

/// Files that become shorter.
fn shorter() -> Vec<Workload> {
    use Step::{Background, Checkpoint, Compact, Do, Reopen, RollBack};
    vec![
        // What is left lies at the end, and moves to the front.
        script(
            "compacted",
            vec![
                commit(puts(0..120, 300)),
                commit(deletes(0..100)),
                vec![Compact],
                put(3, 10),
                vec![Compact, Reopen],
                put(4, 10),
            ],
        ),
        // Half empty leaves of a tree of more than two levels, and roots that move.
        script(
            "packed",
            vec![
                sql("CREATE TABLE t (a int PRIMARY KEY, b text)"),
                sql("INSERT INTO t SELECT n, repeat('x', 400) FROM generate_series(1, 150) AS g (n)"),
                sql("CREATE TABLE u (a int PRIMARY KEY)"),
                sql("INSERT INTO u VALUES (1)"),
                sql("DELETE FROM t WHERE a % 3 > 0"),
                vec![Checkpoint, Compact],
                sql("DROP TABLE t"),
                vec![Compact],
                sql("INSERT INTO u VALUES (2)"),
            ],
        ),
        // While a transaction is open that will not be taken back before the end, or just then.
        script(
            "compacted-under-others",
            vec![
                commit(puts(0..90, 300)),
                vec![
                    Do(1, deletes(0..60)),
                    Compact,
                    Do(1, puts(100..130, 200)),
                    Compact,
                ],
                put(200, 10),
                vec![RollBack(1), Do(2, puts(20..40, 400)), Background, Compact],
                put(201, 10),
            ],
        ),
        // Large values at the end are written anew, and the file grows again.
        script(
            "large-values-come-forward",
            vec![
                commit(puts(0..60, 300)),
                put(100, 20000),
                commit(deletes(0..60)),
                vec![Compact],
                put(101, 30000),
                vec![Compact, Checkpoint],
                commit(puts(0..30, 300)),
            ],
        ),
    ]
}

/// Values in chains of overflow pages.
fn long_values() -> Vec<Workload> {
    use Step::{Background, Checkpoint};
    vec![
        script(
            "overflow-and-back",
            vec![
                put(1, 9000),
                put(1, 12000),
                vec![Background],
                put(1, 10),
                vec![Background],
                commit(deletes([1])),
            ],
        ),
        script(
            "overflow-rolled-back",
            vec![
                put(1, 9000),
                roll_back(vec![Change::Put(1, 20000), Change::Put(2, 9000)]),
                put(3, 10),
            ],
        ),
        script(
            "overflow-reused",
            vec![
                put(1, 30000),
                commit(deletes([1])),
                vec![Background, Background, Checkpoint],
                put(2, 30000),
                put(3, 15000),
            ],
        ),
        script(
            "savepoints",
            vec![commit(vec![
                Change::Put(1, 10),
                Change::Savepoint,
                Change::Put(1, 20),
                Change::Put(2, 9000),
                Change::RollBackToSavepoint,
                Change::Put(3, 10),
                Change::Savepoint,
                Change::Delete(1),
                Change::RollBackToSavepoint,
                Change::RollBackToSavepoint,
                Change::Put(4, 5000),
            ])],
        ),
    ]
}

/// Several transactions at once, and ones larger than the pool.
fn interleaved() -> Vec<Workload> {
    use Step::{Background, Checkpoint, Commit, Do, RollBack};
    vec![
        script(
            "stolen-pages",
            vec![
                put(1, 10),
                vec![Do(1, puts(100..180, 400)), Background],
                put(2, 10),
                vec![Background, Checkpoint],
                put(4, 10),
            ],
        ),
        script(
            "stolen-and-rolled-back",
            vec![
                commit(puts(100..160, 300)),
                vec![Do(1, deletes(100..160)), Background, Checkpoint],
                put(2, 10),
                vec![RollBack(1), Background],
                put(4, 10),
            ],
        ),
        script(
            "three-at-once",
            vec![vec![
                Do(1, puts((0..60).step_by(3), 200)),
                Do(2, puts((1..60).step_by(3), 200)),
                Do(3, puts((2..60).step_by(3), 200)),
                Commit(2),
                Background,
                Do(1, deletes((0..30).step_by(3))),
                Checkpoint,
                Commit(3),
                RollBack(1),
                Do(2, deletes((1..60).step_by(3))),
                Commit(2),
            ]],
        ),
        script(
            "open-across-checkpoints",
            vec![vec![
                Do(1, puts(0..5, 50)),
                Checkpoint,
                Do(2, puts(10..15, 50)),
                Checkpoint,
                Do(1, puts(20..25, 50)),
                Commit(2),
                Checkpoint,
                Do(3, puts(30..35, 50)),
                Commit(1),
            ]],
        ),
    ]
}

/// Transactions that end badly while others go on.
fn losers() -> Vec<Workload> {
    use Step::{Background, Do, RollBack};
    vec![
        // What an open transaction gave up must not be used for anything else, collected as often as may be, until it has committed.
        script(
            "given-up-by-a-loser",
            vec![
                commit(vec![
                    Change::Put(1, 9000),
                    Change::Put(2, 100),
                    Change::Put(3, 9000),
                ]),
                vec![
                    Do(1, vec![Change::Put(1, 10), Change::Delete(2), Change::Delete(3)]),
                    Background,
                    Background,
                    Background,
                ],
                put(4, 12000),
                vec![Background, RollBack(1)],
                put(5, 10),
                vec![Do(1, vec![Change::Put(3, 10)]), Background, Background],
                put(6, 9000),
            ],
        ),
        // What was taken back, and used by others since, must not be taken back again.
        script(
            "undone-before-it-is-lost",
            vec![
                commit(puts(1..5, 50)),
                vec![Do(
                    1,
                    vec![
                        Change::Put(1, 10),
                        Change::Savepoint,
                        Change::Put(2, 9000),
                        Change::Put(6, 9000),
                        Change::RollBackToSavepoint,
                    ],
                )],
                put(3, 9000),
                put(4, 9000),
                vec![RollBack(1)],
                put(3, 10),
            ],
        ),
    ]
}
