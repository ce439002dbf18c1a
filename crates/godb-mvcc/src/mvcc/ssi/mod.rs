//! [`Serial`]: serializable transactions, by snapshot isolation that watches for dangerous structures.
//!
//! # The problem
//!
//! Under snapshot isolation nobody waits for a reader, and that is what goes wrong: of two doctors on call each reads that the other is there, each writes that he himself
//! goes, and nobody is left (*write skew*). Neither wrote what the other wrote, so the first updater does not win; there is none. Run one after the other, the second would have
//! seen the first one's row.
//!
//! # What is known about it
//!
//! Draw an arrow `R → W` when R read something that W changed and R did not see the change: in any order of the two one by one, R must come before W. Arrows of the other two
//! kinds (W wrote what R saw; W wrote over what V wrote) follow the order of commits already. So a circle, which no order fits, needs these *rw-antidependencies*, and
//! Fekete et al. (2005) showed how it needs them: in every circle there are two in a row,
//!
//! ```text
//!      T1 ──rw──▶ T2 ──rw──▶ T3       T1 and T2, T2 and T3 are concurrent; T3 may be T1
//!                pivot      commits first of the three
//! ```
//!
//! and T3 commits before the others. Cahill, Roehm and Fekete (2008) turned that into a scheduler: notice the arrows, and end a transaction whenever two are in a row. No circle is ever
//! looked for, so sometimes an innocent is ended; but the price is a few lookups and never a wait. Ports and Grittner (2012) brought it into PostgreSQL, with what else one must know:
//! that T3 must have committed *first*, that a T1 which only reads is in danger only when T3 committed before T1's snapshot, and what follows from that for reports.
//!
//! # How it is done here
//!
//! *Marks.* Each serializable transaction leaves marks on what it reads ([`Marks`](marks::Marks)): points for keys, whether they are there or not, and intervals for as far as a scan has
//! got. A phantom is a key put into such an interval. Marks lie on the trees that are really read, so an index scan marks the index, and who inserts a row puts a
//! key into that index. Writers leave marks of their own on keys. Whoever comes second, reader or writer, meets the mark of the first. PostgreSQL has no marks of
//! writers: its readers meet the new versions in the heap. Here a version that nobody can see may be collected from between two others, and puts may be
//! gathered and made later; marks do not depend on where versions lie, nor on when they get there.
//!
//! *Concurrency by snapshot.* Whether R sees W is a comparison of W's commit with R's snapshot, and nothing of it depends on the moment at which marks are left. So a reader may look
//! first and leave its mark afterwards: a scan marks what it has passed, page by page, and one that ends early has marked no more.
//!
//! *Who gives way* ([`danger`]). The pivot, if it still runs; it will not meet the same circle again, since T3 has committed. Else T1. If that is whoever is calling, he gets
//! the error (SQLSTATE 40001); else he is *doomed*, and gets it at his next call.
//!
//! *How long.* A committed transaction's marks and arrows stay until every serializable transaction that was concurrent with it has ended, then they go; what remains of it in those
//! it points at, is when the first of these committed.
//!
//! *Memory.* Marks have a budget. When it is used up, those of the tree that has most become marks on the whole tree: coarser is only more careful. When too many committed
//! transactions are kept, because one runs long, the oldest are melted into *the summary*, one member that did all that they did.
//!
//! # Readers that need none of this
//!
//! A transaction declared read-only can only be T1, and is in danger only when a T3 committed before its snapshot and a concurrent T2, which points at T3, commits. When
//! all transactions that could write and ran when the snapshot was taken have ended, and none was such a T2, the snapshot is *safe*: it shows a state between transactions run one after the other, and
//! its reader drops its marks and goes on for nothing. One that is begun DEFERRABLE waits for that first, so that it is never refused and never makes others fail.
//!
//! Transactions of the other levels are not in here at all, neither as readers nor as writers: what is serializable is so among its like, as in PostgreSQL.

mod danger;
mod forget;
mod marks;
mod members;
mod safe;
#[cfg(test)]
mod tests;

use super::commits::Commits;
use super::snapshots::Place;
use crate::engine::Timestamp;
use crate::error::Error;
use godb_txn::sync::atomic::{AtomicBool, Ordering};
use godb_txn::sync::{Condvar, Mutex};
use godb_txn::{TreeId, TxnId};
pub(super) use marks::Extent;
use members::{Inner, MemberId};
use std::sync::Arc;

