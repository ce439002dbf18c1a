//! Write-back: dirty pages go to the store, in batches, after the log.
//!
//! This is the one place where pages are written, and so the one place where the second clause of the write-ahead rule is kept: a batch is
//! copied under short latches, then the log barrier is asked for the newest record among the copies, then the store writes them.
//! Changes made meanwhile leave the page dirty, from the first of them on.

use super::Pool;
use super::stats::Counters;
use godb_page::page::header;
use godb_page::{Fault, Lsn, PageId, PageStore};

/// The most pages of a batch.
const BATCH: usize = 64;

/// How often a flush looks again for pages that were latched when it came by.
const ROUNDS: usize = 4;

/// What write-back keeps between batches.
pub(super) struct Writer {
    /// Private copies.
    copies: Vec<Box<[u8]>>,
    /// Where the search for dirty frames goes on.
    hand: usize,
}

/// A page that was copied to be written.
struct Copied {
    frame: usize,
    page: PageId,
    floor: Lsn,
}

impl Writer {
    pub(super) fn new(page_size: usize, frames: usize) -> Self {
        let batch = BATCH.min(frames);
        Self {
            copies: (0..batch)
                .map(|_| vec![0; page_size].into_boxed_slice())
                .collect(),
            hand: 0,
        }
    }
}

impl<S: PageStore> Pool<S> {
    /// Writes up to `most` dirty pages; returns how many. The `step()` of the background writer, and what a thread does that
    /// finds no clean frame.
    pub fn write_back(&self, most: usize) -> Result<usize, Fault> {
        self.check_poison()?;
        let mut writer = self.writer.lock();
        let mut written = 0;
        let mut looked_at = 0;
        while written < most && looked_at < self.frames.len() {
            let (copied, newest) = self.copy_some(&mut writer, most - written, &mut looked_at);
            if copied.is_empty() {
                break;
            }
            written += copied.len();
            self.write_copies(&mut writer, &copied, newest)?;
        }
        Ok(written)
    }

    /// Writes every page that is dirty now, and makes all that was written durable.
    pub fn flush(&self) -> Result<(), Fault> {
        for _ in 0..ROUNDS {
            self.write_back(self.frames.len())?;
            if !self.frames.iter().any(super::frame::Frame::is_dirty) {
                break;
            }
        }
        self.sync()
    }

    /// Makes every page written so far durable.
    pub fn sync(&self) -> Result<(), Fault> {
        self.check_poison()?;
        // No write is between its page and this sync, and none comes before it ends: the floors noted belong to finished writes. They
        // count until the sync has succeeded, or a checkpoint taken meanwhile would start redo behind pages that are not durable.
        let _writer = self.writer.lock();
        let synced = self.store.sync();
        match &synced {
            Ok(()) => *self.unsynced.lock() = None,
            Err(fault) => {
                self.poisoned.lock().get_or_insert_with(|| fault.clone());
            }
        }
        synced
    }

    /// Copies up to `most` dirty pages, going on where the last search ended; also tells the newest record among them.
    fn copy_some(&self, writer: &mut Writer, most: usize, looked_at: &mut usize) -> (Vec<Copied>, Lsn) {
        let mut copied = Vec::new();
        let mut newest = Lsn::default();
        let room = writer.copies.len().min(most);
        while copied.len() < room && *looked_at < self.frames.len() {
            let at = writer.hand;
            writer.hand = (writer.hand + 1) % self.frames.len();
            *looked_at += 1;
            if let Some((page, lsn, floor)) = self.copy(at, &mut writer.copies[copied.len()]) {
                newest = newest.max(lsn);
                copied.push(Copied {
                    frame: at,
                    page,
                    floor,
                });
            }
        }
        (copied, newest)
    }

    /// Copies a dirty page; `None` when the frame is clean, empty, or being changed right now.
    fn copy(&self, at: usize, into: &mut [u8]) -> Option<(PageId, Lsn, Lsn)> {
        let frame = &self.frames[at];
        if !frame.is_dirty() {
            return None;
        }
        let page = frame.page();
        {
            let part = self.table.part(page);
            if part.frames.get(&page) != Some(&at) {
                return None;
            }
            frame.pin();
        }
        let pin = super::Pinned::new(frame);
        // A page that is being changed is left for the next round: waiting here for its writer, who may wait for a frame, could be for ever.
        let body = frame.latch.try_read()?;
        let (lsn, floor) = frame.begin_writing()?;
        into.copy_from_slice(&body.bytes);
        drop(body);
        drop(pin);
        Some((page, lsn, floor))
    }

    /// Waits for the log, writes the copies, and notes what that means for their frames.
    fn write_copies(&self, writer: &mut Writer, copied: &[Copied], newest: Lsn) -> Result<(), Fault> {
        let result = self.barrier.wait_durable(newest).and_then(|()| {
            for one in copied {
                self.note_unsynced(one.floor);
            }
            let mut batch: Vec<(PageId, &mut [u8])> = copied
                .iter()
                .zip(&mut writer.copies)
                .map(|(one, copy)| (one.page, &mut **copy))
                .collect();
            batch.sort_unstable_by_key(|(page, _)| *page);
            self.store.write(&mut batch)
        });
        for one in copied {
            self.written(one, result.is_ok());
        }
        if result.is_ok() {
            Counters::add(&self.counters.written, copied.len() as u64);
        }
        result
    }

    /// Tells a frame that its copy was written, unless it was given to another page meanwhile.
    fn written(&self, one: &Copied, written: bool) {
        let part = self.table.part(one.page);
        if part.frames.get(&one.page) == Some(&one.frame) {
            self.frames[one.frame].end_writing(written);
        }
    }

    fn note_unsynced(&self, floor: Lsn) {
        let mut unsynced = self.unsynced.lock();
        *unsynced = Some(unsynced.map_or(floor, |oldest| oldest.min(floor)));
    }

    /// Where redo would have to start, as far as pages in memory and pages not yet synced decide.
    pub(super) fn oldest_floor(&self) -> Option<Lsn> {
        // Dirty pages first: one that is written in between is then found among the unsynced.
        let dirty = self.frames.iter().filter_map(super::frame::Frame::floor).min();
        let unsynced = *self.unsynced.lock();
        dirty.into_iter().chain(unsynced).min()
    }

    /// Fills a fresh page's header words.
    pub(super) fn blank(&self, id: PageId, bytes: &mut [u8]) {
        bytes.fill(0);
        header::set_page_id(bytes, id);
    }
}
