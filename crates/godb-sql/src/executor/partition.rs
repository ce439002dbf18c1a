//! [`Partitions`]: rows divided by the hash of a key into temporary files, each then small enough to be worked on in memory.
//!
//! Equal keys fall into the same partition. A partition that is still too large is divided again, by other bits of the hash; one that
//! cannot be divided, because one key has too many rows, is refused.

use super::columns;
use super::hash::{KeyTable, mix};
use super::spill::{SpillReader, SpillWriter};
use crate::error::{Result, SqlError, state};
use crate::vector::{Batch, Column};
use std::sync::Arc;

/// Into how many parts rows are divided at a time.
const PARTS: usize = 16;
/// How often.
const DEEPEST: u32 = 5;

/// Rows being divided.
pub(super) struct Partitions {
    writers: Vec<SpillWriter>,
    depth: u32,
}

impl Partitions {
    /// Empty parts; `depth` says how often the rows have been divided before.
    pub(super) fn new(depth: u32) -> Result<Self> {
        if depth >= DEEPEST {
            let message = "too many rows with the same key for the memory budget";
            return Err(SqlError::new(state::OUT_OF_MEMORY, message).hint("Raise work_mem."));
        }
        let writers = (0..PARTS).map(|_| SpillWriter::new()).collect::<Result<_>>()?;
        Ok(Self { writers, depth })
    }

    /// Adds the given rows of a batch, each to the part that its key in `keys` belongs to.
    pub(super) fn push(
        &mut self,
        hasher: &mut KeyTable,
        keys: &[Arc<Column>],
        batch: &Batch,
        rows: impl Iterator<Item = usize>,
    ) -> Result<()> {
        let mut parts: [Vec<u32>; PARTS] = Default::default();
        for row in rows {
            let hash = mix(hasher.hash(keys, row).wrapping_add(u64::from(self.depth) + 1));
            parts[usize::try_from(hash >> 60).expect("four bits")].push(columns::row_number(row));
        }
        for (writer, rows) in self.writers.iter_mut().zip(&parts) {
            if !rows.is_empty() {
                writer.write(&batch.take(rows))?;
            }
        }
        Ok(())
    }

    /// Ends dividing: the parts, and how often their rows have been divided now.
    pub(super) fn finish(self) -> Result<(Vec<SpillReader>, u32)> {
        let readers = self
            .writers
            .into_iter()
            .map(SpillWriter::finish)
            .collect::<Result<_>>()?;
        Ok((readers, self.depth + 1))
    }
}
