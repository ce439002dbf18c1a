//! `godb_commits`: which transactions committed when. What stands there can be written after `AS OF SYSTEM TIME`.

use super::number;
use crate::storage::Storage;
use godb_sql::{Asking, DataType, SqlError, SystemRelation, Value};
use std::sync::Arc;

/// Rows are shown for so many commits at most, the newest.
const SHOWN: usize = 100_000;

/// The commits that are remembered, the newest first: with retention those whose moments can be asked for, else the few that somebody may still need.
pub(super) struct Commits(pub(super) Arc<Storage>);

impl SystemRelation for Commits {
    fn name(&self) -> &'static str {
        "godb_commits"
    }

    fn columns(&self) -> &[(&'static str, DataType)] {
        &[
            ("transaction_id", DataType::Int8),
            ("commit", DataType::Int8),
            ("committed_at", DataType::TimestampTz),
        ]
    }

    fn rows(&self, _asking: &Asking<'_>) -> Result<Vec<Vec<Value>>, SqlError> {
        let commits = self.0.versions().newest_commits(SHOWN)?;
        let row = |one: &godb_mvcc::Committed| {
            vec![
                number(one.id.raw()),
                number(one.at.raw()),
                Value::Int(one.wall_micros),
            ]
        };
        Ok(commits.iter().map(row).collect())
    }
}
