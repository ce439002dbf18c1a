//! Ordered trees of pages.
//!
//! # The problem
//!
//! Keep many ordered maps from bytes to bytes in one file of fixed pages: find a key with a few page reads among millions, walk a range in
//! either direction, let many threads read and change the same tree at once, hold values of any size up to a gibibyte, and
//! survive a crash between any two instructions.
//!
//! # The structure
//!
//! A B⁺-tree (Bayer and McCreight 1972; Comer's *The Ubiquitous B-Tree*, 1979). Rows live in leaves only; inner pages hold short separators and the numbers of their
//! children. With 8 KiB pages an inner page has some hundreds of children, so three levels hold tens of millions of rows, and all but the
//! leaves stay in memory. The pages themselves are [slotted](godb_buffer::slotted). A value longer than a quarter of a page keeps its beginning, if any, in the leaf
//! and the rest in a [chain](Chain) of overflow pages.
//!
//! ```text
//!   meta (2)   directory (3)          maps (4, …)
//!                 │ tree id → root
//!                 ▼
//!               root ──────────────┐
//!              /    \              │  separators: everything right of one is not below it
//!          inner    inner ─────────┘
//!          /   \    /   \
//!       leaf → leaf → leaf → leaf     right links: a scan need not go up again
//! ```
//!
//! # Many threads
//!
//! Latches protect pages for microseconds; locks, which protect rows for transactions, are two crates further up. A descent *couples*: it waits for the child's
//! latch while it holds the parent's, shared ones all the way, so nobody can change the way under its feet. Only the leaf of a writer is
//! latched exclusively. When a leaf is full the writer comes back for the parent and the child, exclusively, and for nothing else; when the parent is full
//! too it is split first, in a record of its own. Latches are taken downward and to the right, free maps last: so nobody waits in a circle.
//! Lehman and Yao's links (1981) would let readers go without coupling; but then pages could not be merged and reused at once, and it
//! is the merging that keeps a file from growing for ever. Optimistic descents without shared latches (Leis 2016) are the next step
//! where many cores read one root; they need atomics all over the page.
//!
//! Nobody holds a latch while the disk works. A descent that meets a page which is not in memory lets everything go, has the page brought
//! in and pinned, and starts again. With the upper levels in memory that happens once per operation, at the leaf.
//!
//! # Survival
//!
//! Every change is described to the [`Journal`] before it is made, and made by the function that redo uses (`step`, `change`). There
//! are two kinds. A **row change** belongs to a transaction and carries the *logical* way back: put this value, remove that key. By the
//! time a transaction rolls back its row may have moved to another page, so undo goes by the key. A **structure change** (split, merge, a root that grows)
//! belongs to nobody and is never undone: rows of other transactions moved in it. It is one record over all its pages, so redo finds all of it or
//! nothing; and each page's part is enough for that page alone, so redo can look at one page after the other. This is ARIES/IM
//! (Mohan and Levine 1992), with records in the place of nested top actions.
//!
//! Page allocation is part of the same records: a page becomes taken with the record that links it, free with the one that unlinks it. There
//! is no moment at which a crash could lose a page or use one twice. The free list in memory is a copy, from which pages are reserved beforehand.
//!
//! Redo is *strict*: a step is made only on a page that stands at the LSN where the step began. A freed page need not be written any more, so after a
//! crash its bytes may be too old for a step on it; then it is left alone, and the record that frees it makes that right. If nothing does, a write was lost, and
//! recovery says so instead of building on it.
//!
//! # Invariants
//!
//! - A root moves only together with its entry in the directory, and whoever reads it knows whether it has.
//! - After every single record each tree is sound, apart from room: keys ascend, lie within the separators above them, and every page is linked from exactly
//!   one place. [`BTree::check`] verifies that.
//! - A page that is freed was latched together with its left neighbour and its parent, or belongs to a tree or a chain that nobody can find.
//! - Between a record and the last byte it describes nothing can fail: pages are checked when they are latched.
//! - Log space, admission to the pool and page numbers are had before the first latch.
//!
//! # Left out, and why
//!
//! Leaves have no left link: it would have to be changed in a page that a split has not latched; backward scans descend instead. Keys are not cut
//! where they share a prefix (see the slotted page). A removal does not move rows between neighbours, it only merges: a leaf between two full ones may stay
//! sparse until they shrink, or until a [compaction](Compaction) packs it.
//!
//! # Where to read
//!
//! [`MemoryTree`] first: the whole contract in one screenful of maps. Then `btree/walk.rs`, `btree/row.rs`, `btree/split.rs`, `btree/merge.rs`,
//! `btree/scan.rs` and `btree/compact.rs`, each one idea; `btree/tests/lesson.rs` shows a tree growing and shrinking.

mod btree;
mod change;
mod chunk;
mod codec;
mod journal;
mod logical;
mod map;
mod memory;
mod meta;
mod node;
mod overflow;
mod space;
mod step;
#[cfg(any(test, feature = "testing"))]
pub mod testing;
mod tree;
mod wreck;

pub use btree::{
    BTree, BTreeCursor, Check, Compaction, CompactionPhase, CompactionProgress, Finding, TreeStatistics,
    Wrong,
};
pub use godb_buffer::sync;
pub use godb_buffer::{
    Clock, DatabaseId, Environment, Fault, File, FileLock, FileSystem, Joining, LogBarrier, Lsn, ManualClock,
    MemoryFileSystem, OpenMode, PageId, Random, SeededRandom, Spawn, TreeId, TxnId,
};
pub use godb_buffer::{Crash, Effect, Injection, Operations, SimulatedDisk, Tear};
pub use journal::{Change, Journal, NoJournal, Room, Undo, UndoNext, size_of_change, size_of_rollback};
pub use memory::{MemoryCursor, MemoryTree};
pub use tree::{Amended, Chain, MAX_HEAD, NewHead, PageChange, Range, Row, Tree, Value};
pub use wreck::{ChainReader, Redone, Wreck, WreckedValue, is_page_in_use};

/// Refuses a size beyond a limit of the format.
fn too_large(what: &'static str, got: usize, limit: usize) -> Result<(), Fault> {
    if got <= limit {
        return Ok(());
    }
    Err(Fault::TooLarge {
        what,
        got: got as u64,
        limit: limit as u64,
    })
}
