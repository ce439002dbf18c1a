//! [`Pairs`]: keys and values of a range, read a page at a time.

use crate::error::Result;
use godb_mvcc::EngineCursor;
use std::collections::VecDeque;
use std::ops::ControlFlow;

/// A key and its value.
pub type Pair = (Vec<u8>, Vec<u8>);

/// The pairs of a range of keys, in order. Holds no lock between them.
pub struct Pairs {
    cursor: Box<dyn EngineCursor>,
    ready: VecDeque<Pair>,
    exhausted: bool,
}

impl Pairs {
    pub(crate) fn new(cursor: Box<dyn EngineCursor>) -> Self {
        Self {
            cursor,
            ready: VecDeque::new(),
            exhausted: false,
        }
    }

    fn fetch(&mut self) -> Result<()> {
        let ready = &mut self.ready;
        self.exhausted = !self.cursor.next(&mut |key, value| {
            ready.push_back((key.to_vec(), value.to_vec()));
            ControlFlow::Continue(())
        })?;
        Ok(())
    }
}

impl Iterator for Pairs {
    type Item = Result<Pair>;

    fn next(&mut self) -> Option<Result<Pair>> {
        while self.ready.is_empty() && !self.exhausted {
            if let Err(error) = self.fetch() {
                self.exhausted = true;
                return Some(Err(error));
            }
        }
        self.ready.pop_front().map(Ok)
    }
}
