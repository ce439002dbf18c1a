//! [`Physical`]: how a query is answered, as a tree of algorithms. Columns are positions in an operator's input.

use super::logical::{AggregateCall, JoinKind, SetKind, SortKey};
use crate::catalog::{Index, Table};
use crate::expr::Expr;
use crate::system::SystemTable;
use crate::types::DataType;
use godb_mvcc::{Moment, Strength};
use std::sync::Arc;

/// One end of a range of values; the lower end is the smaller value, also where a key column is descending.
#[derive(Clone, Debug)]
pub struct KeyBound {
    /// Values for the next key column after the equal ones: one expression, without columns of this scan.
    pub value: Expr,
    /// The value itself belongs to the range.
    pub inclusive: bool,
}

/// Which part of a tree is read: the leading key columns are equal to values, the next may be bounded. Values are evaluated when
/// the scan opens (for an index join: for each outer row, over its columns); a NULL value matches nothing.
#[derive(Clone, Debug, Default)]
pub struct KeyRange {
    /// Values of the leading key columns.
    pub equal: Vec<Expr>,
    /// From here on the next one: its smallest value. A bounded column that is NULL is not in the range.
    pub from: Option<KeyBound>,
    /// Up to here: its largest value.
    pub to: Option<KeyBound>,
    /// Or: the leading key column is one of these (`IN`), each different value looked up once; then the other fields are empty.
    pub any_of: Vec<Expr>,
}

/// Where rows of a table come from.
#[derive(Clone, Debug)]
pub struct Source {
    /// The table.
    pub table: Arc<Table>,
    /// The name it goes by, for EXPLAIN.
    pub alias: String,
    /// Through this index; else through the table's own tree.
    pub index: Option<Arc<Index>>,
    /// Which part of that tree.
    pub range: KeyRange,
    /// From the last to the first.
    pub backward: bool,
    /// The columns produced, as positions in the table. With an index whose entries hold all of them, rows are not fetched.
    pub columns: Vec<usize>,
    /// Rows that are wanted, over the columns produced.
    pub filter: Option<Expr>,
    /// Read as of a moment of the past.
    pub as_of: Option<Moment>,
    /// Also produce, as one more last column of type bytea, the row's key: for UPDATE and DELETE.
    pub with_key: bool,
}

impl KeyRange {
    /// Whether it is the whole tree.
    #[must_use]
    pub fn is_everything(&self) -> bool {
        self.equal.is_empty() && self.from.is_none() && self.to.is_none() && self.any_of.is_empty()
    }
}

/// What the planner expects of an operator; shown by EXPLAIN.
#[derive(Clone, Copy, Debug, Default)]
pub struct Estimate {
    /// Rows.
    pub rows: f64,
    /// Cost up to the last row, in units of one sequential page read.
    pub cost: f64,
}

/// A node of a plan.
#[derive(Clone, Debug)]
pub struct Node {
    /// What it does.
    pub op: Physical,
    /// The types of its columns.
    pub types: Vec<DataType>,
    /// What the planner expects of it.
    pub estimate: Estimate,
}

/// An algorithm and its inputs.
#[derive(Clone, Debug)]
pub enum Physical {
    /// Rows written out.
    Values(Vec<Vec<Expr>>),
    /// Rows of a table.
    Scan(Source),
    /// Rows where it is true.
    Filter {
        /// From here.
        input: Box<Node>,
        /// The predicate.
        predicate: Expr,
    },
    /// New columns.
    Project {
        /// From here.
        input: Box<Node>,
        /// The columns.
        exprs: Vec<Expr>,
    },
    /// Builds a hash table of the right input by its keys, then probes it with the left. Output: left columns, then right (none of
    /// the right for semi and anti joins).
    HashJoin {
        /// How.
        kind: JoinKind,
        /// The probing input.
        left: Box<Node>,
        /// The input that is built.
        right: Box<Node>,
        /// Keys over the left columns.
        left_keys: Vec<Expr>,
        /// Keys over the right columns, of types that lie alike: the same, or both integers, or both text.
        right_keys: Vec<Expr>,
        /// What must hold besides, over left then right columns.
        residual: Option<Expr>,
    },
    /// For each row of the input, the rows of a subplan run with values of that row.
    Apply {
        /// From here.
        input: Box<Node>,
        /// The number of the subplan.
        plan: usize,
        /// What is passed in, over the input's columns.
        outer: Vec<Expr>,
        /// What must hold of a pair, over all columns.
        on: Option<Expr>,
        /// A row without a partner comes with NULLs.
        left: bool,
    },
    /// For each left row, every right row; the right is kept in memory or on disk.
    NestedLoopJoin {
        /// How.
        kind: JoinKind,
        /// The outer input.
        left: Box<Node>,
        /// The inner input.
        right: Box<Node>,
        /// The condition, over left then right columns.
        on: Option<Expr>,
    },
    /// For each left row, the rows of a table that its key range names. Output: left columns, then the source's.
    IndexJoin {
        /// Inner, left, semi or anti.
        kind: JoinKind,
        /// The outer input.
        left: Box<Node>,
        /// The inner table; its range's expressions are over the left columns, its filter over its own.
        source: Source,
        /// What must hold besides, over left then source columns.
        residual: Option<Expr>,
    },
    /// Groups by hashing. Output: groups, then aggregates. Without groups: exactly one row.
    HashAggregate {
        /// From here.
        input: Box<Node>,
        /// The grouping values.
        groups: Vec<Expr>,
        /// The aggregates.
        aggregates: Vec<AggregateCall>,
    },
    /// Each different row once; `on`: the first for each different value of these, in the order of the input.
    Distinct {
        /// From here.
        input: Box<Node>,
        /// `DISTINCT ON`.
        on: Vec<Expr>,
    },
    /// Sorts; spills to disk beyond the memory budget.
    Sort {
        /// From here.
        input: Box<Node>,
        /// The keys.
        keys: Vec<SortKey>,
    },
    /// The first rows of an order, kept in a heap.
    TopN {
        /// From here.
        input: Box<Node>,
        /// The keys.
        keys: Vec<SortKey>,
        /// How many; never NULL.
        limit: Expr,
        /// How many to skip.
        offset: Option<Expr>,
    },
    /// Some rows from somewhere on.
    Limit {
        /// From here.
        input: Box<Node>,
        /// How many; NULL is all.
        limit: Option<Expr>,
        /// How many to skip.
        offset: Option<Expr>,
    },
    /// A set operation. `Union` with `all` concatenates.
    Set {
        /// Which.
        kind: SetKind,
        /// Duplicates stay.
        all: bool,
        /// The first input.
        left: Box<Node>,
        /// The second input.
        right: Box<Node>,
    },
    /// How many rows a table has, by the engine's account of it: `SELECT count(*)` alone. Exactly one row.
    CountRows(Source),
    /// `generate_series`.
    Series(Vec<Expr>),
    /// The rows of a system relation.
    System(SystemTable),
}

