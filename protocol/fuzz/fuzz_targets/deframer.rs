#![no_main]

use cablecar_protocol_fuzz::deframer;

libfuzzer_sys::fuzz_target!(|data: &[u8]| deframer(data));
