//! `godb_lock_waits`: where transactions have waited since the database was opened.

use super::{number, text, tree_columns};
use crate::storage::Storage;
use godb_sql::{Asking, DataType, SqlError, SystemRelation, Value};
use godb_txn::{WaitPlace, WaitStats};
use std::sync::Arc;

/// Waits by table, for the whole database, and for rows that another transaction has written.
pub(super) struct LockWaits(pub(super) Arc<Storage>);

impl SystemRelation for LockWaits {
    fn name(&self) -> &'static str {
        "godb_lock_waits"
    }

    fn columns(&self) -> &[(&'static str, DataType)] {
        &[
            ("locked", DataType::Text),
            ("tree_id", DataType::Int8),
            ("table_name", DataType::Text),
            ("index_name", DataType::Text),
            ("waits", DataType::Int8),
            ("failed", DataType::Int8),
            ("waited_ms", DataType::Int8),
        ]
    }

    fn rows(&self, asking: &Asking<'_>) -> Result<Vec<Vec<Value>>, SqlError> {
        let names = asking.trees()?;
        let row = |(place, stats): (WaitPlace, WaitStats)| {
            let (locked, tree) = match place {
                WaitPlace::Database => ("database", None),
                WaitPlace::Tree(tree) => ("table", Some(tree)),
                WaitPlace::Transaction => ("transaction", None),
            };
            let mut row = vec![text(locked)];
            row.extend(tree_columns(tree, &names));
            row.extend([
                number(stats.waits),
                number(stats.failed),
                number(stats.waited.as_millis()),
            ]);
            row
        };
        Ok(self.0.locks().waits().into_iter().map(row).collect())
    }
}
