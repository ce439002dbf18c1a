//! Conversions between the machine's numbers that may lose something, each by a name that says what.

/// The low 64 bits of a number that the caller has made sure fits.
#[expect(clippy::cast_possible_truncation, reason = "the caller has checked the range")]
#[inline]
pub(crate) fn low_i64(value: i128) -> i64 {
    value as i64
}

/// The whole part of a float, which the caller has made sure lies within 64 bits.
#[expect(
    clippy::cast_possible_truncation,
    reason = "the caller has checked the range; `as` saturates"
)]
#[inline]
pub(crate) fn whole_i64(value: f64) -> i64 {
    value as i64
}

/// The float rounded to single precision, kept in double.
#[expect(clippy::cast_possible_truncation, reason = "rounding is what is asked for")]
#[inline]
pub(crate) fn to_single(value: f64) -> f32 {
    value as f32
}

/// A float near the integer.
#[expect(clippy::cast_precision_loss, reason = "rounding is what is asked for")]
#[inline]
pub(crate) fn near_f64(value: i64) -> f64 {
    value as f64
}

/// A float near the integer.
#[expect(clippy::cast_precision_loss, reason = "rounding is what is asked for")]
#[inline]
pub(crate) fn wide_f64(value: i128) -> f64 {
    value as f64
}

/// The bits of an unsigned number, read as a signed one.
#[inline]
pub(crate) fn bits_i64(value: u64) -> i64 {
    value.cast_signed()
}

/// A length or position in memory as an SQL integer.
#[inline]
pub(crate) fn length_i64(value: usize) -> i64 {
    i64::try_from(value).expect("memory is smaller than 2^63 bytes")
}

/// A row number within a batch.
#[expect(
    clippy::cast_possible_truncation,
    reason = "a batch holds far fewer rows than 2^32"
)]
#[inline]
pub(crate) fn row_u32(row: usize) -> u32 {
    row as u32
}

/// A number the caller has made sure fits 32 bits.
#[expect(clippy::cast_possible_truncation, reason = "the caller has checked the range")]
#[inline]
pub(crate) fn low_i32(value: i64) -> i32 {
    value as i32
}

/// A decimal digit as its character.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a remainder of ten is a digit"
)]
#[inline]
pub(crate) fn digit(value: i64) -> u8 {
    b'0' + value as u8
}
