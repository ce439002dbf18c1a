//! From what is asked to how it is answered.
//!
//! First the logical plan is rewritten by rules that are always right, each in a file of its own: constants are computed ([`fold`]),
//! predicates simplified ([`simplify`]), subqueries turned into joins ([`decorrelate`]; Galindo-Legaria and Joshi, 2001), outer joins
//! weakened and filters moved down ([`pushdown`]), inner joins ordered ([`join_order`]; Selinger and others, 1979, with dynamic programming
//! over sets of relations as in Moerkotte and Neumann, 2006), limits moved down ([`limit`]), `min` and `max` read from the end of an
//! index ([`minmax`]), columns that nobody reads dropped ([`prune`]).
//!
//! Then the plan is compiled bottom-up: each operator gets an algorithm, each column a position ([`compile`]), tables get an access path
//! ([`access`]) and joins a method ([`join`]), by cost. What the optimiser believes about row counts and costs comes from two
//! traits ([`CardinalityEstimator`], [`CostModel`]); better advice makes faster plans, and no advice can make a wrong one.
//!
//! Left out: a memo of equivalent plans (Cascades). The rules here do not compete, except for joins and access paths, and those are searched.

mod access;
mod advice;
mod apply;
mod compile;
mod decorrelate;
mod empty;
mod estimate;
mod fold;
mod join;
mod join_order;
mod limit;
mod minmax;
mod negate;
mod nullability;
mod prune;
mod pull_up;
mod pushdown;
mod ranges;
mod row_count;
mod simplify;
#[cfg(test)]
mod tests;

pub use advice::{CardinalityEstimator, Condition, CostModel, DefaultCost, DefaultEstimator};
pub(crate) use fold::fold_expr;
pub(crate) use prune::plan as drop_unread;

use crate::error::Result;
use crate::expr::Expr;
use crate::plan::logical::{Logical, OutputColumn};
use crate::plan::physical::Node;
use crate::plan::statement::{Planning, broken};
use crate::plan::walk::visit;
use crate::types::DataType;
use std::collections::HashMap;

/// Optimises and compiles the plans of one statement.
pub(crate) struct Optimizer<'a> {
    planning: &'a Planning<'a>,
    next_id: u32,
    /// The plans of subqueries, taken out when they become joins or are compiled.
    pending: Vec<Option<Logical>>,
    /// How often each of them is referred to.
    references: Vec<usize>,
}

/// The subplans that compiled expressions refer to, numbered anew.
#[derive(Debug, Default)]
pub(crate) struct Subplans {
    numbers: HashMap<usize, usize>,
    order: Vec<usize>,
}

impl Subplans {
    fn number(&mut self, old: usize) -> usize {
        let order = &mut self.order;
        *self.numbers.entry(old).or_insert_with(|| {
            order.push(old);
            order.len() - 1
        })
    }
}

impl<'a> Optimizer<'a> {
    pub(crate) fn new(planning: &'a Planning<'a>, subplans: Vec<Logical>, next_id: u32) -> Self {
        let references = vec![0; subplans.len()];
        Self {
            planning,
            next_id,
            pending: subplans.into_iter().map(Some).collect(),
            references,
        }
    }

    /// The physical plan of a logical one.
    pub(crate) fn plan(&mut self, plan: Logical, used: &mut Subplans) -> Result<Node> {
        self.count_all_references(&plan);
        let plan = self.rewrite(plan)?;
        Ok(self.compile(&plan, used)?.node)
    }

    /// Counts the references to subplans, in the plan and in the subplans.
    fn count_all_references(&mut self, plan: &Logical) {
        self.count_references(plan);
        for index in 0..self.pending.len() {
            if let Some(subplan) = self.pending[index].take() {
                self.count_references(&subplan);
                self.pending[index] = Some(subplan);
            }
        }
    }

    /// The compiled subplans, by their new numbers.
    pub(crate) fn subplans(&mut self, mut used: Subplans) -> Result<Vec<Node>> {
        let mut compiled = Vec::new();
        while let Some(old) = used.order.get(compiled.len()).copied() {
            let plan = self.pending[old]
                .take()
                .ok_or_else(|| broken("a subplan is used and inlined"))?;
            let plan = self.rewrite(plan)?;
            compiled.push(self.compile(&plan, &mut used)?.node);
        }
        Ok(compiled)
    }

    /// An expression over a row of known columns, by position.
    pub(crate) fn over_row(&mut self, expr: Expr, row: &[OutputColumn], used: &mut Subplans) -> Result<Expr> {
        let layout: Vec<u32> = row.iter().map(|c| c.id).collect();
        compile::resolve(simplify::value(expr), &layout, used)
    }

    /// Applies the rules, in the order that lets each prepare the next.
    fn rewrite(&mut self, plan: Logical) -> Result<Logical> {
        plan.check_depth()?;
        let mut plan = plan;
        simplify::plan(&mut plan);
        let plan = self.decorrelate(plan)?;
        let plan = self.push_down(plan);
        let mut plan = self.order_joins(plan);
        simplify::plan(&mut plan);
        let plan = empty::propagate(plan);
        let plan = self.min_max(plan);
        let mut plan = limit::push_down(plan);
        prune::plan(&mut plan);
        Ok(plan)
    }

    fn count_references(&mut self, plan: &Logical) {
        let references = &mut self.references;
        plan.for_each_expr(&mut |expr| {
            visit(expr, &mut |e| {
                if let Expr::Subquery(subquery) = e {
                    references[subquery.plan] += 1;
                }
            });
        });
    }

    fn new_column(&mut self, name: &str, ty: DataType) -> OutputColumn {
        let id = self.next_id;
        self.next_id += 1;
        OutputColumn {
            id,
            name: name.to_owned(),
            ty,
        }
    }
}
