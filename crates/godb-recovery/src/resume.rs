//! [`Resume`]: what must be remembered while there is no log.

use crate::checkpoint::take_u64;
use godb_wal::{Lsn, TxnId};

/// Where a database stood when it was closed cleanly and its log removed. It is kept in the file's header, and is what the next log starts from:
/// positions and transaction ids are never used twice, because pages and rows carry them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Resume {
    /// The end of the last log; the next one begins at or behind it.
    pub end: Lsn,
    /// The next transaction id.
    pub next: TxnId,
    /// The version layer's bytes.
    pub note: Vec<u8>,
}

impl Default for Resume {
    /// For a new database: everything begins.
    fn default() -> Self {
        Self {
            end: Lsn::default(),
            next: TxnId::from_raw(1),
            note: Vec::new(),
        }
    }
}

impl Resume {
    /// As it is stored: 16 bytes and the note.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(16 + self.note.len());
        out.extend_from_slice(&self.end.raw().to_le_bytes());
        out.extend_from_slice(&self.next.raw().to_le_bytes());
        out.extend_from_slice(&self.note);
        out
    }

    /// Reads it back. Nothing at all is a new database; `None` for what was not stored by [`to_bytes`](Self::to_bytes).
    #[must_use]
    pub fn from_bytes(mut bytes: &[u8]) -> Option<Self> {
        if bytes.is_empty() {
            return Some(Self::default());
        }
        let end = Lsn::from_raw(take_u64(&mut bytes)?);
        let next = TxnId::from_raw(take_u64(&mut bytes)?);
        (end.is_possible() && next.is_possible()).then(|| Self {
            end,
            next,
            note: bytes.to_vec(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_stored_and_read_back() {
        let resume = Resume {
            end: Lsn::from_raw(5),
            next: TxnId::from_raw(6),
            note: b"note".to_vec(),
        };
        let bytes = resume.to_bytes();
        assert_eq!(Resume::from_bytes(&bytes), Some(resume));
        assert_eq!(Resume::from_bytes(&bytes[..15]), None);
        assert_eq!(Resume::from_bytes(&[]), Some(Resume::default()));
        for number in [0..8, 8..16] {
            let mut forged = bytes.clone();
            forged[number].fill(0xFF);
            assert_eq!(Resume::from_bytes(&forged), None, "no database reaches this");
        }
    }
}
