//! Evaluating expressions over batches of rows.
//!
//! An expression is a tree; walking it for every row would cost more than the work it describes. So the tree is walked once a
//! batch, and each node does its work on whole columns: the call of a function is one call of its kernel, which loops over plain
//! arrays (Boncz et al., MonetDB/X100, 2005).
//!
//! Three things make that more than a loop around a tree walk:
//!
//! - **Constants stay constants.** A literal, a parameter, and anything computed from those alone is a column of one row that
//!   stands for all ([`Operand`]). Kernels have loops with a constant on either side.
//! - **NULLs are dealt with once.** Nearly all functions are strict: NULL in, NULL out. For those the masks of the arguments are combined
//!   before the kernel runs, and the kernel need not know, but for errors: a row that is NULL must not fail.
//! - **Only rows that matter are computed.** `b <> 0 AND a / b > 1` must not divide by zero, so the second condition sees only
//!   rows for which the first was not false. The same holds for the branches of `CASE` and `COALESCE`. An [`Input`] is a batch and the rows
//!   of it that matter; a column is gathered when it is reached, so only those that are used are.
//!   Comparisons that cannot fail are computed for all rows when most rows still matter: that is cheaper than gathering.
//!
//! What was left out: compiling expressions to machine code (Neumann, 2011), and caching results of common subexpressions; the planner
//! removes those that matter.

mod call;
mod choice;
mod fold;
mod logic;
mod membership;
mod operand;
mod select;
mod subquery;

pub use fold::fold;
pub use select::select;

use crate::cast::cast_column;
use crate::context::Evaluating;
use crate::error::{Result, SqlError, state};
use crate::expr::Expr;
use crate::types::DataType;
use crate::value::Value;
use crate::vector::{Batch, Column};
use operand::{Input, Operand};
use std::sync::Arc;

/// The value of the expression for each row of the batch.
///
/// # Errors
/// What its functions and casts fail with for a row that is reached; `57014` when the statement was cancelled.
pub fn evaluate(expr: &Expr, batch: &Batch, with: &Evaluating<'_>) -> Result<Arc<Column>> {
    with.canceller.check()?;
    let operand = operand(expr, Input::all(batch), with)?;
    Ok(operand.expand(batch.rows, expr.data_type()))
}

/// The value of an expression without columns.
///
/// # Errors
/// As [`evaluate`].
pub fn evaluate_constant(expr: &Expr, with: &Evaluating<'_>) -> Result<Value> {
    if let Expr::Literal(value, _) = expr {
        return Ok(value.clone());
    }
    let batch = Batch {
        columns: Vec::new(),
        rows: 1,
    };
    let operand = operand(expr, Input::all(&batch), with)?;
    Ok(operand.column.value(0, expr.data_type()))
}

/// The expression's value for the rows of the input.
fn operand(expr: &Expr, input: Input<'_>, with: &Evaluating<'_>) -> Result<Operand> {
    match expr {
        Expr::Literal(value, ty) => Ok(Operand::constant(value, *ty)),
        Expr::Column(position, _) => Ok(Operand::rows(input.column(*position as usize))),
        Expr::Outer(index, ty) => Ok(Operand::constant(given(with.outer, *index, "outer value")?, *ty)),
        Expr::Parameter(index, ty) => Ok(Operand::constant(
            given(with.parameters, *index, "parameter")?,
            *ty,
        )),
        Expr::Call { function, args, ty } => call::call(function, args, *ty, input, with),
        Expr::Cast { expr, to, explicit } => cast(expr, *to, *explicit, input, with),
        Expr::And(parts) => logic::all(parts, input, with),
        Expr::Or(parts) => logic::any(parts, input, with),
        Expr::Not(expr) => logic::not(expr, input, with),
        Expr::IsNull(expr, negated) => logic::is_null(expr, *negated, input, with),
        Expr::NotDistinct(left, right) => logic::not_distinct(left, right, input, with),
        Expr::Case {
            branches,
            otherwise,
            ty,
        } => choice::case(branches, otherwise.as_deref(), *ty, input, with),
        Expr::Coalesce(parts, ty) => choice::coalesce(parts, *ty, input, with),
        Expr::InList { expr, list, negated } => membership::in_list(expr, list, *negated, input, with),
        Expr::Subquery(subquery) => subquery::subquery(subquery, input, with),
    }
}

fn given<'a>(values: &'a [Value], index: u32, what: &str) -> Result<&'a Value> {
    values.get(index as usize).ok_or_else(|| {
        SqlError::new(
            state::UNDEFINED_PARAMETER,
            format!("no value for {what} ${}", u64::from(index) + 1),
        )
    })
}

fn cast(
    expr: &Expr,
    to: DataType,
    explicit: bool,
    input: Input<'_>,
    with: &Evaluating<'_>,
) -> Result<Operand> {
    let from = operand(expr, input, with)?;
    Ok(Operand {
        column: cast_column(&from.column, expr.data_type(), to, explicit)?,
        constant: from.constant,
    })
}
