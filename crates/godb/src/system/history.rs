//! `godb_history`: how far back each table can be looked at, and what keeping its past takes.

use super::{number, tree_columns};
use crate::storage::Storage;
use godb_mvcc::{KeptVersions, TreeId};
use godb_sql::{Asking, DataType, SqlError, SystemRelation, TreeName, Value};
use std::collections::BTreeMap;
use std::sync::Arc;

/// One row for each table and index, and for what belongs to neither: the key-value pairs, and tables that are gone but can be looked at.
pub(super) struct History(pub(super) Arc<Storage>);

impl SystemRelation for History {
    fn name(&self) -> &'static str {
        "godb_history"
    }

    fn columns(&self) -> &[(&'static str, DataType)] {
        &[
            ("tree_id", DataType::Int8),
            ("table_name", DataType::Text),
            ("index_name", DataType::Text),
            ("oldest_commit", DataType::Int8),
            ("oldest_moment", DataType::TimestampTz),
            ("old_versions", DataType::Int8),
            ("bytes", DataType::Int8),
        ]
    }

    fn rows(&self, asking: &Asking<'_>) -> Result<Vec<Vec<Value>>, SqlError> {
        let names = asking.trees()?;
        let (oldest, wall) = self.0.versions().oldest_moment();
        let mut trees: BTreeMap<TreeId, KeptVersions> = self.0.versions().kept_versions()?;
        for tree in names.keys() {
            trees.entry(*tree).or_default();
        }
        // The table's rows before its indexes, and tables in the order of their names.
        let mut trees: Vec<_> = trees.into_iter().collect();
        let place = |tree: &TreeId| names.get(tree).map(|name: &TreeName| (&name.table, &name.index));
        trees.sort_by_key(|(tree, _)| (place(tree), *tree));
        let row = |(tree, kept): (TreeId, KeptVersions)| {
            let mut row = tree_columns(Some(tree), &names).to_vec();
            row.extend([
                number(oldest.raw()),
                Value::Int(wall),
                number(kept.versions),
                number(kept.bytes),
            ]);
            row
        };
        Ok(trees.into_iter().map(row).collect())
    }
}
