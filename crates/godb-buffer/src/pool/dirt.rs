//! [`Dirt`]: how a page in memory differs from the store's, while it is changed and written at the same time.
//!
//! Two positions matter. The *record* is that of the last change: the log must be durable up to it before the page is written. The *floor* is where
//! redo would have to start were the page lost now: a position at or below the first change that the store does not have.
//!
//! A page is copied under a short latch and written without it, so it may change while its copy is on its way. When the write ends,
//! the store has everything up to the copy, and the floor moves to that of the first change after it; the page is clean only if there was none.

use godb_page::Lsn;

/// How a page differs from the store's.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Dirt {
    /// Redo after a crash must start here or before; `None` when the page is clean.
    floor: Option<Lsn>,
    /// The record of the last change.
    record: Lsn,
    /// A copy of it is being written.
    writing: bool,
    /// The floor of the first change after that copy was taken.
    since_copy: Option<Lsn>,
}

impl Dirt {
    /// A change described by `record`, under a reservation that began at `floor`.
    pub(super) fn add(&mut self, floor: Lsn, record: Lsn) {
        self.floor.get_or_insert(floor);
        if self.writing {
            self.since_copy.get_or_insert(floor);
        }
        self.record = record;
    }

    /// A copy is taken. The last record and the floor; `None` when there is nothing to write, or it is being written already:
    /// two copies on their way could arrive in the wrong order.
    pub(super) fn begin_writing(&mut self) -> Option<(Lsn, Lsn)> {
        let floor = self.floor.filter(|_| !self.writing)?;
        self.writing = true;
        self.since_copy = None;
        Some((self.record, floor))
    }

    /// The copy was written, or not.
    pub(super) fn end_writing(&mut self, written: bool) {
        self.writing = false;
        if written {
            self.floor = if cfg!(godb_plant = "clean-after-write") {
                None
            } else {
                self.since_copy
            };
        }
    }

    /// Where redo would have to start for this page.
    pub(super) fn floor(&self) -> Option<Lsn> {
        self.floor
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lsn(raw: u64) -> Lsn {
        Lsn::from_raw(raw)
    }

    #[test]
    fn a_change_during_the_write_keeps_the_page_dirty() {
        let mut dirt = Dirt::default();
        assert_eq!(dirt.begin_writing(), None, "a clean page is not written");
        dirt.add(lsn(10), lsn(11));
        dirt.add(lsn(12), lsn(15));
        assert_eq!(dirt.begin_writing(), Some((lsn(15), lsn(10))));
        assert_eq!(dirt.begin_writing(), None, "one copy at a time");
        dirt.add(lsn(20), lsn(21));
        dirt.add(lsn(22), lsn(23));
        assert_eq!(dirt.floor(), Some(lsn(10)), "the copy is not written yet");
        dirt.end_writing(true);
        assert_eq!(
            dirt.floor(),
            Some(lsn(20)),
            "the first change that the store does not have"
        );
        assert_eq!(dirt.begin_writing(), Some((lsn(23), lsn(20))));
        dirt.end_writing(false);
        assert_eq!(dirt.floor(), Some(lsn(20)), "a failed write changes nothing");
        dirt.begin_writing();
        dirt.end_writing(true);
        assert_eq!(dirt.floor(), None);
    }
}
