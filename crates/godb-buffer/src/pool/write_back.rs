//! Write-back: dirty pages go to the store, in batches, after the log.
//!
//! This is the one place where pages are written, and so the one place where the second clause of the write-ahead rule is kept: a batch is
//! copied under short latches, then the log barrier is asked for the newest record among the copies, then the store writes them.
//! Changes made meanwhile leave the page dirty, from the first of them on: see [`dirt`](super::dirt).
//!
//! One batch is on its way at a time. A dirty page is never evicted, and its frame stays marked dirty until the write has returned: so nobody can read from
//! the store a page that is newer in memory, and no older copy can arrive after a newer one.
//!
//! Lock order: a latch, then the writer. Whoever has the writer only *tries* latches.

use super::Pool;
use super::frame::Frame;
use super::stats::Counters;
use godb_page::page::header;
use godb_page::sync::thread;
use godb_page::{Fault, Lsn, PageId, PageStore};

/// The most pages of a batch, and the most bytes. Each batch costs two syncs, whatever its size, and its copies cost memory.
const BATCH: usize = 256;
const BATCH_BYTES: usize = 2 << 20;

/// What write-back keeps between batches.
pub(super) struct Writer {
    /// Private copies.
    copies: Vec<Box<[u8]>>,
    /// What they are copies of.
    copied: Vec<Copied>,
    /// Where the background writer goes on.
    hand: usize,
}

/// A page that was copied to be written.
#[derive(Clone, Copy)]
struct Copied {
    frame: u32,
    page: PageId,
    record: Lsn,
    floor: Lsn,
}

impl Writer {
    pub(super) fn new(page_size: usize, frames: usize) -> Self {
        let batch = (BATCH_BYTES / page_size).clamp(16, BATCH).min(frames);
        Self {
            copies: (0..batch)
                .map(|_| vec![0; page_size].into_boxed_slice())
                .collect(),
            copied: Vec::with_capacity(batch),
            hand: 0,
        }
    }

    fn is_full(&self) -> bool {
        self.copied.len() == self.copies.len()
    }

    /// Adds a copy of a page, which is latched.
    fn copy(&mut self, at: u32, frame: &Frame, bytes: &[u8]) {
        if let (Some(page), Some((record, floor))) = (frame.page_id(), frame.begin_writing()) {
            self.copies[self.copied.len()].copy_from_slice(bytes);
            self.copied.push(Copied {
                frame: at,
                page,
                record,
                floor,
            });
        }
    }
}

impl<S: PageStore> Pool<S> {
    /// Writes up to `most` dirty pages, going on where the last call ended; returns how many. The `step()` of the background
    /// writer. A page that is being changed right now is passed by.
    ///
    /// # Errors
    /// Those of the log barrier and of the store; the pages stay dirty then.
    pub fn write_back(&self, most: usize) -> Result<usize, Fault> {
        let count = self.frames().len();
        let start = self.writer.lock().hand;
        let mut seen = 0;
        let mut found = 0;
        let mut dirty = (0..count)
            .map(|step| (start + step) % count)
            .inspect(|_| seen += 1)
            .filter(|at| self.frames()[*at].is_dirty())
            .inspect(|_| found += 1)
            .map(super::number)
            .take(most);
        let written = self.write_frames(&mut dirty);
        self.writer.lock().hand = (start + seen) % count;
        written
    }

    /// Writes pages whose oldest unwritten change has a floor before `floor`, and makes them durable: what a checkpoint does to move
    /// redo's beginning there. Returns how many were written.
    ///
    /// # Errors
    /// Those of the log barrier and of the store.
    pub fn write_older(&self, floor: Lsn) -> Result<usize, Fault> {
        let old = |frame: &Frame| frame.floor().is_some_and(|from| from < floor);
        let written = self.write_all(&old)? + self.write_shelved()?;
        if self.oldest_floor().is_some_and(|oldest| oldest < floor) {
            self.sync()?;
        }
        Ok(written)
    }

