//! Checkpoints and recovery: from whatever a crash left to a database as if only the committed transactions had ever been.
//!
//! # The problem
//!
//! The pool writes pages when it likes. It may *steal*: write a page with changes of a transaction that has not committed, so that transactions can be larger
//! than memory. And it does *not force*: a commit leaves its pages in memory, so that committing is fast. After a crash the file therefore holds some changes that must go, and
//! lacks some that must be there. The log, which was always ahead, knows both.
//!
//! # The method
//!
//! ARIES (Mohan, Haderle, Lindsay, Pirahesh and Schwarz, 1992) in three steps, of which the first two are one reading of the log here:
//!
//! 1. **Analysis** starts from the last checkpoint and finds who committed and who was in the middle of something, the *losers*.
//! 2. **Redo repeats history**: every change is applied again, page by page, unless the page's LSN says that it is there. The losers' changes too! Only so do all pages
//!    come to the very state they had at the crash, in which it makes sense to take something back *by key* although rows have moved between pages since.
//! 3. **Undo** takes the losers' changes back, newest first across all of them. Each step logs a compensation that points to what is left to do, so that
//!    a crash during undo costs nothing: the next recovery repeats the compensations as part of history and goes on behind them.
//!
//! Rollback while the database runs is step 3 for one transaction, with the same function.
//!
//! # Invariants
//!
//! - Compensations are never undone. A transaction's log grows by at most one compensation for each of its records, however many crashes there are.
//! - Structure changes (splits, page allocation) are never undone; others may have built on them.
//! - Undo begins only when all of redo is done.
//! - Recovery reads no page that the log does not name, and holds no more in memory than the losers, the commits since the checkpoint, and two stretches of the log.
//! - It takes no checkpoint itself: a crash right after it is recovered from where this one was. Whoever opens the database takes one soon, so that the log does not grow from crash to crash.
//! - [`recover()`] gives the only [`Recovered`] there is: the type system keeps anybody from using a tree before it was recovered.
//!
//! # Checkpoints
//!
//! Without them recovery would read the log from its beginning. A checkpoint is fuzzy: nobody waits for it. It writes the pages that are dirty, notes what recovery
//! would need (see `checkpoint.rs` for the order in which that is gathered, which is all the art), and gives the log before that back. The version layer adds a note of its own, and
//! [`Report`] hands it back together with every commit since.
//!
//! # Trusting nothing
//!
//! After a failed sync the system may show bytes that never reached the medium, and a later sync will not bring them there. So nothing that is merely *read* counts as
//! durable. What of the log may be in memory only is copied to new files when it is opened. The page file never has more writes in doubt than its safe copies hold, and opening it writes all of those
//! again; a page that looks right to redo is right.
//!
//! # What was left out
//!
//! - *Undo in the background* after opening, which needs the losers' locks back. Losers are few and short in an embedded database.
//! - *A dirty-page table in the checkpoint.* One number, the oldest dirty page's, decides where redo starts; the page's own LSN decides the rest.

mod analysis;
mod checkpoint;
mod recover;
mod recoverable;
mod recovered;
mod redo;
mod resume;
mod undo;

#[cfg(test)]
mod checkpoint_tests;
#[cfg(test)]
mod crash_tests;
#[cfg(test)]
mod file_tests;
#[cfg(any(test, feature = "testing"))]
pub mod testing;

pub use analysis::Committed;
pub use godb_wal::sync;
pub use godb_wal::{
    Amended, Chain, Clock, Compaction, CompactionPhase, Environment, Fault, Joining, Lsn, MemoryLog,
    MemoryTree, MemoryWal, NewHead, PageId, Range, Row, Spawn, Tree, TreeId, TxnId, Value,
};
pub use recover::{CHECKPOINT_EVERY, Phase, Progress, RecoveryOptions, Report, recover};
pub use recoverable::Recoverable;
pub use recovered::Recovered;
pub use resume::Resume;
