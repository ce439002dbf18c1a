//! The bugs that can be built into the engine, with `RUSTFLAGS='--cfg godb_plants'`. Each is a mistake that one could make, and that loses data.

/// The names of all of them.
pub const PLANTS: &[&str] = &[];
