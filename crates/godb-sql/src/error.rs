//! [`SqlError`]: what a statement can be refused, with PostgreSQL's SQLSTATE and the fields its clients show.

use godb_mvcc::{Error as EngineError, Fault};

/// A five-character error code of the SQL standard, as PostgreSQL assigns them.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct SqlState(pub &'static str);

/// The codes in use. Names are PostgreSQL's condition names.
#[expect(missing_docs, reason = "the names are PostgreSQL's and say what they mean")]
pub mod state {
    use super::SqlState;
    pub const SUCCESSFUL_COMPLETION: SqlState = SqlState("00000");
    pub const FEATURE_NOT_SUPPORTED: SqlState = SqlState("0A000");
    pub const CARDINALITY_VIOLATION: SqlState = SqlState("21000");
    pub const STRING_DATA_RIGHT_TRUNCATION: SqlState = SqlState("22001");
    pub const NULL_VALUE_NOT_ALLOWED: SqlState = SqlState("22004");
    pub const NUMERIC_VALUE_OUT_OF_RANGE: SqlState = SqlState("22003");
    pub const DATETIME_FIELD_OVERFLOW: SqlState = SqlState("22008");
    pub const INVALID_DATETIME_FORMAT: SqlState = SqlState("22007");
    pub const SUBSTRING_ERROR: SqlState = SqlState("22011");
    pub const DIVISION_BY_ZERO: SqlState = SqlState("22012");
    pub const INVALID_PARAMETER_VALUE: SqlState = SqlState("22023");
    pub const INVALID_ESCAPE_SEQUENCE: SqlState = SqlState("22025");
    pub const INVALID_TEXT_REPRESENTATION: SqlState = SqlState("22P02");
    pub const BAD_COPY_FILE_FORMAT: SqlState = SqlState("22P04");
    pub const CHARACTER_NOT_IN_REPERTOIRE: SqlState = SqlState("22021");
    pub const INVALID_ROW_COUNT_IN_LIMIT: SqlState = SqlState("2201W");
    pub const INVALID_ROW_COUNT_IN_OFFSET: SqlState = SqlState("2201X");
    pub const NOT_NULL_VIOLATION: SqlState = SqlState("23502");
    pub const FOREIGN_KEY_VIOLATION: SqlState = SqlState("23503");
    pub const UNIQUE_VIOLATION: SqlState = SqlState("23505");
    pub const CHECK_VIOLATION: SqlState = SqlState("23514");
    pub const ACTIVE_SQL_TRANSACTION: SqlState = SqlState("25001");
    pub const READ_ONLY_SQL_TRANSACTION: SqlState = SqlState("25006");
    pub const NO_ACTIVE_SQL_TRANSACTION: SqlState = SqlState("25P01");
    pub const IN_FAILED_SQL_TRANSACTION: SqlState = SqlState("25P02");
    pub const DEPENDENT_OBJECTS_STILL_EXIST: SqlState = SqlState("2BP01");
    pub const INVALID_SQL_STATEMENT_NAME: SqlState = SqlState("26000");
    pub const INVALID_CURSOR_NAME: SqlState = SqlState("34000");
    pub const INVALID_SAVEPOINT_SPECIFICATION: SqlState = SqlState("3B001");
    pub const INVALID_SCHEMA_NAME: SqlState = SqlState("3F000");
    pub const SERIALIZATION_FAILURE: SqlState = SqlState("40001");
    pub const TRANSACTION_RESOLUTION_UNKNOWN: SqlState = SqlState("08007");
    pub const DEADLOCK_DETECTED: SqlState = SqlState("40P01");
    pub const SYNTAX_ERROR: SqlState = SqlState("42601");
    pub const INSUFFICIENT_PRIVILEGE: SqlState = SqlState("42501");
    pub const RESERVED_NAME: SqlState = SqlState("42939");
    pub const INVALID_NAME: SqlState = SqlState("42602");
    pub const AMBIGUOUS_COLUMN: SqlState = SqlState("42702");
    pub const AMBIGUOUS_FUNCTION: SqlState = SqlState("42725");
    pub const UNDEFINED_COLUMN: SqlState = SqlState("42703");
    pub const UNDEFINED_FUNCTION: SqlState = SqlState("42883");
    pub const UNDEFINED_TABLE: SqlState = SqlState("42P01");
    pub const UNDEFINED_OBJECT: SqlState = SqlState("42704");
    pub const UNDEFINED_PARAMETER: SqlState = SqlState("42P02");
    pub const DUPLICATE_COLUMN: SqlState = SqlState("42701");
    pub const DUPLICATE_ALIAS: SqlState = SqlState("42712");
    pub const DUPLICATE_OBJECT: SqlState = SqlState("42710");
    pub const DUPLICATE_CURSOR: SqlState = SqlState("42P03");
    pub const DUPLICATE_PREPARED_STATEMENT: SqlState = SqlState("42P05");
    pub const DUPLICATE_TABLE: SqlState = SqlState("42P07");
    pub const GROUPING_ERROR: SqlState = SqlState("42803");
    pub const DATATYPE_MISMATCH: SqlState = SqlState("42804");
    pub const CANNOT_COERCE: SqlState = SqlState("42846");
    pub const WRONG_OBJECT_TYPE: SqlState = SqlState("42809");
    pub const INVALID_COLUMN_REFERENCE: SqlState = SqlState("42P10");
    pub const INVALID_TABLE_DEFINITION: SqlState = SqlState("42P16");
    pub const INVALID_OBJECT_DEFINITION: SqlState = SqlState("42P17");
    pub const INDETERMINATE_DATATYPE: SqlState = SqlState("42P18");
    pub const DISK_FULL: SqlState = SqlState("53100");
    pub const OUT_OF_MEMORY: SqlState = SqlState("53200");
    pub const CONFIGURATION_LIMIT_EXCEEDED: SqlState = SqlState("53400");
    pub const TOO_MANY_CONNECTIONS: SqlState = SqlState("53300");
    pub const PROGRAM_LIMIT_EXCEEDED: SqlState = SqlState("54000");
    pub const STATEMENT_TOO_COMPLEX: SqlState = SqlState("54001");
    pub const OBJECT_NOT_IN_PREREQUISITE_STATE: SqlState = SqlState("55000");
    pub const OBJECT_IN_USE: SqlState = SqlState("55006");
    pub const CANT_CHANGE_RUNTIME_PARAM: SqlState = SqlState("55P02");
    pub const LOCK_NOT_AVAILABLE: SqlState = SqlState("55P03");
    pub const QUERY_CANCELED: SqlState = SqlState("57014");
    pub const IO_ERROR: SqlState = SqlState("58030");
    pub const UNDEFINED_FILE: SqlState = SqlState("58P01");
    pub const SNAPSHOT_TOO_OLD: SqlState = SqlState("72000");
    pub const INTERNAL_ERROR: SqlState = SqlState("XX000");
    pub const DATA_CORRUPTED: SqlState = SqlState("XX001");
}

