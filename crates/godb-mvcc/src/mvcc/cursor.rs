//! [`MvccCursor`]: a scan that shows what one view sees.

use super::shared::{AtOnce, Shared, View};
use super::snapshots::Snapshot;
use crate::engine::{EngineCursor, ShowRow};
use crate::error::Error;
use godb_txn::{Range, Transactions, Tree, TreeId};
use std::ops::ControlFlow;
use std::sync::Arc;

/// A scan; its snapshot is kept while it lives.
pub(super) struct MvccCursor<T: Transactions> {
    shared: Arc<Shared<T>>,
    view: View,
    tree: TreeId,
    at: <T::Tree as Tree>::Cursor,
    _snapshot: Arc<Snapshot>,
}

/// Why a walk over a page stopped.
enum Stop {
    /// It did not.
    No,
    /// Whoever looks has seen enough.
    Enough,
    /// This key's value must be read outside the latch.
    At(Vec<u8>),
    /// A row is damaged.
    Failed(Error),
}

impl<T: Transactions> MvccCursor<T> {
    pub(super) fn open(
        shared: Arc<Shared<T>>,
        view: View,
        snapshot: Arc<Snapshot>,
        tree: TreeId,
        range: Range<'_>,
    ) -> Result<Self, Error> {
        let at = shared.tree().seek(tree, range)?;
        Ok(Self {
            shared,
            view,
            tree,
            at,
            _snapshot: snapshot,
        })
    }
}

impl<T: Transactions> EngineCursor for MvccCursor<T> {
    fn next(&mut self, show: &mut ShowRow<'_>) -> Result<bool, Error> {
        let mut stop = Stop::No;
        let (shared, view) = (&self.shared, self.view);
        let more = shared.tree().next(&mut self.at, |key, value| {
            match shared.at_once(view, value, |bytes| show(key, bytes)) {
                Ok(AtOnce::Shown(ControlFlow::Continue(())) | AtOnce::Invisible) => {
                    return ControlFlow::Continue(());
                }
                Ok(AtOnce::Shown(ControlFlow::Break(()))) => stop = Stop::Enough,
                Ok(AtOnce::LookFurther) => stop = Stop::At(key.to_vec()),
                Err(error) => stop = Stop::Failed(error),
            }
            ControlFlow::Break(())
        })?;
        match stop {
            Stop::No => Ok(more),
            Stop::Enough => Ok(true),
            Stop::Failed(error) => Err(error),
            Stop::At(key) => {
                if let Some(version) = shared.visible(view, self.tree, &key)? {
                    // Whether it wants more is heard at the next call.
                    let _ = show(&key, &shared.bytes(version)?);
                }
                Ok(true)
            }
        }
    }
}
