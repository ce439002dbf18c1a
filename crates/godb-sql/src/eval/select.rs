//! [`select`]: the rows for which a predicate is true.

use super::logic::is_harmless;
use super::operand::{Input, Operand, truths};
use crate::context::Evaluating;
use crate::convert::row_u32;
use crate::error::Result;
use crate::expr::Expr;
use crate::vector::Batch;

/// The rows of the batch for which the predicate is true, in order; `None`: all of them.
///
/// # Errors
/// As [`evaluate`](super::evaluate).
pub fn select(predicate: &Expr, batch: &Batch, with: &Evaluating<'_>) -> Result<Option<Vec<u32>>> {
    with.canceller.check()?;
    let parts = match predicate {
        Expr::And(parts) => parts.as_slice(),
        one => std::slice::from_ref(one),
    };
    let mut selected: Option<Vec<u32>> = None;
    for part in parts {
        selected = match selected {
            None => select_of_all(part, batch, with)?,
            Some(rows) if rows.is_empty() => return Ok(Some(rows)),
            Some(rows) => Some(select_of(part, batch, rows, with)?),
        };
    }
    Ok(selected.filter(|rows| rows.len() < batch.rows))
}

fn select_of_all(part: &Expr, batch: &Batch, with: &Evaluating<'_>) -> Result<Option<Vec<u32>>> {
    let operand = super::operand(part, Input::all(batch), with)?;
    if operand.constant {
        return Ok(if operand.truth(0) == Some(true) {
            None
        } else {
            Some(Vec::new())
        });
    }
    let truths = truths(&operand.column);
    Ok(Some(match &operand.column.nulls {
        None => positions(truths.iter().copied()),
        Some(nulls) => positions(truths.iter().zip(nulls).map(|(truth, null)| *truth & !*null)),
    }))
}

/// The positions of what is true. Every position is written, and kept by moving on: no branch to mispredict.
fn positions(truths: impl ExactSizeIterator<Item = bool>) -> Vec<u32> {
    let mut positions = vec![0; truths.len()];
    let mut count = 0;
    for (row, truth) in truths.enumerate() {
        positions[count] = row_u32(row);
        count += usize::from(truth);
    }
    positions.truncate(count);
    positions
}

/// Those of the rows for which the predicate is true. Few rows are gathered; many are looked at where they lie, if that cannot fail.
fn select_of(part: &Expr, batch: &Batch, mut rows: Vec<u32>, with: &Evaluating<'_>) -> Result<Vec<u32>> {
    let in_place = is_harmless(part) && rows.len() * 4 >= batch.rows;
    let input = if in_place {
        Input::all(batch)
    } else {
        Input::of(batch, &rows)
    };
    let truths = super::operand(part, input, with)?;
    let holds = |truths: &Operand, at: usize| truths.truth(at) == Some(true);
    let mut at = 0;
    rows.retain(|row| {
        let place = if in_place { *row as usize } else { at };
        at += 1;
        holds(&truths, place)
    });
    Ok(rows)
}
