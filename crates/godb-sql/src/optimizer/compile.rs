//! From operators to algorithms, from column ids to positions.

use super::access::Reading;
use super::limit::rows_needed;
use super::{Optimizer, Subplans, row_count};
use crate::error::Result;
use crate::expr::Expr;
use crate::plan::logical::{AggregateCall, Logical, Projection, SortKey};
use crate::plan::physical::{Estimate, Node, Physical, Source};
use crate::plan::statement::broken;
use crate::plan::walk::conjuncts;
use crate::types::DataType;
use crate::value::Value;

/// A compiled operator: its node, and the id of the column at each position.
pub(super) struct Compiled {
    pub(super) node: Node,
    pub(super) layout: Vec<u32>,
    /// The order its rows come in.
    pub(super) order: Vec<Key>,
}

/// A column that rows are ordered by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Key {
    pub(super) id: u32,
    pub(super) descending: bool,
    pub(super) nulls_first: bool,
    /// No row has NULL here, so where NULLs come does not matter.
    pub(super) never_null: bool,
}

impl Key {
    /// The same read backward.
    pub(super) fn turned(&self) -> Self {
        Self {
            descending: !self.descending,
            nulls_first: !self.nulls_first,
            ..*self
        }
    }
}

/// What the operator above would like.
#[derive(Clone, Debug, Default)]
pub(super) struct Want {
    pub(super) order: Vec<Key>,
    /// It will not look at more rows than these.
    pub(super) rows: Option<f64>,
}

/// Whether rows in one order are also in the other.
pub(super) fn satisfies(order: &[Key], wanted: &[Key]) -> bool {
    let pairs = order.iter().zip(wanted);
    order.len() >= wanted.len()
        && pairs.into_iter().all(|(has, wants)| {
            let nulls = has.never_null || has.nulls_first == wants.nulls_first;
            has.id == wants.id && has.descending == wants.descending && nulls
        })
}

/// The largest number of rows kept in a heap instead of sorted.
const MAX_TOP: i64 = 10_000;

/// An expression over positions.
pub(super) fn resolve(mut expr: Expr, layout: &[u32], used: &mut Subplans) -> Result<Expr> {
    let mut missing = None;
    crate::plan::walk::rewrite(&mut expr, &mut |e| match e {
        Expr::Column(id, _) => match layout.iter().position(|known| known == id) {
            Some(position) => *id = u32::try_from(position).unwrap_or(u32::MAX),
            None => missing = Some(*id),
        },
        Expr::Subquery(subquery) => subquery.plan = used.number(subquery.plan),
        _ => {}
    });
    match missing {
        None => Ok(expr),
        Some(id) => Err(broken(&format!("column {id} is not in the input"))),
    }
}

/// Several expressions over positions.
pub(super) fn resolve_all<'e>(
    exprs: impl IntoIterator<Item = &'e Expr>,
    layout: &[u32],
    used: &mut Subplans,
) -> Result<Vec<Expr>> {
    exprs
        .into_iter()
        .map(|e| resolve(e.clone(), layout, used))
        .collect()
}

