//! [`Holdings`]: what one transaction holds, and when many locks on keys become one on their table.
//!
//! A lock on a key costs some hundreds of bytes, in the table of queues and here. One who locks many keys of a table would in the end need more memory for locks than for
//! pages. So at some number it is tried to get the whole table instead (Gray and Reuter 1993, 8.5.5), which covers the keys; they are freed then. As long as others are in that table
//! that fails, and is tried again from time to time; at a second, higher number it is waited for. A deadlock that this may cause is found like any other.
//!
//! Whether a certain key is held is not kept here: its line knows, and has to be asked anyway.

use super::name::{ById, LockedResource, Name};
use crate::transactions::{Mode, Resource};
use godb_recovery::TreeId;
use std::collections::HashMap;

/// With so many locks on keys of one table, and each time there are so many more, the whole table is asked for.
const TRY_AT: usize = if cfg!(godb_loom) { 3 } else { 4096 };
/// With so many it is waited for.
const WAIT_AT: usize = 16 * TRY_AT;

/// What is to be done about the locks on keys of a table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Escalation {
    /// Nothing.
    None,
    /// Taking the table in this mode, if it is free.
    Try(Mode),
    /// Taking the table in this mode.
    Wait(Mode),
}

/// What is held of a table.
#[derive(Debug, Default)]
struct TableHolding {
    /// Of the table itself.
    mode: Option<Mode>,
    /// Keys and ranges.
    parts: Vec<Name>,
    /// All their modes together.
    part_mode: Option<Mode>,
}

/// What one transaction holds.
#[derive(Debug, Default)]
pub(super) struct Holdings {
    database: Option<Mode>,
    tables: HashMap<TreeId, TableHolding, ById>,
    transactions: Vec<Name>,
}

/// Whether `held` allows all that `wanted` does.
fn as_strong(held: Option<Mode>, wanted: Mode) -> bool {
    held.is_some_and(|held| held.joined_with(wanted) == held)
}

fn join(held: &mut Option<Mode>, mode: Mode) {
    *held = Some(held.map_or(mode, |held| held.joined_with(mode)));
}

impl Holdings {
    /// How many locks there are.
    pub(super) fn len(&self) -> usize {
        let of_table = |table: &TableHolding| usize::from(table.mode.is_some()) + table.parts.len();
        usize::from(self.database.is_some())
            + self.tables.values().map(of_table).sum::<usize>()
            + self.transactions.len()
    }

    /// Whether it is known without asking its line that the resource is held so strongly: itself, or by the table that it is a part of.
    pub(super) fn covers(&self, what: Resource<'_>, mode: Mode) -> bool {
        let of_table = |tree| self.tables.get(&tree).and_then(|table| table.mode);
        match what {
            Resource::Database => as_strong(self.database, mode),
            Resource::Table(tree) => as_strong(of_table(tree), mode),
            // Intentions on the table say nothing about its keys: a mode without intentions is looked for.
            Resource::Key(tree, _) | Resource::KeyRange(tree, ..) => {
                matches!(mode, Mode::Shared | Mode::Exclusive) && as_strong(of_table(tree), mode)
            }
            Resource::Transaction(_) => false,
        }
    }

    /// Notes what was granted. `new` says that nothing was held of it before.
    pub(super) fn add(&mut self, name: Name, mode: Mode, new: bool) {
        match &name.resource {
            LockedResource::Database => join(&mut self.database, mode),
            LockedResource::Table(tree) => join(&mut self.tables.entry(*tree).or_default().mode, mode),
            LockedResource::Key(tree, _) | LockedResource::KeyRange(tree, ..) => {
                let table = self.tables.entry(*tree).or_default();
                join(&mut table.part_mode, mode);
                if new {
                    table.parts.push(name);
                }
            }
            LockedResource::Transaction(_) if new => self.transactions.push(name),
            LockedResource::Transaction(_) => {}
        }
    }

    /// What is to be done before one more key or range of `tree` is locked in `mode`.
    pub(super) fn escalation(&self, tree: TreeId, mode: Mode) -> Escalation {
        let Some(table) = self.tables.get(&tree) else {
            return Escalation::None;
        };
        let all = table.part_mode.map_or(mode, |held| held.joined_with(mode));
        match table.parts.len() {
            count if count >= WAIT_AT => Escalation::Wait(all),
            count if count.is_multiple_of(TRY_AT) && count > 0 => Escalation::Try(all),
            _ => Escalation::None,
        }
    }

    /// Takes out the keys and ranges of a table that is held as strongly now; their locks are to be freed.
    pub(super) fn take_parts(&mut self, tree: TreeId) -> Vec<Name> {
        let table = self.tables.entry(tree).or_default();
        table.part_mode = None;
        std::mem::take(&mut table.parts)
    }

    /// Everything.
    pub(super) fn into_names(self) -> impl Iterator<Item = Name> {
        let tables = self.tables.into_iter().flat_map(|(tree, table)| {
            let own = table.mode.map(|_| Name::from(Resource::Table(tree)));
            table.parts.into_iter().chain(own)
        });
        let database = self.database.map(|_| Name::from(Resource::Database));
        tables.chain(database).chain(self.transactions)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::transactions::Mode::{Exclusive, IntentExclusive, IntentShared, Shared};

    const TREE: TreeId = TreeId::from_raw(7);
    const TABLE: Resource<'_> = Resource::Table(TREE);
    const KEY: Resource<'_> = Resource::Key(TREE, b"a");

    #[test]
    fn a_table_covers_its_keys_and_an_intention_does_not() {
        let mut holdings = Holdings::default();
        holdings.add(TABLE.into(), IntentExclusive, true);
        assert!(!holdings.covers(KEY, Shared) && !holdings.covers(KEY, Exclusive));
        assert!(holdings.covers(TABLE, IntentShared));
        holdings.add(TABLE.into(), Shared, false);
        assert!(holdings.covers(KEY, Shared) && !holdings.covers(KEY, Exclusive));
        holdings.add(TABLE.into(), Exclusive, false);
        assert!(holdings.covers(KEY, Exclusive));
        assert!(holdings.covers(Resource::KeyRange(TREE, b"a", None), Exclusive));
        assert!(!holdings.covers(Resource::Key(TreeId::from_raw(8), b"a"), Shared));
        assert_eq!(holdings.len(), 1);
    }

    #[test]
    fn keys_are_counted_once_and_ask_for_their_table_at_intervals() {
        let mut holdings = Holdings::default();
        let key = |number: usize| Name::from(Resource::Key(TREE, &number.to_be_bytes()));
        assert_eq!(holdings.escalation(TREE, Shared), Escalation::None);
        for number in 0..TRY_AT {
            assert_eq!(holdings.escalation(TREE, Shared), Escalation::None, "{number}");
            holdings.add(key(number), Shared, true);
        }
        assert_eq!(holdings.escalation(TREE, Shared), Escalation::Try(Shared));
        assert_eq!(holdings.escalation(TREE, Exclusive), Escalation::Try(Exclusive));
        holdings.add(key(TRY_AT), Exclusive, true);
        assert_eq!(holdings.escalation(TREE, Shared), Escalation::None);
        for number in TRY_AT + 1..WAIT_AT {
            holdings.add(key(number), Shared, true);
        }
        assert_eq!(
            holdings.escalation(TREE, Shared),
            Escalation::Wait(Exclusive),
            "one of them is exclusive"
        );
        assert_eq!(holdings.take_parts(TREE).len(), WAIT_AT);
        assert_eq!(holdings.escalation(TREE, Shared), Escalation::None);
        assert_eq!(holdings.len(), 0);
    }
}
