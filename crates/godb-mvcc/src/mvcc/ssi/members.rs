//! [`Inner`]: the transactions that are watched, and the arrows between them.

use super::Ticket;
use super::marks::Marks;
use crate::engine::Timestamp;
use crate::error::Error;
use crate::mvcc::commits::{Commits, When};
use godb_txn::TxnId;
use godb_txn::sync::atomic::{AtomicBool, Ordering};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

/// Numbers in the order in which transactions began.
pub(super) type MemberId = u64;

/// The one that stands for many that have committed.
pub(super) const SUMMARY: MemberId = 0;

/// How many committed transactions are kept apart.
const KEPT_APART: usize = if cfg!(test) { 8 } else { 1000 };

/// How far a transaction has got.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Phase {
    /// It runs.
    Running,
    /// It has been let through to its commit.
    Prepared,
    /// It has committed; the summary between the first and the last of its commits.
    Committed {
        /// When; the first of the summary.
        first: Timestamp,
        /// When; the last of the summary.
        last: Timestamp,
    },
}

/// A transaction.
pub(super) struct Member {
    pub(super) ticket: Arc<Ticket>,
    /// Its snapshot.
    pub(super) at: Timestamp,
    pub(super) read_only: bool,
    /// Its id, once it has written.
    pub(super) by: Option<TxnId>,
    pub(super) phase: Phase,
    /// Who has read what it wrote over.
    pub(super) before: BTreeSet<MemberId>,
    /// Who has written over what it read.
    pub(super) after: BTreeSet<MemberId>,
    /// When the first of those committed that it points at and that are forgotten.
    pub(super) after_forgotten: Option<Timestamp>,
    /// Of one that only reads: those whose end it waits for to know whether its snapshot is safe.
    pub(super) undecided: BTreeSet<MemberId>,
    /// Of one that only reads: its snapshot is not safe.
    pub(super) unsafe_snapshot: bool,
}

/// What the lock protects.
pub(super) struct Inner {
    pub(super) members: HashMap<MemberId, Member>,
    pub(super) reads: Marks,
    pub(super) writes: Marks,
    next: MemberId,
    /// How many run on each snapshot.
    pub(super) snapshots: BTreeMap<Timestamp, usize>,
    /// Those that run and may write.
    pub(super) writers: BTreeSet<MemberId>,
    /// Those that only read and do not know yet whether their snapshots are safe.
    pub(super) readers: BTreeSet<MemberId>,
    /// Those that have committed, in that order; the summary apart.
    pub(super) committed: BTreeSet<(Timestamp, MemberId)>,
}

impl Member {
    pub(super) fn new(id: MemberId, read_only: bool, at: Timestamp) -> Self {
        let ticket = Ticket {
            id,
            safe: AtomicBool::new(false),
            doomed: AtomicBool::new(false),
        };
        Self {
            ticket: Arc::new(ticket),
            at,
            read_only,
            by: None,
            phase: Phase::Running,
            before: BTreeSet::new(),
            after: BTreeSet::new(),
            after_forgotten: None,
            undecided: BTreeSet::new(),
            unsafe_snapshot: false,
        }
    }

    pub(super) fn is_doomed(&self) -> bool {
        self.ticket.doomed.load(Ordering::Acquire)
    }

    pub(super) fn doom(&self) {
        self.ticket.doomed.store(true, Ordering::Release);
    }

    /// The last of its commits, if it is known to have committed.
    pub(super) fn last(&self) -> Option<Timestamp> {
        match self.phase {
            Phase::Committed { last, .. } => Some(last),
            Phase::Running | Phase::Prepared => None,
        }
    }

    /// The first of its commits. One that is committing may have done so at any time.
    pub(super) fn first(&self, commits: &Commits) -> Option<Timestamp> {
        match (self.phase, self.by) {
            (Phase::Committed { first, .. }, _) => Some(first),
            (Phase::Prepared, Some(by)) => match commits.when(by) {
                When::At(at) => Some(at),
                When::Running | When::Old => Some(Timestamp::default()),
            },
            (Phase::Running | Phase::Prepared, _) => None,
        }
    }

    /// Whether it is known never to write.
    pub(super) fn only_reads(&self) -> bool {
        self.read_only || (self.by.is_none() && self.phase != Phase::Running)
    }

    /// Notes that one it points at committed at `first`, and is not told apart any more.
    pub(super) fn point_at_forgotten(&mut self, first: Timestamp) {
        let known = self.after_forgotten.unwrap_or(first);
        self.after_forgotten = Some(known.min(first));
    }
}