impl Optimizer<'_> {
    /// Compiles a plan with its columns in their order.
    pub(super) fn compile(&self, plan: &Logical, used: &mut Subplans) -> Result<Compiled> {
        self.exact(plan, &Want::default(), used)
    }

    fn exact(&self, plan: &Logical, want: &Want, used: &mut Subplans) -> Result<Compiled> {
        let compiled = self.node(plan, want, used)?;
        let output = plan.output();
        let same = compiled.layout.len() == output.len()
            && compiled.layout.iter().zip(&output).all(|(id, c)| *id == c.id);
        if same {
            return Ok(compiled);
        }
        let columns: Vec<Projection> = output.into_iter().map(|c| (c.read(), c.clone())).collect();
        self.projected(compiled, &columns, used)
    }

    /// Compiles an operator and its inputs.
    pub(super) fn node(&self, plan: &Logical, want: &Want, used: &mut Subplans) -> Result<Compiled> {
        match plan {
            Logical::Values { rows, output } => {
                let rows = rows.iter().map(|row| resolve_all(row, &[], used));
                let op = Physical::Values(rows.collect::<Result<_>>()?);
                Ok(self.made(plan, op, output.iter().map(|c| (c.id, c.ty)), &[], 0.0))
            }
            Logical::Series { args, output } => {
                let op = Physical::Series(resolve_all(args, &[], used)?);
                Ok(self.made(plan, op, [(output.id, output.ty)], &[], 0.0))
            }
            Logical::Apply { .. } => self.apply(plan, used),
            Logical::System { relation, output } => {
                let op = Physical::System(relation.clone());
                Ok(self.made(plan, op, output.iter().map(|c| (c.id, c.ty)), &[], 0.0))
            }
            Logical::Scan { .. } => self.scan(plan, want, used),
            Logical::Filter { input, predicate } => self.filter(plan, input, predicate, want, used),
            Logical::Project { input, columns } => self.project(input, columns, want, used),
            Logical::Join { .. } => self.join(plan, used),
            Logical::Aggregate {
                input,
                groups,
                aggregates,
            } => self.aggregate(plan, input, groups, aggregates, used),
            Logical::Distinct { input, on } => self.different(plan, input, on, used),
            Logical::Sort { input, keys } => self.sort(plan, input, keys, want, used),
            Logical::Limit { input, limit, offset } => {
                self.limit(plan, input, limit.as_ref(), offset.as_ref(), used)
            }
            Logical::Set {
                kind,
                all,
                left,
                right,
                output,
            } => {
                let left = self.exact(left, &Want::default(), used)?;
                let right = self.exact(right, &Want::default(), used)?;
                let inputs = [left.node.estimate, right.node.estimate];
                let op = Physical::Set {
                    kind: *kind,
                    all: *all,
                    left: Box::new(left.node),
                    right: Box::new(right.node),
                };
                Ok(self.made(plan, op, output.iter().map(|c| (c.id, c.ty)), &inputs, 0.0))
            }
        }
    }

    /// A node with its estimate: the inputs' cost, its own, and its rows.
    pub(super) fn made(
        &self,
        plan: &Logical,
        op: Physical,
        columns: impl IntoIterator<Item = (u32, DataType)>,
        inputs: &[Estimate],
        cost: f64,
    ) -> Compiled {
        let rows: Vec<f64> = inputs.iter().map(|e| e.rows).collect();
        let below: f64 = inputs.iter().map(|e| e.cost).sum();
        let estimate = Estimate {
            rows: self.rows_over(plan, &rows),
            cost: below + cost,
        };
        let (layout, types) = columns.into_iter().unzip();
        let node = Node { op, types, estimate };
        Compiled {
            node,
            layout,
            order: Vec::new(),
        }
    }

    #[inline(never)]
    fn scan(&self, plan: &Logical, want: &Want, used: &mut Subplans) -> Result<Compiled> {
        let Logical::Scan {
            table,
            alias,
            columns,
            key,
            filter,
            as_of,
        } = plan
        else {
            return Err(broken("a scan is a scan"));
        };
        let predicates = filter.clone().map(conjuncts).unwrap_or_default();
        let reading = Reading {
            table,
            columns,
            predicates: &predicates,
        };
        let path = self.best_path(&reading, self.rows_over(plan, &[]), want);
        let layout: Vec<u32> = columns
            .iter()
            .map(|(_, c)| c.id)
            .chain(key.iter().map(|c| c.id))
            .collect();
        let types = columns
            .iter()
            .map(|(_, c)| c.ty)
            .chain(key.iter().map(|c| c.ty))
            .collect();
        let estimate = Estimate {
            rows: path.rows.max(1.0),
            cost: path.cost,
        };
        let filter = crate::plan::walk::conjoin(path.filter);
        let mut source = Source {
            table: table.clone(),
            alias: alias.clone(),
            index: path.index,
            range: path.range,
            backward: path.backward,
            columns: columns.iter().map(|(p, _)| *p).collect(),
            filter: filter.map(|f| resolve(f, &layout, used)).transpose()?,
            as_of: *as_of,
            with_key: key.is_some(),
        };
        renumber_range(&mut source, used)?;
        let node = Node {
            op: Physical::Scan(source),
            types,
            estimate,
        };
        Ok(Compiled {
            node,
            layout,
            order: path.order,
        })
    }

    #[inline(never)]
    fn filter(
        &self,
        plan: &Logical,
        input: &Logical,
        predicate: &Expr,
        want: &Want,
        used: &mut Subplans,
    ) -> Result<Compiled> {
        let want = Want {
            order: want.order.clone(),
            rows: None,
        };
        let input = self.node(input, &want, used)?;
        let estimate = input.node.estimate;
        let columns: Vec<_> = input
            .layout
            .iter()
            .copied()
            .zip(input.node.types.iter().copied())
            .collect();
        let op = Physical::Filter {
            predicate: resolve(predicate.clone(), &input.layout, used)?,
            input: Box::new(input.node),
        };
        let cost = self.planning.cost.evaluate(estimate.rows, 1);
        let made = self.made(plan, op, columns, &[estimate], cost);
        Ok(Compiled {
            order: input.order,
            ..made
        })
    }

    #[inline(never)]
    fn project(
        &self,
        input: &Logical,
        columns: &[Projection],
        want: &Want,
        used: &mut Subplans,
    ) -> Result<Compiled> {
        let below = Want {
            order: below(&want.order, columns),
            rows: want.rows,
        };
        let input = self.node(input, &below, used)?;
        self.projected(input, columns, used)
    }

    pub(super) fn projected(
        &self,
        input: Compiled,
        columns: &[Projection],
        used: &mut Subplans,
    ) -> Result<Compiled> {
        let order = above(&input.order, columns);
        let layout: Vec<u32> = columns.iter().map(|(_, c)| c.id).collect();
        let exprs = resolve_all(columns.iter().map(|(e, _)| e), &input.layout, used)?;
        let unchanged = exprs.len() == input.layout.len()
            && exprs
                .iter()
                .enumerate()
                .all(|(i, e)| matches!(e, Expr::Column(p, _) if *p as usize == i));
        if unchanged {
            return Ok(Compiled {
                node: input.node,
                layout,
                order,
            });
        }
        let estimate = input.node.estimate;
        let cost = estimate.cost + self.planning.cost.evaluate(estimate.rows, exprs.len());
        let node = Node {
            types: exprs.iter().map(Expr::data_type).collect(),
            op: Physical::Project {
                input: Box::new(input.node),
                exprs,
            },
            estimate: Estimate {
                rows: estimate.rows,
                cost,
            },
        };
        Ok(Compiled { node, layout, order })
    }

    #[inline(never)]
    fn aggregate(
        &self,
        plan: &Logical,
        input: &Logical,
        groups: &[Projection],
        aggregates: &[AggregateCall],
        used: &mut Subplans,
    ) -> Result<Compiled> {
        let input = self.node(input, &Want::default(), used)?;
        let estimate = input.node.estimate;
        let mut calls = Vec::with_capacity(aggregates.len());
        for call in aggregates {
            let mut call = call.clone();
            for expr in call.exprs_mut() {
                *expr = resolve(expr.clone(), &input.layout, used)?;
            }
            calls.push(call);
        }
        let made = groups.iter().map(|(_, c)| (c.id, c.ty));
        let columns: Vec<_> = made
            .chain(aggregates.iter().map(|a| (a.output.id, a.output.ty)))
            .collect();
        if let Some(source) = row_count::counted(&input.node.op, groups, &calls) {
            let op = Physical::CountRows(source.clone());
            return Ok(self.made(
                plan,
                op,
                columns,
                &[Estimate {
                    cost: 0.0,
                    ..estimate
                }],
                1.0,
            ));
        }
        let op = Physical::HashAggregate {
            groups: resolve_all(groups.iter().map(|(e, _)| e), &input.layout, used)?,
            aggregates: calls,
            input: Box::new(input.node),
        };
        let rows = self.rows_over(plan, &[estimate.rows]);
        let cost = self.planning.cost.aggregate(estimate.rows, rows);
        Ok(self.made(plan, op, columns, &[estimate], cost))
    }

    #[inline(never)]
    fn different(
        &self,
        plan: &Logical,
        input: &Logical,
        on: &[Expr],
        used: &mut Subplans,
    ) -> Result<Compiled> {
        let input = self.exact(input, &Want::default(), used)?;
        let estimate = input.node.estimate;
        let columns: Vec<_> = input
            .layout
            .iter()
            .copied()
            .zip(input.node.types.iter().copied())
            .collect();
        let op = Physical::Distinct {
            on: resolve_all(on, &input.layout, used)?,
            input: Box::new(input.node),
        };
        let cost = self.planning.cost.aggregate(estimate.rows, estimate.rows / 2.0);
        let made = self.made(plan, op, columns, &[estimate], cost);
        // The first row of each group is passed on as it comes.
        let order = if on.is_empty() { Vec::new() } else { input.order };
        Ok(Compiled { order, ..made })
    }

    #[inline(never)]
    fn sort(
        &self,
        plan: &Logical,
        input: &Logical,
        keys: &[SortKey],
        want: &Want,
        used: &mut Subplans,
    ) -> Result<Compiled> {
        let keys = needed_keys(keys);
        keys.iter().try_for_each(SortKey::check_sortable)?;
        let wanted = as_order(&keys);
        let below = Want {
            order: wanted.clone().unwrap_or_default(),
            rows: want.rows,
        };
        let input = self.node(input, &below, used)?;
        if keys.is_empty()
            || wanted
                .as_ref()
                .is_some_and(|wanted| satisfies(&input.order, wanted))
        {
            return Ok(input);
        }
        let estimate = input.node.estimate;
        let columns: Vec<_> = input
            .layout
            .iter()
            .copied()
            .zip(input.node.types.iter().copied())
            .collect();
        let op = Physical::Sort {
            keys: resolve_keys(&keys, &input.layout, used)?,
            input: Box::new(input.node),
        };
        let cost = self.planning.cost.sort(estimate.rows, estimate.rows);
        let made = self.made(plan, op, columns, &[estimate], cost);
        Ok(Compiled {
            order: wanted.unwrap_or_default(),
            ..made
        })
    }

    #[inline(never)]
    fn limit(
        &self,
        plan: &Logical,
        input: &Logical,
        limit: Option<&Expr>,
        offset: Option<&Expr>,
        used: &mut Subplans,
    ) -> Result<Compiled> {
        let limit = limit.filter(|e| !matches!(e, Expr::Literal(Value::Null, _)));
        let rows = rows_needed(limit, offset);
        let want = Want {
            order: Vec::new(),
            rows: limit.map(|_| {
                rows.map_or(100.0, |n| {
                    super::advice::small(usize::try_from(n).unwrap_or(usize::MAX))
                })
            }),
        };
        let input = self.node(input, &want, used)?;
        let heap = rows.is_some_and(|n| n <= MAX_TOP);
        let estimate = input.node.estimate;
        let columns: Vec<_> = input
            .layout
            .iter()
            .copied()
            .zip(input.node.types.iter().copied())
            .collect();
        let offset = offset.map(|e| resolve(e.clone(), &[], used)).transpose()?;
        let limit = limit.map(|e| resolve(e.clone(), &[], used)).transpose()?;
        let (op, estimate) = match (limit, input.node) {
            (
                Some(limit),
                Node {
                    op: Physical::Sort { input, keys },
                    ..
                },
            ) if heap => {
                let estimate = input.estimate;
                (
                    Physical::TopN {
                        input,
                        keys,
                        limit,
                        offset,
                    },
                    estimate,
                )
            }
            (limit, node) => {
                let input = Box::new(node);
                (Physical::Limit { input, limit, offset }, estimate)
            }
        };
        let keep = self.rows_over(plan, &[estimate.rows]);
        let cost = match &op {
            Physical::TopN { .. } => self.planning.cost.sort(estimate.rows, keep),
            // Only the part of the input up to the limit is run.
            _ => -estimate.cost * (1.0 - (keep / estimate.rows.max(1.0)).min(1.0)),
        };
        let made = self.made(plan, op, columns, &[estimate], cost);
        Ok(Compiled {
            order: input.order,
            ..made
        })
    }
}

