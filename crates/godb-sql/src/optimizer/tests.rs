//! Golden files of what the rules and the choice of algorithms make of statements.

use crate::binder::tests::golden;

#[test]
fn rules() {
    golden("rules.txt");
}

#[test]
fn access_paths() {
    golden("access.txt");
}

#[test]
fn joins() {
    golden("joins.txt");
}

#[test]
fn subqueries() {
    golden("subqueries.txt");
}
