//! `godb_buffer_pool`: how the memory for pages fares.

use super::{number, text};
use crate::storage::Storage;
use godb_sql::{Asking, DataType, SqlError, SystemRelation, Value};
use std::sync::Arc;

/// One row about the pool of pages.
pub(super) struct BufferPool(pub(super) Arc<Storage>);

impl SystemRelation for BufferPool {
    fn name(&self) -> &'static str {
        "godb_buffer_pool"
    }

    fn columns(&self) -> &[(&'static str, DataType)] {
        &[
            ("policy", DataType::Text),
            ("page_size", DataType::Int8),
            ("frames", DataType::Int8),
            ("dirty", DataType::Int8),
            ("hits", DataType::Int8),
            ("misses", DataType::Int8),
            ("hit_rate", DataType::Float8),
            ("evictions", DataType::Int8),
            ("pages_written", DataType::Int8),
            ("write_batches", DataType::Int8),
        ]
    }

    fn rows(&self, _asking: &Asking<'_>) -> Result<Vec<Vec<Value>>, SqlError> {
        let stats = self.0.pool().stats();
        Ok(vec![vec![
            text(&self.0.pool().eviction().to_string()),
            number(self.0.page_size()),
            number(stats.frames),
            number(stats.dirty),
            number(stats.hits),
            number(stats.misses),
            stats.hit_rate().map_or(Value::Null, Value::Float),
            number(stats.evictions),
            number(stats.written),
            number(stats.batches),
        ]])
    }
}
