//! How a record is laid out as bytes.
//!
//! A record is a frame: its length (`u32`), then that many bytes of body. The body begins with a byte that tells the kind.
//! All numbers are little-endian and of fixed width: a record is encoded once and, unless something goes wrong, never
//! decoded, so the encoder must be cheap and the decoder must be strict.
//!
//! ```text
//! change      1 │ by u64 │ previous u64 │ undo │ pages u32 │ (page u32, length u32, bytes) …
//! commit      2 │ by u64 │ previous u64 │ note, to the end
//! rolled back 3 │ by u64
//! checkpoint  4 │ bytes, to the end
//!
//! undo        0                          never
//!             1 │ length u32 │ bytes     logical
//!             2 │ next u64               compensates
//! ```
//!
//! There is no checksum here: the block that carries a record has one over all of itself, and a record is believed
//! only when every block that it touches is whole. The decoder still checks each length against what is left, since
//! a body may come from an encoder with a bug, and the engine never panics on stored bytes.

use crate::record::{Record, UndoRecord};
use godb_btree::{Lsn, PageId, TxnId, Undo, UndoNext};

/// Bytes of a frame before its body.
pub(crate) const FRAME: usize = 4;
/// The longest body; a record is built in memory before it is logged, so it has to have some limit.
pub(crate) const MAX_BODY: usize = 1 << 30;

const CHANGE: u8 = 1;
const COMMIT: u8 = 2;
const ROLLED_BACK: u8 = 3;
const CHECKPOINT: u8 = 4;

const NEVER: u8 = 0;
const LOGICAL: u8 = 1;
const COMPENSATES: u8 = 2;

/// Takes encoded bytes, in order.
pub(crate) trait Sink {
    /// Takes the next bytes.
    fn put(&mut self, bytes: &[u8]);
}

impl Sink for Vec<u8> {
    fn put(&mut self, bytes: &[u8]) {
        self.extend_from_slice(bytes);
    }
}

/// A record that borrows its bytes: what is appended, before it is copied once, into the log's buffer.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Entry<'a> {
    /// See [`Record::Change`].
    Change {
        by: Option<TxnId>,
        previous: Lsn,
        pages: &'a [(PageId, &'a [u8])],
        undo: Undo<'a>,
    },
    /// See [`Record::Commit`].
    Commit {
        by: TxnId,
        previous: Lsn,
        note: &'a [u8],
    },
    /// See [`Record::RolledBack`].
    RolledBack { by: TxnId },
    /// See [`Record::Checkpoint`].
    Checkpoint(&'a [u8]),
}

impl Entry<'_> {
    /// The transaction that the entry belongs to.
    pub(crate) fn by(&self) -> Option<TxnId> {
        match self {
            Self::Change { by, .. } => *by,
            Self::Commit { by, .. } | Self::RolledBack { by } => Some(*by),
            Self::Checkpoint(_) => None,
        }
    }

    /// The same entry with its `previous` filled in.
    pub(crate) fn after(self, previous: Lsn) -> Self {
        match self {
            Self::Change { by, pages, undo, .. } => Self::Change {
                by,
                previous,
                pages,
                undo,
            },
            Self::Commit { by, note, .. } => Self::Commit { by, previous, note },
            other => other,
        }
    }

    /// Bytes of the whole frame.
    pub(crate) fn size(&self) -> usize {
        FRAME + self.body_size()
    }

    fn body_size(&self) -> usize {
        match self {
            Self::Change { pages, undo, .. } => {
                1 + 8 + 8 + undo_size(undo) + 4 + pages.iter().map(|(_, b)| 8 + b.len()).sum::<usize>()
            }
            Self::Commit { note, .. } => 1 + 8 + 8 + note.len(),
            Self::RolledBack { .. } => 1 + 8,
            Self::Checkpoint(bytes) => 1 + bytes.len(),
        }
    }

    /// Writes the frame, `size()` bytes.
    pub(crate) fn encode(&self, into: &mut impl Sink) {
        let length = length_of(self.body_size());
        match self {
            Self::Change {
                by,
                previous,
                pages,
                undo,
            } => {
                let by = by.map_or(0, TxnId::raw);
                put_head(into, length, CHANGE, &[by, previous.raw()]);
                put_undo(into, undo);
                put_pages(into, pages);
            }
            Self::Commit { by, previous, note } => {
                put_head(into, length, COMMIT, &[by.raw(), previous.raw()]);
                into.put(note);
            }
            Self::RolledBack { by } => put_head(into, length, ROLLED_BACK, &[by.raw()]),
            Self::Checkpoint(bytes) => {
                put_head(into, length, CHECKPOINT, &[]);
                into.put(bytes);
            }
        }
    }
}

/// The frame's length, the kind and up to two numbers, in one piece.
fn put_head(into: &mut impl Sink, length: u32, kind: u8, numbers: &[u64]) {
    let mut head = [0; FRAME + 1 + 16];
    head[..FRAME].copy_from_slice(&length.to_le_bytes());
    head[FRAME] = kind;
    let mut at = FRAME + 1;
    for number in numbers {
        head[at..at + 8].copy_from_slice(&number.to_le_bytes());
        at += 8;
    }
    into.put(&head[..at]);
}

