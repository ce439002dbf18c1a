//! Segments: the files that hold the log's blocks.
//!
//! Segment `n` holds the positions from `n × segment size` on, in the file `nnnnnnnn.log`. Every segment but the last is full length; the last may be
//! shorter, and doubles until it is not, so that a small database has a small log. Room is taken from the disk before the log
//! needs it: [`Segments::allocated`] says how far the files reach, and an append below that can neither find the disk full
//! nor change a file's length, which makes a sync cheaper.
//!
//! A segment that nobody needs any more is renamed to the next free number instead of being removed: its blocks are already allocated and
//! written. What it still holds is harmless, because a block says at which position it belongs.
//!
//! A name is synced before a position in the file is handed out. Otherwise a crash could take away a file together with commits that
//! were durable inside it.

use crate::segment::Segment;
use godb_btree::sync::Mutex;
use godb_btree::sync::atomic::{AtomicU64, Ordering};
use godb_btree::{Fault, File, FileSystem, OpenMode};
use std::collections::BTreeMap;
use std::sync::Arc;

/// A segment is copied in pieces of this size.
const PIECE: usize = 256 * 1024;

/// Why room could not be made.
#[derive(Debug)]
pub(crate) enum Trouble {
    /// Nothing is lost; it may be tried again.
    Refused(Fault),
    /// A sync failed, and with it the certainty about everything written before.
    Unsure(Fault),
}

impl Trouble {
    pub(crate) fn into_fault(self) -> Fault {
        match self {
            Self::Refused(fault) | Self::Unsure(fault) => fault,
        }
    }
}

/// The log's files.
pub(crate) struct Segments {
    fs: Arc<dyn FileSystem>,
    dir: Arc<str>,
    size: u64,
    /// The length of a log's very first segment, at first.
    initial: u64,
    files: Mutex<BTreeMap<u64, Arc<Segment>>>,
    /// Held while files are added or removed.
    shape: Mutex<()>,
    allocated: AtomicU64,
}

impl Segments {
    /// No files yet; the log will begin at `start`, a multiple of `size`.
    pub(crate) fn new(fs: Arc<dyn FileSystem>, dir: &str, size: u64, initial: u64, start: u64) -> Self {
        Self {
            fs,
            dir: dir.into(),
            size,
            initial: initial.min(size),
            files: Mutex::new(BTreeMap::new()),
            shape: Mutex::new(()),
            allocated: AtomicU64::new(start),
        }
    }

    /// The files that are there, from the one that holds `keep` on, as far as they reach without a gap.
    pub(crate) fn open(fs: Arc<dyn FileSystem>, dir: &str, size: u64, keep: u64) -> Result<Self, Fault> {
        let first = keep / size;
        let this = Self::new(fs, dir, size, size, first * size);
        for number in first.. {
            let name = this.name(number);
            if !this.fs.exists(&name)? {
                break;
            }
            let file = this.fs.open(&name, OpenMode::Existing)?;
            let len = file.len()?.min(size);
            this.files
                .lock()
                .insert(number, Arc::new(Segment::used(file, len)));
            this.allocated.store(number * size + len, Ordering::Release);
            if len < size {
                break;
            }
        }
        Ok(this)
    }

    /// Bytes in a segment.
    pub(crate) fn size(&self) -> u64 {
        self.size
    }

    /// The files have room up to this position.
    pub(crate) fn allocated(&self) -> u64 {
        self.allocated.load(Ordering::Acquire)
    }

    /// Writes whole blocks at `at`.
    pub(crate) fn write(&self, at: u64, bytes: &[u8]) -> Result<(), Fault> {
        self.pieces(at, bytes.len(), |segment, offset, range| {
            segment.file.write_at(offset, &bytes[range.clone()])?;
            segment.wrote(offset + range.len() as u64);
            Ok(range.len())
        })?;
        Ok(())
    }

    /// How many zeros a flush of the bytes from `from` to `to` should carry behind its own: see [`Segment`].
    pub(crate) fn zeros_behind(&self, from: u64, to: u64) -> Result<u64, Fault> {
        let start = (to - 1) / self.size * self.size;
        let len = self.allocated().min(start + self.size) - start;
        let segment = self.segment(start / self.size)?;
        Ok(segment.zeros_behind(to - from, to - start, len))
    }

