//! Destroying a tree, in steps that a crash may come between.
//!
//! First its directory entry is marked *dying*: from then on nobody finds the tree. Then the chains of its values are released, then its pages are
//! unlinked from the right, some with every record; what remains is a sound, smaller tree after each. The last record removes the root and the entry.
//! A tree found dying when a database opens is destroyed further before the next tree is made or destroyed.

use super::directory::{HOME, entry, key_of};
use super::walk::{Pins, WALK, sound, way_down};
use super::{Author, BTree, BTreeCursor, Spot};
use crate::change::Shape;
use crate::journal::Undo;
use crate::meta;
use crate::node::{self, Target};
use crate::space::Some4;
use crate::step::Step;
use crate::tree::Range;
use godb_buffer::slotted::{self, Slots};
use godb_buffer::{Fault, PageId, Pages, TreeId, header};
use std::ops::ControlFlow;

/// The most leaves that one record unlinks.
const BATCH: usize = 32;
/// The most free maps that unlinking leaves changes at once.
const MAPS: usize = 2;
/// How many keys with chains are remembered at a time.
const KEYS: usize = 256;

/// A page on the rightmost way down.
struct Edge {
    id: PageId,
    level: u8,
    cells: usize,
}

/// What one record unlinks.
struct Cutting {
    /// The page that loses children.
    page: PageId,
    /// How many cells it keeps; none when it becomes an empty leaf.
    keep: Option<usize>,
    /// The leaf that is the last one afterwards.
    last_leaf: Option<PageId>,
    freed: Vec<PageId>,
}

impl<P: Pages> BTree<P> {
    /// Goes on with trees whose destruction a crash or an error interrupted. Done by itself before trees are made or destroyed.
    pub fn finish_destroyed(&self) -> Result<(), Fault> {
        self.load_once()?;
        loop {
            let next = self
                .directory
                .dying
                .lock()
                .first_key_value()
                .map(|(&tree, _)| tree);
            let Some(tree) = next else { return Ok(()) };
            self.destroy_tree(Author::Nobody, tree)?;
        }
    }

    /// Destroys a tree, from the beginning or from where that was left. A tree that is not there is destroyed already.
    pub(super) fn destroy_tree(&self, author: Author, tree: TreeId) -> Result<(), Fault> {
        self.load_once()?;
        let _alone = self.changing_trees.lock();
        let Some((spot, dying)) = self.entry_of(tree)? else {
            self.directory.dying.lock().remove(&tree);
            return self.log_nothing(author);
        };
        if dying {
            self.log_nothing(author)?;
        } else {
            self.mark_dying(author, spot)?;
        }
        self.directory.bury(spot);
        self.release_chains(spot)?;
        while let Some(cutting) = self.next_cutting(spot)? {
            self.cut(spot, &cutting)?;
        }
        self.erase(spot)?;
        self.directory.dying.lock().remove(&tree);
        Ok(())
    }

    fn mark_dying(&self, author: Author, spot: Spot) -> Result<(), Fault> {
        let mut room = self.room(author, 512)?;
        let _admitted = self.pages.admit(WALK)?;
        let mut pins = Pins::new(&*self.pages);
        let (id, mut leaf) = self.leaf_of(&mut pins, &mut { HOME }, &key_of(spot.tree))?;
        let place = sound(
            id,
            Slots::of(&leaf).and_then(|slots| slots.search(&key_of(spot.tree))),
        )?;
        let Ok(at) = place else {
            return Ok(());
        };
        let mut step = Step::new();
        step.change(id, &mut leaf, |page| page.replace(at, &entry(spot, true)));
        step.commit(&mut room, author.by(), author.undo(&[]));
        Ok(())
    }

    fn release_chains(&self, spot: Spot) -> Result<(), Fault> {
        let mut cursor = BTreeCursor::new(spot, Range::ALL);
        loop {
            let mut keys: Vec<Vec<u8>> = Vec::new();
            let more = self.show_next(&mut cursor, |key, value| {
                if value.chain.is_some() {
                    keys.push(key.to_vec());
                }
                if keys.len() < KEYS {
                    ControlFlow::Continue(())
                } else {
                    ControlFlow::Break(())
                }
            })?;
            for key in keys {
                self.release_row(spot, &key)?;
            }
            if !more {
                return Ok(());
            }
        }
    }

    /// The pages from `id` down its right side. Nobody else uses the tree, so one latch at a time is enough.
    fn right_edge(&self, spot: Spot, id: PageId) -> Result<Vec<Edge>, Fault> {
        let mut edge: Vec<Edge> = Vec::new();
        let mut next = id;
        loop {
            let _admitted = self.pages.admit(1)?;
            let page = self.pages.read(next)?;
            let expected = edge.last().map(|above| above.level - 1);
            let level = node::expect(next, &page, spot.tree, expected)?;
            let cells = sound(next, Slots::of(&page))?.len();
            edge.push(Edge {
                id: next,
                level,
                cells,
            });
            if level == 0 {
                return Ok(edge);
            }
            let index = sound(next, node::child_index(&page, Target::Last))?;
            next = way_down(next, &page, index)?;
        }
    }

