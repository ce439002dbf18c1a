//! Scripts of several sessions: who does what, in which order, and what comes of it.
//!
//! ```text
//! # What this is about.
//!
//! ## setup
//! s: CREATE TABLE t (id int PRIMARY KEY, n int)
//!     CREATE TABLE
//!
//! ## read committed
//! a: BEGIN ISOLATION LEVEL READ COMMITTED
//!     BEGIN
//! a: UPDATE t SET n = 1 WHERE id = 1
//!     UPDATE 1
//! b: UPDATE t SET n = 2 WHERE id = 1
//!     waits
//! a: COMMIT
//!     COMMIT
//!     b goes on
//!       UPDATE 1
//! ```
//!
//! - `NAME: SQL` is a step: that session runs the statement. Each name is a session of its own, on its own thread.
//! - What is indented under it is what came of it: the command tag; the rows of a query, each with ` | ` between its values, or `no rows`; or the SQLSTATE and message of an
//!   error. `waits` says that the statement has not ended; `NAME goes on` under a later step, that this step was what it waited for, and how it ended.
//! - `## NAME` begins a part, which has a new database in memory and runs the steps of `## setup` first. `## setup` itself is no part. A part whose name ends in `, without versions` runs on a
//!   database with `Config::mvcc` off.
//! - `#` begins a comment. A line that ends in `\` goes on in the next.
//!
//! The scripts lie in `tests/sessions`. With the environment variable `BLESS_SESSIONS` set, the test writes down what came of each step, to be read and judged.

mod player;
mod script;

pub use player::{Knobs, play};
pub use script::{Part, Script, Step};
