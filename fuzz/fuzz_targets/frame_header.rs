//! Runs `ws_testkit::fuzz::frame_header`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| ws_testkit::fuzz::frame_header(data));
