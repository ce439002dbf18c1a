//! Whatever is asked, planning ends in a plan or in an error, within the stack, and never in a contradiction of its own.

use crate::binder::tests::plan;
use proptest::prelude::*;
use std::fmt::Write as _;
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

/// A source of random choices.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u64) -> u64 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % sides
    }

    fn of<'t>(&mut self, items: &[&'t str]) -> &'t str {
        let index = usize::try_from(self.roll(items.len() as u64)).unwrap();
        items[index]
    }
}

/// Statements that are mostly right: every rule and every kind of operator comes up. Two columns, `a` and `b`.
fn query(dice: &mut Dice, depth: u64, outer: Option<&str>) -> String {
    match dice.roll(12) {
        0 if depth < 3 => {
            let op = dice.of(&[
                "UNION",
                "UNION ALL",
                "INTERSECT",
                "INTERSECT ALL",
                "EXCEPT",
                "EXCEPT ALL",
            ]);
            format!(
                "({}) {op} ({})",
                query(dice, depth + 2, outer),
                query(dice, depth + 2, outer)
            )
        }
        1 if depth < 3 => {
            let body = query(dice, depth + 2, outer);
            let condition = condition(dice, depth + 2, "w1", outer);
            format!(
                "WITH w(a, b) AS ({body}) SELECT w1.a, w2.b FROM w w1 JOIN w w2 ON w1.a = w2.b WHERE {condition}"
            )
        }
        _ => select(dice, depth, outer),
    }
}

fn select(dice: &mut Dice, depth: u64, outer: Option<&str>) -> String {
    let alias = format!("q{}", dice.roll(1000));
    let from = source(dice, depth, &alias);
    let grouped = dice.roll(4) == 0;
    let distinct = if dice.roll(6) == 0 { "DISTINCT " } else { "" };
    let columns = if grouped {
        let aggregate = dice.of(&[
            "count(*)",
            "sum(B)",
            "max(B)",
            "count(DISTINCT B)",
            "min(B) FILTER (WHERE B > 1)",
        ]);
        format!("{alias}.a, {}", aggregate.replace('B', &format!("{alias}.b")))
    } else {
        format!(
            "{} AS a, {} AS b",
            value(dice, depth, &alias, outer),
            value(dice, depth, &alias, outer)
        )
    };
    let mut sql = format!("SELECT {distinct}{columns} FROM {from}");
    if dice.roll(3) > 0 {
        write!(sql, " WHERE {}", condition(dice, depth, &alias, outer)).unwrap();
    }
    if grouped {
        write!(sql, " GROUP BY {alias}.a").unwrap();
        if dice.roll(3) == 0 {
            sql += dice.of(&[
                " HAVING count(*) > 1",
                " HAVING max(b) < 5",
                " HAVING count(b) = 0",
            ]);
        }
    }
    if dice.roll(4) == 0 {
        sql += dice.of(&[
            " ORDER BY 1, 2",
            " ORDER BY 2 DESC, 1",
            " ORDER BY 1, 2 LIMIT 3",
            " ORDER BY 1, 2 LIMIT 5 OFFSET 1",
        ]);
    }
    sql
}

fn value(dice: &mut Dice, depth: u64, alias: &str, outer: Option<&str>) -> String {
    let column = format!("{alias}.{}", dice.of(&["a", "b"]));
    match dice.roll(if depth > 2 { 9 } else { 11 }) {
        0 => format!("{column} + {}", dice.roll(4)),
        1 => format!(
            "CASE WHEN {} THEN {column} ELSE {} END",
            condition(dice, depth + 2, alias, outer),
            dice.roll(5)
        ),
        2 => format!("COALESCE({alias}.a, {alias}.b)"),
        3 => format!("NULLIF({alias}.a, {alias}.b)"),
        9 => format!(
            "(SELECT {} FROM heap s WHERE s.a = {column})",
            dice.of(&["count(*)", "max(s.b)", "sum(s.a) + 1", "count(s.b) * 2"])
        ),
        10 => format!(
            "(SELECT count(*) FROM ({}) s)",
            query(dice, depth + 2, Some(alias))
        ),
        _ => column,
    }
}

