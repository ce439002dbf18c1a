//! Opening: finding the trees, taking in what recovery found, deciding what of the past is still there.
//!
//! When a database opens nobody looks at it yet, and recovery has taken back whatever did not commit. So everything in it is visible to every ordinary snapshot there
//! will be: the floor begins above all ids ever given. Only reads of the past need to know more, and only if the past was kept all the time.

use super::commits::{Commits, When};
use super::note::{damaged, take_in};
use super::rows::Kept;
use super::version::{Header, not_a_version};
use super::*;
use godb_txn::{Range, TxnId};
use std::ops::{Bound, ControlFlow};

impl<T: Transactions> MvccEngine<T> {
    /// Opens the engine over `below`, whose commit hook is `commits`, with what recovery found out. In a new database it makes its trees first.
    ///
    /// # Errors
    /// What the layers below report, and [`Fault::Corrupt`] when this layer's own bytes make no sense.
    pub fn open(
        below: T,
        commits: Arc<Commits>,
        clock: Arc<dyn Clock>,
        options: MvccOptions,
        recovered: &RecoveredCommits,
    ) -> Result<Arc<Self>, Error> {
        let counted_apart = take_in(&commits, recovered)?;
        let trees = match find_trees(below.tree())? {
            Some(trees) => trees,
            None => make_trees(&below, &commits)?,
        };
        let next = next_id(&below, &commits)?;
        commits.settle(next);
        let serial = Serial::new(commits.clone(), options.marks_memory);
        let engine = Self {
            below,
            commits,
            snapshots: Snapshots::default(),
            trees,
            options,
            clock,
            claims: Claims::new(!options.versions),
            meets_rows: AtomicBool::new(false),
            budget: Budget::new(options.batch_memory),
            serial,
            dropped: DroppedTrees::default(),
            kept: RwLock::new(Kept::default()),
            has_timeline: AtomicBool::new(true),
            advanced: Mutex::new(None),
            tending: Mutex::new(()),
            queue: Mutex::new(Queue::default()),
            sweep: Mutex::new(Sweep::default()),
            walk: Mutex::new(Walk::default()),
            deletions_lost: AtomicBool::new(true),
        };
        counted_apart.map_or(Ok(()), |newest| engine.find_counts(newest))?;
        engine.commits.counts.keep_only(&engine.tree().trees()?);
        engine.find_timeline()?;
        engine.decide_kept(next)?;
        engine.find_dropped()?;
        Ok(Arc::new(engine))
    }

    /// Which commits the timeline knows already: they are not written a second time.
    fn find_timeline(&self) -> Result<(), Error> {
        let last = self.last_in_timeline()?;
        self.has_timeline
            .store(self.keeps_past() || last.is_some(), Ordering::Release);
        self.commits
            .recent(|recent| recent.persisted_up_to(last.unwrap_or_default()));
        Ok(())
    }

    /// The past is there if it was kept before and is kept now; else it begins here. What is decided is written down before anything is collected.
    fn decide_kept(&self, next: TxnId) -> Result<(), Error> {
        let before = self.read_kept()?;
        let keeps = self.keeps_past();
        let mut kept = before;
        if !(keeps && before.anything) {
            let newest = self.commits.newest();
            let wall = match self.commits.last_wall() {
                i64::MIN => self.clock.wall_micros(),
                wall => wall,
            };
            kept = Kept {
                anything: keeps,
                horizon: newest,
                horizon_wall: wall,
                first_id: next,
            };
            self.commits.recent(|recent| recent.persisted_up_to(newest));
        }
        if keeps != before.anything {
            self.quietly(|by| self.write_kept(by, kept))?;
        }
        *self.kept.write() = kept;
        self.snapshots.advance(self.commits.newest(), kept.horizon);
        Ok(())
    }

    /// Trees whose drop has committed are dropped from the first moment on.
    fn find_dropped(&self) -> Result<(), Error> {
        let (from, to) = (keys::first_dropped(), keys::timeline());
        let range = Range {
            from: Bound::Included(&from),
            to: Bound::Excluded(&to),
            backward: false,
        };
        let mut found = Vec::new();
        let mut cursor = self.tree().seek(self.trees.history, range)?;
        let mut more = true;
        while more {
            more = self.tree().next(&mut cursor, |key, value| {
                if let Some(keys::Entry::Dropped(tree)) = keys::Entry::decode(key) {
                    found.push((
                        tree,
                        Header::decode(value.inline).map(|(header, _)| header.writer),
                    ));
                }
                ControlFlow::Continue(())
            })?;
        }
        for (tree, writer) in found {
            let writer = writer.ok_or_else(not_a_version)?;
            let since = self.committed_at(writer, self.commits.when(writer))?;
            self.dropped.add(tree, since.unwrap_or_default());
        }
        Ok(())
    }

    /// When a transaction committed, or no earlier than it did where nobody looks that far back; `None` while it runs.
    pub(super) fn committed_at(&self, writer: TxnId, when: When) -> Result<Option<Timestamp>, Error> {
        Ok(match when {
            When::Running => None,
            When::At(at) => Some(at),
            When::Old => Some(
                self.time_of_old(writer)?
                    .unwrap_or_else(|| self.snapshots.horizon()),
            ),
        })
    }
}

/// The two trees of this layer are the first that a database ever has.
fn find_trees<T: Tree>(tree: &T) -> Result<Option<SystemTrees>, Error> {
    match tree.trees()?[..] {
        [] => Ok(None),
        [root, history, ..] => Ok(Some(SystemTrees { root, history })),
        _ => Err(damaged("the trees that every database has are not all there")),
    }
}

fn make_trees<T: Transactions>(below: &T, commits: &Commits) -> Result<SystemTrees, Error> {
    let by = commits.begin_quiet(|| below.begin());
    let create = || below.tree().create(by).map_err(Error::from);
    let trees = SystemTrees {
        root: create()?,
        history: create()?,
    };
    below.commit(by)?;
    Ok(trees)
}

/// The next id there is: one is given out for nothing.
fn next_id<T: Transactions>(below: &T, commits: &Commits) -> Result<TxnId, Error> {
    let id = commits.begin_quiet(|| below.begin());
    below.commit(id)?;
    Ok(TxnId::from_raw(id.raw() + 1))
}
