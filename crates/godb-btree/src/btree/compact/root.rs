//! Moving a root: its entry in the directory says where it is, and a copy in memory says it to everybody.
//!
//! Entry and root are latched, and the copy is changed while they are. Whoever looked the old place up before then, and gets to the page after, sees that a root has moved since
//! (`Directory::is_current`), and looks again.

use super::relocate::{Content, Outcome};
use crate::btree::directory::{HOME, entry, key_of};
use crate::btree::split::refuse_in_use;
use crate::btree::walk::{Pins, WALK, sound};
use crate::btree::{Author, BTree, Spot};
use crate::journal::Undo;
use crate::node;
use crate::step::Step;
use godb_buffer::slotted::Slots;
use godb_buffer::{Fault, Pages};

impl<P: Pages> BTree<P> {
    /// Moves a root to the lowest free place before it. Called while trees neither come nor go.
    pub(super) fn move_root(&self, spot: Spot) -> Result<Outcome, Fault> {
        let Some(mut new) = self
            .space
            .take_below(spot.root)
            .filter(|_| spot.tree != HOME.tree)
        else {
            return Ok(Outcome::NoRoom);
        };
        let to = Spot {
            root: new.pages()[0],
            ..spot
        };
        let map_ids = self.maps_of(&[to.root, spot.root]);
        {
            let mut room = self.room(Author::Nobody, 2 * self.page_size() + 1024)?;
            let _admitted = self.pages.admit(WALK + 3 + map_ids.len())?;
            let _maps = self.pin_maps(&map_ids)?;
            let mut pins = Pins::new(&*self.pages);
            let (leaf_id, mut leaf, mut root) = loop {
                let (id, leaf) = self.leaf_of(&mut pins, &mut { HOME }, &key_of(spot.tree))?;
                if let Some(root) = self.pages.try_write(spot.root)? {
                    break (id, leaf, root);
                }
                drop(leaf);
                pins.bring(spot.root)?;
            };
            node::expect(spot.root, &root, spot.tree, None)?;
            refuse_in_use(new.pages(), &[leaf_id, spot.root])?;
            let place = sound(
                leaf_id,
                Slots::of(&leaf).and_then(|slots| slots.search(&key_of(spot.tree))),
            )?;
            let Ok(at) = place else {
                return Ok(Outcome::Changed);
            };
            let content = Content::of(spot.root, &root)?;
            let mut made = self.pages.fresh(to.root)?;
            let mut maps = self.latch_maps(&map_ids)?;
            let mut step = Step::new();
            step.change(leaf_id, &mut leaf, |page| page.replace(at, &entry(to, false)));
            step.make(to.root, &mut made, |page| content.describe(page));
            step.free(spot.root, &mut root);
            self.exchange_bits(&mut step, &mut maps, &[spot.root], &[to.root]);
            step.commit(&mut room, None, Undo::Never);
            new.spend(1);
            self.directory.root_moved(spot.tree, to.root);
        }
        self.let_go(&[spot.root]);
        Ok(Outcome::Moved)
    }
}
