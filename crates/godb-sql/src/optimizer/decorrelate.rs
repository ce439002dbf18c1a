//! Subqueries become joins.
//!
//! `EXISTS` and `IN` in a filter are semi-joins, their negations anti-joins: the subquery then runs once for all rows instead of once for each.
//! A subquery that computes one aggregate over the rows that match an outer row becomes an aggregation grouped by what it was matched by,
//! joined from the left. What does not fit these forms stays a subquery; it is right, if slower.
//!
//! NULLs are the difficulty. `NOT IN` is unknown, not true, where a NULL takes part: where neither side can be NULL it is an
//! anti-join, else, when it is not correlated, a [`JoinKind::NullAwareAnti`]. And an aggregate over no rows is a row (`count(*)` is 0), while
//! the join finds none: the value of the empty aggregate is put in its place.

use super::Optimizer;
use super::fold::{has_outer, has_subquery, is_volatile};
use super::nullability::{can_be_null, never_null};
use super::pull_up::{Purpose, pull, reads_outside};
use super::pushdown::filtered;
use super::simplify::{self, truth};
use crate::error::Result;
use crate::expr::{Asking, Expr, Subquery};
use crate::plan::logical::{JoinKind, Logical, OutputColumn, Projection};
use crate::plan::statement::broken;
use crate::plan::walk::{conjoin, conjuncts, rewrite};
use crate::types::DataType;
use crate::value::Value;

/// A subquery ready to be joined.
struct Joinable {
    kind: JoinKind,
    right: Logical,
    on: Vec<Expr>,
}

