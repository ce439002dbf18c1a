//! Short workloads, put together of ingredients: each alone, each pair, each three, in every order.

use crate::crash::script::{Change, Step, Workload, commit, deletes, put, puts, roll_back};

/// What a short workload is made of.
const INGREDIENTS: &[&str] = &[
    "put",
    "delete",
    "overflow",
    "split",
    "merge",
    "savepoint",
    "rollback",
    "checkpoint",
    "background",
    "compact",
    "reopen",
    "table",
    "open",
];

/// All of one and of two.
pub(super) fn up_to_two() -> Vec<Workload> {
    let ones = INGREDIENTS.iter().map(|one| vec![*one]);
    let twos = INGREDIENTS
        .iter()
        .flat_map(|one| INGREDIENTS.iter().map(|two| vec![*one, *two]));
    ones.chain(twos).map(|names| put_together(&names)).collect()
}

/// All of three.
pub(super) fn of_three() -> Vec<Workload> {
    let mut all = Vec::new();
    for one in INGREDIENTS {
        for two in INGREDIENTS {
            all.extend(INGREDIENTS.iter().map(|three| put_together(&[one, two, three])));
        }
    }
    all
}

/// The one of a name like `put+split+reopen`.
pub(super) fn of_names(name: &str) -> Option<Workload> {
    let names: Vec<&str> = name.split('+').collect();
    names
        .iter()
        .all(|name| INGREDIENTS.contains(name))
        .then(|| put_together(&names))
}

/// A few keys, the ingredients, and a last commit.
fn put_together(names: &[&str]) -> Workload {
    let mut steps = commit(puts(1..5, 50));
    for name in names {
        steps.extend(ingredient(name));
    }
    steps.extend(put(3, 30));
    Workload::new(names.join("+"), steps)
}

fn ingredient(name: &str) -> Vec<Step> {
    match name {
        "put" => put(2, 40),
        "delete" => commit(deletes([1])),
        "overflow" => put(4, 9000),
        "split" => commit(puts(10..50, 200)),
        "merge" => commit(deletes(4..48)),
        "savepoint" => commit(vec![
            Change::Put(1, 10),
            Change::Savepoint,
            Change::Put(6, 5000),
            Change::Delete(2),
            Change::RollBackToSavepoint,
            Change::Put(7, 20),
        ]),
        "rollback" => roll_back([puts(1..30, 150), deletes(2..10)].concat()),
        "checkpoint" => vec![Step::Checkpoint],
        "background" => vec![Step::Background],
        "compact" => vec![Step::Compact],
        "reopen" => vec![Step::Reopen],
        "table" => commit(vec![
            Change::Sql("CREATE TABLE IF NOT EXISTS t (a int PRIMARY KEY, b text)".into()),
            Change::Sql("INSERT INTO t SELECT coalesce(max(a), 0) + 1, 'one more' FROM t".into()),
        ]),
        // Stays open while the others come and go; the end of the script, or of a life, finds it open.
        _ => vec![Step::Do(1, puts(60..75, 300))],
    }
}
