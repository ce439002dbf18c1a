//! The form of the tables in which functions and operators are listed.

use super::{Function, Kernel, Volatility};
use crate::types::DataType;

/// One way to call a function: a line of a table.
pub(crate) struct Entry {
    /// The function.
    pub(crate) function: Function,
    /// What it takes. Lengths, precisions and scales do not count.
    pub(crate) takes: &'static [DataType],
    /// The last argument may be given any number of times.
    pub(crate) variadic: bool,
    /// What it returns.
    pub(crate) returns: DataType,
}

/// A strict, immutable function: a line as most are.
pub(crate) const fn entry(
    name: &'static str,
    takes: &'static [DataType],
    returns: DataType,
    kernel: Kernel,
) -> Entry {
    Entry {
        function: Function {
            name,
            volatility: Volatility::Immutable,
            strict: true,
            kernel,
        },
        takes,
        variadic: false,
        returns,
    }
}

impl Entry {
    /// It can change between statements.
    pub(crate) const fn stable(mut self) -> Self {
        self.function.volatility = Volatility::Stable;
        self
    }

    /// It can change from row to row.
    pub(crate) const fn volatile(mut self) -> Self {
        self.function.volatility = Volatility::Volatile;
        self
    }

    /// It makes something of NULL.
    pub(crate) const fn lenient(mut self) -> Self {
        self.function.strict = false;
        self
    }

    /// The last argument may be given any number of times.
    pub(crate) const fn variadic(mut self) -> Self {
        self.variadic = true;
        self
    }
}

/// Short names for types, so that tables read as tables.
pub(crate) mod types {
    use crate::types::DataType;
    pub(crate) const ANY: DataType = DataType::Unknown;
    pub(crate) const BOOL: DataType = DataType::Bool;
    pub(crate) const I2: DataType = DataType::Int2;
    pub(crate) const I4: DataType = DataType::Int4;
    pub(crate) const I8: DataType = DataType::Int8;
    pub(crate) const F4: DataType = DataType::Float4;
    pub(crate) const F8: DataType = DataType::Float8;
    pub(crate) const NUM: DataType = DataType::Numeric(None);
    pub(crate) const TEXT: DataType = DataType::Text;
    pub(crate) const CHAR: DataType = DataType::Char(1);
    pub(crate) const BYTEA: DataType = DataType::Bytea;
    pub(crate) const DATE: DataType = DataType::Date;
    pub(crate) const TS: DataType = DataType::Timestamp;
    pub(crate) const TSTZ: DataType = DataType::TimestampTz;
    pub(crate) const OID: DataType = DataType::Oid;
    pub(crate) const SPAN: DataType = DataType::Interval;
}
