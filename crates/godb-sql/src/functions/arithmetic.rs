//! `+`, `-`, `*`, `/`, `%`, `^` and signs, for numbers. Integers that leave their type's range are refused, not wrapped.

use super::Call;
use super::call::{Floats, Ints};
use super::table::types::{F4, F8, I2, I4, I8, NUM};
use super::table::{Entry, entry};
use crate::cast::out_of_range;
use crate::convert::to_single;
use crate::error::{Result, SqlError, SqlState, state};
use crate::numeric::division_by_zero;
use crate::text::integer_bounds;
use crate::types::DataType;
use crate::value::Numeric;
use crate::vector::{Column, ColumnData};

/// The arithmetic operators.
#[rustfmt::skip]
pub(super) static TABLE: &[Entry] = &[
    entry("+", &[I2, I2], I2, add_ints), entry("+", &[I4, I4], I4, add_ints), entry("+", &[I8, I8], I8, add_ints),
    entry("+", &[F4, F4], F4, add_floats), entry("+", &[F8, F8], F8, add_floats), entry("+", &[F4, F8], F8, add_floats), entry("+", &[F8, F4], F8, add_floats),
    entry("+", &[NUM, NUM], NUM, add_numerics),

    entry("-", &[I2, I2], I2, subtract_ints), entry("-", &[I4, I4], I4, subtract_ints), entry("-", &[I8, I8], I8, subtract_ints),
    entry("-", &[F4, F4], F4, subtract_floats), entry("-", &[F8, F8], F8, subtract_floats), entry("-", &[F4, F8], F8, subtract_floats), entry("-", &[F8, F4], F8, subtract_floats),
    entry("-", &[NUM, NUM], NUM, subtract_numerics),

    entry("*", &[I2, I2], I2, multiply_ints), entry("*", &[I4, I4], I4, multiply_ints), entry("*", &[I8, I8], I8, multiply_ints),
    entry("*", &[F4, F4], F4, multiply_floats), entry("*", &[F8, F8], F8, multiply_floats), entry("*", &[F4, F8], F8, multiply_floats), entry("*", &[F8, F4], F8, multiply_floats),
    entry("*", &[NUM, NUM], NUM, multiply_numerics),

    entry("/", &[I2, I2], I2, divide_ints), entry("/", &[I4, I4], I4, divide_ints), entry("/", &[I8, I8], I8, divide_ints),
    entry("/", &[F4, F4], F4, divide_floats), entry("/", &[F8, F8], F8, divide_floats), entry("/", &[F4, F8], F8, divide_floats), entry("/", &[F8, F4], F8, divide_floats),
    entry("/", &[NUM, NUM], NUM, divide_numerics),

    entry("%", &[I2, I2], I2, remainder_ints), entry("%", &[I4, I4], I4, remainder_ints), entry("%", &[I8, I8], I8, remainder_ints),
    entry("%", &[NUM, NUM], NUM, remainder_numerics),

    entry("^", &[F8, F8], F8, power_floats), entry("^", &[NUM, NUM], NUM, power_numerics),

    entry("-", &[I2], I2, negate_ints), entry("-", &[I4], I4, negate_ints), entry("-", &[I8], I8, negate_ints),
    entry("-", &[F4], F4, negate_floats), entry("-", &[F8], F8, negate_floats), entry("-", &[NUM], NUM, negate_numerics),
    entry("+", &[I2], I2, same), entry("+", &[I4], I4, same), entry("+", &[I8], I8, same),
    entry("+", &[F4], F4, same), entry("+", &[F8], F8, same), entry("+", &[NUM], NUM, same),
    entry("@", &[I2], I2, abs_ints), entry("@", &[I4], I4, abs_ints), entry("@", &[I8], I8, abs_ints),
    entry("@", &[F4], F4, abs_floats), entry("@", &[F8], F8, abs_floats), entry("@", &[NUM], NUM, abs_numerics),
    entry("|/", &[F8], F8, sqrt), entry("||/", &[F8], F8, cbrt),
];

