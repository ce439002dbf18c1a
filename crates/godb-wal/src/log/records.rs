//! Reading the log while it is being written.

use super::Log;
use crate::block::{self, Header};
use crate::read::{Blocks, Found, View, damaged, record_at};
use crate::record::Record;
use godb_btree::sync::atomic::Ordering;
use godb_btree::{Fault, Lsn};

/// Bytes of a file that are read at a time.
const WINDOW: u64 = 64 * 1024;

impl Log {
    /// The records from `from` on, as far as the log reaches. `from` is zero, for all there are, or a position that this log gave out.
    ///
    /// Asking for a single record is cheap: a rollback, which follows a chain backwards, finds most of them in the buffer or in the
    /// piece of a file that it read last.
    pub fn records(&self, from: Lsn) -> Records<'_> {
        let oldest = self.keep.load(Ordering::Acquire);
        Records {
            log: self,
            at: from.raw().max(oldest),
            written: 0,
            window: None,
            started: false,
            failed: false,
            body: Vec::new(),
        }
    }
}

/// An iterator over records. It ends at the end of the log, and after the first error.
pub struct Records<'a> {
    log: &'a Log,
    at: u64,
    /// What lies before this position is in the files, as far as this reader knows.
    written: u64,
    /// Its own window; the first record is looked up in the window that all share.
    window: Option<Window>,
    started: bool,
    failed: bool,
    body: Vec<u8>,
}

impl Iterator for Records<'_> {
    type Item = Result<(Lsn, Record), Fault>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.failed {
            return None;
        }
        let found = self.advance();
        self.started = true;
        self.failed = found.is_err();
        found.transpose()
    }
}

impl Records<'_> {
    fn advance(&mut self) -> Result<Option<(Lsn, Record)>, Fault> {
        loop {
            if self.at >= self.written {
                let mut tail = self.log.ledger.tail.lock();
                self.written = tail.buffer.first();
                if self.at >= self.written {
                    let found = tail.buffer.record_at(self.at)?;
                    return Ok(self.step_over(found));
                }
            }
            match self.look_in_files(self.written)? {
                Found::End => self.at = self.written,
                found => return Ok(self.step_over(found)),
            }
        }
    }

    /// Goes on behind what was found.
    fn step_over(&mut self, found: Found) -> Option<(Lsn, Record)> {
        match found {
            Found::End => None,
            Found::Record(lsn, record, next) => {
                self.at = next;
                Some((lsn, record))
            }
        }
    }

    /// Looks for the next record in the files, which are written up to `limit`.
    fn look_in_files(&mut self, limit: u64) -> Result<Found, Fault> {
        if !self.started {
            let mut shared = self.log.window.lock();
            let mut blocks = shared.over(self.log, limit);
            return record_at(&mut blocks, self.at, &mut self.body);
        }
        let window = self.window.get_or_insert_default();
        record_at(&mut window.over(self.log, limit), self.at, &mut self.body)
    }
}

/// A piece of a segment in memory.
#[derive(Debug, Default)]
pub(crate) struct Window {
    base: u64,
    bytes: Vec<u8>,
    /// The block whose checksum was verified last.
    verified: Option<(u64, Header)>,
}

impl Window {
    fn over<'a>(&'a mut self, log: &'a Log, limit: u64) -> FileBlocks<'a> {
        FileBlocks {
            log,
            window: self,
            limit,
        }
    }

    /// The bytes of the block at `at`, if they are here.
    fn get(&self, at: u64, size: usize) -> Option<&[u8]> {
        let offset = usize::try_from(at.checked_sub(self.base)?).ok()?;
        self.bytes.get(offset..offset.checked_add(size)?)
    }
}

/// The blocks in the files before a limit.
struct FileBlocks<'a> {
    log: &'a Log,
    window: &'a mut Window,
    limit: u64,
}

impl FileBlocks<'_> {
    /// Reads the piece that holds `at`, without leaving its segment and without touching what may not be written yet.
    fn load(&mut self, at: u64) -> Result<(), Fault> {
        let segment = self.log.segments.size();
        let start = at - at % segment;
        let base = start + (at - start) / WINDOW * WINDOW;
        let end = (base + WINDOW).min(start + segment).min(self.limit);
        let len = usize::try_from(end - base).expect("a window is small");
        self.window.verified = None;
        self.window.base = base;
        self.window.bytes.resize(len, 0);
        let got = self.log.segments.read(base, &mut self.window.bytes)?;
        self.window.bytes.truncate(got);
        Ok(())
    }
}

impl Blocks for FileBlocks<'_> {
    fn size(&self) -> u64 {
        self.log.block as u64
    }

    fn block(&mut self, at: u64) -> Result<Option<View<'_>>, Fault> {
        if at >= self.limit {
            return Ok(None);
        }
        let size = self.log.block;
        if self.window.get(at, size).is_none() {
            self.load(at)?;
        }
        let database = self.log.database;
        let Window { verified, .. } = *self.window;
        let Some(bytes) = self.window.get(at, size) else {
            return Err(damaged(at, "a file of the log ends too early"));
        };
        let header = match verified {
            Some((place, header)) if place == at => header,
            _ => block::open(bytes, at, database)
                .ok_or_else(|| damaged(at, "a block is not what was written"))?,
        };
        self.window.verified = Some((at, header));
        let bytes = self.window.get(at, size).unwrap_or_default();
        Ok(Some(View {
            bytes: &bytes[..header.end],
            first: header.first,
            epoch: header.epoch,
        }))
    }
}
