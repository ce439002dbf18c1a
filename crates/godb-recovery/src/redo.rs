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
const OVERHEAD: usize = size_of::<PageChange>();

/// Changes of pages, out of a stretch of the log.
#[derive(Debug, Default)]
pub(crate) struct Batch {
    changes: Vec<PageChange>,
    bytes: usize,
}

impl Batch {
    /// Adds what the record at `lsn` says of its pages.
    pub(crate) fn add(&mut self, lsn: Lsn, pages: Vec<(PageId, Vec<u8>)>) {
        for (page, bytes) in pages {
            self.bytes += bytes.len() + OVERHEAD;
            self.changes.push(PageChange { page, lsn, bytes });
        }
    }

    /// Bytes that it takes in memory.
    pub(crate) fn size(&self) -> usize {
        self.bytes
    }

    /// How many changes there are.
    pub(crate) fn len(&self) -> usize {
        self.changes.len()
    }

    /// Brings the changes of each page together, in the log's order.
    fn sort(&mut self) {
        self.changes.sort_by_key(|change| change.page);
    }

    /// About equal parts, none of which shares a page with another.
    fn parts(&self, count: usize) -> Vec<&[PageChange]> {
        let mut rest = &self.changes[..];
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
}

/// Repeats a batch on `tree`, with the help of so many threads; meanwhile this one does what `meanwhile` says.
pub(crate) fn repeat<T: Tree, R>(
    tree: &T,
    mut batch: Batch,
    helpers: usize,
    meanwhile: impl FnOnce() -> R,
) -> Result<R, Fault> {
    batch.sort();
    if helpers == 0 {
        repeat_part(tree, &batch.changes, &AtomicBool::new(false))?;
        return Ok(meanwhile());
    }
    let failed = AtomicBool::new(false);
    let fault = Mutex::new(None);
    let done = thread::scope(|scope| {
        for part in batch.parts(helpers) {
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
fn repeat_part<T: Tree>(tree: &T, part: &[PageChange], failed: &AtomicBool) -> Result<(), Fault> {
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
        for (at, page) in pages.iter().enumerate() {
            batch.add(
                Lsn::from_raw(at as u64 + 1),
                vec![(PageId::from_raw(*page), vec![7; 10])],
            );
        }
        batch
    }

    #[test]
    fn a_batch_counts_what_it_holds() {
        let batch = batch(&[3, 1, 3]);
        assert_eq!((batch.len(), batch.size()), (3, 3 * (10 + OVERHEAD)));
    }

    #[test]
    fn a_page_stays_in_one_part() {
        let mut batch = batch(&[5, 5, 5, 5, 1]);
        batch.sort();
        let sizes: Vec<usize> = batch.parts(2).iter().map(|part| part.len()).collect();
        assert_eq!(sizes, [5, 0]);
    }

    proptest! {
        #[test]
        fn parts_are_everything_once_with_each_page_in_the_order_of_the_log(
            pages in proptest::collection::vec(0_u32..8, 0..40),
            count in 1_usize..5,
        ) {
            let mut batch = batch(&pages);
            batch.sort();
            let parts = batch.parts(count);
            prop_assert_eq!(parts.len(), count);
            prop_assert_eq!(parts.concat(), batch.changes.clone());
            prop_assert!(batch.changes.is_sorted_by_key(|change| (change.page, change.lsn)));
            let mut ends = parts.windows(2).filter_map(|two| Some((two[0].last()?.page, two[1].first()?.page)));
            prop_assert!(ends.all(|(last, first)| last < first));
        }
    }
}