    /// Writes every page that is dirty now, and makes all that was written durable. Waits for pages that are being changed: hold no latch.
    pub fn flush(&self) -> Result<(), Fault> {
        self.write_all(&Frame::is_dirty)?;
        self.write_shelved()?;
        self.sync()
    }

    /// Brings back the pages on the shelf and writes them.
    fn write_shelved(&self) -> Result<usize, Fault> {
        let mut written = 0;
        for page in self.shelf.pages() {
            let pin = self.fetch(page)?;
            written += self.write_waiting(pin.at())?;
        }
        Ok(written)
    }

    /// Writes every page that is `wanted` now: first those whose latch is free, then, waiting for them, the few others. Pages that are changed meanwhile are not
    /// waited for, or a busy writer could keep this from ending.
    fn write_all(&self, wanted: &dyn Fn(&Frame) -> bool) -> Result<usize, Fault> {
        let mut passed_by = Vec::new();
        let mut frames = self.in_file_order(wanted).into_iter();
        let mut written = self.write_those(&mut frames, &mut |at| passed_by.push(at))?;
        for at in passed_by {
            if wanted(self.table.frame(at)) {
                written += self.write_waiting(at)?;
            }
        }
        Ok(written)
    }

    /// The frames that are wanted, by the places of their pages in the file: neighbours then go there in one piece.
    fn in_file_order(&self, wanted: &dyn Fn(&Frame) -> bool) -> Vec<u32> {
        let frames = self.frames().iter().zip(0_u32..);
        let mut places: Vec<(u32, u32)> = frames
            .filter(|(frame, _)| wanted(frame))
            .map(|(frame, at)| (frame.page(), at))
            .collect();
        places.sort_unstable();
        places.into_iter().map(|(_, at)| at).collect()
    }

    /// Writes the pages of some frames, in batches; returns how many.
    pub(super) fn write_frames(&self, frames: &mut dyn Iterator<Item = u32>) -> Result<usize, Fault> {
        self.write_those(frames, &mut |_| {})
    }

    /// The same; tells `passed_by` of frames that somebody keeps from being written just now.
    fn write_those(
        &self,
        frames: &mut dyn Iterator<Item = u32>,
        passed_by: &mut dyn FnMut(u32),
    ) -> Result<usize, Fault> {
        self.check_poison()?;
        let mut writer = self.writer.lock();
        let mut written = 0;
        loop {
            while !writer.is_full()
                && let Some(at) = frames.next()
            {
                if !self.try_copy(&mut writer, at) {
                    passed_by(at);
                }
            }
            if writer.copied.is_empty() {
                return Ok(written);
            }
            written += self.write_copies(&mut writer)?;
        }
    }

    /// Copies a page if it must be written; `false` when somebody keeps it from that just now: by its latch, or by looking whether its frame can be had.
    fn try_copy(&self, writer: &mut Writer, at: u32) -> bool {
        if !self.table.frame(at).is_dirty() {
            return true;
        }
        let Some(pin) = self.table.pin_frame(at) else {
            return false;
        };
        Counters::add(&self.counters.own_pins, 1);
        // Waiting here could be for ever: the latch's owner may be waiting for a frame that this very write-back is to free.
        let Some(body) = pin.frame().latch.try_read() else {
            return false;
        };
        writer.copy(at, pin.frame(), &body.bytes);
        true
    }

    /// Writes one page, waiting for its latch.
    fn write_waiting(&self, at: u32) -> Result<usize, Fault> {
        let pin = loop {
            match self.table.pin_frame(at) {
                Some(pin) => break pin,
                None if self.table.frame(at).is_dirty() => thread::yield_now(),
                None => return Ok(0),
            }
        };
        Counters::add(&self.counters.own_pins, 1);
        let body = pin.frame().latch.read();
        self.check_poison()?;
        let mut writer = self.writer.lock();
        writer.copy(at, pin.frame(), &body.bytes);
        drop(body);
        self.write_copies(&mut writer)
    }

