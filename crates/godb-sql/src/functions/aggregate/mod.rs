//! Aggregate functions, accumulated for many groups at once.
//!
//! The executor numbers the groups densely and hands over a batch with the group of each row. State lies in flat arrays, one
//! element a group, so that an update is a loop over the batch and not a walk over objects. A single group, by far the most
//! common number, has loops of its own that keep the state in registers. Sums of integers stay integers until the end, whatever
//! the type of the result: decimals are made once a group, not once a row.

mod average;
mod bits;
mod bools;
mod count;
mod decimal_sum;
mod deviation;
mod extreme;
mod groups;
mod strings;
mod sum;

use super::resolve::{Candidate, Choice, choose, no_function, taken};
use super::table::types::{ANY, BOOL, BYTEA, CHAR, DATE, F4, F8, I2, I4, I8, NUM, SPAN, TEXT, TS, TSTZ};
use super::{Accumulator, Aggregate, ResolvedAggregate};
use crate::error::{Result, SqlError, state};
use crate::types::DataType;

type Make = fn(takes: &[DataType], returns: DataType) -> Box<dyn Accumulator>;

/// One way to call an aggregate: a line of the table.
pub(super) struct AggregateEntry {
    /// The aggregate.
    pub(super) aggregate: Aggregate,
    takes: &'static [DataType],
    returns: DataType,
}

const fn entry(
    name: &'static str,
    takes: &'static [DataType],
    returns: DataType,
    accumulator: Make,
) -> AggregateEntry {
    AggregateEntry {
        aggregate: Aggregate { name, accumulator },
        takes,
        returns,
    }
}

/// A line for each of the statistics of a set of numbers: integers and decimals give a decimal, floats a float.
macro_rules! statistic {
    ($name:literal, $of_decimals:expr, $of_floats:expr) => {
        [
            entry($name, &[I2], NUM, $of_decimals),
            entry($name, &[I4], NUM, $of_decimals),
            entry($name, &[I8], NUM, $of_decimals),
            entry($name, &[NUM], NUM, $of_decimals),
            entry($name, &[F4], F8, $of_floats),
            entry($name, &[F8], F8, $of_floats),
        ]
    };
}

/// The statistics.
static STATISTICS: &[&[AggregateEntry]] = &[
    &statistic!(
        "stddev",
        deviation::decimal_stddev_samp,
        deviation::float_stddev_samp
    ),
    &statistic!(
        "stddev_samp",
        deviation::decimal_stddev_samp,
        deviation::float_stddev_samp
    ),
    &statistic!(
        "stddev_pop",
        deviation::decimal_stddev_pop,
        deviation::float_stddev_pop
    ),
    &statistic!("variance", deviation::decimal_var_samp, deviation::float_var_samp),
    &statistic!("var_samp", deviation::decimal_var_samp, deviation::float_var_samp),
    &statistic!("var_pop", deviation::decimal_var_pop, deviation::float_var_pop),
];

