//! Statements made to break a parser, a planner or a stack: each is run by a process of its own, with the 8 MiB of stack that a main thread
//! usually has. A stack overflow would kill that process by a signal; what must come instead is an answer, or an error with a SQLSTATE.

#![cfg(unix)]
#![expect(clippy::unwrap_used, reason = "a panic in a test is its report")]

use std::io::Write;
use std::process::{Command, Output, Stdio};

/// Runs a script in memory, with a stack of 8 MiB.
fn run(script: &str) -> Output {
    let mut command = Command::new("sh");
    command
        .args(["-c", "ulimit -s 8192; exec \"$0\" :memory: --mode csv"])
        .arg(env!("CARGO_BIN_EXE_godb"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let mut input = child.stdin.take().unwrap();
    drop(input.write_all(script.as_bytes()));
    drop(input);
    child.wait_with_output().unwrap()
}

/// The statement is refused as too deep, too wide or too large.
fn refused(script: &str) {
    let output = run(script);
    let said = String::from_utf8_lossy(&output.stderr);
    let shown = &script[..script.len().min(80)];
    assert_eq!(
        output.status.code(),
        Some(1),
        "{shown}: {:?} {said}",
        output.status
    );
    assert!(said.contains("(54001)"), "{shown}: {said}");
}

fn answered(script: &str, answer: &str) {
    let output = run(script);
    let shown = &script[..script.len().min(80)];
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{shown}: {:?} {said}", output.status);
    assert_eq!(
        String::from_utf8_lossy(&output.stdout).trim_end(),
        answer,
        "{shown}"
    );
}

fn nested(open: &str, inside: &str, close: &str, times: usize) -> String {
    format!(
        "SELECT {}{inside}{} AS a;",
        open.repeat(times),
        close.repeat(times)
    )
}

#[test]
fn a_million_parentheses_are_refused() {
    refused(&nested("(", "1", ")", 1_000_000));
    refused(&nested("(SELECT ", "1", ")", 100_000));
    refused(&nested("CASE WHEN true THEN ", "1", " END", 100_000));
    refused(&nested("abs(", "1", ")", 100_000));
    refused(&nested("- ", "1", "", 100_000));
}

#[test]
fn ten_thousand_joins_are_refused() {
    let joins: String = (0..10_000)
        .map(|at| format!(" JOIN t t{at} ON t{at}.a = t.a"))
        .collect();
    refused(&format!(
        "CREATE TABLE t (a int);\nSELECT count(*) FROM t{joins};"
    ));
    let tables: String = (0..10_000).map(|at| format!(", t t{at}")).collect();
    refused(&format!(
        "CREATE TABLE t (a int);\nSELECT count(*) FROM t{tables};"
    ));
}

#[test]
fn long_chains_are_answered() {
    let ands = " AND a = 1".repeat(100_000);
    answered(
        &format!("SELECT count(*) AS n FROM generate_series(1, 3) s(a) WHERE a = 1{ands};"),
        "n\n1",
    );
    let ors = " OR a = 2".repeat(100_000);
    answered(
        &format!("SELECT count(*) AS n FROM generate_series(1, 3) s(a) WHERE a = 1{ors};"),
        "n\n2",
    );
    let list = ", 2".repeat(100_000);
    answered(
        &format!("SELECT count(*) AS n FROM generate_series(1, 3) s(a) WHERE a IN (1{list});"),
        "n\n2",
    );
}

#[test]
fn nesting_below_the_limit_is_answered() {
    answered(&nested("(", "1", ")", 400), "a\n1");
    answered(&nested("(SELECT ", "1", ")", 50), "a\n1");
    answered(&nested("CASE WHEN true THEN ", "1", " END", 200), "a\n1");
    answered(&nested("abs(", "1", ")", 300), "a\n1");
}

#[test]
fn patterns_take_no_exponential_time() {
    let pattern = "%a".repeat(50);
    answered(
        &format!("SELECT repeat('a', 100000) || 'b' LIKE '{pattern}%c' AS a;"),
        "a\nf",
    );
    answered("SELECT repeat('a', 30000) ~ '(a*)*b' AS a;", "a\nf");
}
