//! Calling a function: its arguments, their NULLs, its kernel.

use super::operand::{Input, Operand};
use crate::context::Evaluating;
use crate::error::Result;
use crate::expr::Expr;
use crate::functions::{Call, Function, Volatility};
use crate::types::DataType;
use crate::value::Value;
use crate::vector::Column;
use smallvec::SmallVec;
use std::borrow::Cow;
use std::sync::Arc;

/// Few functions take more arguments than this; those that do cost an allocation.
const USUAL_ARGUMENTS: usize = 4;

/// The function's value for the rows of the input.
pub(super) fn call(
    function: &'static Function,
    args: &[Expr],
    returns: DataType,
    input: Input<'_>,
    with: &Evaluating<'_>,
) -> Result<Operand> {
    let mut columns: SmallVec<[Arc<Column>; USUAL_ARGUMENTS]> = SmallVec::new();
    let mut constant: SmallVec<[bool; USUAL_ARGUMENTS]> = SmallVec::new();
    let mut types: SmallVec<[DataType; USUAL_ARGUMENTS]> = SmallVec::new();
    for arg in args {
        let operand = super::operand(arg, input, with)?;
        if function.strict && operand.is_constant_null() {
            return Ok(Operand::constant(&Value::Null, returns));
        }
        columns.push(operand.column);
        constant.push(operand.constant);
        types.push(arg.data_type());
    }
    let once = constant.iter().all(|constant| *constant) && function.volatility != Volatility::Volatile;
    let nulls = if function.strict {
        combined_nulls(&columns, &constant)
    } else {
        None
    };
    let column = (function.kernel)(&Call {
        args: &columns,
        constant: &constant,
        types: &types,
        rows: if once { 1 } else { input.len() },
        nulls: nulls.as_deref(),
        returns,
        evaluating: with,
    })?;
    Ok(Operand {
        column: Arc::new(mark_nulls(column, nulls)),
        constant: once,
    })
}

/// Calls a function of two arguments that are there already.
pub(super) fn call_pair(
    function: &'static Function,
    args: [&Operand; 2],
    types: [DataType; 2],
    rows: usize,
    with: &Evaluating<'_>,
) -> Result<Column> {
    let columns = args.map(|arg| Arc::clone(&arg.column));
    let constant = args.map(|arg| arg.constant);
    if args.iter().any(|arg| arg.is_constant_null()) {
        return Ok(Column::repeat(DataType::Bool, &Value::Null, rows));
    }
    let nulls = combined_nulls(&columns, &constant);
    let column = (function.kernel)(&Call {
        args: &columns,
        constant: &constant,
        types: &types,
        rows,
        nulls: nulls.as_deref(),
        returns: DataType::Bool,
        evaluating: with,
    })?;
    Ok(mark_nulls(column, nulls))
}

/// The rows where some argument is NULL.
fn combined_nulls<'a>(columns: &'a [Arc<Column>], constant: &[bool]) -> Option<Cow<'a, [bool]>> {
    let mut combined: Option<Cow<'a, [bool]>> = None;
    for (column, constant) in columns.iter().zip(constant) {
        let Some(nulls) = column.nulls.as_deref().filter(|_| !constant) else {
            continue;
        };
        match &mut combined {
            None => combined = Some(Cow::Borrowed(nulls)),
            Some(so_far) => {
                let so_far = so_far.to_mut();
                so_far.iter_mut().zip(nulls).for_each(|(a, b)| *a |= b);
            }
        }
    }
    combined
}

/// The result, NULL where an argument is.
fn mark_nulls(mut column: Column, nulls: Option<Cow<'_, [bool]>>) -> Column {
    let Some(nulls) = nulls else { return column };
    match &mut column.nulls {
        Some(own) => own.iter_mut().zip(nulls.iter()).for_each(|(a, b)| *a |= b),
        none => *none = Some(nulls.into_owned()),
    }
    column
}