/// A serializable transaction's part in the watching.
pub(super) struct Ticket {
    id: MemberId,
    /// It only reads, and its snapshot is safe: nothing need be watched any more.
    safe: AtomicBool,
    /// It is to give way.
    doomed: AtomicBool,
}

/// The serializable transactions of an engine.
pub(super) struct Serial {
    inner: Mutex<Inner>,
    /// One has ended: somebody's snapshot may be safe now.
    ended: Condvar,
    commits: Arc<Commits>,
}

/// How a serializable transaction begins.
#[derive(Clone, Copy)]
pub(super) struct Entry {
    pub(super) read_only: bool,
    /// It waits until its snapshot is safe.
    pub(super) deferrable: bool,
}

impl Serial {
    /// Nobody is in it; marks take at most `memory` bytes, roughly.
    pub(super) fn new(commits: Arc<Commits>, memory: usize) -> Self {
        Self {
            inner: Mutex::new(Inner::new(memory)),
            ended: Condvar::new(),
            commits,
        }
    }

    /// Begins a transaction, on the snapshot that `take` takes; `release` gives back one that turned out not to be safe.
    pub(super) fn begin(
        &self,
        entry: Entry,
        take: impl Fn() -> Place,
        release: impl Fn(Place),
    ) -> (Place, Arc<Ticket>) {
        let mut inner = self.inner.lock();
        loop {
            // Under the lock: nobody who commits after this snapshot is forgotten before it is known.
            let place = take();
            let ticket = inner.enter(entry.read_only, place.at);
            if !(entry.read_only && entry.deferrable) {
                return (place, ticket);
            }
            while !inner.is_decided(&ticket) {
                self.ended.wait(&mut inner);
            }
            if ticket.is_safe() {
                return (place, ticket);
            }
            inner.leave(ticket.id);
            release(place);
        }
    }

    /// The transaction has read, or is about to read, these keys of a tree.
    pub(super) fn read(&self, ticket: &Ticket, tree: TreeId, extent: Extent<'_>) -> Result<(), Error> {
        if ticket.is_safe() {
            return Ok(());
        }
        ticket.check()?;
        let mut inner = self.inner.lock();
        if !inner.runs(ticket.id) || !inner.reads.add(ticket.id, tree, extent) {
            return Ok(());
        }
        let writers = inner.writes.overlapping(tree, extent);
        for writer in writers {
            if writer != ticket.id && !inner.sees(&self.commits, ticket.id, writer) {
                inner.arrow(&self.commits, ticket.id, writer, ticket.id)?;
            }
        }
        Ok(())
    }

    /// The transaction `by` writes these keys of a tree.
    pub(super) fn write(
        &self,
        ticket: &Ticket,
        by: TxnId,
        tree: TreeId,
        extent: Extent<'_>,
    ) -> Result<(), Error> {
        ticket.check()?;
        let mut inner = self.inner.lock();
        inner.wrote(ticket.id, by);
        if !inner.writes.add(ticket.id, tree, extent) {
            return Ok(());
        }
        let readers = inner.reads.overlapping(tree, extent);
        for reader in readers {
            if reader != ticket.id && !inner.precedes(reader, ticket.id) {
                inner.arrow(&self.commits, reader, ticket.id, ticket.id)?;
            }
        }
        Ok(())
    }

    /// The transaction is about to commit. From here on it is counted as one that may have committed first.
    pub(super) fn prepare(&self, ticket: &Ticket) -> Result<(), Error> {
        ticket.check()?;
        self.inner.lock().prepare(ticket.id)
    }

    /// The transaction has committed, having written, at `at`.
    pub(super) fn committed(&self, ticket: &Ticket, at: Timestamp) {
        let mut inner = self.inner.lock();
        inner.commit(&self.commits, ticket.id, at);
        inner.forget();
        inner.keep_small();
        drop(inner);
        self.ended.notify_all();
    }

    /// The transaction has ended without having changed anything: what it read counts, if it was `kept`.
    pub(super) fn ended_unchanged(&self, ticket: &Ticket, kept: bool) {
        let mut inner = self.inner.lock();
        match kept && !ticket.is_safe() {
            true => inner.end_reading(&self.commits, ticket.id),
            false => inner.leave(ticket.id),
        }
        inner.forget();
        inner.keep_small();
        drop(inner);
        self.ended.notify_all();
    }
}

impl Ticket {
    fn is_safe(&self) -> bool {
        self.safe.load(Ordering::Acquire)
    }

    fn check(&self) -> Result<(), Error> {
        match self.doomed.load(Ordering::Acquire) {
            true => Err(Error::Dependencies),
            false => Ok(()),
        }
    }
}
