//! Tests of the whole stack through the public API. Each file is a subject.

#![expect(clippy::unwrap_used, reason = "a panic is a test's report")]

mod api;
mod bad_input;
mod compaction;
mod concurrency;
mod elle;
mod flights;
mod index_scan;
mod killed;
mod large_transactions;
mod limits;
mod plants;
mod sessions;
mod small_pool;
mod time_travel;
mod time_travel_keys;
mod waiting;
