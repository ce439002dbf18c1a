//! The numbers of rows in the file: between closing and opening, and when they have to be found out again.
//!
//! While there is a log, checkpoints remember the [numbers](super::counts). What has to outlive the log goes into the file header, where there is room for those of some
//! dozens of trees. Those of more lie in the history tree:
//!
//! ```text
//! u64 newest commit | for each tree: u64 tree | u64 rows
//! ```
//!
//! The rows say of which moment they are. If that is not the header's, which may have come back from the past, then all is counted anew.

use super::MvccEngine;
use super::note::{Note, tree_of};
use super::version::Header;
use crate::engine::Timestamp;
use crate::error::Error;
use godb_txn::{Range, Transactions, Tree, TreeId, Value};
use std::ops::ControlFlow;

/// The numbers of more trees do not go into the header.
const FEW: usize = if cfg!(test) { 4 } else { 100 };

/// How many share a row.
const SHARE: usize = if cfg!(test) { 3 } else { 32 };

impl<T: Transactions> MvccEngine<T> {
    /// Moves the numbers of many trees from the note to the history tree.
    pub(super) fn put_counts_apart(&self, note: &mut Note) -> Result<(), Error> {
        if note.counts.len() <= FEW {
            return Ok(());
        }
        let counts = std::mem::take(&mut note.counts);
        note.counts_apart = true;
        self.quietly(|by| {
            // An empty row is the last one.
            let rows = counts.chunks(SHARE).chain([&[][..]]);
            for (number, row) in (0..).zip(rows) {
                let bytes = encode(note.newest, row);
                let value = Value::inline(&bytes);
                self.tree()
                    .put(by, self.trees.history, &super::keys::counts(number), value)?;
            }
            Ok(())
        })
    }

    /// Takes in the numbers that lie apart, as of `newest`; counts all rows where they are of another moment.
    pub(super) fn find_counts(&self, newest: Timestamp) -> Result<(), Error> {
        let mut all = Vec::new();
        for number in 0.. {
            let decode = |value: Value<'_>| decode(value.inline);
            let row = self
                .tree()
                .get(self.trees.history, &super::keys::counts(number), decode)?;
            match row.flatten() {
                Some((at, row)) if at == newest => match row.is_empty() {
                    true => break,
                    false => all.extend(row),
                },
                _ => return self.recount(),
            }
        }
        self.commits.counts.add_all(newest, all);
        Ok(())
    }

    /// Counts all rows anew. For a database in which rows came or went other than by transactions: by damage, and by what mends it. Nobody else may use it meanwhile.
    ///
    /// # Errors
    /// Failures to read a tree.
    pub fn recount(&self) -> Result<(), Error> {
        let mut all = Vec::new();
        for tree in self.tree().trees()? {
            let (mut rows, mut dead) = (0, 0);
            let mut cursor = self.tree().seek(tree, Range::ALL)?;
            while self.tree().next(&mut cursor, |_, value| {
                if let Some((header, _)) = Header::decode(value.inline) {
                    rows += u64::from(!header.tombstone);
                    dead += u64::from(header.kept);
                }
                ControlFlow::Continue(())
            })? {}
            if tree != self.trees.history {
                all.extend([(tree, rows), (super::counts::dead(tree), dead)]);
            }
        }
        self.commits.counts.replace(self.commits.newest(), all);
        Ok(())
    }
}

fn encode(newest: Timestamp, counts: &[(TreeId, u64)]) -> Vec<u8> {
    let mut bytes = newest.raw().to_le_bytes().to_vec();
    for (tree, rows) in counts {
        bytes.extend_from_slice(&u64::from(tree.raw()).to_le_bytes());
        bytes.extend_from_slice(&rows.to_le_bytes());
    }
    bytes
}

fn decode(bytes: &[u8]) -> Option<(Timestamp, Vec<(TreeId, u64)>)> {
    let (words, []) = bytes.as_chunks::<8>() else {
        return None;
    };
    let (newest, counts) = words.split_first()?;
    let (counts, []) = counts.as_chunks::<2>() else {
        return None;
    };
    let count = |[tree, rows]: &[[u8; 8]; 2]| Some((tree_of(*tree)?, u64::from_le_bytes(*rows)));
    let counts = counts.iter().map(count).collect::<Option<_>>()?;
    Some((Timestamp(u64::from_le_bytes(*newest)), counts))
}
