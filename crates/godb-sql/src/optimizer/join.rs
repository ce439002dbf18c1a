//! How a join is done: by a hash table, by looking each row up in an index, or by trying all pairs.

use super::access::{Path, Reading};
use super::compile::{Compiled, Want, resolve, resolve_all, resolve_range};
use super::estimate::join_rows;
use super::negate::comparison;
use super::nullability::only_names;
use super::ranges::comparable;
use super::{Optimizer, Subplans};
use crate::error::Result;
use crate::expr::Expr;
use crate::plan::logical::{JoinKind, Logical, OutputColumn, Projection};
use crate::plan::physical::{Estimate, Node, Physical, Source};
use crate::plan::statement::broken;
use crate::plan::walk::{IdSet, columns_of, conjoin, conjuncts};
use crate::types::DataType;

/// A join's sides, compiled, and what it asks.
struct Joining<'a> {
    kind: JoinKind,
    left: Side<'a>,
    right: Side<'a>,
    predicates: Vec<Expr>,
    /// The rows expected.
    rows: f64,
}

struct Side<'a> {
    plan: &'a Logical,
    ids: IdSet,
    compiled: Compiled,
}

impl Side<'_> {
    fn estimate(&self) -> Estimate {
        self.compiled.node.estimate
    }
}

/// A way to do the join.
enum Method {
    /// By hash table or nested loop; the left rows are the outer ones.
    Pairs,
    /// The same with the sides exchanged.
    PairsTurned,
    /// Each left row is looked up in the right table.
    Lookup(Path),
    /// Each right row is looked up in the left table; of a semi-join, each different right key.
    LookupTurned(Path),
}

