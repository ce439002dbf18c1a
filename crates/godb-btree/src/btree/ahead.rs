//! Read-ahead: a forward scan, or a run of rows, tells the pool which leaves it will want.
//!
//! A leaf knows only its right neighbour, and to learn that one's neighbour one must have read it: a scan that follows links waits for the disk once a leaf, with one request at a
//! time. The page above the leaves knows them all. So the scan looks there now and then and hints at a dozen or two leaves to come; the disk works on them side by side
//! while the scan is busy with those that came. Hints go to the system's cache, take no frame, and cost nothing but themselves where pages are in memory.

use super::scan::BTreeCursor;
use super::walk::{sound, way_down};
use super::{BTree, Spot};
use crate::node::{self, Target};
use crate::tree::Row;
use godb_buffer::slotted::Slots;
use godb_buffer::{Fault, PageId, Pages, header};
use smallvec::SmallVec;

/// So many leaves ahead of the scan the pool is told of.
const AHEAD: u32 = 32;

/// The leaves of some rows.
pub(super) type Leaves = SmallVec<[PageId; APPROACHED]>;

/// So many rows' leaves are on their way from memory at once.
pub(super) const APPROACHED: usize = 16;

impl<P: Pages> BTree<P> {
    /// These rows, in the order of their keys, will be added in a moment: has their leaves on the way from memory, side by side. Returns the leaves, as far as they are
    /// known; they may be others by the time.
    pub(super) fn approach(&self, spot: Spot, rows: &[Row<'_>]) -> Result<Leaves, Fault> {
        let mut leaves = Leaves::new();
        while let Some(first) = rows.get(leaves.len()) {
            let Some((id, page)) = self.glance_above(spot, Target::At(first.key))? else {
                break;
            };
            let last = usize::from(header::slot_count(&page));
            for row in &rows[leaves.len()..] {
                let index = sound(id, node::child_index(&page, Target::At(row.key)))?;
                leaves.push(way_down(id, &page, index)?);
                if index == last {
                    // This key, or the next one, may belong below the next page.
                    break;
                }
            }
        }
        self.pages.approach(&leaves);
        for (row, leaf) in leaves.iter().enumerate() {
            if let Some(page) = self.pages.glance(*leaf)
                && let Ok(slots) = Slots::of(&page)
            {
                slots.expect_insertion(rows[row].key);
            }
        }
        Ok(leaves)
    }

    /// A row with this key will be written in a moment: has its leaf on the way from memory.
    pub(super) fn approach_leaf(&self, spot: Spot, key: &[u8]) {
        if let Ok(Some((id, page))) = self.glance_above(spot, Target::At(key))
            && let Ok(index) = node::child_index(&page, Target::At(key))
            && let Ok(leaf) = way_down(id, &page, index)
        {
            self.pages.approach(&[leaf]);
        }
    }

    /// The scan has shown a leaf and goes on to `next`, its right neighbour.
    pub(super) fn read_ahead(&self, at: &mut BTreeCursor, next: PageId) -> Result<(), Fault> {
        at.ahead = at.ahead.saturating_sub(1);
        if at.ahead < AHEAD / 2 {
            self.hint_from_above(at)?;
        }
        if at.ahead == 0 {
            self.pages.prefetch(next);
        }
        Ok(())
    }

    /// Hints at the leaves behind the one on which the last row was shown, and behind those that the pool knows of. Those below another page are not known here: the scan
    /// hints at them when it gets there.
    fn hint_from_above(&self, at: &mut BTreeCursor) -> Result<(), Fault> {
        let Some((id, page)) = self.glance_above(at.spot, at.target())? else {
            return Ok(());
        };
        let here = sound(id, node::child_index(&page, at.target()))?;
        let last = usize::from(header::slot_count(&page)).min(here + AHEAD as usize);
        for index in here + 1 + at.ahead as usize..=last {
            self.pages.prefetch(way_down(id, &page, index)?);
            at.ahead += 1;
        }
        Ok(())
    }
}
