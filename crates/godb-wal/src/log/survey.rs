//! Finding the end of a log that a crash left behind.
//!
//! The log ends at its first bad block. That is the usual work of a crash, unless somebody bears witness that the block was durable:
//! the control file, when it names a checkpoint at or behind it; or a later block that is whole, of the same or a later epoch, and was
//! written when the bad one was known to be on the medium. Then the medium has lost what it promised to keep, which is corruption.
//! Whole blocks behind the end that prove nothing are leftovers of flushes that were never acknowledged; they are never replayed.

use crate::block::{self, Header};
use crate::control::Control;
use crate::read::damaged;
use crate::segments::Segments;
use godb_btree::Fault;

/// Bytes read at a time.
const PIECE: u64 = 256 * 1024;

/// What a look at all blocks shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Survey {
    /// The first block that is not part of the log.
    pub(super) end: u64,
    /// The blocks before this position are known to be on the medium: a later one, written when a sync of them had succeeded, says so.
    pub(super) durable: u64,
    /// So far the files are known to reach on the medium.
    pub(super) reached: u64,
    /// The highest epoch that any whole block has.
    pub(super) newest_epoch: u64,
}

/// Reads all blocks from the one that holds `control.keep` on.
pub(super) fn survey(segments: &Segments, control: &Control) -> Result<Survey, Fault> {
    let mut chain: Option<Header> = None;
    let mut end = None;
    let mut newest_epoch = control.epoch;
    let mut reached = control.allocated;
    let mut durable = 0;
    for_each_block(segments, control, |at, header| {
        let epoch = chain.map_or(0, |c| c.epoch);
        let Some(header) = header else {
            end.get_or_insert(at);
            return Ok(());
        };
        newest_epoch = newest_epoch.max(header.epoch);
        match end {
            None if header.epoch >= epoch || godb_btree::sync::planted("older-epoch-replayed") => {
                chain = Some(header);
                reached = reached.max(header.allocated);
                durable = durable.max(header.durable);
                Ok(())
            }
            None => {
                end = Some(at);
                Ok(())
            }
            Some(end) if header.epoch >= epoch && header.durable > end => {
                Err(damaged(end, "a block that was durable is not what was written"))
            }
            Some(_) => Ok(()),
        }
    })?;
    let end = end.unwrap_or(segments.allocated());
    if chain.is_none() || control.checkpoint >= end {
        return Err(damaged(end, "the log does not reach its last checkpoint"));
    }
    if segments.allocated() < reached {
        return Err(damaged(
            segments.allocated(),
            "the files of the log are shorter than they were",
        ));
    }
    Ok(Survey {
        end,
        durable,
        reached,
        newest_epoch,
    })
}

/// The first block that is not whole, or older than the one before it: whatever it proves, reading in order ends there.
pub(super) fn first_bad(segments: &Segments, control: &Control) -> Result<u64, Fault> {
    let mut epoch = 0;
    let mut end = None;
    for_each_block(segments, control, |at, header| {
        match header {
            Some(header) if end.is_none() && header.epoch >= epoch => epoch = header.epoch,
            _ => drop(end.get_or_insert(at)),
        }
        Ok(())
    })?;
    Ok(end.unwrap_or(segments.allocated()))
}

/// Shows every block in the files, with its header when it is whole.
fn for_each_block(
    segments: &Segments,
    control: &Control,
    mut show: impl FnMut(u64, Option<Header>) -> Result<(), Fault>,
) -> Result<(), Fault> {
    let size = u64::from(control.block_size);
    let block = usize::try_from(size).expect("a block is small");
    let mut piece = Vec::new();
    let mut at = control.keep - control.keep % size;
    while at + size <= segments.allocated() {
        let len = (segments.allocated() - at).min(PIECE);
        piece.resize(usize::try_from(len).expect("a piece is small"), 0);
        let got = segments.read(at, &mut piece)?;
        for bytes in piece[..got].chunks_exact(block) {
            show(at, block::open(bytes, at, control.database))?;
            at += size;
        }
        if got < block {
            break;
        }
    }
    Ok(())
}
