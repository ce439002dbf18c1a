//! Comparing and hashing rows of columns.
//!
//! The two agree: rows that compare as equal hash alike. That takes care where values can be equal and look different: `1.0`
//! and `1.00`, both zeros, NaNs, blanks at the end of `character(n)`, a day and 24 hours.

use super::{Column, ColumnData};
use crate::cast::trim_blanks;
use crate::types::DataType;
use crate::value::Numeric;
use std::cmp::Ordering;
use std::hash::{Hash, Hasher};

/// The order of row `i` of `a` and row `j` of `b`, both of type `ty` and not NULL. NaN is the greatest float; text is ordered by its bytes.
///
/// # Panics
/// When the columns are of different kinds.
#[inline]
#[must_use]
pub fn compare_rows(a: &Column, i: usize, b: &Column, j: usize, ty: DataType) -> Ordering {
    match (&a.data, &b.data) {
        (ColumnData::Int(a), ColumnData::Int(b)) => a[i].cmp(&b[j]),
        (ColumnData::Bytes(a), ColumnData::Bytes(b)) if matches!(ty, DataType::Char(_)) => {
            trim_blanks(a.get(i)).cmp(trim_blanks(b.get(j)))
        }
        (ColumnData::Bytes(a), ColumnData::Bytes(b)) => a.get(i).cmp(b.get(j)),
        (ColumnData::Float(a), ColumnData::Float(b)) => compare_floats(a[i], b[j]),
        (ColumnData::Numeric(a), ColumnData::Numeric(b)) => a[i].cmp(&b[j]),
        (ColumnData::Bool(a), ColumnData::Bool(b)) => a[i].cmp(&b[j]),
        (ColumnData::Interval(a), ColumnData::Interval(b)) => a[i].length().cmp(&b[j].length()),
        (a, b) => panic!("{a:?} cannot be compared with {b:?}"),
    }
}

/// The order of floats: NaN is equal to itself and greater than all others.
#[inline]
pub(crate) fn compare_floats(a: f64, b: f64) -> Ordering {
    a.partial_cmp(&b).unwrap_or_else(|| a.is_nan().cmp(&b.is_nan()))
}

/// Where hashing begins; any odd number with its bits well spread.
const SEED: u64 = 0x9E37_79B9_7F4A_7C15;
/// What a NULL counts as.
const NULL: u64 = 0xA076_1D64_78BD_642F;

/// Mixes each row's value of type `ty` into its hash. `hashes` has an element for each row; start with zeros.
///
/// # Panics
/// When `hashes` is shorter than the column.
pub fn hash_column(column: &Column, ty: DataType, hashes: &mut [u64]) {
    assert!(hashes.len() >= column.len(), "a hash for each row");
    let nulls = column.nulls.as_deref();
    match &column.data {
        ColumnData::Bool(values) => each(hashes, values, nulls, |value| u64::from(*value)),
        ColumnData::Int(values) => each(hashes, values, nulls, |value| value.cast_unsigned()),
        ColumnData::Float(values) => each(hashes, values, nulls, |value| float_bits(*value)),
        ColumnData::Numeric(values) => each(hashes, values, nulls, hash_numeric),
        ColumnData::Interval(values) => each(hashes, values, nulls, |value| {
            fold(value.length().cast_unsigned())
        }),
        ColumnData::Bytes(values) => {
            let padded = matches!(ty, DataType::Char(_));
            for (row, (hash, bytes)) in hashes.iter_mut().zip(values.iter()).enumerate() {
                let bytes = if padded { trim_blanks(bytes) } else { bytes };
                let null = nulls.is_some_and(|nulls| nulls[row]);
                *hash = mix(*hash, if null { NULL } else { hash_bytes(bytes) });
            }
        }
    }
}

#[inline]
fn each<T>(hashes: &mut [u64], values: &[T], nulls: Option<&[bool]>, bits: impl Fn(&T) -> u64) {
    match nulls {
        None => hashes
            .iter_mut()
            .zip(values)
            .for_each(|(hash, value)| *hash = mix(*hash, bits(value))),
        Some(nulls) => {
            for ((hash, value), null) in hashes.iter_mut().zip(values).zip(nulls) {
                *hash = mix(*hash, if *null { NULL } else { bits(value) });
            }
        }
    }
}

/// Both halves of the product of the hash and the value with a constant: every bit of the input reaches every bit of the
/// result.
#[inline]
fn mix(hash: u64, bits: u64) -> u64 {
    let product = u128::from(hash.rotate_left(23) ^ bits ^ SEED) * u128::from(NULL | 1);
    fold(product)
}

#[inline]
fn fold(wide: u128) -> u64 {
    let low = u64::try_from(wide & u128::from(u64::MAX)).expect("the low half");
    let high = u64::try_from(wide >> 64).expect("the high half");
    low ^ high
}

/// The bits of a float, the same for both zeros and for all NaNs.
#[inline]
fn float_bits(value: f64) -> u64 {
    if value.is_nan() {
        f64::NAN.to_bits()
    } else {
        (value + 0.0).to_bits()
    }
}

#[inline]
fn hash_bytes(bytes: &[u8]) -> u64 {
    let mut hash = bytes.len() as u64;
    let (words, rest) = bytes.as_chunks::<8>();
    for word in words {
        hash = mix(hash, u64::from_le_bytes(*word));
    }
    let mut last = [0; 8];
    last[..rest.len()].copy_from_slice(rest);
    mix(hash, u64::from_le_bytes(last))
}

fn hash_numeric(value: &Numeric) -> u64 {
    let trimmed = value.trimmed();
    match trimmed.as_small() {
        Some((mantissa, scale)) => mix(mantissa.cast_unsigned(), u64::from(scale)),
        None => {
            let mut hasher = Gathering(SEED);
            trimmed.hash(&mut hasher);
            hasher.finish()
        }
    }
}

/// A [`Hasher`] made of [`mix`], the same in every run.
struct Gathering(u64);

impl Hasher for Gathering {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        self.0 = mix(self.0, hash_bytes(bytes));
    }
}