/// Without keys that are the same for all rows, and without repetitions.
fn needed_keys(keys: &[SortKey]) -> Vec<SortKey> {
    let mut needed: Vec<SortKey> = Vec::with_capacity(keys.len());
    for key in keys {
        let constant = matches!(
            key.expr,
            Expr::Literal(..) | Expr::Parameter(..) | Expr::Outer(..)
        );
        if !constant
            && !needed
                .iter()
                .any(|known| crate::plan::walk::same(&known.expr, &key.expr))
        {
            needed.push(key.clone());
        }
    }
    needed
}

/// The keys as an order of columns, if they are columns.
fn as_order(keys: &[SortKey]) -> Option<Vec<Key>> {
    let column = |key: &SortKey| match key.expr {
        Expr::Column(id, _) => Some(Key {
            id,
            descending: key.descending,
            nulls_first: key.nulls_first,
            never_null: false,
        }),
        _ => None,
    };
    keys.iter().map(column).collect()
}

fn resolve_keys(keys: &[SortKey], layout: &[u32], used: &mut Subplans) -> Result<Vec<SortKey>> {
    let key = |key: &SortKey| {
        Ok(SortKey {
            expr: resolve(key.expr.clone(), layout, used)?,
            ..key.clone()
        })
    };
    keys.iter().map(key).collect()
}