/// Combines integers row by row. `wrapping` gives a result and whether it left 64 bits; the type's own range is checked here.
///
/// The loop itself never branches on an error: it only gathers whether there was one. Then the rows are looked at again, for
/// rows that are NULL may hold anything.
#[inline]
fn combine_ints(call: &Call<'_>, wrapping: impl Fn(i64, i64) -> (i64, bool) + Copy) -> Result<Column> {
    let (a, b) = (call.ints(0), call.ints(1));
    let (low, high) = integer_bounds(call.returns);
    let checked = |a: i64, b: i64, bad: &mut bool| {
        let (value, overflow) = wrapping(a, b);
        *bad |= overflow | (value < low) | (value > high);
        value
    };
    let mut bad = false;
    let values = zip_ints(a, b, call.rows, |a, b| checked(a, b, &mut bad));
    if bad {
        refuse_overflow(call, |row| {
            let mut bad = false;
            checked(*a.at(row), *b.at(row), &mut bad);
            bad
        })?;
    }
    Ok(Column::new(ColumnData::Int(values)))
}

#[inline]
fn zip_ints(a: Ints<'_>, b: Ints<'_>, rows: usize, mut combine: impl FnMut(i64, i64) -> i64) -> Vec<i64> {
    match (a.constant, b.constant) {
        (false, false) => a
            .values
            .iter()
            .zip(b.values)
            .map(|(a, b)| combine(*a, *b))
            .collect(),
        (false, true) => {
            let b = b.values[0];
            a.values.iter().map(|a| combine(*a, b)).collect()
        }
        (true, false) => {
            let a = a.values[0];
            b.values.iter().map(|b| combine(a, *b)).collect()
        }
        (true, true) => vec![combine(a.values[0], b.values[0]); rows],
    }
}

/// Fails when the overflow was in a row that counts.
#[cold]
fn refuse_overflow(call: &Call<'_>, is_bad: impl Fn(usize) -> bool) -> Result<()> {
    if (0..call.rows).any(|row| call.wanted(row) && is_bad(row)) {
        return Err(out_of_range(call.returns));
    }
    Ok(())
}

pub(super) fn add_ints(call: &Call<'_>) -> Result<Column> {
    combine_ints(call, i64::overflowing_add)
}

pub(super) fn subtract_ints(call: &Call<'_>) -> Result<Column> {
    combine_ints(call, i64::overflowing_sub)
}

fn multiply_ints(call: &Call<'_>) -> Result<Column> {
    if call.returns == DataType::Int8 {
        return combine_ints(call, i64::overflowing_mul);
    }
    // Products of 32-bit numbers never leave 64 bits; only rows that are NULL may hold larger ones.
    combine_ints(call, |a, b| (a.wrapping_mul(b), false))
}

pub(super) fn divide_ints(call: &Call<'_>) -> Result<Column> {
    let (a, b) = (call.ints(0), call.ints(1));
    if b.constant && !matches!(b.values[0], 0 | -1) {
        let by = b.values[0];
        return Ok(Column::new(ColumnData::Int(zip_ints(a, b, call.rows, |a, _| {
            a / by
        }))));
    }
    call.each_int(|row| match (*a.at(row), *b.at(row)) {
        (_, 0) => Err(division_by_zero()),
        (a, -1) => a
            .checked_neg()
            .filter(|value| *value <= integer_bounds(call.returns).1)
            .ok_or_else(|| out_of_range(call.returns)),
        (a, b) => Ok(a / b),
    })
}

pub(super) fn remainder_ints(call: &Call<'_>) -> Result<Column> {
    let (a, b) = (call.ints(0), call.ints(1));
    call.each_int(|row| match (*a.at(row), *b.at(row)) {
        (_, 0) => Err(division_by_zero()),
        (a, b) => Ok(a.wrapping_rem(b)),
    })
}

