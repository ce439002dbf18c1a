//! What names mean at one level of a query.

use super::names::{fold, nearest};
use super::{Binder, Frame};
use crate::catalog::Table;
use crate::error::{Result, SqlError, state};
use crate::expr::Expr;
use crate::plan::logical::{AggregateCall, OutputColumn};
use crate::plan::walk::same;
use sqlparser::ast::Ident;
use sqlparser::tokenizer::Location;
use std::sync::Arc;

/// A table, subquery or join in FROM, under the name it goes by.
#[derive(Clone, Debug)]
pub(super) struct Relation {
    pub(super) name: String,
    pub(super) columns: Vec<OutputColumn>,
    /// The table, if it is one: for grouping by its primary key.
    pub(super) table: Option<Arc<Table>>,
}

/// A column that may be named without its relation. Columns merged by USING have expressions of both sides.
#[derive(Clone, Debug)]
pub(super) struct Visible {
    pub(super) name: String,
    pub(super) expr: Expr,
}

/// All names of a query level.
#[derive(Clone, Debug, Default)]
pub(super) struct Scope {
    pub(super) relations: Vec<Relation>,
    pub(super) visible: Vec<Visible>,
}

/// Whether aggregates may be called where the binder is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Aggregates {
    /// Here they may.
    Allowed,
    /// Inside the arguments of one.
    Within,
    /// Not in this clause.
    Refused(&'static str),
    /// Where there is no query.
    #[default]
    Nowhere,
}

/// The state of binding one SELECT.
#[derive(Debug, Default)]
pub(super) struct SelectState {
    pub(super) scope: Scope,
    pub(super) aggregates: Aggregates,
    /// The aggregates called so far.
    pub(super) calls: Vec<AggregateCall>,
    /// Where input columns were named outside of aggregates: for grouping errors.
    pub(super) uses: Vec<(u32, Location)>,
}

/// What a search found.
enum Found {
    Nothing,
    One(Expr),
    Several,
}

impl Scope {
    /// A scope of one relation.
    pub(super) fn of(relation: Relation) -> Self {
        let visible = relation.columns.iter().map(|c| Visible {
            name: c.name.clone(),
            expr: c.read(),
        });
        Self {
            visible: visible.collect(),
            relations: vec![relation],
        }
    }

    /// Both scopes side by side.
    pub(super) fn beside(mut self, other: Self) -> Self {
        self.relations.extend(other.relations);
        self.visible.extend(other.visible);
        self
    }

    pub(super) fn relation(&self, name: &str) -> Option<&Relation> {
        self.relations.iter().find(|r| r.name == name)
    }

    fn find(&self, qualifier: Option<&str>, name: &str) -> Found {
        match qualifier {
            None => one(self
                .visible
                .iter()
                .filter(|v| v.name == name)
                .map(|v| v.expr.clone())),
            Some(qualifier) => {
                let relations = self.relations.iter().filter(|r| r.name == qualifier);
                let columns = relations.flat_map(|r| &r.columns).filter(|c| c.name == name);
                one(columns.map(OutputColumn::read))
            }
        }
    }
}

fn one(mut found: impl Iterator<Item = Expr>) -> Found {
    match (found.next(), found.next()) {
        (None, _) => Found::Nothing,
        (Some(expr), None) => Found::One(expr),
        (Some(_), Some(_)) => Found::Several,
    }
}

