//! [`Directory`]: which trees there are and where their roots are.
//!
//! The truth is a tree itself, tree 1 with its root at page 3: tree id → root page and state. What is kept in memory is a copy, read once when
//! the file is opened: a root never moves, so an entry changes only when a tree comes or goes.

use super::walk::{Pins, WALK, sound};
use super::{Author, BTree, Spot};
use crate::change::Shape;
use crate::codec::bad_record;
use crate::logical::{self, Operation};
use crate::map;
use crate::meta::{self, DIRECTORY, DIRECTORY_ROOT};
use crate::node::{self, Cell};
use crate::step::Step;
use crate::tree::{Range, Value};
use arc_swap::ArcSwap;
use godb_buffer::slotted::{self, Slots};
use godb_buffer::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use godb_buffer::sync::{Arc, Mutex};
use godb_buffer::{Fault, PageId, Pages, TreeId, TxnId};
use std::collections::{BTreeMap, HashMap};
use std::ops::ControlFlow;

const LIVING: u8 = 0;
const DYING: u8 = 1;

/// The directory's own place.
pub(super) const HOME: Spot = Spot {
    tree: DIRECTORY,
    root: DIRECTORY_ROOT,
    seen: 0,
};

/// The copy in memory.
pub(super) struct Directory {
    /// Read by everybody all the time, replaced when a tree comes or goes.
    roots: ArcSwap<HashMap<TreeId, PageId>>,
    /// How many roots have moved. Counted while the old root is latched, so that whoever latches it afterwards sees it.
    moves: AtomicU64,
    /// Trees that a crash or an error kept from being destroyed to the end.
    pub(super) dying: Mutex<BTreeMap<TreeId, PageId>>,
    /// The next id; changes under the lock of `changing_trees`.
    next: Mutex<TreeId>,
    loaded: AtomicBool,
    loading: Mutex<()>,
}

impl Default for Directory {
    fn default() -> Self {
        Self {
            roots: ArcSwap::default(),
            moves: AtomicU64::new(0),
            dying: Mutex::new(BTreeMap::new()),
            next: Mutex::new(TreeId::default()),
            loaded: AtomicBool::new(false),
            loading: Mutex::new(()),
        }
    }
}

impl Directory {
    pub(super) fn living(&self) -> Vec<TreeId> {
        let mut trees: Vec<TreeId> = self.roots.load().keys().copied().collect();
        trees.sort_unstable();
        trees
    }

    fn root(&self, tree: TreeId) -> Option<PageId> {
        self.roots.load().get(&tree).copied()
    }

    /// Changes the roots.
    fn change<R>(&self, change: impl Fn(&mut HashMap<TreeId, PageId>) -> R) {
        self.roots.rcu(|roots| {
            let mut roots = HashMap::clone(roots);
            change(&mut roots);
            roots
        });
    }

    /// Whether a tree still begins where it did when its place was looked up. Asked with its root latched, and good for as long as it is.
    pub(super) fn is_current(&self, spot: Spot) -> bool {
        let moves = self.moves.load(Ordering::Acquire);
        spot.tree == DIRECTORY || moves == spot.seen || cfg!(godb_plant = "trust-spot")
    }

    /// Where a tree is now that may have moved.
    pub(super) fn look_again(&self, spot: Spot) -> Spot {
        let seen = self.moves.load(Ordering::Acquire);
        let root = self
            .root(spot.tree)
            .or_else(|| self.dying.lock().get(&spot.tree).copied());
        Spot {
            root: root.unwrap_or(spot.root),
            seen,
            ..spot
        }
    }

    /// A root has another place. Called with the old one latched.
    pub(super) fn root_moved(&self, tree: TreeId, to: PageId) {
        self.change(|roots| roots.insert(tree, to));
        self.moves.fetch_add(1, Ordering::AcqRel);
    }

    /// From now on nobody finds the tree but its destroyer.
    pub(super) fn bury(&self, spot: Spot) {
        self.change(|roots| roots.remove(&spot.tree));
        self.dying.lock().insert(spot.tree, spot.root);
    }
}

/// The key of a tree in the directory.
pub(super) fn key_of(tree: TreeId) -> [u8; 4] {
    tree.raw().to_be_bytes()
}

/// The cell of a tree in the directory.
pub(super) fn entry(spot: Spot, dying: bool) -> Cell {
    let mut value = [0; 5];
    value[..4].copy_from_slice(&spot.root.raw().to_le_bytes());
    value[4] = if dying { DYING } else { LIVING };
    node::leaf_cell(&key_of(spot.tree), Value::inline(&value))
}

/// What an entry says: the tree's place, and whether it is dying.
pub(crate) fn read_entry(key: &[u8], value: &[u8]) -> Result<(Spot, bool), Fault> {
    let tree = <[u8; 4]>::try_from(key).ok();
    let value = <[u8; 5]>::try_from(value).ok();
    let (Some(tree), Some([a, b, c, d, state])) = (tree, value) else {
        return Err(bad_record(
            "the directory of trees holds a row that is none of its own",
        ));
    };
    let spot = Spot {
        tree: TreeId::from_raw(u32::from_be_bytes(tree)),
        root: PageId::from_raw(u32::from_le_bytes([a, b, c, d])),
        seen: 0,
    };
    Ok((spot, state == DYING))
}

impl<P: Pages> BTree<P> {
    /// Where a tree is, if there is one.
    pub(super) fn find_spot(&self, tree: TreeId) -> Result<Option<Spot>, Fault> {
        // The count first: a root that moves in between is then looked up once more.
        let seen = self.directory.moves.load(Ordering::Acquire);
        if let Some(root) = self.directory.root(tree) {
            return Ok(Some(Spot { tree, root, seen }));
        }
        self.load_once()?;
        Ok(self.directory.root(tree).map(|root| Spot { tree, root, seen }))
    }

