//! `SELECT count(*) FROM t`: the engine keeps account of the rows of its trees, so nothing need be read for it.

use crate::plan::logical::{AggregateCall, Projection};
use crate::plan::physical::{Physical, Source};

/// The table whose rows are counted, when that is all that an aggregation over `input` does.
pub(super) fn counted<'p>(
    input: &'p Physical,
    groups: &[Projection],
    calls: &[AggregateCall],
) -> Option<&'p Source> {
    let Physical::Scan(source) = input else {
        return None;
    };
    let only_counts = groups.is_empty() && calls.iter().all(counts_rows);
    (only_counts && shows_all(source)).then_some(source)
}

/// Whether a scan shows every row that its table has now. Of a moment of the past no account is kept.
fn shows_all(source: &Source) -> bool {
    source.filter.is_none() && source.as_of.is_none() && source.range.is_everything()
}

/// Whether a call is `count(*)` and nothing else.
fn counts_rows(call: &AggregateCall) -> bool {
    call.function.aggregate.name == "count" && call.args.is_empty() && call.filter.is_none()
}
