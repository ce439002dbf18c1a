//! The one door to locks, atomics and threads.
//!
//! In the product it gives parking_lot's locks and std's atomics. Built with `--cfg godb_loom` it gives loom's, which run a test
//! under every interleaving that matters; so the models check the product's own code and not a copy of it.

#[cfg(not(godb_loom))]
pub mod cell;

/// Reached from every layer by the way of the locks: whether a bug of that name is built in.
pub use crate::plant::planted;

#[cfg(not(godb_loom))]
mod real;
#[cfg(not(godb_loom))]
pub use real::*;

#[cfg(godb_loom)]
mod model;
#[cfg(godb_loom)]
pub use model::*;
