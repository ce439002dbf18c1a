//! Transactions, and the locks that keep them apart.
//!
//! # The problem
//!
//! The layer below makes single changes recoverable: each is in the log before it is in the file, and whatever did not commit is taken back after a crash. What it
//! does not know is who may do what *while others do something*. A transaction is a promise that several changes look like one: all or nothing, also to
//! those who look on while it runs. This crate makes two thirds of that promise. It says when a transaction has ended and how ([`TransactionManager`]), and it makes
//! one wait for another where both want the same thing ([`LockManager`]). What a reader sees of a row that is being changed is the business of the layer above,
//! which keeps versions; so with versions on, readers take no locks here at all.
//!
//! # The end of a transaction
//!
//! Nothing of this crate is on disk. A transaction is on disk as its records in the log, and its commit is one record. Between that record and the answer
//! to the caller there is an order, and most of what can go wrong with commits goes wrong by leaving it:
//!
//! ```text
//!   committer A            committer B            the line           the log            the version layer
//!   ───────────            ───────────            ────────           ───────            ─────────────────
//!   append record ─────────────────────────────▶  A                  …A
//!                          append record ───────▶ A B                …A B
//!   wait until durable ────────────────────────────────────────────▶ one sync for both
//!                          wait until durable ─────────────────────▶ (the same)
//!                          publish up to B ─────▶ (empty) ──────────────────────────▶  A committed, then B committed
//!   publish up to A        free B's locks
//!   free A's locks
//! ```
//!
//! 1. *Append and stand in line*, under one short lock, so that the line of commits has the order of the log.
//! 2. *Wait until it is durable*, under no lock: whoever commits meanwhile shares the sync (group commit; DeWitt et al., 1984).
//! 3. *Publish* the line from its front up to one's own place. The one who comes first publishes for those before it as well: what is durable up to B is durable up
//!    to A. So the layer above hears of commits in log order, without a gap, never of one that a crash could take back.
//! 4. *Free the locks.* Whoever waited for them finds the commit published. The other order would let the next writer of a row decide by a state in which its
//!    predecessor has not committed yet.
//!
//! A rollback walks the transaction's records backwards and writes a compensation record for each (that is the layer below, and ARIES), then tells the version
//! layer that nothing is left, then frees the locks. A savepoint is a place in that chain of records; returning to it frees no locks, since others
//! may have been refused because of them.
//!
//! Two failures differ in whom they concern. When the log cannot make a commit durable, nobody can tell whether it is; every later commit would stand behind that
//! question, so from then on nobody commits and nobody is given a lock, until the database is opened again and recovery has decided (*poison*). Those who wait
//! for a lock just then are told at once. When a *rollback* fails on its way, for instance at a page that cannot be read, the log is sound: that
//! transaction alone is *stuck*, keeps its locks, and its undo is gone on with later.
//!
//! # Locks
//!
//! What can be locked is a tree of three levels, database, table, key (or range of keys); and, beside it, a transaction itself, for those who wait for its end. A lock on something says something about all that lies below it, so
//! whoever locks a key announces that on the table and the database by an *intention* (Gray, Lorie, Putzolu and Traiger, 1976). Then one who wants the
//! whole table finds out by looking in one place:
//!
//! ```text
//!                       held by somebody else
//!                  IS    IX    S     SIX   X
//!   wanted  IS     yes   yes   yes   yes   ·         IS, IX   parts of it will be locked shared, exclusively
//!           IX     yes   yes   ·     ·     ·         S, X     all of it is locked shared, exclusively
//!           S      yes   ·     yes   ·     ·         SIX      all of it shared, and parts exclusively
//!           SIX    yes   ·     ·     ·     ·
//!           X      ·     ·     ·     ·     ·
//! ```
//!
//! Each locked thing has a *queue*: who holds it and who waits, first come, first served. Fairness is not a courtesy: if readers could overtake a waiting writer, it might wait for
//! ever. There is one exception. Who holds a lock and wants it stronger goes before those who hold nothing, for they could not be served before it anyway.
//!
//! ```text
//!   queues   64 parts of a hash table, a latch each       key "a" of tree 7 ─▶  granted: T3 S, T5 S   waiting: T5 X (stronger), T8 X, T9 S
//!   held     64 parts, a latch each                       T5 ─▶ { database: IX, tree 7: IX, "a": S }
//!   graph    one latch, taken only by those who wait      T5 ─▶ T3      T8 ─▶ T3, T5      T9 ─▶ T5, T8
//!   ranges   a latch a table, where ranges are locked      tree 8 ─▶  granted: T3 ["a", "f") S   waiting: T6 "c" X
//! ```
//!
//! A waiter sleeps on a *ticket* of its own. Three things can end its sleep, a grant, a time-out, and being chosen as a victim; they may
//! come at the same moment, and whichever settles the ticket first is the one that counts. The others must then undo what they were about to do: a lock must not be given to one who has
//! already left.
//!
//! **Deadlocks** are found when they arise, or cannot arise: that is a [policy](DeadlockPolicy). By the first, a cycle in the graph of who waits for whom can only be closed by somebody who
//! begins to wait, so that is when the graph is searched, from the one who begins. The *youngest* transaction of the cycle gives way: it has most likely done the least.
//! *Wait-die* and *wound-wait* need no search: waiting is allowed in one direction of age only, so no cycle ever closes, and the price is that some give way where there was none. The time-out is for what
//! no policy shows: a session whose user has gone to lunch.
//!
//! Whoever gives way is told to whom, and may try again. Its id is new then, but its *age* is that of its first try ([`Transactions::begin_again`]). Were it young again each time, it could give way for
//! ever; so it grows older than all others some day, and the oldest never gives way. Under wound-wait the one that gives way may be running, and then it has no ear: it is marked, and hears of it when it next asks for
//! a lock, writes or wants to commit.
//!
//! **Ranges.** Two reads of `WHERE age > 30` in one transaction shall give the same rows. Locks on the rows that were there keep them as they are, and keep nobody from adding another, a *phantom*. Against that a lock is taken on
//! the range itself, an interval of key space, and a key in it, there or not, is a request that overlaps it. The tree knows nothing of that. As long as no range of a table is locked, each of its keys is a queue of its own,
//! found by hashing; the first range turns the table over to one ordered structure in which overlaps can be found.
//!
//! **Many locks** on keys of one table become one on the table: each costs some hundreds of bytes, and a transaction may want more of them than there is memory for. From 4096 on it is tried now and
//! then, and works if nobody else is in the table; at 65,536 it is waited for. So the locks of a transaction never take more than some twenty megabytes.
//!
//! # What must hold
//!
//! - Commits are published in the order of the log, without gaps, each after it is durable and before its locks are free.
//! - A lock is held from its grant until the transaction has ended (*strict* two-phase locking): nobody builds on what may still be taken back.
//! - Two that exclude each other are never granted at once. Whoever waits is woken as soon as nothing is in its way, or is in no queue any more.
//! - Every cycle is found by the last one to enter it, and costs one victim; or, under wait-die and wound-wait, nobody ever waits in a direction of age in which a cycle could close.
//! - Nobody who waits holds a latch, neither one of this crate nor one of a page.
//!
//! `tests/loom.rs` runs these very types through every interleaving of small cases, and every one of them is broken on purpose to see that a model notices.
//!
//! # Who calls whom
//!
//! Above stands the version layer, through [`Transactions`]; it gives each commit a note for the log and hears of it through the port [`CommitHook`]. Below stands whatever is
//! [`Recoverable`]. A lock is asked for *before* the tree is entered. The tree and the pool know nothing of locks, and this crate nothing of pages.
//!
//! # Where this comes from, and what was left out
//!
//! Gray and Reuter, *Transaction Processing* (1993), chapters 7 and 8, is the book of all this; Mohan et al., *ARIES* (1992), the paper on rollback; Rosenkrantz, Stearns and Lewis (1978) the one on wait-die and wound-wait; Agrawal, Carey and
//! McVoy (1987) compared ways to resolve deadlocks, and found for real systems what is done here by default: detect at once, restart the one that has done least.
//!
//! - *Early lock release* (freeing locks when the commit record is in the log's buffer, before it is durable): it shortens waits, but then one who read what
//!   is not durable must be held back too, and a failed sync would fail those that only read. Not worth it while a row's versions let readers go on anyway.
//! - *Validation at commit* in place of locks (Kung and Robinson, 1981; Hekaton): writers of the same row would learn of each other only at the end, after doing all
//!   the work. Here the second one waits, and then knows.

mod error;
mod lock;
mod manager;
#[cfg(any(test, feature = "testing"))]
pub mod testing;
mod transactions;

pub use error::Error;
pub use godb_recovery::sync;
pub use godb_recovery::{
    Amended, CHECKPOINT_EVERY, Chain, Clock, Compaction, CompactionPhase, Environment, Fault, Joining, Lsn,
    MemoryLog, MemoryTree, MemoryWal, NewHead, PageId, Range, Recoverable, Recovered, RecoveryOptions,
    Report, Resume, Row, Spawn, Tree, TreeId, TxnId, Value, recover,
};
pub use lock::{
    ById, DeadlockPolicy, Interrupt, LockManager, LockOptions, LockStats, LockStatus, LockedResource,
    Patience, TransactionStatus, WaitPlace, WaitStats,
};
pub use manager::TransactionManager;
pub use transactions::{CommitHook, Mode, Resource, Savepoint, Transactions};
