//! Which tree holds the pairs of the key-value API.

use crate::error::Result;
use godb_mvcc::{Begin, StorageEngine, TreeId};
use std::sync::Arc;

/// Where the root tree says which tree it is.
const NAME: &[u8] = b"key-value tree";

/// Finds the tree, or makes it in a new database.
pub(crate) fn key_tree(engine: &Arc<dyn StorageEngine>) -> Result<TreeId> {
    let mut tx = engine.clone().begin(Begin::default())?;
    let mut found = None;
    tx.get(engine.root(), NAME, &mut |bytes| {
        found = bytes.try_into().ok().map(u32::from_be_bytes);
    })?;
    if let Some(raw) = found {
        return Ok(TreeId::from_raw(raw));
    }
    let tree = tx.create_tree()?;
    tx.put(engine.root(), NAME, &tree.raw().to_be_bytes())?;
    tx.commit()?;
    Ok(tree)
}
