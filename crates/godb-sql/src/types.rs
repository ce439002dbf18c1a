//! [`DataType`]: the types of SQL values, and their names.

use std::fmt;

/// The most digits of `numeric(precision, scale)`, and the largest scale, to either side, as in PostgreSQL.
pub(crate) const MAX_PRECISION: u16 = 1000;
pub(crate) const MAX_DECLARED_SCALE: i16 = 1000;
/// The most characters of `varchar(n)` and `char(n)`, as in PostgreSQL.
pub(crate) const MAX_LENGTH: u32 = 10_485_760;

/// The type of a column or an expression.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum DataType {
    /// The type of a bare `NULL`, and of a string literal or parameter before its use gives it a type.
    Unknown,
    /// `boolean`
    Bool,
    /// `smallint`
    Int2,
    /// `integer`
    Int4,
    /// `bigint`
    Int8,
    /// `real`
    Float4,
    /// `double precision`
    Float8,
    /// `numeric(precision, scale)`; without them, any number of digits.
    Numeric(Option<(u16, i16)>),
    /// `text`
    Text,
    /// `character varying(n)`, n in characters.
    Varchar(Option<u32>),
    /// `character(n)`: padded with blanks, which do not count in comparisons.
    Char(u32),
    /// `bytea`
    Bytea,
    /// `date`
    Date,
    /// `timestamp without time zone`
    Timestamp,
    /// `timestamp with time zone`; shown in UTC.
    TimestampTz,
    /// `interval`
    Interval,
    /// `oid`: the number of something in the catalog, 32 bits without sign.
    Oid,
    /// An array of one dimension. Such values come and go; columns of tables are not of such types.
    Array(Element),
}

/// What an array is made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Element {
    /// `boolean`
    Bool,
    /// `smallint`
    Int2,
    /// `integer`
    Int4,
    /// `bigint`
    Int8,
    /// `oid`
    Oid,
    /// `text`
    Text,
}

impl Element {
    /// The type of one element.
    #[must_use]
    pub fn data_type(self) -> DataType {
        match self {
            Self::Bool => DataType::Bool,
            Self::Int2 => DataType::Int2,
            Self::Int4 => DataType::Int4,
            Self::Int8 => DataType::Int8,
            Self::Oid => DataType::Oid,
            Self::Text => DataType::Text,
        }
    }

    /// Of which arrays are made of values of that type, if there are such.
    #[must_use]
    pub fn of(ty: DataType) -> Option<Self> {
        Some(match ty {
            DataType::Bool => Self::Bool,
            DataType::Int2 => Self::Int2,
            DataType::Int4 => Self::Int4,
            DataType::Int8 => Self::Int8,
            DataType::Oid => Self::Oid,
            DataType::Text | DataType::Varchar(_) | DataType::Unknown => Self::Text,
            _ => return None,
        })
    }
}

/// How values of a type lie in a [`ColumnData`](crate::vector::ColumnData).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Physical {
    /// One bool a row.
    Bool,
    /// One i64 a row: every integer type, date (days since 1970-01-01), timestamps (microseconds since then).
    Int,
    /// One f64 a row; `real` is rounded to f32 after each step.
    Float,
    /// Decimal numbers.
    Numeric,
    /// Strings of bytes: text, varchar, char, bytea.
    Bytes,
    /// Months, days, microseconds.
    Interval,
}

impl DataType {
    /// How its values are stored in columns. `Unknown` lies as text.
    #[must_use]
    pub fn physical(self) -> Physical {
        match self {
            Self::Bool => Physical::Bool,
            Self::Oid => Physical::Int,
            Self::Array(_) => Physical::Bytes,
            Self::Int2 | Self::Int4 | Self::Int8 | Self::Date | Self::Timestamp | Self::TimestampTz => {
                Physical::Int
            }
            Self::Float4 | Self::Float8 => Physical::Float,
            Self::Numeric(_) => Physical::Numeric,
            Self::Unknown | Self::Text | Self::Varchar(_) | Self::Char(_) | Self::Bytea => Physical::Bytes,
            Self::Interval => Physical::Interval,
        }
    }

