//! [`TransactionManager`]: recoverable transactions, with locks, that commit in one order.
//!
//! A commit has three steps. Under one short lock the commit record is appended and its place noted in the line of commits, so that the
//! line has the log's order. Then, without any lock, the log makes it durable, together with whoever else commits just now. Then the line is
//! published from its front up to this commit: the version layer hears of commits in log order and never with a gap. Only then are
//! the locks freed, so whoever waited for them finds the commit published.
//!
//! Two things can go wrong at the end of a transaction, and they differ in whom they concern.
//!
//! - *The log cannot make a commit durable.* Whether it is, only the next recovery can tell, and every later commit would stand behind
//!   it. So from then on nobody commits ([`Poison`]); reading goes on.
//! - *A rollback fails on its way*, for instance at a page that cannot be read just now. The log is sound, and undo can be gone on with where it stopped.
//!   That transaction alone is [stuck](Stuck): it keeps its locks, so nobody builds on its rows, and its rollback is tried again when others begin and at
//!   checkpoints.

use crate::error::Error;
use crate::lock::{LockManager, LockOptions, Patience};
use crate::transactions::{CommitHook, Mode, Resource, Savepoint, Transactions};
use godb_recovery::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use godb_recovery::sync::{Arc, Mutex};
use godb_recovery::{Fault, Lsn, Recoverable, TxnId};
use std::collections::VecDeque;

/// Transactions over something recoverable.
pub struct TransactionManager<R: Recoverable> {
    below: R,
    locks: LockManager,
    hook: Arc<dyn CommitHook>,
    /// Commits that are logged and not yet published, in log order.
    line: Mutex<VecDeque<(Lsn, TxnId)>>,
    /// Held while publishing, so that the hook is called by one at a time.
    publishing: Mutex<()>,
    /// Up to where the hook has been told.
    published: AtomicU64,
    poison: Poison,
    stuck: Stuck,
}

/// Transactions whose rollback was begun and could not be finished yet.
#[derive(Default)]
struct Stuck {
    /// So that nobody takes the lock while there are none.
    any: AtomicBool,
    ids: Mutex<Vec<(TxnId, Fault)>>,
}

/// The first failure after which nobody may write any more. What it left behind, a commit of unknown outcome, is for recovery to decide.
#[derive(Default)]
struct Poison {
    set: AtomicBool,
    first: Mutex<Option<Fault>>,
}

impl Poison {
    fn set(&self, fault: &Fault) {
        self.first.lock().get_or_insert_with(|| fault.clone());
        self.set.store(true, Ordering::Release);
    }

    fn check(&self) -> Result<(), Fault> {
        if !self.set.load(Ordering::Acquire) {
            return Ok(());
        }
        match &*self.first.lock() {
            Some(already @ Fault::Poisoned { .. }) => Err(already.clone()),
            Some(fault) => Err(Fault::Poisoned {
                why: fault.to_string().into(),
            }),
            None => Ok(()),
        }
    }
}

impl<R: Recoverable> TransactionManager<R> {
    /// Transactions over `below`, which tell `hook` how they end.
    pub fn new(below: R, hook: Arc<dyn CommitHook>, locks: LockOptions) -> Self {
        Self {
            below,
            locks: LockManager::new(locks),
            hook,
            line: Mutex::new(VecDeque::new()),
            publishing: Mutex::new(()),
            published: AtomicU64::new(0),
            poison: Poison::default(),
            stuck: Stuck::default(),
        }
    }

    /// What lies below.
    pub fn below(&self) -> &R {
        &self.below
    }

    /// Who holds and waits for what, and what happened.
    pub fn locks(&self) -> &LockManager {
        &self.locks
    }

    /// Nobody commits or gets a lock any more. Whoever waits for one hears of it now: its holder may be a session that does nothing for hours.
    fn poison(&self, fault: &Fault) {
        self.poison.set(fault);
        if let Err(told) = self.poison.check() {
            self.locks.refuse_waiting(&told);
        }
    }

