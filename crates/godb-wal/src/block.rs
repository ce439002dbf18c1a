//! Blocks: the unit in which the log is written and believed.
//!
//! A block is 4 KiB (a database may choose another power of two when its log is created), lies at a multiple of its size,
//! and begins with this header. The checksum covers the whole block, unused end included, so any flipped bit is found.
//!
//! ```text
//!  0  checksum u32      CRC-32 of bytes 4 to the end of the block
//!  4  magic u32
//!  8  database id       16 bytes
//! 24  epoch u64         which life of the log wrote it
//! 32  position u64      where in the endless log it lies
//! 40  durable u64       everything before this position was known durable when the block was written
//! 48  allocated u64     log files reached this far, durably, when the block was written
//! 56  used u32          bytes of payload
//! 60  first u32         offset in the block of the first record that starts in it, or zero
//! 64  nonce, tag        16 + 16 bytes, kept for encryption
//! ```
//!
//! `durable` turns a later block into a witness: when a block before that position is bad, it was not a crash that left
//! it so. `allocated` is a witness for the length of the files. `epoch` tells a block of this log's present from a leftover that happens to lie at the right place.

use crate::control::UNREACHED;
use godb_btree::DatabaseId;

/// Bytes of a block's header.
pub(crate) const HEADER: usize = 96;
const MAGIC: u32 = u32::from_le_bytes(*b"gdbL");
/// Where `first` lies; the buffer keeps it there while a block fills.
const FIRST: std::ops::Range<usize> = 60..64;

/// What the writer of a flush stamps into each of its blocks.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Stamp {
    pub(crate) database: DatabaseId,
    pub(crate) epoch: u64,
    pub(crate) durable: u64,
    pub(crate) allocated: u64,
}

/// The header of a block that is whole, belongs to this database and lies where it says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Header {
    pub(crate) epoch: u64,
    pub(crate) durable: u64,
    pub(crate) allocated: u64,
    /// Offset of the first byte after the payload.
    pub(crate) end: usize,
    /// Offset of the first record that starts here, or zero.
    pub(crate) first: usize,
}

/// Notes, in a block being filled, that a record starts at `offset`, unless one before it did.
pub(crate) fn note_start(block: &mut [u8], offset: usize) {
    if block[FIRST] == [0; 4] {
        block[FIRST].copy_from_slice(&small(offset).to_le_bytes());
    }
}

/// The offset noted by [`note_start`], or zero.
pub(crate) fn first_of(block: &[u8]) -> usize {
    usize::try_from(u32_at(block, FIRST.start)).expect("an offset fits")
}

/// Completes a block: `block` holds header room, `used` bytes of payload, zeros.
pub(crate) fn seal(block: &mut [u8], at: u64, used: usize, stamp: &Stamp) {
    block[4..8].copy_from_slice(&MAGIC.to_le_bytes());
    block[8..24].copy_from_slice(&stamp.database.to_bytes());
    block[24..32].copy_from_slice(&stamp.epoch.to_le_bytes());
    block[32..40].copy_from_slice(&at.to_le_bytes());
    block[40..48].copy_from_slice(&stamp.durable.to_le_bytes());
    block[48..56].copy_from_slice(&stamp.allocated.to_le_bytes());
    block[56..60].copy_from_slice(&small(used).to_le_bytes());
    let sum = crc32fast::hash(&block[4..]);
    block[..4].copy_from_slice(&sum.to_le_bytes());
}

/// The header of the block at position `at`, when it is whole and belongs there.
pub(crate) fn open(block: &[u8], at: u64, database: DatabaseId) -> Option<Header> {
    if block.len() <= HEADER || u32_at(block, 4) != MAGIC || u32_at(block, 0) != crc32fast::hash(&block[4..])
    {
        return None;
    }
    let end = HEADER + usize::try_from(u32_at(block, 56)).ok()?;
    let first = usize::try_from(u32_at(block, 60)).ok()?;
    let ours = block[8..24] == database.to_bytes() && u64_at(block, 32) == at;
    let sane = end <= block.len() && (first == 0 || (HEADER..end).contains(&first));
    let (epoch, durable, allocated) = (u64_at(block, 24), u64_at(block, 40), u64_at(block, 48));
    let reached = epoch.max(durable).max(allocated) < UNREACHED;
    (ours && sane && reached).then_some(Header {
        epoch,
        durable,
        allocated,
        end,
        first,
    })
}

fn u32_at(block: &[u8], at: usize) -> u32 {
    u32::from_le_bytes(block[at..at + 4].try_into().expect("four bytes"))
}

fn u64_at(block: &[u8], at: usize) -> u64 {
    u64::from_le_bytes(block[at..at + 8].try_into().expect("eight bytes"))
}

/// An offset within a block.
fn small(offset: usize) -> u32 {
    u32::try_from(offset).expect("blocks are far smaller than 4 GiB")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sealed(size: usize) -> Vec<u8> {
        let mut block = vec![0; size];
        block[HEADER..HEADER + 10].copy_from_slice(b"ten bytes.");
        note_start(&mut block, HEADER + 4);
        note_start(&mut block, HEADER + 7);
        let stamp = Stamp {
            database: DatabaseId::from_bytes([7; 16]),
            epoch: 3,
            durable: 4096,
            allocated: 1 << 20,
        };
        seal(&mut block, 8192, 10, &stamp);
        block
    }

    #[test]
    fn a_sealed_block_tells_what_it_holds() {
        let header = open(&sealed(512), 8192, DatabaseId::from_bytes([7; 16])).unwrap();
        let expected = Header {
            epoch: 3,
            durable: 4096,
            allocated: 1 << 20,
            end: HEADER + 10,
            first: HEADER + 4,
        };
        assert_eq!(header, expected);
    }

    #[test]
    fn a_block_of_another_place_or_database_is_refused() {
        let block = sealed(512);
        assert_eq!(open(&block, 4096, DatabaseId::from_bytes([7; 16])), None);
        assert_eq!(open(&block, 8192, DatabaseId::from_bytes([8; 16])), None);
    }

    #[test]
    fn every_flipped_bit_is_found() {
        let mut block = sealed(512);
        for bit in 0..block.len() * 8 {
            block[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(
                open(&block, 8192, DatabaseId::from_bytes([7; 16])),
                None,
                "bit {bit}"
            );
            block[bit / 8] ^= 1 << (bit % 8);
        }
    }
}
