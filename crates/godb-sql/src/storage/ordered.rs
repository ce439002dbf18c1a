//! Bytes that compare as the values they stand for: the primitives of keys.
//!
//! A tree compares keys byte by byte, so a key must be written such that `a < b` exactly when `bytes(a) < bytes(b)`, and such
//! that no value's bytes are a proper prefix of another's of the same type: then keys of several columns are just put one
//! after the other. A descending column is the same with every bit inverted; [`Reader`] undoes that with its mask.

use crate::error::{Result, SqlError, state};
use crate::numeric::{MAX_SCALE, MAX_WHOLE_DIGITS};
use crate::value::{Interval, Numeric};
use bigdecimal::num_bigint::{BigInt, Sign};

/// The smallest and largest integer that take one byte.
const INLINE: std::ops::RangeInclusive<i64> = -112..=111;
/// The first byte of zero.
const ZERO: u8 = 0x80;
/// First bytes above this one, and below `0x10`, tell how many bytes follow.
const LAST_INLINE: u8 = 0xEF;
/// The most digits of a number, an odd last one filled up.
#[expect(clippy::cast_possible_truncation, reason = "both are small")]
const MOST_DIGITS: usize = (MAX_SCALE + MAX_WHOLE_DIGITS) as usize + 1;
const MICROS_A_DAY: i128 = 86_400_000_000;

/// Writes an integer in one to nine bytes, the fewer the closer it is to zero.
pub(crate) fn put_int(out: &mut Vec<u8>, value: i64) {
    if INLINE.contains(&value) {
        out.push(ZERO.wrapping_add_signed(low_byte(value)));
        return;
    }
    let magnitude = if value < 0 { !value } else { value };
    let skip = (magnitude.leading_zeros() / 8) as usize;
    let length = u8::try_from(8 - skip).expect("at most eight");
    out.push(if value < 0 {
        0x0F - length
    } else {
        LAST_INLINE + length
    });
    out.extend_from_slice(&value.to_be_bytes()[skip..]);
}

#[expect(
    clippy::cast_possible_truncation,
    reason = "the caller has checked that it fits"
)]
fn low_byte(value: i64) -> i8 {
    value as i8
}

/// Writes a floating-point number: NaN is greater than everything, and both zeros are one.
pub(crate) fn put_float(out: &mut Vec<u8>, value: f64) {
    let value = if value.is_nan() {
        f64::NAN.abs()
    } else {
        value + 0.0
    };
    let bits = value.to_bits();
    let ordered = if bits >> 63 == 0 { bits | (1 << 63) } else { !bits };
    out.extend_from_slice(&ordered.to_be_bytes());
}

/// Writes a string of bytes: zero bytes are escaped, two of them end it.
pub(crate) fn put_bytes(out: &mut Vec<u8>, mut value: &[u8]) {
    while let Some(zero) = value.iter().position(|&byte| byte == 0) {
        out.extend_from_slice(&value[..zero]);
        out.extend_from_slice(&[0, 0xFF]);
        value = &value[zero + 1..];
    }
    out.extend_from_slice(value);
    out.extend_from_slice(&[0, 0]);
}

/// Writes a decimal number by its value: `1.0` and `1.00` are the same.
///
/// After a byte for the sign come the exponent `e` and the digits of `0.d₁d₂d₃… × 10ᵉ`, two to a byte, ended by zero. For a negative
/// number those are inverted.
pub(crate) fn put_numeric(out: &mut Vec<u8>, value: &Numeric) {
    let (digits, scale) = value.as_bigint_and_exponent();
    let (sign, mut decimals) = digits.to_radix_be(10);
    let written = i64::try_from(decimals.len()).expect("a length in memory");
    while decimals.last() == Some(&0) {
        decimals.pop();
    }
    if sign == Sign::NoSign || decimals.is_empty() {
        out.push(0x80);
        return;
    }
    out.push(if sign == Sign::Minus { 0x40 } else { 0xC0 });
    let start = out.len();
    put_int(out, written - scale);
    for pair in decimals.chunks(2) {
        out.push(pair[0] * 10 + pair.get(1).copied().unwrap_or(0) + 1);
    }
    out.push(0);
    if sign == Sign::Minus {
        invert(&mut out[start..]);
    }
}

/// Writes an interval by its length, a month being thirty days, as comparisons have it.
pub(crate) fn put_interval(out: &mut Vec<u8>, value: Interval) {
    let days = i128::from(value.months) * 30 + i128::from(value.days);
    let total = days * MICROS_A_DAY + i128::from(value.micros);
    out.extend_from_slice(&(total ^ i128::MIN).to_be_bytes());
}

/// Turns the order of `bytes` around.
pub(crate) fn invert(bytes: &mut [u8]) {
    bytes.iter_mut().for_each(|byte| *byte = !*byte);
}

/// The error for a stored key or row that cannot be what was written.
#[cold]
pub(crate) fn damaged(what: &str) -> SqlError {
    SqlError::new(state::DATA_CORRUPTED, format!("stored {what} is damaged"))
}

