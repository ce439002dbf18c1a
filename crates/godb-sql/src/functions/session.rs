//! Functions about the session: who uses it, and its settings.

use super::Call;
use super::call::with_nulls;
use super::table::types::{BOOL, F8, I4, SPAN, TEXT};
use super::table::{Entry, entry};
use crate::error::{Result, SqlError, state};
use crate::session::SessionContext;
use crate::settings::SERVER_VERSION;
use crate::types::{DataType, Element};
use crate::vector::{BytesColumn, Column, ColumnData};

/// Functions about the session.
#[rustfmt::skip]
pub(super) static TABLE: &[Entry] = &[
    entry("version", &[], TEXT, version).stable(),
    entry("current_database", &[], TEXT, database).stable(), entry("current_catalog", &[], TEXT, database).stable(),
    entry("current_schema", &[], TEXT, schema).stable(),
    entry("current_user", &[], TEXT, user).stable(), entry("session_user", &[], TEXT, user).stable(),
    entry("user", &[], TEXT, user).stable(), entry("current_role", &[], TEXT, user).stable(),
    entry("pg_backend_pid", &[], I4, process).stable(),
    entry("pg_isolation_test_session_is_blocked", &[I4, DataType::Array(Element::Int4)], BOOL, is_blocked).volatile(),
    entry("pg_is_in_recovery", &[], BOOL, in_recovery).stable(),
    entry("current_setting", &[TEXT], TEXT, current_setting).stable(), entry("current_setting", &[TEXT, BOOL], TEXT, current_setting_or_null).stable(),
    entry("set_config", &[TEXT, TEXT, BOOL], TEXT, set_config).volatile().lenient(),
    entry("pg_sleep", &[F8], TEXT, sleep).volatile(), entry("pg_sleep_for", &[SPAN], TEXT, sleep_for).volatile(),
];

/// The session. Constants that are computed while planning never come here: none of these functions is immutable.
pub(super) fn session<'a>(call: &Call<'a>) -> Result<&'a SessionContext> {
    call.evaluating.session.ok_or_else(|| {
        let message = "a function about the session is called outside of one";
        SqlError::new(state::INTERNAL_ERROR, message)
    })
}

fn constant(call: &Call<'_>, text: &str) -> Result<Column> {
    call.each_string(|_, out| {
        out.extend_from_slice(text.as_bytes());
        Ok(())
    })
}

fn version(call: &Call<'_>) -> Result<Column> {
    let text = format!("PostgreSQL {SERVER_VERSION} (godb {})", env!("CARGO_PKG_VERSION"));
    constant(call, &text)
}

fn database(call: &Call<'_>) -> Result<Column> {
    constant(call, &session(call)?.identity().database)
}

fn schema(call: &Call<'_>) -> Result<Column> {
    constant(call, "public")
}

fn user(call: &Call<'_>) -> Result<Column> {
    constant(call, &session(call)?.identity().user)
}

fn process(call: &Call<'_>) -> Result<Column> {
    let process = i64::from(session(call)?.identity().process);
    call.each_int(|_| Ok(process))
}

/// Whether the session of that number waits for a lock. For whose is not looked at: all sessions of a test are named, and nobody else is there.
fn is_blocked(call: &Call<'_>) -> Result<Column> {
    let (session, processes) = (session(call)?, call.ints(0));
    call.each_bool(|row| {
        let process = i32::try_from(*processes.at(row)).unwrap_or(0);
        let found = session.registry().find(process);
        Ok(found.is_some_and(|found| found.is_waiting()))
    })
}

/// A database that can be asked has recovered.
fn in_recovery(call: &Call<'_>) -> Result<Column> {
    call.each_bool(|_| Ok(false))
}

fn current_setting(call: &Call<'_>) -> Result<Column> {
    let (session, names) = (session(call)?, call.strings(0));
    call.each_string(|row, out| {
        let value = session.settings(|settings| settings.show(names.text(row)?))?;
        out.extend_from_slice(value.as_bytes());
        Ok(())
    })
}

/// `current_setting(name, missing_ok)`
fn current_setting_or_null(call: &Call<'_>) -> Result<Column> {
    let (session, names, missing_ok) = (session(call)?, call.strings(0), call.bools(1));
    call.each_string_or_null(|row, out| {
        let name = names.text(row)?;
        let value = session.settings(|settings| settings.value(name));
        match value {
            Some(value) => out.extend_from_slice(value.as_bytes()),
            None if *missing_ok.at(row) => return Ok(false),
            None => return Err(crate::settings::unknown(name)),
        }
        Ok(true)
    })
}

/// `set_config(name, value, is_local)`: NULL for the value sets it back.
fn set_config(call: &Call<'_>) -> Result<Column> {
    let (session, names, values, local) = (session(call)?, call.strings(0), call.strings(1), call.bools(2));
    call.each_string(|row, out| {
        if call.is_null(0, row) {
            let message = "SET requires parameter name";
            return Err(SqlError::new(state::NULL_VALUE_NOT_ALLOWED, message));
        }
        let name = names.text(row)?;
        if name.to_ascii_lowercase().starts_with("transaction_") {
            return Err(SqlError::unsupported(format!("set_config of {name}")).hint("Use SET TRANSACTION."));
        }
        let value = if call.is_null(1, row) {
            None
        } else {
            Some(values.text(row)?)
        };
        let local = !call.is_null(2, row) && *local.at(row);
        let shown = session.settings(|settings| {
            settings.set(name, value, local)?;
            settings.show(name)
        })?;
        out.extend_from_slice(shown.as_bytes());
        Ok(())
    })
}

fn sleep(call: &Call<'_>) -> Result<Column> {
    let seconds = call.floats(0);
    rest(call, |row| *seconds.at(row))
}

fn sleep_for(call: &Call<'_>) -> Result<Column> {
    let spans = call.intervals(0);
    rest(call, |row| {
        let span = *spans.at(row);
        let days = f64::from(span.months) * 30.0 + f64::from(span.days);
        days * 86_400.0 + crate::convert::near_f64(span.micros) / 1e6
    })
}

/// Waits so many seconds for each row.
fn rest(call: &Call<'_>, seconds: impl Fn(usize) -> f64) -> Result<Column> {
    nothing(call, |row| (call.evaluating.rest)(seconds(row)))
}

/// Does something for each row that gives nothing, which is PostgreSQL's type `void`: an empty text.
pub(super) fn nothing(call: &Call<'_>, mut run: impl FnMut(usize) -> Result<()>) -> Result<Column> {
    let done = (0..call.rows).map(|row| call.wanted(row).then(|| run(row)).transpose());
    let done = done.collect::<Result<Vec<Option<()>>>>()?;
    Ok(with_nulls(done, |rows| {
        let mut texts = BytesColumn::with_capacity(rows.len(), 0);
        rows.iter().for_each(|()| texts.push(b""));
        ColumnData::Bytes(texts)
    }))
}
