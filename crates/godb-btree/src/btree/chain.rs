//! Large values: chains of overflow pages, written, read and freed a few pages at a time.
//!
//! Every page is allocated and filled by one record of the writing transaction, with its freeing as the undo: so a rollback or a crash, at any moment, gives all
//! of them back. A chain that nobody needs any more is freed from its head on, in records that each free some pages *and* shorten the
//! chain in its row, never undone and safe to stop after any of them.

use super::row::passed_a_mark;
use super::walk::{Pins, WALK, sound};
use super::{Author, BTree, Spot};
use crate::change::Link;
use crate::chunk;
use crate::codec::bad_page;
use crate::journal::Undo;
use crate::logical::{self, Operation};
use crate::map;
use crate::node;
use crate::overflow;
use crate::space::{Reserved, Some4};
use crate::step::Step;
use crate::tree::{Chain, Value};
use godb_buffer::slotted::Slots;
use godb_buffer::{Fault, PageId, Pages, TreeId, TxnId, header};
use std::io::Read;

/// The most pages of a chain that one record frees.
const BATCH: usize = 64;
/// The most free maps that one record changes.
const MAPS: usize = 2;

/// Some pages at the head of a chain.
struct Part {
    pages: Vec<PageId>,
    bytes: u64,
    /// The page behind them, or zero.
    next: PageId,
}

impl<P: Pages> BTree<P> {
    pub(super) fn store_chain(
        &self,
        by: TxnId,
        tree: TreeId,
        from: &mut dyn Read,
        limit: u64,
    ) -> Result<Chain, Fault> {
        let capacity = overflow::capacity(self.page_size());
        let (mut piece, mut ahead) = (vec![0; capacity], vec![0; capacity]);
        let mut count = chunk::fill(from, &mut piece)?;
        let mut len = chunk::grow(0, count, limit)?;
        let mut here = self.reserve(Author::Forward(by), 1)?;
        let head = here.pages()[0];
        let mut at = 0;
        loop {
            let more = if count < capacity {
                0
            } else {
                chunk::fill(from, &mut ahead)?
            };
            len = chunk::grow(len, more, limit)?;
            let next = match more {
                0 => None,
                _ => Some(self.reserve(Author::Forward(by), 1)?),
            };
            let link = Link {
                tree,
                chain: head,
                at,
                next: next.as_ref().map_or(PageId::default(), |next| next.pages()[0]),
            };
            self.store_piece(by, link, &piece[..count], &mut here)?;
            let Some(next) = next else {
                return Ok(Chain { head, len });
            };
            at += count as u64;
            here = next;
            std::mem::swap(&mut piece, &mut ahead);
            count = more;
        }
    }

    /// Writes one page of a chain.
    fn store_piece(&self, by: TxnId, link: Link, bytes: &[u8], here: &mut Reserved<'_>) -> Result<(), Fault> {
        let author = Author::Forward(by);
        let id = here.pages()[0];
        let map_ids = self.maps_of(&[id]);
        let mut room = self.room(author, bytes.len() + 512)?;
        if link.chain == id {
            self.still.chain_loose(id);
        }
        let _admitted = self.pages.admit(2)?;
        let _maps = self.pin_maps(&map_ids)?;
        let mut page = self.pages.fresh(id)?;
        let mut maps = self.latch_maps(&map_ids)?;
        let back = logical::encode(link.tree, &Operation::Free(id));
        let mut step = Step::new();
        step.make(id, &mut page, |page| page.overflow(link, bytes));
        self.set_bits(&mut step, &mut maps, &[id], true);
        step.commit(&mut room, Some(by), author.undo(&back));
        here.spend(1);
        Ok(())
    }

    /// Takes back the writing of one page of a chain.
    pub(super) fn free_overflow(&self, author: Author, id: PageId) -> Result<(), Fault> {
        let map_id = map::of_page(self.page_size(), id);
        {
            let mut room = self.room(author, 512)?;
            self.still.chain_freed(id);
            let _admitted = self.pages.admit(1)?;
            let map = self.pages.write(map_id)?;
            sound(map_id, map::check(&map))?;
            let mut maps = smallvec::smallvec![(map_id, map)];
            let mut step = Step::new();
            step.free_unseen(id);
            self.set_bits(&mut step, &mut maps, &[id], false);
            step.commit(&mut room, author.by(), author.undo(&[]));
        }
        self.let_go(&[id]);
        Ok(())
    }

