//! COPY.

use super::Session;
use super::execute::refuse_writing;
use super::open::Open;
use super::plan::Prepared;
use super::rows::StatementResult;
use crate::catalog::{Catalog, Schema, Table};
use crate::copy::{CopyIn, Input, Options, Output, Progress, copy_from};
use crate::ddl::{fold, no_relation, table_name};
use crate::dml::TableWriter;
use crate::error::{Result, SqlError, state};
use crate::executor::{Run, build};
use crate::parser::Parsed;
use crate::plan::physical::{QueryPlan, StatementPlan};
use crate::plan::statement::bind_copy_query;
use godb_mvcc::EngineTransaction;
use sqlparser::ast::{self, CopySource, CopyTarget, Ident, Statement};
use std::io::{Read, Write};
use std::sync::Arc;

/// Where COPY FROM STDIN reads from, or COPY TO STDOUT writes to.
pub(super) enum Stream {
    Input(Box<dyn Read + Send>),
    Output(Box<dyn Write + Send>),
}

impl Session {
    /// Runs `COPY … FROM STDIN`, reading from `input`.
    pub fn copy_in(&mut self, sql: &str, input: Box<dyn Read + Send>) -> Result<StatementResult> {
        self.with_stream(sql, Stream::Input(input))
    }

    /// Runs `COPY … TO STDOUT`, writing to `output`.
    pub fn copy_out(&mut self, sql: &str, output: Box<dyn Write + Send>) -> Result<StatementResult> {
        self.with_stream(sql, Stream::Output(output))
    }

    /// Whether the data of a COPY is binary, and how many columns it has.
    pub fn copy_shape(&mut self, sql: &str) -> Result<(bool, usize)> {
        let prepared = self.prepare(sql)?;
        let Statement::Copy { source, options, .. } = prepared.statement() else {
            return Err(SqlError::unsupported("this COPY"));
        };
        let binary = |option: &ast::CopyOption| matches!(option, ast::CopyOption::Format(name) if fold(name) == "binary");
        let is_binary = options.iter().any(binary);
        let query = match source {
            CopySource::Table { columns, .. } if !columns.is_empty() => {
                return Ok((is_binary, columns.len()));
            }
            CopySource::Table { table_name: name, .. } => format!("SELECT * FROM {name}"),
            CopySource::Query(query) => query.to_string(),
        };
        let prepared = self.prepare(&query)?;
        Ok((is_binary, self.describe(&prepared)?.columns.len()))
    }

    fn with_stream(&mut self, sql: &str, stream: Stream) -> Result<StatementResult> {
        self.stream = Some(stream);
        let result = self.execute(sql, &[]);
        self.stream = None;
        result
    }

    pub(super) fn copy(&mut self, open: &mut Open, prepared: &Prepared) -> Result<StatementResult> {
        let Statement::Copy {
            source,
            to,
            target,
            options,
            legacy_options,
            values,
        } = prepared.statement()
        else {
            return Err(SqlError::unsupported("this COPY"));
        };
        if !values.is_empty() {
            return Err(SqlError::unsupported("COPY with data in the statement"));
        }
        let options = Options::new(options, legacy_options, *to)?;
        let schema = open.schema(&self.sql, &mut self.known)?;
        if *to {
            return self.copy_to(open, &schema, source, target, options, prepared.parsed());
        }
        let CopySource::Table {
            table_name: name,
            columns,
        } = source
        else {
            return Err(SqlError::new(state::SYNTAX_ERROR, "COPY FROM needs a table"));
        };
        let table = self.copied_table(&*open.tx, &schema, name)?;
        self.copy_into(open, &table, columns, target, options)
    }

    fn copied_table(
        &self,
        tx: &dyn EngineTransaction,
        schema: &Schema,
        name: &ast::ObjectName,
    ) -> Result<Arc<Table>> {
        let name = table_name(name)?;
        let catalog = self.sql.cache.view(schema, tx);
        if let Some(table) = catalog.table(&name)? {
            return Ok(table);
        }
        if catalog.view(&name)?.is_some() {
            let message = format!("cannot copy view \"{name}\"");
            return Err(SqlError::new(state::WRONG_OBJECT_TYPE, message)
                .hint("Try the COPY (SELECT ...) TO variant."));
        }
        Err(no_relation(&name))
    }

