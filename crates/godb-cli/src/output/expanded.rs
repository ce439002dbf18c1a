//! A record as a block of lines, a column on each: for rows that are wider than the screen.

use std::io::{self, Write};

use super::grid::visible;
use super::{Rows, Settings};
use crate::engine::{Cell, Column};
use crate::problem::Problem;

/// Writes each row as a block.
pub(super) fn write(
    out: &mut dyn Write,
    settings: &Settings,
    columns: &[Column],
    rows: &mut Rows<'_>,
) -> Result<u64, Problem> {
    let width = columns
        .iter()
        .map(|column| column.name.chars().count())
        .max()
        .unwrap_or(0);
    let mut written = 0;
    for row in rows {
        written += 1;
        record(out, settings, columns, &row?, written, width).map_err(Problem::output)?;
    }
    Ok(written)
}

fn record(
    out: &mut dyn Write,
    settings: &Settings,
    columns: &[Column],
    row: &[Cell],
    number: u64,
    width: usize,
) -> io::Result<()> {
    writeln!(out, "-[ RECORD {number} ]{}", "-".repeat(width))?;
    for (column, cell) in columns.iter().zip(row) {
        let value = cell
            .as_deref()
            .map_or_else(|| settings.null_text().to_owned(), visible);
        // Lines of a value stand below each other.
        let value = value.replace('\n', &format!("\n{:width$} | ", ""));
        writeln!(out, "{:width$} | {value}", column.name)?;
    }
    Ok(())
}