    /// A child of a page, looked at: what a damaged page leads to must not be freed.
    fn child_of(&self, spot: Spot, id: PageId, index: usize) -> Result<PageId, Fault> {
        let _admitted = self.pages.admit(1)?;
        let (child, level) = {
            let page = self.pages.read(id)?;
            (way_down(id, &page, index)?, header::level(&page))
        };
        let page = self.pages.read(child)?;
        node::expect(child, &page, spot.tree, level.checked_sub(1))?;
        Ok(child)
    }

    /// What to unlink next; `None` when only the root is left.
    fn next_cutting(&self, spot: Spot) -> Result<Option<Cutting>, Fault> {
        let edge = self.right_edge(spot, spot.root)?;
        if edge.len() == 1 {
            return Ok(None);
        }
        let Some(from) = edge.iter().rposition(|page| page.level > 0 && page.cells > 0) else {
            return Ok(Some(Cutting {
                page: spot.root,
                keep: None,
                last_leaf: None,
                freed: edge[1..].iter().map(|page| page.id).collect(),
            }));
        };
        let page = &edge[from];
        if page.level == 1 {
            return self.cut_leaves(spot, page.id, page.cells).map(Some);
        }
        let left = self.child_of(spot, page.id, page.cells - 1)?;
        Ok(Some(Cutting {
            page: page.id,
            keep: Some(page.cells - 1),
            last_leaf: self.right_edge(spot, left)?.last().map(|leaf| leaf.id),
            freed: edge[from + 1..].iter().map(|page| page.id).collect(),
        }))
    }

    /// The rightmost leaves of one page, as many as one record unlinks.
    fn cut_leaves(&self, spot: Spot, id: PageId, cells: usize) -> Result<Cutting, Fault> {
        let mut freed = Vec::new();
        let mut keep = cells;
        while keep > 0 && freed.len() < BATCH {
            freed.push(self.child_of(spot, id, keep)?);
            if self.maps_of(&freed).len() > MAPS {
                freed.pop();
                break;
            }
            keep -= 1;
        }
        Ok(Cutting {
            page: id,
            keep: Some(keep),
            last_leaf: Some(self.child_of(spot, id, keep)?),
            freed,
        })
    }

    fn cut(&self, spot: Spot, cutting: &Cutting) -> Result<(), Fault> {
        let map_ids: Some4 = self.maps_of(&cutting.freed);
        {
            let mut room = self.room(Author::Nobody, 2048 + 64 * cutting.freed.len())?;
            let _admitted = self.pages.admit(2 + map_ids.len())?;
            // The page comes before the leaf below it, and both are brought in first.
            let _page = self.pages.pin(cutting.page)?;
            let _leaf = cutting.last_leaf.map(|leaf| self.pages.pin(leaf)).transpose()?;
            let _maps = self.pin_maps(&map_ids)?;
            let mut page = self.pages.write(cutting.page)?;
            sound(cutting.page, slotted::verify(&page))?;
            let mut leaf = cutting.last_leaf.map(|leaf| self.pages.write(leaf)).transpose()?;
            let mut maps = self.latch_maps(&map_ids)?;
            let mut step = Step::new();
            match cutting.keep {
                Some(keep) => step.change(cutting.page, &mut page, |page| page.keep(keep)),
                None => step.make(cutting.page, &mut page, |page| {
                    page.format(Shape::empty_leaf(spot.tree));
                }),
            }
            if let (Some(id), Some(leaf)) = (cutting.last_leaf, &mut leaf) {
                step.change(id, leaf, |page| page.right(PageId::default()));
            }
            for page in &cutting.freed {
                step.free_unseen(*page);
            }
            self.set_bits(&mut step, &mut maps, &cutting.freed, false);
            step.commit(&mut room, None, Undo::Never);
        }
        self.let_go(&cutting.freed);
        Ok(())
    }

    /// Removes the root, which is an empty leaf or nearly so, and the directory's entry.
    fn erase(&self, spot: Spot) -> Result<(), Fault> {
        let map_ids = self.maps_of(&[spot.root]);
        {
            let mut room = self.room(Author::Nobody, 1024)?;
            let _admitted = self.pages.admit(WALK + 3)?;
            let _meta = self.pages.pin(meta::PAGE)?;
            let _maps = self.pin_maps(&map_ids)?;
            let mut pins = Pins::new(&*self.pages);
            let (id, mut leaf) = self.leaf_of(&mut pins, &mut { HOME }, &key_of(spot.tree))?;
            let place = sound(
                id,
                Slots::of(&leaf).and_then(|slots| slots.search(&key_of(spot.tree))),
            )?;
            let Ok(at) = place else {
                return Ok(());
            };
            let mut counts = self.pages.write(meta::PAGE)?;
            sound(meta::PAGE, meta::read(&counts))?;
            let mut maps = self.latch_maps(&map_ids)?;
            let mut step = Step::new();
            step.change(id, &mut leaf, |page| page.remove(at));
            step.change(meta::PAGE, &mut counts, |page| {
                page.count(TreeId::default(), 0, -1);
            });
            step.free_unseen(spot.root);
            self.set_bits(&mut step, &mut maps, &[spot.root], false);
            step.commit(&mut room, None, Undo::Never);
        }
        self.let_go(&[spot.root]);
        self.tidy(Author::Nobody, HOME, &key_of(spot.tree))
    }
}
