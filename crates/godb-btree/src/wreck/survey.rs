//! [`Survey`]: one look at every page; [`Wreck`]: the trees that come out of it, and their rows.

use super::Redone;
use crate::codec::bad_page;
use crate::map;
use crate::meta::{self, DIRECTORY, DIRECTORY_ROOT};
use crate::node;
use crate::overflow;
use crate::tree::Chain;
use godb_buffer::slotted::{self, Slots};
use godb_buffer::{Fault, PageId, PageKind, PageStore, TreeId, header};
use std::collections::{BTreeMap, HashMap, HashSet};
use std::io::Read;

/// A leaf that is whole.
struct Leaf {
    id: PageId,
    lsn: u64,
    right: PageId,
    /// Its first and last key; none when it is empty.
    keys: Option<(Vec<u8>, Vec<u8>)>,
}

/// An inner page that is whole.
struct Inner {
    tree: TreeId,
    level: u8,
    children: Vec<PageId>,
}

/// What all pages say of themselves.
#[derive(Default)]
struct Survey {
    leaves: HashMap<TreeId, Vec<Leaf>>,
    tree_of_leaf: HashMap<PageId, TreeId>,
    inner: HashMap<PageId, Inner>,
    /// The maps that are whole, by group.
    maps: HashMap<u32, Vec<u8>>,
    /// Pages that cannot be read and may be in use.
    damaged: Vec<PageId>,
    highest_lsn: u64,
}

/// The trees of a broken file.
pub struct Wreck<S> {
    pages: Redone<S>,
    /// The leaves that count, in the order of their keys.
    trees: BTreeMap<TreeId, Vec<PageId>>,
    /// Trees of which every page was found.
    complete: HashSet<TreeId>,
    /// Trees that the directory lists, if all of it could be read.
    listed: Option<HashSet<TreeId>>,
    damaged: Vec<PageId>,
    /// Whether every free map was found that the pages need.
    has_maps: bool,
    /// What pages are, by those that lead to them for certain: the tree, and the level where that is known.
    expected: HashMap<PageId, (TreeId, Option<u8>)>,
    highest_lsn: u64,
}

impl Survey {
    /// Looks at every page.
    fn of<S: PageStore>(pages: &Redone<S>) -> Result<Self, Fault> {
        let mut survey = Self::default();
        let mut unreadable = Vec::new();
        for id in (2..pages.page_count()).map(PageId::from_raw) {
            match pages.page(id)? {
                Some(bytes) => survey.see(id, &bytes),
                None => unreadable.push(id),
            }
        }
        let size = pages.page_size();
        unreadable.retain(|id| survey.in_use(size, *id) != Some(false));
        unreadable.extend(survey.beyond(size, pages.page_count()));
        survey.damaged.extend(unreadable);
        Ok(survey)
    }

    fn see(&mut self, id: PageId, bytes: &[u8]) {
        self.highest_lsn = self.highest_lsn.max(header::lsn(bytes).raw());
        match header::kind(bytes) {
            Some(PageKind::FreeMap) => {
                let group = id.raw() / map::covers(bytes.len());
                if map::of_group(bytes.len(), group) == id {
                    self.maps.insert(group, bytes.to_vec());
                }
            }
            Some(PageKind::Leaf | PageKind::Inner) if self.see_node(id, bytes).is_none() => {
                self.damaged.push(id);
            }
            _ => {}
        }
    }

    /// Takes a page of a tree in; `None` when it contradicts itself.
    fn see_node(&mut self, id: PageId, bytes: &[u8]) -> Option<()> {
        let tree = header::tree_id(bytes);
        let level = node::expect(id, bytes, tree, None).ok()?;
        slotted::verify(bytes).ok()?;
        let slots = Slots::of(bytes).ok()?;
        if level == 0 {
            let keys = match slots.len() {
                0 => None,
                count => Some((slots.key(0).ok()?.to_vec(), slots.key(count - 1).ok()?.to_vec())),
            };
            self.tree_of_leaf.insert(id, tree);
            self.leaves.entry(tree).or_default().push(Leaf {
                id,
                lsn: header::lsn(bytes).raw(),
                right: header::right_link(bytes),
                keys,
            });
        } else {
            let children = (0..=slots.len()).map(|at| node::child(bytes, at).ok());
            let children = children.collect::<Option<Vec<_>>>()?;
            self.inner.insert(
                id,
                Inner {
                    tree,
                    level,
                    children,
                },
            );
        }
        Some(())
    }

