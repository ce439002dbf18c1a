//! [`Versions`]: the order of each key's versions, and what is wrong with what was read without any circle.

use super::check::{Anomaly, Class};
use super::history::{End, History, Key, Op};
use std::collections::{HashMap, HashSet};

/// Where a number comes from.
#[derive(Clone, Copy, Debug)]
pub(super) struct Origin {
    /// The transaction's place in the history.
    pub(super) by: usize,
    /// The same transaction wrote the same key again later.
    pub(super) intermediate: bool,
}

/// The writers of a key, in order: who, and what was there then.
type Chain = Vec<(usize, Option<i64>)>;

/// What is known of versions.
#[derive(Default)]
pub(super) struct Versions {
    origins: HashMap<(Key, i64), Origin>,
    /// The order of the writers of each key, where it is known.
    pub(super) chains: HashMap<Key, Chain>,
    /// Rows that were removed: their absence says little.
    removed: HashSet<Key>,
}

/// What an outside read tells: who wrote it, and who wrote next.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Seen {
    pub(super) by: Option<usize>,
    pub(super) next: Option<usize>,
}

impl Versions {
    pub(super) fn of(history: &History) -> Self {
        let mut versions = Self::default();
        for (by, tx) in history.transactions.iter().enumerate() {
            let mut last = HashMap::new();
            for op in &tx.ops {
                if let Op::Remove(key) = op
                    && let Some(before) = last.remove(key)
                    && let Some(origin) = versions.origins.get_mut(&(*key, before))
                {
                    origin.intermediate = true;
                }
                let (Op::Append(key, number) | Op::Write(key, number)) = op else {
                    continue;
                };
                if let Some(before) = last.insert(*key, *number)
                    && let Some(origin) = versions.origins.get_mut(&(*key, before))
                {
                    origin.intermediate = true;
                }
                let intermediate = false;
                versions
                    .origins
                    .insert((*key, *number), Origin { by, intermediate });
            }
        }
        versions.order_lists(history);
        versions.order_others(history);
        versions
    }

    fn order_lists(&mut self, history: &History) {
        for (key, list) in &history.lists {
            let mut chain = Chain::new();
            for number in list {
                let Some(origin) = self.origins.get(&(*key, *number)) else {
                    continue;
                };
                match chain.last_mut().filter(|(by, _)| *by == origin.by) {
                    Some(last) => last.1 = Some(*number),
                    None => chain.push((origin.by, Some(*number))),
                }
            }
            self.chains.insert(*key, chain);
        }
    }

    /// Registers and rows: in the order of commits, where that is known of all their writers.
    fn order_others(&mut self, history: &History) {
        let mut writers: HashMap<Key, Vec<(u64, usize, Option<i64>)>> = HashMap::new();
        for (by, tx) in history.transactions.iter().enumerate() {
            let End::Committed(at) = tx.end else { continue };
            let mut last: HashMap<Key, Option<i64>> = HashMap::new();
            let mut inserted = HashSet::new();
            for op in &tx.ops {
                match op {
                    Op::Write(key, number) => {
                        let first = last.insert(*key, Some(*number)).is_none();
                        if first {
                            inserted.insert(*key);
                        }
                    }
                    Op::Remove(key) => drop(last.insert(*key, None)),
                    _ => {}
                }
            }
            // A row that was inserted and removed again was never there for anybody else: that is no version.
            last.retain(|key, content| content.is_some() || !inserted.contains(key));
            for (key, content) in last {
                writers.entry(key).or_default().push((at, by, content));
                if content.is_none() {
                    self.removed.insert(key);
                }
            }
        }
        for (key, mut order) in writers {
            order.sort_unstable();
            if order.iter().all(|(at, ..)| *at > 0) {
                let chain = order.into_iter().map(|(_, by, content)| (by, content));
                self.chains.insert(key, chain.collect());
            }
        }
    }

    pub(super) fn origin(&self, key: Key, number: i64) -> Option<Origin> {
        self.origins.get(&(key, number)).copied()
    }

    /// Who wrote what was read, and who wrote over it.
    pub(super) fn seen(&self, key: Key, content: Option<i64>) -> Seen {
        let by = content
            .and_then(|number| self.origin(key, number))
            .map(|origin| origin.by);
        let Some(chain) = self.chains.get(&key) else {
            return Seen { by, next: None };
        };
        if content.is_none() && self.removed.contains(&key) {
            return Seen::default();
        }
        let next = match by {
            None => chain.first(),
            Some(by) => {
                let at = chain.iter().position(|(writer, _)| *writer == by);
                at.and_then(|at| chain.get(at + 1))
            }
        };
        let next = next.map(|(next, _)| *next);
        Seen { by, next }
    }