/// What is done about a row that somebody else has locked. The later, the less patient.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Waiting {
    /// It is waited for.
    Wait,
    /// It is left out: `SKIP LOCKED`.
    Skip,
    /// The statement fails: `NOWAIT`.
    Refuse,
}

/// Rows of one table that a query locks.
#[derive(Clone, Debug)]
pub struct LockedRows {
    /// Of which table.
    pub table: Arc<Table>,
    /// The column of the plan that has their keys.
    pub key: usize,
    /// How strongly.
    pub strength: Strength,
    /// Whether to wait.
    pub waiting: Waiting,
}

/// What a query locks, row by row.
#[derive(Clone, Debug)]
pub struct RowLocks {
    /// The tables.
    pub tables: Vec<LockedRows>,
    /// How many rows to give out; they are counted after locking.
    pub limit: Option<Expr>,
    /// How many to leave out before.
    pub offset: Option<Expr>,
}

/// A query, ready to run.
#[derive(Clone, Debug)]
pub struct QueryPlan {
    /// The plan.
    pub root: Node,
    /// The names of its columns; their types are the root's. With locks the root has more columns, the keys.
    pub names: Vec<String>,
    /// What it locks: `FOR UPDATE` and its kin.
    pub locks: Option<RowLocks>,
    /// The plans of the subqueries in expressions, by [`Subquery::plan`](crate::expr::Subquery::plan).
    pub subplans: Vec<Node>,
}

/// A data-changing statement, ready to run.
#[derive(Clone, Debug)]
pub enum Change {
    /// INSERT.
    Insert {
        /// Into which table.
        table: Arc<Table>,
        /// The rows: one column for each column of the table, in its order, defaults filled in, cast for assignment.
        source: Node,
        /// What `ON CONFLICT` says.
        on_conflict: OnConflict,
    },
    /// UPDATE. The source produces the old row (all columns), its key (bytea), then the new values of the `set` columns. With FROM a row may
    /// come several times; the first time counts.
    Update {
        /// Which table.
        table: Arc<Table>,
        /// Positions of the columns that are set.
        set: Vec<usize>,
        /// The rows to change.
        source: Node,
    },
    /// DELETE. The source produces the old row (all columns) and its key (bytea).
    Delete {
        /// From which table.
        table: Arc<Table>,
        /// The rows to remove.
        source: Node,
    },
}

/// A key that must be unique in a table.
#[derive(Clone, Debug)]
pub enum UniqueKey {
    /// The primary key.
    Primary,
    /// That of a unique index.
    Index(Arc<Index>),
}

/// What INSERT does with a row whose key is there already.
#[derive(Clone, Debug)]
pub enum OnConflict {
    /// Refuses.
    Fail,
    /// Leaves the row out where this key (`None`: any unique key) is there already; other conflicts are refused.
    Nothing(Option<UniqueKey>),
    /// Updates the row that is there: expressions over its columns, then the new row's (`excluded`).
    Update {
        /// The unique key meant; conflicts with others are refused.
        target: UniqueKey,
        /// Column positions and their new values, cast for assignment.
        set: Vec<(usize, Expr)>,
        /// Only where this holds.
        filter: Option<Expr>,
    },
}

/// A bound and planned statement that reads or changes rows.
#[derive(Clone, Debug)]
pub enum StatementPlan {
    /// A query.
    Query(QueryPlan),
    /// A change, with what `RETURNING` computes over the changed rows' columns (for DELETE the old, else the new).
    Change {
        /// What it does.
        change: Change,
        /// The columns returned.
        returning: Vec<Expr>,
        /// Their names.
        names: Vec<String>,
        /// The plans of subqueries in expressions.
        subplans: Vec<Node>,
    },
}
