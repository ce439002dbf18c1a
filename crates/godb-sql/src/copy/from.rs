//! COPY … FROM: from fields to rows.

use super::Progress;
use super::csv::{CsvParser, bad};
use super::input::{Input, Kind, Record};
use super::options::{Format, Options};
use super::text;
use crate::binder::bind_default;
use crate::catalog::Table;
use crate::dml::{TableWriter, check_rows};
use crate::error::{Result, SqlError, state};
use crate::executor::{Run, Statement, row_number};
use crate::expr::Expr;
use crate::text::push_text;
use crate::vector::{BATCH_ROWS, Batch, Column, ColumnData};
use godb_mvcc::EngineTransaction;
use std::sync::Arc;

/// What is copied where.
pub(crate) struct CopyIn<'a> {
    pub(crate) table: &'a Arc<Table>,
    /// The positions of the columns that the file has.
    pub(crate) columns: Vec<usize>,
    pub(crate) options: Options,
    pub(crate) writer: TableWriter,
    pub(crate) statement: &'a Statement,
    /// Told of progress.
    pub(crate) observer: Option<&'a (dyn Fn(Progress) + Send)>,
}

/// Splits lines, as the format has it.
enum Parser {
    Csv(Box<CsvParser>),
    Text(Box<Options>),
}

impl Parser {
    fn parse(&self, bytes: &[u8], over: bool, record: &mut Record) -> Result<Option<usize>> {
        match self {
            Self::Csv(parser) => parser.parse(bytes, over, record),
            Self::Text(options) => text::parse(options, bytes, over, record),
        }
    }
}

/// Reads records and numbers their lines.
struct Lines<'a> {
    input: &'a mut Input,
    parser: Parser,
    /// The line at which the record begins, from 1.
    line: u64,
    next_line: u64,
}

impl Lines<'_> {
    /// The next record; `false` at the end of the data.
    fn next(&mut self, record: &mut Record) -> Result<bool> {
        self.line = self.next_line;
        loop {
            let (rest, over) = (self.input.rest(), self.input.over());
            if rest.is_empty() && over {
                return Ok(false);
            }
            if !rest.is_empty()
                && let Some(used) = self.parser.parse(rest, over, record)?
            {
                let end_marker = matches!(&rest[..used], b"\\.\n" | b"\\.\r\n" | b"\\.");
                self.input.consume(used);
                self.next_line += record.lines;
                return Ok(!end_marker);
            }
            self.input.more()?;
        }
    }
}

/// Copies all rows of the input into the table; returns how many.
pub(crate) fn copy_from(
    copy: &mut CopyIn<'_>,
    tx: &mut dyn EngineTransaction,
    input: &mut Input,
) -> Result<u64> {
    let parser = match copy.options.format {
        Format::Csv => Parser::Csv(Box::new(CsvParser::new(&copy.options))),
        Format::Text => Parser::Text(Box::new(copy.options.clone())),
    };
    let defaults = defaults(copy)?;
    let force = Force::new(copy)?;
    let mut lines = Lines {
        input,
        parser,
        line: 0,
        next_line: 1,
    };
    let mut record = Record::default();
    if copy.options.header {
        lines.next(&mut record)?;
    }
    let mut rows = 0;
    loop {
        let (batch, numbers) = copy.read_batch(&mut lines, &mut record, &force)?;
        if batch.rows == 0 {
            return Ok(rows);
        }
        copy.statement.check()?;
        rows += batch.rows as u64;
        let batch = complete(copy, &*tx, &batch, &defaults)?;
        let run = Run::new(&*tx, copy.statement);
        if let Err(error) = check_rows(&run, copy.table, &batch) {
            let refused =
                |row: &usize| check_rows(&run, copy.table, &batch.take(&[row_number(*row)])).is_err();
            let row = (0..batch.rows).find(refused).unwrap_or(0);
            return Err(copy.at(error, numbers[row]));
        }
        if let Err(error) = copy.writer.insert_all(tx, &batch.columns, batch.rows) {
            return Err(copy.at(error, numbers[copy.writer.refused()]));
        }
        if let Some(observer) = copy.observer {
            observer(Progress {
                compaction: None,
                rows,
                bytes: lines.input.consumed,
                total: lines.input.total,
            });
        }
    }
}

/// Which columns take NULL's text as text, or quoted text as NULL.
struct Force {
    not_null: Vec<bool>,
    null: Vec<bool>,
}

