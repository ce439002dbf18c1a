//! Giving the end of the file back.
//!
//! A page may be cut off when nothing that a crash could bring back says that it is in use, and nothing will write it. The first is so when the log is durable up to the record that freed it: redo from
//! before that record finds the page unreadable, leaves it behind, and comes to the record. The second is so when the page is clean. A checkpoint sees to both. What was handed out after the end was noted, and freed
//! again, may not be in that checkpoint; so what counts is not what is free, but what has been free all the time.

use crate::btree::{Author, BTree};
use crate::codec::bad_page;
use crate::journal::Undo;
use crate::step::Step;
use crate::{map, meta};
use godb_buffer::slotted::Damaged;
use godb_buffer::{Fault, Pages};

impl<P: Pages> BTree<P> {
    /// Gives up free maps at the end whose groups have no other page in use, and notes how far the file is used now.
    pub(in crate::btree) fn begin_cut(&self) -> Result<(), Fault> {
        self.load_once()?;
        while self.drop_last_map()? {}
        self.space.note_reach();
        Ok(())
    }

    /// Gives up the last free map; `false` when it is needed.
    fn drop_last_map(&self) -> Result<bool, Fault> {
        let _one_at_a_time = self.growing.lock();
        let Some(group) = self.counts()?.maps.checked_sub(1).filter(|group| *group > 0) else {
            return Ok(false);
        };
        let id = map::of_group(self.page_size(), group);
        let mut room = self.room(Author::Nobody, 512)?;
        let _admitted = self.pages.admit(3)?;
        let _map = self.pages.pin(id)?;
        let mut counts = self.pages.write(meta::PAGE)?;
        meta::read(&counts).map_err(|Damaged(what)| bad_page(meta::PAGE, what))?;
        let mut map = self.pages.write(id)?;
        map::check(&map).map_err(|Damaged(what)| bad_page(id, what))?;
        // The last thing that may not succeed: from then on nobody gets a page of the group.
        if !self.space.forget_group(id) {
            return Ok(false);
        }
        self.still.pages_move(&[id]);
        let mut step = Step::new();
        step.change(meta::PAGE, &mut counts, |page| page.maps(group));
        step.free(id, &mut map);
        step.commit(&mut room, None, Undo::Never);
        drop((counts, map, _map));
        self.pages.discard(id);
        Ok(true)
    }

    /// Cuts off what has been free since the end was noted; returns how many bytes. `None` when somebody holds such a page just now.
    pub(in crate::btree) fn cut_end(&self) -> Result<Option<u64>, Fault> {
        let _nobody_gets_a_page = self.resizing.write();
        let keep = self.space.reach();
        let now = self.pages.capacity();
        // Before an end was noted nothing is known to be free.
        if keep == 0 || keep >= now {
            return Ok(Some(0));
        }
        let cut = self.pages.shrink(keep)?;
        let bytes = u64::from(now - keep) * self.page_size() as u64;
        Ok(cut.then_some(bytes))
    }
}
