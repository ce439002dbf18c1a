//! Powers, exponentials and logarithms of decimals.
//!
//! They are computed in binary fixed point with enough bits that all digits shown are right: logarithms by the series of
//! the inverse hyperbolic tangent after the argument is brought near one, exponentials by the Taylor series after it is brought
//! near zero. The scales of the results are PostgreSQL's.

use super::arithmetic::{MAX_RESULT_SCALE, leading};
use super::text::overflow;
use super::{Numeric, round_half_away};
use crate::convert::{near_f64, whole_i64};
use crate::error::{Result, SqlError, SqlState};
use bigdecimal::num_bigint::{BigInt, Sign};

const MIN_SIGNIFICANT: i64 = 16;
/// log₁₀ e
const DIGITS_PER_UNIT: f64 = std::f64::consts::LOG10_E;
/// A result with more than this many digits (or zeros before its digits) is refused (or zero).
const MAX_EXPONENT: f64 = 6000.0;
/// A power is computed exactly while it has no more digits than this.
const EXACT_DIGITS: u64 = 20_000;

impl Numeric {
    /// The natural logarithm.
    ///
    /// # Errors
    /// `2201E` unless the number is above zero.
    pub(crate) fn ln(&self) -> Result<Self> {
        self.require_logarithm()?;
        let scale = (MIN_SIGNIFICANT - log_order(self)).max(i64::from(self.scale()));
        let scale = scale.clamp(0, MAX_RESULT_SCALE);
        Ok(self.ln_at(scale))
    }

    /// The logarithm to a base.
    ///
    /// # Errors
    /// `2201E` unless both are above zero, `22012` when the base is one.
    pub(crate) fn log(&self, base: &Self) -> Result<Self> {
        base.require_logarithm()?;
        self.require_logarithm()?;
        let order = log_order(self) - log_order(base);
        let scale = (MIN_SIGNIFICANT - order)
            .max(i64::from(base.scale()))
            .max(i64::from(self.scale()))
            .clamp(0, MAX_RESULT_SCALE);
        let (top, bottom) = (
            self.ln_at(scale + 20 + order.abs()),
            base.ln_at(scale + 20 + order.abs()),
        );
        top.divide_at(&bottom, scale)
    }

    /// e to this power.
    ///
    /// # Errors
    /// `22003` when the result has too many digits.
    pub(crate) fn exp(&self) -> Result<Self> {
        let order = (self.to_f64() * DIGITS_PER_UNIT).clamp(-2000.0, 2000.0);
        let scale = (MIN_SIGNIFICANT - whole_i64(order)).max(i64::from(self.scale()));
        self.exp_at(scale.clamp(0, MAX_RESULT_SCALE))
    }

    /// This number to a power.
    ///
    /// # Errors
    /// `2201F` for zero to a negative power and a negative number to a fraction, `22003` when the result has too many digits.
    pub(crate) fn power(&self, exponent: &Self) -> Result<Self> {
        if self.is_zero() && exponent.sign().is_lt() {
            return Err(undefined("zero raised to a negative power is undefined"));
        }
        let whole = exponent.trimmed();
        if let Some((whole, 0)) = whole.as_small()
            && let Ok(whole) = i32::try_from(whole)
        {
            return self.power_whole(whole);
        }
        if self.is_zero() {
            return Ok(Self::small(0, 16));
        }
        let negative = self.sign().is_lt();
        if negative && whole.scale() != 0 {
            let message = "a negative number raised to a non-integer power yields a complex result";
            return Err(undefined(message));
        }
        let odd = negative && (whole.mantissa() % BigInt::from(2)).sign() != Sign::NoSign;
        let power = self.abs().power_any(exponent)?;
        Ok(if odd { -power } else { power })
    }

    fn power_any(&self, exponent: &Self) -> Result<Self> {
        let rough = self.ln_at((8 - log_order(self)).max(0)).to_f64() * exponent.to_f64();
        if rough.abs() > MAX_EXPONENT * 1.003 {
            return if rough > 0.0 {
                Err(overflow())
            } else {
                Ok(Self::new(BigInt::from(0), MAX_RESULT_SCALE))
            };
        }
        let scale = (MIN_SIGNIFICANT - whole_i64(rough * DIGITS_PER_UNIT))
            .max(i64::from(self.scale()))
            .max(i64::from(exponent.scale()))
            .clamp(0, MAX_RESULT_SCALE);
        let more = exponent.order_or_zero().max(0) + whole_i64(rough.abs() * DIGITS_PER_UNIT);
        let logarithm = &self.ln_at(scale + more + 20) * exponent;
        logarithm.exp_at(scale)
    }

