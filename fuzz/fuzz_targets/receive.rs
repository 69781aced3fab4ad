//! Runs `ws_testkit::fuzz::receive`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| ws_testkit::fuzz::receive(data));
