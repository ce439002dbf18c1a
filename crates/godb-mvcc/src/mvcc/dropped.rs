//! [`DroppedTrees`]: trees whose drop has committed and whose pages are still there for those who look at an earlier moment.

use crate::engine::Timestamp;
use crate::error::Error;
use godb_txn::TreeId;
use godb_txn::sync::RwLock;
use godb_txn::sync::atomic::{AtomicUsize, Ordering};
use std::collections::HashMap;

/// Dropped trees, with the commit that dropped them.
#[derive(Default)]
pub(super) struct DroppedTrees {
    /// So that nobody takes the lock while nothing is dropped.
    count: AtomicUsize,
    since: RwLock<HashMap<TreeId, Timestamp>>,
}

impl DroppedTrees {
    /// A drop has committed.
    pub(super) fn add(&self, tree: TreeId, since: Timestamp) {
        let mut trees = self.since.write();
        trees.insert(tree, since);
        self.count.store(trees.len(), Ordering::Release);
    }

    /// The tree is destroyed; asking for it fails in the tree layer now.
    pub(super) fn remove(&self, tree: TreeId) {
        let mut trees = self.since.write();
        trees.remove(&tree);
        self.count.store(trees.len(), Ordering::Release);
    }

    fn since(&self, tree: TreeId) -> Option<Timestamp> {
        if self.count.load(Ordering::Acquire) == 0 {
            return None;
        }
        self.since.read().get(&tree).copied()
    }

    /// Whether one who looks at `at` may read the tree.
    pub(super) fn check_read(&self, tree: TreeId, at: Timestamp) -> Result<(), Error> {
        match self.since(tree) {
            Some(since) if since <= at => Err(Error::NoSuchTree),
            _ => Ok(()),
        }
    }

    /// Whether one who looks at `at` may write into the tree: not when it was dropped meanwhile.
    pub(super) fn check_write(&self, tree: TreeId, at: Timestamp) -> Result<(), Error> {
        match self.since(tree) {
            Some(since) if since <= at => Err(Error::NoSuchTree),
            Some(_) => Err(Error::Conflict),
            None => Ok(()),
        }
    }
}
