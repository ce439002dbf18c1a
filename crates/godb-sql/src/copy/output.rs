//! COPY … TO: rows as lines.

use super::options::{Format, Options};
use super::text::escape;
use crate::error::{Result, SqlError, state};
use crate::text::write_text;
use crate::types::DataType;
use crate::vector::Batch;
use std::io::{BufWriter, Write};

/// A file or stream that is written.
pub(crate) struct Output {
    target: BufWriter<Box<dyn Write + Send>>,
    name: String,
    options: Options,
    names: Vec<String>,
    types: Vec<DataType>,
    quoted: Vec<bool>,
    line: Vec<u8>,
    field: Vec<u8>,
    /// Bytes written.
    pub(crate) bytes: u64,
}

impl Output {
    /// Writes a file, replacing one that is there.
    pub(crate) fn file(path: &str, options: Options, columns: Vec<(String, DataType)>) -> Result<Self> {
        let file = std::fs::File::create(path).map_err(|error| {
            let message = format!("could not open file \"{path}\" for writing: {error}");
            SqlError::new(state::IO_ERROR, message)
        })?;
        Self::stream(Box::new(file), path, options, columns)
    }

    /// Writes a stream; `name` is what errors call it.
    pub(crate) fn stream(
        target: Box<dyn Write + Send>,
        name: &str,
        options: Options,
        columns: Vec<(String, DataType)>,
    ) -> Result<Self> {
        let force = &options.force_quote;
        if let Some(missing) = force
            .iter()
            .find(|wanted| !columns.iter().any(|(name, _)| name == *wanted))
        {
            let message = format!("FORCE_QUOTE column \"{missing}\" is not among those copied");
            return Err(SqlError::new(state::INVALID_COLUMN_REFERENCE, message));
        }
        let quoted = columns.iter().map(|(name, _)| force.contains(name)).collect();
        let (names, types) = columns.into_iter().unzip();
        let target = BufWriter::with_capacity(256 << 10, target);
        let (name, line, field) = (name.to_owned(), Vec::new(), Vec::new());
        let mut output = Self {
            target,
            name,
            options,
            names,
            types,
            quoted,
            line,
            field,
            bytes: 0,
        };
        if output.options.header {
            output.header()?;
        }
        Ok(output)
    }

    fn header(&mut self) -> Result<()> {
        for at in 0..self.names.len() {
            self.delimit(at);
            self.field.clear();
            self.field.extend_from_slice(self.names[at].as_bytes());
            self.put_field(false);
        }
        self.end_line()
    }

    /// Writes rows.
    pub(crate) fn write(&mut self, batch: &Batch) -> Result<()> {
        for row in 0..batch.rows {
            for (at, column) in batch.columns.iter().enumerate() {
                self.delimit(at);
                if column.is_null(row) {
                    self.line.extend_from_slice(self.options.null.as_bytes());
                    continue;
                }
                self.field.clear();
                write_text(column, row, self.types[at], &mut self.field);
                self.put_field(self.quoted[at]);
            }
            self.end_line()?;
        }
        Ok(())
    }

    fn delimit(&mut self, at: usize) {
        if at > 0 {
            self.line.push(self.options.delimiter);
        }
    }

    /// Adds the field to the line, quoted or escaped where it must be.
    fn put_field(&mut self, force: bool) {
        let options = &self.options;
        if options.format == Format::Text {
            escape(options, &self.field, &mut self.line);
            return;
        }
        let special = |byte: &u8| [options.delimiter, options.quote, b'\n', b'\r'].contains(byte);
        let alone = self.names.len() == 1 && self.field == b"\\.";
        let quote = force || alone || self.field == options.null.as_bytes() || self.field.iter().any(special);
        if !quote {
            self.line.extend_from_slice(&self.field);
            return;
        }
        self.line.push(options.quote);
        for &byte in &self.field {
            if byte == options.quote || byte == options.escape {
                self.line.push(options.escape);
            }
            self.line.push(byte);
        }
        self.line.push(options.quote);
    }

    fn end_line(&mut self) -> Result<()> {
        self.line.push(b'\n');
        self.bytes += self.line.len() as u64;
        let written = self.target.write_all(&self.line);
        self.line.clear();
        self.check(written)
    }

    /// Writes out what is still in memory.
    pub(crate) fn finish(mut self) -> Result<()> {
        let flushed = self.target.flush();
        self.check(flushed)
    }

    fn check(&self, result: std::io::Result<()>) -> Result<()> {
        result.map_err(|error| {
            let full = matches!(
                error.kind(),
                std::io::ErrorKind::StorageFull | std::io::ErrorKind::QuotaExceeded
            );
            let state = if full { state::DISK_FULL } else { state::IO_ERROR };
            SqlError::new(state, format!("could not write to \"{}\": {error}", self.name))
        })
    }
}
