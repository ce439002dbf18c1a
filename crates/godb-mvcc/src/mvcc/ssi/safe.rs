//! Safe snapshots: when one that only reads need not be watched any more.
//!
//! It could only be T1 of a dangerous structure, with a T3 that committed before its snapshot and a T2, concurrent with it, that commits and points at T3. Nobody who begins later can be such a
//! T2: his snapshot has T3. So when all that ran and might write have ended, and none of them was one, the snapshot is safe.

use super::Ticket;
use super::members::{Inner, MemberId};
use crate::mvcc::commits::Commits;
use godb_txn::sync::atomic::Ordering;

impl Inner {
    /// Whether it is known if the snapshot of one that only reads is safe.
    pub(super) fn is_decided(&self, ticket: &Ticket) -> bool {
        let member = self.members.get(&ticket.id);
        ticket.is_safe() || member.is_none_or(|member| member.unsafe_snapshot)
    }

    /// A transaction has committed: it may have made snapshots unsafe, or been the last whose end was waited for.
    pub(super) fn tell_readers(&mut self, commits: &Commits, id: MemberId) {
        let wrote = self.members.get(&id).is_some_and(|member| member.by.is_some());
        let third = self.first_after(commits, id).filter(|_| wrote);
        for reader in self.waiting_for(id) {
            if let Some(member) = self.members.get_mut(&reader)
                && third.is_some_and(|third| third <= member.at)
            {
                member.unsafe_snapshot = true;
                member.undecided.clear();
                self.readers.remove(&reader);
            }
        }
        self.tell_readers_it_left(id);
    }

    /// A transaction is gone without having made any snapshot unsafe.
    pub(super) fn tell_readers_it_left(&mut self, id: MemberId) {
        for reader in self.waiting_for(id) {
            let Some(member) = self.members.get_mut(&reader) else {
                continue;
            };
            member.undecided.remove(&id);
            if member.undecided.is_empty() {
                member.ticket.safe.store(true, Ordering::Release);
                self.leave(reader);
            }
        }
    }

    fn waiting_for(&self, id: MemberId) -> Vec<MemberId> {
        let waits = |reader: &&MemberId| {
            let member = self.members.get(reader);
            member.is_some_and(|member| member.undecided.contains(&id))
        };
        self.readers.iter().filter(waits).copied().collect()
    }
}
