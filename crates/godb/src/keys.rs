//! [`KeyTree`]: which tree holds the pairs of the key-value API. It is made at the first write, so that a database
//! without pairs has no page for them.

use crate::error::Result;
use godb_page::sync::{Arc, Mutex};
use godb_sql::{Begin, StorageEngine, TreeId};

/// Where the root tree says which tree it is.
pub(crate) const NAME: &[u8] = b"key-value tree";

/// The tree of the key-value API, once there is one.
pub(crate) struct KeyTree {
    engine: Arc<dyn StorageEngine>,
    found: Mutex<Option<TreeId>>,
}

impl KeyTree {
    /// Looks for the tree.
    pub(crate) fn find(engine: &Arc<dyn StorageEngine>) -> Result<Self> {
        let tx = engine.clone().begin(Begin {
            read_only: true,
            ..Begin::default()
        })?;
        let mut found = None;
        tx.get(engine.root(), NAME, &mut |bytes| {
            found = bytes
                .try_into()
                .ok()
                .map(|raw| TreeId::from_raw(u32::from_be_bytes(raw)));
        })?;
        Ok(Self {
            engine: engine.clone(),
            found: Mutex::new(found),
        })
    }

    /// The tree, if there is one.
    pub(crate) fn get(&self) -> Option<TreeId> {
        *self.found.lock()
    }

    /// The tree, made now if there is none: in a transaction of its own, since it stays whatever becomes of the one that needs it.
    pub(crate) fn get_or_make(&self) -> Result<TreeId> {
        let mut found = self.found.lock();
        if let Some(tree) = *found {
            return Ok(tree);
        }
        let mut tx = self.engine.clone().begin(Begin::default())?;
        let tree = tx.create_tree()?;
        tx.put(self.engine.root(), NAME, &tree.raw().to_be_bytes())?;
        tx.commit()?;
        *found = Some(tree);
        Ok(tree)
    }
}
