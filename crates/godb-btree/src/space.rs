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
    /// One more than the highest page that was not free at some moment since this was last noted.
    reach: u32,
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

/// The first page of a word.
fn number(word: usize) -> u32 {
    u32::try_from(word * 64).expect("there are fewer pages than 32 bits can number")
}

impl Free {
    /// One more than the highest page that is not free.
    fn end(&self) -> u32 {
        let last = self.words.iter().rposition(|word| *word != u64::MAX);
        last.map_or(0, |last| number(last + 1) - self.words[last].leading_ones())
    }

    fn lowest(&mut self) -> Option<PageId> {
        let found = self.words[self.from..].iter().position(|word| *word != 0);
        self.from = found.map_or(self.words.len(), |at| at + self.from);
        let word = self.words.get_mut(self.from)?;
        let bit = word.trailing_zeros();
        *word &= *word - 1;
        self.count -= 1;
        let page = number(self.from) + bit;
        self.reach = self.reach.max(page.saturating_add(1));
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
        self.free.lock().end()
    }

    /// Reserves the lowest free page, if it is below `page`.
    pub(crate) fn take_below(&self, page: PageId) -> Option<Reserved<'_>> {
        let one = self.take(1)?;
        (one.pages()[0] < page).then_some(one)
    }

    /// How many pages are not free.
    pub(crate) fn used(&self) -> u32 {
        let free = self.free.lock();
        number(free.words.len()) - free.count
    }

    /// How many pages from this one on are not free.
    pub(crate) fn used_from(&self, page: u32) -> u32 {
        let free = self.free.lock();
        let (first, bit) = place(PageId::from_raw(page));
        let words = free.words.get(first..).unwrap_or_default().iter();
        let masks = std::iter::once(!(bit - 1)).chain(std::iter::repeat(u64::MAX));
        words
            .zip(masks)
            .map(|(word, mask)| (!word & mask).count_ones())
            .sum()
    }

    /// Begins to note how far pages are used; tells how far they are now.
    pub(crate) fn note_reach(&self) -> u32 {
        let mut free = self.free.lock();
        free.reach = free.end();
        free.reach
    }

    /// One more than the highest page that was not free at some moment since [`note_reach`](Self::note_reach): all from there on were free all the time.
    pub(crate) fn reach(&self) -> u32 {
        self.free.lock().reach
    }

    /// Forgets the last group of pages if all of it is free but its map, which is page `map`: from then on nobody gets one of them.
    pub(crate) fn forget_group(&self, map: PageId) -> bool {
        let mut free = self.free.lock();
        let (first, bit) = place(map);
        let Some(group) = free.words.get(first..) else {
            return false;
        };
        let empty = group
            .split_first()
            .is_some_and(|(head, rest)| *head == !bit && rest.iter().all(|word| *word == u64::MAX));
        if empty {
            let pages = number(group.len()) - 1;
            free.count -= pages;
            free.words.truncate(first);
            free.from = free.from.min(first);
        }
        empty
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

    #[test]
    fn what_was_handed_out_and_came_back_is_not_free_all_the_time() {
        let space = Space::default();
        space.extend(&[0; 16], 5);
        assert_eq!((space.note_reach(), space.reach()), (5, 5));
        drop(space.take(3));
        assert_eq!((space.end(), space.reach()), (5, 8));
        assert!(space.take_below(PageId::from_raw(5)).is_none());
        let mut low = space.take_below(PageId::from_raw(70)).unwrap();
        low.spend(1);
        assert_eq!(
            (
                space.used(),
                space.used_from(0),
                space.used_from(5),
                space.used_from(6)
            ),
            (6, 6, 1, 0)
        );
    }

    #[test]
    fn a_group_is_forgotten_when_only_its_map_is_in_use() {
        let space = Space::default();
        space.extend(&[0xFF; 16], 5);
        space.extend(&[0; 16], 1);
        let map = PageId::from_raw(128);
        let page = space.take(1).unwrap();
        assert!(!space.forget_group(map), "one of its pages is reserved");
        drop(page);
        assert!(space.forget_group(map));
        assert_eq!((space.count(), space.used(), space.end()), (0, 128, 128));
        space.give(&[PageId::from_raw(130)]);
        assert_eq!(space.count(), 0);
    }
}
