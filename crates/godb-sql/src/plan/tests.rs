//! Whatever is asked, planning ends in a plan or in an error, within the stack, and never in a contradiction of its own.

use crate::binder::tests::plan;
use crate::testing::random::{Dice, queries};
use proptest::prelude::*;
use std::time::Instant;

/// Runs on a thread with a small stack: what every spawned thread has.
fn with_stack(bytes: usize, run: impl FnOnce() + Send + 'static) {
    let thread = std::thread::Builder::new().stack_size(bytes).spawn(run);
    thread.unwrap().join().unwrap();
}

/// Plans; internal errors and panics fail the test.
fn planned(sql: &str) {
    if let Err(error) = plan(sql) {
        assert_ne!(
            error.state.0,
            "XX000",
            "{}: {}",
            error.message,
            &sql[..sql.len().min(2000)]
        );
    }
}

#[test]
fn deep_statements_fit_the_stack() {
    with_stack(2 << 20, || {
        let n = 490;
        let nest = |open: &str, close: &str| format!("SELECT {}1{}", open.repeat(n), close.repeat(n));
        for sql in [
            nest("(", ")"),
            nest("- ", ""),
            nest("NOT ", ""),
            nest("", " + 1"),
            nest("", "::int"),
            nest("", " IS NULL"),
            nest("", " UNION SELECT 1"),
            nest("(SELECT ", ")"),
            format!("SELECT {}1{}", "(SELECT ".repeat(90), ")".repeat(90)),
            format!("SELECT {}1{}", "EXISTS (SELECT ".repeat(90), ")".repeat(90)),
            nest("abs(", ")"),
            nest("CASE WHEN true THEN ", " END"),
            nest("COALESCE(2, ", ")"),
            nest("1 IN (2, ", ")"),
            nest("EXISTS (SELECT ", ")"),
            format!("SELECT * FROM {}heap{}", "(".repeat(n), ")".repeat(n)),
            format!(
                "SELECT 1 FROM {}heap{}",
                "(SELECT * FROM ".repeat(90),
                " q)".repeat(90)
            ),
            format!(
                "SELECT a FROM heap WHERE a IN {}1{}",
                "(SELECT a FROM heap WHERE a IN ".repeat(80),
                ")".repeat(80)
            ),
            format!(
                "WITH c0 AS (SELECT 1 AS x){} SELECT * FROM c200",
                (1..=200)
                    .map(|i| format!(", c{i} AS (SELECT * FROM c{})", i - 1))
                    .collect::<String>()
            ),
            format!(
                "WITH c0 AS (SELECT 1 AS x){} SELECT 1 FROM c60",
                (1..=60)
                    .map(|i| format!(", c{i} AS (SELECT a.x FROM c{0} a, c{0} b)", i - 1))
                    .collect::<String>()
            ),
        ] {
            println!("{}", &sql[..60]);
            planned(&sql);
        }
    });
}

#[test]
fn wide_statements_are_planned() {
    with_stack(2 << 20, || {
        let started = Instant::now();
        let joins = |n: usize| (0..n).map(|i| format!(", heap h{i}")).collect::<String>();
        let chained = (1..190)
            .map(|i| format!(" JOIN heap h{i} ON h{i}.a = h{}.a", i - 1))
            .collect::<String>();
        for sql in [
            format!("SELECT 1 WHERE 1 = 1{}", " AND 1 = 1".repeat(100_000)),
            format!("SELECT a FROM heap WHERE a = 1{}", " OR a = 2".repeat(50_000)),
            format!("SELECT a FROM heap WHERE a IN (1{})", ", 2".repeat(50_000)),
            format!("SELECT 1{}", ", 1".repeat(20_000)),
            format!("SELECT 1 FROM heap{}", joins(10_000)),
            format!("SELECT 1 FROM heap{}", joins(199)),
            format!(
                "SELECT 1 FROM (SELECT 1 FROM (SELECT 1 FROM heap{0}) a{0}) b{0}",
                joins(190)
            ),
            format!(
                "WITH c0 AS (SELECT a AS x FROM heap){} SELECT 1 FROM c400",
                (1..=400)
                    .map(|i| format!(
                        ", c{i} AS (SELECT DISTINCT x FROM c{} WHERE x > {i} ORDER BY x LIMIT 5)",
                        i - 1
                    ))
                    .collect::<String>()
            ),
            format!(
                "SELECT a FROM heap{}",
                " UNION ALL SELECT a FROM heap".repeat(400)
            ),
            format!("SELECT a FROM heap{}", " EXCEPT SELECT a FROM heap".repeat(400)),
            format!(
                "SELECT 1 FROM (SELECT 1 FROM (SELECT 1 FROM heap{0}) a{0}) b{0}",
                joins(94)
            ),
            format!("SELECT h0.a FROM heap h0{}", chained.replace("JOIN", "LEFT JOIN")),
            format!("SELECT a FROM heap{}", " EXCEPT SELECT a FROM heap".repeat(290)),
            format!("SELECT h0.a FROM heap h0{chained}"),
            format!(
                "INSERT INTO heap VALUES (1, 2, 3){}",
                ", (1, 2, 3)".repeat(20_000)
            ),
        ] {
            let before = Instant::now();
            planned(&sql);
            println!("{:?} {}", before.elapsed(), &sql[..50]);
        }
        assert!(started.elapsed().as_secs() < 20, "{:?}", started.elapsed());
    });
}

