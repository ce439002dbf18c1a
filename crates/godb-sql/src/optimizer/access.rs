//! The way to a table's rows: all of its tree, a part of it, or a part of an index.

use super::Optimizer;
use super::advice::small;
use super::compile::{Key, Want};
use super::ranges::{Search, Searchable, searchable};
use crate::catalog::{Index, Table};
use crate::expr::Expr;
use crate::plan::logical::OutputColumn;
use crate::plan::physical::{KeyBound, KeyRange};
use std::sync::Arc;

/// A table to be read.
pub(super) struct Reading<'a> {
    pub(super) table: &'a Arc<Table>,
    /// Positions and ids of the columns wanted.
    pub(super) columns: &'a [(usize, OutputColumn)],
    pub(super) predicates: &'a [Expr],
}

/// One way to read it. Expressions in it are over column ids.
#[derive(Clone, Debug)]
pub(super) struct Path {
    pub(super) index: Option<Arc<Index>>,
    pub(super) range: KeyRange,
    pub(super) backward: bool,
    /// The predicates that still have to be evaluated.
    pub(super) filter: Vec<Expr>,
    /// The order in which rows come.
    pub(super) order: Vec<Key>,
    /// Rows that pass the filter.
    pub(super) rows: f64,
    pub(super) cost: f64,
}

/// The key columns of a tree: position, descending.
fn key_columns(table: &Table, index: Option<&Arc<Index>>) -> Vec<(usize, bool)> {
    match index {
        Some(index) => index.columns.clone(),
        None => table.primary_key.iter().map(|p| (*p, false)).collect(),
    }
}

impl Optimizer<'_> {
    /// The cheapest way, given what comes after.
    pub(super) fn best_path(&self, reading: &Reading<'_>, rows: f64, want: &Want) -> Path {
        let known = |e: &Expr| is_known(e);
        let searches = self.searches(reading, &known);
        let primary = self.path(reading, None, &searches, rows);
        let others = reading
            .table
            .indexes
            .iter()
            .map(|index| self.path(reading, Some(index), &searches, rows));
        let mut best: Option<(f64, Path)> = None;
        for path in std::iter::once(primary).chain(others) {
            let (total, path) = self.with_want(path, want);
            if best.as_ref().is_none_or(|(least, _)| total < *least) {
                best = Some((total, path));
            }
        }
        best.expect("the table's own tree is always a way").1
    }

    /// The ways to look up the rows that match values known for each outer row; none if no key begins with those columns.
    pub(super) fn lookup(
        &self,
        reading: &Reading<'_>,
        known: &dyn Fn(&Expr) -> bool,
        rows: f64,
    ) -> Option<Path> {
        let searches = self.searches(reading, known);
        let indexes = reading.table.indexes.iter().map(Some);
        let paths = std::iter::once(None)
            .chain(indexes)
            .map(|index| self.path(reading, index, &searches, rows));
        let useful = paths.filter(|path| !path.range.equal.is_empty());
        useful.min_by(|a, b| a.cost.total_cmp(&b.cost))
    }

    fn searches(
        &self,
        reading: &Reading<'_>,
        known: &dyn Fn(&Expr) -> bool,
    ) -> Vec<(usize, usize, Searchable)> {
        let mut searches = Vec::new();
        for (number, predicate) in reading.predicates.iter().enumerate() {
            let Some(found) = searchable(predicate, known) else {
                continue;
            };
            let position = reading
                .columns
                .iter()
                .find(|(_, c)| c.id == found.column)
                .map(|(p, _)| *p);
            if let Some(position) = position {
                searches.push((number, position, found));
            }
        }
        searches
    }

    fn path(
        &self,
        reading: &Reading<'_>,
        index: Option<&Arc<Index>>,
        searches: &[(usize, usize, Searchable)],
        rows: f64,
    ) -> Path {
        let key = key_columns(reading.table, index);
        let mut matched = Matched::default();
        for (position, _) in &key {
            if !matched.take(*position, searches) {
                break;
            }
        }
        let unique = matched.range.equal.len() == key.len()
            && !key.is_empty()
            && index.is_none_or(|index| index.unique);
        let found = if unique {
            1.0
        } else {
            self.found(reading, &matched)
        };
        let left: Vec<Expr> = reading
            .predicates
            .iter()
            .enumerate()
            .filter(|(number, _)| !matched.answered.contains(number))
            .map(|(_, p)| p.clone())
            .collect();
        let order = if matched.range.any_of.is_empty() {
            self.order_of(reading, &key, matched.range.equal.len())
        } else {
            Vec::new()
        };
        let cost = self.path_cost(reading, index, &matched, found, left.len());
        Path {
            index: index.cloned(),
            range: matched.range,
            backward: false,
            filter: left,
            order,
            rows: rows.min(found).max(if unique { 1.0 } else { 0.0 }),
            cost,
        }
    }

    /// The rows that the matched part of the tree holds.
    fn found(&self, reading: &Reading<'_>, matched: &Matched) -> f64 {
        let all = self.planning.estimator.table_rows(reading.table);
        let kept = matched.conditions.iter().map(|(position, condition)| {
            self.planning
                .estimator
                .selectivity(reading.table, *position, *condition)
        });
        (all * kept.product::<f64>()).max(1.0)
    }

    fn path_cost(
        &self,
        reading: &Reading<'_>,
        index: Option<&Arc<Index>>,
        matched: &Matched,
        found: f64,
        filters: usize,
    ) -> f64 {
        let cost = self.planning.cost;
        let fetched = match index {
            Some(index) if !covers(reading, index) => found,
            _ => 0.0,
        };
        let descents = small(matched.range.any_of.len().max(1)) * cost.descend();
        descents + cost.scan(found, reading.columns.len(), fetched) + cost.evaluate(found, filters)
    }

    /// The order that rows of a tree come in, after the key columns that are all equal.
    fn order_of(&self, reading: &Reading<'_>, key: &[(usize, bool)], equal: usize) -> Vec<Key> {
        let mut order = Vec::new();
        for (position, descending) in &key[equal.min(key.len())..] {
            let Some((_, column)) = reading.columns.iter().find(|(p, _)| p == position) else {
                break;
            };
            let required =
                reading.table.columns[*position].not_null || reading.table.primary_key.contains(position);
            order.push(Key {
                id: column.id,
                descending: *descending,
                nulls_first: *descending,
                never_null: required,
            });
        }
        order
    }

    /// The path turned the way that is wanted, and what it costs together with what must follow.
    fn with_want(&self, mut path: Path, want: &Want) -> (f64, Path) {
        let cost = self.planning.cost;
        let keep = want.rows.unwrap_or(f64::INFINITY);
        if want.order.is_empty() {
            let part = if path.range.any_of.is_empty() {
                (keep / path.rows.max(1.0)).min(1.0)
            } else {
                1.0
            };
            return (path.cost * part, path);
        }
        let turned: Vec<Key> = path.order.iter().map(Key::turned).collect();
        let fits = super::compile::satisfies(&path.order, &want.order);
        if fits || super::compile::satisfies(&turned, &want.order) {
            if !fits {
                path.backward = true;
                path.order = turned;
            }
            let part = (keep / path.rows.max(1.0)).min(1.0);
            return (cost.descend() + path.cost * part, path);
        }
        (path.cost + cost.sort(path.rows, keep), path)
    }
}

