//! The guards that give access to a page: a pin, and with it, maybe, the latch.

use super::frame::{Body, Content, Frame};
use super::latch::{Glance, LatchRead, LatchWrite};
use super::table::Table;
use crate::pages::PageWrite;
use godb_page::Lsn;
use godb_page::page::header;
use std::ops::Deref;

/// Keeps a page in its frame.
pub struct Pinned<'a> {
    table: &'a Table,
    at: u32,
}

impl<'a> Pinned<'a> {
    /// Takes over a pin.
    pub(super) fn new(table: &'a Table, at: u32) -> Self {
        Self { table, at }
    }

    /// The frame.
    pub(super) fn frame(&self) -> &'a Frame {
        self.table.frame(self.at)
    }

    /// Its number.
    pub(super) fn at(&self) -> u32 {
        self.at
    }
}

impl Drop for Pinned<'_> {
    fn drop(&mut self) {
        self.frame().unpin();
    }
}

/// A page latched for reading. The latch goes first, then the pin: fields are dropped in order.
pub struct PageReadGuard<'a> {
    body: LatchRead<'a, Body>,
    _pin: Pinned<'a>,
}

impl<'a> PageReadGuard<'a> {
    pub(super) fn new(body: LatchRead<'a, Body>, pin: Pinned<'a>) -> Self {
        Self { body, _pin: pin }
    }
}

impl Deref for PageReadGuard<'_> {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.body.bytes
    }
}

/// A page that is glanced at: nobody changes it and nobody takes it away, and no other reader knows.
pub struct PageGlance<'a>(Glance<'a, Body>);

impl<'a> PageGlance<'a> {
    /// The page, if the frame's bytes are one.
    pub(super) fn new(body: Glance<'a, Body>) -> Option<Self> {
        matches!(body.content, Content::Good).then_some(Self(body))
    }
}

impl Deref for PageGlance<'_> {
    type Target = [u8];

    #[inline]
    fn deref(&self) -> &[u8] {
        &self.0.bytes
    }
}

/// A page latched for writing.
pub struct PageWriteGuard<'a> {
    body: LatchWrite<'a, Body>,
    pin: Pinned<'a>,
    /// The bytes were blanked and not stamped yet: they are nobody's, and not the store's either.
    blank: bool,
}

impl<'a> PageWriteGuard<'a> {
    pub(super) fn new(body: LatchWrite<'a, Body>, pin: Pinned<'a>, blank: bool) -> Self {
        Self { body, pin, blank }
    }
}

impl Deref for PageWriteGuard<'_> {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.body.bytes
    }
}

impl PageWrite for PageWriteGuard<'_> {
    fn stamp(&mut self, floor: Lsn, lsn: Lsn) -> &mut [u8] {
        self.blank = false;
        self.pin.table.soil(self.pin.at, floor, lsn);
        header::set_lsn(&mut self.body.bytes, lsn);
        &mut self.body.bytes
    }
}

impl Drop for PageWriteGuard<'_> {
    /// A fresh page that was given up leaves memory: the zeros must not be taken for the page. One that was dirty before stays, with its old
    /// LSN: redo from its old floor would otherwise begin with changes to a page that the store never had.
    fn drop(&mut self) {
        if self.blank && !self.pin.frame().is_dirty() {
            self.body.content = Content::Gone;
            self.pin.table.forsake(self.pin.at);
        }
    }
}
