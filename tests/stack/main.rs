//! Tests of the whole stack through the public API. Each file is a subject.

mod api;
mod bad_input;
mod concurrency;
mod killed;
mod small_pool;
mod time_travel;
