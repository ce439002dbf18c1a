//! `=`, `<>`, `<`, `<=`, `>`, `>=` for every type.
//!
//! Each is one function whatever the types: its kernel looks at the kind of column once and then runs a loop made for it.

use super::Call;
use super::call::{Floats, Ints, Strings};
use super::table::types::{BOOL, BYTEA, CHAR, DATE, F4, F8, I2, I4, I8, NUM, OID, SPAN, TEXT, TS, TSTZ};
use super::table::{Entry, entry};
use crate::cast::trim_blanks;
use crate::error::Result;
use crate::types::DataType;
use crate::vector::{Column, ColumnData};
use std::cmp::Ordering;

/// The six comparisons of each pair of types.
macro_rules! six {
    ($([$left:expr, $right:expr])*) => {
        &[$(
            entry("=", &[$left, $right], BOOL, equal),
            entry("<>", &[$left, $right], BOOL, unequal),
            entry("<", &[$left, $right], BOOL, less),
            entry("<=", &[$left, $right], BOOL, at_most),
            entry(">", &[$left, $right], BOOL, greater),
            entry(">=", &[$left, $right], BOOL, at_least),
        )*]
    };
}

/// The comparison operators.
#[rustfmt::skip]
pub(super) static TABLE: &[Entry] = six![
    [BOOL, BOOL]
    [I2, I2] [I4, I4] [I8, I8] [I2, I4] [I4, I2] [I2, I8] [I8, I2] [I4, I8] [I8, I4]
    [F4, F4] [F8, F8] [F4, F8] [F8, F4] [NUM, NUM]
    [TEXT, TEXT] [CHAR, CHAR] [BYTEA, BYTEA]
    [OID, OID]
    [DATE, DATE] [TS, TS] [TSTZ, TSTZ] [SPAN, SPAN]
];

/// One of the six comparisons.
trait Comparison {
    fn holds(ordering: Ordering) -> bool;
    fn ints(a: i64, b: i64) -> bool;
    fn floats(a: f64, b: f64) -> bool;
    fn bytes(a: &[u8], b: &[u8]) -> bool;
}

macro_rules! comparison {
    ($kernel:ident, $name:ident, $operator:tt, $holds:ident, |$a:ident, $b:ident| $floats:expr) => {
        struct $name;

        impl Comparison for $name {
            #[inline]
            fn holds(ordering: Ordering) -> bool {
                ordering.$holds()
            }
            #[inline]
            fn ints(a: i64, b: i64) -> bool {
                a $operator b
            }
            #[inline]
            fn floats($a: f64, $b: f64) -> bool {
                $floats
            }
            #[inline]
            fn bytes(a: &[u8], b: &[u8]) -> bool {
                a $operator b
            }
        }

        fn $kernel(call: &Call<'_>) -> Result<Column> {
            Ok(compare::<$name>(call))
        }
    };
}

// NaN equals itself and is greater than every other float.
comparison!(equal, Equal, ==, is_eq, |a, b| (a == b) | (a.is_nan() & b.is_nan()));
comparison!(unequal, Unequal, !=, is_ne, |a, b| !((a == b) | (a.is_nan() & b.is_nan())));
comparison!(less, Less, <, is_lt, |a, b| (a < b) | (b.is_nan() & !a.is_nan()));
comparison!(at_most, AtMost, <=, is_le, |a, b| (a <= b) | b.is_nan());
comparison!(greater, Greater, >, is_gt, |a, b| (a > b) | (a.is_nan() & !b.is_nan()));
comparison!(at_least, AtLeast, >=, is_ge, |a, b| (a >= b) | a.is_nan());

fn compare<C: Comparison>(call: &Call<'_>) -> Column {
    let values = match &call.args[0].data {
        ColumnData::Int(_) => ints(call.ints(0), call.ints(1), C::ints, call.rows),
        ColumnData::Float(_) => floats(call.floats(0), call.floats(1), C::floats, call.rows),
        ColumnData::Bytes(_) if matches!(call.types[0], DataType::Char(_)) => strings(
            call.strings(0),
            call.strings(1),
            |a, b| C::bytes(trim_blanks(a), trim_blanks(b)),
            call.rows,
        ),
        ColumnData::Bytes(_) => strings(call.strings(0), call.strings(1), C::bytes, call.rows),
        ColumnData::Bool(_) => {
            let (a, b) = (call.bools(0), call.bools(1));
            (0..call.rows)
                .map(|row| C::holds(a.at(row).cmp(b.at(row))))
                .collect()
        }
        ColumnData::Numeric(_) => {
            let (a, b) = (call.numerics(0), call.numerics(1));
            (0..call.rows)
                .map(|row| C::holds(a.at(row).cmp(b.at(row))))
                .collect()
        }
        ColumnData::Interval(_) => {
            let (a, b) = (call.intervals(0), call.intervals(1));
            (0..call.rows)
                .map(|row| C::holds(a.at(row).length().cmp(&b.at(row).length())))
                .collect()
        }
    };
    Column::new(ColumnData::Bool(values))
}

/// The loop over integers, made once for each side that is constant.
#[inline]
fn ints(a: Ints<'_>, b: Ints<'_>, test: impl Fn(i64, i64) -> bool, rows: usize) -> Vec<bool> {
    match (a.constant, b.constant) {
        (false, false) => a.values.iter().zip(b.values).map(|(a, b)| test(*a, *b)).collect(),
        (false, true) => {
            let b = b.values[0];
            a.values.iter().map(|a| test(*a, b)).collect()
        }
        (true, false) => {
            let a = a.values[0];
            b.values.iter().map(|b| test(a, *b)).collect()
        }
        (true, true) => vec![test(a.values[0], b.values[0]); rows],
    }
}

/// The loop over floats, made once for each side that is constant.
#[inline]
fn floats(a: Floats<'_>, b: Floats<'_>, test: impl Fn(f64, f64) -> bool, rows: usize) -> Vec<bool> {
    match (a.constant, b.constant) {
        (false, false) => a.values.iter().zip(b.values).map(|(a, b)| test(*a, *b)).collect(),
        (false, true) => {
            let b = b.values[0];
            a.values.iter().map(|a| test(*a, b)).collect()
        }
        (true, false) => {
            let a = a.values[0];
            b.values.iter().map(|b| test(a, *b)).collect()
        }
        (true, true) => vec![test(a.values[0], b.values[0]); rows],
    }
}

#[inline]
fn strings(a: Strings<'_>, b: Strings<'_>, test: impl Fn(&[u8], &[u8]) -> bool, rows: usize) -> Vec<bool> {
    if b.constant && !a.constant {
        let b = b.bytes(0);
        return a.values.iter().map(|a| test(a, b)).collect();
    }
    (0..rows).map(|row| test(a.bytes(row), b.bytes(row))).collect()
}
