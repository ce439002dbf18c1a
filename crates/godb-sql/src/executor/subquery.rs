//! Subqueries in expressions: run when asked, remembered by the values passed in.

use super::build::build;
use super::columns;
use super::run::Run;
use crate::catalog::value_bytes;
use crate::context::Subqueries;
use crate::error::{Result, SqlError, state};
use crate::types::DataType;
use crate::value::Value;
use crate::vector::Column;
use std::cell::RefCell;
use std::collections::HashMap;
use std::sync::Arc;

/// Results of correlated subqueries are remembered up to this many bytes; then all are forgotten.
const REMEMBERED_BYTES: usize = 4 << 20;

/// What a run of a subquery gave.
#[derive(Clone)]
enum Answer {
    Column(Arc<Column>),
    Exists(bool),
}

/// Results by subplan, what was asked, and the outer values.
#[derive(Default)]
pub(super) struct SubqueryCache(RefCell<Remembered>);

#[derive(Default)]
struct Remembered {
    answers: HashMap<(usize, bool, Vec<u8>), Answer>,
    bytes: usize,
}

impl SubqueryCache {
    fn find(&self, key: &(usize, bool, Vec<u8>)) -> Option<Answer> {
        self.0.borrow().answers.get(key).cloned()
    }

    fn remember(&self, key: (usize, bool, Vec<u8>), answer: Answer) {
        let held = match &answer {
            Answer::Column(column) => columns::bytes(column),
            Answer::Exists(_) => 1,
        };
        let mut remembered = self.0.borrow_mut();
        if !key.2.is_empty() {
            remembered.bytes += held + key.2.len() + 64;
        }
        if remembered.bytes > REMEMBERED_BYTES {
            remembered.answers.retain(|(_, _, outer), _| outer.is_empty());
            remembered.bytes = 0;
        }
        remembered.answers.insert(key, answer);
    }
}

impl Run<'_> {
    fn answer(
        &self,
        plan: usize,
        outer: &[Value],
        exists: bool,
        find: impl FnOnce(&Run<'_>) -> Result<Answer>,
    ) -> Result<Answer> {
        let key = (
            plan,
            exists,
            outer.iter().flat_map(value_bytes).collect::<Vec<u8>>(),
        );
        if let Some(answer) = self.statement.subqueries.find(&key) {
            return Ok(answer);
        }
        let answer = find(&Run { outer, ..*self })?;
        self.statement.subqueries.remember(key, answer.clone());
        Ok(answer)
    }

    fn first_column(&self, plan: usize) -> Result<Column> {
        let node = &self.statement.subplans()[plan];
        let mut operator = build(node, self.statement);
        let mut result = Column::empty(node.types.first().copied().unwrap_or(DataType::Bool));
        while let Some(batch) = operator.next(self)? {
            match batch.columns.first() {
                Some(column) => columns::append(&mut result, column)?,
                None => (0..batch.rows).for_each(|_| result.push_null()),
            }
            if columns::bytes(&result) > self.statement.work_mem.saturating_mul(4) {
                return Err(SqlError::new(
                    state::OUT_OF_MEMORY,
                    "the result of a subquery exceeds the memory budget",
                )
                .hint("Raise work_mem, or write the subquery as a join."));
            }
        }
        Ok(result)
    }

    fn any_row(&self, plan: usize) -> Result<bool> {
        let mut operator = build(&self.statement.subplans()[plan], self.statement);
        while let Some(batch) = operator.next(self)? {
            if batch.rows > 0 {
                return Ok(true);
            }
        }
        Ok(false)
    }
}

impl Subqueries for Run<'_> {
    fn column(&self, plan: usize, outer: &[Value]) -> Result<(Arc<Column>, DataType)> {
        self.statement.check()?;
        let ty = self.statement.subplans()[plan]
            .types
            .first()
            .copied()
            .unwrap_or(DataType::Bool);
        let answer = self.answer(plan, outer, false, |run| {
            run.first_column(plan).map(Arc::new).map(Answer::Column)
        })?;
        match answer {
            Answer::Column(column) => Ok((column, ty)),
            Answer::Exists(_) => unreachable!("asked for a column"),
        }
    }

    fn exists(&self, plan: usize, outer: &[Value]) -> Result<bool> {
        self.statement.check()?;
        match self.answer(plan, outer, true, |run| run.any_row(plan).map(Answer::Exists))? {
            Answer::Exists(exists) => Ok(exists),
            Answer::Column(_) => unreachable!("asked whether there is a row"),
        }
    }
}