/// Why a statement failed.
#[derive(Clone, Debug, thiserror::Error)]
#[error("{}", .0.message)]
pub struct SqlError(Box<Fields>);

/// The parts of an error that PostgreSQL's clients know.
#[derive(Clone, Debug)]
pub struct Fields {
    /// The code.
    pub state: SqlState,
    /// What happened, in one line without a full stop.
    pub message: String,
    /// More about it.
    pub detail: Option<String>,
    /// What the user can do.
    pub hint: Option<String>,
    /// Where in the statement, counted in characters from 1.
    pub position: Option<usize>,
    /// Where in the input it was being read: "COPY flights, line 7, column dep_time".
    pub context: Option<String>,
    /// The engine's own error, where one is behind it.
    pub engine: Option<EngineError>,
}

impl std::ops::Deref for SqlError {
    type Target = Fields;

    fn deref(&self) -> &Fields {
        &self.0
    }
}

impl SqlError {
    /// An error with a code and a message.
    pub fn new(state: SqlState, message: impl Into<String>) -> Self {
        Self(Box::new(Fields {
            state,
            message: message.into(),
            detail: None,
            hint: None,
            position: None,
            context: None,
            engine: None,
        }))
    }

    /// Something godb does not do yet.
    pub fn unsupported(what: impl std::fmt::Display) -> Self {
        Self::new(state::FEATURE_NOT_SUPPORTED, format!("{what} is not supported"))
    }

