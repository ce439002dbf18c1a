//! INSERT, UPDATE and DELETE.
//!
//! A change reads a plan that produces the rows concerned and writes them through a [`TableWriter`]. Two dangers are between reading and
//! writing.
//!
//! *The Halloween problem*: a scan that meets rows which the statement itself wrote. An update in the middle of the one scan it reads from is
//! safe when the row stays where it is in the tree that is scanned; so is a deletion. Everything else (the scan's key changes, the
//! table is read a second time) first collects the rows, in memory or on disk, and then changes them.
//!
//! *Keys that pass each other*: `SET id = id + 1` gives each row the key of the next. When a unique key changes, all rows are
//! deleted first and inserted again afterwards, so that only a key that is taken in the end is refused. (PostgreSQL checks
//! row by row, and refuses this statement.)

mod change;
mod conflict;
mod insert;
mod numbers;
mod streaming;
mod update;
mod upsert;
mod writer;

pub(crate) use change::execute;
pub(crate) use conflict::{check_rows, duplicate_in_index};
pub(crate) use numbers::RowNumbers;
pub(crate) use writer::TableWriter;
