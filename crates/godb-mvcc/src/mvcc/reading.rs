//! Reading: which version of a key a view sees, and where it is.

use super::commits::{Sight, When};
use super::keys;
use super::version::{Header, Version, not_a_version};
use super::{MvccEngine, Timestamp};
use crate::engine::MAX_VALUE;
use crate::error::Error;
use godb_txn::sync::thread;
use godb_txn::{Chain, Fault, Range, Transactions, Tree, TreeId, TxnId, Value};
use std::ops::{Bound, ControlFlow};
use std::time::Duration;

/// How long a reader waits for a writer that is between its two steps. Only a rollback that makes no progress takes so long.
const PATIENCE: Duration = Duration::from_secs(30);

/// The most bytes of a long value that are read at a time.
const PIECE: usize = 1 << 20;

/// How often a version that must be there is looked for before it is called missing.
const MISSES: usize = 3;

/// A version is gone, and nobody is moving it: a page came back in an older state.
fn missing(tree: TreeId) -> Error {
    Fault::Corrupt {
        file: "the database".into(),
        page: None,
        tree: Some(tree),
        lsn: None,
        what: "the version of a row that a newer one replaced is missing from the history".into(),
    }
    .into()
}

/// Who looks: its own writes, and a moment.
#[derive(Clone, Copy, Debug)]
pub(super) struct View {
    /// Zero for one who has not written.
    pub(super) own: TxnId,
    pub(super) at: Timestamp,
}

/// What a glance at a stored value, under its page's latch, tells.
pub(super) enum Glance<R> {
    /// It was shown.
    Shown(R),
    /// The key has no value for this view.
    Absent,
    /// The value is seen but lies in a chain, behind these first bytes.
    Long(Vec<u8>, Chain),
    /// What is seen is the version that was committed then, or one before.
    Older(Timestamp),
    /// Only the timeline can tell, and it is not looked into under a latch.
    Unsure(Version),
}

/// What going back from a version came to.
enum Before {
    /// The version seen.
    Found(Version),
    /// There was none then.
    None,
    /// The version that was replaced is not in the history yet, or no longer: its writer is just going forward or back.
    OnItsWay,
}

impl<T: Transactions> MvccEngine<T> {
    /// Whether a view sees what a transaction wrote, by what was found out while its page was latched.
    pub(super) fn sees(&self, view: View, writer: TxnId, sight: Sight) -> Result<bool, Error> {
        Ok(match sight {
            Sight::Seen => true,
            Sight::Unseen => false,
            Sight::Old => self.time_of_old(writer)?.is_none_or(|at| at <= view.at),
        })
    }

    /// The same under a latch.
    #[inline]
    pub(super) fn sight(&self, view: View, writer: TxnId) -> Sight {
        match view.own == writer {
            true => Sight::Seen,
            false => self.commits.sight(writer, view.at),
        }
    }

