//! Statements as text, and what the parser makes of them: splitting, positions, parameters, limits, `AS OF SYSTEM TIME`.

use super::*;
use proptest::prelude::*;

fn refused(sql: &str) -> (String, String, Option<usize>) {
    let error = parse_one(sql).unwrap_err();
    (error.state.0.to_owned(), error.message.clone(), error.position)
}

/// Runs on a thread with the stack that a main thread has.
fn with_stack(run: impl FnOnce() + Send + 'static) {
    let thread = std::thread::Builder::new().stack_size(8 << 20).spawn(run);
    thread.unwrap().join().unwrap();
}

#[test]
fn positions_are_characters_of_the_users_text() {
    let near = |s: &str| format!("syntax error at or near \"{s}\"");
    assert_eq!(
        refused("SELECT 1 FROM , t"),
        ("42601".into(), near(","), Some(15))
    );
    assert_eq!(
        refused("SELECT 'é' FROM\n  t WHERE )"),
        ("42601".into(), near(")"), Some(27))
    );
    assert_eq!(
        refused("SELECT (1"),
        ("42601".into(), "syntax error at end of input".into(), Some(10))
    );
    assert_eq!(
        refused("SELECT 1; SELECT 2"),
        ("42601".into(), near("SELECT"), Some(11))
    );
    assert_eq!(refused("").1, "syntax error at end of input");
    assert_eq!(refused("SELECT 'abc").1, "unterminated quoted string");
    let mended = refused("SELECT * FROM t AS OF SYSTEM TIME '-1s' WHERE , 1");
    assert_eq!(mended, ("42601".into(), near(","), Some(47)));
}

#[test]
fn parameters_are_numbered() {
    assert_eq!(parse_one("SELECT ?, '?', ? -- ?").unwrap().parameters, 2);
    assert_eq!(parse_one("SELECT 1 WHERE a=? AND b=?").unwrap().parameters, 2);
    assert_eq!(parse_one("SELECT $2 + $1 + $2").unwrap().parameters, 2);
    assert_eq!(refused("SELECT $1 + ?").0, "42601");
    assert_eq!(refused("SELECT $0").0, "42P02");
    assert_eq!(refused("SELECT $99999999999999999999").0, "54000");
}

#[test]
fn reading_the_past_is_recognised() {
    let whole = |sql: &str| parse_one(sql).unwrap().as_of.map(|a| a.text);
    assert_eq!(
        whole("SELECT * FROM t AS OF SYSTEM TIME '-10s'"),
        Some("-10s".into())
    );
    assert_eq!(
        whole("SELECT * FROM t AS OF SYSTEM TIME '-10s' WHERE a = 1;"),
        Some("-10s".into())
    );
    assert_eq!(
        whole("SELECT * FROM a, b WHERE a.x = b.x FOR SYSTEM_TIME AS OF '2024-01-01'"),
        Some("2024-01-01".into())
    );
    assert_eq!(whole("BEGIN AS OF '-1h'"), Some("-1h".into()));
    assert_eq!(
        whole("BEGIN TRANSACTION AS OF SYSTEM TIME '-1h'"),
        Some("-1h".into())
    );
    let parsed = parse_one("SELECT * FROM t AS OF SYSTEM TIME '-10s' old JOIN public.t FOR SYSTEM_TIME AS OF '-1s' AS new ON true").unwrap();
    assert_eq!(parsed.as_of, None);
    let places: Vec<u64> = parsed.table_as_of.iter().map(|(at, _)| at.column).collect();
    assert_eq!(places, [15, 51]);
    let transaction = parse_one("BEGIN AS OF SYSTEM TIME TRANSACTION 42").unwrap();
    let moment = transaction.as_of.unwrap();
    assert_eq!((moment.kind, &*moment.text), (AsOfKind::Transaction, "42"));
    let commit = parse_one("SELECT * FROM t AS OF SYSTEM TIME COMMIT 7 WHERE a = 1").unwrap();
    assert_eq!(commit.as_of.unwrap().kind, AsOfKind::Commit);
    for wrong in [
        "SELECT * FROM t AS OF SYSTEM TIME 5",
        "SELECT * FROM t AS OF SYSTEM TIME TRANSACTION '5'",
        "SELECT * FROM t AS OF SYSTEM TIME COMMIT",
        "SELECT * FROM t AS OF SYSTEM TIME TIMESTAMP 5",
    ] {
        assert_eq!(refused(wrong).0, "42601", "{wrong}");
    }
    assert_eq!(whole("SELECT of AS of FROM t"), None);
}

#[test]
fn scripts_are_split() {
    let parts = |sql: &'static str| split(sql).map(|r| &sql[r]).collect::<Vec<_>>();
    assert_eq!(
        parts("SELECT 1; ;\n-- ; x\nSELECT ';' ;"),
        ["SELECT 1", "SELECT ';'"]
    );
    assert_eq!(
        parts("a /* ; /* ; */ */ b; $$ ; $$ $x$;$$;$x$;\"a;\"\"b\""),
        ["a /* ; /* ; */ */ b", "$$ ; $$ $x$;$$;$x$", "\"a;\"\"b\""]
    );
    assert_eq!(parts("SELECT E'\\';' ; x'y;"), ["SELECT E'\\';'", "x'y;"]);
    assert_eq!(parts("SELECT $1;SELECT a$b$c;"), ["SELECT $1", "SELECT a$b$c"]);
    let mut open = split("SELECT 1; SELECT (;");
    assert_eq!(open.next_statement(), Some((0..8, true)));
    assert_eq!(open.next_statement(), Some((10..19, false)));
}

