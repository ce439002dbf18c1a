//! From the nodes of a plan to operators.

use super::Operator;
use super::aggregate::{Aggregate, distinct};
use super::apply::Apply;
use super::count_rows::CountRows;
use super::distinct::{DistinctOn, SetOperation};
use super::hash_join::{HashJoin, JoinKeys, Stage};
use super::index_join::IndexJoin;
use super::meter::Metered;
use super::nested_loop::NestedLoopJoin;
use super::pairs::Matcher;
use super::run::Statement;
use super::scan::Scan;
use super::simple::{Concat, Filter, Limit, Project, Series, Values};
use super::sort::Sort;
use super::system::SystemScan;
use crate::expr::Expr;
use crate::plan::logical::{JoinKind, SetKind, SortKey};
use crate::plan::physical::{Node, Physical, Source};
use crate::types::DataType;
use std::sync::Arc;

/// The operator of a node, with its inputs.
pub(crate) fn build(node: &Node, statement: &Statement) -> Box<dyn Operator> {
    let operator = operator(node, statement);
    if statement.meters.is_some() {
        Box::new(Metered::new(operator, node))
    } else {
        operator
    }
}

fn operator(node: &Node, statement: &Statement) -> Box<dyn Operator> {
    match &node.op {
        Physical::Values(rows) => Box::new(Values {
            rows: rows.clone(),
            types: node.types.clone(),
            at: 0,
        }),
        Physical::Scan(source) => Box::new(Scan::new(source)),
        Physical::CountRows(source) => Box::new(CountRows {
            tree: source.table.tree,
            columns: node.types.len(),
            over: false,
        }),
        Physical::System(relation) => Box::new(SystemScan {
            relation: relation.clone(),
            types: node.types.clone(),
            rows: None,
        }),
        Physical::Apply { .. } => apply(node, statement),
        Physical::Series(args) => {
            let ty = node.types.first().copied().unwrap_or(DataType::Int4);
            Box::new(Series {
                args: args.clone(),
                ty,
                state: None,
            })
        }
        Physical::Set {
            kind,
            all,
            left,
            right,
        } => set(*kind, *all, node, build(left, statement), build(right, statement)),
        Physical::HashJoin { .. } => hash_join(node, statement),
        Physical::NestedLoopJoin {
            kind,
            left,
            right,
            on,
        } => Box::new(NestedLoopJoin {
            left: build(left, statement),
            right: build(right, statement),
            matcher: matcher(*kind, on.as_ref(), right),
            left_types: left.types.clone(),
            inner: None,
            outer: None,
            over: false,
        }),
        Physical::IndexJoin {
            kind,
            left,
            source,
            residual,
        } => {
            let right_types = source_types(source);
            let matcher = Matcher {
                kind: *kind,
                condition: residual.clone(),
                right_types,
            };
            Box::new(IndexJoin::new(build(left, statement), source, matcher))
        }
        Physical::Filter { input, .. }
        | Physical::Project { input, .. }
        | Physical::HashAggregate { input, .. }
        | Physical::Distinct { input, .. }
        | Physical::Sort { input, .. }
        | Physical::TopN { input, .. }
        | Physical::Limit { input, .. } => unary(&node.op, &input.types, build(input, statement)),
    }
}

fn apply(node: &Node, statement: &Statement) -> Box<dyn Operator> {
    let Physical::Apply {
        input,
        plan,
        outer,
        on,
        left,
    } = &node.op
    else {
        unreachable!("called for this kind of node only");
    };
    Box::new(Apply {
        types: node.types[input.types.len()..].to_vec(),
        input: build(input, statement),
        plan: *plan,
        outer: outer.clone(),
        on: on.clone(),
        left: *left,
        current: None,
    })
}

/// An operator with one input, whose columns are of these types.
fn unary(op: &Physical, types: &[DataType], input: Box<dyn Operator>) -> Box<dyn Operator> {
    let sort = |input, keys: &Vec<SortKey>, limit: Option<&Expr>, offset: Option<&Expr>| Sort {
        input,
        keys: keys.clone(),
        types: types.to_vec(),
        limit: limit.cloned(),
        offset: offset.cloned(),
        sorted: None,
    };
    match op {
        Physical::Filter { predicate, .. } => Box::new(Filter {
            input,
            predicate: predicate.clone(),
        }),
        Physical::Project { exprs, .. } => Box::new(Project {
            input,
            exprs: exprs.clone(),
        }),
        Physical::HashAggregate {
            groups, aggregates, ..
        } => Box::new(Aggregate::new(input, groups.clone(), aggregates.clone())),
        Physical::Distinct { on, .. } if on.is_empty() => Box::new(distinct(input, types)),
        Physical::Distinct { on, .. } => Box::new(DistinctOn {
            input,
            on: on.clone(),
            seen: None,
        }),
        Physical::Sort { keys, .. } => Box::new(sort(input, keys, None, None)),
        Physical::TopN {
            keys, limit, offset, ..
        } => Box::new(sort(input, keys, Some(limit), offset.as_ref())),
        Physical::Limit { limit, offset, .. } => Box::new(Limit {
            input,
            limit: limit.clone(),
            offset: offset.clone(),
            left: None,
        }),
        _ => unreachable!("called for operators with one input"),
    }
}

fn matcher(kind: JoinKind, condition: Option<&Expr>, right: &Node) -> Matcher {
    Matcher {
        kind,
        condition: condition.cloned(),
        right_types: right.types.clone(),
    }
}

fn source_types(source: &Source) -> Vec<DataType> {
    let key = source.with_key.then_some(DataType::Bytea);
    source
        .columns
        .iter()
        .map(|&at| source.table.columns[at].ty)
        .chain(key)
        .collect()
}

fn hash_join(node: &Node, statement: &Statement) -> Box<dyn Operator> {
    let Physical::HashJoin {
        kind,
        left,
        right,
        left_keys,
        right_keys,
        residual,
    } = &node.op
    else {
        unreachable!("called for hash joins")
    };
    Box::new(HashJoin {
        left: build(left, statement),
        right: build(right, statement),
        keys: Arc::new(JoinKeys {
            left: left_keys.clone(),
            right: right_keys.clone(),
            left_types: left.types.clone(),
        }),
        matcher: Arc::new(matcher(*kind, residual.as_ref(), right)),
        depth: 0,
        more_right: false,
        stage: Stage::Start,
    })
}

fn set(
    kind: SetKind,
    all: bool,
    node: &Node,
    left: Box<dyn Operator>,
    right: Box<dyn Operator>,
) -> Box<dyn Operator> {
    if kind == SetKind::Union {
        let both = Box::new(Concat {
            first: Some(left),
            second: right,
        });
        return if all {
            both
        } else {
            Box::new(distinct(both, &node.types))
        };
    }
    let except = kind == SetKind::Except;
    Box::new(SetOperation {
        left,
        right,
        except,
        all,
        types: node.types.clone(),
        table: None,
    })
}
