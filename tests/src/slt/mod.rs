//! The sqllogictest corpus of SQLite: millions of queries with the answers on which several databases agree.
//!
//! A file is a list of records, separated by empty lines:
//!
//! ```text
//! statement ok                      statement error
//! CREATE TABLE t (a INTEGER)        SELECT nothing FROM nowhere
//!
//! onlyif sqlite                     query II rowsort
//! query I nosort                    SELECT a, b FROM t
//! SELECT 1 IN ()                    ----
//! ----                              30 values hashing to 3c13dee48d9356ae19af2515e05e6b54
//! 0
//! ```
//!
//! Each value of a result stands on a line of its own, written as the letter of its column says: `I` integer, `R` with three decimals,
//! `T` text. That letter is why this is a reader of its own rather than a library: an average is a numeric in one column and
//! an integer in another, and only the record knows. Long results are given by their MD5. Records that godb cannot run are
//! those of other dialects: it runs the corpus as `postgresql`.
//!
//! Literature: Manuel Rigger and Zhendong Su, *Testing Database Engines via Pivoted Query Synthesis* (2020), on what such a corpus
//! does not find: answers that are wrong on every engine, and queries nobody thought of.

mod answer;
mod corpus;
mod record;
mod run;

pub use corpus::{Corpus, Excused};
pub use run::{Engine, Failure, FileRun, Kind, Sample, run_file};
