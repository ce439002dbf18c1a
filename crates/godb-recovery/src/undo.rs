//! Undo: taking changes back, newest first, so that it need never be done twice.
//!
//! Undo is logical. A row may have moved to another page since it was changed, so its change is taken back by key, through the tree. The tree logs
//! each such step as a *compensation record*, which says where undo goes on: at the record before the one that was taken back. Whoever meets a compensation
//! later, in a second rollback or in recovery after a crash, follows that pointer and skips everything between; so undoing
//! always makes progress, however often it is interrupted. A record of several rows is taken back row by row, each with a compensation of its own, which points to the
//! same record again and says how many of its rows are done.

use godb_wal::{ActiveTransaction, Fault, Lsn, Record, Tree, TxnId, UndoNext, UndoRecord, Wal};
use std::collections::BinaryHeap;

/// Takes back the record of `by` at `from`, or what is left of it; returns the next one to take back, or zero.
pub(crate) fn step<W: Wal>(wal: &W, by: TxnId, from: UndoNext) -> Result<UndoNext, Fault> {
    let at = from.next;
    let broken = || Fault::corrupt_log("the log", at, "a transaction's chain of records is broken");
    let (found, record) = wal.read(at).next().ok_or_else(broken)??;
    let Record::Change {
        by: whose,
        previous,
        undo,
        ..
    } = record
    else {
        return Err(broken());
    };
    if found != at || whose != Some(by) || previous >= at {
        return Err(broken());
    }
    match undo {
        UndoRecord::Never => Ok(UndoNext::at(previous)),
        UndoRecord::Logical(change) => {
            wal.tree().undo(by, &change, from, previous)?;
            Ok(UndoNext::at(previous))
        }
        UndoRecord::Compensates(_) if godb_wal::sync::planted("compensation-ignored") => {
            Ok(UndoNext::at(previous))
        }
        UndoRecord::Compensates(resume) if resume.next < at => Ok(resume),
        UndoRecord::Compensates(_) => Err(broken()),
    }
}

/// Takes back what `by` did after `to`, in memory that does not depend on how much that is. Zero takes back everything and ends the transaction.
pub(crate) fn roll_back<W: Wal>(wal: &W, by: TxnId, to: Lsn) -> Result<(), Fault> {
    let mut at = UndoNext::at(wal.last_of(by));
    if at.next == Lsn::default() {
        return Ok(());
    }
    while at.next > to {
        at = step(wal, by, at)?;
        if to != Lsn::default() && godb_wal::sync::planted("savepoint-forgets-changes") {
            break;
        }
    }
    if to == Lsn::default() {
        wal.append(Record::RolledBack { by })?;
    }
    Ok(())
}

/// Takes back all losers, always the newest record of any of them, as history would be run backwards. `taken` hears of each step.
pub(crate) fn undo_losers<W: Wal>(
    wal: &W,
    losers: &[ActiveTransaction],
    mut taken: impl FnMut(u64),
) -> Result<u64, Fault> {
    if godb_wal::sync::planted("losers-forgotten") {
        return Ok(0);
    }
    let mut heap: BinaryHeap<(Lsn, TxnId, u16)> =
        losers.iter().map(|loser| (loser.last, loser.id, 0)).collect();
    for loser in losers {
        wal.adopt(*loser);
    }
    let mut steps = 0;
    while let Some((next, by, done)) = heap.pop() {
        let resume = step(wal, by, UndoNext { next, done })?;
        steps += 1;
        taken(steps);
        if resume.next == Lsn::default() {
            wal.append(Record::RolledBack { by })?;
        } else {
            heap.push((resume.next, by, resume.done));
        }
    }
    Ok(steps)
}