    /// Reads from `at`; returns how many bytes there were.
    pub(crate) fn read(&self, at: u64, into: &mut [u8]) -> Result<usize, Fault> {
        let len = into.len();
        self.pieces(at, len, |segment, offset, range| {
            segment.file.read_at(offset, &mut into[range])
        })
    }

    /// Makes what was written between two positions durable.
    pub(crate) fn sync(&self, from: u64, to: u64) -> Result<(), Fault> {
        for number in from / self.size..to.div_ceil(self.size) {
            if godb_btree::sync::planted("log-sync-skipped") {
                continue;
            }
            // The end of what is acknowledged is there, and what came before it is not.
            if number < (to - 1) / self.size && godb_btree::sync::planted("commit-acknowledged-out-of-order")
            {
                continue;
            }
            self.segment(number)?.sync()?;
        }
        Ok(())
    }

    /// Makes room up to `upto` at least.
    pub(crate) fn grow(&self, upto: u64) -> Result<(), Trouble> {
        let _shape = self.shape.lock();
        while self.allocated() < upto {
            let at = self.allocated();
            let number = at / self.size;
            let have = at % self.size;
            let (segment, len) = match have {
                0 => (
                    Arc::new(Segment::fresh(self.create(number)?)),
                    self.first_length(),
                ),
                _ => (
                    self.segment(number).map_err(Trouble::Refused)?,
                    (2 * have).min(self.size),
                ),
            };
            let result = self.lengthen(&*segment.file, have, len);
            if result.is_err() && have == 0 {
                // Half a segment that was never used is of no use; when it stays, the next attempt takes it over.
                let _ = self.fs.unlink(&self.name(number));
            }
            result?;
            self.files.lock().insert(number, segment);
            self.allocated.store(number * self.size + len, Ordering::Release);
        }
        Ok(())
    }

    /// Gives back the segments that lie wholly before `keep`. Those that bring the room ahead of `end` up to `ahead` are used again.
    pub(crate) fn recycle(&self, keep: u64, end: u64, ahead: u64) -> Result<(), Trouble> {
        let _shape = self.shape.lock();
        let needed = keep / self.size;
        let old: Vec<u64> = self.files.lock().range(..needed).map(|(n, _)| *n).collect();
        if old.is_empty() {
            return Ok(());
        }
        let mut reused = Vec::new();
        for number in old {
            let old = self.files.lock().remove(&number);
            let full = old.is_some_and(|old| old.file.len().is_ok_and(|len| len == self.size));
            let next = self.allocated() + reused.len() as u64 * self.size;
            if full && next.is_multiple_of(self.size) && next < end + ahead {
                self.rename(number, next / self.size)?;
                reused.push(next / self.size);
            } else {
                self.fs.unlink(&self.name(number)).map_err(Trouble::Refused)?;
            }
        }
        self.fs.sync_dir(&self.dir).map_err(Trouble::Unsure)?;
        self.adopt(&reused)
    }

    /// Writes anew what may not be on the medium, and puts the copy in the place of the original: every segment with blocks from `durable` up to `end`, as they are, with zeros
    /// behind. Segments that lie wholly behind `end`, and behind what the files are known to have `reached`, are given up.
    ///
    /// What a file system shows after a failed sync may never have reached the medium, and the next sync will not bring it there; that goes for
    /// the length of a file that is not in use yet, too. Only what is written again is known to be durable. A copy is used, and not the same blocks once more,
    /// because blocks that may hold acknowledged commits are never written again: a power cut could tear them. What a later block calls durable stays as it is, so this
    /// costs a segment or two, however long the log is. It is synced, for it may have been copied here a moment ago; mostly there is nothing to do for that.
    pub(crate) fn rewrite(&self, durable: u64, end: u64, reached: u64) -> Result<(), Fault> {
        let _shape = self.shape.lock();
        let files: Vec<(u64, Arc<dyn File>)> = self
            .files
            .lock()
            .iter()
            .map(|(number, segment)| (*number, segment.file.clone()))
            .collect();
        for (number, file) in files {
            let start = number * self.size;
            let reaches = start + file.len()?.min(self.size);
            let in_doubt = durable < end && durable < start + self.size && start < end;
            if start >= end.max(reached) {
                // The caller unlinks it, and whatever comes after it.
                self.files.lock().retain(|other, _| *other < number);
                self.allocated.store(start, Ordering::Release);
                break;
            }
            if !in_doubt && reaches <= reached {
                file.sync()?;
                continue;
            }
            let copy = self.copy(&*file, end.saturating_sub(start))?;
            self.fs.rename(&copy, &self.name(number))?;
            self.fs.sync_dir(&self.dir)?;
            let file = self.fs.open(&self.name(number), OpenMode::Existing)?;
            let segment = Segment::used(file, reaches - start);
            self.files.lock().insert(number, Arc::new(segment));
        }
        Ok(())
    }

