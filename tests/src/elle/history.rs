//! [`History`]: what transactions did and saw.

use std::collections::HashMap;

/// Something that has versions.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Key {
    /// A list, to which numbers are appended.
    List(i64),
    /// A number that is set.
    Register(i64),
    /// A row that comes and goes.
    Row(i64),
}

/// What a transaction did. Every number that is written is written once.
#[derive(Clone, Debug)]
pub enum Op {
    /// It appended a number to a list.
    Append(Key, i64),
    /// It read a list.
    ReadList(Key, Vec<i64>),
    /// It set a register, or inserted a row.
    Write(Key, i64),
    /// It removed a row.
    Remove(Key),
    /// It read a register or a row; `None` when there was none.
    Read(Key, Option<i64>),
}

/// How a transaction ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// It committed, with this place in the order of commits.
    Committed(u64),
    /// It was taken back.
    Aborted,
    /// Nobody knows yet.
    Unknown,
}

/// A transaction.
#[derive(Clone, Debug)]
pub struct Tx {
    /// When it was begun, in nanoseconds.
    pub began: u64,
    /// When its end was known.
    pub ended: u64,
    /// What it did, in order.
    pub ops: Vec<Op>,
    /// How it ended.
    pub end: End,
}

/// Transactions, and what was there when all had ended.
#[derive(Clone, Debug, Default)]
pub struct History {
    /// In no order.
    pub transactions: Vec<Tx>,
    /// Every list at the end.
    pub lists: HashMap<Key, Vec<i64>>,
}

impl Tx {
    /// Whether it committed.
    #[must_use]
    pub fn committed(&self) -> bool {
        matches!(self.end, End::Committed(_))
    }

    /// The numbers it appended, with their lists.
    pub fn appends(&self) -> impl Iterator<Item = (Key, i64)> + '_ {
        self.ops.iter().filter_map(|op| match op {
            Op::Append(key, number) => Some((*key, *number)),
            _ => None,
        })
    }
}

impl History {
    /// Decides about those of whom nobody knows how they ended: whoever has left a number at the end has committed. Every transaction that writes appends one.
    pub fn settle(&mut self) {
        let lists = &self.lists;
        for tx in self.transactions.iter_mut().filter(|tx| tx.end == End::Unknown) {
            let left = |(key, number)| lists.get(&key).is_some_and(|list| list.contains(&number));
            let committed = tx.appends().any(left);
            tx.end = match committed {
                true => End::Committed(0),
                false => End::Aborted,
            };
            // It may have been done at any time after it was begun.
            tx.ended = u64::MAX;
        }
    }
}
