//! What the optimiser asks before it chooses: how many rows, at what cost. Answers are advice: they change speed, never results.

use crate::catalog::Table;

/// What is asked about one column of a table.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Condition {
    /// It equals some value.
    Equal,
    /// It equals one of so many values.
    OneOf(usize),
    /// It is below or above some value.
    Half,
    /// It lies between two values.
    Between,
    /// It is NULL.
    Null,
    /// It is like a pattern.
    Like,
    /// Anything else.
    Other,
}

/// Guesses how many rows come out.
pub trait CardinalityEstimator: Send + Sync {
    /// How many rows a table has.
    fn table_rows(&self, table: &Table) -> f64;
    /// How many different values a column has.
    fn distinct(&self, table: &Table, column: usize) -> f64;
    /// For which part of the rows a condition on a column holds, from 0 to 1.
    fn selectivity(&self, table: &Table, column: usize, condition: Condition) -> f64;
}

/// Says what algorithms cost, in units of one sequential page read.
pub trait CostModel: Send + Sync {
    /// Reading so many neighbouring rows of a tree, `width` columns each; `fetched` of them one by one from the table's own tree.
    fn scan(&self, rows: f64, width: usize, fetched: f64) -> f64;
    /// Going down a tree once.
    fn descend(&self) -> f64;
    /// Evaluating so many expressions.
    fn evaluate(&self, rows: f64, exprs: usize) -> f64;
    /// A hash join: `build` rows into a table, `probe` rows looked up, `out` rows made.
    fn hash_join(&self, build: f64, probe: f64, out: f64) -> f64;
    /// A nested loop of `outer` times `inner` rows.
    fn nested_loop(&self, outer: f64, inner: f64) -> f64;
    /// Sorting, or with a limit keeping the first `keep`.
    fn sort(&self, rows: f64, keep: f64) -> f64;
    /// Grouping.
    fn aggregate(&self, rows: f64, groups: f64) -> f64;
}

/// Guesses from a table's row count and keys alone.
#[derive(Clone, Copy, Debug, Default)]
pub struct DefaultEstimator;

/// Different values of a column that nothing is known about.
const UNKNOWN_DISTINCT: f64 = 200.0;

impl CardinalityEstimator for DefaultEstimator {
    fn table_rows(&self, table: &Table) -> f64 {
        // The planner meets a new table before rows are counted; treating it as empty would make every plan a scan.
        count(table.row_estimate).max(10.0)
    }

    fn distinct(&self, table: &Table, column: usize) -> f64 {
        let rows = self.table_rows(table);
        let alone = |columns: &[usize]| columns == [column];
        let unique = table
            .indexes
            .iter()
            .any(|i| i.unique && i.columns.len() == 1 && i.columns[0].0 == column);
        if alone(&table.primary_key) || unique {
            return rows;
        }
        if table.columns[column].ty == crate::types::DataType::Bool {
            return 2.0;
        }
        UNKNOWN_DISTINCT.min(rows)
    }

    fn selectivity(&self, table: &Table, column: usize, condition: Condition) -> f64 {
        match condition {
            Condition::Equal => 1.0 / self.distinct(table, column),
            Condition::OneOf(values) => {
                (count(u64::try_from(values).unwrap_or(u64::MAX)) / self.distinct(table, column)).min(1.0)
            }
            Condition::Half => 1.0 / 3.0,
            Condition::Between => 0.05,
            Condition::Null if table.columns[column].not_null => 0.0,
            Condition::Null => 0.01,
            Condition::Like => 0.05,
            Condition::Other => 1.0 / 3.0,
        }
    }
}

/// Costs measured on pages in memory.
#[derive(Clone, Copy, Debug, Default)]
pub struct DefaultCost;

/// Decoding one column of one row.
const COLUMN: f64 = 0.0005;
/// Stepping to the next row.
const ROW: f64 = 0.002;
/// Evaluating one expression for one row.
const EXPR: f64 = 0.0003;
/// Putting a row into a hash table, or looking one up.
const HASH: f64 = 0.003;
/// Going down a tree.
const DESCENT: f64 = 0.03;

impl CostModel for DefaultCost {
    fn scan(&self, rows: f64, width: usize, fetched: f64) -> f64 {
        rows * (ROW + COLUMN * small(width)) + fetched * DESCENT
    }

    fn descend(&self) -> f64 {
        DESCENT
    }

    fn evaluate(&self, rows: f64, exprs: usize) -> f64 {
        rows * EXPR * small(exprs)
    }

    fn hash_join(&self, build: f64, probe: f64, out: f64) -> f64 {
        build * 2.0 * HASH + probe * HASH + out * ROW
    }

    fn nested_loop(&self, outer: f64, inner: f64) -> f64 {
        outer * inner * EXPR * 2.0
    }

    fn sort(&self, rows: f64, keep: f64) -> f64 {
        rows * EXPR * 4.0 * (keep.min(rows) + 2.0).log2()
    }

    fn aggregate(&self, rows: f64, groups: f64) -> f64 {
        rows * HASH + groups * ROW
    }
}

#[expect(clippy::cast_precision_loss, reason = "an estimate")]
fn count(n: u64) -> f64 {
    n as f64
}

/// A small count as a factor.
pub(super) fn small(n: usize) -> f64 {
    count(u64::try_from(n).unwrap_or(u64::MAX))
}
