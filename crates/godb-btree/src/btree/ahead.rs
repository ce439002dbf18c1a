//! Read-ahead: a forward scan tells the pool which leaves it will want.
//!
//! A leaf knows only its right neighbour, and to learn that one's neighbour one must have read it: a scan that follows links waits for the disk once a leaf, with one request at a
//! time. The page above the leaves knows them all. So the scan looks there now and then and hints at a dozen or two leaves to come; the disk works on them side by side
//! while the scan is busy with those that came. Hints go to the system's cache, take no frame, and cost nothing but themselves where pages are in memory.

use super::BTree;
use super::scan::BTreeCursor;
use super::walk::{sound, way_down};
use crate::node;
use godb_buffer::{Fault, PageId, Pages, header};

/// So many leaves ahead of the scan the pool is told of.
const AHEAD: u32 = 32;

impl<P: Pages> BTree<P> {
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