const WORDS: &[&str] = &[
    "SELECT",
    "FROM",
    "WHERE",
    "heap",
    "customers",
    "orders",
    "a",
    "b",
    "id",
    "name",
    "(",
    ")",
    ",",
    "1",
    "'x'",
    "$1",
    "AND",
    "OR",
    "NOT",
    "IN",
    "BETWEEN",
    "LIKE",
    "::",
    "int",
    "text",
    "CASE",
    "WHEN",
    "THEN",
    "ELSE",
    "END",
    "JOIN",
    "LEFT JOIN",
    "ON",
    "USING",
    "GROUP BY",
    "ORDER BY",
    "LIMIT",
    "UNION",
    "ALL",
    "INSERT INTO",
    "VALUES",
    "UPDATE",
    "SET",
    "=",
    "<",
    "DELETE FROM",
    "RETURNING",
    "count(*)",
    "sum(",
    "*",
    ".",
    "EXISTS (SELECT",
    "DISTINCT",
    "HAVING",
    "AS",
    "NULL",
    "IS",
    "+",
    "-",
    "WITH",
    "generate_series(",
];

#[test]
fn random_queries_never_contradict_the_planner() {
    let (mut dice, mut good) = (Dice::new(7), 0);
    for _ in 0..3000 {
        let sql = queries::query(&mut dice, 0, None);
        match plan(&sql) {
            Ok(_) => good += 1,
            Err(error) => assert_ne!(error.state.0, "XX000", "{}: {sql}", error.message),
        }
    }
    assert!(good > 2000, "only {good} of the queries were right");
}

proptest! {
    #[test]
    fn random_tokens_never_panic(words in proptest::collection::vec(proptest::sample::select(WORDS), 0..25)) {
        planned(&words.join(" "));
    }

    #[test]
    fn random_tails_never_panic(words in proptest::collection::vec(proptest::sample::select(WORDS), 0..12)) {
        planned(&format!("SELECT a FROM heap WHERE {}", words.join(" ")));
    }
}

#[test]
fn point_statements_are_planned_quickly() {
    let fixture = crate::binder::tests::Fixture::new();
    let planning = super::Planning::new(&fixture);
    let sql = "SELECT name FROM customers WHERE id = $1";
    let (mut parsing, mut planning_time) = (f64::MAX, f64::MAX);
    for _ in 0..20 {
        let started = Instant::now();
        for _ in 0..100 {
            crate::parser::parse_one(sql).unwrap();
        }
        parsing = parsing.min(started.elapsed().as_secs_f64() * 1e4);
        let parsed = crate::parser::parse_one(sql).unwrap();
        let started = Instant::now();
        for _ in 0..100 {
            super::plan_statement(&parsed, &planning).unwrap();
        }
        planning_time = planning_time.min(started.elapsed().as_secs_f64() * 1e4);
    }
    println!("parse {parsing:.1} µs, plan {planning_time:.1} µs");
    assert!(
        parsing + planning_time < 300.0,
        "parse {parsing:.1} µs, plan {planning_time:.1} µs"
    );
}

#[test]
fn plans_can_be_kept_and_shared() {
    fn shared<T: Clone + Send + Sync + 'static>() {}
    shared::<super::Planned>();
    shared::<crate::parser::Parsed>();
}
