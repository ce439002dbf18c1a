//! [`Shared`]: what the engine, its transactions and its cursors have in common: reading a version, whoever asks.

use super::commits::{Commits, Status};
use super::keys;
use super::snapshots::Snapshots;
use super::version::{Header, Version, not_a_version};
use crate::engine::Timestamp;
use crate::error::Error;
use crate::mvcc::MvccOptions;
use godb_txn::sync::{Mutex, MutexGuard};
use godb_txn::{Clock, Range, Transactions, Tree, TreeId, TxnId, Value};
use std::collections::{HashMap, VecDeque};
use std::hash::{Hash, Hasher};
use std::ops::{Bound, ControlFlow};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

/// How many stripes keep two writers from deciding about one key at the same moment.
const STRIPES: usize = 256;

/// The trees that the version layer keeps for itself, and the one it gives to the layer above.
#[derive(Clone, Copy, Debug)]
pub(super) struct SystemTrees {
    pub(super) root: TreeId,
    pub(super) history: TreeId,
}

/// An entry of the history tree that can go when a commit is behind the horizon.
pub(super) struct Garbage {
    /// The commit that made it unnecessary.
    pub(super) since: Timestamp,
    /// The entry's key.
    pub(super) key: Vec<u8>,
}

/// Who looks: its own writes, and a moment.
#[derive(Clone, Copy, Debug)]
pub(super) struct View {
    pub(super) own: Option<TxnId>,
    pub(super) at: Timestamp,
}

/// What the parts of the engine have in common.
pub(super) struct Shared<T: Transactions> {
    pub(super) below: T,
    pub(super) commits: Arc<Commits>,
    pub(super) snapshots: Arc<Snapshots>,
    pub(super) trees: SystemTrees,
    pub(super) options: MvccOptions,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) garbage: Mutex<VecDeque<Garbage>>,
    pub(super) sweep: Mutex<super::collect::Sweep>,
    /// Trees in which somebody holds explicit key locks, with how many transactions do.
    explicit: Mutex<HashMap<TreeId, u32>>,
    any_explicit: AtomicU32,
    stripes: Box<[Mutex<()>]>,
}

impl<T: Transactions> Shared<T> {
    pub(super) fn new(
        below: T,
        commits: Arc<Commits>,
        snapshots: Arc<Snapshots>,
        trees: SystemTrees,
        options: MvccOptions,
        clock: Arc<dyn Clock>,
    ) -> Self {
        Self {
            below,
            commits,
            snapshots,
            trees,
            options,
            clock,
            garbage: Mutex::new(VecDeque::new()),
            sweep: Mutex::new(super::collect::Sweep::default()),
            explicit: Mutex::new(HashMap::new()),
            any_explicit: AtomicU32::new(0),
            stripes: (0..STRIPES).map(|_| Mutex::new(())).collect(),
        }
    }

    pub(super) fn tree(&self) -> &T::Tree {
        self.below.tree()
    }