    pub(super) fn show_chain(
        &self,
        chain: Chain,
        at: u64,
        hint: &mut Option<(u64, PageId)>,
        into: &mut [u8],
    ) -> Result<usize, Fault> {
        let want = usize::try_from(chain.len.saturating_sub(at)).unwrap_or(usize::MAX);
        let want = want.min(into.len());
        let (mut begin, mut id) = match *hint {
            Some((begin, id)) if begin <= at => (begin, id),
            _ => (0, chain.head),
        };
        let mut filled = 0;
        while filled < want {
            let _admitted = self.pages.admit(1)?;
            let page = self.pages.read(id)?;
            let (link, bytes) = sound(id, overflow::read(&page))?;
            if link.chain != chain.head || link.at != begin {
                return Err(bad_page(id, "it is not the part of a value that it should be"));
            }
            let position = at + filled as u64;
            let skip = usize::try_from(position - begin).unwrap_or(usize::MAX);
            if let Some(rest) = bytes.get(skip..) {
                let count = rest.len().min(want - filled);
                into[filled..filled + count].copy_from_slice(&rest[..count]);
                filled += count;
            }
            *hint = Some((begin, id));
            if filled < want {
                if link.next == PageId::default() || bytes.is_empty() {
                    return Err(bad_page(id, "a value ends before its length"));
                }
                begin += bytes.len() as u64;
                id = link.next;
            }
        }
        Ok(filled)
    }

    pub(super) fn release_row(&self, spot: Spot, key: &[u8]) -> Result<bool, Fault> {
        loop {
            let Some(chain) = self.get_row(spot, key, |value| value.chain)? else {
                return Ok(false);
            };
            let Some(chain) = chain else {
                return self.remove_row(Author::Nobody, spot, key);
            };
            let part = self.head_of_chain(chain)?;
            if self.shorten(spot, key, chain, &part)? {
                return Ok(true);
            }
        }
    }

    /// The first pages of a chain, as many as one record frees.
    fn head_of_chain(&self, chain: Chain) -> Result<Part, Fault> {
        let mut part = Part {
            pages: Vec::new(),
            bytes: 0,
            next: chain.head,
        };
        let mut expected: Option<(PageId, u64)> = None;
        while part.next != PageId::default() && part.pages.len() < BATCH {
            let id = part.next;
            let _admitted = self.pages.admit(1)?;
            let page = self.pages.read(id)?;
            let (link, bytes) = sound(id, overflow::read(&page))?;
            if expected.is_some_and(|expected| expected != (link.chain, link.at)) {
                return Err(bad_page(id, "it is not the part of a value that it should be"));
            }
            part.pages.push(id);
            if self.maps_of(&part.pages).len() > MAPS {
                part.pages.pop();
                break;
            }
            expected = Some((link.chain, link.at + bytes.len() as u64));
            part.bytes += bytes.len() as u64;
            part.next = link.next;
        }
        Ok(part)
    }

    /// Frees the first pages of the chain under `key`; true when the row is gone.
    fn shorten(&self, mut spot: Spot, key: &[u8], chain: Chain, part: &Part) -> Result<bool, Fault> {
        let map_ids: Some4 = self.maps_of(&part.pages);
        let bytes = 1024 + 32 * BATCH + key.len() + node::max_part(self.page_size());
        let mut room = self.room(Author::Nobody, bytes)?;
        let _admitted = self.pages.admit(WALK + MAPS)?;
        let _maps = self.pin_maps(&map_ids)?;
        let mut pins = Pins::new(&*self.pages);
        let (id, mut leaf) = self.leaf_of(&mut pins, &mut spot, key)?;
        let slots = sound(id, Slots::of(&leaf))?;
        let Ok(at) = sound(id, slots.search(key))? else {
            return Ok(true);
        };
        let (_, value) = sound(id, slots.cell(at).and_then(node::row))?;
        if value.chain != Some(chain) {
            return Ok(false);
        }
        let last = part.next == PageId::default();
        let rest = Chain {
            head: part.next,
            len: chain.len.saturating_sub(part.bytes),
        };
        let cell = node::leaf_cell(
            key,
            Value {
                inline: value.inline,
                chain: Some(rest),
            },
        );
        let mut maps = self.latch_maps(&map_ids)?;
        let before = node::used(&leaf);
        let mut step = Step::new();
        step.change(id, &mut leaf, |page| {
            if last {
                page.remove(at);
            } else {
                page.replace(at, &cell);
            }
        });
        for page in &part.pages {
            step.free_unseen(*page);
        }
        self.set_bits(&mut step, &mut maps, &part.pages, false);
        step.commit(&mut room, None, Undo::Never);
        let sparse = id != spot.root && passed_a_mark(leaf.len(), before, node::used(&leaf));
        debug_assert_eq!(header::tree_id(&leaf), spot.tree);
        drop((leaf, maps, pins));
        drop((_maps, _admitted, room));
        self.let_go(&part.pages);
        if last && sparse {
            self.tidy(Author::Nobody, spot, key)?;
        }
        Ok(last)
    }
}
