//! PREPARE, EXECUTE, DEALLOCATE: statements that a session keeps under a name. Those that a client prepares through a protocol share the names, so that
//! DEALLOCATE reaches them.

use super::Session;
use super::plan::{Description, Prepared};
use super::rows::StatementResult;
use crate::cast::{Coercion, can_cast, cast_value};
use crate::error::{Result, SqlError, state};
use crate::parser::Command;
use crate::types::DataType;
use crate::value::Value;
use sqlparser::ast::Statement;

impl Session {
    /// Keeps a statement under a name.
    ///
    /// # Errors
    /// `42P05` when there is one of that name.
    pub fn keep(&mut self, name: &str, prepared: Prepared) -> Result<()> {
        if self.named.contains_key(name) {
            let message = format!("prepared statement \"{name}\" already exists");
            return Err(SqlError::new(state::DUPLICATE_PREPARED_STATEMENT, message));
        }
        self.named.insert(name.to_owned(), prepared);
        Ok(())
    }

    /// The statement kept under a name.
    ///
    /// # Errors
    /// `26000` when there is none.
    pub fn kept(&self, name: &str) -> Result<Prepared> {
        self.named.get(name).cloned().ok_or_else(|| no_statement(name))
    }

    /// Forgets the statement of that name, or all; tells whether there was one.
    pub fn forget(&mut self, name: Option<&str>) -> bool {
        match name {
            Some(name) => self.named.remove(name).is_some(),
            None => {
                let any = !self.named.is_empty();
                self.named.clear();
                any
            }
        }
    }

    pub(super) fn prepare_statement(
        &mut self,
        name: &str,
        types: &[DataType],
        text: &str,
    ) -> Result<StatementResult> {
        let types: Vec<_> = types.iter().map(|ty| Some(*ty)).collect();
        let prepared = Prepared::parse(text, &types)?;
        if !matches!(
            prepared.statement(),
            Statement::Query(_) | Statement::Insert(_) | Statement::Update(_) | Statement::Delete(_)
        ) {
            let message = "only SELECT, INSERT, UPDATE, DELETE and VALUES can be prepared by a statement";
            return Err(SqlError::new(state::SYNTAX_ERROR, message));
        }
        // What makes no sense is refused now and not when it is run.
        self.describe(&prepared)?;
        self.keep(name, prepared)?;
        Ok(StatementResult::done("PREPARE"))
    }

    pub(super) fn deallocate(&mut self, name: Option<&str>) -> Result<StatementResult> {
        match name {
            Some(name) if !self.forget(Some(name)) => Err(no_statement(name)),
            Some(_) => Ok(StatementResult::done("DEALLOCATE")),
            None => {
                self.forget(None);
                Ok(StatementResult::done("DEALLOCATE ALL"))
            }
        }
    }

    /// The statement kept under a name, for EXECUTE. One that is an EXECUTE itself could lead in a circle.
    pub(super) fn runnable(&self, name: &str) -> Result<Prepared> {
        let prepared = self.kept(name)?;
        match prepared.parsed().command {
            Some(Command::Execute { .. }) => Err(SqlError::unsupported("EXECUTE of an EXECUTE")),
            _ => Ok(prepared),
        }
    }

    /// EXECUTE: `arguments` is a query that gives their values, if there are any.
    pub(super) fn execute_named(&mut self, name: &str, arguments: Option<&str>) -> Result<StatementResult> {
        let prepared = self.runnable(name)?;
        let Description {
            parameters: wanted, ..
        } = self.describe(&prepared)?;
        let mut given = Vec::new();
        if let Some(arguments) = arguments {
            let mut rows = self.query_rows(arguments, &[])?;
            let types: Vec<DataType> = rows.columns().iter().map(|column| column.ty).collect();
            if let Some(row) = rows.next() {
                given = row?.into_iter().zip(types).collect();
            }
        }
        if given.len() != wanted.len() {
            let message = format!("wrong number of parameters for prepared statement \"{name}\"");
            let detail = format!("Expected {} parameters but got {}.", wanted.len(), given.len());
            return Err(SqlError::new(state::SYNTAX_ERROR, message).detail(detail));
        }
        let values = given.into_iter().zip(&wanted).enumerate();
        let values = values.map(|(at, ((value, from), to))| argument(at, value, from, *to));
        let values: Vec<Value> = values.collect::<Result<_>>()?;
        self.execute_prepared(&prepared, &values)
    }
}

/// An argument as its parameter wants it.
fn argument(at: usize, value: Value, from: DataType, to: DataType) -> Result<Value> {
    // A literal's type was not decided by anything, and is shown as text.
    if let (Value::Text(text), DataType::Text) = (&value, from) {
        return crate::text::from_text(text, to);
    }
    if !can_cast(from, to, Coercion::Assignment) {
        let message = format!(
            "parameter ${} of type {} cannot be coerced to the expected type {}",
            at + 1,
            from.name(),
            to.name()
        );
        return Err(SqlError::new(state::DATATYPE_MISMATCH, message));
    }
    cast_value(value, from, to, false)
}

fn no_statement(name: &str) -> SqlError {
    let message = format!("prepared statement \"{name}\" does not exist");
    SqlError::new(state::INVALID_SQL_STATEMENT_NAME, message)
}
