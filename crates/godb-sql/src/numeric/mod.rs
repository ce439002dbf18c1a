//! [`Numeric`]: decimal numbers of any size, small ones without allocation.
//!
//! A decimal is an integer (the mantissa) and a scale, the number of its digits after the point: 12.50 is (1250, 2). The
//! scale belongs to the value as it is shown, not to what it equals: 1.0 = 1.00. Nearly all decimals that a database meets
//! have a mantissa below 2⁶³: those lie in the value itself, and arithmetic on them is integer arithmetic, checked. The rest is on
//! the heap. **Invariant**: a mantissa that fits 64 bits is never on the heap, so the two forms need not be compared with
//! care.
//!
//! PostgreSQL decides the scale of each result, and so does this module: a sum has the larger scale, a product the sum of
//! both, a quotient at least sixteen significant digits. What was left out: PostgreSQL's NaN and infinite decimals.

mod arithmetic;
mod power;
mod root;
mod text;

#[cfg(test)]
mod tests;

pub(crate) use arithmetic::{division_by_zero, quotient_scale, round_half_away};
pub(crate) use text::unreadable;

use bigdecimal::num_bigint::{BigInt, Sign};
use std::cmp::Ordering;
use std::fmt;
use std::hash::{Hash, Hasher};

/// The most digits after the point.
pub(crate) const MAX_SCALE: i64 = 16_383;
/// The most digits before the point.
pub(crate) const MAX_WHOLE_DIGITS: i64 = 131_072;

/// Powers of ten that fit 64 bits.
pub(crate) const POWERS: [i64; 19] = {
    let mut powers = [1_i64; 19];
    let mut i = 1;
    while i < 19 {
        powers[i] = powers[i - 1] * 10;
        i += 1;
    }
    powers
};

/// A decimal number of any size.
#[derive(Clone)]
pub struct Numeric(Repr);

#[derive(Clone)]
enum Repr {
    Small { mantissa: i64, scale: u16 },
    Big(Box<Big>),
}

/// A decimal whose mantissa does not fit 64 bits.
#[derive(Clone)]
struct Big {
    mantissa: BigInt,
    scale: u16,
}

impl Numeric {
    /// `mantissa × 10^-scale`. A negative scale becomes zero, one beyond 16,383 is cut to that.
    #[must_use]
    pub fn new(mantissa: BigInt, scale: i64) -> Self {
        if scale < 0 {
            let zeros = u32::try_from(-scale).unwrap_or(u32::MAX);
            return Self::from_big(mantissa * BigInt::from(10).pow(zeros), 0);
        }
        match u16::try_from(scale) {
            Ok(scale) if i64::from(scale) <= MAX_SCALE => Self::from_big(mantissa, scale),
            _ => {
                let cut = u32::try_from(scale - MAX_SCALE).unwrap_or(u32::MAX);
                Self::new(round_half_away(&mantissa, &BigInt::from(10).pow(cut)), MAX_SCALE)
            }
        }
    }

    fn from_big(mantissa: BigInt, scale: u16) -> Self {
        match i64::try_from(&mantissa) {
            Ok(mantissa) => Self::small(mantissa, scale),
            Err(_) => Self(Repr::Big(Box::new(Big { mantissa, scale }))),
        }
    }

    /// `mantissa × 10^-scale`.
    #[inline]
    #[must_use]
    pub(crate) fn small(mantissa: i64, scale: u16) -> Self {
        Self(Repr::Small { mantissa, scale })
    }

    /// `mantissa × 10^-scale`.
    #[inline]
    #[must_use]
    pub(crate) fn wide(mantissa: i128, scale: u16) -> Self {
        match i64::try_from(mantissa) {
            Ok(mantissa) => Self::small(mantissa, scale),
            Err(_) => Self::from_big(BigInt::from(mantissa), scale),
        }
    }

    /// Mantissa and scale, if the mantissa fits 64 bits.
    #[inline]
    #[must_use]
    pub(crate) fn as_small(&self) -> Option<(i64, u16)> {
        match self.0 {
            Repr::Small { mantissa, scale } => Some((mantissa, scale)),
            Repr::Big(_) => None,
        }
    }

    /// Mantissa and scale.
    #[must_use]
    pub fn as_bigint_and_exponent(&self) -> (BigInt, i64) {
        match &self.0 {
            Repr::Small { mantissa, scale } => (BigInt::from(*mantissa), i64::from(*scale)),
            Repr::Big(big) => (big.mantissa.clone(), i64::from(big.scale)),
        }
    }

