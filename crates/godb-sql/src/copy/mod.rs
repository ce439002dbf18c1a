//! COPY: tables from files and files from tables, in PostgreSQL's CSV and text formats.
//!
//! Reading goes straight from the bytes of the file into columns: a record is split into fields, each field is parsed as its column's type and
//! pushed, and every 1024 rows the batch is checked and inserted. No value stands alone on the way. The splitting is done here and
//! not by a CSV library, because it matters whether a field was quoted: `NA` may be NULL where `"NA"` is a string, and an empty field
//! is NULL where `""` is not.
//!
//! A COPY is one statement: when a line is bad, nothing of it remains, and the error names line and column.

mod csv;
mod from;
mod input;
mod options;
mod output;
mod text;

pub(crate) use from::{CopyIn, copy_from};
pub(crate) use input::Input;
pub(crate) use options::Options;
pub(crate) use output::Output;

use godb_mvcc::CompactionProgress;

/// How far a COPY or a VACUUM is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Progress {
    /// Rows copied.
    pub rows: u64,
    /// Bytes read or written.
    pub bytes: u64,
    /// Bytes there are to read, where that is known.
    pub total: Option<u64>,
    /// What a VACUUM is doing.
    pub compaction: Option<CompactionProgress>,
}