impl Optimizer<'_> {
    pub(super) fn decorrelate(&mut self, mut plan: Logical) -> Result<Logical> {
        for input in plan.inputs_mut() {
            let taken = input.take();
            *input = self.decorrelate(taken)?;
        }
        match plan {
            Logical::Filter { input, predicate } if has_subquery(&predicate) => {
                self.filter_subqueries(*input, conjuncts(predicate))
            }
            Logical::Project { input, mut columns } if columns.iter().any(|(e, _)| has_subquery(e)) => {
                let mut input = *input;
                for (expr, _) in &mut columns {
                    input = self.scalars(input, expr)?;
                }
                Ok(Logical::Project {
                    input: Box::new(input),
                    columns,
                })
            }
            other => Ok(other),
        }
    }

    fn filter_subqueries(&mut self, input: Logical, predicates: Vec<Expr>) -> Result<Logical> {
        let (with, plain): (Vec<_>, Vec<_>) = predicates.into_iter().partition(has_subquery);
        // Columns that the subqueries bring in are dropped again by a projection, as the filter showed none of them.
        let shown: Vec<Projection> = input
            .output()
            .into_iter()
            .map(|c| (c.read(), c.clone()))
            .collect();
        let mut plan = filtered(input, plain);
        let mut stay = Vec::new();
        for mut predicate in with {
            if let Some(joinable) = self.joinable(&predicate, &plan)? {
                plan = Logical::Join {
                    kind: joinable.kind,
                    left: Box::new(plan),
                    right: Box::new(joinable.right),
                    on: conjoin(joinable.on),
                };
                continue;
            }
            plan = self.scalars(plan, &mut predicate)?;
            stay.push(predicate);
        }
        let grown = plan.output().len() > shown.len();
        let plan = filtered(plan, stay);
        Ok(if grown {
            Logical::Project {
                input: Box::new(plan),
                columns: shown,
            }
        } else {
            plan
        })
    }

    /// A filter's conjunct as a semi- or anti-join of `input`.
    fn joinable(&mut self, predicate: &Expr, input: &Logical) -> Result<Option<Joinable>> {
        match predicate {
            Expr::Subquery(subquery) => match &subquery.asking {
                Asking::Exists { negated } => {
                    let kind = if *negated { JoinKind::Anti } else { JoinKind::Semi };
                    if subquery.outer.is_empty() {
                        return Ok(None);
                    }
                    self.exists(subquery, kind)
                }
                Asking::Any { left, compare } => self.any(subquery, left, compare, false, input),
                // `x <> ALL` is `NOT x = ANY`.
                Asking::All { left, compare } if compare.name == "<>" => {
                    let Some(equal) = equality(left, subquery, &self.pending) else {
                        return Ok(None);
                    };
                    self.any(subquery, left, equal, true, input)
                }
                _ => Ok(None),
            },
            Expr::Not(inner) => match &**inner {
                Expr::Subquery(subquery) => match &subquery.asking {
                    Asking::Any { left, compare } => self.any(subquery, left, compare, true, input),
                    _ => Ok(None),
                },
                _ => Ok(None),
            },
            _ => Ok(None),
        }
    }

    fn exists(&mut self, subquery: &Subquery, kind: JoinKind) -> Result<Option<Joinable>> {
        let Some(plan) = self.taken(subquery)? else {
            return Ok(None);
        };
        let Some((right, on)) = pull(plan.clone(), Purpose::Existence) else {
            self.pending[subquery.plan] = Some(plan);
            return Ok(None);
        };
        let on = passed_in(on, &subquery.outer);
        Ok(Some(Joinable { kind, right, on }))
    }

    fn any(
        &mut self,
        subquery: &Subquery,
        left: &Expr,
        compare: &'static crate::functions::Function,
        negated: bool,
        input: &Logical,
    ) -> Result<Option<Joinable>> {
        if has_subquery(left) || is_volatile(left) {
            return Ok(None);
        }
        let Some(plan) = self.taken(subquery)? else {
            return Ok(None);
        };
        let Some(column) = plan.output().first().map(|c| (*c).clone()) else {
            return Err(broken("a subquery that is compared has a column"));
        };
        let Some((right, pulled)) = pull(plan.clone(), Purpose::Existence) else {
            self.pending[subquery.plan] = Some(plan);
            return Ok(None);
        };
        let certain = !can_be_null(left, &never_null(input)) && never_null(&right).contains(column.id);
        let kind = match (negated, certain) {
            (false, _) => JoinKind::Semi,
            (true, true) => JoinKind::Anti,
            (true, false) if pulled.is_empty() && compare.name == "=" => JoinKind::NullAwareAnti,
            (true, false) => {
                self.pending[subquery.plan] = Some(plan);
                return Ok(None);
            }
        };
        let mut on = vec![Expr::Call {
            function: compare,
            args: vec![left.clone(), column.read()],
            ty: DataType::Bool,
        }];
        on.extend(passed_in(pulled, &subquery.outer));
        Ok(Some(Joinable { kind, right, on }))
    }

    /// The subquery's plan, its own subqueries already joined, if this is the only reference to it.
    fn taken(&mut self, subquery: &Subquery) -> Result<Option<Logical>> {
        let sole = self.references[subquery.plan] == 1;
        if !sole || subquery.outer.iter().any(|e| has_subquery(e) || is_volatile(e)) {
            return Ok(None);
        }
        match self.pending[subquery.plan].take() {
            None => Ok(None),
            Some(mut plan) => {
                simplify::plan(&mut plan);
                self.decorrelate(plan).map(Some)
            }
        }
    }

    /// Joins the aggregates that subqueries in an expression compute, and puts their columns in the subqueries' place.
    fn scalars(&mut self, input: Logical, expr: &mut Expr) -> Result<Logical> {
        let mut input = input;
        if let Expr::Subquery(subquery) = expr {
            let correlated = matches!(subquery.asking, Asking::Value(_)) && !subquery.outer.is_empty();
            if correlated && let Some((right, on, value)) = self.grouped(subquery, &input)? {
                *expr = value;
                return Ok(Logical::Join {
                    kind: JoinKind::Left,
                    left: Box::new(input),
                    right: Box::new(right),
                    on: conjoin(on),
                });
            }
            return Ok(input);
        }
        for child in expr.children_mut() {
            input = self.scalars(input, child)?;
        }
        Ok(input)
    }

    /// A correlated aggregate as a grouped one: the plan, the join condition, and the value for an outer row.
    fn grouped(
        &mut self,
        subquery: &Subquery,
        input: &Logical,
    ) -> Result<Option<(Logical, Vec<Expr>, Expr)>> {
        let Some(plan) = self.taken(subquery)? else {
            return Ok(None);
        };
        let kept = plan.clone();
        let shape = aggregate_shape(plan).filter(|shape| !self.lookup_is_cheaper(shape, input));
        let grouped = shape.and_then(|shape| self.group_by_outer(shape, &subquery.outer));
        if grouped.is_none() {
            self.pending[subquery.plan] = Some(kept);
        }
        Ok(grouped)
    }

    fn group_by_outer(&mut self, shape: Shape, outer: &[Expr]) -> Option<(Logical, Vec<Expr>, Expr)> {
        let (input, predicates) = pull(*shape.input, Purpose::Rows)?;
        let mut groups: Vec<Projection> = Vec::new();
        let mut on = Vec::new();
        for predicate in predicates {
            on.push(self.group_key(predicate, &mut groups)?);
        }
        let on = passed_in(on, outer);
        let mut columns = shape.columns;
        columns.extend(groups.iter().map(|(_, c)| (c.read(), c.clone())));
        let found = self.new_column("", DataType::Bool);
        columns.push((truth(true), found.clone()));
        let value = on_no_rows(&columns[0], &shape.aggregates, &found);
        let plan = Logical::Project {
            input: Box::new(Logical::Aggregate {
                input: Box::new(input),
                groups,
                aggregates: shape.aggregates,
            }),
            columns,
        };
        Some((plan, on, value))
    }

    /// Turns `inner = outer` into `group = outer`, where `group` is a new grouping column for `inner`.
    fn group_key(&mut self, predicate: Expr, groups: &mut Vec<Projection>) -> Option<Expr> {
        let Expr::Call {
            function,
            mut args,
            ty,
        } = predicate
        else {
            return None;
        };
        if function.name != "=" || args.len() != 2 {
            return None;
        }
        let inner = match (has_outer(&args[0]), has_outer(&args[1])) {
            (false, true) => 0,
            (true, false) => 1,
            _ => return None,
        };
        if reads_columns(&args[1 - inner]) || has_subquery(&args[inner]) || is_volatile(&args[inner]) {
            return None;
        }
        let column = self.new_column("", args[inner].data_type());
        let read = column.read();
        groups.push((std::mem::replace(&mut args[inner], read), column));
        Some(Expr::Call { function, args, ty })
    }
}