    /// Where a tree is.
    pub(super) fn spot(&self, tree: TreeId) -> Result<Spot, Fault> {
        let missing = || bad_record("there is no tree of that number");
        self.find_spot(tree)?.ok_or_else(missing)
    }

    /// Reads what is kept in memory, unless that was done.
    pub(super) fn load_once(&self) -> Result<(), Fault> {
        if self.directory.loaded.load(Ordering::Acquire) {
            return Ok(());
        }
        let _one_at_a_time = self.directory.loading.lock();
        if self.directory.loaded.load(Ordering::Acquire) {
            return Ok(());
        }
        self.read_all()
    }

    /// Reads what is kept in memory, again if need be.
    pub(super) fn load(&self) -> Result<(), Fault> {
        let _one_at_a_time = self.directory.loading.lock();
        self.read_all()
    }

    fn read_all(&self) -> Result<(), Fault> {
        let counts = self.counts()?;
        self.space.clear();
        for group in 0..counts.maps {
            let id = map::of_group(self.page_size(), group);
            let _admitted = self.pages.admit(1)?;
            let page = self.pages.read(id)?;
            self.space.extend(sound(id, map::bits(&page))?, map::fixed(group));
        }
        let mut living = HashMap::new();
        let mut dying = BTreeMap::new();
        for (spot, dies) in self.entries()? {
            if dies {
                dying.insert(spot.tree, spot.root);
            } else {
                living.insert(spot.tree, spot.root);
            }
        }
        self.directory.roots.store(Arc::new(living));
        *self.directory.dying.lock() = dying;
        *self.directory.next.lock() = counts.next_tree;
        self.directory.loaded.store(true, Ordering::Release);
        Ok(())
    }

    /// Every row of the directory.
    pub(super) fn entries(&self) -> Result<Vec<(Spot, bool)>, Fault> {
        let mut found = Vec::new();
        let mut cursor = super::BTreeCursor::new(HOME, Range::ALL);
        while self.show_next(&mut cursor, |key, value| {
            found.push(read_entry(key, value.inline));
            ControlFlow::Continue(())
        })? {}
        found.into_iter().collect()
    }

    /// What the directory says of one tree.
    pub(super) fn entry_of(&self, tree: TreeId) -> Result<Option<(Spot, bool)>, Fault> {
        let key = key_of(tree);
        let found = self.get_row(HOME, &key, |value| read_entry(&key, value.inline))?;
        found.transpose()
    }

    /// Makes an empty tree: root, directory entry, counters and free map in one record.
    pub(super) fn create_tree(&self, by: TxnId) -> Result<TreeId, Fault> {
        self.finish_destroyed()?;
        let _alone = self.changing_trees.lock();
        let tree = *self.directory.next.lock();
        let Some(next) = tree.raw().checked_add(1) else {
            return Err(Fault::Full {
                file: crate::codec::FILE.into(),
                what: "every number that a tree can have was given out".into(),
            });
        };
        let key = key_of(tree);
        let bytes = 4 + key.len() + 5;
        let next = TreeId::from_raw(next);
        while !self.try_create(by, tree, next)? {
            let need = super::split::Need { key: &key, bytes };
            self.split(Author::Forward(by), HOME, 0, need)?;
        }
        *self.directory.next.lock() = next;
        Ok(tree)
    }

    fn try_create(&self, by: TxnId, tree: TreeId, next: TreeId) -> Result<bool, Fault> {
        let author = Author::Forward(by);
        let mut new = self.reserve(author, 1)?;
        let root_id = new.pages()[0];
        let spot = Spot {
            tree,
            root: root_id,
            seen: 0,
        };
        let cell = entry(spot, false);
        let map_ids = self.maps_of(new.pages());
        let mut room = self.room(author, 1024)?;
        let _admitted = self.pages.admit(WALK + 4)?;
        let _meta = self.pages.pin(meta::PAGE)?;
        let _maps = self.pin_maps(&map_ids)?;
        let mut pins = Pins::new(&*self.pages);
        let (leaf_id, mut leaf) = self.leaf_of(&mut pins, &mut { HOME }, &key_of(tree))?;
        if !sound(leaf_id, slotted::fits(&leaf, cell.len(), None))? {
            return Ok(false);
        }
        let place = sound(
            leaf_id,
            Slots::of(&leaf).and_then(|slots| slots.search(&key_of(tree))),
        )?;
        let Err(at) = place else {
            return Err(bad_record("the next number of a tree is in use"));
        };
        super::split::refuse_in_use(new.pages(), &[leaf_id])?;
        let mut root = self.pages.fresh(root_id)?;
        let mut counts = self.pages.write(meta::PAGE)?;
        sound(meta::PAGE, meta::read(&counts))?;
        let mut maps = self.latch_maps(&map_ids)?;
        let back = logical::encode(tree, &Operation::Destroy);
        let mut step = Step::new();
        step.change(leaf_id, &mut leaf, |page| page.insert(at, &cell));
        step.make(root_id, &mut root, |page| page.format(Shape::empty_leaf(tree)));
        step.change(meta::PAGE, &mut counts, |page| page.count(next, 0, 1));
        self.set_bits(&mut step, &mut maps, new.pages(), true);
        step.commit(&mut room, Some(by), author.undo(&back));
        new.spend(1);
        self.directory.change(|roots| roots.insert(tree, root_id));
        Ok(true)
    }
}
