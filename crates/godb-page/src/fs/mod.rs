//! Implementations of [`FileSystem`](crate::FileSystem).

mod memory;

pub use memory::MemoryFileSystem;
