//! Functions of numbers.

use super::Call;
use super::arithmetic::{
    abs_floats, abs_ints, abs_numerics, cbrt, overflow, power_floats, power_numerics, remainder_ints,
    remainder_numerics, sqrt_of, underflow,
};
use super::table::types::{F4, F8, I2, I4, I8, NUM};
use super::table::{Entry, entry};
use crate::cast::out_of_range;
use crate::convert::{low_i64, near_f64};
use crate::error::{Result, SqlError, SqlState, state};
use crate::numeric::division_by_zero;
use crate::text::integer_bounds;
use crate::types::DataType;
use crate::value::Numeric;
use crate::vector::Column;
use std::cmp::Ordering;

/// The functions of numbers.
#[rustfmt::skip]
pub(super) static TABLE: &[Entry] = &[
    entry("abs", &[I2], I2, abs_ints), entry("abs", &[I4], I4, abs_ints), entry("abs", &[I8], I8, abs_ints),
    entry("abs", &[F4], F4, abs_floats), entry("abs", &[F8], F8, abs_floats), entry("abs", &[NUM], NUM, abs_numerics),

    entry("ceil", &[F8], F8, ceil_floats), entry("ceil", &[NUM], NUM, ceil_numerics),
    entry("ceiling", &[F8], F8, ceil_floats), entry("ceiling", &[NUM], NUM, ceil_numerics),
    entry("floor", &[F8], F8, floor_floats), entry("floor", &[NUM], NUM, floor_numerics),
    entry("round", &[F8], F8, round_floats), entry("round", &[NUM], NUM, round_numerics), entry("round", &[NUM, I4], NUM, round_to),
    entry("trunc", &[F8], F8, trunc_floats), entry("trunc", &[NUM], NUM, trunc_numerics), entry("trunc", &[NUM, I4], NUM, trunc_to),
    entry("sign", &[F8], F8, sign_floats), entry("sign", &[NUM], NUM, sign_numerics),

    entry("sqrt", &[F8], F8, sqrt_floats), entry("sqrt", &[NUM], NUM, sqrt_numerics), entry("cbrt", &[F8], F8, cbrt),
    entry("exp", &[F8], F8, exp_floats), entry("exp", &[NUM], NUM, exp_numerics),
    entry("ln", &[F8], F8, ln_floats), entry("ln", &[NUM], NUM, ln_numerics),
    entry("log", &[F8], F8, log_floats), entry("log", &[NUM], NUM, log_numerics), entry("log", &[NUM, NUM], NUM, log_to_base),
    entry("log10", &[F8], F8, log_floats), entry("log10", &[NUM], NUM, log_numerics),
    entry("power", &[F8, F8], F8, power_floats), entry("power", &[NUM, NUM], NUM, power_numerics),
    entry("pow", &[F8, F8], F8, power_floats), entry("pow", &[NUM, NUM], NUM, power_numerics),

    entry("mod", &[I2, I2], I2, remainder_ints), entry("mod", &[I4, I4], I4, remainder_ints), entry("mod", &[I8, I8], I8, remainder_ints),
    entry("mod", &[NUM, NUM], NUM, remainder_numerics), entry("div", &[NUM, NUM], NUM, whole_quotient),
    entry("gcd", &[I4, I4], I4, gcd_ints), entry("gcd", &[I8, I8], I8, gcd_ints), entry("gcd", &[NUM, NUM], NUM, gcd_numerics),
    entry("lcm", &[I4, I4], I4, lcm_ints), entry("lcm", &[I8, I8], I8, lcm_ints), entry("lcm", &[NUM, NUM], NUM, lcm_numerics),
    entry("factorial", &[I8], NUM, factorial),
    entry("scale", &[NUM], I4, scale), entry("min_scale", &[NUM], I4, min_scale), entry("trim_scale", &[NUM], NUM, trim_scale),
    entry("width_bucket", &[F8, F8, F8, I4], I4, bucket_floats), entry("width_bucket", &[NUM, NUM, NUM, I4], I4, bucket_numerics),

    entry("pi", &[], F8, pi), entry("random", &[], F8, random).volatile(),
    entry("degrees", &[F8], F8, degrees), entry("radians", &[F8], F8, radians),
    entry("sin", &[F8], F8, sin), entry("cos", &[F8], F8, cos), entry("tan", &[F8], F8, tan), entry("cot", &[F8], F8, cot),
    entry("asin", &[F8], F8, asin), entry("acos", &[F8], F8, acos), entry("atan", &[F8], F8, atan), entry("atan2", &[F8, F8], F8, atan2),
    entry("sinh", &[F8], F8, sinh), entry("cosh", &[F8], F8, cosh), entry("tanh", &[F8], F8, tanh),
];