    /// The log may have been found to be poisoned by somebody else: by write-back, by a checkpoint.
    fn note_poison(&self, fault: &Fault) {
        if matches!(fault, Fault::Poisoned { .. }) {
            self.poison(fault);
        }
    }

    /// Appends the commit record and stands in line.
    fn append_commit(&self, by: TxnId) -> Result<Lsn, Fault> {
        #[cfg(not(godb_plant = "line-after-log"))]
        let mut line = self.line.lock();
        let note = self.hook.note(by);
        let at = self.below.commit(by, &note)?;
        #[cfg(godb_plant = "line-after-log")]
        let mut line = self.line.lock();
        line.push_back((at, by));
        Ok(at)
    }

    /// Tells the hook of every commit up to `upto`; all of them are durable, since the log becomes durable in its order.
    fn publish(&self, upto: Lsn) {
        // Of those whom one flush made durable the first has mostly done it for all.
        if self.published.load(Ordering::Acquire) >= upto.raw() {
            return;
        }
        #[cfg(not(godb_plant = "publish-all-at-once"))]
        let _one_at_a_time = self.publishing.lock();
        loop {
            let next = {
                let mut line = self.line.lock();
                line.pop_front_if(|(at, _)| *at <= upto)
            };
            let Some((at, by)) = next else { break };
            if cfg!(godb_plant = "published-before-told") {
                self.published.fetch_max(at.raw(), Ordering::AcqRel);
            }
            self.hook.committed(by, at);
            self.published.fetch_max(at.raw(), Ordering::AcqRel);
        }
    }

    /// Publishes every commit that is logged by now. A checkpoint's note must know them: recovery will not hand them back.
    fn settle(&self) {
        if cfg!(godb_plant = "checkpoint-unsettled") {
            return;
        }
        let last = self.line.lock().back().map(|(at, _)| *at);
        if let Some(last) = last
            && self.below.acknowledge(last).is_ok()
        {
            self.publish(last);
        }
        // One that was taken out of the line may be just about to be told.
        #[cfg(not(godb_plant = "checkpoint-overtakes"))]
        drop(self.publishing.lock());
    }

    /// Commits what was changed. Any error but [`Error::OutcomeUnknown`] means that nothing was committed.
    fn commit_changes(&self, by: TxnId) -> Result<Lsn, Error> {
        self.poison.check()?;
        let at = match self.append_commit(by) {
            Ok(at) => at,
            Err(fault) => {
                self.note_poison(&fault);
                // Not even logged, so not committed: taken back before anybody gets at what it locked.
                self.take_back(by)?;
                return Err(fault.into());
            }
        };
        if cfg!(godb_plant = "publish-before-durable") {
            self.publish(at);
        }
        if let Err(fault) = self.below.acknowledge(at) {
            self.poison(&fault);
            return Err(Error::OutcomeUnknown(fault));
        }
        self.publish(at);
        Ok(at)
    }

    /// Undoes everything. When that fails the transaction is stuck.
    fn take_back(&self, by: TxnId) -> Result<(), Fault> {
        let result = self.below.roll_back(by, Lsn::default());
        match &result {
            Ok(()) => self.hook.rolled_back(by),
            Err(fault) => {
                let mut ids = self.stuck.ids.lock();
                ids.push((by, fault.clone()));
                self.stuck.any.store(true, Ordering::Release);
            }
        }
        result
    }

    /// Frees the locks of one that has ended; one that is stuck has not.
    fn let_go(&self, by: TxnId) {
        let is_stuck =
            self.stuck.any.load(Ordering::Acquire) && self.stuck.ids.lock().iter().any(|(id, _)| *id == by);
        if !is_stuck {
            self.locks.release_all(by);
        }
    }

