//! [`BytesColumn`]: many byte strings in one allocation.

use crate::error::{Result, SqlError, state};

/// The most bytes of the strings that an expression computes for a batch of rows, and so of one such string: 128 MiB. Memory is not
/// taken for more. Stored values may be longer.
pub(crate) const MAX_COMPUTED: usize = 128 << 20;

#[cold]
fn too_large() -> SqlError {
    SqlError::new(
        state::PROGRAM_LIMIT_EXCEEDED,
        "the computed strings of a batch exceed 128 MiB",
    )
}

/// Byte strings, one after the other, with the offsets where they end.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BytesColumn {
    ends: Vec<u32>,
    bytes: Vec<u8>,
}

impl BytesColumn {
    /// Room for `rows` strings of `bytes` bytes together.
    #[must_use]
    pub fn with_capacity(rows: usize, bytes: usize) -> Self {
        Self {
            ends: Vec::with_capacity(rows),
            bytes: Vec::with_capacity(bytes),
        }
    }

    /// How many strings.
    #[must_use]
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    /// How many more bytes fit: a batch holds less than 4 GiB of strings.
    #[must_use]
    pub fn room(&self) -> usize {
        u32::MAX as usize - self.bytes.len()
    }

    /// Adds a string.
    pub fn push(&mut self, bytes: &[u8]) {
        self.bytes.extend_from_slice(bytes);
        self.ends
            .push(u32::try_from(self.bytes.len()).expect("a batch holds less than 4 GiB of strings"));
    }

    /// Adds the string that `write` appends to the buffer. When it fails, nothing is added.
    ///
    /// # Errors
    /// What `write` fails with; `54000` when the column would hold more than [`MAX_COMPUTED`].
    pub(crate) fn push_with(&mut self, write: impl FnOnce(&mut Vec<u8>) -> Result<()>) -> Result<()> {
        let before = self.bytes.len();
        let written = write(&mut self.bytes);
        let end = u32::try_from(self.bytes.len());
        match (written, end) {
            (Ok(()), Ok(end)) if self.bytes.len() <= MAX_COMPUTED => {
                self.ends.push(end);
                Ok(())
            }
            (written, _) => {
                self.bytes.truncate(before);
                written.and(Err(too_large()))
            }
        }
    }

    /// All strings together, and where each ends.
    pub(crate) fn parts(&self) -> (&[u32], &[u8]) {
        (&self.ends, &self.bytes)
    }

    /// The string at `row`.
    #[must_use]
    pub fn get(&self, row: usize) -> &[u8] {
        let from = if row == 0 { 0 } else { self.ends[row - 1] as usize };
        &self.bytes[from..self.ends[row] as usize]
    }

    /// Each string in order.
    pub fn iter(&self) -> impl Iterator<Item = &[u8]> {
        (0..self.len()).map(|row| self.get(row))
    }
}
