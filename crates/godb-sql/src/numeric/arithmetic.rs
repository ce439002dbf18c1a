//! Adding, multiplying, dividing and rounding decimals, with PostgreSQL's scales.

use super::text::overflow;
use super::{MAX_SCALE, MAX_WHOLE_DIGITS, Numeric, POWERS};
use crate::error::{Result, SqlError, state};
use bigdecimal::num_bigint::{BigInt, Sign};
use std::ops::{Add, Mul, Neg, Sub};

/// A quotient has at least this many significant digits.
const MIN_SIGNIFICANT: i64 = 16;
/// But no more than this many after the point.
pub(crate) const MAX_RESULT_SCALE: i64 = 1000;

impl Neg for &Numeric {
    type Output = Numeric;

    fn neg(self) -> Numeric {
        match self.as_small() {
            Some((mantissa, scale)) => Numeric::wide(-i128::from(mantissa), scale),
            None => Numeric::new(-self.mantissa(), i64::from(self.scale())),
        }
    }
}

impl Neg for Numeric {
    type Output = Self;

    fn neg(self) -> Self {
        -&self
    }
}

impl Add for &Numeric {
    type Output = Numeric;

    #[inline]
    fn add(self, other: Self) -> Numeric {
        combine(self, other, |a, b| a + b, |a, b| a + b)
    }
}

impl Sub for &Numeric {
    type Output = Numeric;

    #[inline]
    fn sub(self, other: Self) -> Numeric {
        combine(self, other, |a, b| a - b, |a, b| a - b)
    }
}

impl Mul for &Numeric {
    type Output = Numeric;

    #[inline]
    fn mul(self, other: Self) -> Numeric {
        if let (Some((a, s)), Some((b, t))) = (self.as_small(), other.as_small())
            && s + t <= 1000
        {
            return Numeric::wide(i128::from(a) * i128::from(b), s + t);
        }
        let scale = i64::from(self.scale()) + i64::from(other.scale());
        Numeric::new(self.mantissa() * other.mantissa(), scale)
    }
}

/// Adds or subtracts at the larger scale.
#[inline]
fn combine(
    left: &Numeric,
    right: &Numeric,
    small: fn(i128, i128) -> i128,
    big: fn(BigInt, BigInt) -> BigInt,
) -> Numeric {
    if let (Some((a, s)), Some((b, t))) = (left.as_small(), right.as_small())
        && s.abs_diff(t) <= 18
    {
        return Numeric::wide(small(super::align(a, s, t), super::align(b, t, s)), s.max(t));
    }
    let scale = left.scale().max(right.scale());
    Numeric::new(
        big(left.mantissa_at(scale), right.mantissa_at(scale)),
        i64::from(scale),
    )
}

impl Numeric {
    /// Refuses a value with more digits before the point than a decimal may have.
    pub(crate) fn checked(self) -> Result<Self> {
        if self.as_small().is_none() && self.order() >= MAX_WHOLE_DIGITS {
            return Err(overflow());
        }
        Ok(self)
    }

    /// Its distance from zero.
    #[must_use]
    pub(crate) fn abs(&self) -> Self {
        if self.sign().is_lt() { -self } else { self.clone() }
    }

    /// The quotient with PostgreSQL's scale.
    ///
    /// # Errors
    /// `22012` when the divisor is zero.
    pub(crate) fn divide(&self, by: &Self) -> Result<Self> {
        self.divide_at(by, quotient_scale(self, by))
    }

    /// The quotient with `scale` digits after the point.
    ///
    /// # Errors
    /// `22012` when the divisor is zero.
    pub(crate) fn divide_at(&self, by: &Self, scale: i64) -> Result<Self> {
        if by.is_zero() {
            return Err(division_by_zero());
        }
        let shift = scale - i64::from(self.scale()) + i64::from(by.scale());
        if let (Some((a, _)), Some((b, _))) = (self.as_small(), by.as_small())
            && (0..=19).contains(&shift)
            && scale <= MAX_SCALE
        {
            let shifted = i128::from(a) * 10_i128.pow(u32::try_from(shift).unwrap_or(0));
            let quotient = divide_half_away(shifted, i128::from(b));
            return Ok(Self::wide(quotient, u16::try_from(scale).unwrap_or(0)));
        }
        let (mut a, mut b) = (self.mantissa(), by.mantissa());
        let zeros = BigInt::from(10).pow(u32::try_from(shift.unsigned_abs()).unwrap_or(u32::MAX));
        if shift >= 0 {
            a *= zeros;
        } else {
            b *= zeros;
        }
        Ok(Self::new(round_half_away(&a, &b), scale))
    }

    /// The whole part of the quotient.
    ///
    /// # Errors
    /// `22012` when the divisor is zero.
    pub(crate) fn divide_whole(&self, by: &Self) -> Result<Self> {
        if by.is_zero() {
            return Err(division_by_zero());
        }
        let scale = self.scale().max(by.scale());
        Ok(Self::new(self.mantissa_at(scale) / by.mantissa_at(scale), 0))
    }

    /// What remains of a division; it has the sign of the dividend.
    ///
    /// # Errors
    /// `22012` when the divisor is zero.
    pub(crate) fn remainder(&self, by: &Self) -> Result<Self> {
        if by.is_zero() {
            return Err(division_by_zero());
        }
        Ok(combine(self, by, |a, b| a % b, |a, b| a % b))
    }

