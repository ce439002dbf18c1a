//! [`Holdings`]: what one transaction holds, and when many locks on keys become one on their table.
//!
//! A lock on a key costs some hundreds of bytes, in the table of queues and here. One who locks many keys of a table would in the end need more memory for locks than for
//! pages. So at some number it is tried to get the whole table instead (Gray and Reuter 1993, 8.5.5), which covers the keys; they are freed then. As long as others are in that table
//! that fails, and is tried again from time to time; at a second, higher number it is waited for. A deadlock that this may cause is found like any other.

use super::manager::{Build, Name};
use crate::transactions::Mode;
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

/// Locks on keys of one table.
#[derive(Clone, Copy, Debug)]
struct Keys {
    count: usize,
    /// All their modes together.
    mode: Mode,
}

/// What one transaction holds.
#[derive(Debug, Default)]
pub(super) struct Holdings {
    modes: HashMap<Name, Mode, Build>,
    keys: HashMap<TreeId, Keys, Build>,
}

impl Holdings {
    /// How many locks there are.
    pub(super) fn len(&self) -> usize {
        self.modes.len()
    }

    /// Whether the resource is held at least so strongly, itself or by the table that it is a key of.
    pub(super) fn covers(&self, name: &Name, mode: Mode) -> bool {
        let as_strong = |name: &Name| {
            self.modes
                .get(name)
                .is_some_and(|held| held.joined_with(mode) == *held)
        };
        // Intentions on the table say nothing about its keys: a mode without intentions is looked for.
        let table = match (name, mode) {
            (Name::Key(tree, _), Mode::Shared | Mode::Exclusive) => Some(Name::Table(*tree)),
            _ => None,
        };
        table.is_some_and(|table| as_strong(&table)) || as_strong(name)
    }

    /// Notes what was granted.
    pub(super) fn add(&mut self, name: Name, mode: Mode) {
        if let Name::Key(tree, _) = &name {
            let keys = self.keys.entry(*tree).or_insert(Keys { count: 0, mode });
            keys.count += usize::from(!self.modes.contains_key(&name));
            keys.mode = keys.mode.joined_with(mode);
        }
        let slot = self.modes.entry(name).or_insert(mode);
        *slot = slot.joined_with(mode);
    }

    /// What is to be done before one more key of `tree` is locked in `mode`.
    pub(super) fn escalation(&self, tree: TreeId, mode: Mode) -> Escalation {
        match self.keys.get(&tree) {
            Some(keys) if keys.count >= WAIT_AT => Escalation::Wait(keys.mode.joined_with(mode)),
            Some(keys) if keys.count.is_multiple_of(TRY_AT) && keys.count > 0 => {
                Escalation::Try(keys.mode.joined_with(mode))
            }
            _ => Escalation::None,
        }
    }

    /// Takes out the keys of a table that is held as strongly now; their locks are to be freed.
    pub(super) fn take_keys(&mut self, tree: TreeId) -> Vec<Name> {
        self.keys.remove(&tree);
        let of_tree = |name: &Name, _: &mut Mode| matches!(name, Name::Key(of, _) if *of == tree);
        let taken = self.modes.extract_if(of_tree).map(|(name, _)| name).collect();
        self.modes.shrink_to_fit();
        taken
    }

    /// Everything.
    pub(super) fn into_names(self) -> impl Iterator<Item = Name> {
        self.modes.into_keys()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::transactions::Mode::{Exclusive, IntentExclusive, IntentShared, Shared};

    const TREE: TreeId = TreeId::from_raw(7);

    fn key(number: usize) -> Name {
        Name::Key(TREE, number.to_be_bytes().into())
    }

    #[test]
    fn a_table_covers_its_keys_and_an_intention_does_not() {
        let mut holdings = Holdings::default();
        holdings.add(Name::Table(TREE), IntentExclusive);
        assert!(!holdings.covers(&key(1), Shared) && !holdings.covers(&key(1), Exclusive));
        assert!(holdings.covers(&Name::Table(TREE), IntentShared));
        holdings.add(Name::Table(TREE), Shared);
        assert!(holdings.covers(&key(1), Shared) && !holdings.covers(&key(1), Exclusive));
        holdings.add(Name::Table(TREE), Exclusive);
        assert!(holdings.covers(&key(1), Exclusive));
        let other = Name::Key(TreeId::from_raw(8), [1].into());
        assert!(!holdings.covers(&other, Shared));
    }

    #[test]
    fn keys_are_counted_once_and_ask_for_their_table_at_intervals() {
        let mut holdings = Holdings::default();
        assert_eq!(holdings.escalation(TREE, Shared), Escalation::None);
        for number in 0..TRY_AT {
            assert_eq!(holdings.escalation(TREE, Shared), Escalation::None, "{number}");
            holdings.add(key(number), Shared);
            holdings.add(key(number), Shared);
        }
        assert_eq!(holdings.escalation(TREE, Shared), Escalation::Try(Shared));
        assert_eq!(holdings.escalation(TREE, Exclusive), Escalation::Try(Exclusive));
        holdings.add(key(TRY_AT), Exclusive);
        assert_eq!(holdings.escalation(TREE, Shared), Escalation::None);
        for number in TRY_AT..WAIT_AT {
            holdings.add(key(number), Shared);
        }
        assert_eq!(
            holdings.escalation(TREE, Shared),
            Escalation::Wait(Exclusive),
            "one of them is exclusive"
        );
        assert_eq!(holdings.take_keys(TREE).len(), WAIT_AT);
        assert_eq!(holdings.escalation(TREE, Shared), Escalation::None);
        assert_eq!(holdings.len(), 0);
    }
}
