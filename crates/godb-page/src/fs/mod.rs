//! Implementations of [`FileSystem`](crate::FileSystem).

mod memory;
mod real;

pub use memory::MemoryFileSystem;
pub use real::RealFileSystem;
