#![no_main]

use cablecar_protocol_fuzz::record;

libfuzzer_sys::fuzz_target!(|data: &[u8]| record(data));
