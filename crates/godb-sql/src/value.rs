//! [`Value`]: one SQL value, standing alone. Inside the executor values lie in columns instead.

pub use crate::numeric::Numeric;

/// A span of time, kept in three parts because months and days differ in length.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Interval {
    /// Months.
    pub months: i32,
    /// Days.
    pub days: i32,
    /// Microseconds.
    pub micros: i64,
}

/// One value; its SQL type is known beside it.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// No value.
    Null,
    /// `boolean`
    Bool(bool),
    /// Any integer type; also date (days since 1970-01-01) and timestamps (microseconds since then), by their type.
    Int(i64),
    /// `real` or `double precision`
    Float(f64),
    /// `numeric`
    Numeric(Numeric),
    /// Any character type.
    Text(String),
    /// `bytea`
    Bytes(Vec<u8>),
    /// `interval`
    Interval(Interval),
}

impl Value {
    /// Whether it is NULL.
    #[must_use]
    pub fn is_null(&self) -> bool {
        matches!(self, Self::Null)
    }
}
