//! Functions that take and free advisory locks.

use super::Call;
use super::session::{nothing, session};
use super::table::types::{BOOL, I4, I8, TEXT};
use super::table::{Entry, entry};
use crate::error::Result;
use crate::session::{AdvisoryKey, AdvisoryMode};
use crate::vector::Column;

/// Both ways to call a function: with one number of 64 bits, and with two of 32.
macro_rules! both {
    ($([$name:literal, $returns:expr, $kernel:expr])*) => {
        &[$(
            entry($name, &[I8], $returns, $kernel).volatile(),
            entry($name, &[I4, I4], $returns, $kernel).volatile(),
        )*]
    };
}

/// Those with a key.
#[rustfmt::skip]
pub(super) static TABLE: &[Entry] = both![
    ["pg_advisory_lock", TEXT, |call| lock(call, false, false)] ["pg_advisory_lock_shared", TEXT, |call| lock(call, true, false)]
    ["pg_advisory_xact_lock", TEXT, |call| lock(call, false, true)] ["pg_advisory_xact_lock_shared", TEXT, |call| lock(call, true, true)]
    ["pg_try_advisory_lock", BOOL, |call| try_lock(call, false, false)] ["pg_try_advisory_lock_shared", BOOL, |call| try_lock(call, true, false)]
    ["pg_try_advisory_xact_lock", BOOL, |call| try_lock(call, false, true)] ["pg_try_advisory_xact_lock_shared", BOOL, |call| try_lock(call, true, true)]
    ["pg_advisory_unlock", BOOL, |call| unlock(call, false)] ["pg_advisory_unlock_shared", BOOL, |call| unlock(call, true)]
];

/// The one without.
pub(super) static ALL: &[Entry] = &[entry("pg_advisory_unlock_all", &[], TEXT, unlock_all).volatile()];

fn key(call: &Call<'_>, row: usize) -> AdvisoryKey {
    let first = *call.ints(0).at(row);
    if call.has(1) {
        AdvisoryKey::Two(first, *call.ints(1).at(row))
    } else {
        AdvisoryKey::One(first)
    }
}

fn lock(call: &Call<'_>, shared: bool, for_transaction: bool) -> Result<Column> {
    let mode = AdvisoryMode {
        shared,
        for_transaction,
    };
    let session = session(call)?;
    let timeout = session.lock_timeout();
    // Resting no time at all looks whether the statement shall end.
    let check = || (call.evaluating.rest)(0.0);
    nothing(call, |row| {
        session.advisory().lock(key(call, row), mode, timeout, &|| {
            session.set_waiting(true);
            check()
        })
    })
}

fn try_lock(call: &Call<'_>, shared: bool, for_transaction: bool) -> Result<Column> {
    let mode = AdvisoryMode {
        shared,
        for_transaction,
    };
    let session = session(call)?;
    call.each_bool(|row| Ok(session.advisory().try_lock(key(call, row), mode)))
}

fn unlock(call: &Call<'_>, shared: bool) -> Result<Column> {
    let session = session(call)?;
    call.each_bool(|row| Ok(session.advisory().unlock(key(call, row), shared)))
}

fn unlock_all(call: &Call<'_>) -> Result<Column> {
    let session = session(call)?;
    nothing(call, |_| {
        session.advisory().unlock_all();
        Ok(())
    })
}