    /// Tries the rollbacks again that failed; one that fails again waits for the next time.
    fn free_stuck(&self) {
        if !self.stuck.any.load(Ordering::Acquire) {
            return;
        }
        // Whoever comes while somebody tries need not try too.
        let Some(mut ids) = self.stuck.ids.try_lock() else {
            return;
        };
        ids.retain_mut(|(by, failure)| match self.below.roll_back(*by, Lsn::default()) {
            Ok(()) => {
                self.hook.rolled_back(*by);
                self.locks.release_all(*by);
                false
            }
            Err(fault) => {
                *failure = fault;
                true
            }
        });
        self.stuck.any.store(!ids.is_empty(), Ordering::Release);
    }
}

impl<R: Recoverable> Transactions for TransactionManager<R> {
    type Tree = R::Tree;

    fn tree(&self) -> &R::Tree {
        self.below.tree()
    }

    fn finish_rollbacks(&self) {
        self.free_stuck();
    }

    fn failed_rollback(&self, by: TxnId) -> Option<Fault> {
        if !self.stuck.any.load(Ordering::Acquire) {
            return None;
        }
        // Whoever holds the lock is at work on it.
        let ids = self.stuck.ids.try_lock()?;
        let found = ids.iter().find(|(id, _)| *id == by);
        found.map(|(_, fault)| fault.clone())
    }

    fn begin(&self) -> TxnId {
        let id = self.below.begin();
        let own = self
            .locks
            .try_lock(id, Resource::Transaction(id), Mode::Exclusive);
        debug_assert!(own, "a new transaction's own lock is free");
        id
    }

    fn begin_again(&self, first: TxnId) -> TxnId {
        let id = self.begin();
        self.locks.set_first_try(id, first);
        id
    }

    fn check(&self, by: TxnId) -> Result<(), Error> {
        self.locks.check(by)
    }

    fn lock_patiently(
        &self,
        by: TxnId,
        what: Resource<'_>,
        mode: Mode,
        patience: &Patience,
    ) -> Result<(), Error> {
        self.poison.check()?;
        self.locks.lock_patiently(by, what, mode, patience)?;
        // Whoever held it may have let go because it failed.
        Ok(self.poison.check()?)
    }

    fn try_lock(&self, by: TxnId, what: Resource<'_>, mode: Mode) -> Result<bool, Error> {
        self.poison.check()?;
        Ok(self.locks.try_lock(by, what, mode))
    }

    fn savepoint(&self, by: TxnId) -> Savepoint {
        Savepoint(self.below.mark(by))
    }

    fn roll_back_to(&self, by: TxnId, to: Savepoint) -> Result<(), Error> {
        // Nothing was logged before the savepoint: undoing everything must not end the transaction here.
        Ok(self.below.roll_back(by, to.0)?)
    }

    fn roll_back(&self, by: TxnId) -> Result<(), Error> {
        let result = self.take_back(by);
        self.let_go(by);
        Ok(result?)
    }

    fn commit(&self, by: TxnId) -> Result<Lsn, Error> {
        if cfg!(godb_plant = "free-before-publish") {
            self.locks.release_all(by);
        }
        let result = match self.locks.check(by) {
            Err(gave_way) => self.take_back(by).map_err(Error::from).and(Err(gave_way)),
            Ok(()) if self.below.mark(by) == Lsn::default() => {
                self.hook.rolled_back(by);
                Ok(Lsn::default())
            }
            Ok(()) => self.commit_changes(by),
        };
        self.let_go(by);
        result
    }

    fn checkpoint(&self, note: &dyn Fn() -> Vec<u8>) -> Result<(), Fault> {
        self.poison.check()?;
        self.free_stuck();
        let taken = self.below.checkpoint(&|| {
            self.settle();
            note()
        });
        taken.inspect_err(|fault| self.note_poison(fault))
    }

    fn log_since_checkpoint(&self) -> u64 {
        self.below.log_since_checkpoint()
    }
}

#[cfg(test)]
mod tests;