fn undo_size(undo: &Undo<'_>) -> usize {
    match undo {
        Undo::Never => 1,
        Undo::Logical(bytes) | Undo::Run(bytes, _) => 1 + 4 + bytes.len(),
        Undo::Compensates(_) => 1 + 8 + 2,
    }
}

fn put_undo(into: &mut impl Sink, undo: &Undo<'_>) {
    match undo {
        Undo::Never => into.put(&[NEVER]),
        Undo::Logical(bytes) | Undo::Run(bytes, _) => {
            let [a, b, c, d] = length_of(bytes.len()).to_le_bytes();
            into.put(&[LOGICAL, a, b, c, d]);
            into.put(bytes);
        }
        Undo::Compensates(resume) => {
            let mut piece = [COMPENSATES; 11];
            piece[1..9].copy_from_slice(&resume.next.raw().to_le_bytes());
            piece[9..].copy_from_slice(&resume.done.to_le_bytes());
            into.put(&piece);
        }
    }
}

fn put_pages(into: &mut impl Sink, pages: &[(PageId, &[u8])]) {
    into.put(&length_of(pages.len()).to_le_bytes());
    for (page, bytes) in pages {
        let mut head = [0; 8];
        head[..4].copy_from_slice(&page.raw().to_le_bytes());
        head[4..].copy_from_slice(&length_of(bytes.len()).to_le_bytes());
        into.put(&head);
        into.put(bytes);
    }
}

/// A length as it is stored. Reservations over [`MAX_BODY`] are refused, so nothing longer arrives here.
fn length_of(len: usize) -> u32 {
    u32::try_from(len).expect("records are limited to MAX_BODY bytes when room for them is reserved")
}

/// Reads a body back; `None` when it is not what an encoder writes.
pub(crate) fn decode(body: &[u8]) -> Option<Record> {
    let mut from = Source(body);
    let record = match from.byte()? {
        CHANGE => {
            let by = TxnId::from_raw(from.u64()?);
            Record::Change {
                by: match by.raw() {
                    0 => None,
                    _ if by.is_possible() => Some(by),
                    _ => return None,
                },
                previous: from.lsn()?,
                undo: from.undo()?,
                pages: from.pages()?,
            }
        }
        COMMIT => Record::Commit {
            by: from.txn()?,
            previous: from.lsn()?,
            note: from.rest(),
        },
        ROLLED_BACK => Record::RolledBack { by: from.txn()? },
        CHECKPOINT => Record::Checkpoint(from.rest()),
        _ => return None,
    };
    from.0.is_empty().then_some(record)
}

/// The bytes that are left to decode.
struct Source<'a>(&'a [u8]);

impl Source<'_> {
    fn take(&mut self, len: usize) -> Option<&[u8]> {
        let (head, tail) = self.0.split_at_checked(len)?;
        self.0 = tail;
        Some(head)
    }

    fn byte(&mut self) -> Option<u8> {
        self.take(1).map(|b| b[0])
    }

    fn u16(&mut self) -> Option<u16> {
        Some(u16::from_le_bytes(self.take(2)?.try_into().ok()?))
    }

    fn u32(&mut self) -> Option<u32> {
        Some(u32::from_le_bytes(self.take(4)?.try_into().ok()?))
    }

    fn u64(&mut self) -> Option<u64> {
        Some(u64::from_le_bytes(self.take(8)?.try_into().ok()?))
    }

    fn lsn(&mut self) -> Option<Lsn> {
        self.u64().map(Lsn::from_raw).filter(|lsn| lsn.is_possible())
    }

    fn txn(&mut self) -> Option<TxnId> {
        let raw = self.u64()?;
        let id = TxnId::from_raw(raw);
        (raw != 0 && id.is_possible()).then_some(id)
    }

    fn counted(&mut self) -> Option<Vec<u8>> {
        let len = usize::try_from(self.u32()?).ok()?;
        self.take(len).map(<[u8]>::to_vec)
    }

    fn rest(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.0).to_vec()
    }

    fn undo(&mut self) -> Option<UndoRecord> {
        Some(match self.byte()? {
            NEVER => UndoRecord::Never,
            LOGICAL => UndoRecord::Logical(self.counted()?),
            COMPENSATES => UndoRecord::Compensates(UndoNext {
                next: self.lsn()?,
                done: self.u16()?,
            }),
            _ => return None,
        })
    }

    fn pages(&mut self) -> Option<Vec<(PageId, Vec<u8>)>> {
        let count = self.u32()?;
        // Every page takes eight bytes at least; a count beyond that would only make us allocate for nothing.
        if u64::from(count) * 8 > self.0.len() as u64 {
            return None;
        }
        (0..count)
            .map(|_| Some((PageId::from_raw(self.u32()?), self.counted()?)))
            .collect()
    }
}

#[cfg(test)]
mod tests;
