//! `AND`, `OR`, `NOT`, `IS NULL`, `IS NOT DISTINCT FROM`: three-valued logic.

use super::operand::{Input, Operand, truths};
use crate::context::Evaluating;
use crate::convert::row_u32;
use crate::error::Result;
use crate::expr::Expr;
use crate::vector::{Column, compare_rows};

/// All are true. One that is false decides; NULL is between.
pub(super) fn all(parts: &[Expr], input: Input<'_>, with: &Evaluating<'_>) -> Result<Operand> {
    connect(parts, false, input, with)
}

/// Some is true.
pub(super) fn any(parts: &[Expr], input: Input<'_>, with: &Evaluating<'_>) -> Result<Operand> {
    connect(parts, true, input, with)
}

/// Connects truth values of which `decides` decides. Each part is evaluated for the rows that no earlier part has decided.
fn connect(parts: &[Expr], decides: bool, input: Input<'_>, with: &Evaluating<'_>) -> Result<Operand> {
    let mut result = Truths::new(input.len(), !decides);
    let mut open: Option<Vec<u32>> = None;
    for part in parts {
        let truths = match &open {
            Some(open) if open.is_empty() => break,
            // What cannot fail is cheaper computed for all rows than gathered.
            Some(open)
                if open.len() < input.len() && (!is_harmless(part) || open.len() * 4 < input.len()) =>
            {
                let rows = input.narrow(open);
                let truths = super::operand(part, input.with_rows(&rows), with)?;
                result.join_some(&truths, open, decides);
                None
            }
            _ => Some(super::operand(part, input, with)?),
        };
        if let Some(truths) = truths {
            result.join_all(&truths, decides);
        }
        open = Some(result.open(decides));
    }
    Ok(Operand::truths(result.values, result.nulls))
}

/// Truth values in the making.
struct Truths {
    values: Vec<bool>,
    nulls: Option<Vec<bool>>,
}

impl Truths {
    fn new(rows: usize, value: bool) -> Self {
        Self {
            values: vec![value; rows],
            nulls: None,
        }
    }

    /// The rows that may still change.
    fn open(&self, decides: bool) -> Vec<u32> {
        // A row that holds the deciding value is not NULL.
        let mut open = vec![0; self.values.len()];
        let mut count = 0;
        for (row, value) in self.values.iter().enumerate() {
            open[count] = row_u32(row);
            count += usize::from(*value != decides);
        }
        open.truncate(count);
        open
    }

    fn join_all(&mut self, part: &Operand, decides: bool) {
        let rows = self.values.len();
        if part.constant || part.column.nulls.is_some() || self.nulls.is_some() {
            (0..rows).for_each(|row| self.join(row, part.truth(row), decides));
            return;
        }
        let part = truths(&part.column);
        if decides {
            self.values.iter_mut().zip(part).for_each(|(a, b)| *a |= b);
        } else {
            self.values.iter_mut().zip(part).for_each(|(a, b)| *a &= b);
        }
    }

    fn join_some(&mut self, part: &Operand, rows: &[u32], decides: bool) {
        for (at, row) in rows.iter().enumerate() {
            self.join(*row as usize, part.truth(at), decides);
        }
    }

    fn join(&mut self, row: usize, part: Option<bool>, decides: bool) {
        match part {
            Some(value) if value == decides => {
                self.values[row] = decides;
                if let Some(nulls) = &mut self.nulls {
                    nulls[row] = false;
                }
            }
            Some(_) => {}
            None if self.values[row] != decides => {
                let rows = self.values.len();
                self.nulls.get_or_insert_with(|| vec![false; rows])[row] = true;
            }
            None => {}
        }
    }
}

/// Whether the expression can neither fail nor cost much: comparisons of columns and constants.
pub(super) fn is_harmless(expr: &Expr) -> bool {
    let is_leaf = |expr: &Expr| {
        matches!(
            expr,
            Expr::Column(..) | Expr::Literal(..) | Expr::Parameter(..) | Expr::Outer(..)
        )
    };
    match expr {
        Expr::Call { function, args, .. } => {
            matches!(function.name, "=" | "<>" | "<" | "<=" | ">" | ">=") && args.iter().all(is_leaf)
        }
        Expr::IsNull(expr, _) => is_leaf(expr),
        Expr::Not(expr) => is_harmless(expr),
        Expr::And(parts) | Expr::Or(parts) => parts.iter().all(is_harmless),
        _ => is_leaf(expr),
    }
}

/// Not true.
pub(super) fn not(expr: &Expr, input: Input<'_>, with: &Evaluating<'_>) -> Result<Operand> {
    let operand = super::operand(expr, input, with)?;
    let values = truths(&operand.column).iter().map(|value| !value).collect();
    let negated = Operand::truths(values, operand.column.nulls.clone());
    Ok(Operand {
        constant: operand.constant,
        ..negated
    })
}

/// Whether there is no value; `negated`: whether there is.
pub(super) fn is_null(
    expr: &Expr,
    negated: bool,
    input: Input<'_>,
    with: &Evaluating<'_>,
) -> Result<Operand> {
    let operand = super::operand(expr, input, with)?;
    let values = match &operand.column.nulls {
        None => vec![negated; operand.column.len()],
        Some(nulls) => nulls.iter().map(|null| *null != negated).collect(),
    };
    Ok(Operand {
        constant: operand.constant,
        ..Operand::truths(values, None)
    })
}

/// Equality that takes NULLs as equal.
pub(super) fn not_distinct(
    left: &Expr,
    right: &Expr,
    input: Input<'_>,
    with: &Evaluating<'_>,
) -> Result<Operand> {
    let (a, b) = (
        super::operand(left, input, with)?,
        super::operand(right, input, with)?,
    );
    let constant = a.constant && b.constant;
    let rows = if constant { 1 } else { input.len() };
    let ty = left.data_type();
    let same = |i: usize, j: usize, x: &Column, y: &Column| match (x.is_null(i), y.is_null(j)) {
        (false, false) => compare_rows(x, i, y, j, ty).is_eq(),
        (a, b) => a == b,
    };
    let values = (0..rows)
        .map(|row| same(a.at(row), b.at(row), &a.column, &b.column))
        .collect();
    Ok(Operand {
        constant,
        ..Operand::truths(values, None)
    })
}
