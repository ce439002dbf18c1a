//! Reading trees out of a broken file.
//!
//! Nothing is taken for granted here but single pages: a page whose checksum, number and database are right is what was once written, and says of itself what tree it
//! belongs to and at what level it stands. The way down from a root may be broken anywhere; so leaves are found by looking at every page.
//!
//! A leaf that is whole need not be in use, though. A page that is freed is not written any more, and keeps what it held: rows that have moved, rows that were deleted.
//! Whether a leaf counts is found out from whoever can be asked, the surest first:
//!
//! 1. its free map, if that is whole: a page marked free does not count, one marked in use does;
//! 2. the pages that lead to it: inner pages from the root down, and the leaf to its left;
//! 3. its neighbours in key order: a leaf whose keys lie where no leaf known to be in use has its own can only be from the part that nobody leads to any more. Where two such
//!    leaves lie over each other, the one changed last counts.
//!
//! Values beyond a leaf are read along their chains, every page of which names the chain and its place in it.

mod redo;
mod survey;

pub use redo::Redone;
pub use survey::{ChainReader, Wreck, WreckedValue};

use crate::map;
use godb_buffer::{Fault, PageId, PageStore};

/// What a free map says about a page, read from the store itself; `None` when the map cannot be read, or does not exist.
///
/// # Errors
/// Failures other than damage.
pub fn is_page_in_use<S: PageStore>(store: &S, page: PageId) -> Result<Option<bool>, Fault> {
    let id = map::of_page(store.page_size(), page);
    let mut bytes = vec![0; store.page_size()];
    match store.read(id, &mut bytes) {
        Ok(()) => Ok(map::has(&bytes, page).ok()),
        Err(Fault::Corrupt { .. }) => Ok(None),
        Err(fault) => Err(fault),
    }
}

#[cfg(test)]
mod tests;