/// Whether an index's entries hold all columns wanted: its own and those of the primary key.
fn covers(reading: &Reading<'_>, index: &Index) -> bool {
    let held =
        |p: usize| index.columns.iter().any(|(c, _)| *c == p) || reading.table.primary_key.contains(&p);
    reading.columns.iter().all(|(position, _)| held(*position))
}

/// Whether an expression is known when a scan begins.
fn is_known(expr: &Expr) -> bool {
    match expr {
        Expr::Column(..) => false,
        Expr::Literal(..) | Expr::Parameter(..) | Expr::Outer(..) => true,
        other => {
            !super::fold::is_volatile(other)
                && !crate::plan::walk::any(other, &|e| matches!(e, Expr::Column(..)))
        }
    }
}

/// The part of a tree that predicates single out, as far as the key columns have been looked at.
#[derive(Default)]
struct Matched {
    range: KeyRange,
    /// The predicates that the range answers completely.
    answered: Vec<usize>,
    conditions: Vec<(usize, super::Condition)>,
}

impl Matched {
    /// Uses the predicates on the next key column. False when nothing behind it can be used.
    fn take(&mut self, position: usize, searches: &[(usize, usize, Searchable)]) -> bool {
        let here = || searches.iter().filter(|(_, p, _)| *p == position);
        for (number, _, found) in here() {
            if let Search::Equal(value) = &found.search {
                self.range.equal.push(value.clone());
                self.answered.push(*number);
                self.conditions.push((position, super::Condition::Equal));
                return true;
            }
        }
        for (number, _, found) in here() {
            if let Search::OneOf(values) = &found.search
                && self.range.equal.is_empty()
            {
                self.range.any_of.clone_from(values);
                self.answered.push(*number);
                self.conditions
                    .push((position, super::Condition::OneOf(values.len())));
                return false;
            }
        }
        for (number, _, found) in here() {
            self.bound(*number, found);
        }
        match (&self.range.from, &self.range.to) {
            (Some(_), Some(_)) => self.conditions.push((position, super::Condition::Between)),
            (None, None) => {}
            _ => self.conditions.push((position, super::Condition::Half)),
        }
        false
    }

    /// Takes the first lower and the first upper bound; others stay filters.
    fn bound(&mut self, number: usize, found: &Searchable) {
        let bound = |value: &Expr, inclusive: bool| {
            Some(KeyBound {
                value: value.clone(),
                inclusive,
            })
        };
        match &found.search {
            Search::From(value, inclusive) if self.range.from.is_none() => {
                self.range.from = bound(value, *inclusive);
            }
            Search::To(value, inclusive) if self.range.to.is_none() => {
                self.range.to = bound(value, *inclusive);
            }
            Search::Within(from, to) if self.range.from.is_none() && self.range.to.is_none() => {
                self.range.from = bound(from, true);
                self.range.to = bound(to, false);
            }
            _ => return,
        }
        if !found.inexact {
            self.answered.push(number);
        }
    }
}
