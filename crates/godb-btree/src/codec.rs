//! Bytes in and out of log records: little-endian numbers and length-prefixed strings, read with every bound checked.

use godb_buffer::{Fault, PageId};

/// The name that faults of this layer give to the file: the tree knows pages, not paths.
pub(crate) const FILE: &str = godb_buffer::DATABASE_FILE;

/// What is wrong with bytes that a log record brought.
pub(crate) fn bad_record(what: &'static str) -> Fault {
    Fault::Corrupt {
        file: FILE.into(),
        page: None,
        tree: None,
        lsn: None,
        what: what.into(),
    }
}

/// Damage in the content of a page.
pub(crate) fn bad_page(page: PageId, what: impl Into<std::borrow::Cow<'static, str>>) -> Fault {
    Fault::corrupt_page(FILE, page, what)
}

/// The length of a key or a cell as the format stores it.
pub(crate) fn length(bytes: &[u8]) -> u32 {
    u32::try_from(bytes.len()).expect("a record part is far below 4 GiB")
}

/// Appends a length and the bytes.
pub(crate) fn put_bytes(into: &mut Vec<u8>, bytes: &[u8]) {
    into.extend_from_slice(&length(bytes).to_le_bytes());
    into.extend_from_slice(bytes);
}

/// Reads what the functions above wrote.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Reader<'a> {
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    pub(crate) fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes }
    }

    pub(crate) fn take(&mut self, count: usize) -> Result<&'a [u8], Fault> {
        let (head, rest) = self
            .rest
            .split_at_checked(count)
            .ok_or_else(|| bad_record("a log record of the tree ends too early"))?;
        self.rest = rest;
        Ok(head)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], Fault> {
        let (head, rest) = self
            .rest
            .split_first_chunk::<N>()
            .ok_or_else(|| bad_record("a log record of the tree ends too early"))?;
        self.rest = rest;
        Ok(*head)
    }

    pub(crate) fn u8(&mut self) -> Result<u8, Fault> {
        Ok(u8::from_le_bytes(self.array()?))
    }

    pub(crate) fn u16(&mut self) -> Result<u16, Fault> {
        Ok(u16::from_le_bytes(self.array()?))
    }

    pub(crate) fn u32(&mut self) -> Result<u32, Fault> {
        Ok(u32::from_le_bytes(self.array()?))
    }

    pub(crate) fn u64(&mut self) -> Result<u64, Fault> {
        Ok(u64::from_le_bytes(self.array()?))
    }

    pub(crate) fn i32(&mut self) -> Result<i32, Fault> {
        Ok(i32::from_le_bytes(self.array()?))
    }

    pub(crate) fn bytes(&mut self) -> Result<&'a [u8], Fault> {
        let length = self.u32()?;
        self.take(length as usize)
    }

    pub(crate) fn rest(&mut self) -> &'a [u8] {
        std::mem::take(&mut self.rest)
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.rest.is_empty()
    }

    /// Everything must have been read.
    pub(crate) fn end(self) -> Result<(), Fault> {
        if self.rest.is_empty() {
            Ok(())
        } else {
            Err(bad_record("a log record of the tree has bytes left over"))
        }
    }
}