/// A subquery that computes aggregates over all its rows: what is shown of them, and the rows.
struct Shape {
    columns: Vec<Projection>,
    aggregates: Vec<crate::plan::logical::AggregateCall>,
    input: Box<Logical>,
}

fn aggregate_shape(plan: Logical) -> Option<Shape> {
    let Logical::Project { input, columns } = plan else {
        return None;
    };
    let Logical::Aggregate {
        input,
        groups,
        aggregates,
    } = *input
    else {
        return None;
    };
    let outside = columns
        .iter()
        .any(|(e, _)| has_outer(e) || has_subquery(e) || is_volatile(e))
        || aggregates.iter().flat_map(|a| a.exprs()).any(has_outer);
    (groups.is_empty() && columns.len() == 1 && !outside && reads_outside(&input)).then_some(Shape {
        columns,
        aggregates,
        input,
    })
}

impl Optimizer<'_> {
    /// Whether an index finds the few rows for the few outer rows sooner than all groups are computed.
    fn lookup_is_cheaper(&self, shape: &Shape, outer: &Logical) -> bool {
        let Logical::Filter { input, predicate } = &*shape.input else {
            return false;
        };
        let Logical::Scan { table, columns, .. } = &**input else {
            return false;
        };
        let leads = |id: u32| {
            let position = columns.iter().find(|(_, c)| c.id == id).map(|(p, _)| *p);
            let of_index = table
                .indexes
                .iter()
                .filter_map(|i| i.columns.first().map(|(c, _)| *c));
            position.is_some_and(|p| {
                table
                    .primary_key
                    .first()
                    .copied()
                    .into_iter()
                    .chain(of_index)
                    .any(|c| c == p)
            })
        };
        let looked_up =
            conjuncts(predicate.clone())
                .iter()
                .any(|part| match super::negate::comparison(part) {
                    Some(("=", Expr::Column(id, _), other)) | Some(("=", other, Expr::Column(id, _))) => {
                        has_outer(other) && leads(*id)
                    }
                    _ => false,
                });
        let rows = self.rows(outer);
        let table_rows = self.planning.estimator.table_rows(table);
        let cost = self.planning.cost;
        looked_up
            && rows * cost.descend() * 10.0
                < cost.scan(table_rows, 2, 0.0) + cost.aggregate(table_rows, table_rows)
    }
}

fn reads_columns(expr: &Expr) -> bool {
    crate::plan::walk::any(expr, &|e| matches!(e, Expr::Column(..)))
}

/// What the subquery gives for an outer row: the joined column, or where nothing was joined the aggregates' empty values.
fn on_no_rows(
    (expr, column): &Projection,
    aggregates: &[crate::plan::logical::AggregateCall],
    found: &OutputColumn,
) -> Expr {
    let mut empty = expr.clone();
    rewrite(&mut empty, &mut |e| {
        let Expr::Column(id, ty) = e else { return };
        if let Some(call) = aggregates.iter().find(|a| a.output.id == *id) {
            let counts = call.function.aggregate.name == "count";
            *e = Expr::Literal(if counts { Value::Int(0) } else { Value::Null }, *ty);
        }
    });
    let empty = super::fold_expr(empty);
    if matches!(empty, Expr::Literal(Value::Null, _)) {
        return column.read();
    }
    Expr::Case {
        branches: vec![(Expr::IsNull(Box::new(found.read()), true), column.read())],
        otherwise: Some(Box::new(empty)),
        ty: column.ty,
    }
}

/// Replaces outer values by what is passed in for them.
fn passed_in(predicates: Vec<Expr>, outer: &[Expr]) -> Vec<Expr> {
    let replaced = predicates.into_iter().map(|mut predicate| {
        rewrite(&mut predicate, &mut |e| {
            if let Expr::Outer(index, _) = e {
                *e = outer[*index as usize].clone();
            }
        });
        predicate
    });
    replaced.collect()
}

/// The equality of a `<> ALL`.
fn equality(
    left: &Expr,
    subquery: &Subquery,
    pending: &[Option<Logical>],
) -> Option<&'static crate::functions::Function> {
    let right = pending[subquery.plan].as_ref()?.output().first()?.ty;
    let resolved = crate::functions::resolve_binary("=", left.data_type(), right).ok()?;
    Some(resolved.function)
}