/// Functions of one float, by what they do to it.
macro_rules! of_floats {
    ($($name:ident = $value:expr;)*) => {
        $(fn $name(call: &Call<'_>) -> Result<Column> {
            let values = call.floats(0);
            let value: fn(f64) -> Result<f64> = $value;
            call.each_float(|row| value(*values.at(row)))
        })*
    };
}

of_floats! {
    ceil_floats = |x| Ok(x.ceil());
    floor_floats = |x| Ok(x.floor());
    round_floats = |x| Ok(x.round_ties_even());
    trunc_floats = |x| Ok(x.trunc());
    sign_floats = |x| Ok(if x == 0.0 || x.is_nan() { x } else { x.signum() });
    sqrt_floats = sqrt_of;
    exp_floats = |x| within(x.exp(), x);
    ln_floats = |x| require_positive(x).map(f64::ln);
    log_floats = |x| require_positive(x).map(f64::log10);
    degrees = |x| within(x.to_degrees(), x);
    radians = |x| within(x.to_radians(), x);
    sin = |x| angle(x).map(f64::sin);
    cos = |x| angle(x).map(f64::cos);
    tan = |x| angle(x).map(f64::tan);
    cot = |x| angle(x).map(|x| 1.0 / x.tan());
    asin = |x| ratio(x).map(f64::asin);
    acos = |x| ratio(x).map(f64::acos);
    atan = |x| Ok(x.atan());
    sinh = |x| Ok(x.sinh());
    cosh = |x| Ok(x.cosh());
    tanh = |x| Ok(x.tanh());
}

/// Functions of one decimal.
macro_rules! of_numerics {
    ($($name:ident = $value:expr;)*) => {
        $(fn $name(call: &Call<'_>) -> Result<Column> {
            let values = call.numerics(0);
            let value: fn(&Numeric) -> Result<Numeric> = $value;
            call.each_numeric(|row| value(values.at(row)))
        })*
    };
}

of_numerics! {
    ceil_numerics = |x| Ok(x.ceil());
    floor_numerics = |x| Ok(x.floor());
    round_numerics = |x| Ok(x.round(0));
    trunc_numerics = |x| Ok(x.truncate(0));
    sign_numerics = |x| Ok(Numeric::from(match x.sign() {
        Ordering::Less => -1,
        Ordering::Equal => 0,
        Ordering::Greater => 1,
    }));
    sqrt_numerics = Numeric::sqrt;
    exp_numerics = Numeric::exp;
    ln_numerics = Numeric::ln;
    log_numerics = |x| x.log(&Numeric::from(10));
    trim_scale = |x| Ok(x.trimmed());
}

fn within(result: f64, of: f64) -> Result<f64> {
    if result.is_infinite() && of.is_finite() {
        return Err(overflow());
    }
    if result == 0.0 && of.is_finite() && of != 0.0 {
        return Err(underflow());
    }
    Ok(result)
}

fn require_positive(value: f64) -> Result<f64> {
    let message = if value == 0.0 {
        "cannot take logarithm of zero"
    } else if value < 0.0 {
        "cannot take logarithm of a negative number"
    } else {
        return Ok(value);
    };
    Err(SqlError::new(SqlState("2201E"), message))
}

fn angle(value: f64) -> Result<f64> {
    if value.is_infinite() {
        Err(out_of_domain())
    } else {
        Ok(value)
    }
}

fn ratio(value: f64) -> Result<f64> {
    if value.abs() > 1.0 {
        Err(out_of_domain())
    } else {
        Ok(value)
    }
}

