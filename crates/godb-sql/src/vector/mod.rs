//! Columns and batches: the form in which rows move through the executor.
//!
//! An operator works on a [`Batch`] of up to [`BATCH_ROWS`] rows at a time, one [`Column`] after the other, so that the
//! cost of deciding *what* to do is paid once a batch and the inner loops run over plain arrays (Boncz et al.,
//! MonetDB/X100, 2005).

mod bytes;
mod column;
mod ordering;

pub use bytes::BytesColumn;
pub(crate) use bytes::MAX_COMPUTED;
pub use column::{Column, ColumnData};
pub use ordering::{compare_rows, hash_column};

use std::sync::Arc;

/// The most rows of a batch.
pub const BATCH_ROWS: usize = 1024;

/// Some rows, column by column. Columns are shared: projecting and passing on copies nothing.
#[derive(Clone, Debug, Default)]
pub struct Batch {
    /// The columns, each as long as there are rows.
    pub columns: Vec<Arc<Column>>,
    /// How many rows; also right where there are no columns.
    pub rows: usize,
}

impl Batch {
    /// The rows at `positions`, in that order; a row may come more than once.
    #[must_use]
    pub fn take(&self, positions: &[u32]) -> Self {
        let columns = self
            .columns
            .iter()
            .map(|column| Arc::new(column.take(positions)))
            .collect();
        Self {
            columns,
            rows: positions.len(),
        }
    }
}
