//! Allocating pages: reserved in memory first, taken by the record that links them.

use super::{Author, BTree};
use crate::codec::bad_page;
use crate::journal::Undo;
use crate::space::{Reserved, Some4};
use crate::step::Step;
use crate::{map, meta};
use godb_buffer::slotted::Damaged;
use godb_buffer::{Fault, PageId, Pages, TreeId};
use smallvec::SmallVec;

/// The most pages that the file is grown ahead of need, and the least, once it is no longer small.
const AHEAD: u32 = 1024;
const AHEAD_LEAST: u32 = 8;
/// Up to here the file grows page by page: small databases are small files.
const SMALL: u32 = 12;

/// Free maps that a step changes, latched: which, and whether pages of each are taken or given back.
pub(super) type Maps<W> = SmallVec<[(PageId, W); 2]>;

impl<P: Pages> BTree<P> {
    /// Reserves `count` pages and makes sure that the file has room for them. Called before the first latch and before log space
    /// is reserved, because a file that is full to its last map gets another one here.
    pub(super) fn reserve(&self, author: Author, count: usize) -> Result<Reserved<'_>, Fault> {
        self.load_once()?;
        let _not_cut_off = self.resizing.read();
        loop {
            if let Some(reserved) = self.space.take(count) {
                if let Some(highest) = reserved.pages().iter().max() {
                    self.make_file_reach(*highest)?;
                }
                return Ok(reserved);
            }
            self.add_map(author)?;
        }
    }

    /// Grows the file somewhat ahead of need; when the disk is too full for that, as far as needed.
    fn make_file_reach(&self, page: PageId) -> Result<(), Fault> {
        let need = page.raw().saturating_add(1);
        if need <= self.pages.capacity() {
            return Ok(());
        }
        let ahead = if need > SMALL {
            need.saturating_add((need / 8).clamp(AHEAD_LEAST, AHEAD))
        } else {
            need
        };
        match self.pages.ensure_capacity(ahead) {
            Err(Fault::Full { .. }) => self.pages.ensure_capacity(need),
            done => done,
        }
    }

    /// Appends a group of pages to the file, with its map.
    fn add_map(&self, author: Author) -> Result<(), Fault> {
        let _one_at_a_time = self.growing.lock();
        if self.space.count() > 8 {
            return Ok(());
        }
        let group = self.counts()?.maps;
        if group >= map::most(self.page_size()) {
            return Err(Fault::Full {
                file: crate::codec::FILE.into(),
                what: "it has as many pages as can be numbered".into(),
            });
        }
        let id = map::of_group(self.page_size(), group);
        self.make_file_reach(id)?;
        let mut room = self.room(author, 512)?;
        let _admitted = self.pages.admit(2)?;
        let mut counts = self.pages.write(meta::PAGE)?;
        meta::read(&counts).map_err(|Damaged(what)| bad_page(meta::PAGE, what))?;
        let mut new = self.pages.fresh(id)?;
        let mut step = Step::new();
        step.make(id, &mut new, |page| {
            page.map();
            page.take(&[id]);
        });
        step.change(meta::PAGE, &mut counts, |page| {
            page.count(TreeId::default(), group + 1, 0);
        });
        step.commit(&mut room, None, Undo::Never);
        let bits = map::bits(&new).map_err(|Damaged(what)| bad_page(id, what))?;
        self.space.extend(bits, map::fixed(group));
        Ok(())
    }

    /// How many pages the file needs: one more than the highest that is allocated. What lies beyond can be given back when
    /// the database is closed.
    pub fn pages_in_use(&self) -> Result<u32, Fault> {
        self.load_once()?;
        Ok(self.space.end())
    }

    /// How many pages are in use, those of the file itself included.
    pub fn used_pages(&self) -> Result<u32, Fault> {
        self.load_once()?;
        Ok(self.space.used())
    }

    /// How many pages below the end of the last free map are free.
    pub fn free_pages(&self) -> Result<u32, Fault> {
        self.load_once()?;
        Ok(self.space.count())
    }

    /// Whether a free map says of a page that it is in use. A page beyond the last map is not.
    pub fn is_in_use(&self, page: PageId) -> Result<bool, Fault> {
        if page.raw() / map::covers(self.page_size()) >= self.counts()?.maps {
            return Ok(false);
        }
        let id = map::of_page(self.page_size(), page);
        let _admitted = self.pages.admit(1)?;
        let map = self.pages.read(id)?;
        map::has(&map, page).map_err(|Damaged(what)| bad_page(id, what))
    }

    /// What the meta page says.
    pub(super) fn counts(&self) -> Result<meta::Counts, Fault> {
        let _admitted = self.pages.admit(1)?;
        let page = self.pages.read(meta::PAGE)?;
        meta::read(&page).map_err(|Damaged(what)| bad_page(meta::PAGE, what))
    }

    /// The maps that know of `pages`, in order.
    pub(super) fn maps_of(&self, pages: &[PageId]) -> Some4 {
        let mut maps: Some4 = pages
            .iter()
            .map(|page| map::of_page(self.page_size(), *page))
            .collect();
        maps.sort_unstable();
        maps.dedup();
        maps
    }

    /// Keeps maps in memory, so that latching them later does no I/O. Part of the admission.
    pub(super) fn pin_maps<'p>(&'p self, maps: &[PageId]) -> Result<SmallVec<[P::Pin<'p>; 2]>, Fault> {
        maps.iter().map(|map| self.pages.pin(*map)).collect()
    }

    /// Latches maps that are [pinned](Self::pin_maps): last of all pages.
    pub(super) fn latch_maps<'p>(&'p self, maps: &[PageId]) -> Result<Maps<P::Write<'p>>, Fault> {
        maps.iter()
            .map(|&id| {
                let page = self.pages.write(id)?;
                map::check(&page).map_err(|Damaged(what)| bad_page(id, what))?;
                Ok((id, page))
            })
            .collect()
    }

    /// Adds to a step that pages become free and others are taken.
    pub(super) fn exchange_bits<'g, W: godb_buffer::PageWrite>(
        &self,
        step: &mut Step<'g, W>,
        maps: &'g mut Maps<W>,
        given: &[PageId],
        taken: &[PageId],
    ) {
        self.still.pages_move(given);
        self.still.pages_move(taken);
        for (id, guard) in maps {
            let mine = |pages: &[PageId]| -> Some4 {
                let mine = |page: &&PageId| map::of_page(self.page_size(), **page) == *id;
                pages.iter().filter(mine).copied().collect()
            };
            step.change(*id, guard, |page| {
                page.give(&mine(given));
                page.take(&mine(taken));
            });
        }
    }

    /// Adds the bits of `pages` to a step.
    pub(super) fn set_bits<'g, W: godb_buffer::PageWrite>(
        &self,
        step: &mut Step<'g, W>,
        maps: &'g mut Maps<W>,
        pages: &[PageId],
        taken: bool,
    ) {
        self.still.pages_move(pages);
        for (id, guard) in maps {
            let mine = |page: &&PageId| map::of_page(self.page_size(), **page) == *id;
            let mine: Some4 = pages.iter().filter(mine).copied().collect();
            step.change(*id, guard, |page| {
                if taken {
                    page.take(&mine);
                } else {
                    page.give(&mine);
                }
            });
        }
    }

    /// After a record that frees pages was applied and its latches dropped: nobody wants their bytes, anybody may have them.
    pub(super) fn let_go(&self, pages: &[PageId]) {
        for page in pages {
            self.pages.discard(*page);
        }
        self.space.give(pages);
    }
}