impl Binder<'_> {
    /// The meaning of a column's name.
    pub(super) fn column(&mut self, idents: &[Ident]) -> Result<Expr> {
        let (qualifier, ident) = match idents {
            [column] => (None, column),
            [table, column] => (Some(fold(table)), column),
            [schema, table, column] if fold(schema) == "public" => (Some(fold(table)), column),
            _ => {
                let joined: Vec<&str> = idents.iter().map(|i| i.value.as_str()).collect();
                let message = format!(
                    "cross-database references are not implemented: {}",
                    joined.join(".")
                );
                return Err(SqlError::new(state::FEATURE_NOT_SUPPORTED, message));
            }
        };
        let location = idents[0].span.start;
        let name = fold(ident);
        if let Some(error) = self.reserved(ident) {
            return Err(error);
        }
        let depth = self.frames.len() - 1;
        match self.resolve(depth, qualifier.as_deref(), &name, location)? {
            Some(expr) => Ok(expr),
            None => Err(self.no_column(qualifier.as_deref(), &name, idents)),
        }
    }

    /// Looks in a frame, then in those outside it.
    fn resolve(
        &mut self,
        depth: usize,
        qualifier: Option<&str>,
        name: &str,
        location: Location,
    ) -> Result<Option<Expr>> {
        let select = &mut self.frames[depth].select;
        match select.scope.find(qualifier, name) {
            Found::One(expr) => {
                note_use(select, &expr, location);
                return Ok(Some(expr));
            }
            Found::Several => {
                let message = format!("column reference \"{name}\" is ambiguous");
                return Err(self.at(SqlError::new(state::AMBIGUOUS_COLUMN, message), location));
            }
            Found::Nothing => {}
        }
        // A relation of that name hides those outside, even without such a column.
        let hides = qualifier.is_some_and(|q| select.scope.relation(q).is_some());
        if depth == 0 || hides {
            return Ok(None);
        }
        let outside = self.resolve(depth - 1, qualifier, name, location)?;
        Ok(outside.map(|expr| self.frames[depth].pass_in(expr)))
    }

    fn no_column(&self, qualifier: Option<&str>, name: &str, idents: &[Ident]) -> SqlError {
        let location = idents[0].span.start;
        let relations = || self.frames.iter().rev().flat_map(|f| &f.select.scope.relations);
        if let Some(qualifier) = qualifier
            && !relations().any(|r| r.name == qualifier)
        {
            return self.at(no_relation(qualifier, relations()), location);
        }
        let shown = qualifier.map_or_else(|| format!("\"{name}\""), |q| format!("{q}.{name}"));
        let mut error = SqlError::new(state::UNDEFINED_COLUMN, format!("column {shown} does not exist"));
        let candidates = relations().filter(|r| qualifier.is_none_or(|q| r.name == q));
        let named: Vec<(&str, &str)> = candidates
            .flat_map(|r| r.columns.iter().map(|c| (r.name.as_str(), c.name.as_str())))
            .collect();
        if let Some(near) = nearest(name, named.iter().map(|(_, column)| *column)) {
            let table = named
                .iter()
                .find(|(_, column)| *column == near)
                .map_or("", |(table, _)| table);
            error = error.hint(format!(
                "Perhaps you meant to reference the column \"{table}.{near}\"."
            ));
        }
        self.at(error, location)
    }

    /// Runs with a fresh query level in the same frame.
    pub(super) fn in_new_level<T>(&mut self, run: impl FnOnce(&mut Self) -> Result<T>) -> Result<T> {
        let outside = std::mem::take(self.select());
        let result = run(self);
        *self.select() = outside;
        result
    }

    /// Runs with aggregates refused or allowed.
    pub(super) fn with_aggregates<T>(
        &mut self,
        aggregates: Aggregates,
        run: impl FnOnce(&mut Self) -> Result<T>,
    ) -> Result<T> {
        let outside = std::mem::replace(&mut self.select().aggregates, aggregates);
        let result = run(self);
        self.select().aggregates = outside;
        result
    }
}

/// The error for a relation that FROM does not name; a table that goes by an alias must be called by it.
pub(super) fn no_relation<'r>(name: &str, mut relations: impl Iterator<Item = &'r Relation>) -> SqlError {
    let aliased = relations.find(|r| r.table.as_ref().is_some_and(|table| table.name == name));
    match aliased {
        Some(relation) => {
            let message = format!("invalid reference to FROM-clause entry for table \"{name}\"");
            SqlError::new(state::UNDEFINED_TABLE, message).hint(format!(
                "Perhaps you meant to reference the table alias \"{}\".",
                relation.name
            ))
        }
        None => {
            let message = format!("missing FROM-clause entry for table \"{name}\"");
            SqlError::new(state::UNDEFINED_TABLE, message)
        }
    }
}

fn note_use(select: &mut SelectState, expr: &Expr, location: Location) {
    if let Expr::Column(id, _) = expr
        && select.aggregates == Aggregates::Allowed
    {
        select.uses.push((*id, location));
    }
}

impl Frame {
    /// Makes a value of the enclosing frame available in this one.
    pub(super) fn pass_in(&mut self, expr: Expr) -> Expr {
        let ty = expr.data_type();
        let known = self.outer.iter().position(|known| same(known, &expr));
        let index = known.unwrap_or_else(|| {
            self.outer.push(expr);
            self.outer.len() - 1
        });
        Expr::Outer(
            u32::try_from(index).expect("a statement has fewer names than that"),
            ty,
        )
    }
}
