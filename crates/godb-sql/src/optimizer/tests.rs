//! Golden files of what the rules and the choice of algorithms make of statements.

use super::Optimizer;
use crate::binder::tests::{Fixture, golden, golden_with};
use crate::binder::{Binder, shown_only};
use crate::error::Result;
use crate::explain::show_logical;
use crate::parser::parse_one;
use crate::plan::statement::Planning;
use sqlparser::ast::Statement;

/// What the binder makes of a query, and what the rules make of that.
fn before_and_after(sql: &str) -> Result<String> {
    let (fixture, parsed) = (Fixture::new(), parse_one(sql)?);
    let planning = Planning::new(&fixture);
    let Statement::Query(query) = &parsed.statement else {
        panic!("{sql} is a query")
    };
    let mut binder = Binder::new(&planning, &parsed.text, &[], parsed.parameters);
    let bound = binder.query(query)?;
    let plan = shown_only(binder.known_columns(bound)?);
    let before = show_logical(&plan);
    let mut optimizer = Optimizer::new(&planning, std::mem::take(&mut binder.subplans), binder.next_id());
    optimizer.count_all_references(&plan);
    let after = show_logical(&optimizer.rewrite(plan)?);
    Ok(format!("before:\n{before}\nafter:\n{after}"))
}

#[test]
fn rewriting() {
    golden_with("rewriting.txt", &|sql| before_and_after(sql).unwrap());
}

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
