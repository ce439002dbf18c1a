//! Advisory locks: numbers that clients lock to keep out of each other's way. What a number stands for is theirs to agree on.
//!
//! One table for a database, behind one latch: these locks are few, and held for long. A session holds a lock as often as it took it, in two ways: for itself, until it is freed as often or the session ends,
//! or for its transaction, until that ends. Whoever must wait stands in line, first come, first served; who holds the lock already passes the line, or it would wait for itself.
//!
//! **Deadlocks** among these locks are found before anybody waits: who would close a circle is refused. A circle that goes through rows as well is ended by the lock time-out.

use crate::error::{Result, SqlError, state};
use godb_mvcc::sync::atomic::{AtomicU64, Ordering};
use godb_mvcc::sync::{Condvar, Mutex, wait_for};
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;
use std::time::Duration;

/// How often one who waits looks whether to go on.
const BETWEEN_LOOKS: Duration = Duration::from_millis(10);

/// What is locked: one number of 64 bits, or two of 32, which are other locks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum AdvisoryKey {
    /// `pg_advisory_lock(key bigint)`
    One(i64),
    /// `pg_advisory_lock(key1 int, key2 int)`
    Two(i64, i64),
}

/// How it is locked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct AdvisoryMode {
    /// Others may hold it shared as well.
    pub(crate) shared: bool,
    /// Until the transaction ends.
    pub(crate) for_transaction: bool,
}

type Owner = u64;

/// How often somebody holds a lock: for the session and for the transaction, each exclusively and shared.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Count {
    session: [u32; 2],
    transaction: [u32; 2],
}

impl Count {
    fn of(&mut self, mode: AdvisoryMode) -> &mut u32 {
        let counts = if mode.for_transaction {
            &mut self.transaction
        } else {
            &mut self.session
        };
        &mut counts[usize::from(mode.shared)]
    }

    fn is_exclusive(self) -> bool {
        self.session[0] + self.transaction[0] > 0
    }

    fn is_none(self) -> bool {
        self == Self::default()
    }
}

/// Who holds one lock, and who waits for it.
#[derive(Debug, Default)]
struct Line {
    held: BTreeMap<Owner, Count>,
    waiting: VecDeque<(Owner, bool)>,
}

impl Line {
    /// Those because of whom somebody cannot have the lock: holders, and who came before.
    fn in_the_way(&self, owner: Owner, shared: bool) -> Vec<Owner> {
        let conflicts = |other_shared: bool| !(shared && other_shared);
        let holders = self
            .held
            .iter()
            .filter(|(other, count)| **other != owner && conflicts(!count.is_exclusive()))
            .map(|(other, _)| *other);
        let mut found: Vec<Owner> = holders.collect();
        if !self.held.contains_key(&owner) {
            let before = self.waiting.iter().take_while(|(other, _)| *other != owner);
            found.extend(
                before
                    .filter(|(_, other)| conflicts(*other))
                    .map(|(other, _)| *other),
            );
        }
        found
    }

    fn is_empty(&self) -> bool {
        self.held.is_empty() && self.waiting.is_empty()
    }
}

type Lines = BTreeMap<AdvisoryKey, Line>;

/// All advisory locks of a database.
#[derive(Debug, Default)]
pub(crate) struct AdvisoryLocks {
    lines: Mutex<Lines>,
    freed: Condvar,
    owners: AtomicU64,
}

/// What one session holds of them; dropping it frees everything.
#[derive(Debug)]
pub(crate) struct AdvisoryHolder {
    locks: Arc<AdvisoryLocks>,
    owner: Owner,
}

impl Drop for AdvisoryHolder {
    fn drop(&mut self) {
        self.end_session();
    }
}

impl AdvisoryHolder {
    /// For a new session.
    pub(crate) fn new(locks: Arc<AdvisoryLocks>) -> Self {
        let owner = locks.owners.fetch_add(1, Ordering::Relaxed);
        Self { locks, owner }
    }

    /// Takes a lock if that needs no waiting.
    pub(crate) fn try_lock(&self, key: AdvisoryKey, mode: AdvisoryMode) -> bool {
        let mut lines = self.locks.lines.lock();
        let taken = take(&mut lines, self.owner, key, mode);
        if !taken {
            clean(&mut lines, key);
        }
        taken
    }

