//! [`Marks`]: who has touched which keys.
//!
//! The keys of a tree are cut into *stretches*; each begins at a key, ends where the next begins, and has the same marks everywhere in it. A mark on an interval cuts at both ends and adds
//! itself to every stretch between:
//!
//! ```text
//!   marks      A ├────────────────┤
//!              B         ├──────────────┤
//!   stretches    │   A   │  A B   │  B  │
//!              ──▲───────▲────────▲─────▲────▶ keys
//! ```
//!
//! So "who is here" is one look for the last cut at or before a key, however many marks there are. A point is an interval of one key: from it to the next possible one, which is the
//! same with a zero byte behind.

use super::members::{MemberId, SUMMARY};
use godb_txn::TreeId;
use smallvec::SmallVec;
use std::collections::{BTreeMap, HashMap};
use std::ops::Bound;

/// Those who have marked something, in order.
pub(super) type Markers = SmallVec<[MemberId; 4]>;

/// What a cut takes in memory, beside its key.
const CUT: usize = 96;

/// What a mark takes besides.
const MARK: usize = 64;

/// Keys of a tree: from the first on, up to but without the last.
#[derive(Clone, Copy, Debug)]
pub(in crate::mvcc) struct Extent<'a> {
    from: Edge<'a>,
    to: Option<Edge<'a>>,
}

/// A place between keys: before one, or right behind it.
#[derive(Clone, Copy, Debug)]
struct Edge<'a> {
    key: &'a [u8],
    behind: bool,
}

impl Edge<'_> {
    fn to_key(self) -> Vec<u8> {
        let mut key = Vec::with_capacity(self.key.len() + usize::from(self.behind));
        key.extend_from_slice(self.key);
        key.extend(self.behind.then_some(0));
        key
    }
}

impl<'a> Extent<'a> {
    /// The whole tree.
    pub(in crate::mvcc) const ALL: Self = Self {
        from: Edge {
            key: b"",
            behind: false,
        },
        to: None,
    };

    /// One key.
    pub(in crate::mvcc) fn key(key: &'a [u8]) -> Self {
        Self {
            from: Edge { key, behind: false },
            to: Some(Edge { key, behind: true }),
        }
    }

    /// What lies between two bounds.
    pub(in crate::mvcc) fn between(from: Bound<&'a [u8]>, to: Bound<&'a [u8]>) -> Self {
        let from = match from {
            Bound::Unbounded => Edge {
                key: b"",
                behind: false,
            },
            Bound::Included(key) => Edge { key, behind: false },
            Bound::Excluded(key) => Edge { key, behind: true },
        };
        let to = match to {
            Bound::Unbounded => None,
            Bound::Included(key) => Some(Edge { key, behind: true }),
            Bound::Excluded(key) => Some(Edge { key, behind: false }),
        };
        Self { from, to }
    }
}

/// An interval that somebody has marked.
struct Held {
    tree: TreeId,
    from: Vec<u8>,
    to: Option<Vec<u8>>,
}

/// The marks in one tree.
#[derive(Default)]
struct InTree {
    cuts: BTreeMap<Vec<u8>, Markers>,
    /// Those who have marked all of it.
    whole: Markers,
    /// Bytes that its cuts take.
    bytes: usize,
}

/// Marks in all trees.
pub(super) struct Marks {
    trees: HashMap<TreeId, InTree>,
    held: HashMap<MemberId, Vec<Held>>,
    bytes: usize,
    limit: usize,
}

impl Marks {
    pub(super) fn new(limit: usize) -> Self {
        let (trees, held) = (HashMap::new(), HashMap::new());
        Self {
            trees,
            held,
            bytes: 0,
            limit,
        }
    }

