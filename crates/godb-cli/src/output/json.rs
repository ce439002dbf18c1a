//! Rows as objects of JSON.

use std::io::{self, Write};

use super::Rows;
use crate::engine::{Cell, Column, Kind};
use crate::problem::Problem;

/// One array, an object a line.
pub(super) fn write_array(
    out: &mut dyn Write,
    columns: &[Column],
    rows: &mut Rows<'_>,
) -> Result<u64, Problem> {
    let mut written = 0;
    let mut result = Ok(());
    out.write_all(b"[").map_err(Problem::output)?;
    for row in rows {
        let row = match row {
            Ok(row) => row,
            Err(failure) => {
                result = Err(failure.into());
                break;
            }
        };
        let before = if written > 0 { ",\n" } else { "" };
        write!(out, "{before}{}", object(columns, &row)).map_err(Problem::output)?;
        written += 1;
    }
    // The array is closed even after an error: what stands before it can be read.
    out.write_all(b"]\n").map_err(Problem::output)?;
    result.map(|()| written)
}

/// One object a line.
pub(super) fn write_lines(
    out: &mut dyn Write,
    columns: &[Column],
    rows: &mut Rows<'_>,
) -> Result<u64, Problem> {
    let mut written = 0;
    for row in rows {
        line(out, columns, &row?).map_err(Problem::output)?;
        written += 1;
    }
    Ok(written)
}

fn line(out: &mut dyn Write, columns: &[Column], row: &[Cell]) -> io::Result<()> {
    writeln!(out, "{}", object(columns, row))
}

fn object(columns: &[Column], row: &[Cell]) -> String {
    let members: Vec<String> = columns
        .iter()
        .zip(row)
        .map(|(column, cell)| format!("{}:{}", string(&column.name), value(column.kind, cell.as_deref())))
        .collect();
    format!("{{{}}}", members.join(","))
}

/// A value. A number keeps every digit it has; NaN and infinities, which JSON lacks, are strings.
fn value(kind: Kind, text: Option<&str>) -> String {
    match (kind, text) {
        (_, None) => "null".to_owned(),
        (Kind::Boolean, Some("t" | "true")) => "true".to_owned(),
        (Kind::Boolean, Some("f" | "false")) => "false".to_owned(),
        (Kind::Number, Some(text)) if serde_json::from_str::<serde_json::Number>(text).is_ok() => {
            text.to_owned()
        }
        (_, Some(text)) => string(text),
    }
}

fn string(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}
