//! INSERT.

use super::change::{Changing, Input};
use super::conflict::check_rows;
use super::streaming::reads;
use super::upsert::Upsert;
use crate::catalog::Table;
use crate::error::Result;
use crate::plan::physical::{Node, OnConflict};
use std::sync::Arc;

/// Inserts the rows of `source`.
pub(super) fn insert(
    changing: &mut Changing<'_>,
    table: &Arc<Table>,
    source: &Node,
    on_conflict: &OnConflict,
) -> Result<()> {
    let collect = reads(changing.statement, source, table.id) > 0;
    let mut input = Input::new(changing, source, collect)?;
    let mut writer = changing.writer(table);
    if !matches!(on_conflict, OnConflict::Fail) {
        return Upsert::new(writer, on_conflict).insert(changing, &mut input);
    }
    while let Some(batch) = input.next(changing)? {
        check_rows(&changing.run(), table, &batch)?;
        writer.insert_all(changing.tx, &batch.columns, batch.rows)?;
        changing.changed(&batch)?;
    }
    Ok(())
}
