//! The guards that give access to a page: a pin, and with it, maybe, the latch.

use super::frame::{Body, Frame};
use crate::pages::PageWrite;
use godb_page::Lsn;
use godb_page::page::header;
use godb_page::sync::{RwLockReadGuard, RwLockWriteGuard};
use std::ops::Deref;

/// Keeps a page in its frame.
pub struct Pinned<'a> {
    frame: &'a Frame,
}

impl<'a> Pinned<'a> {
    /// Takes over a pin that was taken under the table's lock.
    pub(super) fn new(frame: &'a Frame) -> Self {
        Self { frame }
    }

    /// The frame.
    pub(super) fn frame(&self) -> &'a Frame {
        self.frame
    }
}

impl Drop for Pinned<'_> {
    fn drop(&mut self) {
        self.frame.unpin();
    }
}

/// A page latched for reading. The latch goes first, then the pin: fields are dropped in order.
pub struct PageReadGuard<'a> {
    body: RwLockReadGuard<'a, Body>,
    _pin: Pinned<'a>,
}

impl<'a> PageReadGuard<'a> {
    pub(super) fn new(body: RwLockReadGuard<'a, Body>, pin: Pinned<'a>) -> Self {
        Self { body, _pin: pin }
    }
}

impl Deref for PageReadGuard<'_> {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.body.bytes
    }
}

/// A page latched for writing.
pub struct PageWriteGuard<'a> {
    body: RwLockWriteGuard<'a, Body>,
    pin: Pinned<'a>,
}

impl<'a> PageWriteGuard<'a> {
    pub(super) fn new(body: RwLockWriteGuard<'a, Body>, pin: Pinned<'a>) -> Self {
        Self { body, pin }
    }

    /// The bytes, for the pool itself.
    pub(super) fn body(&mut self) -> &mut Body {
        &mut self.body
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
        self.pin.frame().soil(floor, lsn);
        header::set_lsn(&mut self.body.bytes, lsn);
        &mut self.body.bytes
    }
}
