//! Tables, columns and indexes: what they are. How they are stored and found is in the files beside this one.

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
    /// Its columns, in order.
    pub columns: Vec<TableColumn>,
    /// The columns of its primary key, as positions in `columns`; rows lie in this order. Empty: rows lie in insertion order.
    pub primary_key: Vec<usize>,
    /// Its secondary indexes, those behind UNIQUE constraints included.
    pub indexes: Vec<Arc<Index>>,
    /// Its CHECK constraints.
    pub checks: Vec<Check>,
    /// Roughly how many rows it has, for the planner.
    pub row_estimate: u64,
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

/// What the binder asks of the catalog: tables by name, as the statement's snapshot (or a moment of the past) sees them.
pub trait Catalog {
    /// The table of that name, or `None`.
    fn table(&self, name: &str) -> crate::error::Result<Option<Arc<Table>>>;
    /// The names of all tables, sorted.
    fn tables(&self) -> crate::error::Result<Vec<String>>;
}
