#![no_main]

use cablecar_protocol_fuzz::digits;

libfuzzer_sys::fuzz_target!(|data: &[u8]| digits(data));