    /// Takes a lock; waits for it as long as `timeout`, and while `check` does not fail.
    ///
    /// # Errors
    /// What `check` fails with, `55P03` when time is over, `40P01` when waiting would close a circle.
    pub(crate) fn lock(
        &self,
        key: AdvisoryKey,
        mode: AdvisoryMode,
        timeout: Duration,
        check: &dyn Fn() -> Result<()>,
    ) -> Result<()> {
        let mut lines = self.locks.lines.lock();
        if take(&mut lines, self.owner, key, mode) {
            return Ok(());
        }
        lines
            .entry(key)
            .or_default()
            .waiting
            .push_back((self.owner, mode.shared));
        let mut left = timeout;
        let ended = loop {
            if closes_circle(&lines, self.owner) {
                break Err(SqlError::new(state::DEADLOCK_DETECTED, "deadlock detected"));
            }
            if let Err(error) = check() {
                break Err(error);
            }
            if take(&mut lines, self.owner, key, mode) {
                break Ok(());
            }
            if left.is_zero() {
                let message = "canceling statement due to lock timeout";
                break Err(SqlError::new(state::LOCK_NOT_AVAILABLE, message));
            }
            let slice = left.min(BETWEEN_LOOKS);
            if wait_for(&self.locks.freed, &mut lines, slice) {
                left -= slice;
            }
        };
        if let Some(line) = lines.get_mut(&key) {
            line.waiting.retain(|(owner, _)| *owner != self.owner);
        }
        clean(&mut lines, key);
        drop(lines);
        // Who stood behind may go now.
        self.locks.freed.notify_all();
        ended
    }

    /// Frees a lock once that was taken for the session; tells whether it was held so.
    pub(crate) fn unlock(&self, key: AdvisoryKey, shared: bool) -> bool {
        let mode = AdvisoryMode {
            shared,
            for_transaction: false,
        };
        let mut lines = self.locks.lines.lock();
        let Some(count) = lines
            .get_mut(&key)
            .and_then(|line| line.held.get_mut(&self.owner))
        else {
            return false;
        };
        let times = count.of(mode);
        if *times == 0 {
            return false;
        }
        *times -= 1;
        self.forget(&mut lines, key);
        drop(lines);
        self.locks.freed.notify_all();
        true
    }

    /// Frees everything that is held for the session.
    pub(crate) fn unlock_all(&self) {
        self.free(|count| count.session = [0; 2]);
    }

    /// The transaction has ended: frees what was held for it.
    pub(crate) fn end_transaction(&self) {
        self.free(|count| count.transaction = [0; 2]);
    }

    /// The session has ended.
    pub(crate) fn end_session(&self) {
        self.free(|count| *count = Count::default());
    }

    fn free(&self, change: impl Fn(&mut Count)) {
        let mut lines = self.locks.lines.lock();
        let held = lines
            .iter()
            .filter(|(_, line)| line.held.contains_key(&self.owner));
        let keys: Vec<AdvisoryKey> = held.map(|(key, _)| *key).collect();
        if keys.is_empty() {
            return;
        }
        for key in keys {
            if let Some(count) = lines
                .get_mut(&key)
                .and_then(|line| line.held.get_mut(&self.owner))
            {
                change(count);
            }
            self.forget(&mut lines, key);
        }
        drop(lines);
        self.locks.freed.notify_all();
    }

    /// Removes what is held no more.
    fn forget(&self, lines: &mut Lines, key: AdvisoryKey) {
        if let Some(line) = lines.get_mut(&key) {
            line.held
                .retain(|owner, count| *owner != self.owner || !count.is_none());
        }
        clean(lines, key);
    }
}

/// Takes a lock that nobody is in the way of.
fn take(lines: &mut Lines, owner: Owner, key: AdvisoryKey, mode: AdvisoryMode) -> bool {
    let line = lines.entry(key).or_default();
    let free = line.in_the_way(owner, mode.shared).is_empty();
    if free {
        *line.held.entry(owner).or_default().of(mode) += 1;
    }
    free
}

fn clean(lines: &mut Lines, key: AdvisoryKey) {
    if lines.get(&key).is_some_and(Line::is_empty) {
        lines.remove(&key);
    }
}