    /// Finds what needs no circle to be wrong.
    pub(super) fn judge(&self, history: &History) -> Vec<Anomaly> {
        let mut found = Vec::new();
        for (number, tx) in history.transactions.iter().enumerate() {
            if tx.committed() {
                self.judge_reads(history, number, &mut found);
                for (key, appended) in tx.appends() {
                    if history
                        .lists
                        .get(&key)
                        .is_some_and(|list| !list.contains(&appended))
                    {
                        let what =
                            format!("{appended} was appended to {key:?} by {number}, and is gone: {tx:?}");
                        found.push(Anomaly::new(Class::LostWrite, what));
                    }
                }
            }
        }
        for (key, list) in &history.lists {
            let different: HashSet<_> = list.iter().collect();
            if different.len() != list.len() {
                found.push(Anomaly::new(Class::Duplicate, format!("{key:?}: {list:?}")));
            }
        }
        found
    }

    fn judge_reads(&self, history: &History, reader: usize, found: &mut Vec<Anomaly>) {
        let mut own: HashMap<Key, Vec<i64>> = HashMap::new();
        let mut set: HashMap<Key, Option<i64>> = HashMap::new();
        let tx = &history.transactions[reader];
        for op in &tx.ops {
            match op {
                Op::Append(key, number) => own.entry(*key).or_default().push(*number),
                Op::Write(key, number) => drop(set.insert(*key, Some(*number))),
                Op::Remove(key) => drop(set.insert(*key, None)),
                Op::ReadList(key, list) => {
                    let own = own.get(key).map_or(&[][..], Vec::as_slice);
                    let Some(outside) = list.strip_suffix(own) else {
                        let what = format!("{reader} appended {own:?} to {key:?}, and read {list:?}");
                        found.push(Anomaly::new(Class::Internal, what));
                        continue;
                    };
                    let last = history.lists.get(key).map_or(&[][..], Vec::as_slice);
                    if !last.starts_with(outside) && !self.has_aborted(history, *key, outside) {
                        let what = format!("{reader} read {list:?} of {key:?}, which is {last:?} at last");
                        found.push(Anomaly::new(Class::IncompatibleOrder, what));
                    }
                    outside
                        .iter()
                        .for_each(|number| self.judge_number(history, reader, (*key, *number), false, found));
                    if let Some(number) = outside.last() {
                        self.judge_number(history, reader, (*key, *number), true, found);
                    }
                }
                Op::Read(key, content) => match (set.get(key), content) {
                    (Some(own), _) if own != content => {
                        let what = format!("{reader} wrote {own:?} to {key:?}, and read {content:?}");
                        found.push(Anomaly::new(Class::Internal, what));
                    }
                    (None, Some(number)) => {
                        self.judge_number(history, reader, (*key, *number), true, found);
                    }
                    _ => {}
                },
            }
        }
    }

    fn has_aborted(&self, history: &History, key: Key, list: &[i64]) -> bool {
        let origins = list.iter().filter_map(|number| self.origin(key, *number));
        origins
            .into_iter()
            .any(|origin| !history.transactions[origin.by].committed())
    }

    /// One number that was read; `last` when it was the version itself, and not part of a list.
    fn judge_number(
        &self,
        history: &History,
        reader: usize,
        (key, number): (Key, i64),
        last: bool,
        found: &mut Vec<Anomaly>,
    ) {
        let Some(origin) = self.origin(key, number) else {
            let what = format!("{reader} read {number} of {key:?}, which nobody wrote");
            return found.push(Anomaly::new(Class::FromNowhere, what));
        };
        let (by, writer) = (origin.by, &history.transactions[origin.by]);
        if !writer.committed() {
            let what = format!("{reader} read {number} of {key:?}, which {by} took back");
            found.push(Anomaly::new(Class::AbortedRead, what));
        } else if last && origin.intermediate {
            let what = format!("{reader} read {number} of {key:?}, which {by} wrote over itself");
            found.push(Anomaly::new(Class::IntermediateRead, what));
        }
    }
}
