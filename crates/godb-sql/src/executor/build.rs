//! From the nodes of a plan to operators.

use super::Operator;
use super::aggregate::{Aggregate, distinct};
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
use crate::expr::Expr;
use crate::plan::logical::{JoinKind, SetKind};
use crate::plan::physical::{Node, Physical, Source};
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
    let input = |input: &Node| build(input, statement);
    match &node.op {
        Physical::Values(rows) => Box::new(Values {
            rows: rows.clone(),
            types: node.types.clone(),
            at: 0,
        }),
        Physical::Scan(source) => Box::new(Scan::new(source)),
        Physical::Filter {
            input: from,
            predicate,
        } => Box::new(Filter {
            input: input(from),
            predicate: predicate.clone(),
        }),
        Physical::Project { input: from, exprs } => Box::new(Project {
            input: input(from),
            exprs: exprs.clone(),
        }),
        Physical::HashJoin { .. } => hash_join(node, statement),
        Physical::NestedLoopJoin {
            kind,
            left,
            right,
            on,
        } => Box::new(NestedLoopJoin {
            left: input(left),
            right: input(right),
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
            Box::new(IndexJoin::new(input(left), source, matcher))
        }
        Physical::HashAggregate {
            input: from,
            groups,
            aggregates,
        } => Box::new(Aggregate::new(input(from), groups.clone(), aggregates.clone())),
        Physical::Distinct { input: from, on } if on.is_empty() => {
            Box::new(distinct(input(from), &from.types))
        }
        Physical::Distinct { input: from, on } => Box::new(DistinctOn {
            input: input(from),
            on: on.clone(),
            seen: None,
        }),
        Physical::Sort { input: from, keys } => Box::new(Sort {
            input: input(from),
            keys: keys.clone(),
            types: from.types.clone(),
            limit: None,
            offset: None,
            sorted: None,
        }),
        Physical::TopN {
            input: from,
            keys,
            limit,
            offset,
        } => Box::new(Sort {
            input: input(from),
            keys: keys.clone(),
            types: from.types.clone(),
            limit: Some(limit.clone()),
            offset: offset.clone(),
            sorted: None,
        }),
        Physical::Limit {
            input: from,
            limit,
            offset,
        } => Box::new(Limit {
            input: input(from),
            limit: limit.clone(),
            offset: offset.clone(),
            left: None,
        }),
        Physical::Set {
            kind,
            all,
            left,
            right,
        } => set(*kind, *all, node, input(left), input(right)),
        Physical::Series(args) => {
            let ty = node
                .types
                .first()
                .copied()
                .unwrap_or(crate::types::DataType::Int4);
            Box::new(Series {
                args: args.clone(),
                ty,
                state: None,
            })
        }
    }
}

fn matcher(kind: JoinKind, condition: Option<&Expr>, right: &Node) -> Matcher {
    Matcher {
        kind,
        condition: condition.cloned(),
        right_types: right.types.clone(),
    }
}

fn source_types(source: &Source) -> Vec<crate::types::DataType> {
    let key = source.with_key.then_some(crate::types::DataType::Bytea);
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