fn negate_ints(call: &Call<'_>) -> Result<Column> {
    let (values, (_, high)) = (call.ints(0), integer_bounds(call.returns));
    call.each_int(|row| {
        let negated = values.at(row).checked_neg().filter(|value| *value <= high);
        negated.ok_or_else(|| out_of_range(call.returns))
    })
}

pub(super) fn abs_ints(call: &Call<'_>) -> Result<Column> {
    let (values, (_, high)) = (call.ints(0), integer_bounds(call.returns));
    call.each_int(|row| {
        let size = values.at(row).checked_abs().filter(|value| *value <= high);
        size.ok_or_else(|| out_of_range(call.returns))
    })
}

/// Combines floats row by row. An infinite result of finite operands, or a vanished one where `vanishes` says so, is refused.
#[inline]
fn combine_floats(
    call: &Call<'_>,
    combine: impl Fn(f64, f64) -> f64 + Copy,
    vanishes: impl Fn(f64, f64) -> bool + Copy,
) -> Result<Column> {
    let (a, b) = (call.floats(0), call.floats(1));
    let single = call.returns == DataType::Float4;
    let rounded = |a, b| {
        if single {
            f64::from(to_single(combine(a, b)))
        } else {
            combine(a, b)
        }
    };
    let odd = |value: f64, a, b| !value.is_finite() | ((value == 0.0) & vanishes(a, b));
    let mut bad = false;
    let values = zip_floats(a, b, call.rows, |a, b| {
        let value = rounded(a, b);
        bad |= odd(value, a, b);
        value
    });
    if bad {
        for (row, value) in values.iter().enumerate() {
            if call.wanted(row) {
                check_float(*value, *a.at(row), *b.at(row), vanishes)?;
            }
        }
    }
    Ok(Column::new(ColumnData::Float(values)))
}

#[inline]
fn zip_floats(
    a: Floats<'_>,
    b: Floats<'_>,
    rows: usize,
    mut combine: impl FnMut(f64, f64) -> f64,
) -> Vec<f64> {
    match (a.constant, b.constant) {
        (false, false) => a
            .values
            .iter()
            .zip(b.values)
            .map(|(a, b)| combine(*a, *b))
            .collect(),
        (false, true) => {
            let b = b.values[0];
            a.values.iter().map(|a| combine(*a, b)).collect()
        }
        (true, false) => {
            let a = a.values[0];
            b.values.iter().map(|b| combine(a, *b)).collect()
        }
        (true, true) => vec![combine(a.values[0], b.values[0]); rows],
    }
}

#[cold]
fn check_float(value: f64, a: f64, b: f64, vanishes: impl Fn(f64, f64) -> bool) -> Result<()> {
    if value.is_infinite() && a.is_finite() && b.is_finite() {
        return Err(overflow());
    }
    if value == 0.0 && vanishes(a, b) {
        return Err(underflow());
    }
    Ok(())
}

/// The error for a float that is too large.
#[cold]
pub(super) fn overflow() -> SqlError {
    SqlError::new(state::NUMERIC_VALUE_OUT_OF_RANGE, "value out of range: overflow")
}

/// The error for a float that is too near zero.
#[cold]
pub(super) fn underflow() -> SqlError {
    SqlError::new(state::NUMERIC_VALUE_OUT_OF_RANGE, "value out of range: underflow")
}

fn add_floats(call: &Call<'_>) -> Result<Column> {
    combine_floats(call, |a, b| a + b, |_, _| false)
}

fn subtract_floats(call: &Call<'_>) -> Result<Column> {
    combine_floats(call, |a, b| a - b, |_, _| false)
}

fn multiply_floats(call: &Call<'_>) -> Result<Column> {
    combine_floats(call, |a, b| a * b, |a, b| (a != 0.0) & (b != 0.0))
}

