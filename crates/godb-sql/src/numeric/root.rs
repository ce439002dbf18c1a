//! Square roots of decimals.

use super::arithmetic::{MAX_RESULT_SCALE, leading};
use super::{Numeric, POWERS};
use crate::error::{Result, SqlError, SqlState};
use bigdecimal::num_bigint::BigInt;

/// Digits computed beyond those shown, so that the last one shown is rounded rightly.
const GUARD: i64 = 2;

impl Numeric {
    /// The square root, with at least sixteen significant digits.
    ///
    /// # Errors
    /// `2201F` for a number below zero.
    pub(crate) fn sqrt(&self) -> Result<Self> {
        if self.sign().is_lt() {
            return Err(SqlError::new(
                SqlState("2201F"),
                "cannot take square root of a negative number",
            ));
        }
        self.sqrt_at(self.root_scale())
    }

    /// The square root of a number that is not negative, with `scale` digits after the point.
    pub(crate) fn sqrt_at(&self, scale: i64) -> Result<Self> {
        // sqrt(m / 10^s) at scale r is sqrt(m 10^(2r - s)) / 10^r.
        let wanted = scale + GUARD;
        let shift = 2 * wanted - i64::from(self.scale());
        let power = BigInt::from(10).pow(u32::try_from(shift.unsigned_abs()).unwrap_or(0));
        let square = if shift >= 0 {
            self.mantissa() * power
        } else {
            self.mantissa() / power
        };
        let root = square.sqrt();
        let cut = BigInt::from(POWERS[usize::try_from(GUARD).unwrap_or(0)]);
        Ok(Self::new(super::round_half_away(&root, &cut), scale))
    }

    fn root_scale(&self) -> i64 {
        let weight = leading(self).0;
        let digits = if weight >= 0 {
            weight * 4 / 2 + 1
        } else {
            1 - (1 - weight * 4) / 2
        };
        (16 - digits)
            .max(i64::from(self.scale()))
            .clamp(0, MAX_RESULT_SCALE)
    }
}
