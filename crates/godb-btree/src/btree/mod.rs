//! [`BTree`]: the trees on pages. This file holds the parts together; each operation has a file of its own.

mod ahead;
mod amend;
mod append;
mod chain;
mod check;
mod compact;
mod destroy;
mod directory;
mod merge;
mod open;
mod redo;
mod row;
mod run;
mod scan;
mod space;
mod split;
mod spread;
mod still;
mod walk;

pub use check::{Check, Finding, TreeStatistics, Wrong};
pub use compact::{Compaction, CompactionPhase, CompactionProgress};
pub(crate) use directory::read_entry;
pub use scan::BTreeCursor;

use crate::journal::{Journal, Undo, UndoNext};
use crate::logical::{self, Operation};
use crate::node;
use crate::space::Space;
use crate::too_large;
use crate::tree::{Amended, Chain, NewHead, PageChange, Range, Row, Tree, Value};
use directory::Directory;
use godb_buffer::sync::{Arc, Mutex, RwLock};
use godb_buffer::{Fault, Lsn, PageId, Pages, TreeId, TxnId};
use std::collections::BTreeMap;
use std::io::Read;
use std::ops::ControlFlow;
use still::{Still, Working};

/// Ordered trees on the pages of one file.
pub struct BTree<P: Pages> {
    pages: Arc<P>,
    journal: Arc<dyn Journal>,
    space: Space,
    directory: Directory,
    /// Held while the set of trees changes.
    changing_trees: Mutex<()>,
    /// Held while a free map is added.
    growing: Mutex<()>,
    /// Held shared while pages are handed out and the file is made to reach them, exclusively while its end is cut off.
    resizing: RwLock<()>,
    /// Held by whoever compacts, for one step.
    compacting: Mutex<()>,
    /// Pages on which redo could not make a change, and the first such change.
    behind: Mutex<BTreeMap<PageId, Behind>>,
    still: Still,
}

/// A page on which redo could not make a change.
struct Behind {
    /// The first such change.
    lsn: Lsn,
    /// Why the page could not be read, if that was it.
    unreadable: Option<Fault>,
}

/// A tree and where it begins.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Spot {
    pub(crate) tree: TreeId,
    pub(crate) root: PageId,
    /// How many roots had moved when this was looked up. It holds as long as no other has, which a descent asks when it has the root latched.
    pub(crate) seen: u64,
}

/// On whose behalf a change is made, and so how it is logged.
#[derive(Clone, Copy, Debug)]
enum Author {
    /// A transaction at work.
    Forward(TxnId),
    /// A transaction that is being rolled back, and where that goes on.
    Backward(TxnId, UndoNext),
    /// Nobody: the change stays, whatever becomes of anybody.
    Nobody,
}

impl Author {
    fn by(self) -> Option<TxnId> {
        match self {
            Self::Forward(by) | Self::Backward(by, _) => Some(by),
            Self::Nobody => None,
        }
    }

    /// How the change that `back` would take back is logged.
    fn undo(self, back: &[u8]) -> Undo<'_> {
        match self {
            Self::Forward(_) => Undo::Logical(back),
            Self::Backward(_, resume) => Undo::Compensates(resume),
            Self::Nobody => Undo::Never,
        }
    }

    /// The same for several rows at once, which `back` takes back one by one.
    fn undo_run(self, back: &[u8], rows: u16) -> Undo<'_> {
        match self.undo(back) {
            Undo::Logical(back) => Undo::Run(back, rows),
            undo => undo,
        }
    }
}

impl<P: Pages> BTree<P> {
    /// The pages that the trees live on.
    #[must_use]
    pub fn pages(&self) -> &Arc<P> {
        &self.pages
    }

    fn page_size(&self) -> usize {
        self.pages.page_size()
    }

