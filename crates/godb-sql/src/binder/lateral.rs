//! LATERAL: an item of FROM that sees those to its left.
//!
//! It is a subquery for each row of theirs, and is bound as one: in a frame of its own, from which the names to the left are outside. What it needs of them is passed in by [`Logical::Apply`], which
//! runs it as a subplan.

use super::expr::place;
use super::from::{FromItem, one_row};
use super::scope::{Aggregates, Scope};
use super::{Binder, Frame};
use crate::error::{Result, SqlError, state};
use crate::expr::Expr;
use crate::plan::logical::{JoinKind, Logical, OutputColumn};
use crate::plan::walk::{IdSet, add_columns};
use sqlparser::ast::{self, FunctionArg, FunctionArgExpr, JoinConstraint, TableFactor, TableWithJoins};
use std::ops::ControlFlow;

/// Whether an item of FROM may look at what is to its left. A function may without saying so.
pub(super) fn is_lateral(factor: &TableFactor) -> bool {
    match factor {
        TableFactor::Derived { lateral, .. } => *lateral,
        TableFactor::Function { lateral, args, .. } => *lateral || args.iter().any(names_columns),
        TableFactor::Table { args: Some(args), .. } => args.args.iter().any(names_columns),
        _ => false,
    }
}

/// Whether any item of a tree of joins is.
pub(super) fn has_lateral(table: &TableWithJoins) -> bool {
    is_lateral(&table.relation) || table.joins.iter().any(|join| is_lateral(&join.relation))
}

fn names_columns(arg: &FunctionArg) -> bool {
    let FunctionArg::Unnamed(FunctionArgExpr::Expr(expr)) = arg else {
        return false;
    };
    let found = ast::visit_expressions(expr, |expr| match expr {
        ast::Expr::Identifier(_) | ast::Expr::CompoundIdentifier(_) => ControlFlow::Break(()),
        _ => ControlFlow::Continue(()),
    });
    found.is_break()
}

impl Binder<'_> {
    /// An item that sees `left`, joined to it.
    pub(super) fn lateral(
        &mut self,
        left: Option<FromItem>,
        factor: &TableFactor,
        kind: JoinKind,
        constraint: Option<&JoinConstraint>,
    ) -> Result<FromItem> {
        let left = left.unwrap_or_else(|| FromItem {
            plan: one_row(),
            scope: Scope::default(),
        });
        if !matches!(kind, JoinKind::Inner | JoinKind::Left) {
            let message = "the combining JOIN type must be INNER or LEFT for a LATERAL reference";
            return Err(SqlError::new(state::INVALID_COLUMN_REFERENCE, message));
        }
        let (item, outer) = self.seeing(&left.scope, factor)?;
        self.check_names(&left.scope, &item.scope)?;
        let mut named = IdSet::default();
        outer.iter().for_each(|expr| add_columns(expr, &mut named));
        if !named.is_subset(&left.plan.output_ids()) {
            return Err(SqlError::unsupported("LATERAL that looks out of its own join"));
        }
        let output: Vec<OutputColumn> = item.plan.output().into_iter().cloned().collect();
        let plan = self.subplan(item.plan);
        let scope = left.scope.beside(item.scope);
        let on = match constraint {
            None => None,
            Some(JoinConstraint::On(on)) => Some(self.over(&scope, on)?),
            Some(_) => return Err(SqlError::unsupported("USING or NATURAL with LATERAL")),
        };
        let plan = Logical::Apply {
            input: Box::new(left.plan),
            plan,
            outer,
            output,
            left: kind == JoinKind::Left,
            on,
        };
        Ok(FromItem { plan, scope })
    }

    /// Binds an item in a frame of its own; returns what it wants passed in.
    fn seeing(&mut self, left: &Scope, factor: &TableFactor) -> Result<(FromItem, Vec<Expr>)> {
        let outside = std::mem::replace(&mut self.select().scope, left.clone());
        let bound = self.with_aggregates(Aggregates::Refused("FROM"), |binder| {
            binder.frames.push(Frame::default());
            let item = binder.table_factor(factor);
            let frame = binder.frames.pop().expect("the frame pushed above");
            Ok((item?, frame.outer))
        });
        self.select().scope = outside;
        bound
    }

    /// A condition over the names of a scope.
    fn over(&mut self, scope: &Scope, on: &ast::Expr) -> Result<Expr> {
        let outside = std::mem::replace(&mut self.select().scope, scope.clone());
        let bound = self.with_aggregates(Aggregates::Refused("JOIN conditions"), |binder| {
            let expr = binder.expr(on)?;
            binder.boolean(expr, "JOIN/ON", place(on))
        });
        self.select().scope = outside;
        bound
    }
}
