//! Who is in the middle of what: transactions that have logged something, and reservations that are open.

use crate::wal::ActiveTransaction;
use godb_btree::{Lsn, TxnId};
use std::collections::{HashMap, VecDeque};

/// What the log knows of an active transaction.
#[derive(Clone, Copy, Debug)]
struct Entry {
    first: Lsn,
    last: Lsn,
    aside: u64,
}

/// Active transactions, each with the ends of its chain of records.
#[derive(Debug, Default)]
pub(crate) struct ActiveTable(HashMap<TxnId, Entry>);

impl ActiveTable {
    /// The newest record of `by`, or zero.
    pub(crate) fn last_of(&self, by: TxnId) -> Lsn {
        self.0.get(&by).map_or(Lsn::default(), |entry| entry.last)
    }

    /// `by` has logged a record at `at`; returns the bytes of log set aside for its rollback.
    pub(crate) fn logged(&mut self, by: TxnId, at: Lsn) -> &mut u64 {
        let entry = self.0.entry(by).or_insert(Entry {
            first: at,
            last: at,
            aside: 0,
        });
        entry.last = at;
        &mut entry.aside
    }

    /// `by` has ended; returns what was set aside for it.
    pub(crate) fn ended(&mut self, by: TxnId) -> u64 {
        self.0.remove(&by).map_or(0, |entry| entry.aside)
    }

    /// Takes over a transaction found by analysis.
    pub(crate) fn adopt(&mut self, found: ActiveTransaction) {
        let entry = Entry {
            first: found.first,
            last: found.last,
            aside: 0,
        };
        self.0.insert(found.id, entry);
    }

    /// All of them.
    pub(crate) fn list(&self) -> Vec<ActiveTransaction> {
        let active = |(id, entry): (&TxnId, &Entry)| ActiveTransaction {
            id: *id,
            first: entry.first,
            last: entry.last,
        };
        self.0.iter().map(active).collect()
    }
}

/// The floors of open reservations. They are opened in increasing order, so a queue with counts is all it takes.
#[derive(Debug, Default)]
pub(crate) struct Floors(VecDeque<(Lsn, usize)>);

impl Floors {
    /// A reservation is opened at `floor`, the log's end.
    pub(crate) fn open(&mut self, floor: Lsn) {
        match self.0.back_mut() {
            Some((last, count)) if *last == floor => *count += 1,
            _ => self.0.push_back((floor, 1)),
        }
    }

    /// One of the reservations opened at `floor` is closed.
    pub(crate) fn close(&mut self, floor: Lsn) {
        let Ok(at) = self.0.binary_search_by_key(&floor, |(f, _)| *f) else {
            debug_assert!(false, "a reservation is closed once");
            return;
        };
        self.0[at].1 = self.0[at].1.saturating_sub(1);
        while self.0.front().is_some_and(|(_, count)| *count == 0) {
            self.0.pop_front();
        }
    }

    /// The oldest one that is open.
    pub(crate) fn oldest(&self) -> Option<Lsn> {
        self.0.front().map(|(floor, _)| *floor)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lsn(raw: u64) -> Lsn {
        Lsn::from_raw(raw)
    }

    #[test]
    fn the_oldest_open_floor_counts() {
        let mut floors = Floors::default();
        for raw in [10, 10, 20, 30] {
            floors.open(lsn(raw));
        }
        floors.close(lsn(20));
        floors.close(lsn(10));
        assert_eq!(floors.oldest(), Some(lsn(10)));
        floors.close(lsn(10));
        assert_eq!(
            floors.oldest(),
            Some(lsn(30)),
            "a closed one in between is skipped"
        );
        floors.close(lsn(30));
        assert_eq!(floors.oldest(), None);
    }

    #[test]
    fn a_chain_has_two_ends() {
        let mut table = ActiveTable::default();
        let id = TxnId::from_raw(4);
        assert_eq!(table.last_of(id), lsn(0));
        *table.logged(id, lsn(5)) = 9;
        table.logged(id, lsn(8));
        let expected = ActiveTransaction {
            id,
            first: lsn(5),
            last: lsn(8),
        };
        assert_eq!(table.list(), vec![expected]);
        assert_eq!(table.ended(id), 9);
        assert!(table.list().is_empty());
    }
}