    /// Log space for one step of `author`. Taken before admission, and both before the first latch.
    fn room(&self, author: Author, bytes: usize) -> Result<Working<'_>, Fault> {
        let room = match author {
            Author::Backward(..) => self.journal.reserve_undo(bytes),
            Author::Forward(_) | Author::Nobody => self.journal.reserve(bytes),
        }?;
        Ok(self.still.work(room))
    }

    /// Names tree and file of damage that an operation met.
    fn located<R>(&self, tree: TreeId, result: Result<R, Fault>) -> Result<R, Fault> {
        result.map_err(|fault| fault.in_tree(tree).in_file(self.pages.file_name()))
    }

    /// Logs that an undo had nothing to do, so that it is not tried again.
    fn log_nothing(&self, author: Author) -> Result<(), Fault> {
        if let Author::Backward(by, _) = author {
            let mut room = self.room(author, 128)?;
            room.append(&crate::journal::Change {
                by: Some(by),
                pages: &[],
                undo: author.undo(&[]),
            });
        }
        Ok(())
    }
}

impl<P: Pages> Tree for BTree<P> {
    type Cursor = BTreeCursor;

    fn max_key(&self) -> usize {
        node::max_part(self.page_size())
    }

    fn max_inline(&self) -> usize {
        node::max_part(self.page_size())
    }

    fn create(&self, by: TxnId) -> Result<TreeId, Fault> {
        self.create_tree(by)
    }

    fn destroy(&self, tree: TreeId) -> Result<(), Fault> {
        self.finish_destroyed()?;
        self.destroy_tree(Author::Nobody, tree)
    }

    fn trees(&self) -> Result<Vec<TreeId>, Fault> {
        self.load_once()?;
        Ok(self.directory.living())
    }

