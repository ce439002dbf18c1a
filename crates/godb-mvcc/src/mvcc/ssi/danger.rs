//! Which arrows in a row are dangerous, and who gives way.
//!
//! ```text
//!      T1 ──rw──▶ T2 ──rw──▶ T3
//! ```
//!
//! is dangerous once T3 has committed, when neither T1 nor T2 had before; and if T1 only reads, when T3 committed before T1's snapshot. It is looked for whenever an arrow is drawn, with T3 committed already, and whenever
//! somebody commits, as T3. One who is just committing may be any of those who committed; so he is taken for the one that makes it worst.

use super::members::{Inner, Member, MemberId, Phase};
use crate::engine::Timestamp;
use crate::error::Error;
use crate::mvcc::commits::Commits;
use godb_txn::sync::planted;

impl Inner {
    /// An arrow was drawn: looks for danger with either end as the pivot.
    pub(super) fn look_around(
        &self,
        commits: &Commits,
        reader: MemberId,
        writer: MemberId,
        caller: MemberId,
    ) -> Result<(), Error> {
        if let Some(third) = self.first_after(commits, writer) {
            self.end_if_dangerous(reader, writer, third, caller)?;
        }
        let third = self.members.get(&writer).and_then(|member| member.first(commits));
        let (Some(third), Some(pivot)) = (third, self.members.get(&reader)) else {
            return Ok(());
        };
        pivot
            .before
            .iter()
            .try_for_each(|first| self.end_if_dangerous(*first, reader, third, caller))
    }

    /// When the first of those committed, or may have, that `pivot` points at.
    pub(super) fn first_after(&self, commits: &Commits, pivot: MemberId) -> Option<Timestamp> {
        let pivot = self.members.get(&pivot)?;
        let known = pivot.after.iter().filter_map(|id| self.members.get(id));
        known
            .filter_map(|member| member.first(commits))
            .chain(pivot.after_forgotten)
            .min()
    }

    /// T1, T2, and when T3 committed.
    fn end_if_dangerous(
        &self,
        t1: MemberId,
        t2: MemberId,
        third: Timestamp,
        caller: MemberId,
    ) -> Result<(), Error> {
        let (Some(first), Some(pivot)) = (self.members.get(&t1), self.members.get(&t2)) else {
            return Ok(());
        };
        // T1 may be T3 itself.
        let not_first = |member: &Member| member.last().is_some_and(|last| last < third);
        let harmless = match first.only_reads() {
            true => third > first.at,
            false => not_first(first),
        };
        let harmless = harmless || planted("danger-ignored");
        if harmless || not_first(pivot) || first.is_doomed() || pivot.is_doomed() {
            return Ok(());
        }
        let (victim, number) = match pivot.phase {
            Phase::Running => (pivot, t2),
            Phase::Prepared | Phase::Committed { .. } => (first, t1),
        };
        victim.doom();
        match number == caller {
            true => Err(Error::Dependencies),
            false => Ok(()),
        }
    }

    /// Lets a transaction through to its commit, as T3 of those who point at it.
    pub(super) fn prepare(&mut self, id: MemberId) -> Result<(), Error> {
        let Some(third) = self.members.get(&id) else {
            return Ok(());
        };
        if third.is_doomed() {
            return Err(Error::Dependencies);
        }
        for t2 in third.before.iter().filter_map(|t2| self.members.get(t2)) {
            let in_danger = |t1: &MemberId| {
                let first = self.members.get(t1);
                first.is_some_and(|first| first.last().is_none() && !first.is_doomed() && !first.only_reads())
            };
            if planted("danger-ignored")
                || t2.last().is_some()
                || t2.is_doomed()
                || !t2.before.iter().any(in_danger)
            {
                continue;
            }
            match t2.phase {
                Phase::Running => t2.doom(),
                // It cannot be stopped any more.
                Phase::Prepared | Phase::Committed { .. } => return Err(Error::Dependencies),
            }
        }
        if let Some(member) = self.members.get_mut(&id) {
            member.phase = Phase::Prepared;
        }
        Ok(())
    }
}
