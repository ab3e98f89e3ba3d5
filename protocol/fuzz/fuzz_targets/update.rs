#![no_main]

use cablecar_protocol_fuzz::update;

libfuzzer_sys::fuzz_target!(|data: &[u8]| update(data));
