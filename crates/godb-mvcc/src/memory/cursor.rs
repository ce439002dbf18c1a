//! A scan of the engine in memory.

use super::{MemoryEngine, Place};
use crate::engine::{EngineCursor, ShowRow};
use crate::error::Error;
use godb_txn::{Range, TreeId};
use std::ops::Bound;
use std::sync::Arc;

/// How many rows are shown at a time.
const ROWS_AT_ONCE: usize = 128;

/// A scan; it keeps its snapshot from being collected.
pub(super) struct MemoryCursor {
    engine: Arc<MemoryEngine>,
    owner: u64,
    snapshot: u64,
    tree: TreeId,
    from: Bound<Vec<u8>>,
    to: Bound<Vec<u8>>,
    backward: bool,
}

impl MemoryCursor {
    pub(super) fn new(
        engine: Arc<MemoryEngine>,
        owner: u64,
        snapshot: u64,
        tree: TreeId,
        range: Range<'_>,
    ) -> Self {
        engine.state.lock().use_snapshot(snapshot);
        let own = |bound: Bound<&[u8]>| bound.map(<[u8]>::to_vec);
        Self {
            owner,
            snapshot,
            tree,
            from: own(range.from),
            to: own(range.to),
            backward: range.backward,
            engine,
        }
    }

    /// The next rows, copied out of the lock.
    fn fetch(&self) -> Vec<(Vec<u8>, Arc<[u8]>)> {
        let Some(places) = places(self.tree, &self.from, &self.to) else {
            return Vec::new();
        };
        let state = self.engine.state.lock();
        let rows = state.rows.range(places);
        let visible = |(place, row): (&Place, &super::Row)| {
            Some((place.1.clone(), row.visible(self.owner, self.snapshot)?.clone()))
        };
        if self.backward {
            rows.rev().filter_map(visible).take(ROWS_AT_ONCE).collect()
        } else {
            rows.filter_map(visible).take(ROWS_AT_ONCE).collect()
        }
    }

    /// The scan has passed `key`.
    fn pass(&mut self, key: Vec<u8>) {
        if self.backward {
            self.to = Bound::Excluded(key);
        } else {
            self.from = Bound::Excluded(key);
        }
    }
}

/// Where the keys of a range lie; `None` when there can be none.
pub(super) fn places(
    tree: TreeId,
    from: &Bound<Vec<u8>>,
    to: &Bound<Vec<u8>>,
) -> Option<(Bound<Place>, Bound<Place>)> {
    let in_tree = |bound: &Bound<Vec<u8>>| bound.clone().map(|key| (tree, key));
    let first = match in_tree(from) {
        Bound::Unbounded => Bound::Included((tree, Vec::new())),
        bound => bound,
    };
    let last = match in_tree(to) {
        Bound::Unbounded => Bound::Excluded((TreeId::from_raw(tree.raw().saturating_add(1)), Vec::new())),
        bound => bound,
    };
    (!is_empty(&first, &last)).then_some((first, last))
}

/// Whether nothing can lie between the bounds; a sorted map refuses such ranges.
fn is_empty<T: Ord>(first: &Bound<T>, last: &Bound<T>) -> bool {
    match (first, last) {
        (Bound::Included(a), Bound::Included(b)) => a > b,
        (Bound::Included(a) | Bound::Excluded(a), Bound::Included(b) | Bound::Excluded(b)) => a >= b,
        _ => false,
    }
}

impl EngineCursor for MemoryCursor {
    fn next(&mut self, show: &mut ShowRow<'_>) -> Result<bool, Error> {
        let rows = self.fetch();
        let full = rows.len() == ROWS_AT_ONCE;
        for (key, value) in rows {
            let flow = show(&key, &value);
            self.pass(key);
            if flow.is_break() {
                return Ok(true);
            }
        }
        Ok(full)
    }
}

impl Drop for MemoryCursor {
    fn drop(&mut self) {
        self.engine.state.lock().release_snapshot(self.snapshot);
    }
}
