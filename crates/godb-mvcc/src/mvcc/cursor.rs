//! [`MvccCursor`]: a scan that shows what one view sees.
//!
//! Nearly every row is visible as it lies there, and is shown from the page. To know that costs a comparison with the floor, or for a recent writer
//! a look into a small table of writers met before; what a snapshot sees of a writer never changes. From the first row on whose value must be
//! got elsewhere (an old version, a long value) the rest of the page is copied, and completed when its latch is gone.

use super::MvccEngine;
use super::commits::Sight;
use super::reading::{Glance, View, glance};
use super::snapshots::Snapshot;
use super::ssi::{Extent, Ticket};
use super::transaction::Own;
use super::version::Version;
use crate::engine::{EngineCursor, ShowRow, Timestamp};
use crate::error::Error;
use godb_txn::sync::planted;
use godb_txn::{Chain, Range, Transactions, Tree, TreeId, TxnId};
use std::ops::{Bound, ControlFlow};
use std::sync::Arc;

/// How many writers a cursor remembers.
const REMEMBERED: usize = 32;

/// What the snapshot sees of writers met before, each at the place of its id.
type Known = [(TxnId, Sight); REMEMBERED];

/// A scan; its snapshot is kept while it lives.
pub(super) struct MvccCursor<T: Transactions> {
    snapshot: Arc<Snapshot<T>>,
    own: Arc<Own>,
    tree: TreeId,
    at: <T::Tree as Tree>::Cursor,
    /// Where the range ends in the scan's direction.
    end: Bound<Vec<u8>>,
    backward: bool,
    known: Known,
    passed: Option<Passed>,
}

/// How far a serializable transaction's scan has got, which is what it has read.
struct Passed {
    ticket: Arc<Ticket>,
    /// All before this is marked, in the scan's direction.
    upto: Bound<Vec<u8>>,
    /// The last row that was looked at.
    last: Vec<u8>,
}

/// A row that is shown when the page's latch is gone.
struct Copied {
    key: Vec<u8>,
    value: Where,
}

/// Where its value is.
enum Where {
    Here(Vec<u8>),
    Long(Vec<u8>, Chain),
    Older(Timestamp),
    Unsure(Version),
}

impl<T: Transactions> MvccCursor<T> {
    pub(super) fn open(
        snapshot: Arc<Snapshot<T>>,
        own: Arc<Own>,
        ticket: Option<Arc<Ticket>>,
        tree: TreeId,
        range: Range<'_>,
    ) -> Result<Self, Error> {
        let at = snapshot.engine.tree().seek(tree, range)?;
        let (start, end) = match range.backward {
            true => (range.to, range.from),
            false => (range.from, range.to),
        };
        let passed = ticket.map(|ticket| Passed {
            ticket,
            upto: start.map(<[u8]>::to_vec),
            last: Vec::new(),
        });
        Ok(Self {
            snapshot,
            own,
            tree,
            at,
            end: end.map(<[u8]>::to_vec),
            backward: range.backward,
            known: [(TxnId::default(), Sight::Seen); REMEMBERED],
            passed,
        })
    }

