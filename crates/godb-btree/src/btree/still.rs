//! [`Still`]: how a check keeps a tree still while it walks it, and knows afterwards what moved while it did not.
//!
//! Every change of a page is made in a [`Room`] of the log, and between two of them each tree is sound. So a check needs no more than that nobody has a room:
//! writers hold the gate shared as long as theirs, the check exclusively as long as it walks one tree. Readers never meet the gate.
//!
//! Between two trees writers go on, and pages change hands: they are allocated, freed, and a chain of overflow pages goes with its value from one tree to
//! another, by its head. Who owns *those* pages cannot be told from walks at different moments, and need not be: they are noted here, and not judged.

use crate::journal::Room;
use godb_buffer::PageId;
use godb_buffer::sync::atomic::{AtomicU32, Ordering};
use godb_buffer::sync::{Mutex, RwLock, RwLockReadGuard, RwLockWriteGuard};
use std::collections::HashSet;
use std::ops::{Deref, DerefMut};

/// The gate, and what passed it while somebody watched.
#[derive(Default)]
pub(super) struct Still {
    gate: RwLock<()>,
    watchers: AtomicU32,
    moved: Mutex<Moved>,
    /// The heads of chains that no row refers to.
    loose: Mutex<HashSet<PageId>>,
}

/// What changed hands.
#[derive(Default)]
pub(super) struct Moved {
    /// Pages that were allocated or freed.
    pages: HashSet<PageId>,
    /// Heads of chains that a row got or lost.
    chains: HashSet<PageId>,
}

impl Moved {
    /// Whether a page may have another owner than it was seen to have. `chain` is the head of the chain that it is part of.
    pub(super) fn has(&self, page: PageId, chain: Option<PageId>) -> bool {
        self.pages.contains(&page) || chain.is_some_and(|head| self.chains.contains(&head))
    }

    /// How many pages and chains moved.
    pub(super) fn count(&self) -> usize {
        self.pages.len() + self.chains.len()
    }
}

/// Room in the log to make a change, and the right to make it now.
pub(super) struct Working<'a> {
    room: Room<'a>,
    _going: RwLockReadGuard<'a, ()>,
}

impl<'a> Deref for Working<'a> {
    type Target = Room<'a>;

    fn deref(&self) -> &Room<'a> {
        &self.room
    }
}

impl<'a> DerefMut for Working<'a> {
    fn deref_mut(&mut self) -> &mut Room<'a> {
        &mut self.room
    }
}

/// Notes what moves, as long as it lives.
pub(super) struct Watch<'a> {
    still: &'a Still,
}

impl Drop for Watch<'_> {
    fn drop(&mut self) {
        let mut moved = self.still.moved.lock();
        if self.still.watchers.fetch_sub(1, Ordering::AcqRel) == 1 {
            *moved = Moved::default();
        }
    }
}

impl Still {
    /// Waits until no check keeps the trees still.
    pub(super) fn work<'a>(&'a self, room: Room<'a>) -> Working<'a> {
        Working {
            room,
            _going: self.gate.read(),
        }
    }

    /// Waits until nobody is changing anything, and keeps it so.
    pub(super) fn keep(&self) -> RwLockWriteGuard<'_, ()> {
        self.gate.write()
    }

    /// Notes from now on what moves.
    pub(super) fn watch(&self) -> Watch<'_> {
        let _before = self.keep();
        self.watchers.fetch_add(1, Ordering::AcqRel);
        Watch { still: self }
    }

    fn watched(&self) -> bool {
        self.watchers.load(Ordering::Acquire) > 0
    }

    /// Pages are being allocated or freed. Called in a room.
    pub(super) fn pages_move(&self, pages: &[PageId]) {
        if self.watched() {
            self.moved.lock().pages.extend(pages);
        }
    }

    /// Whether a page was allocated or freed since the watch began.
    pub(super) fn has_moved(&self, page: PageId) -> bool {
        self.moved.lock().pages.contains(&page)
    }

    /// A row gets the chain of this head. Called in a room.
    pub(super) fn chain_placed(&self, head: PageId) {
        self.loose.lock().remove(&head);
        self.chain_moves(head);
    }

    /// A chain has no row: it is being written, or its row got another value, and it is about to get another place. Called in a room.
    pub(super) fn chain_loose(&self, head: PageId) {
        self.loose.lock().insert(head);
        self.chain_moves(head);
    }

    /// The first page of a chain that no row got is freed. Called in a room.
    pub(super) fn chain_freed(&self, head: PageId) {
        self.loose.lock().remove(&head);
    }

    fn chain_moves(&self, head: PageId) {
        if self.watched() {
            self.moved.lock().chains.insert(head);
        }
    }

    /// What moved since the watch began, chains included that no row refers to. To be asked while everything is kept still.
    pub(super) fn moved(&self) -> Moved {
        let moved = self.moved.lock();
        let mut chains = moved.chains.clone();
        chains.extend(self.loose.lock().iter());
        Moved {
            pages: moved.pages.clone(),
            chains,
        }
    }
}
