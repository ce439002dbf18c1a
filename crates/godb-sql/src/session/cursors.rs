//! Cursors: DECLARE, FETCH, MOVE, CLOSE.
//!
//! A cursor's query runs when it is declared, and its rows wait in memory or, if they are many, in a temporary file: later statements of the transaction may
//! change the tables and the cursor does not see it, as the standard wants it of an insensitive one. Rows are read forwards only.
//!
//! A cursor ends with its transaction; WITH HOLD it stays when that commits. One that was declared after a savepoint goes when the transaction returns there.

use super::Session;
use super::plan::Prepared;
use super::rows::{Rows, StatementResult};
use crate::error::{Result, SqlError, state};
use crate::parser::{Fetch, FetchCount};
use crate::value::Value;
use sqlparser::ast::Statement;
use std::collections::BTreeMap;

/// The cursors of a session, by name.
#[derive(Default)]
pub(super) struct Cursors {
    open: BTreeMap<String, Cursor>,
    /// Counts those that were declared.
    declared: u64,
}

struct Cursor {
    rows: Rows,
    /// WITH HOLD.
    hold: bool,
    /// Its transaction has committed.
    kept: bool,
    /// Which one it was.
    number: u64,
}

impl Cursors {
    /// How many were declared so far: those with a higher number are younger.
    pub(super) fn declared(&self) -> u64 {
        self.declared
    }

    /// The transaction has ended.
    pub(super) fn end(&mut self, committed: bool) {
        self.open.retain(|_, cursor| {
            cursor.kept |= committed && cursor.hold;
            cursor.kept
        });
    }

    /// Closes those that are younger.
    pub(super) fn return_to(&mut self, declared: u64) {
        self.open
            .retain(|_, cursor| cursor.kept || cursor.number <= declared);
    }
}

impl Session {
    /// DECLARE: runs the query.
    pub(super) fn declare(
        &mut self,
        name: &str,
        hold: bool,
        query: &Prepared,
        params: &[Value],
    ) -> Result<StatementResult> {
        if !matches!(query.statement(), Statement::Query(_)) {
            let message = "a cursor can only be declared for a query";
            return Err(SqlError::new(state::SYNTAX_ERROR, message));
        }
        if self.open.is_none() && !hold {
            let message = "DECLARE CURSOR can only be used in transaction blocks";
            return Err(SqlError::new(state::NO_ACTIVE_SQL_TRANSACTION, message));
        }
        if self.cursors.open.contains_key(name) {
            let message = format!("cursor \"{name}\" already exists");
            return Err(SqlError::new(state::DUPLICATE_CURSOR, message));
        }
        let kept = self.open.is_none();
        let rows = self.run_to_end(query, params)?;
        self.cursors.declared += 1;
        let number = self.cursors.declared;
        let cursor = Cursor {
            rows,
            hold,
            kept,
            number,
        };
        self.cursors.open.insert(name.to_owned(), cursor);
        Ok(StatementResult::done("DECLARE CURSOR"))
    }

    /// FETCH and MOVE.
    pub(super) fn fetch(&mut self, fetch: &Fetch) -> Result<StatementResult> {
        let Some(cursor) = self.cursors.open.get_mut(&fetch.cursor) else {
            return Err(no_cursor(&fetch.cursor));
        };
        let (skip, count) = match fetch.count {
            FetchCount::Next(count) => (0, count),
            FetchCount::All => (0, u64::MAX),
            FetchCount::Relative(count) => (count.saturating_sub(1), 1),
            FetchCount::Backward => {
                let message = "cursor can only scan forward";
                return Err(SqlError::new(state::OBJECT_NOT_IN_PREREQUISITE_STATE, message)
                    .hint("Declare it with SCROLL option to enable backward scan."));
            }
        };
        cursor.rows.split_off(skip)?;
        let (rows, count) = cursor.rows.split_off(count)?;
        Ok(if fetch.shows {
            StatementResult::rows(format!("FETCH {count}"), rows)
        } else {
            StatementResult::done(format!("MOVE {count}"))
        })
    }

    /// CLOSE one or all.
    pub(super) fn close_cursor(&mut self, name: Option<&str>) -> Result<StatementResult> {
        match name {
            None => {
                self.cursors.open.clear();
                Ok(StatementResult::done("CLOSE CURSOR ALL"))
            }
            Some(name) => match self.cursors.open.remove(name) {
                Some(_) => Ok(StatementResult::done("CLOSE CURSOR")),
                None => Err(no_cursor(name)),
            },
        }
    }

    /// The columns of an open cursor.
    pub(super) fn cursor_columns(&self, name: &str) -> Result<std::sync::Arc<[super::ResultColumn]>> {
        let cursor = self.cursors.open.get(name).ok_or_else(|| no_cursor(name))?;
        Ok(cursor.rows.columns().clone())
    }
}

fn no_cursor(name: &str) -> SqlError {
    SqlError::new(
        state::INVALID_CURSOR_NAME,
        format!("cursor \"{name}\" does not exist"),
    )
}