#[test]
fn unary_minus_binds_tighter_than_power() {
    let parsed = parse_one("SELECT -2 ^ 2").unwrap().statement.to_string();
    assert_eq!(parsed, "SELECT -2 ^ 2");
    let sqlparser::ast::Expr::BinaryOp { .. } = parse_expression("-2 ^ 2").unwrap() else {
        panic!("the power is outermost");
    };
}

#[test]
fn hostile_nesting_is_refused_or_works() {
    with_stack(|| {
        let nest =
            |open: &str, close: &str, n: usize| format!("SELECT {}1{}", open.repeat(n), close.repeat(n));
        for n in [10_000, 50_000] {
            for sql in [
                nest("(", ")", n),
                nest("(", "", n),
                nest("- ", "", n),
                nest("NOT ", "", n),
                nest("", " + 1", n),
                nest("", "::int", n),
                nest("", "[1]", n),
                nest("", " IS NULL", n),
                nest("", " UNION SELECT 1", n),
                nest("(SELECT ", ")", n),
                nest("f(", ")", n),
                nest("CASE WHEN ", " THEN 1 END", n),
                nest("ARRAY[", "]", n),
                format!("SELECT 1::int{}", "[]".repeat(n)),
                format!("{}SELECT 1", "EXPLAIN ".repeat(n)),
                format!("SELECT * FROM {}t{}", "(".repeat(n), ")".repeat(n)),
                format!("SELECT * FROM t{}", " JOIN t ON true".repeat(n)),
                format!("SELECT 1 BETWEEN {} 3", "1 AND 2 BETWEEN ".repeat(n)),
            ] {
                let error = parse_one(&sql).map(drop).unwrap_err();
                assert!(
                    ["54001", "42601"].contains(&error.state.0),
                    "{}: {}",
                    &sql[..40],
                    error.message
                );
            }
        }
        assert_eq!(refused(&nest("(", ")", 1_000_000)).0, "54001");
        let ands = format!("SELECT 1 WHERE a = 1{}", " AND a = 1".repeat(100_000));
        parse_one(&ands).unwrap();
        let ors = format!("SELECT 1 WHERE a = 1{}", " OR (a = 1)".repeat(100_000));
        parse_one(&ors).unwrap();
        let list = format!("SELECT 1 WHERE a IN (1{})", ", 1".repeat(100_000));
        parse_one(&list).unwrap();
    });
}

#[test]
fn moderate_nesting_is_parsed_quickly() {
    with_stack(|| {
        let started = std::time::Instant::now();
        for (open, close) in [
            ("(", ")"),
            ("f(", ")"),
            ("(SELECT ", ")"),
            ("CASE WHEN ", " THEN 1 END"),
            ("CAST(", " AS int)"),
            ("1 IN (", ")"),
            ("(1, ", ")"),
            ("EXISTS (SELECT ", ")"),
        ] {
            let sql = format!("SELECT {}1{}", open.repeat(200), close.repeat(200));
            let _ = parse_one(&sql);
            let sql = format!("SELECT {}1 FROM", open.repeat(200));
            let _ = parse_one(&sql);
            let sql = format!("SELECT * FROM {}t{}", "(".repeat(30), ")".repeat(30));
            let _ = parse_one(&sql);
        }
        assert!(started.elapsed().as_secs() < 10, "{:?}", started.elapsed());
    });
}

proptest! {
    #[test]
    fn random_texts_never_panic(text in "\\PC{0,60}") {
        let _ = parse_one(&text);
        for range in split(&text) {
            let _ = parse_one(&text[range]);
        }
    }

    #[test]
    fn random_tokens_never_panic(words in proptest::collection::vec(proptest::sample::select(WORDS), 0..30)) {
        let _ = parse_one(&words.join(" "));
    }
}

const WORDS: &[&str] = &[
    "SELECT",
    "FROM",
    "WHERE",
    "t",
    "a",
    "(",
    ")",
    ",",
    "AS",
    "OF",
    "SYSTEM",
    "TIME",
    "'x'",
    "FOR",
    "SYSTEM_TIME",
    "1",
    "?",
    "$1",
    "AND",
    "OR",
    "NOT",
    "IN",
    "BETWEEN",
    "LIKE",
    "::",
    "int",
    "CASE",
    "WHEN",
    "THEN",
    "END",
    "JOIN",
    "LEFT",
    "ON",
    "USING",
    "GROUP",
    "BY",
    "ORDER",
    "LIMIT",
    "UNION",
    "ALL",
    "INSERT",
    "INTO",
    "VALUES",
    "UPDATE",
    "SET",
    "=",
    "DELETE",
    "RETURNING",
    "INTERVAL",
    "DATE",
    "E'",
    "\"",
    "$$",
    "/*",
    "--",
    ";",
    "CREATE",
    "TABLE",
    "BEGIN",
    "-",
    "*",
    ".",
    "[",
    "]",
    "é",
    "COPY",
    "EXPLAIN",
    "WITH",
    "EXISTS",
];