impl Optimizer<'_> {
    #[inline(never)]
    pub(super) fn join(&self, plan: &Logical, used: &mut Subplans) -> Result<Compiled> {
        let Logical::Join {
            kind,
            left,
            right,
            on,
        } = plan
        else {
            return Err(broken("a join is a join"));
        };
        let (kind, left, right) = match kind {
            JoinKind::Right => (JoinKind::Left, right, left),
            other => (*other, left, right),
        };
        let left = self.side(left, used)?;
        let right = self.side(right, used)?;
        self.joined_sides(kind, left, right, on.as_ref(), used)
    }

    /// Joins two compiled sides by the cheapest method. Apart from the walk down, so that a deep tree of joins needs little stack.
    #[inline(never)]
    fn joined_sides(
        &self,
        kind: JoinKind,
        left: Side<'_>,
        right: Side<'_>,
        on: Option<&Expr>,
        used: &mut Subplans,
    ) -> Result<Compiled> {
        let matches = on.map_or(1.0, |on| self.join_selectivity(on, left.plan, right.plan));
        let rows = join_rows(kind, left.estimate().rows, right.estimate().rows, matches);
        let predicates = on.cloned().map(conjuncts).unwrap_or_default();
        let joining = Joining {
            kind,
            left,
            right,
            predicates,
            rows,
        };
        let (method, cost) = self.best_method(&joining);
        match method {
            Method::Pairs => self.pairs(joining, cost, used),
            Method::PairsTurned => self.pairs(turned(joining), cost, used),
            Method::Lookup(path) => self.index_join(joining, path, cost, used),
            Method::LookupTurned(path) if kind == JoinKind::Semi => {
                let joining = turned(self.different_keys(joining, used)?);
                self.index_join(joining, path, cost, used)
            }
            Method::LookupTurned(path) => self.index_join(turned(joining), path, cost, used),
        }
    }

    fn side<'p>(&self, plan: &'p Logical, used: &mut Subplans) -> Result<Side<'p>> {
        let compiled = self.node(plan, &Want::default(), used)?;
        Ok(Side {
            plan,
            ids: plan.output_ids(),
            compiled,
        })
    }

    #[inline(never)]
    fn best_method(&self, joining: &Joining<'_>) -> (Method, f64) {
        let (left, right) = (joining.left.estimate(), joining.right.estimate());
        let mut ways = vec![(Method::Pairs, self.pairing_cost(joining, left, right))];
        if joining.kind == JoinKind::Inner {
            ways.push((Method::PairsTurned, self.pairing_cost(joining, right, left)));
        }
        let looks_right = matches!(
            joining.kind,
            JoinKind::Inner | JoinKind::Left | JoinKind::Semi | JoinKind::Anti
        );
        if looks_right && let Some(path) = self.lookups(&joining.left, &joining.right, joining) {
            let cost = left.cost + left.rows * path.cost;
            ways.push((Method::Lookup(path), cost));
        }
        let looks_left =
            joining.kind == JoinKind::Inner || joining.kind == JoinKind::Semi && only_keys(joining);
        if looks_left && let Some(path) = self.lookups(&joining.right, &joining.left, joining) {
            let cost =
                right.cost + right.rows * path.cost + self.planning.cost.aggregate(right.rows, right.rows);
            ways.push((Method::LookupTurned(path), cost));
        }
        let best = ways.into_iter().min_by(|(_, a), (_, b)| a.total_cmp(b));
        best.expect("pairs are always a way")
    }

    fn pairing_cost(&self, joining: &Joining<'_>, outer: Estimate, inner: Estimate) -> f64 {
        let cost = self.planning.cost;
        let own = if equal_keys(joining).0.is_empty() {
            cost.nested_loop(outer.rows, inner.rows)
        } else {
            cost.hash_join(inner.rows, outer.rows, joining.rows)
        };
        outer.cost + inner.cost + own
    }

    /// A hash join, or where nothing is compared for equality a nested loop.
    #[inline(never)]
    fn pairs(&self, joining: Joining<'_>, cost: f64, used: &mut Subplans) -> Result<Compiled> {
        let (keys, rest) = equal_keys(&joining);
        let Joining {
            kind,
            left,
            right,
            predicates,
            rows,
        } = joining;
        let (left, right) = (left.compiled, right.compiled);
        let both: Vec<u32> = left.layout.iter().chain(&right.layout).copied().collect();
        let (layout, types) = output(kind, &left, &right);
        let single = rest.is_empty() && keys.len() == 1;
        let op = if !keys.is_empty() && (kind != JoinKind::NullAwareAnti || single) {
            let (left_keys, right_keys): (Vec<Expr>, Vec<Expr>) = keys.into_iter().unzip();
            Physical::HashJoin {
                kind,
                left_keys: resolve_all(&left_keys, &left.layout, used)?,
                right_keys: resolve_all(&right_keys, &right.layout, used)?,
                residual: conjoin(rest).map(|e| resolve(e, &both, used)).transpose()?,
                left: Box::new(left.node),
                right: Box::new(right.node),
            }
        } else {
            Physical::NestedLoopJoin {
                kind,
                on: conjoin(predicates).map(|e| resolve(e, &both, used)).transpose()?,
                left: Box::new(left.node),
                right: Box::new(right.node),
            }
        };
        let estimate = Estimate { rows, cost };
        Ok(Compiled {
            node: Node { op, types, estimate },
            layout,
            order: Vec::new(),
        })
    }

    /// How the inner side would be looked up for each outer row.
    fn lookups(&self, outer: &Side<'_>, inner: &Side<'_>, joining: &Joining<'_>) -> Option<Path> {
        let Logical::Scan {
            table,
            columns,
            key: None,
            filter,
            ..
        } = inner.plan
        else {
            return None;
        };
        let mut predicates = filter.clone().map(conjuncts).unwrap_or_default();
        predicates.extend(joining.predicates.iter().cloned());
        let reading = Reading {
            table,
            columns,
            predicates: &predicates,
        };
        let known = |e: &Expr| {
            only_names(e, &outer.ids) && !super::fold::is_volatile(e) && !super::fold::has_subquery(e)
        };
        let path = self.lookup(&reading, &known, f64::MAX)?;
        let uses_outer = path.range.equal.iter().any(|e| !columns_of(e).is_empty());
        uses_outer.then_some(path)
    }

    #[inline(never)]
    fn index_join(
        &self,
        joining: Joining<'_>,
        path: Path,
        cost: f64,
        used: &mut Subplans,
    ) -> Result<Compiled> {
        let Joining {
            kind,
            left,
            right,
            rows,
            ..
        } = joining;
        let Logical::Scan {
            table,
            alias,
            columns,
            as_of,
            ..
        } = right.plan
        else {
            return Err(broken("an index join looks up a table"));
        };
        let left = left.compiled;
        let inner: Vec<u32> = columns.iter().map(|(_, c)| c.id).collect();
        let inner_ids: IdSet = inner.iter().copied().collect();
        let (own, across): (Vec<Expr>, Vec<Expr>) =
            path.filter.into_iter().partition(|p| only_names(p, &inner_ids));
        let both: Vec<u32> = left.layout.iter().chain(&inner).copied().collect();
        let mut source = Source {
            table: table.clone(),
            alias: alias.clone(),
            index: path.index,
            range: path.range,
            backward: false,
            columns: columns.iter().map(|(p, _)| *p).collect(),
            filter: conjoin(own).map(|e| resolve(e, &inner, used)).transpose()?,
            as_of: *as_of,
            with_key: false,
        };
        resolve_range(&mut source, &left.layout, used)?;
        let residual = conjoin(across).map(|e| resolve(e, &both, used)).transpose()?;
        let (mut layout, mut types) = (left.layout, left.node.types.clone());
        if kind.keeps_right() {
            layout.extend(&inner);
            types.extend(columns.iter().map(|(_, c)| c.ty));
        }
        let op = Physical::IndexJoin {
            kind,
            left: Box::new(left.node),
            source,
            residual,
        };
        let estimate = Estimate { rows, cost };
        Ok(Compiled {
            node: Node { op, types, estimate },
            layout,
            order: Vec::new(),
        })
    }

    /// A semi-join as an inner join with the different keys of its right side.
    #[inline(never)]
    fn different_keys<'p>(&self, joining: Joining<'p>, used: &mut Subplans) -> Result<Joining<'p>> {
        let (keys, _) = equal_keys(&joining);
        let columns: Vec<Projection> = keys.into_iter().filter_map(|(_, key)| named(key)).collect();
        let Side { plan, ids, compiled } = joining.right;
        let keys = self.projected(compiled, &columns, used)?;
        let Estimate { rows, cost } = keys.node.estimate;
        let node = Node {
            types: keys.node.types.clone(),
            estimate: Estimate {
                rows,
                cost: cost + self.planning.cost.aggregate(rows, rows),
            },
            op: Physical::Distinct {
                input: Box::new(keys.node),
                on: Vec::new(),
            },
        };
        let compiled = Compiled {
            node,
            layout: keys.layout,
            order: Vec::new(),
        };
        let right = Side { plan, ids, compiled };
        Ok(Joining {
            kind: JoinKind::Inner,
            right,
            ..joining
        })
    }
}