    /// Marks what somebody touches. `false` when the same has touched all of it before, so that there is no need to look whose marks are here already.
    pub(super) fn add(&mut self, who: MemberId, tree: TreeId, extent: Extent<'_>) -> bool {
        let (from, to) = (extent.from.to_key(), extent.to.map(Edge::to_key));
        if to.as_ref().is_some_and(|to| *to <= from) {
            return false;
        }
        let marks = self.trees.entry(tree).or_default();
        if marks.whole.contains(&who) {
            // Perhaps only because marks became coarser.
            return true;
        }
        if marks.has(who, &from, to.as_deref()) {
            return false;
        }
        let before = marks.bytes;
        marks.mark(who, &from, to.as_deref());
        self.bytes = self.bytes + marks.bytes - before;
        self.hold(who, tree, from, to);
        if self.bytes > self.limit {
            self.coarsen();
        }
        true
    }

    /// Remembers a mark, together with the last one where that goes on.
    fn hold(&mut self, who: MemberId, tree: TreeId, from: Vec<u8>, to: Option<Vec<u8>>) {
        let held = self.held.entry(who).or_default();
        if let Some(last) = held.last_mut().filter(|last| last.tree == tree) {
            if last.to.as_ref() == Some(&from) {
                last.to = to;
                return;
            }
            if to.as_ref() == Some(&last.from) {
                self.bytes = self.bytes + from.len() - last.from.len();
                last.from = from;
                return;
            }
        }
        self.bytes += MARK + from.len();
        held.push(Held { tree, from, to });
    }

    /// Everybody who has marked anything of this.
    pub(super) fn overlapping(&self, tree: TreeId, extent: Extent<'_>) -> Markers {
        let Some(marks) = self.trees.get(&tree) else {
            return Markers::new();
        };
        let (from, to) = (extent.from.to_key(), extent.to.map(Edge::to_key));
        let mut found = marks.whole.clone();
        let first = marks.up_to(Bound::Included(&from));
        let later = marks.between(&from, to.as_deref());
        for (_, markers) in first.into_iter().chain(later) {
            markers.iter().for_each(|who| insert(&mut found, *who));
        }
        found
    }

    /// Takes all marks of somebody away.
    pub(super) fn remove(&mut self, who: MemberId) {
        for held in self.held.remove(&who).unwrap_or_default() {
            self.bytes = self.bytes.saturating_sub(MARK + held.from.len());
            let Some(marks) = self.trees.get_mut(&held.tree) else {
                continue;
            };
            let before = marks.bytes;
            marks.take_away(who, &held.from, held.to.as_deref());
            self.bytes = (self.bytes + marks.bytes).saturating_sub(before);
            if marks.cuts.is_empty() && marks.whole.is_empty() {
                self.trees.remove(&held.tree);
            }
        }
    }

    /// Gives the marks of somebody to the summary.
    pub(super) fn melt(&mut self, who: MemberId) {
        for marks in self.trees.values_mut() {
            for markers in marks.cuts.values_mut().chain([&mut marks.whole]) {
                if take(markers, who) {
                    insert(markers, SUMMARY);
                }
            }
        }
        let held = self.held.remove(&who).unwrap_or_default();
        self.held.entry(SUMMARY).or_default().extend(held);
    }

    /// Makes the marks of the tree that takes most memory marks on the whole tree.
    fn coarsen(&mut self) {
        let largest = self.trees.iter_mut().max_by_key(|(_, marks)| marks.bytes);
        let Some((tree, marks)) = largest.filter(|(_, marks)| !marks.cuts.is_empty()) else {
            return;
        };
        let tree = *tree;
        for markers in std::mem::take(&mut marks.cuts).into_values() {
            markers.iter().for_each(|who| insert(&mut marks.whole, *who));
        }
        marks.bytes = 0;
        for held in self.held.values_mut() {
            let before = held.len();
            held.retain(|mark| mark.tree != tree);
            if held.len() < before {
                let (from, to) = (Vec::new(), None);
                held.push(Held { tree, from, to });
            }
        }
        self.count_anew();
    }

    fn count_anew(&mut self) {
        let held = self.held.values().flatten();
        let held: usize = held.map(|mark| MARK + mark.from.len()).sum();
        let cuts: usize = self.trees.values().map(|marks| marks.bytes).sum();
        self.bytes = held + cuts;
    }

