//! `godb_wal`: how the log fares.

use super::number;
use crate::storage::Storage;
use godb_sql::{Asking, DataType, SqlError, SystemRelation, Value};
use std::sync::Arc;

/// One row about the log.
pub(super) struct Wal(pub(super) Arc<Storage>);

impl SystemRelation for Wal {
    fn name(&self) -> &'static str {
        "godb_wal"
    }

    fn columns(&self) -> &[(&'static str, DataType)] {
        &[
            ("logged_lsn", DataType::Int8),
            ("written_lsn", DataType::Int8),
            ("durable_lsn", DataType::Int8),
            ("checkpoint_lsn", DataType::Int8),
            ("kept_from_lsn", DataType::Int8),
            ("since_checkpoint", DataType::Int8),
            ("allocated", DataType::Int8),
            ("writes", DataType::Int8),
            ("bytes_written", DataType::Int8),
            ("flushes", DataType::Int8),
        ]
    }

    fn rows(&self, _asking: &Asking<'_>) -> Result<Vec<Vec<Value>>, SqlError> {
        let stats = self.0.log().stats();
        Ok(vec![vec![
            number(stats.logged.raw()),
            number(stats.written.raw()),
            number(stats.durable.raw()),
            number(stats.checkpoint.raw()),
            number(stats.kept_from.raw()),
            number(stats.logged.raw().saturating_sub(stats.checkpoint.raw())),
            number(stats.allocated),
            number(stats.writes),
            number(stats.bytes),
            number(stats.syncs),
        ]])
    }
}
