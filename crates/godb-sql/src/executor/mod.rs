//! Running plans: operators that pull batches of rows from their inputs.
//!
//! Each node of a plan becomes an [`Operator`]. Asking the topmost for a batch makes it ask its inputs, down to the scans (Graefe's Volcano
//! model, 1994, with batches instead of rows as in MonetDB/X100). Operators own what they remember between calls and nothing else: the
//! transaction, the parameters and everything else a statement has are lent to them with each call ([`Run`]). So a half-read
//! query is an ordinary value that can be sent to another thread, and between two batches nothing of the engine is held.
//!
//! **Invariants.** A batch that is returned has at least one row, except where an operator's input had no rows to begin with.
//! Memory that grows with the input is counted against the statement's budget; beyond it, sorting, grouping and joining go to
//! temporary files ([`spill`]), the rest refuses. Each loop over input checks for cancellation once a batch.
//!
//! **Left out:** parallel operators, merge joins (the planner has no use for them while indexes give the order and hashing the speed).

mod access;
mod aggregate;
mod aggregate_call;
mod apply;
mod build;
mod columns;
mod count_rows;
mod distinct;
mod hash;
mod hash_join;
mod index_join;
mod meter;
mod nested_loop;
mod pairs;
mod partition;
mod ranges;
mod run;
mod scan;
mod simple;
mod sort;
mod sorter;
mod spill;
mod subquery;
mod system;
#[cfg(test)]
mod tests;

pub(crate) use build::build;
pub(crate) use columns::row_number;
pub use meter::{Measured, Meters};
pub(crate) use run::{Run, Statement, Terms};
pub(crate) use simple::limit_and_offset;
pub(crate) use sorter::Sorter;
pub(crate) use spill::{Spool, SpoolReader};

use crate::error::Result;
use crate::vector::Batch;

/// Produces rows.
pub(crate) trait Operator: Send {
    /// The next rows; `None` at the end.
    fn next(&mut self, run: &Run<'_>) -> Result<Option<Batch>>;
}
