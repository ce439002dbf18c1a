//! [`Row`]: the versions of one key, and who has locked it.

use crate::engine::Strength;
use std::sync::Arc;

/// A value, or that the key was deleted.
pub(super) type Content = Option<Arc<[u8]>>;

/// The versions of one key.
#[derive(Default)]
pub(super) struct Row {
    /// Committed versions with their timestamps, oldest first.
    versions: Vec<(u64, Content)>,
    /// What a running transaction made of it.
    pending: Option<(u64, Content)>,
    /// Who has locked it.
    holders: Vec<(u64, Strength)>,
}

impl Row {
    /// What `owner` sees at `snapshot`.
    pub(super) fn visible(&self, owner: u64, snapshot: u64) -> Option<&Arc<[u8]>> {
        match &self.pending {
            Some((by, content)) if *by == owner => content.as_ref(),
            _ => self
                .versions
                .iter()
                .rev()
                .find(|(at, _)| *at <= snapshot)
                .and_then(|(_, content)| content.as_ref()),
        }
    }

    /// Whether a version was committed after `snapshot`.
    pub(super) fn changed_since(&self, snapshot: u64) -> bool {
        self.versions.last().is_some_and(|(at, _)| *at > snapshot)
    }

    /// Takes the lock for `owner`, unless somebody else holds it in a way that excludes that.
    pub(super) fn lock(&mut self, owner: u64, strength: Strength) -> bool {
        let excluded = self
            .holders
            .iter()
            .any(|(by, held)| *by != owner && !held.is_compatible_with(strength));
        if !excluded && !self.holders.contains(&(owner, strength)) {
            self.holders.push((owner, strength));
        }
        !excluded
    }

    /// Gives all locks of `owner` back.
    pub(super) fn unlock(&mut self, owner: u64) {
        self.holders.retain(|(by, _)| *by != owner);
    }

    /// Sets the uncommitted version; returns the one it replaces.
    pub(super) fn set_pending(&mut self, pending: Option<(u64, Content)>) -> Option<(u64, Content)> {
        std::mem::replace(&mut self.pending, pending)
    }

    /// Makes the uncommitted version of `owner` a committed one. A key that was made and deleted by the same transaction never was.
    pub(super) fn commit(&mut self, owner: u64, at: u64) {
        if let Some((_, content)) = self.pending.take_if(|(by, _)| *by == owner)
            && (content.is_some() || !self.versions.is_empty())
        {
            self.versions.push((at, content));
        }
    }

    /// Drops versions that nobody sees who looks at `horizon` or later; tells whether the row is empty then.
    pub(super) fn collect(&mut self, horizon: u64) -> bool {
        let seen = self
            .versions
            .iter()
            .rposition(|(at, _)| *at <= horizon)
            .unwrap_or(0);
        self.versions.drain(..seen);
        if let [(at, None)] = self.versions[..]
            && at <= horizon
        {
            self.versions.clear();
        }
        self.versions.is_empty() && self.pending.is_none() && self.holders.is_empty()
    }

    /// Whether there will be something to collect.
    pub(super) fn has_garbage(&self) -> bool {
        self.versions.len() > 1 || matches!(self.versions[..], [(_, None)]) || self.versions.is_empty()
    }
}