    /// The newest version of a key, and what `ask` finds out about its writer while it cannot be taken back.
    pub(super) fn newest<A>(
        &self,
        tree: TreeId,
        key: &[u8],
        ask: impl FnOnce(TxnId) -> A,
    ) -> Result<Option<(Version, A)>, Error> {
        let read = |value: Value<'_>| {
            let version = Version::read(value)?;
            let answer = ask(version.header.writer);
            Ok((version, answer))
        };
        self.tree().get(tree, key, read)?.transpose()
    }

    /// The newest version of a key, and when it was committed.
    pub(super) fn newest_when(&self, tree: TreeId, key: &[u8]) -> Result<Option<(Version, When)>, Error> {
        self.newest(tree, key, |writer| self.commits.when(writer))
    }

    /// The version of a key that a view sees; a deleted key has none.
    pub(super) fn visible(&self, view: View, tree: TreeId, key: &[u8]) -> Result<Option<Version>, Error> {
        let mut since = None;
        let mut misses = 0;
        loop {
            let Some((newest, sight)) = self.newest(tree, key, |writer| self.sight(view, writer))? else {
                return Ok(None);
            };
            if self.sees(view, newest.header.writer, sight)? {
                return Ok(Some(newest).filter(|version| !version.header.tombstone));
            }
            if newest.header.kept {
                return Ok(Some(newest.undeleted()));
            }
            let Some(previous) = newest.header.previous else {
                return Ok(None);
            };
            match self.before(view.at, tree, key, previous)? {
                Before::Found(old) => return Ok(Some(old).filter(|version| !version.header.tombstone)),
                Before::None => return Ok(None),
                Before::OnItsWay => {}
            }
            match self.commits.when(newest.header.writer) {
                When::Running => {
                    if let Some(fault) = self.below.failed_rollback(newest.header.writer) {
                        return Err(fault.into());
                    }
                    self.let_pass(tree, key, &mut since)?;
                }
                // It may have ended just now. Who has ended has nothing on its way.
                _ if misses < MISSES => misses += 1,
                _ => return Err(missing(tree)),
            }
        }
    }

    /// The version that a view sees of a key whose newest version, which replaced the one of `previous`, it does not see.
    pub(super) fn older(
        &self,
        view: View,
        tree: TreeId,
        key: &[u8],
        previous: Timestamp,
    ) -> Result<Option<Version>, Error> {
        match self.before(view.at, tree, key, previous)? {
            Before::Found(old) => Ok(Some(old).filter(|version| !version.header.tombstone)),
            Before::None => Ok(None),
            Before::OnItsWay => self.visible(view, tree, key),
        }
    }

    /// What a view at `at` sees in place of a version that replaced the one of `previous`.
    fn before(&self, at: Timestamp, tree: TreeId, key: &[u8], previous: Timestamp) -> Result<Before, Error> {
        if previous > at {
            // Further back, where nothing moves any more but by collection, which leaves what somebody may look for.
            return Ok(self.find_old(at, tree, key)?.map_or(Before::None, Before::Found));
        }
        let full = keys::version(tree, key, previous.raw());
        let old = self
            .tree()
            .get(self.trees.history, &full, Version::read)?
            .transpose()?;
        Ok(old.map_or(Before::OnItsWay, Before::Found))
    }

    /// Lets a writer make its second step: one that goes forward holds the key's stripe meanwhile.
    fn let_pass(&self, tree: TreeId, key: &[u8], since: &mut Option<Duration>) -> Result<(), Error> {
        drop(self.stripe(tree, key));
        thread::yield_now();
        let now = self.clock.monotonic();
        let since = *since.get_or_insert(now);
        if now.saturating_sub(since) > PATIENCE {
            let why = "a version is neither in its place nor in the history; a rollback may have failed";
            return Err(Fault::Poisoned { why: why.into() }.into());
        }
        Ok(())
    }

    /// The newest version in the history that was committed at `at` or before.
    fn find_old(&self, at: Timestamp, tree: TreeId, key: &[u8]) -> Result<Option<Version>, Error> {
        let (from, to) = (keys::version(tree, key, at.raw()), keys::version(tree, key, 0));
        let range = Range {
            from: Bound::Included(&from),
            to: Bound::Included(&to),
            backward: false,
        };
        let first = self.first_in(self.trees.history, range, |_, value| Version::read(value))?;
        first.transpose()
    }

    /// Shows the first row of a range.
    pub(super) fn first_in<R>(
        &self,
        tree: TreeId,
        range: Range<'_>,
        mut show: impl FnMut(&[u8], Value<'_>) -> R,
    ) -> Result<Option<R>, Error> {
        let mut cursor = self.tree().seek(tree, range)?;
        let mut found = None;
        let mut more = true;
        while more && found.is_none() {
            more = self.tree().next(&mut cursor, |key, value| {
                found = Some(show(key, value));
                ControlFlow::Break(())
            })?;
        }
        Ok(found)
    }

    /// All bytes of a value: those in the leaf, and those of its chain.
    pub(super) fn whole(&self, mut bytes: Vec<u8>, chain: Option<Chain>) -> Result<Vec<u8>, Error> {
        let Some(chain) = chain else { return Ok(bytes) };
        let start = bytes.len();
        if chain.len > MAX_VALUE {
            return Err(not_a_version());
        }
        let length = usize::try_from(chain.len).map_err(|_| not_a_version())?;
        let (mut at, mut hint) = (0, None);
        while at < length {
            // No more memory than the chain has been seen to fill: a damaged length could say anything.
            bytes.resize(start + at + (length - at).min(PIECE), 0);
            let into = &mut bytes[start + at..];
            let got = self.tree().read_chain(chain, at as u64, &mut hint, into)?;
            if got == 0 {
                return Err(not_a_version());
            }
            at += got;
        }
        Ok(bytes)
    }
}

/// Calls `show` with a stored value's bytes if `sight` says of its writer that it is seen and they are all here; else says where to look.
#[inline]
pub(super) fn glance<R>(
    value: Value<'_>,
    sight: impl FnOnce(TxnId) -> Sight,
    show: impl FnOnce(&[u8]) -> R,
) -> Result<Glance<R>, Error> {
    let (header, bytes) = Header::decode(value.inline).ok_or_else(not_a_version)?;
    match sight(header.writer) {
        Sight::Seen if header.tombstone => return Ok(Glance::Absent),
        Sight::Seen => {}
        Sight::Unseen if header.kept => {}
        Sight::Unseen => return Ok(header.previous.map_or(Glance::Absent, Glance::Older)),
        Sight::Old => return Version::read(value).map(Glance::Unsure),
    }
    Ok(match value.chain {
        None => Glance::Shown(show(bytes)),
        Some(chain) => Glance::Long(bytes.to_vec(), chain),
    })
}
