//! Both logs of this crate conform.

use crate::testing::conforms;
use crate::{Log, LogOptions, LoggedTree, MemoryLog, MemoryWal, SyncMode};
use godb_btree::{DatabaseId, Environment, FileSystem, MemoryFileSystem, MemoryTree};
use std::sync::Arc;

#[test]
fn the_log_in_memory_conforms() {
    conforms(|| {
        let log = MemoryLog::new();
        MemoryWal::new(log.clone(), MemoryTree::new(log))
    });
}

#[test]
fn the_log_in_files_conforms_in_every_mode_and_size() {
    for mode in [SyncMode::Full, SyncMode::Normal, SyncMode::Off] {
        for (block_size, segment_size) in [(512, 4096), (4096, 64 << 10)] {
            conforms(|| {
                let fs: Arc<dyn FileSystem> = Arc::new(MemoryFileSystem::default());
                let options = LogOptions {
                    block_size,
                    segment_size,
                    initial_size: segment_size,
                    buffer: 16 << 10,
                    mode,
                    ..LogOptions::new(DatabaseId::from_bytes([1; 16]), 1)
                };
                let log = Log::create(&fs, "db-wal", &options, &Environment::simulated(7)).unwrap();
                LoggedTree::new(log.clone(), MemoryTree::new(log))
            });
        }
    }
}
