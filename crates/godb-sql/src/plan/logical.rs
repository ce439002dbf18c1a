//! [`Logical`]: what a query asks for, as a tree of relational operators.

use crate::catalog::Table;
use crate::error::{Result, SqlError};
use crate::expr::Expr;
use crate::functions::ResolvedAggregate;
use crate::system::SystemTable;
use crate::types::DataType;
use godb_mvcc::Moment;
use std::sync::Arc;

/// A column that an operator produces: an id unique in the statement.
#[derive(Clone, Debug)]
pub struct OutputColumn {
    /// The id that [`Expr::Column`] names it by.
    pub id: u32,
    /// The name shown to the user.
    pub name: String,
    /// Its type.
    pub ty: DataType,
}

/// How two inputs are joined.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum JoinKind {
    /// Pairs that match.
    Inner,
    /// And left rows without a match, with NULLs.
    Left,
    /// And right rows without a match. The optimiser turns it into `Left`.
    Right,
    /// Both.
    Full,
    /// Left rows with a match, once.
    Semi,
    /// Left rows without a match.
    Anti,
    /// Left rows without a match, but none where NULLs make it unknown: `NOT IN`.
    NullAwareAnti,
}

/// One aggregate of an [`Logical::Aggregate`].
#[derive(Clone, Debug)]
pub struct AggregateCall {
    /// Which function.
    pub function: ResolvedAggregate,
    /// Its arguments, cast to what it takes.
    pub args: Vec<Expr>,
    /// Each different argument counts once.
    pub distinct: bool,
    /// Only rows where this is true count.
    pub filter: Option<Expr>,
    /// The order in which rows are taken in (for `string_agg`).
    pub order: Vec<SortKey>,
    /// The column it produces.
    pub output: OutputColumn,
}

/// One key of an order.
#[derive(Clone, Debug)]
pub struct SortKey {
    /// The value ordered by.
    pub expr: Expr,
    /// From the largest to the smallest.
    pub descending: bool,
    /// NULLs come before all values. PostgreSQL: by default exactly when descending.
    pub nulls_first: bool,
}

impl SortKey {
    /// Fails for what cannot be put in order: arrays lie as text, which has another order.
    ///
    /// # Errors
    /// `0A000`
    pub(crate) fn check_sortable(&self) -> Result<()> {
        match self.expr.data_type() {
            DataType::Array(_) => Err(SqlError::unsupported("ORDER BY an array")),
            _ => Ok(()),
        }
    }
}

/// Which set operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SetKind {
    /// Rows of either.
    Union,
    /// Rows of both.
    Intersect,
    /// Rows of the first that are not in the second.
    Except,
}

/// An expression and the column that it becomes.
pub type Projection = (Expr, OutputColumn);

/// A relational operator and its inputs.
#[derive(Clone, Debug)]
pub enum Logical {
    /// Rows written out. No row and no column: the input of a SELECT without FROM has one row and no column.
    Values {
        /// The rows.
        rows: Vec<Vec<Expr>>,
        /// Their columns.
        output: Vec<OutputColumn>,
    },
    /// A table.
    Scan {
        /// Which.
        table: Arc<Table>,
        /// The name it goes by in the statement.
        alias: String,
        /// The columns read: position in the table, and what each becomes.
        columns: Vec<(usize, OutputColumn)>,
        /// The row's key (bytea) as one more last column: for UPDATE and DELETE.
        key: Option<OutputColumn>,
        /// Rows that are wanted, over those columns.
        filter: Option<Expr>,
        /// Read as of a moment of the past.
        as_of: Option<Moment>,
    },
    /// Rows where the predicate is true.
    Filter {
        /// From here.
        input: Box<Logical>,
        /// The predicate.
        predicate: Expr,
    },
    /// New columns for each row.
    Project {
        /// From here.
        input: Box<Logical>,
        /// The columns.
        columns: Vec<Projection>,
    },
    /// Two inputs, side by side.
    Join {
        /// How.
        kind: JoinKind,
        /// The left input.
        left: Box<Logical>,
        /// The right input.
        right: Box<Logical>,
        /// The condition.
        on: Option<Expr>,
    },
    /// One row a group; without groups exactly one row.
    Aggregate {
        /// From here.
        input: Box<Logical>,
        /// The grouping values.
        groups: Vec<Projection>,
        /// The aggregates.
        aggregates: Vec<AggregateCall>,
    },
    /// Each different row once; with `on`, the first row for each different value of these.
    Distinct {
        /// From here.
        input: Box<Logical>,
        /// `DISTINCT ON`.
        on: Vec<Expr>,
    },
    /// In an order.
    Sort {
        /// From here.
        input: Box<Logical>,
        /// The keys, the most important first.
        keys: Vec<SortKey>,
    },
    /// Some rows from somewhere on. The counts are expressions without columns; NULL means no limit.
    Limit {
        /// From here.
        input: Box<Logical>,
        /// How many.
        limit: Option<Expr>,
        /// How many to skip.
        offset: Option<Expr>,
    },
    /// A set operation; both inputs have the same types.
    Set {
        /// Which.
        kind: SetKind,
        /// Duplicates stay.
        all: bool,
        /// The first input.
        left: Box<Logical>,
        /// The second input.
        right: Box<Logical>,
        /// The columns it produces.
        output: Vec<OutputColumn>,
    },
    /// For each row of the input, the rows of a subplan run with values of that row: `LATERAL`. Its columns come behind the input's.
    Apply {
        /// From here.
        input: Box<Logical>,
        /// The number of the subplan.
        plan: usize,
        /// What is passed in, over the input's columns.
        outer: Vec<Expr>,
        /// The columns of the subplan.
        output: Vec<OutputColumn>,
        /// A row without a partner comes with NULLs.
        left: bool,
        /// What must hold of a pair, over all columns.
        on: Option<Expr>,
    },
    /// `generate_series(from, to, step)`.
    Series {
        /// Start, stop, step: all of the output's type (or step an interval).
        args: Vec<Expr>,
        /// The column it produces.
        output: OutputColumn,
    },
    /// The rows of a system relation.
    System {
        /// Which.
        relation: SystemTable,
        /// All its columns.
        output: Vec<OutputColumn>,
    },
}
