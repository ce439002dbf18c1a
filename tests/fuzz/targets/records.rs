//! The target `records` under libFuzzer.

#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| godb_tests::fuzz::run("records", data));
