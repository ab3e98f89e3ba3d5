#![no_main]

use cablecar_protocol_fuzz::canonical;

libfuzzer_sys::fuzz_target!(|data: &[u8]| canonical(data));