impl Inner {
    pub(super) fn new(memory: usize) -> Self {
        Self {
            members: HashMap::new(),
            reads: Marks::new(memory / 2),
            writes: Marks::new(memory / 2),
            next: SUMMARY + 1,
            snapshots: BTreeMap::new(),
            writers: BTreeSet::new(),
            readers: BTreeSet::new(),
            committed: BTreeSet::new(),
        }
    }

    /// A transaction begins.
    pub(super) fn enter(&mut self, read_only: bool, at: Timestamp) -> Arc<Ticket> {
        let id = self.next;
        self.next += 1;
        let mut member = Member::new(id, read_only, at);
        let ticket = member.ticket.clone();
        if read_only && self.writers.is_empty() {
            ticket.safe.store(true, Ordering::Release);
            return ticket;
        }
        match read_only {
            true => {
                member.undecided.clone_from(&self.writers);
                self.readers.insert(id);
            }
            false => {
                self.writers.insert(id);
            }
        }
        *self.snapshots.entry(at).or_default() += 1;
        self.members.insert(id, member);
        ticket
    }

    /// Whether a transaction is watched and has not ended.
    pub(super) fn runs(&self, id: MemberId) -> bool {
        self.members
            .get(&id)
            .is_some_and(|member| member.phase == Phase::Running)
    }

    /// A transaction writes, under this id.
    pub(super) fn wrote(&mut self, id: MemberId, by: TxnId) {
        if let Some(member) = self.members.get_mut(&id) {
            member.by = Some(by);
        }
    }

    /// Whether the snapshot of `reader` has what `writer` wrote.
    pub(super) fn sees(&self, commits: &Commits, reader: MemberId, writer: MemberId) -> bool {
        let (Some(reader), Some(writer)) = (self.members.get(&reader), self.members.get(&writer)) else {
            return true;
        };
        match (writer.phase, writer.by) {
            (Phase::Committed { last, .. }, _) => last <= reader.at,
            (Phase::Prepared, Some(by)) => {
                matches!(commits.when(by), When::At(at) if at <= reader.at)
            }
            (Phase::Running | Phase::Prepared, _) => false,
        }
    }

    /// Whether `reader` had ended before `writer` took its snapshot.
    pub(super) fn precedes(&self, reader: MemberId, writer: MemberId) -> bool {
        let (Some(reader), Some(writer)) = (self.members.get(&reader), self.members.get(&writer)) else {
            return true;
        };
        reader.last().is_some_and(|last| last <= writer.at)
    }

    /// `reader` did not see what `writer` writes: draws the arrow, and ends whoever makes it dangerous, by an error if that is `caller`.
    pub(super) fn arrow(
        &mut self,
        commits: &Commits,
        reader: MemberId,
        writer: MemberId,
        caller: MemberId,
    ) -> Result<(), Error> {
        let (Some(one), Some(other)) = (self.members.get(&reader), self.members.get(&writer)) else {
            return Ok(());
        };
        // For one that only reads it takes a third who committed before its snapshot, which a writer that is no older sees.
        let harmless = one.only_reads() && other.at >= one.at;
        // The summary may have become more dangerous since.
        let known = one.after.contains(&writer) && reader != SUMMARY && writer != SUMMARY;
        if harmless || known || one.is_doomed() || other.is_doomed() {
            return Ok(());
        }
        if let Some(member) = self.members.get_mut(&reader) {
            member.after.insert(writer);
        }
        if let Some(member) = self.members.get_mut(&writer) {
            member.before.insert(reader);
        }
        self.look_around(commits, reader, writer, caller)
    }

    /// A transaction has ended: it holds its snapshot no longer.
    pub(super) fn release(&mut self, id: MemberId) {
        let Some(member) = self.members.get(&id) else {
            return;
        };
        if let Some(count) = self.snapshots.get_mut(&member.at) {
            *count -= 1;
            if *count == 0 {
                self.snapshots.remove(&member.at);
            }
        }
        self.writers.remove(&id);
        self.readers.remove(&id);
    }

    /// Melts the oldest committed transactions when there are too many.
    pub(super) fn keep_small(&mut self) {
        while self.committed.len() > KEPT_APART {
            if let Some((_, oldest)) = self.committed.pop_first() {
                self.melt(oldest);
            }
        }
    }
}
