//! How much log is promised, and to whom.
//!
//! An append happens under page latches, so it can neither wait nor fail: everything it needs is promised beforehand. Two things can run out,
//! the buffer in memory and the disk. For the disk, more is promised than the bytes that a transaction is about to log:
//!
//! - *set aside*, for each transaction, what [its rollback may take](godb_btree::size_of_rollback): the compensation records, and the structure changes that
//!   they may cause;
//! - the *largest* single reservation seen, because taking back one change reserves for the worst case before it uses little of it;
//! - a *margin* of blocks that flushes leave partly empty, since a flush ends its block and the log cannot know how many there will be.
//!
//! The sum is what the files must have room for beyond the log's end. A new reservation is what finds the disk full; a rollback never does.

use crate::block::HEADER;

/// How many times the bytes of an open room are counted for the rollback of what will be logged there.
const ROLLBACK_SHARE: u64 = 2;
/// Blocks kept for flushes that end a block early.
const MARGIN_BLOCKS: u64 = 16;

/// The promises made.
#[derive(Debug)]
pub(crate) struct Space {
    block: u64,
    /// Bytes that the buffer should not exceed.
    capacity: usize,
    /// Bytes of all open rooms.
    rooms: usize,
    /// Those of them that are not for undo.
    forward: usize,
    /// Set aside for the rollback of active transactions.
    set_aside: u64,
    /// The largest room ever asked for.
    largest: usize,
}

impl Space {
    pub(crate) fn new(block: usize, capacity: usize) -> Self {
        Self {
            block: block as u64,
            capacity,
            rooms: 0,
            forward: 0,
            set_aside: 0,
            largest: 0,
        }
    }

    /// Whether the buffer, `buffered` bytes full, has room for `bytes` more. One reservation alone may be larger than the buffer.
    pub(crate) fn fits_buffer(&self, buffered: usize, bytes: usize) -> bool {
        buffered + self.rooms + bytes <= self.capacity || (buffered == 0 && self.rooms == 0)
    }

    /// How far the files must reach for a further reservation, when the block being filled ends at `block_end`.
    pub(crate) fn needs(&self, block_end: u64, bytes: usize) -> u64 {
        let forward = (self.forward + bytes) as u64 * (1 + ROLLBACK_SHARE);
        let largest = self.largest.max(bytes) as u64;
        block_end + self.on_disk(forward + self.set_aside + largest) + MARGIN_BLOCKS * self.block
    }

    /// Bytes of blocks that carry `payload` bytes.
    fn on_disk(&self, payload: u64) -> u64 {
        payload.div_ceil(self.block - HEADER as u64) * self.block
    }

    /// Opens a room.
    pub(crate) fn open(&mut self, bytes: usize, for_undo: bool) {
        self.rooms += bytes;
        self.largest = self.largest.max(bytes);
        if !for_undo {
            self.forward += bytes;
        }
    }

    /// Takes bytes out of a room: used by a record, or given back.
    pub(crate) fn take(&mut self, bytes: usize, for_undo: bool) {
        self.rooms = self.rooms.saturating_sub(bytes);
        if !for_undo {
            self.forward = self.forward.saturating_sub(bytes);
        }
    }

    /// Sets `size` bytes aside for the rollback of a change; returns how much.
    pub(crate) fn set_aside(&mut self, size: usize) -> u64 {
        self.set_aside += size as u64;
        size as u64
    }

    /// Gives back what was set aside; returns how much that was.
    pub(crate) fn release(&mut self, aside: u64) -> u64 {
        self.set_aside = self.set_aside.saturating_sub(aside);
        aside
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_change_moves_promises_but_never_adds_to_them() {
        let mut space = Space::new(4096, 1 << 20);
        space.open(10_000, false);
        let before = space.needs(0, 0);
        space.take(3_000, false);
        space.set_aside(3_000);
        assert!(
            space.needs(0, 0) <= before,
            "an append needs nothing that was not promised"
        );
        space.take(7_000, false);
        let closed = space.needs(0, 0);
        assert!(closed < before);
        space.open(10_000, true);
        assert_eq!(space.needs(0, 0), closed, "undo lives on what was set aside");
    }

    #[test]
    fn the_buffer_is_bounded_except_for_one_large_reservation() {
        let mut space = Space::new(4096, 1000);
        assert!(space.fits_buffer(0, 5000));
        space.open(600, false);
        assert!(space.fits_buffer(0, 400));
        assert!(!space.fits_buffer(0, 401));
        assert!(!space.fits_buffer(200, 400));
        space.take(600, false);
        assert!(!space.fits_buffer(200, 5000), "it waits for the buffer to empty");
    }
}