    fn order_or_zero(&self) -> i64 {
        if self.is_zero() { 0 } else { self.order() }
    }

    fn power_whole(&self, exponent: i32) -> Result<Self> {
        let scale = MIN_SIGNIFICANT
            .max(i64::from(self.scale()))
            .clamp(0, MAX_RESULT_SCALE);
        if self.is_zero() {
            return Ok(Self::from(i64::from(exponent == 0)).round(scale));
        }
        let digits = near_f64(self.order()) * f64::from(exponent);
        if digits > 131_072.0 {
            return Err(overflow());
        }
        let mantissa = self.mantissa();
        let times = exponent.unsigned_abs();
        if mantissa.bits().saturating_mul(u64::from(times)) / 3 <= EXACT_DIGITS {
            return self.power_exactly(&mantissa, times, exponent < 0, scale);
        }
        self.power_roughly(exponent, scale)
    }

    fn power_exactly(&self, mantissa: &BigInt, times: u32, invert: bool, scale: i64) -> Result<Self> {
        let power = mantissa.pow(times);
        let power_scale = i64::from(self.scale()) * i64::from(times);
        let ten = |digits: i64| BigInt::from(10).pow(u32::try_from(digits).unwrap_or(u32::MAX));
        let (top, bottom) = if invert {
            (ten(power_scale + scale), power)
        } else {
            (power * ten(scale), ten(power_scale))
        };
        Self::new(round_half_away(&top, &bottom), scale).checked()
    }

    fn power_roughly(&self, exponent: i32, scale: i64) -> Result<Self> {
        let size = self.abs();
        let rough = size.ln_at((8 - log_order(&size)).max(0)).to_f64() * f64::from(exponent);
        if rough * DIGITS_PER_UNIT > 131_072.0 {
            return Err(overflow());
        }
        if rough * DIGITS_PER_UNIT < -near_f64(scale + 2) {
            return Ok(Self::new(BigInt::from(0), scale));
        }
        let more = 11 + whole_i64((rough.abs() * DIGITS_PER_UNIT).min(131_072.0));
        let logarithm = &size.ln_at(scale + more + 20) * &Self::from(exponent);
        let power = logarithm.exp_unlimited(scale).checked()?;
        Ok(if self.sign().is_lt() && exponent % 2 != 0 {
            -power
        } else {
            power
        })
    }

    fn require_logarithm(&self) -> Result<()> {
        let message = match self.sign() {
            std::cmp::Ordering::Greater => return Ok(()),
            std::cmp::Ordering::Equal => "cannot take logarithm of zero",
            std::cmp::Ordering::Less => "cannot take logarithm of a negative number",
        };
        Err(SqlError::new(SqlState("2201E"), message))
    }

    /// The natural logarithm of a number above zero, rounded to `scale` digits after the point.
    fn ln_at(&self, scale: i64) -> Self {
        let bits = bits_for(scale + 12) + 64;
        let (mantissa, point) = self.as_bigint_and_exponent();
        // The number as `fraction × 2^exponent`, the fraction (with `bits` binary places) in [1, 2).
        let ten = BigInt::from(10).pow(u32::try_from(point).unwrap_or(0));
        let exponent = signed(mantissa.bits()) - signed(ten.bits());
        let shift = signed(bits) - exponent;
        let mut fraction = shifted(&mantissa, shift.max(0)) / shifted(&ten, (-shift).max(0));
        let mut exponent = exponent;
        while signed(fraction.bits()) > signed(bits) + 1 {
            fraction >>= 1_u8;
            exponent += 1;
        }
        while signed(fraction.bits()) < signed(bits) + 1 {
            fraction <<= 1_u8;
            exponent -= 1;
        }
        let logarithm = ln_near_one(&fraction, bits) + ln_two(bits) * BigInt::from(exponent);
        from_binary(&logarithm, bits, scale)
    }

    fn exp_at(&self, scale: i64) -> Result<Self> {
        let rough = self.to_f64();
        if rough.abs() >= MAX_EXPONENT {
            return if rough > 0.0 {
                Err(overflow())
            } else {
                Ok(Self::new(BigInt::from(0), scale))
            };
        }
        Ok(self.exp_unlimited(scale))
    }