    /// The smallest and the largest number that a column of this type holds, where values lie as integers.
    #[must_use]
    pub(crate) fn limits(self) -> (i64, i64) {
        match self {
            Self::Int2 => (i64::from(i16::MIN), i64::from(i16::MAX)),
            Self::Oid => (0, i64::from(u32::MAX)),
            Self::Int4 | Self::Date => (i64::from(i32::MIN), i64::from(i32::MAX)),
            _ => (i64::MIN, i64::MAX),
        }
    }

    /// Whether a column of this type, whose values lie as integers, holds the number.
    #[must_use]
    pub(crate) fn holds(self, value: i64) -> bool {
        let (least, most) = self.limits();
        (least..=most).contains(&value)
    }

    /// Whether a column can be declared so: length, precision and scale are within their bounds.
    #[must_use]
    pub(crate) fn can_be_declared(self) -> bool {
        match self {
            Self::Unknown | Self::Array(_) => false,
            Self::Numeric(Some((precision, scale))) => {
                (1..=MAX_PRECISION).contains(&precision)
                    && (-MAX_DECLARED_SCALE..=MAX_DECLARED_SCALE).contains(&scale)
            }
            Self::Varchar(Some(length)) | Self::Char(length) => (1..=MAX_LENGTH).contains(&length),
            _ => true,
        }
    }

    /// Whether it is a number.
    #[must_use]
    pub fn is_numeric(self) -> bool {
        self.is_integer() || matches!(self, Self::Float4 | Self::Float8 | Self::Numeric(_))
    }

    /// Whether it is a whole number.
    #[must_use]
    pub fn is_integer(self) -> bool {
        matches!(self, Self::Int2 | Self::Int4 | Self::Int8)
    }

    /// Whether it holds characters.
    #[must_use]
    pub fn is_text(self) -> bool {
        matches!(
            self,
            Self::Text | Self::Varchar(_) | Self::Char(_) | Self::Unknown
        )
    }

    /// Its name without length, precision and scale: as errors show it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Unknown => "unknown",
            Self::Bool => "boolean",
            Self::Int2 => "smallint",
            Self::Int4 => "integer",
            Self::Int8 => "bigint",
            Self::Float4 => "real",
            Self::Float8 => "double precision",
            Self::Numeric(_) => "numeric",
            Self::Text => "text",
            Self::Varchar(_) => "character varying",
            Self::Char(_) => "character",
            Self::Bytea => "bytea",
            Self::Date => "date",
            Self::Timestamp => "timestamp without time zone",
            Self::TimestampTz => "timestamp with time zone",
            Self::Interval => "interval",
            Self::Oid => "oid",
            Self::Array(Element::Bool) => "boolean[]",
            Self::Array(Element::Int2) => "smallint[]",
            Self::Array(Element::Int4) => "integer[]",
            Self::Array(Element::Int8) => "bigint[]",
            Self::Array(Element::Oid) => "oid[]",
            Self::Array(Element::Text) => "text[]",
        }
    }

    /// Whether both are the same but for length, precision and scale.
    #[must_use]
    pub fn is_same_kind(self, other: Self) -> bool {
        match (self, other) {
            (Self::Array(a), Self::Array(b)) => a == b,
            _ => std::mem::discriminant(&self) == std::mem::discriminant(&other),
        }
    }

    /// The same type without length, precision and scale.
    #[must_use]
    pub fn base(self) -> Self {
        match self {
            Self::Numeric(_) => Self::Numeric(None),
            Self::Varchar(_) => Self::Varchar(None),
            other => other,
        }
    }
}

impl fmt::Display for DataType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Numeric(Some((precision, scale))) => write!(f, "numeric({precision},{scale})"),
            Self::Varchar(Some(n)) => write!(f, "character varying({n})"),
            Self::Char(n) => write!(f, "character({n})"),
            other => f.write_str(other.name()),
        }
    }
}
