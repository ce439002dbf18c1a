//! [`Pairs`]: keys and values of a range, read a page at a time.

use crate::error::Result;
use godb_sql::EngineCursor;
use std::collections::VecDeque;
use std::ops::ControlFlow;

/// A key and its value.
pub type Pair = (Vec<u8>, Vec<u8>);

/// The pairs of a range of keys, in order. Holds no lock between them.
pub struct Pairs {
    cursor: Option<Box<dyn EngineCursor>>,
    ready: VecDeque<Pair>,
}

impl Pairs {
    /// The pairs that `cursor` gives; none without one.
    pub(crate) fn new(cursor: Option<Box<dyn EngineCursor>>) -> Self {
        Self {
            cursor,
            ready: VecDeque::new(),
        }
    }

    /// The next page of them; the cursor goes when there is no more.
    fn fetch(&mut self) -> Result<()> {
        let Some(mut cursor) = self.cursor.take() else {
            return Ok(());
        };
        let ready = &mut self.ready;
        let more = cursor.next(&mut |key, value| {
            ready.push_back((key.to_vec(), value.to_vec()));
            ControlFlow::Continue(())
        })?;
        if more {
            self.cursor = Some(cursor);
        }
        Ok(())
    }
}

impl Iterator for Pairs {
    type Item = Result<Pair>;

    fn next(&mut self) -> Option<Result<Pair>> {
        while self.ready.is_empty() && self.cursor.is_some() {
            if let Err(error) = self.fetch() {
                return Some(Err(error));
            }
        }
        self.ready.pop_front().map(Ok)
    }
}
