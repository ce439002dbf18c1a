//! A checker of isolation in the manner of *Elle* (Kingsbury and Alvaro, 2020): random transactions run at once, and what they saw is judged afterwards.
//!
//! # How one can know
//!
//! Nobody can watch a database decide. But if every value that is written is written once in the whole history, a value that is read says who wrote it; and if a read shows the whole past of a
//! key, it says in which order. So transactions append numbers to *lists*, and a list that is read is the order of its writers. From that follow the arrows of Adya (1999):
//!
//! - `ww`: one wrote the version right after another's;
//! - `wr`: one read what another wrote;
//! - `rw`: one read the version right before the one that another wrote;
//! - `rt`: one had ended before another began, by a clock outside.
//!
//! Arrows say who must come before whom, and a circle of them is an anomaly. Which arrows it consists of says which:
//!
//! | circle of | | read committed | repeatable read | serializable |
//! | --- | --- | --- | --- | --- |
//! | `ww` | G0, dirty write | refused | refused | refused |
//! | `ww`, `wr` | G1c, circular information flow | refused | refused | refused |
//! | those, and `rw` but never two in a row | G-single, read skew, lost update | allowed | refused | refused |
//! | any | G2, write skew, phantom | allowed | allowed | refused |
//!
//! The third row is what snapshot isolation refuses (Cerone and Gotsman, 2016). With `rt` among the arrows each level is asked to be what it says also against the clock on the wall. Some
//! anomalies need no circle: to read what was taken back (G1a) or written over by its own writer (G1b), to miss one's own writes, an append that is gone, an order that
//! another read contradicts.
//!
//! Beside lists there are *registers*, whose versions are in the order of the commits that the engine itself tells, and *rows* that come and go, read one by one whether there or not, by
//! ranges and through an index: a row that a condition could have found and did not is a read of its absence.
//!
//! # What is run
//!
//! Rounds of some hundred transactions of several threads, each round with keys of its own, so that the graphs stay small. Some rounds end in a power loss in the middle; then the
//! database is opened again on what is left of its files, and what had been acknowledged must be there. The planted bugs ([`PLANTS`]), one for each
//! kind of anomaly at least, show that the checker would notice.

mod campaign;
mod check;
mod client;
mod graph;
mod history;
mod plants;
mod versions;

pub use campaign::{Campaign, Report};
pub use check::{Anomaly, Class, check};
pub use history::{End, History, Key, Op, Tx};
pub use plants::{PLANTS, Plant, plant};
