#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| cablecar_relay_fuzz::forwarded_for(data));
