//! What a checkpoint record holds, and how it is taken without stopping anybody.
//!
//! A *fuzzy* checkpoint (Mohan et al., 1992) is no moment at which everything is still; it is a note of what recovery would have to look at.
//! It is gathered while transactions go on, so its parts are not of one moment. That is harmless, because recovery reads the log from where the gathering *began*,
//! and what it reads there corrects what was gathered:
//!
//! 1. remember the log's end: *begin*;
//! 2. ask the version layer for its note;
//! 3. gather the oldest open reservation, then the oldest dirty page. In this order: a change is first under a reservation and then on a dirty page, so
//!    whoever looks in the same order cannot miss it;
//! 4. gather the active transactions and the next transaction id.
//!
//! Redo starts at the smallest of *begin*, reservation and page. The log before that, and before the first record of every active transaction, is given back.
//!
//! ```text
//! part of a checkpoint: number u32 │ parts u32 │ begin u64 │ piece of the body
//! body: begin u64 │ redo u64 │ next id u64 │ active u32 │ (id u64, first u64, last u64) … │ note, to the end
//! ```

use godb_wal::{ActiveTransaction, Fault, Lsn, Record, Tree, TxnId, Wal};

/// A body longer than this is logged in parts, so that one record never fills the log's buffer.
const PART: usize = 256 * 1024;
const PART_HEAD: usize = 16;

/// What recovery starts from.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Checkpoint {
    /// The log's end when the gathering began; analysis starts here.
    pub(crate) begin: Lsn,
    /// Redo starts here.
    pub(crate) redo: Lsn,
    /// Every id below this may have been used.
    pub(crate) next: TxnId,
    /// Who was active.
    pub(crate) active: Vec<ActiveTransaction>,
    /// The version layer's bytes.
    pub(crate) note: Vec<u8>,
}

impl Checkpoint {
    /// Gathers a checkpoint of `wal`; `next` tells the next transaction id.
    pub(crate) fn gather<W: Wal>(
        wal: &W,
        next: impl FnOnce() -> TxnId,
        note: impl FnOnce() -> Vec<u8>,
    ) -> Self {
        let mut begin = wal.end();
        let note = note();
        let early = cfg!(godb_plant = "dirt-before-floor").then(|| wal.tree().redo_from());
        let floor = wal.floor();
        let dirty = early.unwrap_or_else(|| wal.tree().redo_from()).unwrap_or(begin);
        let redo = match godb_wal::sync::planted("checkpoint-without-dirty-pages") {
            true => begin,
            false => begin.min(floor).min(dirty),
        };
        let active = wal.active();
        if cfg!(godb_plant = "begin-last") {
            begin = wal.end();
        }
        Self {
            begin,
            redo,
            active,
            next: next(),
            note,
        }
    }

    /// Logs the checkpoint durably and gives back the log that nobody needs after it.
    pub(crate) fn take<W: Wal>(&self, wal: &W) -> Result<(), Fault> {
        let mut first = None;
        let mut last = Lsn::default();
        for part in self.parts() {
            last = wal.append(Record::Checkpoint(part))?;
            first.get_or_insert(last);
        }
        if !godb_wal::sync::planted("checkpoint-not-durable") {
            wal.wait_durable(last)?;
        }
        let needed = self.active.iter().map(|active| active.first);
        let keep = needed.fold(self.redo, Lsn::min);
        wal.checkpointed(first.unwrap_or(last), keep)
    }

    /// Reads the last completed checkpoint of `wal`; `None` when there is none.
    pub(crate) fn read<W: Wal>(wal: &W) -> Result<Option<Self>, Fault> {
        let at = wal.last_checkpoint();
        if at == Lsn::default() {
            return Ok(None);
        }
        let mut body = Vec::new();
        let mut expected = None;
        for record in wal.read(at) {
            let Record::Checkpoint(bytes) = record?.1 else {
                continue;
            };
            let (number, parts, begin) = part_head(&bytes).ok_or_else(|| unreadable(at))?;
            let (next, of) = *expected.get_or_insert((0, begin));
            if begin != of {
                continue;
            }
            if number != next {
                return Err(unreadable(at));
            }
            body.extend_from_slice(&bytes[PART_HEAD..]);
            expected = Some((number + 1, of));
            if number + 1 == parts {
                return Self::decode(&body).map(Some).ok_or_else(|| unreadable(at));
            }
        }
        Err(unreadable(at))
    }

