//! [`Source`]: what a value is read from when it comes as a stream. The tree reports a reader's failure as its own; here it is kept apart.

use crate::error::Error;
use godb_txn::Fault;
use std::io::{Error as ReadError, Read};

/// A reader that remembers how it failed.
pub(super) struct Source<'a> {
    from: &'a mut dyn Read,
    failed: Option<String>,
}

impl<'a> Source<'a> {
    pub(super) fn new(from: &'a mut dyn Read) -> Self {
        Self { from, failed: None }
    }

    /// What a fault while storing it amounts to.
    pub(super) fn blame(self, fault: Fault) -> Error {
        match self.failed {
            Some(why) => Error::Source { why },
            None => fault.into(),
        }
    }

    /// Reads until there are `limit` bytes or no more.
    pub(super) fn read_some(&mut self, limit: usize) -> Result<Vec<u8>, Error> {
        let mut head = Vec::new();
        match (&mut *self.from).take(limit as u64).read_to_end(&mut head) {
            Ok(_) => Ok(head),
            Err(error) => Err(Error::Source {
                why: error.to_string(),
            }),
        }
    }
}

impl Read for Source<'_> {
    fn read(&mut self, into: &mut [u8]) -> Result<usize, ReadError> {
        let got = self.from.read(into);
        if let Err(error) = &got
            && error.kind() != std::io::ErrorKind::Interrupted
        {
            self.failed = Some(error.to_string());
        }
        got
    }
}