    fn copy_into(
        &mut self,
        open: &mut Open,
        table: &Arc<Table>,
        columns: &[Ident],
        target: &CopyTarget,
        options: Options,
    ) -> Result<StatementResult> {
        refuse_writing(open, "COPY FROM")?;
        open.lock_for_writing(&self.sql, table.id)?;
        let mut input = match target {
            CopyTarget::File { filename } => Input::file(filename)?,
            CopyTarget::Stdin => match self.stream.take() {
                Some(Stream::Input(input)) => Input::stream(input, "STDIN"),
                _ => return Err(no_stream()),
            },
            _ => return Err(SqlError::unsupported("COPY FROM this source")),
        };
        let running = self.statement(&*open.tx, None, Arc::from([]));
        let mut copy = CopyIn {
            table,
            columns: positions(table, columns)?,
            options,
            writer: TableWriter::new(table, &self.sql.numbers, self.sql.engine.max_key()),
            statement: &running,
            observer: self.observer.as_deref(),
        };
        let rows = copy_from(&mut copy, &mut *open.tx, &mut input)?;
        open.grew(table, i64::try_from(rows).unwrap_or(i64::MAX));
        open.count_after_commit(table);
        Ok(StatementResult {
            affected: rows,
            ..StatementResult::done(format!("COPY {rows}"))
        })
    }

    fn copy_to(
        &mut self,
        open: &mut Open,
        schema: &Schema,
        source: &CopySource,
        target: &CopyTarget,
        options: Options,
        parsed: &Parsed,
    ) -> Result<StatementResult> {
        let plan = self.copied_query(open, schema, source, parsed)?;
        let columns: Vec<_> = plan
            .names
            .iter()
            .cloned()
            .zip(plan.root.types.iter().copied())
            .collect();
        let mut output = match target {
            CopyTarget::File { filename } => Output::file(filename, options, columns)?,
            CopyTarget::Stdout => match self.stream.take() {
                Some(Stream::Output(output)) => Output::stream(output, "STDOUT", options, columns)?,
                _ => return Err(no_stream()),
            },
            _ => return Err(SqlError::unsupported("COPY TO this target")),
        };
        let plan = Arc::new(StatementPlan::Query(plan));
        let running = self.statement(&*open.tx, Some(&plan), Arc::from([]));
        let StatementPlan::Query(query) = &*plan else {
            return Err(no_stream());
        };
        let mut operator = build(&query.root, &running);
        let mut rows = 0;
        while let Some(batch) = operator.next(&Run::new(&*open.tx, &running))? {
            running.check()?;
            output.write(&batch)?;
            rows += batch.rows as u64;
            if let Some(observer) = &self.observer {
                observer(Progress {
                    compaction: None,
                    rows,
                    bytes: output.bytes,
                    total: None,
                });
            }
        }
        output.finish()?;
        Ok(StatementResult {
            affected: rows,
            ..StatementResult::done(format!("COPY {rows}"))
        })
    }

    /// The plan of what is copied out.
    fn copied_query(
        &self,
        open: &Open,
        schema: &Schema,
        source: &CopySource,
        parsed: &Parsed,
    ) -> Result<QueryPlan> {
        let view = self.sql.cache.view(schema, &*open.tx);
        let planning = self.planning(&view, &[]);
        match source {
            CopySource::Query(query) => bind_copy_query(query, parsed, &planning),
            CopySource::Table {
                table_name: name,
                columns,
            } => {
                let table = self.copied_table(&*open.tx, schema, name)?;
                let wanted = positions(&table, columns)?;
                let quoted = |name: &str| format!("\"{}\"", name.replace('"', "\"\""));
                let wanted: Vec<_> = wanted
                    .into_iter()
                    .map(|at| quoted(&table.columns[at].name))
                    .collect();
                let text = format!("SELECT {} FROM {}", wanted.join(", "), quoted(&table.name));
                let parsed = crate::parser::parse_one(&text)?;
                let Statement::Query(query) = &parsed.statement else {
                    return Err(SqlError::new(state::INTERNAL_ERROR, "a SELECT is not a query"));
                };
                bind_copy_query(query, &parsed, &planning)
            }
        }
    }
}

fn no_stream() -> SqlError {
    SqlError::unsupported("COPY with STDIN or STDOUT through this interface")
        .hint("Name a file, or use an interface that gives the statement a stream.")
}

/// The positions of the columns named, or of all.
fn positions(table: &Table, columns: &[Ident]) -> Result<Vec<usize>> {
    if columns.is_empty() {
        return Ok((0..table.columns.len()).collect());
    }
    let mut positions = Vec::new();
    for ident in columns {
        let name = fold(ident);
        let at = table.position(&name).ok_or_else(|| {
            let message = format!("column \"{name}\" of relation \"{}\" does not exist", table.name);
            SqlError::new(state::UNDEFINED_COLUMN, message)
        })?;
        if positions.contains(&at) {
            let message = format!("column \"{name}\" specified more than once");
            return Err(SqlError::new(state::DUPLICATE_COLUMN, message));
        }
        positions.push(at);
    }
    Ok(positions)
}
