//! Scripts about time: lives of the database, the log's segments and their recycling, the past, rows deleted in their places, and commits that do not wait.

use crate::crash::script::{Step, Workload, commit, deletes, put, puts, roll_back};

/// All of them.
pub(super) fn all() -> Vec<Workload> {
    [lives(), logs(), past(), deletions(), relaxed()].concat()
}

fn script(name: &str, steps: impl AsRef<[Vec<Step>]>) -> Workload {
    Workload::new(name, steps.as_ref().concat())
}

fn lives() -> Vec<Workload> {
    use Step::{Background, Checkpoint, Reopen};
    vec![
        Workload::new("nothing", Vec::new()),
        script("three-lives", vec![vec![Reopen, Reopen], put(1, 10)]),
        script(
            "lives-with-work",
            vec![
                commit(puts(0..40, 200)),
                vec![Reopen],
                commit(deletes(0..35)),
                vec![Background, Reopen],
                put(2, 9000),
                vec![Reopen, Checkpoint],
                put(3, 10),
            ],
        ),
        script(
            "closed-with-a-loser",
            vec![
                put(1, 10),
                vec![Step::Do(1, puts(10..60, 300)), Background, Reopen],
                put(2, 10),
            ],
        ),
    ]
}

/// Enough work for several small segments, with checkpoints that let them go.
fn logs() -> Vec<Workload> {
    use Step::{Background, Checkpoint};
    let fill = |from: u16| commit(puts(from..from + 20, 900));
    vec![
        script(
            "log-of-segments",
            vec![fill(0), fill(20), fill(40), vec![Background], fill(60)],
        )
        .small_segments(),
        script(
            "log-recycled",
            vec![
                fill(0),
                fill(20),
                vec![Checkpoint],
                fill(0),
                fill(20),
                vec![Checkpoint],
                fill(40),
                fill(0),
                vec![Checkpoint, Checkpoint],
                fill(20),
            ],
        )
        .small_segments(),
        script(
            "log-held-by-an-open-transaction",
            vec![
                vec![Step::Do(1, puts(200..205, 100))],
                fill(0),
                vec![Checkpoint],
                fill(20),
                vec![Checkpoint],
                fill(40),
                vec![Step::RollBack(1), Checkpoint],
                fill(0),
            ],
        )
        .small_segments(),
        script(
            "log-of-one-large-transaction",
            vec![
                put(1, 10),
                roll_back(puts(0..60, 1500)),
                vec![Background],
                commit(puts(0..60, 1400)),
                vec![Checkpoint],
                put(1, 10),
            ],
        )
        .small_segments(),
    ]
}

/// The past is kept and asked for.
fn past() -> Vec<Workload> {
    use Step::{Background, Checkpoint, Reopen};
    let versions = || {
        vec![
            commit(puts(0..6, 300)),
            commit(puts(0..6, 200)),
            vec![Background],
            commit(deletes(2..4)),
            put(2, 6000),
            vec![Background, Checkpoint],
            put(2, 10),
        ]
    };
    vec![
        script("past", versions()).with_past(),
        script(
            "past-of-two-lives",
            [versions(), vec![vec![Reopen]], versions()].concat(),
        )
        .with_past(),
        script("past-and-rollback", {
            let mut steps = versions();
            steps.insert(3, roll_back(puts(0..12, 400)));
            steps.push(vec![Step::Do(1, deletes(0..6)), Background]);
            steps
        })
        .with_past()
        .small_segments(),
        // The same without retention: old versions are collected as soon as nobody needs them.
        script("versions-collected", versions()),
    ]
}

/// Rows that everybody has seen are deleted in their places; some come back by rollback, some are put again, the others go from whole pages at once.
fn deletions() -> Vec<Workload> {
    use Step::{Background, Checkpoint, Reopen};
    let seen = || {
        [
            commit(puts(0..60, 200)),
            put(60, 9000),
            vec![Background, Background],
        ]
        .concat()
    };
    vec![
        script(
            "deleted-in-place",
            vec![
                seen(),
                roll_back(deletes(0..20)),
                vec![Step::Do(1, deletes(0..10)), Checkpoint],
                commit(deletes(20..50)),
                commit(puts(25..30, 300)),
                vec![Background, Background],
                put(70, 10),
            ],
        ),
        script(
            "deleted-in-place-and-purged-after-a-crash",
            vec![
                seen(),
                commit(deletes(10..61)),
                vec![Reopen],
                commit(puts(0..10, 100)),
                vec![Background, Background, Checkpoint],
                commit(deletes(0..10)),
                vec![Background, Background],
                put(1, 10),
            ],
        )
        .small_segments(),
    ]
}

/// Commits that do not wait for the disk: what survives is a prefix.
fn relaxed() -> Vec<Workload> {
    use Step::{Background, Checkpoint};
    vec![
        script(
            "relaxed",
            vec![
                put(1, 10),
                put(2, 10),
                put(1, 20),
                commit(deletes([2])),
                put(3, 10),
            ],
        )
        .relaxed(),
        script(
            "relaxed-with-checkpoints",
            vec![
                commit(puts(0..30, 300)),
                vec![Background],
                commit(deletes(0..25)),
                vec![Checkpoint],
                put(1, 9000),
                put(2, 10),
                vec![Background],
                put(3, 10),
            ],
        )
        .relaxed()
        .small_segments(),
    ]
}