    /// Keeps others from deciding about the same key. Held for a few tree operations, never while waiting for a transaction.
    pub(super) fn stripe(&self, tree: TreeId, key: &[u8]) -> MutexGuard<'_, ()> {
        let mut hasher = std::collections::hash_map::DefaultHasher::new();
        (tree, key).hash(&mut hasher);
        self.stripes[usize::try_from(hasher.finish() % STRIPES as u64).unwrap_or(0)].lock()
    }

    /// Notes that a transaction holds explicit key locks in a tree.
    pub(super) fn begin_explicit(&self, tree: TreeId) {
        *self.explicit.lock().entry(tree).or_default() += 1;
        self.any_explicit.fetch_add(1, Ordering::SeqCst);
    }

    /// A transaction with explicit key locks in a tree has ended.
    pub(super) fn end_explicit(&self, tree: TreeId) {
        let mut explicit = self.explicit.lock();
        if let Some(count) = explicit.get_mut(&tree) {
            *count -= 1;
            if *count == 0 {
                explicit.remove(&tree);
            }
        }
        self.any_explicit.fetch_sub(1, Ordering::SeqCst);
    }

    /// Whether writers of this tree must mind explicit key locks.
    pub(super) fn has_explicit(&self, tree: TreeId) -> bool {
        self.any_explicit.load(Ordering::SeqCst) > 0 && self.explicit.lock().contains_key(&tree)
    }

    /// Whether a view sees what this transaction wrote.
    #[inline]
    pub(super) fn sees(&self, view: View, writer: TxnId) -> bool {
        if view.own == Some(writer) {
            return true;
        }
        match self.commits.status(writer) {
            Status::BelowFloor => true,
            Status::Committed(at) => at <= view.at,
            Status::Running => false,
        }
    }

    /// The newest version of a key, whoever wrote it.
    pub(super) fn newest(&self, tree: TreeId, key: &[u8]) -> Result<Option<Version>, Error> {
        self.tree().get(tree, key, Version::read)?.transpose()
    }

    /// The version of a key that a view sees; a deleted key has none.
    pub(super) fn visible(&self, view: View, tree: TreeId, key: &[u8]) -> Result<Option<Version>, Error> {
        loop {
            let Some(newest) = self.newest(tree, key)? else {
                return Ok(None);
            };
            if self.sees(view, newest.header.writer) {
                return Ok(Some(newest).filter(|version| !version.header.tombstone));
            }
            match self.before(view.at, tree, key, &newest)? {
                Before::Found(old) => return Ok(Some(old).filter(|version| !version.header.tombstone)),
                Before::None => return Ok(None),
                // The writer is between its two steps, forward or back; it has only memory to touch.
                Before::OnItsWay => godb_txn::sync::thread::yield_now(),
            }
        }
    }

    /// What a view at `at` sees in place of a version that it does not see.
    fn before(&self, at: Timestamp, tree: TreeId, key: &[u8], newest: &Version) -> Result<Before, Error> {
        let Some(previous) = newest.header.previous else {
            return Ok(Before::None);
        };
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

    /// The newest version in the history that was committed at `at` or before.
    fn find_old(&self, at: Timestamp, tree: TreeId, key: &[u8]) -> Result<Option<Version>, Error> {
        let (from, to) = (keys::version(tree, key, at.raw()), keys::version(tree, key, 0));
        let range = Range {
            from: Bound::Included(&from),
            to: Bound::Included(&to),
            backward: false,
        };
        let mut cursor = self.tree().seek(self.trees.history, range)?;
        let mut found = None;
        while found.is_none() {
            let more = self.tree().next(&mut cursor, |_, value| {
                found = Some(Version::read(value));
                ControlFlow::Break(())
            })?;
            if !more {
                break;
            }
        }
        found.transpose()
    }

    /// Calls `show` with a stored value's bytes if they are visible without looking further; `None` when one must look further.
    #[inline]
    pub(super) fn at_once<R>(
        &self,
        view: View,
        value: Value<'_>,
        show: impl FnOnce(&[u8]) -> R,
    ) -> Result<AtOnce<R>, Error> {
        let (header, bytes) = Header::decode(value.inline).ok_or_else(not_a_version)?;
        if !self.sees(view, header.writer) {
            return Ok(if header.previous.is_some() {
                AtOnce::LookFurther
            } else {
                AtOnce::Invisible
            });
        }
        if header.tombstone {
            return Ok(AtOnce::Invisible);
        }
        Ok(if value.chain.is_some() {
            AtOnce::LookFurther
        } else {
            AtOnce::Shown(show(bytes))
        })
    }

    /// All bytes of a version, those of its chain included.
    pub(super) fn bytes(&self, version: Version) -> Result<Vec<u8>, Error> {
        let mut bytes = version.bytes;
        if let Some(chain) = version.chain {
            let start = bytes.len();
            let length = usize::try_from(chain.len).unwrap_or(usize::MAX);
            bytes.resize(start + length, 0);
            let (mut at, mut hint) = (0, None);
            while at < chain.len {
                let done = start + usize::try_from(at).unwrap_or(usize::MAX);
                let got = self.tree().read_chain(chain, at, &mut hint, &mut bytes[done..])?;
                if got == 0 {
                    return Err(not_a_version());
                }
                at += got as u64;
            }
        }
        Ok(bytes)
    }
}

/// What a glance at a stored value tells.
pub(super) enum AtOnce<R> {
    /// It was shown.
    Shown(R),
    /// The key has no value for this view.
    Invisible,
    /// An older version or a long value: to be read outside the latch.
    LookFurther,
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