    fn exp_unlimited(&self, scale: i64) -> Self {
        let whole_digits = whole_i64((self.to_f64() * DIGITS_PER_UNIT).max(0.0));
        let bits = bits_for(scale + whole_digits + 12) + 64;
        let (mantissa, point) = self.as_bigint_and_exponent();
        let ten = BigInt::from(10).pow(u32::try_from(point).unwrap_or(0));
        let argument = (mantissa << bits) / ten;
        let two = ln_two(bits);
        let halvings = &argument / &two;
        let rest = &argument - &halvings * &two;
        let power = exp_near_zero(&rest, bits);
        let halvings = i64::try_from(halvings).unwrap_or(0);
        let result = if halvings >= 0 {
            shifted(&power, halvings)
        } else {
            power >> halvings.unsigned_abs()
        };
        from_binary(&result, bits, scale)
    }
}

#[cold]
fn undefined(message: &str) -> SqlError {
    SqlError::new(SqlState("2201F"), message)
}

/// The power of ten of the first digit of ln(value), roughly: as PostgreSQL guesses it.
fn log_order(value: &Numeric) -> i64 {
    let one = Numeric::from(1);
    if *value >= Numeric::small(9, 1) && *value <= Numeric::small(11, 1) {
        let distance = value - &one;
        if distance.is_zero() {
            return 0;
        }
        let (weight, first) = leading(&distance);
        return weight * 4 + i64::from(first.unsigned_abs().ilog10());
    }
    let order = value.order();
    let scaled = value.to_f64();
    let logarithm = if scaled.is_finite() && scaled > 0.0 {
        scaled.ln()
    } else {
        near_f64(order) * std::f64::consts::LN_10
    };
    whole_i64(logarithm.abs().log10())
}

fn bits_for(digits: i64) -> u64 {
    u64::try_from(digits.max(1)).unwrap_or(1) * 3322 / 1000 + 1
}

fn signed(bits: u64) -> i64 {
    i64::try_from(bits).unwrap_or(i64::MAX)
}

fn shifted(value: &BigInt, by: i64) -> BigInt {
    value << u64::try_from(by).unwrap_or(0)
}

/// A binary fixed-point number as a decimal.
fn from_binary(value: &BigInt, bits: u64, scale: i64) -> Numeric {
    let ten = BigInt::from(10).pow(u32::try_from(scale).unwrap_or(0));
    Numeric::new(round_half_away(&(value * ten), &(BigInt::from(1) << bits)), scale)
}

/// ln 2 in fixed point, as 2 artanh(1/3).
fn ln_two(bits: u64) -> BigInt {
    double_artanh(&((BigInt::from(1) << bits) / 3), bits)
}

/// ln of a fixed-point number in [1, 2).
fn ln_near_one(value: &BigInt, bits: u64) -> BigInt {
    let one = BigInt::from(1) << bits;
    let argument = ((value - &one) << bits) / (value + &one);
    double_artanh(&argument, bits)
}

/// 2 (x + x³/3 + x⁵/5 + …)
fn double_artanh(argument: &BigInt, bits: u64) -> BigInt {
    let square = (argument * argument) >> bits;
    let mut power = argument.clone();
    let mut sum = power.clone();
    let mut n = 3_u32;
    while power.sign() != Sign::NoSign {
        power = (&power * &square) >> bits;
        sum += &power / n;
        n += 2;
    }
    sum << 1_u8
}

/// eˣ of a fixed-point number between -1 and 1: x is halved until it is small, and the result squared as often.
fn exp_near_zero(argument: &BigInt, bits: u64) -> BigInt {
    let halvings = 8 + bits / 256;
    let bits = bits + halvings * 2;
    let small: BigInt = argument << halvings;
    let mut term = BigInt::from(1) << bits;
    let mut sum = term.clone();
    let mut n = 1_u32;
    while term.sign() != Sign::NoSign && n < 100_000 {
        term = ((&term * &small) >> bits) / n;
        if term == BigInt::from(-1) {
            break;
        }
        sum += &term;
        n += 1;
    }
    for _ in 0..halvings {
        sum = (&sum * &sum) >> bits;
    }
    sum >> (halvings * 2)
}
