//! Rows in a box, numbers to the right.

use std::io::Write;

use comfy_table::{CellAlignment, ContentArrangement, Table, presets};

use super::{Rows, Settings};
use crate::engine::{Cell, Column, Kind};
use crate::problem::Problem;

/// How many rows share one box: the memory that a result takes is bounded by them.
const BATCH: usize = 10_000;

/// Writes a box for each batch of rows, and one that is empty where there are none.
pub(super) fn write(
    out: &mut dyn Write,
    settings: &Settings,
    columns: &[Column],
    rows: &mut Rows<'_>,
) -> Result<u64, Problem> {
    let mut written = 0;
    loop {
        let mut batch = Vec::new();
        let ended = fill(&mut batch, rows);
        if !batch.is_empty() || written == 0 && ended.is_ok() {
            written += batch.len() as u64;
            let full = batch.len() == BATCH;
            draw(out, settings, columns, batch).map_err(Problem::output)?;
            if full && ended.is_ok() {
                continue;
            }
        }
        return ended.map(|()| written);
    }
}

/// Reads up to a batch of rows. Those before an error are still shown.
fn fill(batch: &mut Vec<Vec<Cell>>, rows: &mut Rows<'_>) -> Result<(), Problem> {
    for row in rows.take(BATCH) {
        batch.push(row?);
    }
    Ok(())
}

fn draw(
    out: &mut dyn Write,
    settings: &Settings,
    columns: &[Column],
    batch: Vec<Vec<Cell>>,
) -> std::io::Result<()> {
    let mut table = Table::new();
    table
        .load_style(presets::UTF8_FULL_CONDENSED)
        .set_content_arrangement(ContentArrangement::Disabled);
    if settings.shows_headers() {
        table.set_header(columns.iter().map(|column| visible(&column.name)));
    }
    for row in batch {
        let null = settings.null_text();
        table.add_row(
            row.into_iter()
                .map(|cell| cell.map_or_else(|| null.to_owned(), |text| visible(&text))),
        );
    }
    for (at, column) in columns.iter().enumerate() {
        if column.kind == Kind::Number
            && let Some(drawn) = table.column_mut(at)
        {
            drawn.set_cell_alignment(CellAlignment::Right);
        }
    }
    writeln!(out, "{table}")
}

/// A text whose control characters cannot disturb a terminal. Line ends stay: they make a cell higher.
pub(super) fn visible(text: &str) -> String {
    let disturbs = |c: char| c.is_control() && c != '\n';
    if !text.contains(disturbs) {
        return text.to_owned();
    }
    text.chars()
        .flat_map(|c| {
            if disturbs(c) {
                c.escape_default().collect()
            } else {
                vec![c]
            }
        })
        .collect()
}
