//! Subqueries in expressions: `(SELECT …)`, `EXISTS`, `IN`, `ANY`, `ALL`.
//!
//! A subquery that depends on nothing outside runs once. One that depends on the row runs row by row; the last answers are kept, since
//! outer values often repeat. (The planner turns most into joins before they come here.)

use super::call::call_pair;
use super::membership::Members;
use super::operand::{Input, Operand, truths};
use crate::context::Evaluating;
use crate::error::{Result, SqlError, state};
use crate::expr::{Asking, Expr, Subquery};
use crate::functions::Function;
use crate::types::DataType;
use crate::value::Value;
use crate::vector::Column;
use std::sync::Arc;

/// How many answers are kept.
const KEPT: usize = 16;

/// What the subquery gives for the rows of the input.
pub(super) fn subquery(subquery: &Subquery, input: Input<'_>, with: &Evaluating<'_>) -> Result<Operand> {
    match &subquery.asking {
        Asking::Value(ty) => by_row(subquery, *ty, input, with, |outer| {
            let (column, found) = with.subqueries.column(subquery.plan, outer)?;
            single(&column, found)
        }),
        Asking::Exists { negated } => by_row(subquery, DataType::Bool, input, with, |outer| {
            Ok(Value::Bool(
                with.subqueries.exists(subquery.plan, outer)? != *negated,
            ))
        }),
        Asking::Any { left, compare } => quantified(subquery, left, compare, true, input, with),
        Asking::All { left, compare } => quantified(subquery, left, compare, false, input, with),
    }
}

fn single(column: &Column, ty: DataType) -> Result<Value> {
    match column.len() {
        0 => Ok(Value::Null),
        1 => Ok(column.value(0, ty)),
        _ => Err(SqlError::new(
            state::CARDINALITY_VIOLATION,
            "more than one row returned by a subquery used as an expression",
        )),
    }
}

/// Outer values and the answers to them.
struct Memo<T> {
    answers: Vec<(Vec<Value>, T)>,
    next: usize,
}

impl<T: Clone> Memo<T> {
    fn new() -> Self {
        Self {
            answers: Vec::new(),
            next: 0,
        }
    }

    fn answer(&mut self, outer: Vec<Value>, ask: impl FnOnce(&[Value]) -> Result<T>) -> Result<T> {
        if let Some((_, answer)) = self.answers.iter().find(|(known, _)| *known == outer) {
            return Ok(answer.clone());
        }
        let answer = ask(&outer)?;
        let entry = (outer, answer.clone());
        if self.answers.len() < KEPT {
            self.answers.push(entry);
        } else {
            self.answers[self.next] = entry;
            self.next = (self.next + 1) % KEPT;
        }
        Ok(answer)
    }
}

fn by_row(
    subquery: &Subquery,
    ty: DataType,
    input: Input<'_>,
    with: &Evaluating<'_>,
    ask: impl Fn(&[Value]) -> Result<Value>,
) -> Result<Operand> {
    if input.len() == 0 {
        return Ok(Operand::rows(Arc::new(Column::empty(ty))));
    }
    let outer = outer_operands(&subquery.outer, input, with)?;
    if outer.iter().all(|(operand, _)| operand.constant) {
        return Ok(Operand::constant(&ask(&values_at(&outer, 0))?, ty));
    }
    let mut memo = Memo::new();
    let mut column = Column::empty(ty);
    for row in 0..input.len() {
        with.canceller.check()?;
        column.push(&memo.answer(values_at(&outer, row), &ask)?);
    }
    Ok(Operand::rows(Arc::new(column)))
}

fn outer_operands(
    exprs: &[Expr],
    input: Input<'_>,
    with: &Evaluating<'_>,
) -> Result<Vec<(Operand, DataType)>> {
    exprs
        .iter()
        .map(|expr| Ok((super::operand(expr, input, with)?, expr.data_type())))
        .collect()
}

fn values_at(outer: &[(Operand, DataType)], row: usize) -> Vec<Value> {
    outer
        .iter()
        .map(|(operand, ty)| operand.column.value(operand.at(row), *ty))
        .collect()
}

/// `left op ANY (…)` and `left op ALL (…)`.
fn quantified(
    subquery: &Subquery,
    left: &Expr,
    compare: &'static Function,
    any: bool,
    input: Input<'_>,
    with: &Evaluating<'_>,
) -> Result<Operand> {
    let rows = input.len();
    let values = super::operand(left, input, with)?;
    let outer = outer_operands(&subquery.outer, input, with)?;
    let ty = left.data_type();
    if rows == 0 {
        return Ok(Operand::truths(Vec::new(), None));
    }
    let correlated = outer.iter().any(|(operand, _)| !operand.constant);
    if !correlated {
        let (column, found) = with.subqueries.column(subquery.plan, &values_at(&outer, 0))?;
        if any && compare.name == "=" && found.physical() == ty.physical() {
            return Ok(found_among(&values, &column, ty));
        }
        let one = |row| against(&values, row, &column, (ty, found), compare, any, with);
        let count = if values.constant { 1 } else { rows };
        let truths: Vec<Option<bool>> = (0..count).map(one).collect::<Result<_>>()?;
        return Ok(Operand {
            constant: values.constant,
            ..three_valued(&truths)
        });
    }
    let mut memo = Memo::new();
    let mut truths = Vec::with_capacity(rows);
    for row in 0..rows {
        with.canceller.check()?;
        let answer = memo.answer(values_at(&outer, row), |outer| {
            with.subqueries.column(subquery.plan, outer)
        });
        let (column, found) = answer?;
        truths.push(against(&values, row, &column, (ty, found), compare, any, with)?);
    }
    Ok(three_valued(&truths))
}

fn found_among(values: &Operand, column: &Column, ty: DataType) -> Operand {
    let found = Members::new(column, ty).find_all(values);
    Operand {
        constant: values.constant,
        ..three_valued(&found)
    }
}

fn three_valued(truths: &[Option<bool>]) -> Operand {
    let nulls: Vec<bool> = truths.iter().map(Option::is_none).collect();
    let values = truths.iter().map(|truth| truth.unwrap_or(false)).collect();
    Operand::truths(values, nulls.contains(&true).then_some(nulls))
}

/// One value against the subquery's column.
fn against(
    values: &Operand,
    row: usize,
    column: &Arc<Column>,
    types: (DataType, DataType),
    compare: &'static Function,
    any: bool,
    with: &Evaluating<'_>,
) -> Result<Option<bool>> {
    if column.is_empty() {
        return Ok(Some(!any));
    }
    let value = Operand::constant(&values.column.value(values.at(row), types.0), types.0);
    let members = Operand::rows(Arc::clone(column));
    let compared = call_pair(
        compare,
        [&value, &members],
        [types.0, types.1],
        column.len(),
        with,
    )?;
    let decides = (0..compared.len()).any(|at| !compared.is_null(at) && truths(&compared)[at] == any);
    if decides {
        return Ok(Some(any));
    }
    let unknown = (0..compared.len()).any(|at| compared.is_null(at));
    Ok(if unknown { None } else { Some(!any) })
}
