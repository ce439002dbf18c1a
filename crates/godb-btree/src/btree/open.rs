//! Making the first pages of a file, and opening one that has them.

use super::BTree;
use super::directory::Directory;
use super::still::Still;
use crate::change::Shape;
use crate::journal::{Journal, Undo};
use crate::space::Space;
use crate::step::Step;
use crate::{map, meta};
use godb_buffer::sync::{Arc, Mutex, RwLock};
use godb_buffer::{Fault, PageId, Pages, TreeId};

/// The pages below: two of the file header, the meta page, the directory's root, the first map.
const FIRST_PAGES: u32 = 5;
/// The first id that a tree of the user gets.
const FIRST_TREE: TreeId = TreeId::from_raw(2);

impl<P: Pages> BTree<P> {
    /// Makes the meta page, an empty directory and the first free map, as one journaled change, in a file that has nothing of the kind.
    pub fn create(pages: Arc<P>, journal: Arc<dyn Journal>) -> Result<Self, Fault> {
        pages.ensure_capacity(FIRST_PAGES)?;
        let this = Self::open(pages, journal);
        this.format()?;
        this.load()?;
        Ok(this)
    }

    /// Takes over a file that [`create`](Self::create) made. Reads nothing yet, for the file may first need redo: call
    /// [`redo`](crate::Tree::redo) for what the log holds, then [`redone`](crate::Tree::redone). Without a log to redo the first use reads what
    /// is needed.
    pub fn open(pages: Arc<P>, journal: Arc<dyn Journal>) -> Self {
        Self {
            pages,
            journal,
            space: Space::default(),
            directory: Directory::default(),
            changing_trees: Mutex::new(()),
            growing: Mutex::new(()),
            resizing: RwLock::new(()),
            compacting: Mutex::new(()),
            behind: Mutex::default(),
            still: Still::default(),
        }
    }

    fn format(&self) -> Result<(), Fault> {
        let mut room = self.journal.reserve(1024)?;
        let _admitted = self.pages.admit(3)?;
        let mut root = self.pages.fresh(meta::DIRECTORY_ROOT)?;
        let mut counts = self.pages.fresh(meta::PAGE)?;
        let mut first_map = self.pages.fresh(map::FIRST)?;
        let taken: Vec<PageId> = (0..FIRST_PAGES).map(PageId::from_raw).collect();
        let mut step = Step::new();
        step.make(meta::DIRECTORY_ROOT, &mut root, |page| {
            page.format(Shape::empty_leaf(meta::DIRECTORY));
        });
        step.make(meta::PAGE, &mut counts, |page| {
            page.meta();
            page.count(FIRST_TREE, 1, 0);
        });
        step.make(map::FIRST, &mut first_map, |page| {
            page.map();
            page.take(&taken);
        });
        step.commit(&mut room, None, Undo::Never);
        Ok(())
    }
}
