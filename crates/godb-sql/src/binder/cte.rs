//! WITH: common table expressions.
//!
//! A common table expression is bound once, where it is written, and copied with fresh column ids where it is named: the optimiser then sees through
//! it as through any subquery. Copies count against a budget, since `b AS (a, a), c AS (b, b), …` doubles with every step.

use super::names::fold;
use super::subquery::shown_only;
use super::{Binder, Bound};
use crate::error::{Result, SqlError, state};
use crate::expr::Expr;
use crate::plan::logical::{Logical, OutputColumn};
use crate::plan::walk::rewrite;
use sqlparser::ast::{Cte as SqlCte, SetExpr, With};
use std::collections::HashMap;

/// The most operators that references to common table expressions may copy in one statement.
const MAX_COPIED: usize = 10_000;

/// A common table expression in reach.
#[derive(Clone, Debug)]
pub(super) struct Cte {
    name: String,
    plan: Logical,
    columns: Vec<OutputColumn>,
    /// In which frame it was bound: its outer values count from there.
    frame: usize,
}

impl Binder<'_> {
    #[inline(never)]
    pub(super) fn with(&mut self, with: &With) -> Result<()> {
        if with.recursive {
            return self.refuse("WITH RECURSIVE", with.with_token.0.span.start);
        }
        let first = self.ctes.len();
        for definition in &with.cte_tables {
            let name = fold(&definition.alias.name);
            if self.ctes[first..].iter().any(|known| known.name == name) {
                let message = format!("WITH query name \"{name}\" specified more than once");
                let error = SqlError::new(state::DUPLICATE_ALIAS, message);
                return Err(self.at(error, definition.alias.name.span.start));
            }
            let cte = self.define(definition, name)?;
            self.ctes.push(cte);
        }
        Ok(())
    }

    fn define(&mut self, definition: &SqlCte, name: String) -> Result<Cte> {
        let at = definition.alias.name.span.start;
        if matches!(
            *definition.query.body,
            SetExpr::Insert(_) | SetExpr::Update(_) | SetExpr::Delete(_)
        ) {
            return self.refuse("a data-modifying statement in WITH", at);
        }
        let bound = self.in_new_level(|b| b.query(&definition.query))?;
        let bound = self.known_columns(bound)?;
        let mut columns = bound.columns.clone();
        let given = definition.alias.columns.len();
        if given > columns.len() {
            let message = format!(
                "WITH query \"{name}\" has {} columns available but {given} columns specified",
                columns.len()
            );
            return Err(self.at(SqlError::new(state::INVALID_COLUMN_REFERENCE, message), at));
        }
        for (column, shown) in columns.iter_mut().zip(&definition.alias.columns) {
            column.name = fold(&shown.name);
        }
        let plan = shown_only(bound);
        plan.check_depth()?;
        Ok(Cte {
            name,
            plan,
            columns,
            frame: self.frames.len() - 1,
        })
    }

    /// A copy of the common table expression of that name.
    #[inline(never)]
    pub(super) fn reference(&mut self, name: &str) -> Result<Option<Bound>> {
        let Some(cte) = self.ctes.iter().rev().find(|cte| cte.name == name) else {
            return Ok(None);
        };
        let cte = cte.clone();
        let mut plan = cte.plan;
        let mut ids = HashMap::new();
        self.renew(&mut plan, &mut ids)?;
        let frame = self.frames.len() - 1;
        if frame > cte.frame {
            plan.for_each_expr_mut(&mut |expr| rewrite(expr, &mut |e| self.reach(e, cte.frame)));
        }
        let renamed = cte
            .columns
            .into_iter()
            .map(|c| OutputColumn { id: ids[&c.id], ..c });
        Ok(Some(Bound {
            plan,
            columns: renamed.collect(),
        }))
    }

    /// Makes an outer value of an enclosing frame available in the current one.
    fn reach(&mut self, expr: &mut Expr, from: usize) {
        if matches!(expr, Expr::Outer(..)) {
            for frame in from + 1..self.frames.len() {
                *expr = self.frames[frame].pass_in(expr.clone());
            }
        }
    }

    /// Gives all columns of a plan new ids; copies the subqueries in its expressions too.
    fn renew(&mut self, plan: &mut Logical, ids: &mut HashMap<u32, u32>) -> Result<()> {
        self.copied += 1;
        if self.copied > MAX_COPIED {
            let message = "statement refers to common table expressions too often";
            return Err(SqlError::new(state::STATEMENT_TOO_COMPLEX, message));
        }
        for input in plan.inputs_mut() {
            self.renew(input, ids)?;
        }
        // A projection may pass a column on under its old id. So its expressions get the input's new ids first; a scan's filter, though,
        // is about the columns that the scan makes.
        let is_scan = matches!(plan, Logical::Scan { .. });
        if is_scan {
            self.renew_made(plan, ids);
        }
        let mut failed = Ok(());
        for expr in plan.exprs_mut() {
            rewrite(expr, &mut |e| match e {
                Expr::Column(id, _) => *id = ids.get(id).copied().unwrap_or(*id),
                Expr::Subquery(subquery) => match self.renew_subplan(subquery.plan) {
                    Ok(copy) => subquery.plan = copy,
                    Err(error) => failed = Err(error),
                },
                _ => {}
            });
        }
        if !is_scan {
            self.renew_made(plan, ids);
        }
        failed
    }

    fn renew_made(&mut self, plan: &mut Logical, ids: &mut HashMap<u32, u32>) {
        for column in plan.made_mut() {
            ids.insert(column.id, self.next_id);
            column.id = self.next_id;
            self.next_id += 1;
        }
    }

    fn renew_subplan(&mut self, index: usize) -> Result<usize> {
        let mut plan = self.subplans[index].clone();
        self.renew(&mut plan, &mut HashMap::new())?;
        self.subplans.push(plan);
        Ok(self.subplans.len() - 1)
    }
}