    /// Adds a detail line.
    #[must_use]
    pub fn detail(mut self, detail: impl Into<String>) -> Self {
        self.0.detail = Some(detail.into());
        self
    }

    /// Adds a hint.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.0.hint = Some(hint.into());
        self
    }

    /// Adds the position in the statement, unless a more exact one is there already.
    #[must_use]
    pub fn at(mut self, position: usize) -> Self {
        self.0.position.get_or_insert(position);
        self
    }

    /// Adds where in the input it happened.
    #[must_use]
    pub fn context(mut self, context: impl Into<String>) -> Self {
        self.0.context = Some(context.into());
        self
    }

    /// Whether running the transaction again can succeed.
    #[must_use]
    pub fn is_retryable(&self) -> bool {
        self.0.engine.as_ref().is_some_and(EngineError::is_retryable)
    }
}

impl From<EngineError> for SqlError {
    fn from(error: EngineError) -> Self {
        let code = match &error {
            EngineError::Fault(fault) => state_of_fault(fault),
            EngineError::OutcomeUnknown(_) => state::TRANSACTION_RESOLUTION_UNKNOWN,
            EngineError::Deadlock { .. } | EngineError::GaveWay { .. } => state::DEADLOCK_DETECTED,
            EngineError::LockTimeout { .. } => state::LOCK_NOT_AVAILABLE,
            EngineError::Interrupted => state::QUERY_CANCELED,
            EngineError::Conflict | EngineError::Dependencies => state::SERIALIZATION_FAILURE,
            EngineError::TooOld { .. } => state::SNAPSHOT_TOO_OLD,
            EngineError::InFuture { .. } => state::INVALID_PARAMETER_VALUE,
            EngineError::ReadOnlyTransaction => state::READ_ONLY_SQL_TRANSACTION,
            EngineError::Unsupported { .. } => state::FEATURE_NOT_SUPPORTED,
            EngineError::NoSuchTree => state::DATA_CORRUPTED,
            EngineError::Source { .. } => state::IO_ERROR,
            _ => state::INTERNAL_ERROR,
        };
        let message = match &error {
            // A snapshot keeps the trees of its tables, so only a damaged catalog or directory leads here.
            EngineError::NoSuchTree => "the tree of a table or index is not there".to_owned(),
            other => other.to_string(),
        };
        let mut wrapped = Self::new(code, message);
        wrapped.0.engine = Some(error);
        wrapped
    }
}

fn state_of_fault(fault: &Fault) -> SqlState {
    match fault {
        Fault::Corrupt { .. } => state::DATA_CORRUPTED,
        Fault::Full { .. } => state::DISK_FULL,
        Fault::InUse { .. } => state::OBJECT_IN_USE,
        Fault::TooLarge { .. } => state::PROGRAM_LIMIT_EXCEEDED,
        Fault::ReadOnly { .. } => state::READ_ONLY_SQL_TRANSACTION,
        Fault::Unusable { .. } | Fault::Poisoned { .. } => state::OBJECT_NOT_IN_PREREQUISITE_STATE,
        _ => state::IO_ERROR,
    }
}

/// The result of everything in this crate that can be refused.
pub type Result<T> = std::result::Result<T, SqlError>;
