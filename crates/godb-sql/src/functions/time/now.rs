//! The time: of the transaction, the statement, the day.

use crate::datetime::calendar::timestamp_to_date;
use crate::error::Result;
use crate::functions::Call;
use crate::vector::Column;

pub(super) fn transaction(call: &Call<'_>) -> Result<Column> {
    call.each_int(|_| Ok(call.evaluating.transaction_micros))
}

pub(super) fn statement(call: &Call<'_>) -> Result<Column> {
    call.each_int(|_| Ok(call.evaluating.statement_micros))
}

pub(super) fn today(call: &Call<'_>) -> Result<Column> {
    call.each_int(|_| Ok(timestamp_to_date(call.evaluating.transaction_micros)))
}