/// A column as a projection of itself.
fn named(expr: Expr) -> Option<Projection> {
    match expr {
        Expr::Column(id, ty) => Some((
            expr,
            OutputColumn {
                id,
                name: String::new(),
                ty,
            },
        )),
        _ => None,
    }
}

fn turned(joining: Joining<'_>) -> Joining<'_> {
    Joining {
        left: joining.right,
        right: joining.left,
        ..joining
    }
}

/// Whether the join asks for nothing but equality with columns of the right side.
fn only_keys(joining: &Joining<'_>) -> bool {
    let (keys, rest) = equal_keys(joining);
    rest.is_empty() && !keys.is_empty() && keys.iter().all(|(_, right)| matches!(right, Expr::Column(..)))
}

/// The pairs of keys that a hash join can use, and the predicates that it cannot.
fn equal_keys(joining: &Joining<'_>) -> (Vec<(Expr, Expr)>, Vec<Expr>) {
    let (mut keys, mut rest) = (Vec::new(), Vec::new());
    for predicate in &joining.predicates {
        match key_pair(predicate, &joining.left.ids, &joining.right.ids) {
            Some(pair) => keys.push(pair),
            None => rest.push(predicate.clone()),
        }
    }
    (keys, rest)
}

/// The columns that come out of a join.
fn output(kind: JoinKind, left: &Compiled, right: &Compiled) -> (Vec<u32>, Vec<DataType>) {
    let (mut layout, mut types) = (left.layout.clone(), left.node.types.clone());
    if kind.keeps_right() {
        layout.extend(&right.layout);
        types.extend(&right.node.types);
    }
    (layout, types)
}

/// An equality between a value of the left rows and one of the right.
fn key_pair(predicate: &Expr, left: &IdSet, right: &IdSet) -> Option<(Expr, Expr)> {
    let ("=", a, b) = comparison(predicate)? else {
        return None;
    };
    if !comparable(a.data_type(), b.data_type()) || super::fold::is_volatile(predicate) {
        return None;
    }
    let of = |e: &Expr, ids: &IdSet| {
        let columns = columns_of(e);
        !columns.is_empty() && columns.is_subset(ids)
    };
    if of(a, left) && of(b, right) {
        Some((a.clone(), b.clone()))
    } else if of(b, left) && of(a, right) {
        Some((b.clone(), a.clone()))
    } else {
        None
    }
}
