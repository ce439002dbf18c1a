//! [`Input`]: the bytes being read, with room to look ahead, and [`Record`]: the fields of a line.

use crate::error::{Result, SqlError, state};
use std::io::Read;

/// How much is read at a time.
const CHUNK: usize = 256 << 10;
/// The longest line, in bytes.
const LONGEST: usize = 1 << 30;

/// A file or stream that is read.
pub(crate) struct Input {
    source: Box<dyn Read + Send>,
    name: String,
    buffer: Vec<u8>,
    at: usize,
    over: bool,
    /// Bytes handed on.
    pub(crate) consumed: u64,
    /// Bytes there are, where that is known.
    pub(crate) total: Option<u64>,
}

impl Input {
    /// Reads a stream; `name` is what errors call it.
    pub(crate) fn stream(source: Box<dyn Read + Send>, name: &str) -> Self {
        let name = name.to_owned();
        Self {
            source,
            name,
            buffer: Vec::new(),
            at: 0,
            over: false,
            consumed: 0,
            total: None,
        }
    }

    /// Reads a file.
    pub(crate) fn file(path: &str) -> Result<Self> {
        let trouble = |error: std::io::Error| {
            let missing = error.kind() == std::io::ErrorKind::NotFound;
            let state = if missing {
                state::UNDEFINED_FILE
            } else {
                state::IO_ERROR
            };
            SqlError::new(
                state,
                format!("could not open file \"{path}\" for reading: {error}"),
            )
        };
        let file = std::fs::File::open(path).map_err(trouble)?;
        let metadata = file.metadata().map_err(trouble)?;
        if metadata.is_dir() {
            return Err(SqlError::new(
                state::WRONG_OBJECT_TYPE,
                format!("\"{path}\" is a directory"),
            ));
        }
        let mut input = Self::stream(Box::new(file), path);
        input.total = metadata.is_file().then_some(metadata.len());
        Ok(input)
    }

    /// What has been read and not consumed.
    pub(super) fn rest(&self) -> &[u8] {
        &self.buffer[self.at..]
    }

    /// Whether nothing can follow [`rest`](Self::rest).
    pub(super) fn over(&self) -> bool {
        self.over
    }

    /// The first `bytes` of the rest are done with.
    pub(super) fn consume(&mut self, bytes: usize) {
        self.at += bytes;
        self.consumed += bytes as u64;
    }

    /// Reads more behind the rest.
    pub(super) fn more(&mut self) -> Result<()> {
        self.buffer.drain(..self.at);
        self.at = 0;
        let filled = self.buffer.len();
        if filled > LONGEST {
            let message = format!("a line of \"{}\" is longer than 1 GiB", self.name);
            return Err(SqlError::new(state::PROGRAM_LIMIT_EXCEEDED, message));
        }
        // A line that did not fit is looked at from its beginning again: reading twice as much each time bounds that.
        self.buffer.resize(filled + filled.max(CHUNK), 0);
        let read = loop {
            match self.source.read(&mut self.buffer[filled..]) {
                Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
                Err(error) => {
                    let message = format!("could not read from \"{}\": {error}", self.name);
                    return Err(SqlError::new(state::IO_ERROR, message));
                }
                Ok(read) => break read,
            }
        };
        self.buffer.truncate(filled + read);
        self.over = read == 0;
        Ok(())
    }
}

/// The fields of a line, unescaped.
#[derive(Debug, Default)]
pub(super) struct Record {
    bytes: Vec<u8>,
    ends: Vec<(usize, Kind)>,
    /// How many lines of the file it took.
    pub(super) lines: u64,
}

/// What a field is apart from its text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// As it stands.
    Plain,
    /// It was quoted, at least in part.
    Quoted,
    /// It is what stands for NULL.
    Null,
}

impl Record {
    /// Forgets all fields.
    pub(super) fn clear(&mut self) {
        self.bytes.clear();
        self.ends.clear();
        self.lines = 0;
    }

    /// Adds to the text of the field being read.
    pub(super) fn extend(&mut self, bytes: &[u8]) {
        self.bytes.extend_from_slice(bytes);
    }

    /// Adds to the text of the field being read.
    pub(super) fn push(&mut self, byte: u8) {
        self.bytes.push(byte);
    }

    /// The text of the field being read.
    pub(super) fn current(&self) -> &[u8] {
        &self.bytes[self.ends.last().map_or(0, |&(end, _)| end)..]
    }

    /// Ends the field being read.
    pub(super) fn end(&mut self, kind: Kind) {
        self.ends.push((self.bytes.len(), kind));
    }

    /// How many fields.
    pub(super) fn len(&self) -> usize {
        self.ends.len()
    }

    /// A field.
    pub(super) fn field(&self, at: usize) -> (&[u8], Kind) {
        let start = if at == 0 { 0 } else { self.ends[at - 1].0 };
        let (end, kind) = self.ends[at];
        (&self.bytes[start..end], kind)
    }
}
