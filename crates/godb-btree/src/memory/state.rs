//! What a [`MemoryTree`](super::MemoryTree) remembers, and the one function that changes it.

use crate::codec::bad_record;
use crate::logical::Operation;
use crate::tree::{Chain, Value};
use godb_buffer::{Fault, Lsn, PageId, TreeId};
use std::collections::BTreeMap;

/// A value, owned.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Stored {
    pub(super) inline: Vec<u8>,
    pub(super) chain: Option<Chain>,
}

impl Stored {
    pub(super) fn as_value(&self) -> Value<'_> {
        Value {
            inline: &self.inline,
            chain: self.chain,
        }
    }
}

/// One tree. A destroyed tree stays as an empty, dead one, so that its id is never given out again.
#[derive(Debug, Default)]
pub(super) struct OneTree {
    /// The last change it has seen: the per-page LSN of this implementation, where a tree is a page.
    lsn: Lsn,
    alive: bool,
    pub(super) rows: BTreeMap<Vec<u8>, Stored>,
}

/// All trees and chains.
#[derive(Debug, Default)]
pub(super) struct State {
    trees: BTreeMap<TreeId, OneTree>,
    /// Chains by their head, each with the tree it belongs to.
    chains: BTreeMap<PageId, (TreeId, Vec<u8>)>,
    /// Heads given out so far.
    heads: u32,
    /// The position of the oldest change seen: everything since is needed to build this state again.
    pub(super) first: Option<Lsn>,
}

impl State {
    pub(super) fn tree(&self, tree: TreeId) -> Result<&OneTree, Fault> {
        self.trees
            .get(&tree)
            .filter(|found| found.alive)
            .ok_or_else(|| bad_record("no such tree"))
    }

    pub(super) fn living(&self) -> Vec<TreeId> {
        let living = self.trees.iter().filter(|(_, one)| one.alive);
        living.map(|(&id, _)| id).collect()
    }

    pub(super) fn next_tree(&self) -> TreeId {
        let last = self.trees.keys().next_back().map_or(1, |last| last.raw());
        TreeId::from_raw(last + 1)
    }

    pub(super) fn next_head(&mut self) -> PageId {
        self.heads += 1;
        PageId::from_raw(self.heads)
    }

    pub(super) fn chain(&self, head: PageId) -> Result<&[u8], Fault> {
        let found = self.chains.get(&head);
        found
            .map(|(_, bytes)| bytes.as_slice())
            .ok_or_else(|| bad_record("no such overflow chain"))
    }

    /// How many chains there are: a test of leaks.
    pub(super) fn chain_count(&self) -> usize {
        self.chains.len()
    }

    /// Makes one journaled change, when it is first made and whenever it is redone.
    pub(super) fn apply(&mut self, lsn: Lsn, tree: TreeId, operation: &Operation<'_>) {
        self.first = Some(self.first.map_or(lsn, |first| first.min(lsn)));
        let one = self.trees.entry(tree).or_default();
        if one.lsn >= lsn {
            return;
        }
        one.lsn = lsn;
        match *operation {
            Operation::Create => one.alive = true,
            Operation::Destroy => {
                one.alive = false;
                one.rows.clear();
                self.chains.retain(|_, (owner, _)| *owner != tree);
            }
            Operation::Put(key, value) => {
                let inline = value.inline.to_vec();
                let chain = value.chain;
                one.rows.insert(key.to_vec(), Stored { inline, chain });
            }
            Operation::Amend(key, cut, with) => {
                if let Some(row) = one.rows.get_mut(key) {
                    let cut = usize::from(cut).min(row.inline.len());
                    row.inline.splice(..cut, with.iter().copied());
                }
            }
            Operation::Remove(key) => {
                one.rows.remove(key);
            }
            Operation::RemoveRun(run) => run.keys().for_each(|key| {
                one.rows.remove(key);
            }),
            Operation::Extend(head, bytes) => {
                self.heads = self.heads.max(head.raw());
                let chain = self.chains.entry(head).or_insert_with(|| (tree, Vec::new()));
                chain.1.extend_from_slice(bytes);
            }
            Operation::Free(head) => {
                self.chains.remove(&head);
            }
            Operation::Release(key) => {
                if let Some(chain) = one.rows.remove(key).and_then(|old| old.chain) {
                    self.chains.remove(&chain.head);
                }
            }
        }
    }
}
