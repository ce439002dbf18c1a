//! Taking a value from a reader, piece by piece.

use godb_buffer::Fault;
use std::io::{ErrorKind, Read};

/// Reads until `into` is full or `from` ends; returns how many bytes there were.
pub(crate) fn fill(from: &mut dyn Read, into: &mut [u8]) -> Result<usize, Fault> {
    let mut filled = 0;
    while filled < into.len() {
        match from.read(&mut into[filled..]) {
            Ok(0) => break,
            Ok(count) => filled += count,
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(unwrap_fault(error)),
        }
    }
    Ok(filled)
}

/// A reader that itself reads from a database wraps its fault in an I/O error; the fault comes out unchanged.
fn unwrap_fault(error: std::io::Error) -> Fault {
    match error.downcast::<Fault>() {
        Ok(fault) => fault,
        Err(error) => Fault::Io {
            doing: "read",
            file: "a value being stored".into(),
            source: std::sync::Arc::new(error),
        },
    }
}

/// The length after `count` more bytes, refused beyond `limit`.
pub(crate) fn grow(len: u64, count: usize, limit: u64) -> Result<u64, Fault> {
    let got = len + count as u64;
    if got > limit {
        return Err(Fault::TooLarge {
            what: "a value",
            got,
            limit,
        });
    }
    Ok(got)
}