/// Whether somebody who waits waits, through others, for itself.
fn closes_circle(lines: &Lines, owner: Owner) -> bool {
    let waits_for = |who: Owner| {
        lines.values().flat_map(move |line| {
            let wants = line.waiting.iter().find(|(waiter, _)| *waiter == who);
            wants.map_or_else(Vec::new, |(_, shared)| line.in_the_way(who, *shared))
        })
    };
    let mut seen = BTreeSet::new();
    let mut ahead: Vec<Owner> = waits_for(owner).collect();
    while let Some(next) = ahead.pop() {
        if next == owner {
            return true;
        }
        if seen.insert(next) {
            ahead.extend(waits_for(next));
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: AdvisoryKey = AdvisoryKey::One(7);
    const LONG: Duration = Duration::from_secs(30);

    fn mode(shared: bool, for_transaction: bool) -> AdvisoryMode {
        AdvisoryMode {
            shared,
            for_transaction,
        }
    }

    fn two() -> (Arc<AdvisoryHolder>, Arc<AdvisoryHolder>) {
        let locks = Arc::new(AdvisoryLocks::default());
        let holder = || Arc::new(AdvisoryHolder::new(locks.clone()));
        (holder(), holder())
    }

    #[test]
    fn a_lock_is_held_as_often_as_it_was_taken() {
        let (a, b) = two();
        assert!(a.try_lock(KEY, mode(false, false)) && a.try_lock(KEY, mode(false, false)));
        assert!(!b.try_lock(KEY, mode(true, false)));
        assert!(a.unlock(KEY, false) && !b.try_lock(KEY, mode(true, false)));
        assert!(!a.unlock(KEY, true), "it is not held shared");
        assert!(a.unlock(KEY, false) && !a.unlock(KEY, false));
        assert!(b.try_lock(KEY, mode(true, false)) && a.try_lock(KEY, mode(true, true)));
        assert!(b.try_lock(AdvisoryKey::Two(0, 7), mode(false, false)));
        b.unlock_all();
        assert!(a.try_lock(KEY, mode(false, false)));
        a.end_session();
        assert!(a.locks.lines.lock().is_empty());
    }

    #[test]
    fn a_transaction_s_locks_go_with_it() {
        let (a, b) = two();
        assert!(a.try_lock(KEY, mode(false, true)));
        assert!(!a.unlock(KEY, false));
        a.unlock_all();
        assert!(!b.try_lock(KEY, mode(false, false)));
        a.end_transaction();
        assert!(b.try_lock(KEY, mode(false, false)));
    }

    #[test]
    fn who_waits_gets_it_or_an_error() {
        let (a, b) = two();
        let exclusive = mode(false, false);
        assert!(a.try_lock(KEY, exclusive));
        let late = b.lock(KEY, exclusive, Duration::from_millis(20), &|| Ok(()));
        assert_eq!(late.unwrap_err().state, state::LOCK_NOT_AVAILABLE);
        let cancelled = b.lock(KEY, exclusive, LONG, &|| {
            Err(SqlError::new(state::QUERY_CANCELED, ""))
        });
        assert_eq!(cancelled.unwrap_err().state, state::QUERY_CANCELED);
        let waiter = {
            let b = b.clone();
            std::thread::spawn(move || b.lock(KEY, exclusive, LONG, &|| Ok(())))
        };
        a.unlock(KEY, false);
        waiter.join().unwrap().unwrap();
        assert!(!a.try_lock(KEY, exclusive));
    }

    #[test]
    fn a_circle_is_refused() {
        let (a, b) = two();
        let (exclusive, other) = (mode(false, false), AdvisoryKey::One(8));
        assert!(a.try_lock(KEY, exclusive) && b.try_lock(other, exclusive));
        let waiter = {
            let b = b.clone();
            std::thread::spawn(move || b.lock(KEY, exclusive, LONG, &|| Ok(())))
        };
        while a
            .locks
            .lines
            .lock()
            .get(&KEY)
            .is_none_or(|line| line.waiting.is_empty())
        {
            std::thread::yield_now();
        }
        let refused = a.lock(other, exclusive, LONG, &|| Ok(()));
        assert_eq!(refused.unwrap_err().state, state::DEADLOCK_DETECTED);
        a.unlock_all();
        waiter.join().unwrap().unwrap();
    }
}
