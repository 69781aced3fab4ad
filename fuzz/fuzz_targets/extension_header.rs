//! Runs `ws_testkit::fuzz::extension_header`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| ws_testkit::fuzz::extension_header(data));
