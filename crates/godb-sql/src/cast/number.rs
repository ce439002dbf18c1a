//! Conversions between numbers.

use crate::convert::{near_f64, to_single, whole_i64};
use crate::error::{Result, SqlError, state};
use crate::numeric::Numeric;
use crate::text::integer_bounds;
use crate::types::DataType;

/// The error for a number that does not fit an integer type.
#[cold]
pub(crate) fn out_of_range(ty: DataType) -> SqlError {
    SqlError::new(
        state::NUMERIC_VALUE_OUT_OF_RANGE,
        format!("{} out of range", ty.name()),
    )
}

/// The integer, if `ty` holds it.
#[inline]
pub(super) fn narrow(value: i64, ty: DataType) -> Result<i64> {
    let (low, high) = integer_bounds(ty);
    if value < low || value > high {
        Err(out_of_range(ty))
    } else {
        Ok(value)
    }
}

/// The nearest integer, the even one of two.
pub(crate) fn float_to_int(value: f64, ty: DataType) -> Result<i64> {
    let rounded = value.round_ties_even();
    // 2^63 itself does not fit; a float below it does.
    if rounded.is_nan() || !(-9_223_372_036_854_775_808.0..9_223_372_036_854_775_808.0).contains(&rounded) {
        return Err(out_of_range(ty));
    }
    narrow(whole_i64(rounded), ty)
}

/// A float as `real`.
pub(crate) fn round_single(value: f64) -> Result<f64> {
    let rounded = f64::from(to_single(value));
    if rounded.is_infinite() && value.is_finite() {
        return Err(SqlError::new(
            state::NUMERIC_VALUE_OUT_OF_RANGE,
            "value out of range: overflow",
        ));
    }
    if rounded == 0.0 && value != 0.0 {
        return Err(SqlError::new(
            state::NUMERIC_VALUE_OUT_OF_RANGE,
            "value out of range: underflow",
        ));
    }
    Ok(rounded)
}

/// An integer as a float type.
#[inline]
pub(super) fn int_to_float(value: i64, ty: DataType) -> f64 {
    match ty {
        DataType::Float4 => f64::from(to_single(near_f64(value))),
        _ => near_f64(value),
    }
}

/// A decimal as an integer type, halves away from zero.
pub(super) fn numeric_to_int(value: &Numeric, ty: DataType) -> Result<i64> {
    value
        .to_i64()
        .ok_or_else(|| out_of_range(ty))
        .and_then(|value| narrow(value, ty))
}

/// A decimal as a float type.
pub(super) fn numeric_to_float(value: &Numeric, ty: DataType) -> Result<f64> {
    let float = value.to_f64();
    if float.is_infinite() {
        let shown = value.to_string();
        let message = format!("\"{shown}\" is out of range for type {}", ty.name());
        return Err(SqlError::new(state::NUMERIC_VALUE_OUT_OF_RANGE, message));
    }
    if ty == DataType::Float4 {
        round_single(float)
    } else {
        Ok(float)
    }
}

/// A float as a decimal: as many digits as surely are in it.
pub(super) fn float_to_numeric(value: f64, from: DataType) -> Result<Numeric> {
    let digits = if from == DataType::Float4 { 6 } else { 15 };
    Numeric::from_f64(value, digits).ok_or_else(|| SqlError::unsupported("NaN and infinity as numeric"))
}

/// A decimal as `numeric(precision, scale)`.
pub(super) fn fit(value: Numeric, ty: DataType) -> Result<Numeric> {
    match ty {
        DataType::Numeric(Some((precision, scale))) => value.fit(precision, scale),
        _ => Ok(value),
    }
}
