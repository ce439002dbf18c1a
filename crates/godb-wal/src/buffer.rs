//! The end of the log that is not written yet.
//!
//! The buffer is laid out exactly as the blocks will be on disk, with room left for their headers, so that a record's position
//! is known the moment it is appended. [`Buffer::seal`] ends the current block and hands the batch to whoever writes it; the next record begins a new
//! block. Batches being written stay readable, because a rollback may want a record that is on its way to disk.

use crate::block::{self, HEADER, Stamp};
use crate::codec::{Entry, Sink};
use crate::read::{Blocks, Found, View, record_at};
use godb_btree::{Fault, Lsn};
use std::collections::VecDeque;
use std::sync::Arc;

/// Blocks on their way to disk.
#[derive(Debug)]
pub(crate) struct Batch {
    /// Where the first block lies.
    pub(crate) base: u64,
    /// The blocks, the last one as far as it is used.
    bytes: Vec<u8>,
}

impl Batch {
    /// Where the log goes on behind it.
    pub(crate) fn next(&self, size: u64) -> u64 {
        (self.base + self.bytes.len() as u64).next_multiple_of(size)
    }

    /// Writes the blocks as they will lie on disk, headers and checksums included, into `image`.
    pub(crate) fn image(&self, size: usize, stamp: &Stamp, image: &mut Vec<u8>) {
        image.clear();
        image.extend_from_slice(&self.bytes);
        image.resize(self.bytes.len().next_multiple_of(size), 0);
        let mut left = self.bytes.len();
        let mut at = self.base;
        for block in image.chunks_exact_mut(size) {
            let used = left.min(size) - HEADER;
            block::seal(block, at, used, stamp);
            left -= left.min(size);
            at += size as u64;
        }
    }

    fn view(&self, size: u64) -> Unwritten<'_> {
        Unwritten {
            base: self.base,
            size,
            bytes: &self.bytes,
        }
    }
}

/// What is logged and not yet known to be written.
#[derive(Debug)]
pub(crate) struct Buffer {
    size: usize,
    base: u64,
    bytes: Vec<u8>,
    in_flight: VecDeque<Arc<Batch>>,
    spare: Vec<u8>,
    scratch: Vec<u8>,
}

impl Buffer {
    /// An empty buffer; the log goes on at `base`, a multiple of `size`, the size of a block.
    pub(crate) fn new(size: usize, base: u64) -> Self {
        Self {
            size,
            base,
            bytes: Vec::new(),
            in_flight: VecDeque::new(),
            spare: Vec::new(),
            scratch: Vec::new(),
        }
    }

    /// Where the next record starts, unless a seal comes between.
    pub(crate) fn end(&self) -> u64 {
        let at = self.base + self.bytes.len() as u64;
        if self.bytes.len().is_multiple_of(self.size) {
            at + HEADER as u64
        } else {
            at
        }
    }

    /// The end of the last record.
    pub(crate) fn logged(&self) -> u64 {
        self.base + self.bytes.len() as u64
    }

    /// The end of the block that is being filled: where the log would go on after a seal.
    pub(crate) fn block_end(&self) -> u64 {
        (self.base + self.bytes.len() as u64).next_multiple_of(self.size as u64)
    }

    /// Bytes not yet written.
    pub(crate) fn len(&self) -> usize {
        self.bytes.len() + self.in_flight.iter().map(|b| b.bytes.len()).sum::<usize>()
    }

    /// Bytes that wait for a seal.
    pub(crate) fn unsealed(&self) -> usize {
        self.bytes.len()
    }

    /// Everything from this position on is here; what lies before is in the files.
    pub(crate) fn first(&self) -> u64 {
        self.in_flight.front().map_or(self.base, |batch| batch.base)
    }

    /// Adds a record; returns its position.
    pub(crate) fn append(&mut self, entry: &Entry<'_>) -> Lsn {
        self.begin_block_if_full();
        let at = self.bytes.len();
        let offset = at % self.size;
        block::note_start(&mut self.bytes[at - offset..], offset);
        entry.encode(self);
        Lsn::from_raw(self.base + at as u64)
    }

    /// Ends the current block. `None` when nothing was logged since the last seal.
    pub(crate) fn seal(&mut self) -> Option<Arc<Batch>> {
        if self.bytes.is_empty() {
            return None;
        }
        let next = self.block_end();
        let mut spare = std::mem::take(&mut self.spare);
        spare.clear();
        let batch = Arc::new(Batch {
            base: self.base,
            bytes: std::mem::replace(&mut self.bytes, spare),
        });
        self.base = next;
        self.in_flight.push_back(batch.clone());
        Some(batch)
    }

    /// In a log that is not written any more, forgets what lies behind the last seal when that is more than `limit` bytes. Only a second attempt at a rollback
    /// could ask for it, and is told that it is gone.
    pub(crate) fn shorten(&mut self, limit: usize) {
        if self.bytes.len() > limit {
            self.base = self.block_end();
            self.bytes.clear();
        }
    }

    /// The oldest batch in flight is in the file.
    pub(crate) fn landed(&mut self, batch: Arc<Batch>) {
        let oldest = self.in_flight.pop_front();
        debug_assert!(
            oldest.is_some_and(|o| Arc::ptr_eq(&o, &batch)),
            "batches land in order"
        );
        if let Ok(batch) = Arc::try_unwrap(batch)
            && batch.bytes.capacity() > self.spare.capacity()
        {
            self.spare = batch.bytes;
        }
    }

    /// The record at `at`, which must be at or behind [`first`](Self::first).
    pub(crate) fn record_at(&mut self, at: u64) -> Result<Found, Fault> {
        let size = self.size as u64;
        for batch in &self.in_flight {
            if at < batch.next(size)
                && let found @ Found::Record(..) =
                    record_at(&mut batch.view(size), at.max(batch.base), &mut self.scratch)?
            {
                return Ok(found);
            }
        }
        let mut current = Unwritten {
            base: self.base,
            size,
            bytes: &self.bytes,
        };
        record_at(&mut current, at.max(self.base), &mut self.scratch)
    }

    fn begin_block_if_full(&mut self) {
        if self.bytes.len().is_multiple_of(self.size) {
            self.bytes.resize(self.bytes.len() + HEADER, 0);
        }
    }
}

impl Sink for Buffer {
    fn put(&mut self, mut bytes: &[u8]) {
        while !bytes.is_empty() {
            self.begin_block_if_full();
            let room = self.size - self.bytes.len() % self.size;
            let (now, later) = bytes.split_at(room.min(bytes.len()));
            self.bytes.extend_from_slice(now);
            bytes = later;
        }
    }
}

/// Blocks in memory, whose headers are not filled in.
struct Unwritten<'a> {
    base: u64,
    size: u64,
    bytes: &'a [u8],
}

impl Blocks for Unwritten<'_> {
    fn size(&self) -> u64 {
        self.size
    }

    fn block(&mut self, at: u64) -> Result<Option<View<'_>>, Fault> {
        let start = at.checked_sub(self.base).and_then(|o| usize::try_from(o).ok());
        let rest = start
            .and_then(|start| self.bytes.get(start..))
            .unwrap_or_default();
        if rest.is_empty() {
            return Ok(None);
        }
        let size = usize::try_from(self.size).expect("a block is small");
        Ok(Some(View {
            bytes: &rest[..rest.len().min(size)],
            first: block::first_of(rest),
            epoch: 0,
        }))
    }
}

#[cfg(test)]
mod tests;
