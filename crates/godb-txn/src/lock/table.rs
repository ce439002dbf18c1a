//! [`LockTable`]: the lines of all resources, in parts with a latch each.
//!
//! A key has a queue of its own, found by its hash, as long as nobody locks ranges of its tree. The first one who does turns that tree over to [`Intervals`], where it stays: who locks one range will lock more, and turning
//! over takes every part's latch.

use super::intervals::Intervals;
use super::line::Line;
use super::name::{ById, ByName, LockedResource, Name};
use super::queue::Queue;
use super::status::LockStatus;
use godb_recovery::TreeId;
use godb_recovery::sync::atomic::{AtomicBool, Ordering};
use godb_recovery::sync::{Arc, Mutex, RwLock};
use std::collections::HashMap;
use std::collections::hash_map::Entry;

/// How many parts there are; few in a model, to which each latch costs time.
pub(super) const PARTS: usize = if cfg!(godb_loom) { 2 } else { 64 };

/// The lines of all resources.
pub(super) struct LockTable {
    parts: Box<[Mutex<HashMap<Name, Queue, ByName>>]>,
    /// Trees in which ranges are locked. Changed with all parts latched, so that who has one latched sees it as it is.
    ranged: RwLock<HashMap<TreeId, Arc<Mutex<Intervals>>, ById>>,
    any_ranged: AtomicBool,
}

impl LockTable {
    pub(super) fn new() -> Self {
        Self {
            parts: (0..PARTS).map(|_| Mutex::default()).collect(),
            ranged: RwLock::default(),
            any_ranged: AtomicBool::new(false),
        }
    }

    /// Runs something on the line of a resource, latched. An empty one is made, and taken out again when it is left empty.
    pub(super) fn with<R>(&self, name: &Name, run: impl FnOnce(&mut dyn Line) -> R) -> R {
        if let LockedResource::KeyRange(tree, ..) = &name.resource {
            let intervals = self.intervals(*tree);
            return run(&mut *intervals.lock());
        }
        let mut part = self.parts[name.part(PARTS)].lock();
        if let Some(intervals) = self.ranged_around(name) {
            drop(part);
            return run(&mut *intervals.lock());
        }
        match part.entry(name.clone()) {
            Entry::Occupied(mut entry) => {
                let result = run(entry.get_mut());
                if entry.get().is_empty() {
                    entry.remove();
                }
                result
            }
            Entry::Vacant(place) => {
                let mut queue = Queue::default();
                let result = run(&mut queue);
                if !queue.is_empty() {
                    place.insert(queue);
                }
                result
            }
        }
    }

    fn ranged_around(&self, name: &Name) -> Option<Arc<Mutex<Intervals>>> {
        if !self.any_ranged.load(Ordering::Acquire) {
            return None;
        }
        let tree = name.resource.tree_around()?;
        self.ranged.read().get(&tree).cloned()
    }

    /// The intervals of a tree, to which its keys are turned over now if they were not before.
    fn intervals(&self, tree: TreeId) -> Arc<Mutex<Intervals>> {
        if let Some(there) = self.ranged.read().get(&tree) {
            return there.clone();
        }
        let mut parts: Vec<_> = self.parts.iter().map(Mutex::lock).collect();
        let mut ranged = self.ranged.write();
        if let Some(there) = ranged.get(&tree) {
            return there.clone();
        }
        let mut intervals = Intervals::new(tree);
        let of_tree = |name: &Name, _: &mut Queue| name.resource.tree_around() == Some(tree);
        for (name, queue) in parts.iter_mut().flat_map(|part| part.extract_if(of_tree)) {
            if let LockedResource::Key(_, key) = &name.resource {
                intervals.take_over(key, queue);
            }
        }
        let intervals = Arc::new(Mutex::new(intervals));
        ranged.insert(tree, intervals.clone());
        self.any_ranged.store(true, Ordering::Release);
        intervals
    }

    /// Everything that is held and waited for. Each part is shown as it was at some moment of the call.
    pub(super) fn show(&self) -> Vec<LockStatus> {
        let mut list = Vec::new();
        for part in &self.parts {
            for (name, queue) in &*part.lock() {
                queue.show(&name.resource, &mut list);
            }
        }
        let ranged: Vec<_> = self
            .ranged
            .read()
            .iter()
            .map(|(tree, i)| (*tree, i.clone()))
            .collect();
        for (tree, intervals) in ranged {
            intervals.lock().show(&LockedResource::Table(tree), &mut list);
        }
        list
    }
}