/// An order of projected columns, as one of the columns they are.
fn below(order: &[Key], columns: &[Projection]) -> Vec<Key> {
    let one = |key: &Key| match columns.iter().find(|(_, c)| c.id == key.id)? {
        (Expr::Column(id, _), _) => Some(Key { id: *id, ..*key }),
        _ => None,
    };
    order.iter().map(one).collect::<Option<_>>().unwrap_or_default()
}

/// The order that is left of an order of columns after a projection.
fn above(order: &[Key], columns: &[Projection]) -> Vec<Key> {
    let one = |key: &Key| {
        let mut same = columns
            .iter()
            .filter(|(e, _)| matches!(e, Expr::Column(id, _) if *id == key.id));
        same.next().map(|(_, c)| Key { id: c.id, ..*key })
    };
    order.iter().map_while(one).collect()
}

/// Numbers the subplans in a range whose values name no columns.
fn renumber_range(source: &mut Source, used: &mut Subplans) -> Result<()> {
    resolve_range(source, &[], used)
}

/// Resolves the values of a range over the columns of the rows it is looked up for.
pub(super) fn resolve_range(source: &mut Source, layout: &[u32], used: &mut Subplans) -> Result<()> {
    let range = &mut source.range;
    let bounds = range
        .from
        .iter_mut()
        .chain(&mut range.to)
        .map(|bound| &mut bound.value);
    for expr in range.equal.iter_mut().chain(&mut range.any_of).chain(bounds) {
        *expr = resolve(expr.clone(), layout, used)?;
    }
    Ok(())
}