    /// Rounded to `scale` digits after the point (before it, if negative), halves away from zero. A larger scale adds zeros.
    #[must_use]
    pub(crate) fn round(&self, scale: i64) -> Self {
        self.rescale(scale, divide_half_away, round_half_away)
    }

    /// Cut to `scale` digits after the point (before it, if negative). A larger scale adds zeros.
    #[must_use]
    pub(crate) fn truncate(&self, scale: i64) -> Self {
        self.rescale(scale, |a, b| a / b, |a, b| a / b)
    }

    /// The largest integer that is not larger.
    #[must_use]
    pub(crate) fn floor(&self) -> Self {
        self.rescale(0, i128::div_euclid, |a, b| {
            let whole = a / b;
            if a.sign() == Sign::Minus && &whole * b != *a {
                whole - 1
            } else {
                whole
            }
        })
    }

    /// The smallest integer that is not smaller.
    #[must_use]
    pub(crate) fn ceil(&self) -> Self {
        -(-self).floor()
    }

    /// The same value with `scale` digits after the point, as stored: rounded when there are fewer, filled with zeros when
    /// there are more.
    #[must_use]
    pub fn with_scale(&self, scale: i64) -> Self {
        self.round(scale)
    }

    #[inline]
    fn rescale(
        &self,
        scale: i64,
        small: fn(i128, i128) -> i128,
        big: fn(&BigInt, &BigInt) -> BigInt,
    ) -> Self {
        let now = i64::from(self.scale());
        if scale == now {
            return self.clone();
        }
        let target = u16::try_from(scale.clamp(0, MAX_SCALE)).unwrap_or(0);
        if let Some((mantissa, _)) = self.as_small()
            && (0..=18).contains(&scale)
            && scale.abs_diff(now) <= 18
        {
            let factor = i128::from(POWERS[usize::try_from(scale.abs_diff(now)).unwrap_or(0)]);
            let mantissa = i128::from(mantissa);
            let scaled = if scale > now {
                mantissa * factor
            } else {
                small(mantissa, factor)
            };
            return Self::wide(scaled, target);
        }
        self.rescale_big(scale.clamp(-MAX_WHOLE_DIGITS - 1, MAX_SCALE), big)
    }

    #[cold]
    fn rescale_big(&self, scale: i64, big: fn(&BigInt, &BigInt) -> BigInt) -> Self {
        let now = i64::from(self.scale());
        if scale >= now {
            let zeros = u32::try_from(scale - now).unwrap_or(0);
            return Self::new(self.mantissa() * BigInt::from(10).pow(zeros), scale);
        }
        let cut = BigInt::from(10).pow(u32::try_from(now - scale).unwrap_or(u32::MAX));
        Self::new(big(&self.mantissa(), &cut), scale)
    }
}

/// The quotient, halves away from zero.
#[inline]
pub(crate) fn divide_half_away(a: i128, b: i128) -> i128 {
    let (quotient, rest) = (a / b, a % b);
    if rest.unsigned_abs() * 2 < b.unsigned_abs() {
        return quotient;
    }
    if (a < 0) == (b < 0) {
        quotient + 1
    } else {
        quotient - 1
    }
}

/// The quotient, halves away from zero.
pub(crate) fn round_half_away(a: &BigInt, b: &BigInt) -> BigInt {
    let (quotient, rest) = (a / b, a % b);
    if rest.magnitude() * 2_u32 < *b.magnitude() {
        return quotient;
    }
    if a.sign() == b.sign() {
        quotient + 1
    } else {
        quotient - 1
    }
}

/// How many digits after the point a quotient has: at least sixteen significant digits, and no fewer after the point than
/// either operand. PostgreSQL counts in groups of four digits, which shows in the results, so it is done here too.
pub(crate) fn quotient_scale(a: &Numeric, b: &Numeric) -> i64 {
    let ((weight_a, first_a), (weight_b, first_b)) = (leading(a), leading(b));
    let mut weight = weight_a - weight_b;
    if first_a <= first_b {
        weight -= 1;
    }
    let scale = MIN_SIGNIFICANT - weight * 4;
    scale
        .max(i64::from(a.scale()))
        .max(i64::from(b.scale()))
        .clamp(0, MAX_RESULT_SCALE)
}

/// The power of 10,000 of the first group of four digits, and that group.
pub(super) fn leading(value: &Numeric) -> (i64, i64) {
    if value.is_zero() {
        return (0, 0);
    }
    let weight = value.order().div_euclid(4);
    // The group is the mantissa over 10^(scale + 4 weight).
    let drop = i64::from(value.scale()) + weight * 4;
    let group = match (value.as_small(), drop) {
        (Some((mantissa, _)), 0..=18) => {
            i128::from(mantissa.unsigned_abs()) / i128::from(POWERS[usize::try_from(drop).unwrap_or(0)])
        }
        _ => return (weight, leading_group_slowly(value, drop)),
    };
    (weight, crate::convert::low_i64(group))
}

#[cold]
fn leading_group_slowly(value: &Numeric, drop: i64) -> i64 {
    let factor = BigInt::from(10).pow(u32::try_from(drop.unsigned_abs()).unwrap_or(0));
    let mantissa = value.abs().mantissa();
    let group = if drop >= 0 {
        mantissa / factor
    } else {
        mantissa * factor
    };
    i64::try_from(group).unwrap_or(9999)
}

/// The error for a division by zero.
#[cold]
pub(crate) fn division_by_zero() -> SqlError {
    SqlError::new(state::DIVISION_BY_ZERO, "division by zero")
}
