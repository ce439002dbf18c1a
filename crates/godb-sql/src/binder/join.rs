//! Joins in FROM.

use super::Binder;
use super::expr::place;
use super::from::FromItem;
use super::lateral::{has_lateral, is_lateral};
use super::names::{column_name, fold};
use super::scope::{Aggregates, Scope, Visible};
use crate::cast::Coercion;
use crate::error::{Result, SqlError, state};
use crate::expr::Expr;
use crate::plan::logical::{JoinKind, Logical};
use sqlparser::ast::{self, Ident, JoinConstraint, JoinOperator, TableWithJoins};
use sqlparser::tokenizer::Location;

impl Binder<'_> {
    /// An item of FROM with what is joined to it, beside those before it.
    pub(super) fn table_with_joins(
        &mut self,
        table: &TableWithJoins,
        before: Option<FromItem>,
    ) -> Result<FromItem> {
        // Where something looks to the left, what comes before is a part of the left of it: the same for joins that keep all of the left.
        let turned = before.is_some() && has_lateral(table);
        let (before, mut left) = if is_lateral(&table.relation) {
            (
                None,
                self.lateral(before, &table.relation, JoinKind::Inner, None)?,
            )
        } else {
            let item = self.table_factor(&table.relation)?;
            match before {
                Some(before) if has_lateral(table) => (None, self.cross(before, item)?),
                before => (before, item),
            }
        };
        for join in &table.joins {
            let (kind, constraint) = kind_of(&join.join_operator)?;
            if turned && !matches!(kind, JoinKind::Inner | JoinKind::Left) {
                return Err(SqlError::unsupported("RIGHT or FULL JOIN beside LATERAL"));
            }
            if is_lateral(&join.relation) {
                left = self.lateral(Some(left), &join.relation, kind, constraint)?;
                continue;
            }
            let right = self.table_factor(&join.relation)?;
            self.check_names(&left.scope, &right.scope)?;
            left = match constraint {
                None => self.cross(left, right)?,
                Some(JoinConstraint::On(on)) => self.join_on(kind, left, right, on)?,
                Some(JoinConstraint::Using(names)) => {
                    let columns: Vec<&Ident> = names.iter().map(column_name).collect::<Result<_>>()?;
                    let columns: Vec<_> = columns.into_iter().map(|c| (fold(c), c.span.start)).collect();
                    self.join_using(kind, left, right, &columns)?
                }
                Some(JoinConstraint::Natural) => {
                    let columns = common_names(&left.scope, &right.scope);
                    self.join_using(kind, left, right, &columns)?
                }
                Some(JoinConstraint::None) => {
                    return Err(SqlError::new(state::SYNTAX_ERROR, "a join must have ON or USING"));
                }
            };
        }
        match before {
            Some(before) => self.cross(before, left),
            None => Ok(left),
        }
    }

    fn join_on(
        &mut self,
        kind: JoinKind,
        left: FromItem,
        right: FromItem,
        on: &ast::Expr,
    ) -> Result<FromItem> {
        let outside = std::mem::replace(&mut self.select().scope, left.scope.beside(right.scope));
        let bound = self.with_aggregates(Aggregates::Refused("JOIN conditions"), |b| {
            let expr = b.expr(on)?;
            b.boolean(expr, "JOIN/ON", place(on))
        });
        let scope = std::mem::replace(&mut self.select().scope, outside);
        let plan = Logical::Join {
            kind,
            left: Box::new(left.plan),
            right: Box::new(right.plan),
            on: Some(bound?),
        };
        Ok(FromItem { plan, scope })
    }

    /// Joins on equal columns, which become one: the left one's value, or the other's where the left has none.
    fn join_using(
        &mut self,
        kind: JoinKind,
        left: FromItem,
        right: FromItem,
        columns: &[(String, Location)],
    ) -> Result<FromItem> {
        let mut conditions = Vec::with_capacity(columns.len());
        let mut merged = Vec::with_capacity(columns.len());
        for (name, at) in columns {
            let a = self.using_side(&left.scope, name, "left", *at)?;
            let b = self.using_side(&right.scope, name, "right", *at)?;
            let (a, b) = self.comparable("=", a, b, *at, *at)?;
            conditions.push(self.compare("=", a.clone(), b.clone(), *at, *at)?);
            let ty = self.common(&[a.data_type(), b.data_type()], "JOIN/USING", *at)?;
            let a = self.coerce(a, ty, Coercion::Implicit, *at)?;
            let b = self.coerce(b, ty, Coercion::Implicit, *at)?;
            let expr = match kind {
                JoinKind::Right => b,
                JoinKind::Full => Expr::Coalesce(vec![a, b], ty),
                _ => a,
            };
            merged.push(Visible {
                name: name.clone(),
                expr,
            });
        }
        let on = crate::plan::walk::conjoin(conditions);
        let mut scope = Scope {
            relations: left.scope.relations,
            visible: merged,
        };
        scope.relations.extend(right.scope.relations);
        let others = left.scope.visible.into_iter().chain(right.scope.visible);
        scope
            .visible
            .extend(others.filter(|v| columns.iter().all(|(name, _)| *name != v.name)));
        let plan = Logical::Join {
            kind,
            left: Box::new(left.plan),
            right: Box::new(right.plan),
            on,
        };
        Ok(FromItem { plan, scope })
    }

    fn using_side(&self, scope: &Scope, name: &str, side: &str, at: Location) -> Result<Expr> {
        let mut found = scope.visible.iter().filter(|v| v.name == name);
        let error = match (found.next(), found.next()) {
            (Some(column), None) => return Ok(column.expr.clone()),
            (Some(_), Some(_)) => SqlError::new(
                state::AMBIGUOUS_COLUMN,
                format!("common column name \"{name}\" appears more than once in {side} table"),
            ),
            (None, _) => SqlError::new(
                state::UNDEFINED_COLUMN,
                format!("column \"{name}\" specified in USING clause does not exist in {side} table"),
            ),
        };
        Err(self.at(error, at))
    }
}

fn common_names(left: &Scope, right: &Scope) -> Vec<(String, Location)> {
    let mut names: Vec<(String, Location)> = Vec::new();
    for column in &left.visible {
        let shared = right.visible.iter().any(|r| r.name == column.name);
        if shared && names.iter().all(|(name, _)| *name != column.name) {
            names.push((column.name.clone(), Location::new(0, 0)));
        }
    }
    names
}

fn kind_of(operator: &JoinOperator) -> Result<(JoinKind, Option<&JoinConstraint>)> {
    Ok(match operator {
        JoinOperator::Join(on) | JoinOperator::Inner(on) => (JoinKind::Inner, Some(on)),
        JoinOperator::Left(on) | JoinOperator::LeftOuter(on) => (JoinKind::Left, Some(on)),
        JoinOperator::Right(on) | JoinOperator::RightOuter(on) => (JoinKind::Right, Some(on)),
        JoinOperator::FullOuter(on) => (JoinKind::Full, Some(on)),
        JoinOperator::CrossJoin(JoinConstraint::None) => (JoinKind::Inner, None),
        _ => return Err(SqlError::unsupported("this kind of join")),
    })
}
