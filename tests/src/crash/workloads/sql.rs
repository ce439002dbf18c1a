//! Scripts in SQL: tables, indexes and the schema come and go; rows by the many; statements that are refused.

use crate::crash::script::{Change, Step, Workload, sql};

/// All of them.
pub(super) fn all() -> Vec<Workload> {
    [schemas(), rows(), refusals()].concat()
}

/// Each statement commits by itself; steps in between are written `.background`, `.checkpoint` and `.reopen`.
fn script(name: &str, statements: &[&str]) -> Workload {
    let steps = statements.iter().flat_map(|statement| match *statement {
        ".background" => vec![Step::Background],
        ".checkpoint" => vec![Step::Checkpoint],
        ".reopen" => vec![Step::Reopen],
        statement => sql(statement),
    });
    Workload::new(name, steps.collect())
}

fn change(statement: &str) -> Change {
    Change::Sql(statement.to_owned())
}

const MAKE: &str = "CREATE TABLE t (id int PRIMARY KEY, name text, size int)";
const FILL: &str = "INSERT INTO t SELECT i, 'row number ' || i, i % 7 FROM generate_series(1, 60) AS g(i)";

fn schemas() -> Vec<Workload> {
    vec![
        script(
            "table-made-and-dropped",
            &[MAKE, FILL, "DROP TABLE t", ".background", ".background", MAKE],
        ),
        script(
            "table-altered",
            &[
                MAKE,
                FILL,
                "ALTER TABLE t ADD COLUMN more text",
                "UPDATE t SET more = 'new' WHERE id < 20",
                "ALTER TABLE t DROP COLUMN size",
                "ALTER TABLE t RENAME TO u",
                "INSERT INTO u VALUES (100, 'hundred', 'x')",
            ],
        ),
        script(
            "index-on-rows",
            &[
                MAKE,
                FILL,
                "CREATE INDEX by_size ON t (size, name)",
                "UPDATE t SET size = size + 1 WHERE id % 2 = 0",
                ".background",
                "DROP INDEX by_size",
                ".background",
                "CREATE UNIQUE INDEX by_name ON t (name)",
            ],
        ),
        script(
            "several-tables",
            &[
                MAKE,
                "CREATE TABLE u (a text, b int UNIQUE)",
                FILL,
                "INSERT INTO u SELECT name, id FROM t",
                ".checkpoint",
                "DROP TABLE t",
                "DELETE FROM u WHERE b % 3 = 0",
                ".background",
                ".reopen",
                MAKE,
                FILL,
            ],
        ),
        Workload::new(
            "schema-rolled-back",
            [
                sql(MAKE),
                sql(FILL),
                vec![
                    Step::Do(
                        0,
                        vec![
                            change("CREATE TABLE u (x int)"),
                            change("INSERT INTO u SELECT id FROM t"),
                            change("CREATE INDEX i ON t (size)"),
                            change("DROP TABLE t"),
                        ],
                    ),
                    Step::Background,
                    Step::RollBack(0),
                    Step::Background,
                ],
                sql("DELETE FROM t WHERE id = 7"),
            ]
            .concat(),
        ),
    ]
}

fn rows() -> Vec<Workload> {
    vec![
        script(
            "rows-by-the-many",
            &[
                MAKE,
                "CREATE INDEX by_size ON t (size)",
                FILL,
                "UPDATE t SET name = repeat(name, 20), size = size * 2",
                ".background",
                "DELETE FROM t WHERE id BETWEEN 10 AND 50",
                ".background",
                ".checkpoint",
                "INSERT INTO t SELECT id + 1000, name, size FROM t",
            ],
        ),
        script(
            "bulk",
            &[
                MAKE,
                "INSERT INTO t SELECT i, repeat('long ', 60), i FROM generate_series(1, 300) AS g(i)",
                ".background",
                "CREATE INDEX by_size ON t (size)",
                ".checkpoint",
                "TRUNCATE t",
                ".background",
                FILL,
            ],
        ),
        script(
            "long-rows",
            &[
                MAKE,
                "INSERT INTO t SELECT i, repeat('overflowing', 1000), i FROM generate_series(1, 4) AS g(i)",
                "UPDATE t SET name = 'short' WHERE id = 2",
                ".background",
                "UPDATE t SET size = 0",
                "DELETE FROM t WHERE id = 1",
                ".background",
            ],
        ),
        script(
            "rows-and-their-past",
            &[
                MAKE,
                FILL,
                "UPDATE t SET size = 0",
                ".background",
                "DELETE FROM t WHERE id > 30",
                ".checkpoint",
                "INSERT INTO t VALUES (31, 'again', 1)",
            ],
        )
        .with_past(),
        script(
            "rows-in-small-segments",
            &[
                MAKE,
                "CREATE INDEX by_name ON t (name)",
                FILL,
                ".checkpoint",
                "UPDATE t SET name = 'other ' || id",
                ".checkpoint",
                "UPDATE t SET name = 'third ' || id",
                ".checkpoint",
                "DELETE FROM t",
                ".background",
                ".checkpoint",
                FILL,
            ],
        )
        .small_segments(),
    ]
}

fn refusals() -> Vec<Workload> {
    let refused = |statement: &str| Change::Refused(statement.to_owned());
    vec![
        Workload::new(
            "refused-rows",
            [
                sql(MAKE),
                sql("CREATE UNIQUE INDEX by_name ON t (name)"),
                sql(FILL),
                vec![
                    Step::Do(
                        0,
                        vec![
                            change("INSERT INTO t VALUES (100, 'hundred', 1)"),
                            refused("INSERT INTO t SELECT id + 80, name || '!', 1 FROM t"),
                            change("DELETE FROM t WHERE id = 100"),
                            refused("INSERT INTO t VALUES (101, 'x', 1), (102, 'x', 2)"),
                            change("INSERT INTO t VALUES (103, 'y', 1)"),
                        ],
                    ),
                    Step::Commit(0),
                ],
                sql("UPDATE t SET name = 'z' WHERE id = 103"),
            ]
            .concat(),
        ),
        Workload::new(
            "savepoints-in-sql",
            [
                sql(MAKE),
                vec![
                    Step::Do(
                        0,
                        vec![
                            change(FILL),
                            Change::Savepoint,
                            change("DELETE FROM t WHERE id < 40"),
                            change("UPDATE t SET size = 99"),
                            Change::RollBackToSavepoint,
                            change("UPDATE t SET size = 1 WHERE id = 5"),
                        ],
                    ),
                    Step::Background,
                    Step::Commit(0),
                ],
                sql("INSERT INTO t VALUES (0, 'nought', 0)"),
            ]
            .concat(),
        ),
    ]
}