#[rustfmt::skip]
static PLAIN: &[AggregateEntry] = &[
    entry("count", &[], I8, count::rows), entry("count", &[ANY], I8, count::values),

    entry("sum", &[I2], I8, sum::ints), entry("sum", &[I4], I8, sum::ints), entry("sum", &[I8], NUM, sum::bigints),
    entry("sum", &[NUM], NUM, sum::decimals), entry("sum", &[F4], F4, sum::floats), entry("sum", &[F8], F8, sum::floats),
    entry("sum", &[SPAN], SPAN, sum::intervals),

    entry("avg", &[I2], NUM, average::ints), entry("avg", &[I4], NUM, average::ints), entry("avg", &[I8], NUM, average::ints),
    entry("avg", &[NUM], NUM, average::decimals), entry("avg", &[F4], F8, average::floats), entry("avg", &[F8], F8, average::floats),
    entry("avg", &[SPAN], SPAN, average::intervals),

    entry("min", &[I2], I2, extreme::least), entry("min", &[I4], I4, extreme::least), entry("min", &[I8], I8, extreme::least),
    entry("min", &[F4], F4, extreme::least), entry("min", &[F8], F8, extreme::least), entry("min", &[NUM], NUM, extreme::least),
    entry("min", &[TEXT], TEXT, extreme::least), entry("min", &[CHAR], CHAR, extreme::least),
    entry("min", &[DATE], DATE, extreme::least), entry("min", &[TS], TS, extreme::least), entry("min", &[TSTZ], TSTZ, extreme::least),
    entry("min", &[SPAN], SPAN, extreme::least),

    entry("max", &[I2], I2, extreme::greatest), entry("max", &[I4], I4, extreme::greatest), entry("max", &[I8], I8, extreme::greatest),
    entry("max", &[F4], F4, extreme::greatest), entry("max", &[F8], F8, extreme::greatest), entry("max", &[NUM], NUM, extreme::greatest),
    entry("max", &[TEXT], TEXT, extreme::greatest), entry("max", &[CHAR], CHAR, extreme::greatest),
    entry("max", &[DATE], DATE, extreme::greatest), entry("max", &[TS], TS, extreme::greatest), entry("max", &[TSTZ], TSTZ, extreme::greatest),
    entry("max", &[SPAN], SPAN, extreme::greatest),

    entry("string_agg", &[TEXT, TEXT], TEXT, strings::joined), entry("string_agg", &[BYTEA, BYTEA], BYTEA, strings::joined),

    entry("bool_and", &[BOOL], BOOL, bools::all), entry("every", &[BOOL], BOOL, bools::all), entry("bool_or", &[BOOL], BOOL, bools::any),

    entry("bit_and", &[I2], I2, bits::and), entry("bit_and", &[I4], I4, bits::and), entry("bit_and", &[I8], I8, bits::and),
    entry("bit_or", &[I2], I2, bits::or), entry("bit_or", &[I4], I4, bits::or), entry("bit_or", &[I8], I8, bits::or),
    entry("bit_xor", &[I2], I2, bits::xor), entry("bit_xor", &[I4], I4, bits::xor), entry("bit_xor", &[I8], I8, bits::xor),
];

/// Every line.
pub(super) fn entries() -> impl Iterator<Item = &'static AggregateEntry> {
    PLAIN
        .iter()
        .chain(STATISTICS.iter().flat_map(|table| table.iter()))
}

impl Candidate for &'static AggregateEntry {
    fn takes_at(self, index: usize) -> DataType {
        self.takes.get(index).copied().unwrap_or(ANY)
    }
}

/// The aggregate of that name for arguments of these types.
pub(super) fn resolve(name: &str, args: &[DataType]) -> Result<ResolvedAggregate> {
    let fits =
        |entry: &&'static AggregateEntry| entry.aggregate.name == name && entry.takes.len() == args.len();
    let candidates: Vec<&'static AggregateEntry> = entries().filter(fits).collect();
    match choose(&candidates, args) {
        Choice::One(entry) => {
            let takes: Vec<DataType> = args
                .iter()
                .enumerate()
                .map(|(at, given)| taken(entry.takes_at(at), *given))
                .collect();
            let returns = match (entry.returns, takes.first()) {
                (DataType::Char(_), Some(given)) => *given,
                (returns, _) => returns,
            };
            Ok(ResolvedAggregate {
                aggregate: &entry.aggregate,
                takes,
                returns,
            })
        }
        Choice::None => Err(no_function(name, args)),
        Choice::Many => {
            let names: Vec<&str> = args.iter().map(|ty| ty.name()).collect();
            Err(SqlError::new(
                state::AMBIGUOUS_FUNCTION,
                format!("function {name}({}) is not unique", names.join(", ")),
            )
            .hint("Could not choose a best candidate function. You might need to add explicit type casts."))
        }
    }
}
