//! [`Error`]: everything that can go wrong, in one flat type with a SQLSTATE.

use godb_page::TxnId;
use godb_sql::{EngineError, Fault, SqlError, SqlState, state};

/// Why a request failed.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A statement was refused, or failed.
    #[error(transparent)]
    Sql(#[from] SqlError),
    /// A key-value request was refused, or failed.
    #[error(transparent)]
    Engine(#[from] EngineError),
    /// The medium or the machine failed.
    #[error(transparent)]
    Fault(#[from] Fault),
    /// A field of the configuration has a value that cannot be used.
    #[error("configuration field {field} {why}")]
    Config {
        /// Which field.
        field: &'static str,
        /// What is wrong with it.
        why: &'static str,
    },
    /// As many sessions and transactions are open as the configuration allows.
    #[error("too many connections: {limit} sessions and transactions are open already")]
    TooManyConnections {
        /// The configured limit.
        limit: usize,
    },
    /// Another handle, a transaction or a result keeps the database open.
    #[error("the database stays open: another handle, a transaction or a result is still alive")]
    StillOpen,
    /// A value of the result is not what the program asked for.
    #[error("column {column} is {found}, which does not convert to {wanted}")]
    Conversion {
        /// Which column, by name or number.
        column: String,
        /// What it is.
        found: String,
        /// The Rust type asked for.
        wanted: &'static str,
    },
    /// The result has no column of that name or number.
    #[error("the result has no column {0}")]
    NoSuchColumn(String),
}

impl Error {
    /// Whether running the whole transaction again can succeed.
    #[must_use]
    pub fn is_retryable(&self) -> bool {
        match self {
            Self::Sql(error) => error.is_retryable(),
            Self::Engine(error) => error.is_retryable(),
            _ => false,
        }
    }

    /// The transaction that had to give way to another, if that is what happened.
    pub(crate) fn victim(&self) -> Option<TxnId> {
        match self {
            Self::Sql(error) => error.engine.as_ref().and_then(EngineError::victim),
            Self::Engine(error) => error.victim(),
            _ => None,
        }
    }

    /// The five-character code of the SQL standard, as PostgreSQL assigns them.
    #[must_use]
    pub fn sqlstate(&self) -> &'static str {
        let SqlState(code) = match self {
            Self::Sql(error) => error.state,
            Self::Engine(error) => SqlError::from(error.clone()).state,
            Self::Fault(fault) => SqlError::from(EngineError::from(fault.clone())).state,
            Self::Config { .. } => state::INVALID_PARAMETER_VALUE,
            Self::TooManyConnections { .. } => state::TOO_MANY_CONNECTIONS,
            Self::StillOpen => state::OBJECT_IN_USE,
            Self::Conversion { .. } => state::DATATYPE_MISMATCH,
            Self::NoSuchColumn(_) => state::UNDEFINED_COLUMN,
        };
        code
    }

    /// Where in the statement it is, counted in characters from 1.
    #[must_use]
    pub fn position(&self) -> Option<usize> {
        self.sql().and_then(|error| error.position)
    }

    /// More about it.
    #[must_use]
    pub fn detail(&self) -> Option<&str> {
        self.sql().and_then(|error| error.detail.as_deref())
    }

    /// What can be done about it.
    #[must_use]
    pub fn hint(&self) -> Option<&str> {
        self.sql().and_then(|error| error.hint.as_deref())
    }

    /// Where in the input it happened: "COPY flights, line 7, column dep_time".
    #[must_use]
    pub fn context(&self) -> Option<&str> {
        self.sql().and_then(|error| error.context.as_deref())
    }

    fn sql(&self) -> Option<&SqlError> {
        match self {
            Self::Sql(error) => Some(error),
            _ => None,
        }
    }
}

/// The result of everything that can be refused or fail.
pub type Result<T> = std::result::Result<T, Error>;
