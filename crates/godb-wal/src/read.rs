//! Reading records out of blocks, wherever the blocks lie: in the buffer, in a file.

use crate::block::HEADER;
use crate::codec::{FRAME, MAX_BODY, decode};
use crate::record::Record;
use godb_btree::{Fault, Lsn};

/// What a message names as the damaged file when the log is read by position.
pub(crate) const LOG: &str = "the log";

/// A whole block, as far as it is used.
#[derive(Clone, Copy)]
pub(crate) struct View<'a> {
    /// Header and payload.
    pub(crate) bytes: &'a [u8],
    /// Offset of the first record that starts here, or zero.
    pub(crate) first: usize,
    /// The life of the log that wrote it.
    pub(crate) epoch: u64,
}

impl View<'_> {
    /// Whether the payload begins with the rest of a record that an earlier block began.
    fn continues(&self) -> bool {
        self.bytes.len() > HEADER && self.first != HEADER
    }
}

/// Where blocks come from.
pub(crate) trait Blocks {
    /// Bytes in a block.
    fn size(&self) -> u64;
    /// The block at `at`, a multiple of the block size; `None` where the source ends.
    fn block(&mut self, at: u64) -> Result<Option<View<'_>>, Fault>;
}

/// What lies at a position.
#[derive(Debug)]
pub(crate) enum Found {
    /// A record: where it starts, what it is, and where the next one may start.
    Record(Lsn, Record, u64),
    /// Nothing yet.
    End,
}

/// Reads the record that starts at `at`, or, when nothing more is in that block, at the beginning of a later one.
pub(crate) fn record_at(blocks: &mut impl Blocks, at: u64, body: &mut Vec<u8>) -> Result<Found, Fault> {
    let mut cursor = Cursor::at(blocks, at);
    loop {
        let Some(start) = cursor.start()? else {
            return Ok(Found::End);
        };
        match cursor.frame(body)? {
            Piece::Whole => {
                let record = decode(body).ok_or_else(|| damaged(start, "a record that cannot be decoded"))?;
                return Ok(Found::Record(Lsn::from_raw(start), record, cursor.at));
            }
            Piece::Cut => {}
        }
    }
}

/// Damage at a position of the log.
pub(crate) fn damaged(at: u64, what: &'static str) -> Fault {
    Fault::corrupt_log(LOG, Lsn::from_raw(at), what)
}

/// How an attempt to read some bytes of a record ended.
enum Piece {
    /// They are there.
    Whole,
    /// A crash cut the record short; a later life of the log goes on at the cursor.
    Cut,
}

/// A position that moves over payload and skips headers and unused ends of blocks.
struct Cursor<'a, B> {
    blocks: &'a mut B,
    at: u64,
    /// The epoch of the block last read from.
    epoch: u64,
}

impl<'a, B: Blocks> Cursor<'a, B> {
    fn at(blocks: &'a mut B, at: u64) -> Self {
        Self { blocks, at, epoch: 0 }
    }

    /// Where the next record starts; `None` when the source ends before.
    fn start(&mut self) -> Result<Option<u64>, Fault> {
        loop {
            let (block, offset) = self.split();
            let Some(view) = self.blocks.block(block)? else {
                return Ok(None);
            };
            if self.at == block && view.continues() {
                return Err(damaged(block, "the rest of a record that did not begin"));
            }
            if offset < view.bytes.len() {
                self.at = block + offset as u64;
                return Ok(Some(self.at));
            }
            self.at = block + self.blocks.size();
        }
    }

    /// Reads a frame's body.
    fn frame(&mut self, body: &mut Vec<u8>) -> Result<Piece, Fault> {
        let start = self.at;
        match self.gather(FRAME, body)? {
            Piece::Whole => {}
            other => return Ok(other),
        }
        let length = u32::from_le_bytes(body[..].try_into().expect("a frame's length was gathered"));
        match usize::try_from(length) {
            Ok(length) if (1..=MAX_BODY).contains(&length) => self.gather(length, body),
            _ => Err(damaged(start, "a record of impossible length")),
        }
    }

    /// Reads `len` bytes of payload, across blocks where need be.
    fn gather(&mut self, len: usize, into: &mut Vec<u8>) -> Result<Piece, Fault> {
        into.clear();
        while into.len() < len {
            let (block, offset) = self.split();
            let Some(view) = self.blocks.block(block)? else {
                return Err(damaged(self.at, "a record without its end"));
            };
            if self.at == block && !view.continues() {
                return match view.epoch > self.epoch {
                    true => Ok(Piece::Cut),
                    false => Err(damaged(
                        block,
                        "a block that does not continue the record before it",
                    )),
                };
            }
            self.epoch = view.epoch;
            let there = view.bytes.get(offset..).unwrap_or_default();
            let part = &there[..there.len().min(len - into.len())];
            into.extend_from_slice(part);
            self.at = block + (offset + part.len()) as u64;
            if into.len() < len {
                self.at = block + self.blocks.size();
            }
        }
        Ok(Piece::Whole)
    }

    /// The block of the position, and the offset in it, which is never inside the header.
    fn split(&self) -> (u64, usize) {
        let offset = self.at % self.blocks.size();
        let within = usize::try_from(offset).expect("an offset in a block is small");
        (self.at - offset, within.max(HEADER))
    }
}
