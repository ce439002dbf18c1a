//! Implementations of [`FileSystem`](crate::FileSystem).

mod memory;
mod real;
mod simulated;

pub use memory::MemoryFileSystem;
pub use real::RealFileSystem;
pub use simulated::{Crash, Effect, Injection, Operations, SimulatedDisk, Tear};
