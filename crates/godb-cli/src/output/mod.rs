//! How rows are shown.
//!
//! Every mode but `box` writes a row as soon as it has it, so that a large result needs no memory and the first row comes at once. A box must know the
//! widths of its columns first; it is drawn for a batch of rows at a time.

mod expanded;
mod grid;
mod json;
mod lines;
#[cfg(test)]
mod tests;

use std::io::Write;

use crate::engine::{Cell, Column};
use crate::problem::{Failure, Problem};

/// A way to show rows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Mode {
    /// A table drawn with lines.
    #[default]
    Box,
    /// Comma-separated values as RFC 4180 has them.
    Csv,
    /// One array of objects.
    Json,
    /// One object a line.
    JsonLines,
    /// A table of Markdown.
    Markdown,
    /// Values with `|` between them.
    List,
}

/// The modes by their names.
pub(crate) const MODES: &[(&str, Mode)] = &[
    ("box", Mode::Box),
    ("csv", Mode::Csv),
    ("json", Mode::Json),
    ("jsonlines", Mode::JsonLines),
    ("markdown", Mode::Markdown),
    ("list", Mode::List),
];

impl Mode {
    /// The mode of that name.
    pub(crate) fn named(name: &str) -> Result<Self, String> {
        let found = MODES.iter().find(|(known, _)| *known == name);
        let known = || MODES.iter().map(|(name, _)| *name).collect::<Vec<_>>().join(", ");
        found
            .map(|(_, mode)| *mode)
            .ok_or_else(|| format!("no mode {name:?}; there are {}", known()))
    }

    /// Its name.
    pub(crate) fn name(self) -> &'static str {
        MODES
            .iter()
            .find(|(_, mode)| *mode == self)
            .map(|(name, _)| *name)
            .expect("every mode is on the list")
    }
}

/// What a user can choose about the showing of rows.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Settings {
    pub(crate) mode: Mode,
    /// Column names above the rows; the mode decides where nobody did.
    pub(crate) headers: Option<bool>,
    /// What stands for NULL; the mode decides where nobody did.
    pub(crate) null: Option<String>,
    /// In box mode: a record as a block of lines.
    pub(crate) expanded: bool,
    /// How long each statement took.
    pub(crate) timer: bool,
}

impl Settings {
    /// Whether column names are shown. A list is for scripts that want a bare value.
    pub(crate) fn shows_headers(&self) -> bool {
        self.headers.unwrap_or(self.mode != Mode::List)
    }

    /// What stands for NULL.
    pub(crate) fn null_text(&self) -> &str {
        let default = match self.mode {
            Mode::Box | Mode::Markdown => "NULL",
            _ => "",
        };
        self.null.as_deref().unwrap_or(default)
    }
}

/// Rows as they come from the engine.
pub(crate) type Rows<'a> = dyn Iterator<Item = Result<Vec<Cell>, Box<Failure>>> + 'a;

/// Writes rows in the chosen mode; returns how many there were.
pub(crate) fn write_rows(
    out: &mut dyn Write,
    settings: &Settings,
    columns: &[Column],
    rows: &mut Rows<'_>,
) -> Result<u64, Problem> {
    match settings.mode {
        Mode::Box if settings.expanded => expanded::write(out, settings, columns, rows),
        Mode::Box => grid::write(out, settings, columns, rows),
        Mode::Csv => lines::write_csv(out, settings, columns, rows),
        Mode::List => lines::write_list(out, settings, columns, rows),
        Mode::Markdown => lines::write_markdown(out, settings, columns, rows),
        Mode::Json => json::write_array(out, columns, rows),
        Mode::JsonLines => json::write_lines(out, columns, rows),
    }
}
