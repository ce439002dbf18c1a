//! Implementations of [`FileSystem`](crate::FileSystem).

mod locks;
mod memory;
mod overlay;
mod real;
mod simulated;
mod whole;

pub use memory::MemoryFileSystem;
pub use overlay::OverlayFileSystem;
pub use real::RealFileSystem;
pub use simulated::{Crash, Effect, Injection, Operations, SimulatedDisk, Tear};
pub use whole::{RawFile, WholeFile};

#[cfg(test)]
mod tests {
    use super::{MemoryFileSystem, OverlayFileSystem, RealFileSystem, SimulatedDisk};
    use crate::sync::Arc;
    use crate::testing;

    #[test]
    fn each_is_a_file_system() {
        testing::file_system(&MemoryFileSystem::default(), "");
        testing::file_system(&SimulatedDisk::new(), "");
        let below = Arc::new(MemoryFileSystem::default());
        testing::file_system(&OverlayFileSystem::new(below, u64::MAX), "");
        let folder = tempfile::tempdir().unwrap();
        testing::file_system(&RealFileSystem, folder.path().to_str().unwrap());
    }
}