    /// Bytes that all marks take, roughly.
    #[cfg(test)]
    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }

    /// Whether nobody has marked anything.
    #[cfg(test)]
    pub(super) fn is_empty(&self) -> bool {
        self.trees.is_empty() && self.held.is_empty()
    }
}

impl InTree {
    /// The last cut before a bound.
    fn up_to(&self, end: Bound<&[u8]>) -> Option<(&Vec<u8>, &Markers)> {
        self.cuts.range::<[u8], _>((Bound::Unbounded, end)).next_back()
    }

    fn between(&self, from: &[u8], to: Option<&[u8]>) -> impl Iterator<Item = (&Vec<u8>, &Markers)> {
        let to = to.map_or(Bound::Unbounded, Bound::Excluded);
        self.cuts.range::<[u8], _>((Bound::Excluded(from), to))
    }

    /// Whether somebody has marked all of an interval.
    fn has(&self, who: MemberId, from: &[u8], to: Option<&[u8]>) -> bool {
        let first = self.up_to(Bound::Included(from));
        let marked = first.is_some_and(|(_, markers)| markers.contains(&who));
        marked && self.between(from, to).all(|(_, markers)| markers.contains(&who))
    }

    fn cut(&mut self, at: &[u8]) {
        if self.cuts.contains_key(at) {
            return;
        }
        let before = self.up_to(Bound::Excluded(at));
        let markers = before.map(|(_, markers)| markers.clone()).unwrap_or_default();
        self.bytes += CUT + at.len();
        self.cuts.insert(at.to_vec(), markers);
    }

    fn mark(&mut self, who: MemberId, from: &[u8], to: Option<&[u8]>) {
        if from.is_empty() && to.is_none() {
            insert(&mut self.whole, who);
            return;
        }
        self.cut(from);
        to.into_iter().for_each(|to| self.cut(to));
        let end = to.map_or(Bound::Unbounded, Bound::Excluded);
        for (_, markers) in self.cuts.range_mut::<[u8], _>((Bound::Included(from), end)) {
            insert(markers, who);
        }
        self.mend(from, to);
    }

    fn take_away(&mut self, who: MemberId, from: &[u8], to: Option<&[u8]>) {
        if from.is_empty() && to.is_none() {
            take(&mut self.whole, who);
        }
        // Its mark may lie in one stretch with what else it has marked.
        self.cut(from);
        to.into_iter().for_each(|to| self.cut(to));
        let end = to.map_or(Bound::Unbounded, Bound::Excluded);
        for (_, markers) in self.cuts.range_mut::<[u8], _>((Bound::Included(from), end)) {
            take(markers, who);
        }
        self.mend(from, to);
    }

    /// Takes cuts out on whose two sides there is the same.
    fn mend(&mut self, from: &[u8], to: Option<&[u8]>) {
        let before = self.up_to(Bound::Excluded(from));
        let mut left = before.map(|(_, markers)| markers.clone()).unwrap_or_default();
        let end = to.map_or(Bound::Unbounded, Bound::Included);
        let mut needless = Vec::new();
        for (key, markers) in self.cuts.range::<[u8], _>((Bound::Included(from), end)) {
            if *markers == left {
                needless.push(key.clone());
            } else {
                left.clone_from(markers);
            }
        }
        for key in needless {
            self.cuts.remove(&key);
            self.bytes = self.bytes.saturating_sub(CUT + key.len());
        }
    }
}

/// Puts one in where it belongs in the order, once.
fn insert(markers: &mut Markers, who: MemberId) {
    if let Err(at) = markers.binary_search(&who) {
        markers.insert(at, who);
    }
}

/// Takes one out; tells whether it was there.
fn take(markers: &mut Markers, who: MemberId) -> bool {
    let found = markers.binary_search(&who);
    found.map(|at| markers.remove(at)).is_ok()
}
