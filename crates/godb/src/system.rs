//! What goes on in the database, as relations that SQL can ask: the facade's side of [`godb_sql::system`].
//!
//! Each relation is a small type in a file of its own that holds a handle to the layer whose facts it shows. [`relations`] lists them all; a new one is added there.

mod transactions;

use crate::storage::Storage;
use godb_sql::{SystemRelation, Value};
use std::sync::Arc;
use transactions::Transactions;

/// The relations of a database that is stored by our own engine.
pub(crate) fn relations(storage: &Arc<Storage>) -> Vec<Arc<dyn SystemRelation>> {
    vec![Arc::new(Transactions(storage.clone()))]
}

/// A count or an id as SQL has it.
fn number(number: impl TryInto<i64>) -> Value {
    Value::Int(number.try_into().unwrap_or(i64::MAX))
}

#[cfg(test)]
mod tests;
