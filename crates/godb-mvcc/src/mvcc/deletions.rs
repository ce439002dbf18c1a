//! Deleting a row in its place, and removing what was deleted so.
//!
//! The usual way puts the old version into the history tree, for those who still see it, and a tombstone in its place. Where *everybody* who looks, or will, sees the old version, nobody
//! needs a second place for it: the row stays, and its header says that it is deleted and by whom. Who does not see the deletion reads the value right there. So a deletion is one
//! way down the tree and a few bytes of log, whatever the size of the row.
//!
//! When the deletion is seen by everybody in turn the row can go. [Commits leave a note](super::collect) of their deletions in the queue of garbage. A page is purged
//! of all its dead rows at once, so the other notes about it find nothing left to do. Notes are lost with the process, or when there are too many; so the
//! [books](super::counts) say how many dead rows each tree has at most, and where they say any, and notes are missing, a *walk* through the tree finds them.
//!
//! With a retention nothing is deleted so: for a while there is always somebody who may ask for a time before.

use super::commits::{Sight, When};
use super::counts::dead;
use super::keys;
use super::snapshots::InUse;
use super::transaction::Writes;
use super::version::Header;
use super::{MvccEngine, Timestamp};
use crate::error::Error;
use godb_txn::sync::atomic::Ordering;
use godb_txn::{Amended, Range, Transactions, Tree, TreeId, TxnId, Value};
use std::ops::{Bound, ControlFlow};
use std::time::Duration;

/// How many rows a walk looks at in one call.
const STRIDE: usize = 2048;

/// How far apart walks are at least.
const PAUSE: Duration = Duration::from_secs(1);

/// A walk rests this many times as long as it took, so that it never takes much of the time.
const RESTS: u32 = 8;

/// What is to be done with a row.
enum Fate {
    /// It lives, or somebody may look at it.
    Stays,
    /// Nobody can see its value any more.
    Dead,
    /// The same, but removing it takes more than removing the row.
    DeadWithMore,
}

/// What purging a page came to.
#[derive(Default)]
pub(super) struct Purged {
    /// The last key that was looked at.
    last: Option<Vec<u8>>,
    /// How many rows went.
    gone: i64,
    /// How many dead ones had to stay.
    left: i64,
}

/// The walk through trees with dead rows of which nobody told.
#[derive(Default)]
pub(super) struct Walk {
    /// The trees still to be walked through; the last one is next.
    trees: Vec<TreeId>,
    here: Here,
    /// When it began, and until when it rests after its end.
    began: Duration,
    until: Duration,
}

/// Where it stands in a tree.
#[derive(Default)]
struct Here {
    /// Everything up to this key was looked at.
    behind: Option<Vec<u8>>,
    /// Dead rows that went, and those that could not go yet.
    gone: i64,
    left: i64,
    /// What the books looked like at its beginning.
    edition: u64,
}