    fn get<R>(
        &self,
        tree: TreeId,
        key: &[u8],
        show: impl FnOnce(Value<'_>) -> R,
    ) -> Result<Option<R>, Fault> {
        self.located(
            tree,
            self.spot(tree).and_then(|spot| self.get_row(spot, key, show)),
        )
    }

    fn put(&self, by: TxnId, tree: TreeId, key: &[u8], value: Value<'_>) -> Result<(), Fault> {
        too_large("a key", key.len(), self.max_key())?;
        too_large("a value in a leaf", value.inline.len(), self.max_inline())?;
        let put = |spot| self.put_row(Author::Forward(by), spot, key, value);
        self.located(tree, self.spot(tree).and_then(put))
    }

    fn amend(
        &self,
        by: TxnId,
        tree: TreeId,
        key: &[u8],
        decide: impl FnOnce(Value<'_>) -> Option<NewHead>,
    ) -> Result<Amended, Fault> {
        let amend = |spot| self.amend_row(Author::Forward(by), spot, key, decide);
        self.located(tree, self.spot(tree).and_then(amend))
    }

    fn add(
        &self,
        by: TxnId,
        tree: TreeId,
        rows: &[Row<'_>],
        present: &mut dyn FnMut(usize),
    ) -> Result<(), Fault> {
        for row in rows {
            too_large("a key", row.key.len(), self.max_key())?;
            too_large("a value in a leaf", row.value.inline.len(), self.max_inline())?;
        }
        debug_assert!(rows.is_sorted_by(|one, next| one.key < next.key));
        let add = |spot| self.add_run(Author::Forward(by), spot, rows, present);
        self.located(tree, self.spot(tree).and_then(add))
    }

    fn expect(&self, tree: TreeId, key: &[u8]) {
        if let Ok(spot) = self.spot(tree) {
            self.approach_leaf(spot, key);
        }
    }

    fn put_new(&self, by: TxnId, tree: TreeId, key: &[u8], value: Value<'_>) -> Result<bool, Fault> {
        too_large("a key", key.len(), self.max_key())?;
        too_large("a value in a leaf", value.inline.len(), self.max_inline())?;
        let put = |spot| self.put_new_row(Author::Forward(by), spot, key, value);
        self.located(tree, self.spot(tree).and_then(put))
    }

    fn remove(&self, by: TxnId, tree: TreeId, key: &[u8]) -> Result<bool, Fault> {
        let remove = |spot| self.remove_row(Author::Forward(by), spot, key);
        self.located(tree, self.spot(tree).and_then(remove))
    }

    fn write_chain(&self, by: TxnId, tree: TreeId, from: &mut dyn Read, limit: u64) -> Result<Chain, Fault> {
        let store = |_| self.store_chain(by, tree, from, limit);
        self.located(tree, self.spot(tree).and_then(store))
    }

    fn read_chain(
        &self,
        chain: Chain,
        at: u64,
        hint: &mut Option<(u64, PageId)>,
        into: &mut [u8],
    ) -> Result<usize, Fault> {
        let shown = self.show_chain(chain, at, hint, into);
        shown.map_err(|fault| fault.in_file(self.pages.file_name()))
    }

    fn release(&self, tree: TreeId, key: &[u8]) -> Result<bool, Fault> {
        self.located(tree, self.spot(tree).and_then(|spot| self.release_row(spot, key)))
    }

    fn purge(
        &self,
        tree: TreeId,
        key: &[u8],
        dead: impl FnMut(&[u8], Value<'_>) -> bool,
    ) -> Result<Option<Vec<u8>>, Fault> {
        let purge = |spot| self.purge_leaf(spot, key, dead);
        self.located(tree, self.spot(tree).and_then(purge))
    }

    fn seek(&self, tree: TreeId, range: Range<'_>) -> Result<Self::Cursor, Fault> {
        self.located(tree, self.spot(tree).map(|spot| BTreeCursor::new(spot, range)))
    }

    fn next(
        &self,
        at: &mut Self::Cursor,
        show: impl FnMut(&[u8], Value<'_>) -> ControlFlow<()>,
    ) -> Result<bool, Fault> {
        let tree = at.tree();
        let shown = self.show_next(at, show);
        self.located(tree, shown)
    }

    fn redo(&self, lsn: Lsn, page: PageId, change: &[u8]) -> Result<(), Fault> {
        self.redo_page(lsn, page, change)
    }

    fn redo_all(&self, page: PageId, changes: &[PageChange<'_>]) -> Result<(), Fault> {
        self.redo_changes(page, changes)
    }

    fn redone(&self) -> Result<(), Fault> {
        self.check_all_caught_up()?;
        self.load()
    }

    fn undo(&self, by: TxnId, change: &[u8], at: UndoNext, next: Lsn) -> Result<(), Fault> {
        let author = Author::Backward(by, UndoNext::at(next));
        let (tree, operation) = logical::decode(change)?;
        logical::check_done(&operation, at.done)?;
        match (operation, self.find_spot(tree)?) {
            (Operation::RemoveRun(run), Some(spot)) => self.remove_run(by, spot, run, at, next),
            (Operation::Free(page), _) => self.free_overflow(author, page),
            (Operation::Destroy, _) => self.destroy_tree(author, tree),
            (Operation::Put(key, value), Some(spot)) => self.put_row(author, spot, key, value),
            (Operation::Amend(key, cut, with), Some(spot)) => self.amend_back(author, spot, key, cut, with),
            (Operation::Remove(key), Some(spot)) => self.remove_row(author, spot, key).map(drop),
            (_, None) => self.log_nothing(author),
            (_, Some(_)) => Err(crate::codec::bad_record("an operation that no undo asks for")),
        }
    }

    fn compact_some(&self, at: &mut Compaction) -> Result<bool, Fault> {
        self.compact_step(at)
    }

    fn free_end(&self) -> Result<(), Fault> {
        self.begin_cut()
    }

    fn cut_free_end(&self) -> Result<Option<u64>, Fault> {
        self.cut_end()
    }

    fn redo_from(&self) -> Option<Lsn> {
        self.pages.oldest_dirty()
    }

    fn flush(&self) -> Result<(), Fault> {
        self.pages.flush()
    }
}

#[cfg(test)]
mod tests;
