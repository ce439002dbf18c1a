//! [`Matcher`]: from candidate pairs of a join to its output. All joins end here; they differ in how they find the pairs.

use super::columns::{self, NOWHERE, take_or_null};
use super::run::Run;
use crate::error::Result;
use crate::expr::Expr;
use crate::plan::logical::JoinKind;
use crate::types::DataType;
use crate::vector::{Batch, Column, ColumnData};
use std::sync::Arc;

/// A batch of left rows on its way through a join.
pub(super) struct LeftBatch {
    /// The rows.
    pub(super) batch: Batch,
    /// Which of them have found a partner.
    pub(super) matched: Vec<bool>,
}

impl LeftBatch {
    pub(super) fn new(batch: Batch) -> Self {
        let matched = vec![false; batch.rows];
        Self { batch, matched }
    }
}

/// What a join does with pairs.
pub(super) struct Matcher {
    /// How rows are joined.
    pub(super) kind: JoinKind,
    /// What must hold for a pair, over left then right columns.
    pub(super) condition: Option<Expr>,
    /// The types of the right columns.
    pub(super) right_types: Vec<DataType>,
}

impl Matcher {
    /// Whether left rows alone come out.
    pub(super) fn left_only(&self) -> bool {
        matches!(
            self.kind,
            JoinKind::Semi | JoinKind::Anti | JoinKind::NullAwareAnti
        )
    }

    /// Whether right rows without a partner come out.
    pub(super) fn keeps_right(&self) -> bool {
        matches!(self.kind, JoinKind::Right | JoinKind::Full)
    }

    /// Takes candidate pairs: row `lefts[i]` of `left` with row `rights[i]` of `right`. Those that fulfil the condition mark their rows
    /// (`mark_right` is told of the right ones) and become output, if pairs are output.
    pub(super) fn pairs(
        &self,
        run: &Run<'_>,
        left: &mut LeftBatch,
        right: &[Column],
        lefts: &[u32],
        rights: &[u32],
        mut mark_right: impl FnMut(u32),
    ) -> Result<Option<Batch>> {
        if lefts.is_empty() || (self.left_only() && self.condition.is_none()) {
            lefts.iter().for_each(|&row| left.matched[row as usize] = true);
            return Ok(None);
        }
        let taken = |column: &Column, rows: &[u32]| Arc::new(take_or_null(column, rows));
        let columns = left.batch.columns.iter().map(|column| taken(column, lefts));
        let columns = columns.chain(right.iter().map(|column| taken(column, rights)));
        let mut pairs = Batch {
            columns: columns.collect(),
            rows: lefts.len(),
        };
        let kept = self.holds(run, &pairs)?;
        let each = |at: usize| kept.as_ref().map_or(at, |kept| kept[at] as usize);
        for at in (0..kept.as_ref().map_or(lefts.len(), Vec::len)).map(each) {
            left.matched[lefts[at] as usize] = true;
            if rights[at] != NOWHERE {
                mark_right(rights[at]);
            }
        }
        if self.left_only() {
            return Ok(None);
        }
        if let Some(kept) = kept.filter(|kept| kept.len() < pairs.rows) {
            pairs = pairs.take(&kept);
        }
        Ok((pairs.rows > 0).then_some(pairs))
    }

    /// The pairs for which the condition holds; `None` for all. For `NOT IN` it also "holds" where it is unknown.
    fn holds(&self, run: &Run<'_>, pairs: &Batch) -> Result<Option<Vec<u32>>> {
        let Some(condition) = &self.condition else {
            return Ok(None);
        };
        if self.kind != JoinKind::NullAwareAnti {
            return run.select(condition, pairs).map(Some);
        }
        let truth = run.evaluate(condition, pairs)?;
        let ColumnData::Bool(values) = &truth.data else {
            return Ok(Some(Vec::new()));
        };
        let not_false = |row: &usize| truth.is_null(*row) || values[*row];
        Ok(Some(
            (0..pairs.rows)
                .filter(not_false)
                .map(columns::row_number)
                .collect(),
        ))
    }

    /// What comes out of a left batch when all its pairs have been seen.
    pub(super) fn end_of_left(&self, left: &LeftBatch) -> Option<Batch> {
        let wanted = match self.kind {
            JoinKind::Inner | JoinKind::Right => return None,
            JoinKind::Semi => true,
            JoinKind::Left | JoinKind::Full | JoinKind::Anti | JoinKind::NullAwareAnti => false,
        };
        let rows = left
            .matched
            .iter()
            .enumerate()
            .filter(|(_, matched)| **matched == wanted);
        let rows: Vec<u32> = rows.map(|(row, _)| columns::row_number(row)).collect();
        if rows.is_empty() {
            return None;
        }
        let mut batch = if rows.len() == left.batch.rows {
            left.batch.clone()
        } else {
            left.batch.take(&rows)
        };
        if !self.left_only() {
            let nulls = vec![NOWHERE; rows.len()];
            let right = self
                .right_types
                .iter()
                .map(|ty| take_or_null(&Column::empty(*ty), &nulls));
            batch.columns.extend(right.map(Arc::new));
        }
        Some(batch)
    }

    /// Right rows without a partner, with NULLs on the left.
    pub(super) fn unmatched_right(left_types: &[DataType], right: &[Column], rows: &[u32]) -> Batch {
        let nulls = vec![NOWHERE; rows.len()];
        let left = left_types
            .iter()
            .map(|ty| take_or_null(&Column::empty(*ty), &nulls));
        let right = right.iter().map(|column| take_or_null(column, rows));
        Batch {
            columns: left.chain(right).map(Arc::new).collect(),
            rows: rows.len(),
        }
    }
}
