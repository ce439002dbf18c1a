//! How plans read as text.
use super::{Actual, Showing, count_nodes, explain, explain_with};
use crate::binder::tests::plan;

#[test]
fn estimates_are_shown_by_default() {
    let planned = plan("SELECT name FROM customers WHERE id = 5").unwrap();
    let lines = explain(&planned.plan);
    assert_eq!(lines.len(), 4);
    assert!(lines[0].starts_with("Project  (cost="), "{}", lines[0]);
    assert!(
        lines[2].contains("->  Key Scan on customers  (cost=") && lines[2].ends_with("rows=1)"),
        "{}",
        lines[2]
    );
}

#[test]
fn measured_numbers_meet_their_nodes() {
    let sql = "SELECT c.name FROM customers c JOIN orders o ON o.customer = c.id WHERE c.id > (SELECT max(a) FROM heap)";
    let planned = plan(sql).unwrap();
    let nodes = count_nodes(&planned.plan);
    let actual = |number: usize| {
        Some(Actual {
            rows: number as u64 * 2,
            loops: 2,
            micros: 3000,
        })
    };
    let lines = explain_with(
        &planned.plan,
        &Showing {
            costs: false,
            actual: &actual,
        },
    );
    let measured: Vec<&String> = lines.iter().filter(|l| l.contains("(actual ")).collect();
    assert_eq!(measured.len(), nodes);
    for (number, line) in measured.iter().enumerate() {
        assert!(
            line.ends_with(&format!("(actual time=1.500 rows={number} loops=2)")),
            "{line}"
        );
    }
}

#[test]
fn names_are_quoted_where_they_must_be() {
    use super::expr::name;
    assert_eq!(name("plain_1"), "plain_1");
    assert_eq!(name("Mixed"), "\"Mixed\"");
    assert_eq!(name("a\"b"), "\"a\"\"b\"");
}
