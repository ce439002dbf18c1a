//! The end of a member: what is kept of it, for how long, and what is kept then.

use super::members::{Inner, Member, MemberId, Phase, SUMMARY};
use crate::engine::Timestamp;
use crate::mvcc::commits::Commits;
use godb_txn::sync::planted;

impl Inner {
    /// A transaction has committed what it wrote.
    pub(super) fn commit(&mut self, commits: &Commits, id: MemberId, at: Timestamp) {
        self.end_at(commits, id, at);
    }

    /// A transaction that wrote nothing has ended. It stands where its snapshot was taken.
    pub(super) fn end_reading(&mut self, commits: &Commits, id: MemberId) {
        if let Some(member) = self.members.get_mut(&id) {
            member.by = None;
            let at = member.at;
            self.end_at(commits, id, at);
        }
    }

    fn end_at(&mut self, commits: &Commits, id: MemberId, at: Timestamp) {
        self.release(id);
        if let Some(member) = self.members.get_mut(&id) {
            member.phase = Phase::Committed { first: at, last: at };
            self.committed.insert((at, id));
            self.tell_readers(commits, id);
        }
    }

    /// A transaction was taken back, or is of no more interest: as if it had never been.
    pub(super) fn leave(&mut self, id: MemberId) {
        self.release(id);
        self.reads.remove(id);
        self.writes.remove(id);
        let Some(member) = self.members.remove(&id) else {
            return;
        };
        self.unlink(id, &member);
        self.tell_readers_it_left(id);
    }

    /// Forgets what nobody that runs was concurrent with.
    pub(super) fn forget(&mut self) {
        let oldest = self.snapshots.keys().next().copied();
        let over = |last: Timestamp| {
            planted("marks-dropped-at-commit") || oldest.is_none_or(|oldest| last <= oldest)
        };
        while let Some((last, id)) = self.committed.first().copied()
            && over(last)
        {
            self.committed.pop_first();
            self.forget_one(id);
        }
        let summary = self.members.get(&SUMMARY).and_then(Member::last);
        if summary.is_some_and(over) {
            self.forget_one(SUMMARY);
        }
    }

    fn forget_one(&mut self, id: MemberId) {
        self.reads.remove(id);
        self.writes.remove(id);
        let Some(member) = self.members.remove(&id) else {
            return;
        };
        if let Phase::Committed { first, .. } = member.phase {
            for t2 in &member.before {
                if let Some(t2) = self.members.get_mut(t2) {
                    t2.point_at_forgotten(first);
                }
            }
        }
        self.unlink(id, &member);
    }

    /// Takes the arrows to and from a member out of the others.
    fn unlink(&mut self, id: MemberId, member: &Member) {
        for other in &member.before {
            if let Some(other) = self.members.get_mut(other) {
                other.after.remove(&id);
            }
        }
        for other in &member.after {
            if let Some(other) = self.members.get_mut(other) {
                other.before.remove(&id);
            }
        }
    }

    /// Makes a committed transaction part of the summary.
    pub(super) fn melt(&mut self, id: MemberId) {
        let Some(member) = self.members.remove(&id) else {
            return;
        };
        let Phase::Committed { first, last } = member.phase else {
            return;
        };
        self.reads.melt(id);
        self.writes.melt(id);
        self.unlink(id, &member);
        let mut summary = self.members.remove(&SUMMARY).unwrap_or_else(|| {
            let mut summary = Member::new(SUMMARY, false, Timestamp::default());
            summary.phase = Phase::Committed { first, last };
            summary
        });
        summary.take_in(&member, (first, last));
        for other in summary.before.clone() {
            if let Some(other) = self.members.get_mut(&other) {
                other.after.insert(SUMMARY);
            }
        }
        for other in summary.after.clone() {
            if let Some(other) = self.members.get_mut(&other) {
                other.before.insert(SUMMARY);
            }
        }
        self.members.insert(SUMMARY, summary);
    }
}

impl Member {
    /// The summary takes one in: from now on it did what that did.
    fn take_in(&mut self, other: &Self, (first, last): (Timestamp, Timestamp)) {
        let before = match self.phase {
            Phase::Committed { first, last } => (first, last),
            Phase::Running | Phase::Prepared => (first, last),
        };
        let (first, last) = (first.min(before.0), last.max(before.1));
        self.phase = Phase::Committed { first, last };
        // It counts as one that wrote, for some did.
        self.by = self.by.or(other.by).or(Some(godb_txn::TxnId::default()));
        self.before.extend(&other.before);
        self.after.extend(&other.after);
        if self.after.remove(&SUMMARY) | self.before.remove(&SUMMARY) {
            self.point_at_forgotten(first);
        }
        if let Some(forgotten) = other.after_forgotten {
            self.point_at_forgotten(forgotten);
        }
    }
}
