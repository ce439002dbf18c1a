//! Plans: what a query asks for ([`logical`]) and how it is answered ([`physical`]).
//!
//! The binder makes a logical plan, in which every column that an operator produces has an id that is unique in the statement, so that
//! rules can move operators without renumbering anything. The optimiser rewrites it. Last, columns become positions and operators
//! algorithms: the physical plan, which the executor runs.

pub mod logical;
pub mod physical;
pub mod statement;
#[cfg(test)]
mod tests;
pub mod walk;

pub use statement::{NoPast, Past, Planned, Planning, bind_copy_query, plan_statement};