    /// What the map of a page says, if it can be read.
    fn in_use(&self, page_size: usize, id: PageId) -> Option<bool> {
        let map = self.maps.get(&(id.raw() / map::covers(page_size)))?;
        map::has(map, id).ok()
    }

    /// Whether there is a map for every page of the file. One behind its end is missed by those that lead to it.
    fn has_maps(&self, page_size: usize, pages: u32) -> bool {
        (0..=pages.saturating_sub(1) / map::covers(page_size)).all(|group| self.maps.contains_key(&group))
    }

    /// Pages in use that the file is too short for.
    fn beyond(&self, page_size: usize, pages: u32) -> Vec<PageId> {
        let covers = map::covers(page_size);
        let all = self.maps.keys().flat_map(|group| {
            let first = group.saturating_mul(covers);
            first.max(pages)..first.saturating_add(covers)
        });
        all.map(PageId::from_raw)
            .filter(|id| self.in_use(page_size, *id) == Some(true))
            .collect()
    }

    /// The tree that a whole page belongs to.
    fn tree_of(&self, id: PageId) -> Option<TreeId> {
        match self.inner.get(&id) {
            Some(inner) => Some(inner.tree),
            None => self.tree_of_leaf.get(&id).copied(),
        }
    }

    /// Every page that is in use for certain: by its map, or because one leads to it that is.
    fn certain(&self, page_size: usize, roots: &[(TreeId, PageId)]) -> HashSet<PageId> {
        let known = self.inner.keys().chain(self.tree_of_leaf.keys());
        let mut ahead: Vec<PageId> = known
            .copied()
            .filter(|id| self.in_use(page_size, *id) == Some(true))
            .collect();
        let of_roots = roots
            .iter()
            .filter(|(tree, root)| self.tree_of(*root) == Some(*tree));
        ahead.extend(of_roots.map(|(_, root)| *root));
        let rights: HashMap<PageId, PageId> = self
            .leaves
            .values()
            .flatten()
            .map(|leaf| (leaf.id, leaf.right))
            .collect();
        let mut certain = HashSet::new();
        while let Some(id) = ahead.pop() {
            if !certain.insert(id) {
                continue;
            }
            let tree = self.tree_of(id);
            let children = self.inner.get(&id).map_or(&[][..], |inner| &inner.children);
            let next = children.iter().chain(rights.get(&id)).copied();
            ahead.extend(
                next.filter(|next| {
                    self.tree_of(*next) == tree && self.in_use(page_size, *next) != Some(false)
                }),
            );
        }
        certain
    }

    /// What the pages are that roots and inner pages in use lead to.
    fn expected(
        &self,
        certain: &HashSet<PageId>,
        roots: &[(TreeId, PageId)],
    ) -> HashMap<PageId, (TreeId, Option<u8>)> {
        let mut expected: HashMap<_, _> = roots.iter().map(|(tree, root)| (*root, (*tree, None))).collect();
        for (_, inner) in self.inner.iter().filter(|(id, _)| certain.contains(id)) {
            let what = (inner.tree, inner.level.checked_sub(1));
            expected.extend(inner.children.iter().map(|child| (*child, what)));
        }
        expected
    }

    /// Whether every page below a root can be read.
    fn is_complete(&self, tree: TreeId, root: PageId) -> bool {
        let mut ahead = vec![root];
        let mut seen = HashSet::new();
        while let Some(id) = ahead.pop() {
            if self.tree_of(id) != Some(tree) || !seen.insert(id) {
                return false;
            }
            ahead.extend(self.inner.get(&id).into_iter().flat_map(|inner| &inner.children));
        }
        true
    }

    /// The leaves of a tree that count, in key order.
    fn living(
        &self,
        page_size: usize,
        tree: TreeId,
        certain: &HashSet<PageId>,
        complete: bool,
    ) -> Vec<PageId> {
        let leaves = self.leaves.get(&tree).map_or(&[][..], Vec::as_slice);
        let mut chosen: Vec<&Leaf> = leaves.iter().filter(|leaf| certain.contains(&leaf.id)).collect();
        if !complete {
            let doubtful =
                |leaf: &&Leaf| !certain.contains(&leaf.id) && self.in_use(page_size, leaf.id).is_none();
            let mut doubtful: Vec<&Leaf> = leaves.iter().filter(doubtful).collect();
            doubtful.sort_by_key(|leaf| std::cmp::Reverse(leaf.lsn));
            for leaf in doubtful {
                if !chosen.iter().any(|other| overlap(leaf, other)) {
                    chosen.push(leaf);
                }
            }
        }
        chosen.retain(|leaf| leaf.keys.is_some());
        chosen.sort_by(|a, b| a.keys.cmp(&b.keys));
        chosen.iter().map(|leaf| leaf.id).collect()
    }
}

