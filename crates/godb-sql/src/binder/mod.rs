//! From a syntax tree to a logical plan: what every name means, and what type everything has.
//!
//! The binder is one walk over the tree with a stack of **frames**. A frame is one plan: the statement's, or that of a subquery in an
//! expression. A name that is not found in the frame's scope is looked for in the frame outside; when it is found there, the value is
//! *passed in*: the inner plan names it [`Expr::Outer`], and the subquery expression carries what to compute for it. So correlation at any
//! depth is a chain of such steps, and no operator ever refers to a column that is not in its input. A subquery in FROM is part of the frame
//! it stands in, with a scope of its own.
//!
//! **Types** go from the leaves up. A string literal and an undecided parameter have type `unknown` until the operator, function or column
//! they meet decides (PostgreSQL's rule, chapter 10 of its manual); every other difference becomes an explicit [`Expr::Cast`].
//!
//! **Grouping** is checked last. Expressions above an aggregation are bound as if there were none, with each aggregate call replaced by the column
//! that it will become; then what equals a grouping expression is replaced by its column, and an input column that remains is the
//! error that PostgreSQL calls 42803.

mod aggregate;
mod call;
mod coerce;
mod cte;
mod expr;
mod from;
mod grouping;
mod insert;
mod join;
mod lateral;
mod limit;
mod literal;
mod locking;
mod modify;
mod names;
mod operator;
mod order;
mod output;
mod parameters;
mod query;
mod row;
mod scope;
mod select;
mod setop;
mod special;
mod subquery;
mod table_expr;
#[cfg(test)]
pub(crate) mod tests;
mod types;
mod view;

pub(crate) use insert::{Conflict, Inserting};
pub(crate) use locking::LockingQuery;
pub(crate) use modify::{Modifying, Returning};
pub(crate) use names::{fold, table_name};
pub(crate) use parameters::Parameters;
pub(crate) use subquery::shown_only;
pub use table_expr::{bind_default, bind_table_expr};
pub use types::describe_type;
pub(crate) use view::{Definition, endless};

use crate::error::{Result, SqlError};
use crate::expr::Expr;
use crate::parser::{AsOf, position_of};
use crate::plan::logical::{Logical, OutputColumn};
use crate::plan::statement::Planning;
use crate::types::DataType;
use scope::SelectState;
use sqlparser::tokenizer::Location;

/// Binds one statement.
pub(crate) struct Binder<'a> {
    planning: &'a Planning<'a>,
    text: &'a str,
    table_as_of: &'a [(Location, AsOf)],
    /// The next column id.
    next_id: u32,
    /// What is known about the statement's parameters.
    pub(crate) parameters: Parameters,
    /// The plans of subqueries in expressions.
    pub(crate) subplans: Vec<Logical>,
    /// The plans being bound, the outermost first.
    frames: Vec<Frame>,
    /// The common table expressions in reach, the innermost last.
    ctes: Vec<cte::Cte>,
    /// Operators copied for references to common table expressions.
    copied: usize,
    /// Rows to lock.
    locking: locking::Locking,
    /// The views in it.
    views: view::Views,
}

/// A plan being bound.
#[derive(Default)]
struct Frame {
    /// What is passed in, as expressions over the enclosing frame's columns.
    outer: Vec<Expr>,
    /// The query level being bound.
    select: SelectState,
}

/// A bound query: a plan and the columns of it that the query shows.
#[derive(Debug)]
pub(crate) struct Bound {
    pub(crate) plan: Logical,
    pub(crate) columns: Vec<OutputColumn>,
}

impl Bound {
    /// All columns of a plan.
    fn all(plan: Logical) -> Self {
        let columns = plan.output().into_iter().cloned().collect();
        Self { plan, columns }
    }

    fn types(&self) -> Vec<DataType> {
        self.columns.iter().map(|c| c.ty).collect()
    }
}

impl<'a> Binder<'a> {
    /// A binder for a statement with this text.
    pub(crate) fn new(
        planning: &'a Planning<'a>,
        text: &'a str,
        table_as_of: &'a [(Location, AsOf)],
        parameters: usize,
    ) -> Self {
        Self {
            planning,
            text,
            table_as_of,
            next_id: 0,
            parameters: Parameters::new(parameters, planning.parameter_types),
            subplans: Vec::new(),
            frames: vec![Frame::default()],
            ctes: Vec::new(),
            copied: 0,
            locking: locking::Locking::default(),
            views: view::Views::default(),
        }
    }

    /// The first column id that is not in use.
    pub(crate) fn next_id(&self) -> u32 {
        self.next_id
    }

    fn frame(&mut self) -> &mut Frame {
        self.frames
            .last_mut()
            .expect("the statement's frame is never popped")
    }

    fn select(&mut self) -> &mut SelectState {
        &mut self.frame().select
    }

    fn new_column(&mut self, name: impl Into<String>, ty: DataType) -> OutputColumn {
        let id = self.next_id;
        self.next_id += 1;
        OutputColumn {
            id,
            name: name.into(),
            ty,
        }
    }

    /// Gives an error the position of a place in the statement.
    fn at(&self, error: SqlError, location: Location) -> SqlError {
        if location.line == 0 || self.inside_view() {
            return error;
        }
        error.at(position_of(self.text, location))
    }

    /// Gives a result's error the position of a place in the statement.
    fn located<T>(&self, result: Result<T>, location: Location) -> Result<T> {
        result.map_err(|error| self.at(error, location))
    }
}

impl OutputColumn {
    /// The expression that reads it.
    pub(crate) fn read(&self) -> Expr {
        Expr::Column(self.id, self.ty)
    }
}
