//! The few functions that planning needs, until the expression library is there.
#![allow(
    missing_docs,
    unreachable_pub,
    clippy::all,
    clippy::pedantic,
    clippy::unwrap_used
)]
pub mod cast;
pub mod eval;
pub mod execution;
pub mod functions;
pub mod text;