    /// Shows what was copied. `false` when `show` wanted no more.
    fn show_copied(&mut self, view: View, rows: Vec<Copied>, show: &mut ShowRow<'_>) -> Result<bool, Error> {
        let count = rows.len();
        for (number, row) in rows.into_iter().enumerate() {
            let Some(bytes) = self.complete(view, &row.key, row.value)? else {
                continue;
            };
            if show(&row.key, &bytes).is_break() {
                if number + 1 < count {
                    self.go_on_behind(&row.key)?;
                }
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Gets a value that was not in the page, or was not known to be seen.
    fn complete(&mut self, view: View, key: &[u8], value: Where) -> Result<Option<Vec<u8>>, Error> {
        let engine = &*self.snapshot.engine;
        let version = match value {
            Where::Here(bytes) => return Ok(Some(bytes)),
            Where::Long(head, chain) => return engine.whole(head, Some(chain)).map(Some),
            Where::Older(previous) => engine.older(view, self.tree, key, previous)?,
            Where::Unsure(version) => {
                let writer = version.header.writer;
                let (seen, previous) = (engine.sees(view, writer, Sight::Old)?, version.header.previous);
                // What a snapshot sees of one that has committed never changes.
                *slot(&mut self.known, writer) = (writer, if seen { Sight::Seen } else { Sight::Unseen });
                match (seen, previous) {
                    (true, _) => Some(version).filter(|version| !version.header.tombstone),
                    (false, _) if version.header.kept => Some(version),
                    (false, Some(previous)) => engine.older(view, self.tree, key, previous)?,
                    (false, None) => None,
                }
            }
        };
        version
            .map(|version| engine.whole(version.bytes, version.chain))
            .transpose()
    }

    /// Leaves a mark on what was passed: to the last row looked at, or to the end when there is no `more`.
    fn mark_passed(&mut self, looked: bool, more: bool) -> Result<(), Error> {
        let Some(passed) = &mut self.passed else {
            return Ok(());
        };
        // Where nothing was found, that was read, too.
        let unmarked = planted("scans-unmarked") || (!looked && planted("missing-keys-unmarked"));
        if (more && !looked) || unmarked {
            return Ok(());
        }
        let upto = passed.upto.as_ref().map(Vec::as_slice);
        let here = match more {
            true => Bound::Included(passed.last.as_slice()),
            false => self.end.as_ref().map(Vec::as_slice),
        };
        let extent = match self.backward {
            true => Extent::between(here, upto),
            false => Extent::between(upto, here),
        };
        let serial = &self.snapshot.engine.serial;
        serial.read(&passed.ticket, self.tree, extent)?;
        if more {
            passed.upto = Bound::Excluded(passed.last.clone());
        }
        Ok(())
    }

    /// Sets the scan back to right behind `key`.
    fn go_on_behind(&mut self, key: &[u8]) -> Result<(), Error> {
        let (here, end) = (Bound::Excluded(key), self.end.as_ref().map(Vec::as_slice));
        let (from, to) = if self.backward { (end, here) } else { (here, end) };
        let range = Range {
            from,
            to,
            backward: self.backward,
        };
        self.at = self.snapshot.engine.tree().seek(self.tree, range)?;
        Ok(())
    }
}

impl<T: Transactions> EngineCursor for MvccCursor<T> {
    fn next(&mut self, show: &mut ShowRow<'_>) -> Result<bool, Error> {
        let engine = &*self.snapshot.engine;
        let view = self.own.view(self.snapshot.view_at());
        let all_below = engine.commits.seen_below(view.at);
        let (known, mut copied, mut failed) = (&mut self.known, Vec::new(), None);
        let (mut passed, mut looked) = (self.passed.as_mut(), false);
        let more = engine.tree().next(&mut self.at, |key, value| {
            if let Some(passed) = &mut passed {
                looked = true;
                passed.last.clear();
                passed.last.extend_from_slice(key);
            }
            let sight = |writer| match writer < all_below {
                true => Sight::Seen,
                false => remembered(engine, known, view, writer),
            };
            let look = |bytes: &[u8]| match copied.is_empty() {
                true => Ok(show(key, bytes)),
                false => Err(bytes.to_vec()),
            };
            let value = match glance(value, sight, look) {
                Ok(Glance::Shown(Ok(flow))) => return flow,
                Ok(Glance::Absent) => return ControlFlow::Continue(()),
                Ok(Glance::Shown(Err(bytes))) => Where::Here(bytes),
                Ok(Glance::Long(head, chain)) => Where::Long(head, chain),
                Ok(Glance::Older(previous)) => Where::Older(previous),
                Ok(Glance::Unsure(version)) => Where::Unsure(version),
                Err(error) => {
                    failed = Some(error);
                    return ControlFlow::Break(());
                }
            };
            let key = key.to_vec();
            copied.push(Copied { key, value });
            ControlFlow::Continue(())
        });
        let more = more.map_err(|fault| engine.about_tree(self.tree, fault.into()))?;
        if let Some(error) = failed {
            return Err(error);
        }
        self.mark_passed(looked, more)?;
        let all_shown = self.show_copied(view, copied, show)?;
        Ok(more || !all_shown)
    }
}

/// Whether the view sees what `writer` wrote, from the table if it was asked before.
#[inline]
fn remembered<T: Transactions>(
    engine: &MvccEngine<T>,
    known: &mut Known,
    view: View,
    writer: TxnId,
) -> Sight {
    if writer == view.own {
        return Sight::Seen;
    }
    let slot = slot(known, writer);
    if slot.0 != writer {
        *slot = (writer, engine.commits.sight(writer, view.at));
    }
    slot.1
}

fn slot(known: &mut Known, writer: TxnId) -> &mut (TxnId, Sight) {
    &mut known[usize::try_from(writer.raw() % REMEMBERED as u64).unwrap_or(0)]
}
