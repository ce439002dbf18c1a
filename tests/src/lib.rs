//! Tests of the whole stack: what several of its programs share.

pub mod crash;
pub mod faults;
pub mod figures;
pub mod postgres;
#[cfg(test)]
mod recovery;
pub mod slt;
