//! Runs `ws_testkit::fuzz::pair`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| ws_testkit::fuzz::pair(data));