    /// The mantissa.
    #[must_use]
    pub(crate) fn mantissa(&self) -> BigInt {
        self.as_bigint_and_exponent().0
    }

    /// How many digits it has after the point.
    #[inline]
    #[must_use]
    pub fn scale(&self) -> u16 {
        match &self.0 {
            Repr::Small { scale, .. } => *scale,
            Repr::Big(big) => big.scale,
        }
    }

    /// Less than zero, zero, or greater.
    #[inline]
    #[must_use]
    pub(crate) fn sign(&self) -> Ordering {
        match &self.0 {
            Repr::Small { mantissa, .. } => mantissa.cmp(&0),
            Repr::Big(big) if big.mantissa.sign() == Sign::Minus => Ordering::Less,
            Repr::Big(_) => Ordering::Greater,
        }
    }

    /// Whether it is zero.
    #[inline]
    #[must_use]
    pub fn is_zero(&self) -> bool {
        self.sign() == Ordering::Equal
    }

    /// The value without zeros at the end of its digits after the point.
    #[must_use]
    pub(crate) fn trimmed(&self) -> Self {
        match &self.0 {
            Repr::Small { mantissa, scale } => {
                let (mantissa, scale) = trim_small(*mantissa, *scale);
                Self::small(mantissa, scale)
            }
            Repr::Big(big) => trim_big(big),
        }
    }

    /// Roughly how many bytes it holds beside itself.
    #[must_use]
    pub(crate) fn heap(&self) -> usize {
        match &self.0 {
            Repr::Small { .. } => 0,
            Repr::Big(big) => 64 + usize::try_from(big.mantissa.bits() / 8).unwrap_or(usize::MAX / 2),
        }
    }
}

#[inline]
fn trim_small(mut mantissa: i64, mut scale: u16) -> (i64, u16) {
    while scale > 0 && mantissa % 10 == 0 {
        mantissa /= 10;
        scale -= 1;
    }
    (mantissa, scale)
}

fn trim_big(big: &Big) -> Numeric {
    let (mut mantissa, mut scale) = (big.mantissa.clone(), big.scale);
    let ten = BigInt::from(10);
    let zero = BigInt::from(0);
    while scale > 0 && &mantissa % &ten == zero {
        mantissa /= &ten;
        scale -= 1;
    }
    Numeric::from_big(mantissa, scale)
}

impl Default for Numeric {
    fn default() -> Self {
        Self::small(0, 0)
    }
}

impl From<i64> for Numeric {
    fn from(value: i64) -> Self {
        Self::small(value, 0)
    }
}

impl From<i32> for Numeric {
    fn from(value: i32) -> Self {
        Self::small(i64::from(value), 0)
    }
}

impl PartialEq for Numeric {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Numeric {}

impl PartialOrd for Numeric {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Numeric {
    #[inline]
    fn cmp(&self, other: &Self) -> Ordering {
        if let (Some((a, s)), Some((b, t))) = (self.as_small(), other.as_small()) {
            if s == t {
                return a.cmp(&b);
            }
            if s.abs_diff(t) <= 18 {
                return align(a, s, t).cmp(&align(b, t, s));
            }
        }
        self.compare_slowly(other)
    }
}

/// The mantissa at the larger of both scales; they differ by at most 18.
#[inline]
fn align(mantissa: i64, scale: u16, other: u16) -> i128 {
    i128::from(mantissa) * i128::from(POWERS[usize::from(other.saturating_sub(scale))])
}

impl Numeric {
    #[cold]
    fn compare_slowly(&self, other: &Self) -> Ordering {
        let signs = self.sign().cmp(&other.sign());
        if signs != Ordering::Equal || self.is_zero() {
            return signs;
        }
        let scale = self.scale().max(other.scale());
        self.mantissa_at(scale).cmp(&other.mantissa_at(scale))
    }

    /// The mantissa at a scale that is not smaller than its own.
    fn mantissa_at(&self, scale: u16) -> BigInt {
        self.mantissa() * BigInt::from(10).pow(u32::from(scale - self.scale()))
    }
}

impl Hash for Numeric {
    fn hash<H: Hasher>(&self, state: &mut H) {
        let trimmed = self.trimmed();
        match &trimmed.0 {
            Repr::Small { mantissa, scale } => (mantissa, scale).hash(state),
            Repr::Big(big) => (&big.mantissa, big.scale).hash(state),
        }
    }
}

impl fmt::Display for Numeric {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut out = Vec::with_capacity(24);
        self.write(&mut out);
        f.write_str(std::str::from_utf8(&out).expect("digits"))
    }
}

impl fmt::Debug for Numeric {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}
