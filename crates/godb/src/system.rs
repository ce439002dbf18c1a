//! What goes on in the database, as relations that SQL can ask: the facade's side of [`godb_sql::system`].
//!
//! Each relation is a small type in a file of its own that holds a handle to the layer whose facts it shows. [`relations`] lists them all; a new one is added there.

mod commits;
mod history;
mod lock_waits;
mod locks;
mod settings;
mod transactions;

use crate::storage::Storage;
use commits::Commits;
use godb_sql::{SystemRelation, TreeId, TreeName, Value};
use history::History;
use lock_waits::LockWaits;
use locks::Locks;
use std::collections::HashMap;
use std::sync::Arc;
use transactions::Transactions;

/// The relations of a database that is stored by our own engine.
pub(crate) fn relations(storage: &Arc<Storage>) -> Vec<Arc<dyn SystemRelation>> {
    vec![
        Arc::new(Locks(storage.clone())),
        Arc::new(LockWaits(storage.clone())),
        Arc::new(Transactions(storage.clone())),
        Arc::new(History(storage.clone())),
        Arc::new(Commits(storage.clone())),
    ]
}

/// The relation of the settings that can be changed.
pub(crate) fn settings(settings: Arc<dyn godb_sql::DatabaseSettings>) -> Arc<dyn SystemRelation> {
    Arc::new(settings::Settings(settings))
}

/// A count or an id as SQL has it.
fn number(number: impl TryInto<i64>) -> Value {
    Value::Int(number.try_into().unwrap_or(i64::MAX))
}

fn text(text: &str) -> Value {
    Value::Text(text.to_owned())
}

/// A tree's number, and of which table and which index it is: NULL for those that belong to no table.
fn tree_columns(tree: Option<TreeId>, names: &HashMap<TreeId, TreeName>) -> [Value; 3] {
    let name = tree.and_then(|tree| names.get(&tree));
    [
        tree.map_or(Value::Null, |tree| number(tree.raw())),
        name.map_or(Value::Null, |name| text(&name.table)),
        name.and_then(|name| name.index.as_deref())
            .map_or(Value::Null, text),
    ]
}

#[cfg(test)]
mod tests;
