//! Between Rust's types and SQL's: [`ToValue`] for parameters, [`FromValue`] for results.

use godb_sql::{DataType, Interval, Numeric, Value};

/// A Rust value that can be a statement's parameter.
pub trait ToValue {
    /// The SQL value.
    fn to_value(&self) -> Value;
}

/// A Rust type that a result's value can become.
pub trait FromValue: Sized {
    /// The Rust value, or `None` where the SQL value is of another kind or does not fit.
    fn from_value(value: &Value, ty: DataType) -> Option<Self>;
}

macro_rules! integers {
    ($($int:ty)*) => {$(
        impl ToValue for $int {
            fn to_value(&self) -> Value {
                Value::Int(i64::from(*self))
            }
        }

        impl FromValue for $int {
            fn from_value(value: &Value, _ty: DataType) -> Option<Self> {
                match value {
                    Value::Int(value) => (*value).try_into().ok(),
                    _ => None,
                }
            }
        }
    )*};
}

integers!(i8 i16 i32 i64 u8 u16 u32);

macro_rules! plain {
    ($($rust:ty => $variant:ident),* $(,)?) => {$(
        impl ToValue for $rust {
            fn to_value(&self) -> Value {
                Value::$variant(self.clone())
            }
        }

        impl FromValue for $rust {
            fn from_value(value: &Value, _ty: DataType) -> Option<Self> {
                match value {
                    Value::$variant(value) => Some(value.clone()),
                    _ => None,
                }
            }
        }
    )*};
}

plain!(bool => Bool, Vec<u8> => Bytes, Numeric => Numeric, Interval => Interval);

/// An integer beyond `i64` goes as its digits, which any numeric type reads.
impl ToValue for u64 {
    fn to_value(&self) -> Value {
        i64::try_from(*self).map_or_else(|_| Value::Text(self.to_string()), Value::Int)
    }
}

impl FromValue for u64 {
    fn from_value(value: &Value, _ty: DataType) -> Option<Self> {
        match value {
            Value::Int(value) => Self::try_from(*value).ok(),
            _ => None,
        }
    }
}

impl ToValue for f64 {
    fn to_value(&self) -> Value {
        Value::Float(*self)
    }
}

impl FromValue for f64 {
    fn from_value(value: &Value, _ty: DataType) -> Option<Self> {
        match value {
            Value::Float(value) => Some(*value),
            _ => None,
        }
    }
}

impl ToValue for f32 {
    fn to_value(&self) -> Value {
        Value::Float(f64::from(*self))
    }
}

impl ToValue for &str {
    fn to_value(&self) -> Value {
        Value::Text((*self).to_owned())
    }
}

impl ToValue for String {
    fn to_value(&self) -> Value {
        Value::Text(self.clone())
    }
}

/// Any value becomes text, as PostgreSQL shows it.
impl FromValue for String {
    fn from_value(value: &Value, ty: DataType) -> Option<Self> {
        (!value.is_null()).then(|| godb_sql::text::to_text(value, ty))
    }
}

impl ToValue for &[u8] {
    fn to_value(&self) -> Value {
        Value::Bytes(self.to_vec())
    }
}

impl<T: ToValue> ToValue for Option<T> {
    fn to_value(&self) -> Value {
        self.as_ref().map_or(Value::Null, ToValue::to_value)
    }
}

impl<T: FromValue> FromValue for Option<T> {
    fn from_value(value: &Value, ty: DataType) -> Option<Self> {
        if value.is_null() {
            Some(None)
        } else {
            T::from_value(value, ty).map(Some)
        }
    }
}

impl ToValue for Value {
    fn to_value(&self) -> Value {
        self.clone()
    }
}

impl FromValue for Value {
    fn from_value(value: &Value, _ty: DataType) -> Option<Self> {
        Some(value.clone())
    }
}

/// The parameters of a statement, for its `?` or `$1`:
///
/// ```
/// # use godb::{Database, params};
/// # let db = Database::in_memory()?;
/// db.execute("CREATE TABLE t (a int, b text)", params![])?;
/// db.execute("INSERT INTO t VALUES (?, ?)", params![1, "one"])?;
/// # Ok::<(), godb::Error>(())
/// ```
#[macro_export]
macro_rules! params {
    ($($value:expr),* $(,)?) => {
        &[$($crate::ToValue::to_value(&$value)),*] as &[$crate::Value]
    };
}
