//! Looking at what the store holds, whatever is in memory: how rot is found before somebody reads it.
//!
//! A page that is read while it is being written looks torn. So a page that looks bad is read again when no batch is on its way; and one that is bad
//! then, and whole in memory, is written again from there.

use super::Pool;
use super::frame::Content;
use super::write_back::Writer;
use godb_page::{Fault, PageId, PageStore};

/// How a page stands in the store.
#[derive(Clone, Debug)]
pub enum Stored {
    /// As it was written.
    Sound,
    /// It is bad, and is going to be written anyway: what is in memory is newer.
    Pending,
    /// It was bad; what is in memory was written in its place.
    Mended(Fault),
    /// It is bad, and the pool does not have it.
    Damaged(Fault),
}

impl<S: PageStore> Pool<S> {
    /// Reads a page from the store into `buffer`, which has the size of a page, and verifies it, past the frames: nothing is evicted. The page must be in use; one that never was
    /// written, or need not be any more, looks damaged.
    ///
    /// # Errors
    /// Failures other than damage.
    pub fn verify_stored(&self, id: PageId, buffer: &mut [u8]) -> Result<Stored, Fault> {
        match self.read_checked(id, buffer) {
            Ok(_) => return Ok(Stored::Sound),
            Err(Fault::Corrupt { .. }) => {}
            Err(fault) => return Err(fault),
        }
        let writer = self.writer.lock();
        match self.read_checked(id, buffer) {
            Ok(_) => Ok(Stored::Sound),
            Err(fault @ Fault::Corrupt { .. }) => Ok(self.mend(&writer, id, fault, buffer)),
            Err(fault) => Err(fault),
        }
    }

    /// Writes a damaged page again if memory has it. No other batch is on its way, since the caller has the writer.
    fn mend(&self, _writer: &Writer, id: PageId, fault: Fault, buffer: &mut [u8]) -> Stored {
        let Some(pin) = self.table.pin(id) else {
            return match self.shelf.has(id) {
                true => Stored::Pending,
                false => Stored::Damaged(fault),
            };
        };
        super::Counters::add(&self.counters.own_pins, 1);
        // Whoever has the writer only tries latches. One that is taken is being read, or changed: either way it is whole, and the next look settles it.
        let Some(body) = pin.frame().latch.try_read() else {
            return Stored::Pending;
        };
        match &body.content {
            Content::Good if pin.frame().is_dirty() => Stored::Pending,
            Content::Good => {
                buffer.copy_from_slice(&body.bytes);
                match self.store.write(&mut [(id, buffer)]) {
                    Ok(()) => Stored::Mended(fault),
                    Err(_) => Stored::Damaged(fault),
                }
            }
            Content::Failed(_) | Content::Gone => Stored::Damaged(fault),
        }
    }
}
