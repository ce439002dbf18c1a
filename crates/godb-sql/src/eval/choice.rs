//! `CASE` and `COALESCE`: each row takes its value from one of several expressions, and only from there.

use super::operand::{Input, Operand};
use crate::context::Evaluating;
use crate::convert::row_u32;
use crate::error::Result;
use crate::expr::Expr;
use crate::types::DataType;
use crate::value::Value;
use crate::vector::{BytesColumn, Column, ColumnData};

/// The result of the first branch whose condition is true.
pub(super) fn case(
    branches: &[(Expr, Expr)],
    otherwise: Option<&Expr>,
    ty: DataType,
    input: Input<'_>,
    with: &Evaluating<'_>,
) -> Result<Operand> {
    let mut mixing = Mixing::new(input.len());
    for (when, then) in branches {
        if mixing.open.is_empty() {
            break;
        }
        let rows = input.narrow(&mixing.open);
        let condition = super::operand(when, mixing.input(input, &rows), with)?;
        let (chosen, left): (Vec<u32>, Vec<u32>) =
            partition(&mixing.open, |at| condition.truth(at) == Some(true));
        mixing.add(then, &chosen, input, with)?;
        mixing.open = left;
    }
    if let Some(otherwise) = otherwise {
        let rest = std::mem::take(&mut mixing.open);
        mixing.add(otherwise, &rest, input, with)?;
    }
    Ok(mixing.finish(ty))
}

/// The first value that is not NULL.
pub(super) fn coalesce(
    parts: &[Expr],
    ty: DataType,
    input: Input<'_>,
    with: &Evaluating<'_>,
) -> Result<Operand> {
    let Some((first, rest)) = parts.split_first() else {
        return Ok(Operand::constant(&Value::Null, ty));
    };
    let first = super::operand(first, input, with)?;
    if first.column.nulls.is_none() {
        return Ok(first);
    }
    let mut mixing = Mixing::new(input.len());
    mixing.take_present(&first);
    for part in rest {
        if mixing.open.is_empty() {
            break;
        }
        let rows = input.narrow(&mixing.open);
        let values = super::operand(part, mixing.input(input, &rows), with)?;
        mixing.take_present(&values);
    }
    Ok(mixing.finish(ty))
}

fn partition(rows: &[u32], chooses: impl Fn(usize) -> bool) -> (Vec<u32>, Vec<u32>) {
    let (mut chosen, mut left) = (Vec::with_capacity(rows.len()), Vec::with_capacity(rows.len()));
    for (at, row) in rows.iter().enumerate() {
        if chooses(at) {
            chosen.push(*row);
        } else {
            left.push(*row);
        }
    }
    (chosen, left)
}

/// Where a row that has no value yet comes from: nowhere, so it is NULL.
const NOWHERE: (u32, u32) = (u32::MAX, 0);

/// A column put together from several.
struct Mixing {
    pieces: Vec<Operand>,
    /// For each row, the piece its value is in and where there.
    sources: Vec<(u32, u32)>,
    /// The rows that have no value yet.
    open: Vec<u32>,
}

impl Mixing {
    fn new(rows: usize) -> Self {
        Self {
            pieces: Vec::new(),
            sources: vec![NOWHERE; rows],
            open: (0..row_u32(rows)).collect(),
        }
    }

    /// The input cut down to the open rows, which are `rows` of the batch.
    fn input<'a>(&self, input: Input<'a>, rows: &'a [u32]) -> Input<'a> {
        if self.open.len() == self.sources.len() {
            input
        } else {
            input.with_rows(rows)
        }
    }

    /// Evaluates the expression for these rows, and takes its values there.
    fn add(&mut self, expr: &Expr, rows: &[u32], input: Input<'_>, with: &Evaluating<'_>) -> Result<()> {
        if rows.is_empty() {
            return Ok(());
        }
        let all = rows.len() == self.sources.len();
        let narrowed = if all { Vec::new() } else { input.narrow(rows) };
        let values = super::operand(expr, if all { input } else { input.with_rows(&narrowed) }, with)?;
        let piece = row_u32(self.pieces.len());
        for (at, row) in rows.iter().enumerate() {
            self.sources[*row as usize] = (piece, row_u32(values.at(at)));
        }
        self.pieces.push(values);
        Ok(())
    }

    /// Takes the values that are not NULL for the open rows, which they are computed for.
    fn take_present(&mut self, values: &Operand) {
        let piece = row_u32(self.pieces.len());
        let (present, open) = partition(&self.open, |at| !values.column.is_null(values.at(at)));
        let mut next = present.iter().copied().peekable();
        for (at, row) in self.open.iter().enumerate() {
            if next.next_if_eq(row).is_some() {
                self.sources[*row as usize] = (piece, row_u32(values.at(at)));
            }
        }
        self.pieces.push(values.clone());
        self.open = open;
    }

    fn finish(mut self, ty: DataType) -> Operand {
        let whole = self.sources.first().copied().unwrap_or(NOWHERE).0;
        let one = self.pieces.len() == 1 && self.sources.iter().all(|source| source.0 == whole);
        if one && whole == 0 {
            return self.pieces.swap_remove(0);
        }
        Operand::rows(std::sync::Arc::new(self.mix(ty)))
    }

    fn mix(&self, ty: DataType) -> Column {
        let mut nulls = vec![false; self.sources.len()];
        for (null, source) in nulls.iter_mut().zip(&self.sources) {
            *null = match self.pieces.get(source.0 as usize) {
                Some(piece) => piece.column.is_null(source.1 as usize),
                None => true,
            };
        }
        macro_rules! mixed {
            ($variant:ident) => {
                ColumnData::$variant(
                    self.sources
                        .iter()
                        .zip(&nulls)
                        .map(|(source, null)| {
                            match self
                                .pieces
                                .get(source.0 as usize)
                                .map(|piece| &piece.column.data)
                            {
                                Some(ColumnData::$variant(values)) if !null => {
                                    values[source.1 as usize].clone()
                                }
                                _ => Default::default(),
                            }
                        })
                        .collect(),
                )
            };
        }
        let data = match ColumnData::with_capacity(ty, 0) {
            ColumnData::Bool(_) => mixed!(Bool),
            ColumnData::Int(_) => mixed!(Int),
            ColumnData::Float(_) => mixed!(Float),
            ColumnData::Numeric(_) => mixed!(Numeric),
            ColumnData::Interval(_) => mixed!(Interval),
            ColumnData::Bytes(_) => self.mix_strings(&nulls),
        };
        Column {
            data,
            nulls: nulls.contains(&true).then_some(nulls),
        }
    }

    fn mix_strings(&self, nulls: &[bool]) -> ColumnData {
        let mut strings = BytesColumn::with_capacity(self.sources.len(), self.sources.len() * 8);
        for (source, null) in self.sources.iter().zip(nulls) {
            match self.pieces.get(source.0 as usize).map(|piece| &piece.column.data) {
                Some(ColumnData::Bytes(values)) if !null => strings.push(values.get(source.1 as usize)),
                _ => strings.push(b""),
            }
        }
        ColumnData::Bytes(strings)
    }
}
