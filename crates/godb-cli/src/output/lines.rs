//! Modes that write a line a row: `csv`, `list`, `markdown`.

use std::io::{self, Write};

use super::{Rows, Settings};
use crate::engine::{Cell, Column, Kind};
use crate::problem::Problem;

/// Comma-separated values. A NULL is an empty field, an empty text is `""`: so `COPY` reads back what was written.
pub(super) fn write_csv(
    out: &mut dyn Write,
    settings: &Settings,
    columns: &[Column],
    rows: &mut Rows<'_>,
) -> Result<u64, Problem> {
    if settings.shows_headers() {
        joined(out, columns.iter().map(|column| csv_field(&column.name)), ",").map_err(Problem::output)?;
    }
    each(rows, |row| {
        let null = settings.null_text();
        let fields = row
            .iter()
            .map(|cell| cell.as_deref().map_or_else(|| null.to_owned(), csv_field));
        joined(out, fields, ",")
    })
}

/// Values as they are, with `|` between them.
pub(super) fn write_list(
    out: &mut dyn Write,
    settings: &Settings,
    columns: &[Column],
    rows: &mut Rows<'_>,
) -> Result<u64, Problem> {
    if settings.shows_headers() {
        joined(out, columns.iter().map(|column| column.name.as_str()), "|").map_err(Problem::output)?;
    }
    each(rows, |row| {
        let null = settings.null_text();
        joined(out, row.iter().map(|cell| cell.as_deref().unwrap_or(null)), "|")
    })
}

/// A table of Markdown; numbers to the right.
pub(super) fn write_markdown(
    out: &mut dyn Write,
    settings: &Settings,
    columns: &[Column],
    rows: &mut Rows<'_>,
) -> Result<u64, Problem> {
    let mut line = |fields: &mut dyn Iterator<Item = String>| {
        let fields: Vec<String> = fields.collect();
        writeln!(out, "| {} |", fields.join(" | "))
    };
    if settings.shows_headers() {
        line(&mut columns.iter().map(|column| markdown_cell(&column.name))).map_err(Problem::output)?;
        let rule = |column: &Column| {
            if column.kind == Kind::Number {
                "---:"
            } else {
                "---"
            }
            .to_owned()
        };
        line(&mut columns.iter().map(rule)).map_err(Problem::output)?;
    }
    each(rows, |row| {
        let null = settings.null_text();
        line(
            &mut row
                .iter()
                .map(|cell| markdown_cell(cell.as_deref().unwrap_or(null))),
        )
    })
}

/// Writes every row; returns how many there were.
fn each(rows: &mut Rows<'_>, mut write: impl FnMut(&[Cell]) -> io::Result<()>) -> Result<u64, Problem> {
    let mut written = 0;
    for row in rows {
        write(&row?).map_err(Problem::output)?;
        written += 1;
    }
    Ok(written)
}

fn joined(
    out: &mut dyn Write,
    fields: impl Iterator<Item = impl AsRef<str>>,
    separator: &str,
) -> io::Result<()> {
    for (at, field) in fields.enumerate() {
        if at > 0 {
            out.write_all(separator.as_bytes())?;
        }
        out.write_all(field.as_ref().as_bytes())?;
    }
    out.write_all(b"\n")
}

fn csv_field(text: &str) -> String {
    let quotes = text.is_empty()
        || text.contains([',', '"', '\n', '\r'])
        || text.starts_with(' ')
        || text.ends_with(' ');
    if quotes {
        format!("\"{}\"", text.replace('"', "\"\""))
    } else {
        text.to_owned()
    }
}

fn markdown_cell(text: &str) -> String {
    text.replace('|', "\\|")
        .replace("\r\n", "<br>")
        .replace('\n', "<br>")
}
