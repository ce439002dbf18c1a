//! Tests of the whole stack: what several of its programs share.

pub mod crash;
pub mod elle;
pub mod faults;
pub mod figures;
pub mod fuzz;
pub mod postgres;
pub mod real;
#[cfg(test)]
mod recovery;
pub mod salvage;
pub mod sessions;
pub mod slt;