/// Reads a key from front to back.
#[derive(Clone, Copy)]
pub(crate) struct Reader<'a> {
    rest: &'a [u8],
    mask: u8,
}

impl<'a> Reader<'a> {
    /// At the beginning of `key`.
    pub(crate) fn new(key: &'a [u8]) -> Self {
        Self { rest: key, mask: 0 }
    }

    /// Whether the next value was written inverted.
    pub(crate) fn descending(&mut self, descending: bool) {
        self.mask = if descending { 0xFF } else { 0 };
    }

    /// What has not been read yet.
    pub(crate) fn rest(&self) -> &'a [u8] {
        self.rest
    }

    /// The next byte.
    pub(crate) fn byte(&mut self) -> Result<u8> {
        let (&first, rest) = self.rest.split_first().ok_or_else(|| damaged("key"))?;
        self.rest = rest;
        Ok(first ^ self.mask)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N]> {
        let (head, rest) = self.rest.split_first_chunk::<N>().ok_or_else(|| damaged("key"))?;
        self.rest = rest;
        Ok(head.map(|byte| byte ^ self.mask))
    }

    /// What [`put_int`] wrote.
    #[inline]
    pub(crate) fn int(&mut self) -> Result<i64> {
        let first = self.byte()?;
        if (0x10..=LAST_INLINE).contains(&first) {
            return Ok(i64::from(first) - i64::from(ZERO));
        }
        let negative = first < 0x10;
        let length = if negative {
            0x0F_u8.saturating_sub(first)
        } else {
            first - LAST_INLINE
        };
        if !(1..=8).contains(&length) {
            return Err(damaged("key"));
        }
        let mut bytes = [if negative { 0xFF } else { 0 }; 8];
        for byte in &mut bytes[8 - usize::from(length)..] {
            *byte = self.byte()?;
        }
        Ok(i64::from_be_bytes(bytes))
    }

    /// What [`put_float`] wrote.
    pub(crate) fn float(&mut self) -> Result<f64> {
        let ordered = u64::from_be_bytes(self.array()?);
        Ok(f64::from_bits(if ordered >> 63 == 1 {
            ordered & !(1 << 63)
        } else {
            !ordered
        }))
    }

    /// What [`put_bytes`] wrote, into `out`.
    pub(crate) fn bytes(&mut self, out: &mut Vec<u8>) -> Result<()> {
        loop {
            let zero = self
                .rest
                .iter()
                .position(|&byte| byte == self.mask)
                .ok_or_else(|| damaged("key"))?;
            let start = out.len();
            out.extend_from_slice(&self.rest[..zero]);
            if self.mask != 0 {
                invert(&mut out[start..]);
            }
            self.rest = &self.rest[zero + 1..];
            match self.byte()? {
                0 => return Ok(()),
                0xFF => out.push(0),
                _ => return Err(damaged("key")),
            }
        }
    }

    /// What [`put_numeric`] wrote, without trailing zeros.
    pub(crate) fn numeric(&mut self) -> Result<Numeric> {
        let sign = match self.byte()? {
            0x80 => return Ok(Numeric::default()),
            0x40 => Sign::Minus,
            0xC0 => Sign::Plus,
            _ => return Err(damaged("key")),
        };
        let outer = self.mask;
        if sign == Sign::Minus {
            self.mask = !outer;
        }
        let exponent = self.int()?;
        let mut decimals = Vec::new();
        loop {
            match self.byte()? {
                0 => break,
                pair @ 1..=100 => decimals.extend([(pair - 1) / 10, (pair - 1) % 10]),
                _ => return Err(damaged("key")),
            }
        }
        self.mask = outer;
        // A number beyond the largest one would ask for as many digits.
        if !(-MAX_SCALE..=MAX_WHOLE_DIGITS).contains(&exponent) || decimals.len() > MOST_DIGITS {
            return Err(damaged("key"));
        }
        let scale = i64::try_from(decimals.len()).expect("a length in memory") - exponent;
        let digits = BigInt::from_radix_be(sign, &decimals, 10).ok_or_else(|| damaged("key"))?;
        Ok(Numeric::new(digits, scale))
    }

    /// Passes over what [`put_interval`] wrote. It cannot be read back: months and days have become one number.
    pub(crate) fn skip_interval(&mut self) -> Result<()> {
        self.array::<16>().map(drop)
    }
}

