//! Which lock modes go together, and what two of them amount to (Gray, Lorie, Putzolu and Traiger, 1976).

use crate::transactions::Mode::{
    self, Exclusive, IntentExclusive, IntentShared, Shared, SharedIntentExclusive,
};

impl Mode {
    /// Whether two transactions may hold these modes on one resource at once.
    #[must_use]
    pub fn is_compatible_with(self, other: Self) -> bool {
        match (self, other) {
            (Exclusive, _) | (_, Exclusive) => false,
            (IntentShared, _) | (_, IntentShared) | (IntentExclusive, IntentExclusive) | (Shared, Shared) => {
                true
            }
            _ => false,
        }
    }

    /// The weakest mode that allows what both allow.
    #[must_use]
    pub fn joined_with(self, other: Self) -> Self {
        match (self, other) {
            (a, b) if a == b => a,
            (Exclusive, _) | (_, Exclusive) => Exclusive,
            (IntentShared, other) | (other, IntentShared) => other,
            _ => SharedIntentExclusive,
        }
    }

    /// The mode that must be held on everything above a resource locked in this mode.
    #[must_use]
    pub fn intention(self) -> Self {
        match self {
            IntentShared | Shared => IntentShared,
            IntentExclusive | SharedIntentExclusive | Exclusive => IntentExclusive,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALL: [Mode; 5] = [
        IntentShared,
        IntentExclusive,
        Shared,
        SharedIntentExclusive,
        Exclusive,
    ];

    #[test]
    fn compatibility_is_grays_table() {
        let table = ["11110", "11000", "10100", "10000", "00000"];
        for (a, row) in ALL.into_iter().zip(table) {
            for (b, cell) in ALL.into_iter().zip(row.chars()) {
                assert_eq!(a.is_compatible_with(b), cell == '1', "{a:?} with {b:?}");
            }
        }
    }

    #[test]
    fn a_join_excludes_what_either_excludes() {
        for a in ALL {
            for b in ALL {
                let joined = a.joined_with(b);
                assert_eq!(joined, b.joined_with(a));
                for other in ALL {
                    if joined.is_compatible_with(other) {
                        assert!(a.is_compatible_with(other) && b.is_compatible_with(other));
                    }
                }
            }
        }
    }
}