    fn copy(&self, from: &dyn File, used: u64) -> Result<String, Fault> {
        let name = format!("{}/{REWRITE}", self.dir);
        let len = from.len()?;
        let to = self.fs.open(&name, OpenMode::Create)?;
        to.set_len(0)?;
        to.set_len(len)?;
        let mut piece = vec![0; PIECE];
        let mut at = 0;
        while at < len {
            let step = usize::try_from((len - at).min(PIECE as u64)).expect("a piece is small");
            let valid = usize::try_from(used.saturating_sub(at).min(step as u64)).expect("a piece is small");
            let valid = match godb_btree::sync::planted("older-epoch-replayed") {
                true => step,
                false => valid,
            };
            piece.fill(0);
            from.read_at(at, &mut piece[..valid])?;
            to.write_at(at, &piece[..step])?;
            at += step as u64;
        }
        to.sync()?;
        Ok(name)
    }

    fn rename(&self, from: u64, to: u64) -> Result<(), Trouble> {
        let renamed = self.fs.rename(&self.name(from), &self.name(to));
        renamed.map_err(Trouble::Refused)
    }

    fn adopt(&self, numbers: &[u64]) -> Result<(), Trouble> {
        for number in numbers {
            let opened = self.fs.open(&self.name(*number), OpenMode::Existing);
            let segment = Segment::used(opened.map_err(Trouble::Refused)?, self.size);
            self.files.lock().insert(*number, Arc::new(segment));
            self.allocated.store((number + 1) * self.size, Ordering::Release);
        }
        Ok(())
    }

    /// A new, empty file. One that a crash left behind under that name is emptied first.
    fn create(&self, number: u64) -> Result<Arc<dyn File>, Trouble> {
        let opened = self.fs.open(&self.name(number), OpenMode::Create);
        let file = opened.map_err(Trouble::Refused)?;
        file.set_len(0).map_err(Trouble::Refused)?;
        Ok(file)
    }

    fn lengthen(&self, file: &dyn File, from: u64, to: u64) -> Result<(), Trouble> {
        file.set_len(to).map_err(Trouble::Refused)?;
        file.sync().map_err(Trouble::Unsure)?;
        if from == 0 {
            self.fs.sync_dir(&self.dir).map_err(Trouble::Unsure)?;
        }
        Ok(())
    }

    /// Only a log's first segment starts small: one that has filled it will fill the next.
    fn first_length(&self) -> u64 {
        match self.files.lock().is_empty() {
            true => self.initial,
            false => self.size,
        }
    }

    fn name(&self, number: u64) -> String {
        format!("{}/{number:08}.log", self.dir)
    }

    fn segment(&self, number: u64) -> Result<Arc<Segment>, Fault> {
        let segment = self.files.lock().get(&number).cloned();
        segment.ok_or_else(|| Fault::Corrupt {
            file: self.name(number).into(),
            page: None,
            tree: None,
            lsn: None,
            what: "a segment of the log is missing".into(),
        })
    }

    /// Runs `io` on each segment's part of a stretch, until one is shorter than asked for; returns the bytes done.
    fn pieces(
        &self,
        at: u64,
        len: usize,
        mut io: impl FnMut(&Segment, u64, std::ops::Range<usize>) -> Result<usize, Fault>,
    ) -> Result<usize, Fault> {
        let mut done = 0;
        while done < len {
            let position = at + done as u64;
            let offset = position % self.size;
            let here = usize::try_from(self.size - offset)
                .unwrap_or(usize::MAX)
                .min(len - done);
            let segment = self.segment(position / self.size)?;
            let got = io(&segment, offset, done..done + here)?;
            done += got;
            if got < here {
                break;
            }
        }
        Ok(done)
    }
}

/// The name under which a segment is copied.
pub(crate) const REWRITE: &str = "rewrite.tmp";

/// The number of the segment that a file name stands for.
pub(crate) fn number_of(name: &str) -> Option<u64> {
    let digits = name.strip_suffix(".log")?;
    (digits.len() >= 8 && digits.bytes().all(|b| b.is_ascii_digit())).then(|| digits.parse().ok())?
}
