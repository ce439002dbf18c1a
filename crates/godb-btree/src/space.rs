//! [`Space`]: which pages are free, in memory.
//!
//! The truth lies in the free maps; this is a copy of them from which pages are *reserved* before the first latch of an operation. A reserved page
//! becomes allocated by the record that links it; one that was not needed is handed back. Pages are given out from the lowest on, so
//! that files stay short and trees that grow lie together.

use godb_buffer::PageId;
use godb_buffer::sync::Mutex;
use smallvec::SmallVec;

/// Some pages, few as a rule.
pub(crate) type Some4 = SmallVec<[PageId; 4]>;

#[derive(Default)]
struct Free {
    /// One bit a page, set when it is free: the opposite of the maps, so that searching looks for a word that is not zero.
    words: Vec<u64>,
    /// No word before this one has a free page.
    from: usize,
    count: u32,
}

/// The free pages of a file.
#[derive(Default)]
pub(crate) struct Space {
    free: Mutex<Free>,
}

/// Where the bit of a page is.
fn place(page: PageId) -> (usize, u64) {
    (page.raw() as usize / 64, 1 << (page.raw() % 64))
}

impl Free {
    fn lowest(&mut self) -> Option<PageId> {
        let found = self.words[self.from..].iter().position(|word| *word != 0);
        self.from = found.map_or(self.words.len(), |at| at + self.from);
        let word = self.words.get_mut(self.from)?;
        let bit = word.trailing_zeros();
        *word &= *word - 1;
        self.count -= 1;
        let page =
            u32::try_from(self.from * 64).expect("there are fewer pages than 32 bits can number") + bit;
        Some(PageId::from_raw(page))
    }

    fn give(&mut self, page: PageId) {
        let (word, bit) = place(page);
        if let Some(found) = self.words.get_mut(word)
            && *found & bit == 0
        {
            *found |= bit;
            self.count += 1;
            self.from = self.from.min(word);
        }
    }
}

impl Space {
    /// Forgets everything.
    pub(crate) fn clear(&self) {
        *self.free.lock() = Free::default();
    }

    /// Adds the pages of one more map, of which the first few are never free.
    pub(crate) fn extend(&self, map: &[u8], fixed: u32) {
        let mut free = self.free.lock();
        for (at, bytes) in map.as_chunks::<8>().0.iter().enumerate() {
            let mut word = !u64::from_le_bytes(*bytes);
            if at == 0 {
                word &= u64::MAX << fixed;
            }
            free.count += word.count_ones();
            free.words.push(word);
        }
    }

    /// Reserves the `count` lowest free pages, if there are as many.
    pub(crate) fn take(&self, count: usize) -> Option<Reserved<'_>> {
        let mut free = self.free.lock();
        if (free.count as usize) < count {
            return None;
        }
        #[cfg(godb_plant = "take-looks-first")]
        {
            let seen = free.words.clone();
            drop(free);
            free = self.free.lock();
            free.words = seen;
        }
        let pages = std::iter::from_fn(|| free.lowest()).take(count).collect();
        Some(Reserved { space: self, pages })
    }

    /// Makes pages free, after the record that freed them was applied.
    pub(crate) fn give(&self, pages: &[PageId]) {
        let mut free = self.free.lock();
        for page in pages {
            free.give(*page);
        }
    }

    /// One more than the highest page that is not free.
    pub(crate) fn end(&self) -> u32 {
        let free = self.free.lock();
        let Some(last) = free.words.iter().rposition(|word| *word != u64::MAX) else {
            return 0;
        };
        let words = u32::try_from(last + 1).expect("there are fewer pages than 32 bits can number");
        words * 64 - free.words[last].leading_ones()
    }

    /// How many pages are free.
    pub(crate) fn count(&self) -> u32 {
        self.free.lock().count
    }
}

/// Pages that nobody else will get; handed back when dropped, unless they were [spent](Self::spend).
pub(crate) struct Reserved<'s> {
    space: &'s Space,
    pages: Some4,
}

impl Reserved<'_> {
    pub(crate) fn pages(&self) -> &[PageId] {
        &self.pages
    }

    /// The record that allocates the first `count` of them is written.
    pub(crate) fn spend(&mut self, count: usize) {
        self.pages.drain(..count);
    }
}

impl Drop for Reserved<'_> {
    fn drop(&mut self) {
        self.space.give(&self.pages);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lowest_page_is_reserved_first_and_unused_ones_come_back() {
        let space = Space::default();
        let mut map = [0_u8; 16];
        map[0] = 0b1_1011;
        space.extend(&map, 5);
        assert_eq!(space.count(), 123);
        assert_eq!(space.end(), 5);
        let mut two = space.take(2).unwrap();
        assert_eq!(two.pages(), [PageId::from_raw(5), PageId::from_raw(6)]);
        two.spend(1);
        drop(two);
        let next = space.take(1).unwrap();
        assert_eq!(next.pages(), [PageId::from_raw(6)]);
        drop(next);
        space.give(&[PageId::from_raw(0)]);
        assert_eq!(space.take(1).unwrap().pages(), [PageId::from_raw(0)]);
        assert!(space.take(200).is_none());
        assert_eq!(space.count(), 123);
    }
}
