//! [`DecimalSum`]: a sum of decimals that is an integer as long as it can be.

use crate::value::Numeric;

/// A running sum of decimals: a 128-bit integer at the largest scale seen so far, and whatever did not fit.
#[derive(Clone, Debug, Default)]
pub(super) struct DecimalSum {
    mantissa: i128,
    scale: u16,
    rest: Option<Box<Numeric>>,
}

/// Mantissas and scales beyond these go the slow way, so that the fast way needs few checks.
const MAX_FAST_SCALE: u16 = 18;

impl DecimalSum {
    /// Adds a value.
    #[inline]
    pub(super) fn add(&mut self, value: &Numeric) {
        match value.as_small() {
            Some((mantissa, scale)) if scale == self.scale => self.add_mantissa(i128::from(mantissa)),
            _ => self.add_slowly(value),
        }
    }

    /// Adds a mantissa at the sum's scale.
    #[inline]
    fn add_mantissa(&mut self, mantissa: i128) {
        match self.mantissa.checked_add(mantissa) {
            Some(sum) => self.mantissa = sum,
            None => {
                self.set_aside();
                self.mantissa = mantissa;
            }
        }
    }

    fn add_slowly(&mut self, value: &Numeric) {
        let small = value.as_small().filter(|(_, scale)| *scale <= MAX_FAST_SCALE);
        let Some((mantissa, scale)) = small else {
            let sum = self
                .rest
                .take()
                .map_or_else(|| value.clone(), |rest| &*rest + value);
            self.rest = Some(Box::new(sum));
            return;
        };
        if scale > self.scale {
            self.rescale(scale);
        }
        // At most 2^63 × 10^18, which fits.
        self.add_mantissa(i128::from(mantissa) * 10_i128.pow(u32::from(self.scale - scale)));
    }

    fn rescale(&mut self, scale: u16) {
        let factor = 10_i128.pow(u32::from(scale - self.scale));
        match self.mantissa.checked_mul(factor) {
            Some(mantissa) => self.mantissa = mantissa,
            None => {
                self.set_aside();
                self.mantissa = 0;
            }
        }
        self.scale = scale;
    }

    /// Moves the integer to what did not fit.
    #[cold]
    fn set_aside(&mut self) {
        let part = Numeric::wide(self.mantissa, self.scale);
        let sum = self
            .rest
            .take()
            .map_or_else(|| part.clone(), |rest| &*rest + &part);
        self.rest = Some(Box::new(sum));
    }

    /// The sum.
    pub(super) fn total(&self) -> Numeric {
        let part = Numeric::wide(self.mantissa, self.scale);
        match &self.rest {
            Some(rest) => &**rest + &part,
            None => part,
        }
    }

    /// Roughly how many bytes it holds beside itself.
    pub(super) fn heap(&self) -> usize {
        self.rest.as_ref().map_or(0, |rest| 16 + rest.heap())
    }
}