impl Force {
    fn new(copy: &CopyIn<'_>) -> Result<Self> {
        let marks = |names: &[String]| -> Result<Vec<bool>> {
            let name = |at: &usize| copy.table.columns[*at].name.as_str();
            if let Some(missing) = names
                .iter()
                .find(|wanted| !copy.columns.iter().any(|at| name(at) == wanted.as_str()))
            {
                let message = format!("column \"{missing}\" is not among those copied");
                return Err(SqlError::new(state::INVALID_COLUMN_REFERENCE, message));
            }
            Ok(copy
                .columns
                .iter()
                .map(|at| names.iter().any(|wanted| wanted == name(at)))
                .collect())
        };
        Ok(Self {
            not_null: marks(&copy.options.force_not_null)?,
            null: marks(&copy.options.force_null)?,
        })
    }
}

impl CopyIn<'_> {
    /// The columns of up to a batch of records, in the file's order, and the records' lines.
    fn read_batch(
        &self,
        lines: &mut Lines<'_>,
        record: &mut Record,
        force: &Force,
    ) -> Result<(Batch, Vec<u64>)> {
        let types: Vec<_> = self.columns.iter().map(|&at| self.table.columns[at].ty).collect();
        let room = |ty: &_| Column::new(ColumnData::with_capacity(*ty, BATCH_ROWS));
        let mut columns: Vec<_> = types.iter().map(room).collect();
        let mut numbers = Vec::with_capacity(BATCH_ROWS);
        while numbers.len() < BATCH_ROWS && lines.next(record).map_err(|error| self.at(error, lines.line))? {
            self.check_width(record)
                .map_err(|error| self.at(error, lines.line))?;
            for (at, column) in columns.iter_mut().enumerate() {
                let (text, kind) = record.field(at);
                let null = match kind {
                    Kind::Null => !force.not_null[at],
                    Kind::Quoted => force.null[at] && text == self.options.null.as_bytes(),
                    Kind::Plain => false,
                };
                if null {
                    column.push_null();
                } else {
                    push_text(column, text, types[at])
                        .map_err(|error| self.in_field(error, lines.line, at, text))?;
                }
            }
            numbers.push(lines.line);
        }
        let columns = columns.into_iter().map(Arc::new).collect();
        let rows = numbers.len();
        Ok((Batch { columns, rows }, numbers))
    }

    fn check_width(&self, record: &Record) -> Result<()> {
        if record.len() < self.columns.len() {
            let name = &self.table.columns[self.columns[record.len()]].name;
            return Err(bad(format!("missing data for column \"{name}\"")));
        }
        if record.len() > self.columns.len() {
            return Err(bad("extra data after last expected column"));
        }
        Ok(())
    }

    fn at(&self, error: SqlError, line: u64) -> SqlError {
        error.context(format!("COPY {}, line {line}", self.table.name))
    }

    fn in_field(&self, error: SqlError, line: u64, at: usize, text: &[u8]) -> SqlError {
        let (table, column) = (&self.table.name, &self.table.columns[self.columns[at]].name);
        let text = String::from_utf8_lossy(&text[..text.len().min(100)]);
        error.context(format!("COPY {table}, line {line}, column {column}: \"{text}\""))
    }
}

/// The defaults of the columns that the file does not have.
fn defaults(copy: &CopyIn<'_>) -> Result<Vec<Option<Expr>>> {
    let default = |(at, column): (usize, &crate::catalog::TableColumn)| match &column.default {
        Some(text) if !copy.columns.contains(&at) => bind_default(text, column.ty).map(Some),
        _ => Ok(None),
    };
    copy.table.columns.iter().enumerate().map(default).collect()
}

/// The columns of the table: those of the file, defaults, NULLs.
fn complete(
    copy: &CopyIn<'_>,
    tx: &dyn EngineTransaction,
    batch: &Batch,
    defaults: &[Option<Expr>],
) -> Result<Batch> {
    let run = Run::new(tx, copy.statement);
    let rows = batch.rows;
    let one_column = Batch {
        columns: Vec::new(),
        rows,
    };
    let column = |at: usize| -> Result<Arc<Column>> {
        if let Some(found) = copy.columns.iter().position(|&position| position == at) {
            return Ok(batch.columns[found].clone());
        }
        match &defaults[at] {
            Some(expr) => run.evaluate(expr, &one_column),
            None => Ok(Arc::new(Column::repeat(
                copy.table.columns[at].ty,
                &crate::value::Value::Null,
                rows,
            ))),
        }
    };
    let columns = (0..copy.table.columns.len()).map(column).collect::<Result<_>>()?;
    Ok(Batch { columns, rows })
}