fn divide_floats(call: &Call<'_>) -> Result<Column> {
    let (a, b) = (call.floats(0), call.floats(1));
    let zero = |row: usize| *b.at(row) == 0.0 && !a.at(row).is_nan();
    if b.values.contains(&0.0) && (0..call.rows).any(|row| call.wanted(row) && zero(row)) {
        return Err(division_by_zero());
    }
    combine_floats(call, |a, b| a / b, |a, b| (a != 0.0) & b.is_finite())
}

fn negate_floats(call: &Call<'_>) -> Result<Column> {
    let values = call.floats(0);
    call.each_float(|row| Ok(-values.at(row)))
}

pub(super) fn abs_floats(call: &Call<'_>) -> Result<Column> {
    let values = call.floats(0);
    call.each_float(|row| Ok(values.at(row).abs()))
}

fn sqrt(call: &Call<'_>) -> Result<Column> {
    let values = call.floats(0);
    call.each_float(|row| sqrt_of(*values.at(row)))
}

/// The square root.
pub(super) fn sqrt_of(value: f64) -> Result<f64> {
    if value < 0.0 {
        return Err(SqlError::new(
            SqlState("2201F"),
            "cannot take square root of a negative number",
        ));
    }
    Ok(value.sqrt())
}

pub(super) fn cbrt(call: &Call<'_>) -> Result<Column> {
    let values = call.floats(0);
    call.each_float(|row| Ok(values.at(row).cbrt()))
}

pub(super) fn power_floats(call: &Call<'_>) -> Result<Column> {
    let (a, b) = (call.floats(0), call.floats(1));
    call.each_float(|row| power_of(*a.at(row), *b.at(row)))
}

fn power_of(base: f64, exponent: f64) -> Result<f64> {
    let undefined = |message: &str| Err(SqlError::new(SqlState("2201F"), message));
    if base == 0.0 && exponent < 0.0 {
        return undefined("zero raised to a negative power is undefined");
    }
    if base < 0.0 && exponent.is_finite() && exponent.fract() != 0.0 {
        return undefined("a negative number raised to a non-integer power yields a complex result");
    }
    let power = base.powf(exponent);
    if power.is_infinite() && base.is_finite() && exponent.is_finite() {
        return Err(overflow());
    }
    if power == 0.0 && base != 0.0 && base.is_finite() && exponent.is_finite() {
        return Err(underflow());
    }
    Ok(power)
}

#[inline]
fn combine_numerics(
    call: &Call<'_>,
    combine: impl Fn(&Numeric, &Numeric) -> Result<Numeric>,
) -> Result<Column> {
    let (a, b) = (call.numerics(0), call.numerics(1));
    call.each_numeric(|row| combine(a.at(row), b.at(row)))
}

fn add_numerics(call: &Call<'_>) -> Result<Column> {
    combine_numerics(call, |a, b| (a + b).checked())
}

fn subtract_numerics(call: &Call<'_>) -> Result<Column> {
    combine_numerics(call, |a, b| (a - b).checked())
}

fn multiply_numerics(call: &Call<'_>) -> Result<Column> {
    combine_numerics(call, |a, b| (a * b).checked())
}

fn divide_numerics(call: &Call<'_>) -> Result<Column> {
    combine_numerics(call, |a, b| a.divide(b)?.checked())
}

pub(super) fn remainder_numerics(call: &Call<'_>) -> Result<Column> {
    combine_numerics(call, Numeric::remainder)
}

pub(super) fn power_numerics(call: &Call<'_>) -> Result<Column> {
    combine_numerics(call, Numeric::power)
}

fn negate_numerics(call: &Call<'_>) -> Result<Column> {
    let values = call.numerics(0);
    call.each_numeric(|row| Ok(-values.at(row)))
}

pub(super) fn abs_numerics(call: &Call<'_>) -> Result<Column> {
    let values = call.numerics(0);
    call.each_numeric(|row| Ok(values.at(row).abs()))
}

/// What was given.
pub(super) fn same(call: &Call<'_>) -> Result<Column> {
    Ok(Column::clone(&call.args[0]))
}