/// Whether the keys of two leaves lie over each other. An empty leaf lies nowhere.
fn overlap(a: &Leaf, b: &Leaf) -> bool {
    match (&a.keys, &b.keys) {
        (Some((from, to)), Some((other_from, other_to))) => from <= other_to && other_from <= to,
        _ => false,
    }
}

impl<S: PageStore> Wreck<S> {
    /// Looks at every page, and finds out which leaves count.
    ///
    /// # Errors
    /// Failures other than damage.
    pub fn survey(pages: Redone<S>) -> Result<Self, Fault> {
        let survey = Survey::of(&pages)?;
        let size = pages.page_size();
        let home = [(DIRECTORY, DIRECTORY_ROOT)];
        let has_maps = survey.has_maps(size, pages.page_count());
        let mut wreck = Self {
            pages,
            trees: BTreeMap::new(),
            complete: HashSet::new(),
            listed: None,
            highest_lsn: survey.highest_lsn,
            damaged: survey.damaged.clone(),
            expected: HashMap::new(),
            has_maps,
        };
        let complete = survey.is_complete(DIRECTORY, DIRECTORY_ROOT);
        let certain = survey.certain(size, &home);
        let directory = survey.living(size, DIRECTORY, &certain, complete);
        let mut roots = wreck.entries(&directory)?;
        let listed: HashSet<TreeId> = roots.iter().map(|(tree, _)| *tree).collect();
        wreck.listed = complete.then_some(listed);
        roots.extend(home);
        let certain = survey.certain(size, &roots);
        wreck.expected = survey.expected(&certain, &roots);
        let whole = roots
            .iter()
            .filter(|(tree, root)| survey.is_complete(*tree, *root));
        wreck.complete = whole.map(|(tree, _)| *tree).collect();
        for tree in survey.leaves.keys().filter(|tree| **tree != DIRECTORY) {
            if wreck.listed.as_ref().is_some_and(|listed| !listed.contains(tree)) {
                continue;
            }
            let leaves = survey.living(size, *tree, &certain, wreck.complete.contains(tree));
            wreck.trees.insert(*tree, leaves);
        }
        Ok(wreck)
    }

    /// The living trees that the directory's readable leaves list, and their roots.
    fn entries(&self, leaves: &[PageId]) -> Result<Vec<(TreeId, PageId)>, Fault> {
        let mut found = Vec::new();
        for leaf in leaves {
            let Some(bytes) = self.pages.page(*leaf)? else {
                continue;
            };
            let Ok(slots) = Slots::of(&bytes) else { continue };
            for at in 0..slots.len() {
                let Ok((key, value)) = slots.cell(at).and_then(node::row) else {
                    continue;
                };
                if let Ok((spot, false)) = crate::btree::read_entry(key, value.inline) {
                    found.push((spot.tree, spot.root));
                }
            }
        }
        Ok(found)
    }

    /// The trees of which something was found, the directory not among them.
    pub fn trees(&self) -> impl Iterator<Item = TreeId> {
        self.trees.keys().copied()
    }

    /// Whether every page of a tree was found.
    pub fn is_complete(&self, tree: TreeId) -> bool {
        self.complete.contains(&tree)
    }

    /// Pages that cannot be read and may have been in use.
    pub fn damaged(&self) -> &[PageId] {
        &self.damaged
    }

    /// Damaged pages that may have held rows, or parts of them: all but those that are known, from whole pages that lead to them, as inner pages or as pages of a tree of which
    /// `is_derived` says that it follows from others; and but the free maps and the counters.
    pub fn may_have_held_rows(&self, is_derived: impl Fn(TreeId) -> bool) -> Vec<PageId> {
        let size = self.pages.page_size();
        let harmless = |page: &PageId| match self.expected.get(page) {
            _ if *page == meta::PAGE || map::of_page(size, *page) == *page => true,
            Some((DIRECTORY, _)) | None => false,
            Some((tree, _)) if is_derived(*tree) => true,
            Some((_, Some(level))) => *level > 0,
            // A root that leads to leaves is an inner page.
            Some((tree, None)) => self.trees.get(tree).is_some_and(|leaves| !leaves.is_empty()),
        };
        let mut doubtful: Vec<PageId> = self
            .damaged
            .iter()
            .copied()
            .filter(|page| !harmless(page))
            .collect();
        // Without its map a page behind the file's end is known by its parent only, and that one must be there.
        let cut_off = |tree: &TreeId| !self.complete.contains(tree) && !is_derived(*tree);
        if !self.has_maps && self.listed.iter().flatten().any(cut_off) {
            doubtful.push(map::FIRST);
        }
        doubtful
    }

