//! [`Effects`]: the values that the engine heeds, in the engine's own types.

use super::table::MESSAGES;
use super::{Layer, Wired, get};
use godb_mvcc::Isolation;
use std::time::Duration;

/// What a session's settings come to.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Effects {
    /// How long a statement may run; `None` is without limit.
    pub(crate) statement_timeout: Option<Duration>,
    /// How long a lock may be waited for; `None` is what the database does.
    pub(crate) lock_timeout: Option<Duration>,
    /// How long a client may leave a transaction alone.
    pub(crate) idle_in_transaction_timeout: Option<Duration>,
    /// How long a client may leave a session alone.
    pub(crate) idle_timeout: Option<Duration>,
    /// Bytes of memory that one sort, join or aggregate may use.
    pub(crate) work_mem: usize,
    /// What transactions see of the others, unless they say otherwise.
    pub(crate) isolation: Isolation,
    /// Transactions only read, unless they say otherwise.
    pub(crate) read_only: bool,
    /// Serializable transactions that only read wait for a safe snapshot, unless they say otherwise.
    pub(crate) deferrable: bool,
    /// Notices are sent to the client.
    pub(crate) notices: bool,
    /// So are warnings.
    pub(crate) warnings: bool,
}

impl Effects {
    /// Where nothing was set.
    pub(crate) fn new(wired: &Wired) -> Self {
        Self {
            statement_timeout: None,
            lock_timeout: None,
            idle_in_transaction_timeout: None,
            idle_timeout: None,
            work_mem: wired.work_mem,
            isolation: wired.isolation,
            read_only: false,
            deferrable: false,
            notices: true,
            warnings: true,
        }
    }

    /// With these values, which are in the form in which they are kept.
    pub(super) fn of(wired: &Wired, values: &Layer) -> Self {
        let value = |name: &str| get(values, name);
        let number = |name: &str| value(name).and_then(|text| text.parse::<u64>().ok());
        let time = |name: &str| {
            number(name)
                .filter(|millis| *millis > 0)
                .map(Duration::from_millis)
        };
        let on = |name: &str| value(name) == Some("on");
        let shows = |level: &str| value("client_min_messages").is_none_or(|least| rank(least) <= rank(level));
        let kilobytes = number("work_mem").and_then(|kilobytes| usize::try_from(kilobytes).ok());
        Self {
            statement_timeout: time("statement_timeout"),
            lock_timeout: number("lock_timeout").map(|millis| match millis {
                0 => Duration::MAX,
                millis => Duration::from_millis(millis),
            }),
            idle_in_transaction_timeout: time("idle_in_transaction_session_timeout"),
            idle_timeout: time("idle_session_timeout"),
            work_mem: kilobytes.map_or(wired.work_mem, |kilobytes| kilobytes << 10),
            isolation: value("default_transaction_isolation").map_or(wired.isolation, isolation),
            read_only: on("default_transaction_read_only"),
            deferrable: on("default_transaction_deferrable"),
            notices: shows("notice"),
            warnings: shows("warning"),
        }
    }
}

fn rank(level: &str) -> usize {
    MESSAGES.iter().position(|known| *known == level).unwrap_or(0)
}

/// The name of an isolation level in PostgreSQL.
pub(crate) fn isolation_name(isolation: Isolation) -> &'static str {
    match isolation {
        Isolation::ReadCommitted => "read committed",
        Isolation::RepeatableRead => "repeatable read",
        Isolation::Serializable => "serializable",
    }
}

fn isolation(name: &str) -> Isolation {
    match name {
        "serializable" => Isolation::Serializable,
        "repeatable read" => Isolation::RepeatableRead,
        _ => Isolation::ReadCommitted,
    }
}
