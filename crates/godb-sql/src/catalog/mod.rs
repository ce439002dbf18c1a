//! Tables, columns and indexes: what they are. How they are stored and found is in the files beside this one.

mod descriptor;
mod estimate;
mod role;
mod schema;
mod store;
mod view;

pub(crate) use descriptor::value_bytes;
pub use role::{FIRST_ROLE, Role};
pub(crate) use schema::{Known, Schema, SchemaCache, bind_checks};
pub(crate) use store::{Named, Stored, StoredMut, describe_table, describe_view};
pub use view::{StoredView, Use, UsedColumn, View};

use crate::expr::Expr;
use crate::types::DataType;
use godb_mvcc::TreeId;
use std::sync::Arc;

/// The number of a table, never used twice in a database.
pub type TableId = u32;

/// The number of a column within its table, never used twice there: a dropped column's number dies with it.
pub type ColumnId = u32;

/// A table as some moment sees it.
#[derive(Clone, Debug)]
pub struct Table {
    /// Its number.
    pub id: TableId,
    /// Its name, folded to lower case unless it was quoted.
    pub name: String,
    /// The tree of its rows.
    pub tree: TreeId,
    /// Raised by each ALTER. Rows name the version they were written under.
    pub version: u32,
    /// How many column numbers were in use under each version, up to this one: what a row of that version has.
    pub layouts: Arc<[u32]>,
    /// Its columns, in order.
    pub columns: Vec<TableColumn>,
    /// The columns of its primary key, as positions in `columns`; rows lie in this order. Empty: rows lie in insertion order.
    pub primary_key: Vec<usize>,
    /// The name of the primary key's constraint.
    pub primary_key_name: String,
    /// Its secondary indexes, those behind UNIQUE constraints included.
    pub indexes: Vec<Arc<Index>>,
    /// Its CHECK constraints.
    pub checks: Vec<Check>,
    /// Roughly how many rows it has, for the planner.
    pub row_estimate: u64,
}

impl Table {
    /// A new table without indexes and checks. Columns are numbered anew, from zero.
    #[must_use]
    pub fn new(
        id: TableId,
        name: &str,
        tree: TreeId,
        mut columns: Vec<TableColumn>,
        primary_key: Vec<usize>,
    ) -> Self {
        let mut count = 0;
        for column in &mut columns {
            column.id = count;
            count += 1;
        }
        for &position in &primary_key {
            columns[position].not_null = true;
        }
        Self {
            id,
            name: name.to_owned(),
            tree,
            version: 0,
            layouts: Arc::from([count]),
            columns,
            primary_key,
            primary_key_name: format!("{name}_pkey"),
            indexes: Vec::new(),
            checks: Vec::new(),
            row_estimate: 0,
        }
    }

    /// The position of the column of that name.
    #[must_use]
    pub fn position(&self, column: &str) -> Option<usize> {
        self.columns.iter().position(|candidate| candidate.name == column)
    }
}

/// A column of a table.
#[derive(Clone, Debug)]
pub struct TableColumn {
    /// Its number.
    pub id: ColumnId,
    /// Its name.
    pub name: String,
    /// Its type.
    pub ty: DataType,
    /// NULL is refused.
    pub not_null: bool,
    /// The text of its DEFAULT expression.
    pub default: Option<String>,
    /// The value that rows have which were written before the column was added.
    pub missing: crate::value::Value,
}

/// A secondary index: entries (indexed columns, then what identifies the row) in their own tree.
#[derive(Clone, Debug)]
pub struct Index {
    /// Its name.
    pub name: String,
    /// The tree of its entries.
    pub tree: TreeId,
    /// The indexed columns, as positions in the table's `columns`, each with "descending".
    pub columns: Vec<(usize, bool)>,
    /// No two rows may agree in all indexed columns, unless one of them is NULL.
    pub unique: bool,
    /// It stands for a UNIQUE constraint and is dropped with it alone.
    pub constraint: bool,
}

/// A CHECK constraint.
#[derive(Clone, Debug)]
pub struct Check {
    /// Its name.
    pub name: String,
    /// The text of its expression.
    pub text: String,
    /// The expression, bound over the table's columns by position.
    pub expr: Option<Expr>,
}

/// What the binder asks of the catalog: tables and views by name, as the statement's snapshot (or a moment of the past) sees them.
pub trait Catalog {
    /// The table of that name, or `None`.
    fn table(&self, name: &str) -> crate::error::Result<Option<Arc<Table>>>;
    /// The names of all tables, sorted.
    fn tables(&self) -> crate::error::Result<Vec<String>>;
    /// The view of that name, or `None`.
    fn view(&self, _name: &str) -> crate::error::Result<Option<Arc<View>>> {
        Ok(None)
    }
    /// The name that the table or view of that number has now.
    fn name_of(&self, _id: TableId) -> crate::error::Result<Option<String>> {
        Ok(None)
    }
}