#[cold]
fn out_of_domain() -> SqlError {
    SqlError::new(state::NUMERIC_VALUE_OUT_OF_RANGE, "input is out of range")
}

fn atan2(call: &Call<'_>) -> Result<Column> {
    let (y, x) = (call.floats(0), call.floats(1));
    call.each_float(|row| Ok(y.at(row).atan2(*x.at(row))))
}

/// The places that rounding can ask for, as PostgreSQL limits them: the most digits that a number has before and behind the point.
const ROUND_SCALES: (i64, i64) = (-131_072, 16_383);

fn round_to(call: &Call<'_>) -> Result<Column> {
    let (values, places) = (call.numerics(0), call.ints(1));
    call.each_numeric(|row| {
        Ok(values
            .at(row)
            .round((*places.at(row)).clamp(ROUND_SCALES.0, ROUND_SCALES.1)))
    })
}

fn trunc_to(call: &Call<'_>) -> Result<Column> {
    let (values, places) = (call.numerics(0), call.ints(1));
    call.each_numeric(|row| {
        Ok(values
            .at(row)
            .truncate((*places.at(row)).clamp(ROUND_SCALES.0, ROUND_SCALES.1)))
    })
}

fn log_to_base(call: &Call<'_>) -> Result<Column> {
    let (base, values) = (call.numerics(0), call.numerics(1));
    call.each_numeric(|row| values.at(row).log(base.at(row)))
}

fn whole_quotient(call: &Call<'_>) -> Result<Column> {
    let (a, b) = (call.numerics(0), call.numerics(1));
    call.each_numeric(|row| a.at(row).divide_whole(b.at(row)))
}

fn greatest_common(mut a: u64, mut b: u64) -> u64 {
    while b != 0 {
        (a, b) = (b, a % b);
    }
    a
}

fn gcd_ints(call: &Call<'_>) -> Result<Column> {
    let (a, b) = (call.ints(0), call.ints(1));
    call.each_int(|row| {
        let common = greatest_common(a.at(row).unsigned_abs(), b.at(row).unsigned_abs());
        narrow(i128::from(common), call.returns)
    })
}

fn lcm_ints(call: &Call<'_>) -> Result<Column> {
    let (a, b) = (call.ints(0), call.ints(1));
    call.each_int(|row| {
        let (a, b) = (a.at(row).unsigned_abs(), b.at(row).unsigned_abs());
        if a == 0 || b == 0 {
            return Ok(0);
        }
        narrow(
            i128::from(a / greatest_common(a, b)) * i128::from(b),
            call.returns,
        )
    })
}

fn narrow(value: i128, ty: DataType) -> Result<i64> {
    let (low, high) = integer_bounds(ty);
    if (i128::from(low)..=i128::from(high)).contains(&value) {
        Ok(low_i64(value))
    } else {
        Err(out_of_range(ty))
    }
}

fn common_numeric(a: &Numeric, b: &Numeric) -> Result<Numeric> {
    let scale = i64::from(a.scale().max(b.scale()));
    let (mut a, mut b) = (a.abs(), b.abs());
    while !b.is_zero() {
        (a, b) = (b.clone(), a.remainder(&b)?);
    }
    Ok(a.round(scale))
}

fn gcd_numerics(call: &Call<'_>) -> Result<Column> {
    let (a, b) = (call.numerics(0), call.numerics(1));
    call.each_numeric(|row| common_numeric(a.at(row), b.at(row)))
}

fn lcm_numerics(call: &Call<'_>) -> Result<Column> {
    let (a, b) = (call.numerics(0), call.numerics(1));
    call.each_numeric(|row| {
        let (a, b) = (a.at(row), b.at(row));
        let scale = i64::from(a.scale().max(b.scale()));
        let common = common_numeric(a, b)?;
        if common.is_zero() {
            return Ok(common);
        }
        Ok((&a.divide_whole(&common)? * b).abs().round(scale))
    })
}

/// The largest number whose factorial fits a decimal.
const MAX_FACTORIAL: i64 = 32_177;

