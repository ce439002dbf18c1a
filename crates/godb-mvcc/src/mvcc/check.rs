//! The check of versions: every row has one that can be read, and every version that somebody can ask for is where it must be.
//!
//! It looks at the oldest moment that one can begin to look at, and holds it: so nothing that this moment needs is collected meanwhile. A row whose newest
//! version that moment does not see must lead to the one before. Rows of transactions that still run are not judged: their versions are on the move.
//! When none runs, the rows are counted, too, and compared with [what the books say](super::counts).

use super::commits::{Sight, When};
use super::counts;
use super::keys::{self, Entry};
use super::reading::View;
use super::snapshots::Snapshot;
use super::version::Header;
use super::{MvccEngine, Timestamp};
use crate::error::Error;
use godb_txn::{Fault, Range, Transactions, Tree, TreeId, TxnId};
use std::ops::{Bound, ControlFlow};
use std::sync::Arc;

/// How many rows that need a second look are remembered at a time.
const BATCH: usize = 1024;

/// One thing that is wrong with a version.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VersionFinding {
    /// The tree of the row.
    pub tree: TreeId,
    /// The row's key.
    pub key: Vec<u8>,
    /// What is wrong, in words.
    pub what: String,
}

/// What a check of versions saw.
#[derive(Clone, Debug, Default)]
pub struct VersionCheck {
    /// What is wrong; empty when all is well.
    pub findings: Vec<VersionFinding>,
    /// Versions: the newest ones and those in the history.
    pub versions: u64,
    /// Damage that kept a tree from being read to its end, by tree.
    pub unread: Vec<(TreeId, Fault)>,
}

impl VersionCheck {
    fn find(&mut self, tree: TreeId, key: &[u8], what: impl Into<String>) {
        self.findings.push(VersionFinding {
            tree,
            key: key.to_vec(),
            what: what.into(),
        });
    }
}

/// A row to be looked at again, outside its page's latch.
enum Doubt {
    /// It is no version.
    Unreadable,
    /// The moment does not see its newest version, which replaced the one of that commit.
    Replaced(Timestamp),
    /// Nobody knows of its writer's end.
    NeverEnded(TxnId),
}

impl<T: Transactions> MvccEngine<T> {
    /// The tree that old versions lie in, and what is remembered of commits.
    pub fn history(&self) -> TreeId {
        self.trees.history
    }