impl<T: Transactions> MvccEngine<T> {
    /// Deletes a key in its place, if that is enough. Tells whether there was a value; `None` when it must be deleted the usual way.
    pub(super) fn delete_in_place(
        &self,
        writes: &mut Writes,
        by: TxnId,
        tree: TreeId,
        key: &[u8],
    ) -> Result<Option<bool>, Error> {
        let _stripe = self.stripe(tree, key);
        if self.keeps_past() || self.claims.has_explicit(tree) {
            return Ok(None);
        }
        let head = |value: Value<'_>| {
            let (header, _) = Header::decode(value.inline)?;
            let for_all = !header.tombstone && self.is_seen_by_all(header.writer, self.snapshots.horizon());
            for_all.then(|| header.deleted_in_place(by))
        };
        match self.tree().amend(by, tree, key, head)? {
            Amended::Absent => Ok(Some(false)),
            Amended::Left | Amended::Full => Ok(None),
            Amended::Done => {
                writes.left.add(keys::deleted(tree, key));
                writes.difference.add(dead(tree), 1);
                Ok(Some(true))
            }
        }
    }

    /// Whether everybody sees what a transaction wrote, when nobody looks at anything older than `horizon`.
    fn is_seen_by_all(&self, writer: TxnId, horizon: Timestamp) -> bool {
        self.commits.sight(writer, horizon) == Sight::Seen
    }

    fn fate(&self, value: Value<'_>, in_use: &InUse) -> Fate {
        match Header::decode(value.inline) {
            Some((header, _)) if header.kept && self.is_seen_by_all(header.writer, in_use.horizon) => {
                match value.chain.is_some() || header.previous.is_some() {
                    true => Fate::DeadWithMore,
                    false => Fate::Dead,
                }
            }
            _ => Fate::Stays,
        }
    }

    /// Whether somebody still looks at a row that was deleted in its place, or a transaction that runs may have covered such a one and take that back.
    fn may_be_dead_later(&self, value: Value<'_>) -> bool {
        let header = Header::decode(value.inline).map(|(header, _)| header);
        header.is_some_and(|header| header.kept || self.commits.when(header.writer) == When::Running)
    }

    /// Removes the dead rows of the page on which a key is, or would be; counts those that stay from that key on.
    fn purge(&self, tree: TreeId, from: &[u8], in_use: &InUse) -> Result<Purged, Error> {
        let (mut gone, mut left, mut more) = (0, 0, Vec::new());
        let purged = self
            .tree()
            .purge(tree, from, |key, value| match self.fate(value, in_use) {
                Fate::Stays => {
                    left += i64::from(key >= from && self.may_be_dead_later(value));
                    false
                }
                Fate::Dead => {
                    gone += 1;
                    true
                }
                Fate::DeadWithMore => {
                    more.push(key.to_vec());
                    false
                }
            });
        let last = purged.map_err(|fault| self.about_tree(tree, fault.into()))?;
        for key in more {
            match self.remove_dead(tree, &key, in_use)? {
                true => gone += 1,
                false => left += 1,
            }
        }
        Ok(Purged { last, gone, left })
    }

    /// Removes a dead row that has a chain, or older versions in the history: with those it goes when the last of them does. Tells whether it went.
    fn remove_dead(&self, tree: TreeId, key: &[u8], in_use: &InUse) -> Result<bool, Error> {
        let _stripe = self.stripe(tree, key);
        let is_dead = |value: Value<'_>| !matches!(self.fate(value, in_use), Fate::Stays);
        let goes = self.tree().get(tree, key, is_dead)? == Some(true) && !self.has_version(tree, key)?;
        if goes {
            self.tree().release(tree, key)?;
        }
        Ok(goes)
    }

    /// Whether the history has any version of a key.
    fn has_version(&self, tree: TreeId, key: &[u8]) -> Result<bool, Error> {
        let (from, to) = (keys::version(tree, key, u64::MAX), keys::version(tree, key, 0));
        let range = Range {
            from: Bound::Included(&from),
            to: Bound::Included(&to),
            backward: false,
        };
        Ok(self.first_in(self.trees.history, range, |_, _| ())?.is_some())
    }

    /// Removes a row of which the queue tells, with all other dead ones of its page. `up_to` remembers how far that went, for the next ones.
    pub(super) fn drop_deleted(
        &self,
        tree: TreeId,
        key: &[u8],
        in_use: &InUse,
        up_to: &mut Option<(TreeId, Vec<u8>)>,
    ) -> Result<(), Error> {
        let covered = |(of, last): &(TreeId, Vec<u8>)| *of == tree && *key <= **last;
        if up_to.as_ref().is_some_and(covered) {
            return Ok(());
        }
        let purged = match self.purge(tree, key, in_use) {
            // Its rows went with it.
            Err(Error::NoSuchTree) => Purged::default(),
            purged => purged?,
        };
        self.commits.counts.bury(tree, purged.gone);
        *up_to = purged.last.map(|last| (tree, last));
        Ok(())
    }

    /// Looks at some rows of trees with dead ones, if that is due; tells whether it goes on.
    pub(super) fn walk_some(&self, in_use: &InUse) -> Result<bool, Error> {
        let Some(mut walk) = self.walk.try_lock() else {
            return Ok(false);
        };
        if walk.trees.is_empty() {
            let now = self.clock.monotonic();
            if now < walk.until || !self.deletions_lost.swap(false, Ordering::AcqRel) {
                return Ok(false);
            }
            walk.trees = self.commits.counts.with_dead();
            walk.began = now;
        }
        let Some(tree) = walk.trees.last().copied() else {
            return Ok(false);
        };
        if !self.stride(&mut walk.here, tree, in_use)? {
            self.end_of_tree(&mut walk, tree);
        }
        Ok(!walk.trees.is_empty())
    }

    /// Looks at some rows of a tree, to the first dead one if there is any; `false` when there are no more.
    fn stride(&self, here: &mut Here, tree: TreeId, in_use: &InUse) -> Result<bool, Error> {
        if here.behind.is_none() {
            here.edition = self.commits.counts.edition();
        }
        let looked = self.look_for_dead(here, tree, in_use);
        let found = match looked.map_err(|error| self.about_tree(tree, error)) {
            Err(Error::NoSuchTree) => return Ok(false),
            found => found?,
        };
        let purged = match found {
            Found::Nothing => return Ok(false),
            Found::Living(last) => {
                here.behind = Some(last);
                return Ok(true);
            }
            Found::Dead(key) => self.purge(tree, &key, in_use).map(|purged| (key, purged)),
        };
        let (key, purged) = purged?;
        here.gone += purged.gone;
        here.left += purged.left;
        here.behind = purged.last.max(Some(key));
        Ok(true)
    }

    fn look_for_dead(&self, here: &mut Here, tree: TreeId, in_use: &InUse) -> Result<Found, Error> {
        let from = here.behind.as_deref().map_or(Bound::Unbounded, Bound::Excluded);
        let mut cursor = self.tree().seek(tree, Range { from, ..Range::ALL })?;
        let (mut found, mut seen, mut more) = (Found::Nothing, 0, true);
        let mut left = 0;
        while more && matches!(found, Found::Nothing) {
            more = self.tree().next(&mut cursor, |key, value| {
                seen += 1;
                if !matches!(self.fate(value, in_use), Fate::Stays) {
                    found = Found::Dead(key.to_vec());
                    return ControlFlow::Break(());
                }
                left += i64::from(self.may_be_dead_later(value));
                if seen == STRIDE {
                    found = Found::Living(key.to_vec());
                    return ControlFlow::Break(());
                }
                ControlFlow::Continue(())
            })?;
        }
        here.left += left;
        Ok(found)
    }

    fn end_of_tree(&self, walk: &mut Walk, tree: TreeId) {
        let here = std::mem::take(&mut walk.here);
        self.commits
            .counts
            .settle_dead(tree, here.edition, here.gone, here.left);
        if here.left > 0 {
            self.deletions_lost.store(true, Ordering::Release);
        }
        walk.trees.pop();
        let now = self.clock.monotonic();
        walk.until = now + (now.saturating_sub(walk.began) * RESTS).max(PAUSE);
    }
}

/// What a look came to.
enum Found {
    /// The end of the tree.
    Nothing,
    /// Rows up to this one, none of which can go.
    Living(Vec<u8>),
    /// The first one that can.
    Dead(Vec<u8>),
}