fn factorial(call: &Call<'_>) -> Result<Column> {
    let values = call.ints(0);
    call.each_numeric(|row| {
        let n = *values.at(row);
        if n < 0 {
            let message = "factorial of a negative number is undefined";
            return Err(SqlError::new(state::NUMERIC_VALUE_OUT_OF_RANGE, message));
        }
        if n > MAX_FACTORIAL {
            return Err(SqlError::new(
                state::NUMERIC_VALUE_OUT_OF_RANGE,
                "value overflows numeric format",
            ));
        }
        let mut product = Numeric::from(1_i64);
        for factor in 2..=n {
            call.evaluating.canceller.check()?;
            product = &product * &Numeric::from(factor);
        }
        Ok(product)
    })
}

fn scale(call: &Call<'_>) -> Result<Column> {
    let values = call.numerics(0);
    call.each_int(|row| Ok(i64::from(values.at(row).scale())))
}

fn min_scale(call: &Call<'_>) -> Result<Column> {
    let values = call.numerics(0);
    call.each_int(|row| Ok(i64::from(values.at(row).trimmed().scale())))
}

fn pi(call: &Call<'_>) -> Result<Column> {
    call.each_float(|_| Ok(std::f64::consts::PI))
}

/// A number in [0, 1): 53 random bits.
fn random(call: &Call<'_>) -> Result<Column> {
    let bits = call.evaluating.random;
    call.each_float(|_| Ok(near_f64(crate::convert::bits_i64(bits() >> 11)) / near_f64(1 << 53)))
}

#[cold]
fn bad_bucket(message: &str) -> SqlError {
    SqlError::new(SqlState("2201G"), message)
}

fn bucket_floats(call: &Call<'_>) -> Result<Column> {
    let (operand, low, high, count) = (call.floats(0), call.floats(1), call.floats(2), call.ints(3));
    call.each_int(|row| {
        let (x, low, high, count) = (*operand.at(row), *low.at(row), *high.at(row), *count.at(row));
        if count <= 0 {
            return Err(bad_bucket("count must be greater than zero"));
        }
        if x.is_nan() || low.is_nan() || high.is_nan() {
            return Err(bad_bucket("operand, lower bound, and upper bound cannot be NaN"));
        }
        if low.is_infinite() || high.is_infinite() {
            return Err(bad_bucket("lower and upper bounds must be finite"));
        }
        let upward = match low.partial_cmp(&high) {
            Some(Ordering::Less) => true,
            Some(Ordering::Greater) => false,
            _ => return Err(bad_bucket("lower bound cannot equal upper bound")),
        };
        let (from, to, at) = if upward { (low, high, x) } else { (-low, -high, -x) };
        if at < from {
            return Ok(0);
        }
        if at >= to {
            return narrow(i128::from(count) + 1, call.returns);
        }
        // Halved, so that bounds far apart do not overflow.
        let part = (at / 2.0 - from / 2.0) / (to / 2.0 - from / 2.0);
        Ok(crate::convert::whole_i64(near_f64(count) * part).min(count - 1) + 1)
    })
}

fn bucket_numerics(call: &Call<'_>) -> Result<Column> {
    let (operand, low, high, count) = (call.numerics(0), call.numerics(1), call.numerics(2), call.ints(3));
    call.each_int(|row| {
        let (x, low, high, count) = (operand.at(row), low.at(row), high.at(row), *count.at(row));
        if count <= 0 {
            return Err(bad_bucket("count must be greater than zero"));
        }
        let upward = match low.cmp(high) {
            Ordering::Less => true,
            Ordering::Greater => false,
            Ordering::Equal => return Err(bad_bucket("lower bound cannot equal upper bound")),
        };
        let (from_low, width) = if upward {
            (x - low, high - low)
        } else {
            (low - x, low - high)
        };
        if from_low.sign().is_lt() {
            return Ok(0);
        }
        if from_low >= width {
            return narrow(i128::from(count) + 1, call.returns);
        }
        let whole = (&from_low * &Numeric::from(count)).divide_whole(&width)?;
        whole.to_i64().map(|whole| whole + 1).ok_or_else(division_by_zero)
    })
}