fn source(dice: &mut Dice, depth: u64, alias: &str) -> String {
    let tables = [
        "heap",
        "(SELECT id AS a, customer AS b FROM orders)",
        "(SELECT order_id AS a, number AS b FROM lines)",
    ];
    match dice.roll(if depth > 3 { 1 } else { 4 }) {
        0 => format!("{} {alias}", dice.of(&tables)),
        1 => format!("({}) {alias}(a, b)", query(dice, depth + 1, None)),
        2 => format!(
            "({} UNION ALL {}) {alias}(a, b)",
            query(dice, depth + 2, None),
            query(dice, depth + 2, None)
        ),
        _ => {
            let kind = dice.of(&["JOIN", "LEFT JOIN", "RIGHT JOIN", "FULL JOIN"]);
            if dice.roll(5) == 0 {
                let right = query(dice, depth + 1, None);
                return format!("(SELECT a, x.b FROM heap x {kind} ({right}) y(a, c) USING (a)) {alias}");
            }
            let other = format!("o{}", dice.roll(1000));
            let right = source(dice, depth + 1, &other);
            format!(
                "{} {alias} {kind} {right} ON {alias}.a = {other}.{} AND {alias}.b > {}",
                dice.of(&tables),
                dice.of(&["a", "b"]),
                dice.roll(5)
            )
        }
    }
}

fn condition(dice: &mut Dice, depth: u64, alias: &str, outer: Option<&str>) -> String {
    let column = format!("{alias}.{}", dice.of(&["a", "b"]));
    let value = match outer {
        Some(outer) if dice.roll(2) == 0 => format!("{outer}.{}", dice.of(&["a", "b"])),
        _ => dice.of(&["1", "5", "NULL", "$1", "3 + 4"]).to_owned(),
    };
    match dice.roll(if depth > 3 { 5 } else { 11 }) {
        0 => format!("{column} = {value}"),
        1 => format!(
            "{column} {} {value}",
            dice.of(&["<", ">=", "<>", "IS DISTINCT FROM"])
        ),
        2 => format!("{column} IN (1, 2, {value})"),
        3 => format!("{column} IS {}NULL", dice.of(&["", "NOT "])),
        4 => format!(
            "({} {} {})",
            condition(dice, depth + 1, alias, outer),
            dice.of(&["AND", "OR"]),
            condition(dice, depth + 1, alias, outer)
        ),
        5 => format!("NOT ({})", condition(dice, depth + 1, alias, outer)),
        6 => format!(
            "{}EXISTS ({})",
            dice.of(&["", "NOT "]),
            query(dice, depth + 1, Some(alias))
        ),
        7 => format!(
            "{column} {}IN (SELECT s.a FROM ({}) s(a, b))",
            dice.of(&["", "NOT "]),
            query(dice, depth + 1, Some(alias))
        ),
        8 => format!(
            "{column} {} (SELECT {} FROM ({}) s(a, b))",
            dice.of(&["=", "<"]),
            dice.of(&["max(a)", "count(*)", "sum(b) + 1"]),
            query(dice, depth + 1, Some(alias))
        ),
        9 => format!(
            "({column}, {value}) {}IN (SELECT * FROM ({}) s(a, b))",
            dice.of(&["", "NOT "]),
            query(dice, depth + 1, Some(alias))
        ),
        _ => format!(
            "{column} {} {} (SELECT a FROM heap WHERE b = {column})",
            dice.of(&["=", ">", "<>"]),
            dice.of(&["ANY", "ALL"])
        ),
    }
}

#[test]
fn random_queries_never_contradict_the_planner() {
    let (mut dice, mut good) = (Dice(7), 0);
    for _ in 0..3000 {
        let sql = query(&mut dice, 0, None);
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
