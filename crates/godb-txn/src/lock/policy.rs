//! [`DeadlockPolicy`]: what keeps transactions from waiting for each other in a circle.
//!
//! Two of the policies never let a circle come about (Rosenkrantz, Stearns and Lewis, 1978): whoever is allowed to wait waits in one direction of age only, and a circle would have
//! to go in both somewhere. The price is that some give way where there was no circle. The third lets everybody wait and looks for circles; the fourth does not even look.
//!
//! ```text
//!                       an older one wants what        a younger one wants what
//!                       a younger one holds            an older one holds
//!   wait-die            waits                          gives way at once
//!   wound-wait          the younger gives way          waits
//!   wait-for graph      waits, unless that closes a circle: then the youngest of it gives way
//!   time-out            waits                          waits
//! ```
//!
//! *Age* is the transaction's id, or the id of its first try when it is tried again: otherwise it would be the youngest each time, and might give way for ever. With its first age it is the oldest
//! of all some day, and the oldest never gives way.

use godb_recovery::TxnId;

/// What happens when transactions would wait for each other in a circle.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum DeadlockPolicy {
    /// Who begins to wait looks for a circle among those who wait; the youngest in it gives way.
    #[default]
    WaitForGraph,
    /// An older transaction waits for a younger one; a younger one gives way at once.
    WaitDie,
    /// An older transaction makes a younger one give way; a younger one waits.
    WoundWait,
    /// Only the lock time-out ends a deadlock.
    Timeout,
}

/// How old a transaction is: the smaller, the older.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Age {
    /// The id of its first try.
    pub(super) first: TxnId,
    /// Its own.
    pub(super) id: TxnId,
}

/// Who gives way when somebody waits.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// Nobody.
    Wait,
    /// The one who waits, to this one.
    Die(TxnId),
    /// These, to the one who waits.
    Wound(Vec<TxnId>),
}

impl DeadlockPolicy {
    /// Whether the graph is searched for circles.
    pub(super) fn searches(self) -> bool {
        self == Self::WaitForGraph
    }

    /// Who gives way when `waiter` waits for `blockers`.
    pub(super) fn judge(self, waiter: Age, blockers: impl Iterator<Item = Age>) -> Verdict {
        match self {
            Self::WaitForGraph | Self::Timeout => Verdict::Wait,
            Self::WaitDie => {
                let oldest = blockers.min();
                match oldest.filter(|blocker| *blocker < waiter) {
                    Some(older) => Verdict::Die(older.id),
                    None => Verdict::Wait,
                }
            }
            Self::WoundWait => {
                let younger: Vec<TxnId> = blockers.filter(|b| *b > waiter).map(|b| b.id).collect();
                match younger.is_empty() {
                    true => Verdict::Wait,
                    false => Verdict::Wound(younger),
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn age(first: u64, id: u64) -> Age {
        let (first, id) = (TxnId::from_raw(first), TxnId::from_raw(id));
        Age { first, id }
    }

    #[test]
    fn waiting_goes_in_one_direction_of_age() {
        let (old, middle, young) = (age(1, 1), age(2, 2), age(3, 3));
        let judge = |policy: DeadlockPolicy, waiter| policy.judge(waiter, [old, young].into_iter());
        assert_eq!(judge(DeadlockPolicy::WaitDie, middle), Verdict::Die(old.id));
        assert_eq!(
            judge(DeadlockPolicy::WoundWait, middle),
            Verdict::Wound(vec![young.id])
        );
        for policy in [DeadlockPolicy::WaitForGraph, DeadlockPolicy::Timeout] {
            assert_eq!(judge(policy, middle), Verdict::Wait);
        }
    }

    #[test]
    fn one_that_is_tried_again_is_as_old_as_its_first_try() {
        let (again, other) = (age(1, 9), age(5, 5));
        let wait_die = DeadlockPolicy::WaitDie;
        assert_eq!(wait_die.judge(again, [other].into_iter()), Verdict::Wait);
        assert_eq!(wait_die.judge(other, [again].into_iter()), Verdict::Die(again.id));
    }
}