    /// Waits for the log, writes the copies, and notes what that means for their frames; returns how many they were.
    fn write_copies(&self, writer: &mut Writer) -> Result<usize, Fault> {
        let copied = std::mem::take(&mut writer.copied);
        let result = if copied.is_empty() {
            Ok(())
        } else {
            self.store_copies(writer, &copied)
        };
        for one in &copied {
            if result.is_ok() {
                self.witness.note(one.page, one.record);
            }
            self.table.end_writing(one.frame, result.is_ok());
        }
        let count = copied.len();
        writer.copied = copied;
        writer.copied.clear();
        result?;
        Counters::add(&self.counters.written, count);
        Counters::add(&self.counters.batches, usize::from(count > 0));
        Ok(count)
    }

    fn store_copies(&self, writer: &mut Writer, copied: &[Copied]) -> Result<(), Fault> {
        let newest = copied.iter().map(|one| one.record).max().unwrap_or_default();
        if !godb_page::sync::planted("log-barrier-skipped") {
            self.barrier
                .wait_durable(newest)
                .inspect_err(|fault| self.poison(fault))?;
        }
        for one in copied {
            self.note_unsynced(one.floor);
        }
        let mut batch: Vec<(PageId, &mut [u8])> = copied
            .iter()
            .zip(&mut writer.copies)
            .map(|(one, copy)| (one.page, &mut **copy))
            .collect();
        batch.sort_unstable_by_key(|(page, _)| *page);
        self.store.write(&mut batch).inspect_err(|fault| {
            if self.store.is_poisoned() {
                self.poison(fault);
            }
        })
    }

    /// Makes every page written so far durable.
    ///
    /// # Errors
    /// Those of the store; from then on every write and sync is [`Fault::Poisoned`].
    pub fn sync(&self) -> Result<(), Fault> {
        self.check_poison()?;
        // No batch is on its way during the sync: what it makes durable is all that is noted as unsynced.
        let _writer = self.writer.lock();
        match self.store.sync() {
            Ok(()) => *self.unsynced.lock() = None,
            Err(fault) => {
                if self.store.is_poisoned() {
                    self.poison(&fault);
                }
                return Err(fault);
            }
        }
        Ok(())
    }

    /// Ends all writing, here and in the log: what is changed from now on could never leave memory.
    fn poison(&self, fault: &Fault) {
        self.poisoned.lock().get_or_insert_with(|| fault.clone());
        self.barrier.store_failed(fault);
    }

    fn note_unsynced(&self, floor: Lsn) {
        let mut unsynced = self.unsynced.lock();
        *unsynced = Some(unsynced.map_or(floor, |oldest| oldest.min(floor)));
    }

    /// Where redo would have to start, as far as pages in memory and pages not yet synced decide.
    pub(super) fn oldest_floor(&self) -> Option<Lsn> {
        // Dirty pages first: one that is written in between is then found among the unsynced. The shelf before and after them: a page may come and go.
        let shelved = self.shelf.floor();
        let dirty = self.frames().iter().filter_map(Frame::floor).min();
        let unsynced = *self.unsynced.lock();
        let floors = [shelved, dirty, self.shelf.floor(), unsynced];
        floors.into_iter().flatten().min()
    }

    /// Blanks a page that begins afresh. The LSN of one that is dirty is kept: see the drop of the write guard.
    pub(super) fn blank(&self, id: PageId, dirty: bool, bytes: &mut [u8]) {
        let lsn = if dirty { header::lsn(bytes) } else { Lsn::default() };
        bytes.fill(0);
        header::set_page_id(bytes, id);
        header::set_database_id(bytes, self.store.database_id());
        header::set_lsn(bytes, lsn);
    }
}