    /// Checks every version of every tree. `resting` says that no transaction is open: then a version of one that runs is a finding, too.
    ///
    /// # Errors
    /// Failures that are not damage.
    pub fn check_versions(self: Arc<Self>, resting: bool) -> Result<VersionCheck, Error> {
        let at = self.snapshots.frontier();
        let place = self.snapshots.take_at(at, self.keeps_past());
        let place = place.unwrap_or_else(|| self.snapshots.take(&self.commits));
        let held = Snapshot::new(self.clone(), place);
        let view = View {
            own: TxnId::default(),
            at: held.at(),
        };
        let mut check = VersionCheck::default();
        for tree in self.tree().trees()? {
            let walked = match tree == self.trees.history {
                true => self.check_history(&mut check),
                false => self.check_rows(&mut check, view, tree, resting),
            };
            match walked.map_err(|error| self.about_tree(tree, error)) {
                Err(Error::Fault(fault @ Fault::Corrupt { .. })) => check.unread.push((tree, fault)),
                Ok(()) | Err(Error::NoSuchTree) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(check)
    }

    fn check_rows(
        &self,
        check: &mut VersionCheck,
        view: View,
        tree: TreeId,
        resting: bool,
    ) -> Result<(), Error> {
        let mut cursor = self.tree().seek(tree, Range::ALL)?;
        let mut more = true;
        let (mut rows, mut dead) = (0_u64, 0_u64);
        while more {
            let mut doubts: Vec<(Vec<u8>, Doubt)> = Vec::new();
            more = self.tree().next(&mut cursor, |key, value| {
                check.versions += 1;
                if let Some((header, _)) = Header::decode(value.inline) {
                    rows += u64::from(!header.tombstone);
                    dead += u64::from(header.kept);
                }
                if let Some(doubt) = self.doubt(view, value.inline, resting) {
                    doubts.push((key.to_vec(), doubt));
                }
                match doubts.len() < BATCH {
                    true => ControlFlow::Continue(()),
                    false => ControlFlow::Break(()),
                }
            })?;
            for (key, doubt) in doubts {
                self.judge(check, tree, &key, &doubt)?;
            }
        }
        let booked = |tree| self.commits.counts.at(tree, self.commits.newest());
        if resting && booked(counts::dead(tree)).is_none_or(|booked| booked < dead) {
            check.find(
                tree,
                b"",
                format!("{dead} deleted rows wait in it, and the books say fewer"),
            );
        }
        if resting && booked(tree) != Some(rows) {
            check.find(
                tree,
                b"",
                format!("it has {rows} rows, and another number is on the books"),
            );
        }
        Ok(())
    }

    fn doubt(&self, view: View, stored: &[u8], resting: bool) -> Option<Doubt> {
        let Some((header, _)) = Header::decode(stored) else {
            return Some(Doubt::Unreadable);
        };
        if resting && self.commits.when(header.writer) == When::Running {
            return Some(Doubt::NeverEnded(header.writer));
        }
        if header.kept {
            return None;
        }
        let previous = header.previous.filter(|previous| *previous <= view.at)?;
        (self.sight(view, header.writer) == Sight::Unseen).then_some(Doubt::Replaced(previous))
    }

    /// Looks again: what was seen under the latch may have been on the move.
    fn judge(&self, check: &mut VersionCheck, tree: TreeId, key: &[u8], doubt: &Doubt) -> Result<(), Error> {
        match doubt {
            Doubt::Unreadable => check.find(tree, key, "it has no valid version header"),
            Doubt::NeverEnded(writer) => {
                let what = format!("transaction {writer}, which never ended, wrote it");
                check.find(tree, key, what);
            }
            Doubt::Replaced(previous) => {
                let previous = *previous;
                let full = keys::version(tree, key, previous.raw());
                let now = self.newest_when(tree, key)?;
                let committed = now.is_some_and(|(version, when)| {
                    version.header.previous == Some(previous) && when != When::Running
                });
                if committed && self.tree().get(self.trees.history, &full, |_| ())?.is_none() {
                    let at = previous.raw();
                    check.find(
                        tree,
                        key,
                        format!("its version of commit {at} is not in the history"),
                    );
                }
            }
        }
        Ok(())
    }

    fn check_history(&self, check: &mut VersionCheck) -> Result<(), Error> {
        let to = keys::timeline();
        let range = Range {
            from: Bound::Unbounded,
            to: Bound::Excluded(&to),
            backward: false,
        };
        let mut cursor = self.tree().seek(self.trees.history, range)?;
        let mut more = true;
        while more {
            let mut entries = Vec::new();
            more = self.tree().next(&mut cursor, |full, value| {
                check.versions += 1;
                entries.push((full.to_vec(), Header::decode(value.inline).is_some()));
                match entries.len() < BATCH {
                    true => ControlFlow::Continue(()),
                    false => ControlFlow::Break(()),
                }
            })?;
            for (full, sound) in entries {
                self.judge_entry(check, &full, sound)?;
            }
        }
        Ok(())
    }

    /// An old version must be readable, and be of a row that is there, unless it is left of a tree that is going.
    fn judge_entry(&self, check: &mut VersionCheck, full: &[u8], sound: bool) -> Result<(), Error> {
        let history = self.trees.history;
        let Some(entry) = Entry::decode(full).filter(|_| sound) else {
            check.find(history, full, "it is no entry of the history");
            return Ok(());
        };
        let Entry::Version { tree, key, timestamp } = entry else {
            return Ok(());
        };
        let _stripe = self.stripe(tree, &key);
        let newest = match self.tree().get(tree, &key, |_| ()) {
            Ok(newest) => newest,
            Err(fault) => match self.about_tree(tree, fault.into()) {
                Error::NoSuchTree => return Ok(()),
                error => return Err(error),
            },
        };
        if newest.is_none() && self.tree().get(history, full, |_| ())?.is_some() {
            let what =
                format!("its version of commit {timestamp} is in the history, and the row is not there");
            check.find(tree, &key, what);
        }
        Ok(())
    }
}