    /// Whether the directory of trees could be read as a whole.
    pub fn knows_all_trees(&self) -> bool {
        self.listed.is_some()
    }

    /// The highest LSN that any page carries.
    pub fn highest_lsn(&self) -> u64 {
        self.highest_lsn
    }

    /// Shows every row of a tree that can be read, in key order, with its value; of a value with a part that cannot be read it says so. Ends at the first error
    /// of `show`.
    ///
    /// # Errors
    /// Failures other than damage, and those of `show`.
    pub fn rows<E: From<Fault>>(
        &self,
        tree: TreeId,
        mut show: impl FnMut(&[u8], WreckedValue<'_, S>) -> Result<(), E>,
    ) -> Result<(), E> {
        for leaf in self.trees.get(&tree).into_iter().flatten() {
            let Some(bytes) = self.pages.page(*leaf)? else {
                continue;
            };
            let Ok(slots) = Slots::of(&bytes) else { continue };
            for at in 0..slots.len() {
                let Ok((key, value)) = slots.cell(at).and_then(node::row) else {
                    continue;
                };
                let value = WreckedValue {
                    inline: value.inline,
                    chain: value.chain.map(|chain| ChainReader::new(&self.pages, chain)),
                };
                show(key, value)?;
            }
        }
        Ok(())
    }
}

/// A value found in a leaf.
pub struct WreckedValue<'a, S> {
    /// The bytes in the leaf.
    pub inline: &'a [u8],
    /// The rest, if there is more.
    pub chain: Option<ChainReader<'a, S>>,
}

/// Reads a value's chain.
pub struct ChainReader<'a, S> {
    pages: &'a Redone<S>,
    chain: Chain,
    next: PageId,
    at: u64,
    piece: Vec<u8>,
    used: usize,
}

impl<'a, S: PageStore> ChainReader<'a, S> {
    fn new(pages: &'a Redone<S>, chain: Chain) -> Self {
        Self {
            pages,
            chain,
            next: chain.head,
            at: 0,
            piece: Vec::new(),
            used: 0,
        }
    }

    /// How many bytes there should be.
    #[must_use]
    pub fn length(&self) -> u64 {
        self.chain.len
    }

    /// Reads all of it once, to see whether it is whole; afterwards it can be read from its beginning.
    ///
    /// # Errors
    /// Failures other than damage.
    pub fn is_whole(&mut self) -> Result<bool, Fault> {
        let whole = loop {
            match self.advance() {
                Ok(true) => {}
                Ok(false) => break true,
                Err(Fault::Corrupt { .. }) => break false,
                Err(fault) => return Err(fault),
            }
        };
        *self = Self::new(self.pages, self.chain);
        Ok(whole)
    }

    /// Brings the next piece in; false at the end.
    fn advance(&mut self) -> Result<bool, Fault> {
        if self.at >= self.chain.len {
            return Ok(false);
        }
        let id = self.next;
        let broken = || bad_page(id, "it is not the part of a value that it should be");
        let page = self.pages.page(id)?.ok_or_else(broken)?;
        let (link, bytes) = overflow::read(&page).map_err(|_| broken())?;
        if link.chain != self.chain.head || link.at != self.at || bytes.is_empty() {
            return Err(broken());
        }
        let rest = self.chain.len - self.at;
        let count = bytes.len().min(usize::try_from(rest).unwrap_or(usize::MAX));
        self.piece = bytes[..count].to_vec();
        self.used = 0;
        self.at += count as u64;
        self.next = link.next;
        Ok(true)
    }
}

impl<S: PageStore> Read for ChainReader<'_, S> {
    fn read(&mut self, into: &mut [u8]) -> std::io::Result<usize> {
        if self.used == self.piece.len() && !self.advance().map_err(std::io::Error::other)? {
            return Ok(0);
        }
        let count = into.len().min(self.piece.len() - self.used);
        into[..count].copy_from_slice(&self.piece[self.used..self.used + count]);
        self.used += count;
        Ok(count)
    }
}
