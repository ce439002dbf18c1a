//! Redo in batches.
//!
//! Redo of a page needs that page and its records, and nothing else. So the order between pages is free, and only what is said of one page has to be repeated in the log's
//! order. A stretch of the log is therefore gathered and sorted by page: each page is looked up and latched once for all that the stretch says of it, pages come in the
//! order of the file, and what a later record says over again, or frees, is never made. Parts of the sorted stretch, cut between pages, can be repeated side
//! by side, while the next stretch is read.
//!
//! With no helpers everything happens on the caller's thread, in one order: so tests repeat themselves.

use godb_wal::sync::Mutex;
use godb_wal::sync::atomic::{AtomicBool, Ordering};
use godb_wal::sync::thread;
use godb_wal::{Fault, Lsn, PageChange, PageId, Tree};

/// What a change takes in memory besides its bytes.
const OVERHEAD: usize = size_of::<Place>() + size_of::<PageChange<'_>>() + size_of::<u64>();

/// Where a change's bytes are.
#[derive(Clone, Copy, Debug)]
struct Place {
    page: PageId,
    lsn: Lsn,
    end: usize,
}

/// Changes of pages, out of a stretch of the log. Their bytes lie one after the other: many small pieces of memory would cost more than the changes.
#[derive(Debug, Default)]
pub(crate) struct Batch {
    bytes: Vec<u8>,
    places: Vec<Place>,
}

impl Batch {
    /// Adds what the record at `lsn` says of its pages.
    pub(crate) fn add(&mut self, lsn: Lsn, pages: &[(PageId, Vec<u8>)]) {
        for (page, bytes) in pages {
            self.bytes.extend_from_slice(bytes);
            self.places.push(Place {
                page: *page,
                lsn,
                end: self.bytes.len(),
            });
        }
    }

    /// Bytes that it takes in memory.
    pub(crate) fn size(&self) -> usize {
        self.bytes.len() + self.places.len() * OVERHEAD
    }

    /// How many changes there are.
    pub(crate) fn len(&self) -> usize {
        self.places.len()
    }

    /// The changes, those of each page together and in the log's order.
    fn by_page(&self) -> Vec<PageChange<'_>> {
        // A number for each: the page, then the place. They are sorted faster than the changes would be, and no two are equal.
        let places = self.places.iter().zip(0_u64..);
        let mut order: Vec<u64> = places
            .map(|(place, at)| u64::from(place.page.raw()) << 32 | at)
            .collect();
        order.sort_unstable();
        let change = |number: u64| {
            let at = usize::try_from(number & u64::from(u32::MAX)).expect("a place was counted in memory");
            let Place { page, lsn, end } = self.places[at];
            let start = at.checked_sub(1).map_or(0, |before| self.places[before].end);
            let bytes = &self.bytes[start..end];
            PageChange { page, lsn, bytes }
        };
        order.into_iter().map(change).collect()
    }
}

/// About equal parts of changes that are sorted by page, none of which shares a page with another.
fn parts<'a, 'b>(mut rest: &'a [PageChange<'b>], count: usize) -> Vec<&'a [PageChange<'b>]> {
    let mut parts = Vec::new();
    for left in (1..=count).rev() {
        let mut cut = rest.len() / left;
        while cut > 0 && cut < rest.len() && rest[cut].page == rest[cut - 1].page {
            cut += 1;
        }
        let (part, others) = rest.split_at(cut);
        parts.push(part);
        rest = others;
    }
    parts
}

/// Repeats a batch on `tree`, with the help of so many threads; meanwhile this one does what `meanwhile` says.
pub(crate) fn repeat<T: Tree, R>(
    tree: &T,
    batch: &Batch,
    helpers: usize,
    meanwhile: impl FnOnce() -> R,
) -> Result<R, Fault> {
    let changes = batch.by_page();
    if helpers == 0 {
        repeat_part(tree, &changes, &AtomicBool::new(false))?;
        return Ok(meanwhile());
    }
    let failed = AtomicBool::new(false);
    let fault = Mutex::new(None);
    let done = thread::scope(|scope| {
        for part in parts(&changes, helpers) {
            let (failed, fault) = (&failed, &fault);
            scope.spawn(move || {
                if let Err(found) = repeat_part(tree, part, failed) {
                    failed.store(true, Ordering::Release);
                    fault.lock().get_or_insert(found);
                }
            });
        }
        meanwhile()
    });
    match fault.into_inner() {
        Some(fault) => Err(fault),
        None => Ok(done),
    }
}

/// Repeats the changes of some pages, page by page, unless another part has `failed`.
fn repeat_part<T: Tree>(tree: &T, part: &[PageChange<'_>], failed: &AtomicBool) -> Result<(), Fault> {
    for changes in part.chunk_by(|a, b| a.page == b.page) {
        if failed.load(Ordering::Acquire) {
            break;
        }
        tree.redo_all(changes[0].page, changes)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn batch(pages: &[u32]) -> Batch {
        let mut batch = Batch::default();
        for (page, at) in pages.iter().zip(1_u8..) {
            let bytes = vec![at; usize::from(at % 7)];
            batch.add(Lsn::from_raw(u64::from(at)), &[(PageId::from_raw(*page), bytes)]);
        }
        batch
    }

    #[test]
    fn a_batch_counts_what_it_holds() {
        let batch = batch(&[3, 1, 3]);
        assert_eq!((batch.len(), batch.size()), (3, 1 + 2 + 3 + 3 * OVERHEAD));
    }

    #[test]
    fn a_page_stays_in_one_part() {
        let batch = batch(&[5, 5, 5, 5, 1]);
        let changes = batch.by_page();
        let sizes: Vec<usize> = parts(&changes, 2).iter().map(|part| part.len()).collect();
        assert_eq!(sizes, [5, 0]);
    }

    proptest! {
        #[test]
        fn parts_are_everything_once_with_each_page_in_the_order_of_the_log(
            pages in proptest::collection::vec(0_u32..8, 0..40),
            count in 1_usize..5,
        ) {
            let batch = batch(&pages);
            let changes = batch.by_page();
            let mut expected: Vec<(u32, u8)> = pages.iter().copied().zip(1_u8..).collect();
            expected.sort_unstable();
            prop_assert_eq!(changes.len(), expected.len());
            for (change, (page, at)) in changes.iter().zip(expected) {
                prop_assert_eq!((change.page.raw(), change.lsn.raw()), (page, u64::from(at)));
                prop_assert_eq!(change.bytes, vec![at; usize::from(at % 7)]);
            }
            let parts = parts(&changes, count);
            prop_assert_eq!(parts.len(), count);
            prop_assert_eq!(parts.concat(), changes.clone());
            let mut ends = parts.windows(2).filter_map(|two| Some((two[0].last()?.page, two[1].first()?.page)));
            prop_assert!(ends.all(|(last, first)| last < first));
        }
    }
}
