//! What the disk itself gives, measured in the same run: no database that keeps its word can be faster than that.

use super::figure::{Figure, Stopwatch, percentiles};
use crate::Result;
use rustix::fs::{Mode, OFlags};
use std::fs::File;
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::time::{Duration, Instant};

/// The name under which the disk stands in the table.
pub(super) const DISK: &str = "disk";

/// Bytes of a block that is flushed or read.
pub(super) const BLOCK: usize = 4096;

/// Bytes of the file whose blocks are flushed.
const WRITTEN: usize = 16 << 20;

/// Writes blocks of a file one after the other, each made durable before the next. The blocks were written before, so the file system has nothing to note: the least that a durable commit can
/// be.
pub(super) fn flushes(folder: &Path, count: u64) -> Result<Figure> {
    let path = folder.join("flushed-blocks");
    std::fs::write(&path, vec![1; WRITTEN])?;
    let file = File::options().read(true).write(true).open(&path)?;
    file.sync_all()?;
    let mut block = [0; BLOCK];
    let watch = Stopwatch::start();
    let mut times = Vec::new();
    for number in 0..count {
        block[..8].copy_from_slice(&number.to_le_bytes());
        let begun = Instant::now();
        file.write_all_at(&block, number * BLOCK as u64 % WRITTEN as u64)?;
        file.sync_data()?;
        times.push(begun.elapsed());
    }
    let mut figure = watch.stop(count);
    figure.latency = percentiles(times);
    std::fs::remove_file(path)?;
    Ok(figure)
}

/// Memory that begins where a block may be read to without the system's cache.
#[repr(align(4096))]
struct Aligned([u8; BLOCK]);

/// Reads blocks anywhere in a file, one after the other, past the system's cache.
pub(super) fn reads(file: &Path, time: Duration) -> Result<Figure> {
    let flags = OFlags::RDONLY | OFlags::DIRECT | OFlags::CLOEXEC;
    let file = File::from(rustix::fs::open(file, flags, Mode::empty())?);
    let blocks = file.metadata()?.len() / BLOCK as u64;
    let mut random = fastrand::Rng::with_seed(9);
    let mut block = Box::new(Aligned([0; BLOCK]));
    let watch = Stopwatch::start();
    let begun = Instant::now();
    let mut times = Vec::new();
    while begun.elapsed() < time {
        let at = random.u64(..blocks) * BLOCK as u64;
        let one = Instant::now();
        file.read_exact_at(&mut block.0, at)?;
        times.push(one.elapsed());
    }
    let mut figure = watch.stop(times.len() as u64);
    figure.latency = percentiles(times);
    Ok(figure)
}
