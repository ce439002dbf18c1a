//! [`TransactionManager`]: recoverable transactions, with locks, that commit in one order.
//!
//! A commit has three steps. Under one short lock the commit record is appended and its place noted in the line of commits, so that the
//! line has the log's order. Then, without any lock, the log makes it durable, together with whoever else commits just now. Then the line is
//! published from its front up to this commit: the version layer hears of commits in log order and never with a gap.

use crate::error::Error;
use crate::lock::{LockManager, LockOptions, LockStats};
use crate::transactions::{CommitHook, Mode, Resource, Savepoint, Transactions};
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
    /// The first commit whose outcome is unknown; nothing commits after it.
    poisoned: Mutex<Option<Fault>>,
}

impl<R: Recoverable> TransactionManager<R> {
    /// Transactions over `below`, which tell `hook` of their commits.
    pub fn new(below: R, hook: Arc<dyn CommitHook>, locks: LockOptions) -> Self {
        Self {
            below,
            locks: LockManager::new(locks),
            hook,
            line: Mutex::new(VecDeque::new()),
            publishing: Mutex::new(()),
            poisoned: Mutex::new(None),
        }
    }

    /// What lies below.
    pub fn below(&self) -> &R {
        &self.below
    }

    /// What happened in the lock manager.
    pub fn lock_stats(&self) -> LockStats {
        self.locks.stats()
    }

    fn check_poison(&self) -> Result<(), Fault> {
        match &*self.poisoned.lock() {
            Some(fault) => Err(Fault::Poisoned {
                why: fault.to_string().into(),
            }),
            None => Ok(()),
        }
    }

    /// Appends the commit record and stands in line.
    fn append_commit(&self, by: TxnId) -> Result<Lsn, Fault> {
        let mut line = self.line.lock();
        let note = self.hook.note(by);
        let at = self.below.commit(by, &note)?;
        line.push_back((at, by));
        Ok(at)
    }

    /// Tells the hook of every commit up to `upto`; all of them are durable, since the log becomes durable in its order.
    fn publish(&self, upto: Lsn) {
        let _one_at_a_time = self.publishing.lock();
        loop {
            let next = {
                let mut line = self.line.lock();
                line.pop_front_if(|(at, _)| *at <= upto)
            };
            let Some((at, by)) = next else { break };
            self.hook.committed(by, at);
        }
    }

    /// Publishes every commit that is logged by now. A checkpoint's note must know them: recovery will not hand them back.
    fn settle(&self) {
        let last = self.line.lock().back().map(|(at, _)| *at);
        if let Some(last) = last
            && self.below.acknowledge(last).is_ok()
        {
            self.publish(last);
        }
    }

    fn commit_changes(&self, by: TxnId) -> Result<Lsn, Fault> {
        self.check_poison()?;
        let at = match self.append_commit(by) {
            Ok(at) => at,
            Err(fault) => {
                // Not even logged, so not committed: taken back before anybody gets at what it locked.
                self.below.roll_back(by, Lsn::default())?;
                return Err(fault);
            }
        };
        if let Err(fault) = self.below.acknowledge(at) {
            self.poisoned.lock().get_or_insert_with(|| fault.clone());
            return Err(fault);
        }
        self.publish(at);
        Ok(at)
    }
}

impl<R: Recoverable> Transactions for TransactionManager<R> {
    type Tree = R::Tree;

    fn tree(&self) -> &R::Tree {
        self.below.tree()
    }

    fn begin(&self) -> TxnId {
        let id = self.below.begin();
        let own = self
            .locks
            .try_lock(id, Resource::Transaction(id), Mode::Exclusive);
        debug_assert!(own, "a new transaction's own lock is free");
        id
    }

    fn lock(&self, by: TxnId, what: Resource<'_>, mode: Mode) -> Result<(), Error> {
        self.locks.lock(by, what, mode)
    }

    fn try_lock(&self, by: TxnId, what: Resource<'_>, mode: Mode) -> Result<bool, Error> {
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
        let result = self.below.roll_back(by, Lsn::default());
        self.locks.release_all(by);
        Ok(result?)
    }

    fn commit(&self, by: TxnId) -> Result<Lsn, Error> {
        let nothing_to_commit = self.below.mark(by) == Lsn::default();
        let result = if nothing_to_commit {
            Ok(Lsn::default())
        } else {
            self.commit_changes(by)
        };
        self.locks.release_all(by);
        Ok(result?)
    }

    fn checkpoint(&self, note: &dyn Fn() -> Vec<u8>) -> Result<(), Fault> {
        self.check_poison()?;
        self.below.checkpoint(&|| {
            self.settle();
            note()
        })
    }

    fn log_since_checkpoint(&self) -> u64 {
        self.below.log_since_checkpoint()
    }
}