/// The smallest string of bytes that is greater than every string beginning with `prefix`; `None` when there is none.
pub(crate) fn successor(mut prefix: Vec<u8>) -> Option<Vec<u8>> {
    while let Some(last) = prefix.last_mut() {
        if *last < 0xFF {
            *last += 1;
            return Some(prefix);
        }
        prefix.pop();
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn int(value: i64) -> Vec<u8> {
        let mut out = Vec::new();
        put_int(&mut out, value);
        out
    }

    fn bytes(value: &[u8]) -> Vec<u8> {
        let mut out = Vec::new();
        put_bytes(&mut out, value);
        out
    }

    fn numeric(text: &str) -> Vec<u8> {
        let mut out = Vec::new();
        put_numeric(&mut out, &text.parse().unwrap());
        out
    }

    fn any_int() -> impl Strategy<Value = i64> {
        prop_oneof![
            any::<i64>(),
            -300_i64..300,
            (0_u32..64).prop_map(|shift| i64::MIN >> shift)
        ]
    }

    proptest! {
        #[test]
        fn ints_keep_their_order_and_come_back(a in any_int(), b in any_int()) {
            prop_assert_eq!(int(a).cmp(&int(b)), a.cmp(&b));
            prop_assert_eq!(Reader::new(&int(a)).int().unwrap(), a);
        }

        #[test]
        fn strings_keep_their_order_whatever_follows(
            a in prop::collection::vec(0_u8..3, 0..6),
            b in prop::collection::vec(0_u8..3, 0..6),
            tail in any::<[u8; 2]>(),
        ) {
            let (mut x, y) = (bytes(&a), bytes(&b));
            if a != b {
                x.extend_from_slice(&tail);
            }
            prop_assert_eq!(x.cmp(&y), a.cmp(&b));
            let mut back = Vec::new();
            Reader::new(&x).bytes(&mut back).unwrap();
            prop_assert_eq!(back, a);
        }

        #[test]
        fn inverted_values_come_back_and_turn_their_order(a in any_int(), b in any_int(), text in any::<Vec<u8>>()) {
            let (mut x, mut y) = (int(a), int(b));
            invert(&mut x);
            invert(&mut y);
            prop_assert_eq!(x.cmp(&y), b.cmp(&a));
            put_bytes(&mut x, b"");
            let mut string = bytes(&text);
            invert(&mut string);
            let mut reader = Reader::new(&string);
            reader.descending(true);
            let mut back = Vec::new();
            reader.bytes(&mut back).unwrap();
            prop_assert_eq!(back, text);
        }

        #[test]
        fn floats_keep_their_order(a in any::<f64>(), b in any::<f64>()) {
            let encode = |value| { let mut out = Vec::new(); put_float(&mut out, value); out };
            let (x, y) = (encode(a), encode(b));
            match a.partial_cmp(&b) {
                Some(order) => prop_assert_eq!(x.cmp(&y), order),
                None => prop_assert_eq!(x.cmp(&y), a.is_nan().cmp(&b.is_nan())),
            }
            let back = Reader::new(&x).float().unwrap();
            prop_assert!(back == a || a.is_nan() && back.is_nan());
        }

        #[test]
        fn numerics_keep_their_order_and_value(a in -9999_i64..9999, s in -3_i64..6, b in -9999_i64..9999, t in -3_i64..6) {
            let (a, b) = (Numeric::new(a.into(), s), Numeric::new(b.into(), t));
            let encode = |value: &Numeric| { let mut out = Vec::new(); put_numeric(&mut out, value); out };
            prop_assert_eq!(encode(&a).cmp(&encode(&b)), a.cmp(&b));
            prop_assert_eq!(Reader::new(&encode(&a)).numeric().unwrap(), a);
        }

        #[test]
        fn readers_never_panic(junk in any::<Vec<u8>>(), descending: bool) {
            let mut reader = Reader::new(&junk);
            reader.descending(descending);
            let _ = { reader }.int();
            let _ = { reader }.float();
            let _ = { reader }.numeric();
            let _ = { reader }.bytes(&mut Vec::new());
        }
    }

    #[test]
    fn small_integers_take_one_byte() {
        assert_eq!(
            [int(0).len(), int(111).len(), int(112).len(), int(70_000).len()],
            [1, 1, 2, 4]
        );
        assert_eq!(int(i64::MIN).len(), 9);
    }

    #[test]
    fn special_floats_have_their_places() {
        let encode = |value| {
            let mut out = Vec::new();
            put_float(&mut out, value);
            out
        };
        assert_eq!(encode(0.0), encode(-0.0));
        assert_eq!(encode(f64::NAN), encode(-f64::NAN));
        assert!(encode(f64::NAN) > encode(f64::INFINITY));
    }

    #[test]
    fn equal_decimals_are_one_key() {
        assert_eq!(numeric("1.50"), numeric("1.5"));
        assert_eq!(numeric("0.00"), numeric("0"));
        assert!(numeric("-12") < numeric("-11.9"));
    }

    #[test]
    fn intervals_compare_by_their_length() {
        let encode = |months, days, micros| {
            let mut out = Vec::new();
            put_interval(&mut out, Interval { months, days, micros });
            out
        };
        assert_eq!(encode(1, 0, 0), encode(0, 30, 0));
        assert!(encode(0, -1, 0) < encode(0, 0, -1));
    }

    #[test]
    fn a_successor_skips_full_bytes() {
        assert_eq!(successor(vec![1, 0xFF]), Some(vec![2]));
        assert_eq!(successor(vec![0xFF]), None);
    }
}
