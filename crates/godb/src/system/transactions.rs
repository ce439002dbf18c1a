//! `godb_transactions`: who runs, and who waits for whom.

use super::{number, text};
use crate::storage::Storage;
use godb_sql::{Asking, DataType, SqlError, SystemRelation, Value};
use std::sync::Arc;

/// Transactions that have written or locked something. One that only reads has no id and hinders nobody.
pub(super) struct Transactions(pub(super) Arc<Storage>);

impl SystemRelation for Transactions {
    fn name(&self) -> &'static str {
        "godb_transactions"
    }

    fn columns(&self) -> &[(&'static str, DataType)] {
        &[
            ("transaction_id", DataType::Int8),
            ("state", DataType::Text),
            ("locks", DataType::Int8),
            ("waits_for", DataType::Text),
        ]
    }

    fn rows(&self, _asking: &Asking<'_>) -> Result<Vec<Vec<Value>>, SqlError> {
        let running = self.0.locks().transactions().into_iter();
        let row = |one: godb_txn::TransactionStatus| {
            let waits = !one.waits_for.is_empty();
            let ids: Vec<String> = one.waits_for.iter().map(ToString::to_string).collect();
            vec![
                number(one.id.raw()),
                text(if waits { "waiting" } else { "running" }),
                number(one.locks),
                if waits {
                    Value::Text(ids.join(", "))
                } else {
                    Value::Null
                },
            ]
        };
        Ok(running.map(row).collect())
    }
}
