//! Opening LMDB's environment, which its binding calls unsafe.

#![expect(
    unsafe_code,
    reason = "LMDB maps its file; its binding leaves the promise that nobody else writes there to the caller"
)]

use crate::Result;
use heed::{Env, EnvFlags, EnvOpenOptions};
use std::path::Path;

/// The address space it may map; the file grows only as it fills.
const MAP: usize = 64 << 30;

/// Opens or creates the environment in `folder`.
pub(super) fn environment(folder: &Path, flags: EnvFlags) -> Result<Env> {
    std::fs::create_dir_all(folder)?;
    let mut options = EnvOpenOptions::new();
    options.map_size(MAP).max_readers(128);
    // SAFETY: the folder is the benchmark's own and opened once at a time, so nobody else changes the mapped file. Without sync a power cut may
    // damage it, which a benchmark bears.
    let env = unsafe {
        options.flags(flags);
        options.open(folder)?
    };
    Ok(env)
}
