//! Runs `ws_autobahn::fuzz_raw_peer`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| ws_autobahn::fuzz_raw_peer(data));