    fn parts(&self) -> Vec<Vec<u8>> {
        let body = self.encode();
        let count = count_of(body.len().div_ceil(PART));
        let part = |(number, piece): (u32, &[u8])| {
            let mut bytes = Vec::with_capacity(PART_HEAD + piece.len());
            bytes.extend_from_slice(&number.to_le_bytes());
            bytes.extend_from_slice(&count.to_le_bytes());
            bytes.extend_from_slice(&self.begin.raw().to_le_bytes());
            bytes.extend_from_slice(piece);
            bytes
        };
        (0..).zip(body.chunks(PART)).map(part).collect()
    }

    fn encode(&self) -> Vec<u8> {
        let mut out = Vec::new();
        for number in [self.begin.raw(), self.redo.raw(), self.next.raw()] {
            out.extend_from_slice(&number.to_le_bytes());
        }
        out.extend_from_slice(&count_of(self.active.len()).to_le_bytes());
        for active in &self.active {
            for number in [active.id.raw(), active.first.raw(), active.last.raw()] {
                out.extend_from_slice(&number.to_le_bytes());
            }
        }
        out.extend_from_slice(&self.note);
        out
    }

    fn decode(mut body: &[u8]) -> Option<Self> {
        let from = &mut body;
        let (begin, redo, next) = (take_u64(from)?, take_u64(from)?, take_u64(from)?);
        let count = take_u32(from)?;
        let active = (0..count).map(|_| {
            Some(ActiveTransaction {
                id: TxnId::from_raw(take_u64(from)?),
                first: Lsn::from_raw(take_u64(from)?),
                last: Lsn::from_raw(take_u64(from)?),
            })
        });
        let active = active.collect::<Option<Vec<_>>>()?;
        let checkpoint = Self {
            begin: Lsn::from_raw(begin),
            redo: Lsn::from_raw(redo),
            next: TxnId::from_raw(next),
            active,
            note: body.to_vec(),
        };
        checkpoint.is_possible().then_some(checkpoint)
    }
}

impl Checkpoint {
    /// Whether its numbers are ones that a database reaches: recovery counts on from them.
    fn is_possible(&self) -> bool {
        let active = self.active.iter();
        let mut positions = active.flat_map(|active| [active.first, active.last]);
        self.begin.is_possible()
            && self.redo.is_possible()
            && self.next.is_possible()
            && positions.all(Lsn::is_possible)
            && self.active.iter().all(|active| active.id.is_possible())
    }
}

fn part_head(bytes: &[u8]) -> Option<(u32, u32, u64)> {
    let mut from = bytes;
    Some((take_u32(&mut from)?, take_u32(&mut from)?, take_u64(&mut from)?))
}

pub(crate) fn take_u32(from: &mut &[u8]) -> Option<u32> {
    let (head, rest) = from.split_first_chunk::<4>()?;
    *from = rest;
    Some(u32::from_le_bytes(*head))
}

pub(crate) fn take_u64(from: &mut &[u8]) -> Option<u64> {
    let (head, rest) = from.split_first_chunk::<8>()?;
    *from = rest;
    Some(u64::from_le_bytes(*head))
}

fn count_of(count: usize) -> u32 {
    u32::try_from(count)
        .expect("fewer than four billion transactions are active, and a note is far smaller than memory")
}

fn unreadable(at: Lsn) -> Fault {
    Fault::corrupt_log("the log", at, "the last checkpoint cannot be read")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_checkpoint_survives_the_round_trip_in_parts() {
        let lsn = Lsn::from_raw;
        let checkpoint = Checkpoint {
            begin: lsn(70),
            redo: lsn(60),
            next: TxnId::from_raw(9),
            active: vec![ActiveTransaction {
                id: TxnId::from_raw(8),
                first: lsn(50),
                last: lsn(65),
            }],
            note: vec![7; 3 * PART],
        };
        let parts = checkpoint.parts();
        assert_eq!(parts.len(), 4);
        let body: Vec<u8> = parts.iter().flat_map(|part| part[PART_HEAD..].to_vec()).collect();
        assert_eq!(Checkpoint::decode(&body), Some(checkpoint));
        assert_eq!(part_head(&parts[2]), Some((2, 4, 70)));
        for cut in 0..52 {
            assert_eq!(Checkpoint::decode(&body[..cut]), None, "cut at {cut}");
        }
        for number in [0..8, 8..16, 16..24, 28..36, 36..44, 44..52] {
            let mut forged = body.clone();
            forged[number].fill(0xFF);
            assert_eq!(Checkpoint::decode(&forged), None, "no database reaches this");
        }
    }
}
