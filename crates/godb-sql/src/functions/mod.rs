//! Scalar functions, operators and aggregates: what each is called, takes, and does to columns.

mod advisory;
mod aggregate;
mod arithmetic;
pub(crate) mod array;
mod bits;
mod call;
mod comparison;
mod general;
mod number;
mod pattern;
mod resolve;
mod session;
mod table;
mod text;
mod time;

pub use call::Call;
pub use resolve::{
    all_functions, is_aggregate, resolve_aggregate, resolve_binary, resolve_function, resolve_unary,
    signatures,
};

pub use crate::cast::common_type;
pub use text::md5;

use crate::error::Result;
use crate::types::DataType;
use crate::vector::Column;
use std::fmt;
use std::sync::Arc;

/// Whether a function's result can change between calls.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Volatility {
    /// Depends on its arguments alone: may be folded into a constant.
    Immutable,
    /// Is the same throughout a statement: `now()`.
    Stable,
    /// May differ from row to row: `random()`.
    Volatile,
}

/// The code of a function: one result column from its argument columns. NULL arguments of a strict function never reach a
/// decision: the rows are computed or not, but the result is NULL there.
pub type Kernel = fn(&Call<'_>) -> Result<Column>;

/// A scalar function or an operator.
pub struct Function {
    /// Its name; an operator's symbol.
    pub name: &'static str,
    /// When its result can change.
    pub volatility: Volatility,
    /// NULL whenever an argument is NULL.
    pub strict: bool,
    /// What it does.
    pub kernel: Kernel,
}

impl fmt::Debug for Function {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name)
    }
}

/// A function or operator chosen for given argument types.
#[derive(Clone, Debug)]
pub struct Resolved {
    /// Which.
    pub function: &'static Function,
    /// What each argument must be cast to.
    pub takes: Vec<DataType>,
    /// What it returns.
    pub returns: DataType,
}

/// Accumulates an aggregate for many groups at once.
pub trait Accumulator: Send {
    /// Takes rows in: row `i` of `args` belongs to group `groups[i]`; groups are numbered densely from zero, `count` of them so far.
    fn update(&mut self, groups: &[u32], count: usize, args: &[Arc<Column>]) -> Result<()>;
    /// The results of groups `0..count`; groups never seen have the aggregate's empty value.
    fn finish(&mut self, count: usize) -> Result<Column>;
    /// Roughly how many bytes it holds.
    fn memory(&self) -> usize;
}

/// An aggregate function.
pub struct Aggregate {
    /// Its name.
    pub name: &'static str,
    /// Makes an accumulator for arguments of these types and a result of that type.
    pub accumulator: fn(takes: &[DataType], returns: DataType) -> Box<dyn Accumulator>,
}

impl fmt::Debug for Aggregate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name)
    }
}

/// An aggregate chosen for given argument types.
#[derive(Clone, Debug)]
pub struct ResolvedAggregate {
    /// Which.
    pub aggregate: &'static Aggregate,
    /// What each argument must be cast to. `count(*)` takes none.
    pub takes: Vec<DataType>,
    /// What it returns.
    pub returns: DataType,
}
