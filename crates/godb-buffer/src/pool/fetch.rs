//! [`Fetch`]: asking the processor for a page that is about to be read.
//!
//! A look at a page waits for memory again and again: for the frame, for the page's header, for the middle of its slots. Each address follows from the one before, so the
//! processor cannot begin with the next by itself. But where a frame's bytes lie follows from its number alone. So they are asked for as soon as that is known,
//! and come while the announcement is made.

use super::arena::Room;
use godb_page::ask_for;

/// Where the pages of frames lie in memory.
pub(super) struct Fetch {
    /// The address of the first frame's bytes; zero when frames do not lie side by side.
    start: usize,
    /// How far apart they are.
    stride: usize,
}

/// The lines of a page that a search looks at first: the header, and the slots behind it.
const LINES: [usize; 7] = [0, 64, 128, 192, 256, 320, 384];

impl Fetch {
    /// For frames that have these bytes, in this order.
    pub(super) fn new(rooms: &[Room]) -> Self {
        let (start, stride) = match rooms {
            [first @ Room::Mapped(_), ..] => (first.as_ptr().addr(), first.len()),
            _ => (0, 0),
        };
        Self { start, stride }
    }

    /// Asks for the beginning of a frame's page.
    #[inline]
    pub(super) fn page(&self, frame: u32) {
        if self.start == 0 {
            return;
        }
        let page = self.start + frame as usize * self.stride;
        for line in LINES {
            ask_for(page + line);
        }
    }
}
